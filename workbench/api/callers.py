"""Who asks: an API key with a scope, so many requests a second, and nothing that the route does not know."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import Depends, Request

from graph.errors import NotAuthenticated
from workbench.casebook.keys import UNKNOWN, Keys
from workbench.online.refusals import BadRequest, TooManyRequests

BURST_SECONDS = 2.0
"""A key may save up the requests of so long."""


class Rates:
    """Token buckets, one per key; each process of the service holds its share of a key's rate."""

    def __init__(self, *, processes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._share, self._clock = 1.0 / max(1, processes), clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, kid: str, per_second: float) -> None:
        """Raises TooManyRequests with when there is one again."""
        rate, now = per_second * self._share, self._clock()
        most = max(1.0, rate * BURST_SECONDS)
        left, then = self._buckets.get(kid, (most, now))
        left = min(most, left + (now - then) * rate)
        if left < 1:
            self._buckets[kid] = left, now
            raise TooManyRequests("this key asks more often than it may; come again", retry_after=(1 - left) / rate)
        self._buckets[kid] = left - 1, now


def processes() -> int:
    return int(os.environ.get("RINGROAD_WORKERS", "1") or 1)


def scope(name: str) -> Any:
    """A dependency of a route: the caller's key, where it may do this."""

    async def caller(request: Request) -> None:
        presented = request.headers.get("authorization", "")
        kind, _, key = presented.partition(" ")
        if kind.lower() != "bearer" or not key:
            raise NotAuthenticated(UNKNOWN)
        keys: Keys = request.app.state.service.keys
        found = keys.check(key.strip(), name, datetime.now(UTC))
        request.state.kid, request.state.owner = found.kid, found.owner
        rates: Rates = request.app.state.rates
        rates.take(found.kid, found.per_second)
        if request.scope["query_string"]:
            _known(request)

    return Depends(caller)


def _known(request: Request) -> None:
    """Raises BadRequest for a parameter that the route does not take: misspelt, it would be passed by in silence."""
    takes = {field.alias for field in request.scope["route"].dependant.query_params}
    if not takes.issuperset(request.query_params):
        able = f"it takes {', '.join(sorted(takes))}" if takes else "it takes none"
        raise BadRequest(f"the address has a parameter that this route does not know; {able}")
