"""Errors as RFC 9457 problem+json. One renderer; the status lives on the error's class."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

from graph.errors import RingroadError

MEDIA = "application/problem+json"


def code_of(error: RingroadError) -> str:
    """`StorageFull` as `storage-full`: stable, for programs."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()


def rendered(error: RingroadError, trace_id: str) -> Response:
    errors = getattr(error, "errors", [])
    more = {"errors": errors} if errors else {}
    wait = getattr(error, "retry_after", None)
    if wait is None and error.status == 503:
        wait = 5.0
    headers = {} if wait is None else {"Retry-After": str(max(1, round(wait)))}
    if getattr(error, "elsewhere", False):
        headers["Connection"] = "close"
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="ringroad"'
    return problem(error.status, code_of(error), error.message, trace_id, headers, more)


def problem(  # noqa: PLR0917 - the fields of RFC 9457, in its order
    status: int,
    code: str,
    detail: str,
    trace_id: str,
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, Any] | None = None,
) -> Response:
    content = {
        "type": f"urn:ringroad:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "code": code,
        "detail": detail,
        "trace_id": trace_id,
    }
    return Response(orjson.dumps(content | dict(more or {})), status, dict(headers or {}), MEDIA)
