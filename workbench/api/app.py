"""The routes of `/api/v1`. Each reads, asks one thing, renders; who may ask is said beside its path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

import orjson
from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

from graph.errors import RingroadError
from workbench.api import bodies
from workbench.api.admission import Clerk
from workbench.api.callers import Rates, processes, scope
from workbench.api.door import BATCH_BYTES, BODY_BYTES, Door
from workbench.api.problems import problem, rendered
from workbench.api.schemas import (
    ApplicationRecord,
    BatchAnswer,
    EventAnswer,
    Health,
    LabelAnswer,
    Problem,
    Readiness,
    RingList,
    ScoreAnswer,
)
from workbench.online.engine import ScoreAsk
from workbench.online.metrics import exposition
from workbench.online.refusals import BadRequest, NotJson, TooLarge
from workbench.online.service import Service
from workbench.schedule.metrics import file as schedule_metrics

API = "/api/v1"
BATCH_MOST = 1_000
BATCH_SECONDS = 60.0
SLICE = 4
"""So many of a batch are read before others have their turn."""

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": said}
    for status, said in {
        401: "No key, or not a living one.",
        403: "The key may not do this.",
        404: "Nothing stands under this name.",
        409: "It cannot be done in this state.",
        413: "The body is too long.",
        415: "The body is no JSON.",
        422: "A field is wrong, or a key was used again with other content; `errors` name fields, never values.",
        429: "The key asked too often; `Retry-After` says when to come again.",
        503: "Too many wait, or this process ends; `Retry-After` says when to come again.",
    }.items()
}

Application = Annotated[
    str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$", description="The lender's number.")
]
RingId = Annotated[str, Path(pattern=r"^[Rr][0-9A-Fa-f]{4,15}$", description="As `GET /rings` lists it.")]
Explain = Annotated[
    Literal["brief", "full"],
    Query(description="`full`: reasons of a pass, too, and of every reason the things that carry it."),
]


def create(service: Service) -> FastAPI:
    clerk: Clerk[ScoreAsk, bytes] = Clerk(service.answer, patience=service.settings.patience_ms / 1000)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        clerk.start()
        tending = asyncio.create_task(service.tend())
        yield
        await clerk.stop()
        tending.cancel()
        if await service.rest():
            service.close()

    app = FastAPI(
        title="Ringroad score service",
        version="1",
        description=bodies.DESCRIPTION,
        lifespan=living,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.service, app.state.clerk, app.state.rates = service, clerk, Rates(processes=processes())
    app.openapi = lambda: bodies.document(app)  # type: ignore[method-assign]
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RingroadError, _refused)
    _scores(app, service, clerk)
    _later(app, service)
    _reading(app, service)
    _health(app, service)
    app.add_middleware(Door, limits={f"{API}/score/batch": BATCH_BYTES})
    return app


# Scores --------------------------------------------------------------------------------------------------


def _scores(app: FastAPI, service: Service, clerk: Clerk[ScoreAsk, bytes]) -> None:
    deadline = service.settings.deadline_ms / 1000

    @app.post(
        f"{API}/score",
        response_model=ScoreAnswer,
        responses=PROBLEMS,
        tags=["scores"],
        openapi_extra=bodies.score_body(),
        dependencies=[scope("score")],
    )
    async def score(request: Request, explain: Explain = "brief") -> Response:
        """Score one application; it is part of the graph from then on.

        Idempotent by `Idempotency-Key` and by `application_id`: the same request again gives the same answer
        (`replayed`), the same name with other content 422. The answer comes after the application is on disk.
        """
        moves = clerk.admit()
        ask = service.read(await _said(request), _idempotency(request), request.state.trace_id, explain == "full")
        answer = _json(await clerk.ask(ask, deadline=deadline))
        if moves:
            answer.headers["Connection"] = "close"
        return answer

    @app.post(
        f"{API}/score/batch",
        response_model=BatchAnswer,
        responses=PROBLEMS,
        tags=["scores"],
        openapi_extra=bodies.batch_body(),
        dependencies=[scope("score")],
    )
    async def score_batch(request: Request, explain: Explain = "brief") -> Response:
        """Score up to 1,000 applications, in this order; each sees the ones before. One that is refused holds up
        none of the others. Single requests go first, so a batch takes longer while many of them come."""
        clerk.admit(urgent=False)
        trace = request.state.trace_id
        given = service.read_batch(await _said(request), BATCH_MOST)
        waiting: list[Any] = []
        for at, one in enumerate(given):
            waiting.append(asyncio.ensure_future(_one(service, clerk, one, trace, explain == "full")))
            if at % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        return _json(_batch(given, await asyncio.gather(*waiting), trace))


async def _one(
    service: Service, clerk: Clerk[ScoreAsk, bytes], one: Any, trace: str, full: bool
) -> bytes | RingroadError:
    try:
        ask = service.read(_again(one), "", trace, full)
        return await clerk.ask(ask, deadline=BATCH_SECONDS, urgent=False)
    except RingroadError as error:
        return error


def _again(one: Any) -> bytes:
    """One of a batch, as if it had come alone. Raises TooLarge; BadRequest for one nested too deep to write."""
    try:
        body = orjson.dumps(one)
    except orjson.JSONEncodeError:
        raise BadRequest("the application is nested deeper than any form is") from None
    if len(body) > BODY_BYTES:
        raise TooLarge(f"the application is longer than the {BODY_BYTES // 1024:,} kB that one may take")
    return body


def _batch(given: Sequence[Any], answers: Sequence[bytes | RingroadError], trace: str) -> bytes:
    results = []
    for one, answer in zip(given, answers, strict=True):
        name = one.get("application_id") if isinstance(one, dict) else None
        told: dict[str, Any] = {"application_id": name if isinstance(name, str) and len(name) <= 64 else None}
        if isinstance(answer, RingroadError):
            told |= {"status": answer.status, "problem": orjson.Fragment(rendered(answer, trace).body)}
        else:
            told |= {"status": 200, "answer": orjson.Fragment(answer)}
        results.append(told)
    return orjson.dumps({"results": results, "trace_id": trace})


# What becomes known later --------------------------------------------------------------------------------


def _later(app: FastAPI, service: Service) -> None:
    @app.post(
        f"{API}/applications/{{application_id}}/events",
        status_code=202,
        response_model=EventAnswer,
        responses=PROBLEMS,
        tags=["later"],
        openapi_extra=bodies.event_body(),
        dependencies=[scope("events")],
    )
    async def tell(application_id: Application, request: Request) -> Response:
        """What became of an application: decided, funded, paid, an instalment, the car, a call.

        On disk when this answers; scores see at once what scores may see. `Idempotency-Key`, or the row's own number,
        makes it safe to send again."""
        told = service.tell(application_id, await _said(request), _idempotency(request), request.state.trace_id)
        return _json(told, 202)

    @app.post(
        f"{API}/labels",
        status_code=201,
        response_model=LabelAnswer,
        responses=PROBLEMS,
        tags=["later"],
        openapi_extra=bodies.label_body(),
        dependencies=[scope("labels:write")],
    )
    async def label(request: Request) -> Response:
        """What somebody found out. Append-only: a correction is a new label that supersedes an older one.

        `Idempotency-Key` is required. On disk when this answers; later scores see it at once."""
        key = _idempotency(request)
        if not key:
            raise BadRequest("the header Idempotency-Key is missing; a label is told under a key of its own")
        answer = await service.label(await _said(request), key, request.state.trace_id)
        return _json(orjson.dumps(answer), 201)


# Reading -------------------------------------------------------------------------------------------------


def _reading(app: FastAPI, service: Service) -> None:
    @app.get(
        f"{API}/applications/{{application_id}}",
        response_model=ApplicationRecord,
        responses=PROBLEMS,
        tags=["reading"],
        dependencies=[scope("decisions:read")],
    )
    async def application(application_id: Application, request: Request) -> Response:
        """The record of a decision, what became known since, and today's score of it from what was known then."""
        return _json(orjson.dumps(service.record(application_id) | {"trace_id": request.state.trace_id}))

    @app.get(
        f"{API}/rings",
        response_model=RingList,
        responses=PROBLEMS,
        tags=["reading"],
        dependencies=[scope("rings:read")],
    )
    async def rings(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> Response:
        """The rings of the last run, the most suspicious first."""
        return _json(orjson.dumps(service.rings(limit, offset) | {"trace_id": request.state.trace_id}))

    @app.get(f"{API}/rings/{{ring_id}}", responses=PROBLEMS, tags=["reading"], dependencies=[scope("rings:read")])
    async def ring(ring_id: RingId, request: Request) -> Response:
        """A ring's passport: members, what they share (masked), doubts, roles, money, and its history."""
        found = await asyncio.to_thread(service.ring, ring_id)
        return _json(orjson.dumps(found | {"trace_id": request.state.trace_id}))


def _health(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", response_model=Health, tags=["health"])
    async def healthz() -> Response:
        """This process answers."""
        return _json(b'{"status":"ok"}')

    @app.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}}, tags=["health"])
    async def readyz() -> Response:
        """Whether it should be sent requests; each part says what is wrong."""
        ready = service.ready()
        return _json(orjson.dumps(ready), 200 if ready["ready"] else 503)

    @app.get(
        "/metrics",
        response_class=PlainTextResponse,
        responses=PROBLEMS,
        tags=["health"],
        dependencies=[scope("metrics")],
    )
    async def metrics() -> Response:
        """For Prometheus, of all processes of the service, and of the schedule."""
        shown = await asyncio.to_thread(exposition, schedule_metrics(service.settings.base))
        return Response(shown, media_type="text/plain; version=0.0.4")


# Shared --------------------------------------------------------------------------------------------------


def _json(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type="application/json")


async def _said(request: Request) -> bytes:
    """The body of a request that says it is JSON. Raises NotJson, TooLarge."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise NotJson("the body is to be JSON; send it with the header Content-Type: application/json")
    return await request.body()


def _idempotency(request: Request) -> str:
    key = request.headers.get("idempotency-key")
    if key is None:
        return ""
    if not 1 <= len(key) <= 255:
        raise BadRequest("the header Idempotency-Key is to have 1 to 255 characters; leave it away where there is none")
    return f"{request.state.owner}/{key}"


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RingroadError)  # noqa: S101 - registered for it
    return rendered(error, request.state.trace_id)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    errors = [
        {"field": ".".join(map(str, each["loc"])), "problem": each["msg"], "remedy": "see openapi.json"}
        for each in error.errors()
    ]
    return rendered(
        BadRequest("the address or its parameters are not as openapi.json says", errors), request.state.trace_id
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    code = {404: "no-such-route", 405: "method-not-allowed"}.get(error.status_code, f"http-{error.status_code}")
    return problem(error.status_code, code, "see openapi.json for what there is", request.state.trace_id, error.headers)
