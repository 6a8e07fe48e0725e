"""The OpenAPI file is what the service does: every route of it, with every key, and whatever is sent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import orjson
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.service.conftest import API, Asking, new_key
from tests.service.places import in_process
from workbench.api.app import create
from workbench.api.schemas import Problem
from workbench.casebook import keys
from workbench.casebook.keys import SCOPES
from workbench.instance import open_casebook
from workbench.online.service import Service
from workbench.online.settings import ServiceSettings

OPEN = {("GET", "/healthz"), ("GET", "/readyz")}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS")
SCOPE_OF = {
    ("POST", f"{API}/score"): "score",
    ("POST", f"{API}/score/batch"): "score",
    ("POST", f"{API}/applications/{{application_id}}/events"): "events",
    ("POST", f"{API}/labels"): "labels:write",
    ("GET", f"{API}/applications/{{application_id}}"): "decisions:read",
    ("GET", f"{API}/rings"): "rings:read",
    ("GET", f"{API}/rings/{{ring_id}}"): "rings:read",
    ("GET", "/metrics"): "metrics",
}


class Route(NamedTuple):
    method: str
    path: str

    @property
    def address(self) -> str:
        return self.path.format(application_id="APP1", ring_id="R0001", version="1", id="1", delivery_id="1")


def document() -> dict[str, Any]:
    """The file, of a service that was not opened."""
    service = Service.__new__(Service)
    service.settings = ServiceSettings.read({})
    return dict(create(service).openapi())


FILE = document()
ROUTES = [Route(method.upper(), path) for path, item in FILE["paths"].items() for method in item]
CLOSED = [route for route in ROUTES if route not in OPEN]


def operation_of(route: Route) -> dict[str, Any]:
    return dict(FILE["paths"][route.path][route.method.lower()])


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.fixture(scope="module")
def asked(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with in_process(trained, tmp_path_factory) as one:
        yield one


@pytest.fixture(scope="module")
def keyed(asked: Asking) -> dict[str, str]:
    """Per scope a key that may do this alone."""
    made = {each: new_key(asked.home, each) for each in SCOPES}
    asked.service.keys.refresh()
    return made


def send(asked: Asking, route: Route, key: str | None, **more: Any) -> httpx.Response:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    given = headers | ({} if key is None else {"Authorization": key})
    body = b"{}" if route.method in ("POST", "PUT", "PATCH") else b""
    return asked.http.request(route.method, route.address, headers=given, content=body, **more)


def problem(answer: httpx.Response, status: int) -> Problem:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = Problem.model_validate_json(answer.content)
    assert told.status == status
    assert told.trace_id == answer.headers["x-trace-id"]
    assert told.type == f"urn:ringroad:problem:{told.code}"
    return told


# Keys ----------------------------------------------------------------------------------------------------


def test_every_route_has_its_scope_and_says_that_it_needs_a_key() -> None:
    for route in CLOSED:
        assert operation_of(route)["security"], route
    missing = [route for route in CLOSED if route not in SCOPE_OF and "webhooks" not in route.path]
    assert missing == [], "say here which scope a new route needs"


@pytest.mark.parametrize("route", CLOSED, ids=named)
@pytest.mark.parametrize(
    "key", [None, "", "Bearer", "Bearer ", "Bearer nobody.secret", "Bearer ü.é", "Basic bm9ib2R5OnNlY3JldA=="]
)
def test_without_a_key_nobody_learns_anything(asked: Asking, route: Route, key: str | None) -> None:
    given = None if key is None else key.encode("latin-1").decode("latin-1")
    answer = send(asked, route, given.encode("latin-1") if given else given)  # type: ignore[arg-type]
    told = problem(answer, 401)
    assert told.code == "not-authenticated"
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("route", CLOSED, ids=named)
def test_a_key_opens_what_its_scope_says_and_nothing_else(
    asked: Asking, keyed: dict[str, str], route: Route, scope: str
) -> None:
    answer = send(asked, route, f"Bearer {keyed[scope]}")
    if scope == SCOPE_OF.get(route, "webhooks"):
        assert answer.status_code not in (401, 403), answer.text
        assert answer.status_code < 500
    else:
        assert problem(answer, 403).code == "not-allowed"


def test_a_revoked_key_opens_nothing(asked: Asking) -> None:
    key = new_key(asked.home, "rings:read")
    asked.service.keys.refresh()
    route = Route("GET", f"{API}/rings")
    assert send(asked, route, f"Bearer {key}").status_code == 200
    with open_casebook(asked.service.settings.base) as casebook, casebook.writing() as db:
        keys.revoke(db, key.partition(".")[0], author="test", now=datetime.now(UTC))
    asked.service.keys.refresh()
    problem(send(asked, route, f"Bearer {key}"), 401)


@pytest.mark.parametrize("route", sorted(OPEN), ids=" ".join)
def test_health_needs_no_key(asked: Asking, route: tuple[str, str]) -> None:
    assert send(asked, Route(*route), None).status_code == 200


# Methods and addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
def test_another_method_is_no_method(asked: Asking, path: str) -> None:
    there = {route.method for route in ROUTES if route.path == path}
    for method in set(METHODS) - there:
        answer = send(asked, Route(method, path), f"Bearer {asked.key}")
        assert answer.status_code == 405, method
        assert set(answer.headers["allow"].split(", ")) <= there
        if method != "HEAD":
            assert problem(answer, 405).code == "method-not-allowed"


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/v1", "/api/v1/", "/api/v1/score/", "/api/v2/score", "/docs", "/redoc", "/openapi.json",
     "/api/v1/applications/", "/api/v1/applications/a/b", "/api/v1/../../etc/passwd", "/api/v1/%2e%2e/%2e%2e/etc",
     "/static/app.js", "/healthz/", "/api/v1/applications/APP1/events/"],
)  # fmt: skip
def test_an_unknown_address_is_not_found(asked: Asking, path: str) -> None:
    answer = asked.http.get(path, headers={"Authorization": f"Bearer {asked.key}"}, follow_redirects=False)
    assert problem(answer, 404).code in ("no-such-route", "not-found")


def test_the_file_itself_is_served(asked: Asking) -> None:
    assert asked.get("/openapi.json").json() == json.loads(json.dumps(FILE))


@pytest.mark.parametrize(
    "path",
    ["/applications/none", "/applications/%00", "/applications/a%20b", "/rings/R0", "/rings/xyz", "/rings/RFFFFFFFF",
     "/rings?limit=0", "/rings?limit=many", "/rings?offset=-1", "/rings?lmit=5", "/rings?=many",
     "/applications/APP1?explain=full"],
)  # fmt: skip
def test_what_is_not_there_or_not_asked_rightly_is_a_problem(asked: Asking, path: str) -> None:
    answer = asked.get(path)
    assert answer.status_code in (404, 422)
    told = problem(answer, answer.status_code)
    for each in ("many", "a b", "xyz", "-1"):
        assert each not in told.model_dump_json().replace("pattern", ""), "a value is never repeated"


# Examples ------------------------------------------------------------------------------------------------


def examples() -> Iterator[tuple[Route, str, Any]]:
    for route in ROUTES:
        body = operation_of(route).get("requestBody", {})
        for name, shown in body.get("content", {}).get("application/json", {}).get("examples", {}).items():
            yield route, name, shown["value"]


def test_every_example_of_the_file_is_accepted(asked: Asking) -> None:
    """In the order of the file: an application first, then what becomes of it."""
    shown = list(examples())
    assert {named(route) for route, _, _ in shown} >= {
        f"POST {API}/score", f"POST {API}/labels", f"POST {API}/applications/{{application_id}}/events"
    }  # fmt: skip
    first = next(value for route, _, value in shown if route.path == f"{API}/score")
    for route, name, value in sorted(shown, key=lambda each: each[0].path != f"{API}/score"):
        address = route.path.format(application_id=first["application_id"]).removeprefix(API)
        answer = asked.post(address, value, Idempotency_Key=f"{route.path}-{name}")
        assert answer.is_success, (named(route), name, answer.text)
        assert answer.json().get("warnings", []) == [], (named(route), name)


# Whatever is sent ----------------------------------------------------------------------------------------

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    missing_required_header,
]
STRICT = [route for route in CLOSED if "batch" not in route.path]
"""What a batch holds is judged one by one."""
SCHEMA = schemathesis.openapi.from_dict(json.loads(json.dumps(FILE)))
PLAIN = re.compile(rb"Traceback|File \"|\.py\b")


def deliver(asked: Asking, case: schemathesis.Case) -> httpx.Response:
    """Over the client of this process, as schemathesis would have sent it."""
    known = {"Authorization": f"Bearer {asked.key}"}
    ready = requests.Request(
        **{name: value for name, value in case.as_transport_kwargs("http://testserver", headers=known).items()
           if name in ("method", "url", "headers", "data", "json", "params", "cookies", "files")}
    ).prepare()  # fmt: skip
    return asked.http.request(
        str(ready.method), str(ready.url), headers=list(ready.headers.items()), content=ready.body or b""
    )


def requests_of(mode: GenerationMode) -> list[Any]:
    """Nothing is wrong with a request of a route that takes nothing."""
    taking = [route for route in ROUTES if {"parameters", "requestBody"} & set(operation_of(route))]
    some = ROUTES if mode is GenerationMode.POSITIVE else taking
    return [pytest.param(route, mode, id=f"{mode.value}-{named(route)}") for route in some]


@pytest.mark.parametrize(
    ("route", "mode"), [*requests_of(GenerationMode.POSITIVE), *requests_of(GenerationMode.NEGATIVE)]
)
def test_no_request_breaks_the_contract(asked: Asking, route: Route, mode: GenerationMode) -> None:
    """Requests that the file allows, and such as it does not allow; the same ones at every run."""
    operation = SCHEMA[route.path][route.method]
    known = {"application_id": asked_once(asked)}

    @settings(max_examples=60, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def go(case: schemathesis.Case) -> None:
        if mode is GenerationMode.POSITIVE and "application_id" in (case.path_parameters or {}):
            case.path_parameters = case.path_parameters | known
        answer = deliver(asked, case)
        asked.clock.forward(seconds=1)
        case.validate_response(answer, checks=[*CHECKS, *([negative_data_rejection] if route in STRICT else ())])
        if answer.status_code >= 400 and route.path != "/readyz":
            problem(answer, answer.status_code)
        assert not PLAIN.search(answer.content)

    go()


def asked_once(asked: Asking) -> str:
    """An application that is known."""
    name = "CONTRACT1"
    answer = asked.post("/score", asked.application() | {"application_id": name})
    assert answer.status_code in (200, 422)
    return name


# Traces --------------------------------------------------------------------------------------------------


def test_problems_are_declared_as_what_they_are() -> None:
    for route in ROUTES:
        answers = operation_of(route)["responses"]
        for status, answer in answers.items():
            if int(status) >= 400 and route.path != "/readyz":
                (content,) = answer["content"].items()
                assert content == (
                    "application/problem+json", {"schema": {"$ref": "#/components/schemas/Problem"}}
                ), (named(route), status)  # fmt: skip


@pytest.mark.parametrize("trace", ["0123456789abcdef", "0123456789abcdef0123456789abcdef"])
def test_a_trace_id_goes_round(asked: Asking, trace: str) -> None:
    answer = asked.post("/score", asked.application(), X_Trace_Id=trace)
    assert answer.headers["x-trace-id"] == trace
    assert answer.json()["trace_id"] == trace
    wrong = asked.post("/score", {}, X_Trace_Id=trace)
    assert problem(wrong, 422).trace_id == trace


@pytest.mark.parametrize("trace", ["", "short", "G" * 16, "0" * 33, "0123456789ABCDEF", "13917123456\t1234567"])
def test_one_that_is_none_is_replaced(asked: Asking, trace: str) -> None:
    made = asked.get("/rings").headers["x-trace-id"]
    answer = asked.post("/score", asked.application(), X_Trace_Id=trace)
    assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-trace-id"])
    assert answer.headers["x-trace-id"] != made


def test_every_answer_is_kept_nowhere_and_shown_nowhere(asked: Asking) -> None:
    for answer in (asked.get("/rings"), asked.get("/nothing"), asked.post("/score", {}), asked.http.get("/healthz")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_lines_of_the_log_are_json_and_name_routes_only(asked: Asking, caplog: pytest.LogCaptureFixture) -> None:
    """P20: an address holds an application's number, and a query could hold anything."""
    one = asked.application()
    number, phone = one["application_id"], one["applicant"]["phone"]
    with caplog.at_level("INFO", logger="ringroad.api"):
        asked.post("/score", one, X_Trace_Id="00000000000000aa")
        asked.get(f"/applications/{number}")
        asked.get(f"/rings?limit={phone}")
        asked.get(f"/{phone}")
        asked.post("/score", orjson.dumps(one)[:-40])
    lines = [json.loads(each.getMessage()) for each in caplog.records if each.name == "ringroad.api"]
    assert [(each["route"], each["status"]) for each in lines] == [
        (f"{API}/score", 200), (f"{API}/applications/{{application_id}}", 200), (f"{API}/rings", 422), ("none", 404),
        (f"{API}/score", 422),
    ]  # fmt: skip
    assert set(lines[0]) == {"trace_id", "method", "route", "status", "ms", "key"}
    assert lines[0]["trace_id"] == "00000000000000aa"
    assert lines[0]["key"] == asked.key.partition(".")[0]
    said = "\n".join(each.getMessage() for each in caplog.records)
    for each in (number, phone, one["applicant"]["id_number"], one["applicant"]["name"], asked.key.partition(".")[2]):
        assert each not in said


def test_a_fault_tells_its_place_to_the_log_and_nothing_to_the_client(
    asked: Asking, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: object) -> dict[str, Any]:
        raise ZeroDivisionError("13917123456")

    monkeypatch.setattr(asked.service, "rings", fails)
    with caplog.at_level("INFO", logger="ringroad.api"):
        told = problem(asked.get("/rings"), 500)
    assert told.code == "fault"
    (line,) = [json.loads(each.getMessage()) for each in caplog.records if each.name == "ringroad.api"]
    assert line["fault"].startswith("ZeroDivisionError at test_contract.py:")
    assert line["trace_id"] == told.trace_id
    assert "13917123456" not in caplog.text + told.model_dump_json()
