"""What every request passes: a trace id, a limit on its body, one renderer of errors, a line in the log, a metric.

The log names the route, never the address, for an address holds an application's number.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from graph.errors import RingroadError
from workbench.api.problems import problem, rendered
from workbench.online.metrics import REQUESTS, SECONDS
from workbench.online.refusals import TooLarge

BODY_BYTES, BATCH_BYTES = 64 * 1024, 16 * 1024 * 1024
TRACE = re.compile(r"[0-9a-f]{16,32}")
HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]

log = logging.getLogger("ringroad.api")


class Door:
    """Pure ASGI; `limits` are the routes that take longer bodies."""

    def __init__(self, app: ASGIApp, *, limits: dict[str, int] | None = None) -> None:
        self.app, self.limits = app, limits or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = _Visit(scope, send, self.limits.get(scope["path"], BODY_BYTES))
        try:
            visit.refuse_length()
            await self.app(scope, visit.receiving(receive), visit.send)
        except RingroadError as error:
            await visit.instead(rendered(error, visit.trace), scope, receive)
        except Exception as error:  # noqa: BLE001 - whatever it is, no trace of it reaches the client
            visit.fault = _place(error)
            told = "the service failed on this request; its trace id finds the line in the log"
            await visit.instead(problem(500, "fault", told, visit.trace), scope, receive)
        finally:
            visit.end()


class _Visit:
    def __init__(self, scope: Scope, send: Send, limit: int) -> None:
        self.scope, self._send, self.limit = scope, send, limit
        given = dict(scope["headers"]).get(b"x-trace-id", b"").decode("latin-1")
        self.trace = given if TRACE.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["trace_id"] = self.trace
        self.begin, self.status, self.fault, self.bytes = time.perf_counter(), 0, "", 0

    def refuse_length(self) -> None:
        stated = dict(self.scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated) > self.limit:
            raise TooLarge(f"the body is longer than the {self.limit // 1024:,} kB that this route takes")

    def receiving(self, receive: Receive) -> Receive:
        async def counted() -> Message:
            message = await receive()
            self.bytes += len(message.get("body", b""))
            if self.bytes > self.limit:
                raise TooLarge(f"the body is longer than the {self.limit // 1024:,} kB that this route takes")
            return message

        return counted

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], *HEADERS, (b"x-trace-id", self.trace.encode())]
        await self._send(message)

    async def instead(self, response: Any, scope: Scope, receive: Receive) -> None:
        if not self.status:  # nothing was sent yet
            await response(scope, receive, self.send)

    def end(self) -> None:
        route = getattr(self.scope.get("route"), "path", "none")
        spent = time.perf_counter() - self.begin
        REQUESTS.labels(route, str(self.status)).inc()
        SECONDS.labels(route).observe(spent)
        line = {
            "trace_id": self.trace, "method": self.scope["method"], "route": route, "status": self.status,
            "ms": round(spent * 1000, 2), "key": self.scope["state"].get("kid", ""),
        }  # fmt: skip
        if self.fault:
            log.error(json.dumps(line | {"fault": self.fault}))
        else:
            log.info(json.dumps(line))


def _place(error: BaseException) -> str:
    """Type and place of an error; its message may hold what a client sent."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f" at {at.tb_frame.f_code.co_filename.rsplit('/', 3)[-1]}:{at.tb_lineno}" if at is not None else ""
    return f"{type(error).__name__}{place}"
