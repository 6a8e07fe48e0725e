"""A typed client of the score service, for Python callers and for our own tests.

Every call is safe to repeat: a score is idempotent by its application, a label and an event by the key that goes
with it. So a lost connection and a 503 are tried again, a few times, with the pause that the service asks for.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import orjson
from pydantic import BaseModel

from graph.errors import RingroadError
from workbench.api.schemas import (
    ApplicationRecord,
    BatchAnswer,
    EventAnswer,
    LabelAnswer,
    Problem,
    Readiness,
    RingList,
    ScoreAnswer,
)
from workbench.online.labelling import LabelForm

Answer = TypeVar("Answer", bound=BaseModel)

LIMITS = httpx.Timeout(10.0, connect=3.0)
TRIES = 4
PAUSE = 0.2


class ServiceRefused(RingroadError):
    """The service answered with a problem; `problem` holds its fields."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.code}: {problem.detail} (trace {problem.trace_id})")
        self.problem = problem


class ServiceUnreachable(RingroadError):
    """No answer came, however often it was asked."""

    status = 503


class Client:
    """One connection pool; threads may share it."""

    def __init__(
        self,
        address: str,
        key: str,
        *,
        timeout: httpx.Timeout = LIMITS,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`address` as `http://127.0.0.1:8600`; `key` as `ringroad keys create` printed it."""
        self.tries, self._sleep = tries, sleep
        self._http = httpx.Client(
            base_url=f"{address.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            timeout=timeout,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Scores ------------------------------------------------------------------------------------------------

    def score(self, application: Mapping[str, Any], *, key: str = "", explain: str = "brief") -> ScoreAnswer:
        headers = {"Idempotency-Key": key} if key else {}
        return self._ask(
            ScoreAnswer, "POST", "/score", content=application, headers=headers, parameters={"explain": explain}
        )

    def score_batch(self, applications: Sequence[Mapping[str, Any]]) -> BatchAnswer:
        return self._ask(BatchAnswer, "POST", "/score/batch", content={"applications": list(applications)})

    def tell(self, application_id: str, event: Mapping[str, Any], *, key: str = "") -> EventAnswer:
        """What became of an application since: decided, funded, paid …"""
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return self._ask(EventAnswer, "POST", f"/applications/{application_id}/events", content=event, headers=headers)

    def application(self, application_id: str) -> ApplicationRecord:
        return self._ask(ApplicationRecord, "GET", f"/applications/{application_id}")

    # Rings and labels --------------------------------------------------------------------------------------

    def rings(self, *, limit: int = 50, offset: int = 0) -> RingList:
        return self._ask(RingList, "GET", "/rings", parameters={"limit": str(limit), "offset": str(offset)})

    def ring(self, ring_id: str) -> dict[str, Any]:
        return dict(orjson.loads(self._send("GET", f"/rings/{ring_id}").content))

    def label(self, label: LabelForm | Mapping[str, Any], *, key: str = "") -> LabelAnswer:
        content = label.model_dump(mode="json", exclude_none=True) if isinstance(label, LabelForm) else label
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return self._ask(LabelAnswer, "POST", "/labels", content=content, headers=headers)

    def ready(self) -> Readiness:
        """Whatever it says, ready or not."""
        try:
            answer = self._http.get(self._http.base_url.copy_with(path="/readyz"))
        except httpx.TransportError as error:
            raise ServiceUnreachable(f"no answer from {self._http.base_url.host} ({type(error).__name__})") from None
        return Readiness.model_validate_json(answer.content)

    # Inside ------------------------------------------------------------------------------------------------

    def _ask(self, model: type[Answer], method: str, path: str, **asked: Any) -> Answer:
        return model.model_validate_json(self._send(method, path, **asked).content)

    def _send(
        self,
        method: str,
        path: str,
        *,
        content: Any = None,
        headers: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        body = None if content is None else orjson.dumps(content)
        trouble: RingroadError = ServiceUnreachable("the service was not asked")
        pause = 0.0
        for tried in range(self.tries):
            if tried:
                self._sleep(pause)
            pause = PAUSE * 2**tried
            try:
                answer = self._http.request(method, path, content=body, headers=headers, params=parameters)
            except httpx.TransportError as error:
                trouble = ServiceUnreachable(f"no answer from {self._http.base_url.host} ({type(error).__name__})")
                continue
            if answer.is_success:
                return answer
            trouble = ServiceRefused(_problem(answer))
            if answer.status_code not in (429, 503):
                break
            pause = max(pause, float(answer.headers.get("Retry-After", "0")))
        raise trouble


def _problem(answer: httpx.Response) -> Problem:
    try:
        return Problem.model_validate_json(answer.content)
    except ValueError:  # a proxy answered in the service's place
        code = f"http-{answer.status_code}"
        return Problem(
            type="about:blank", title=code, status=answer.status_code, code=code, detail="no problem+json", trace_id=""
        )
