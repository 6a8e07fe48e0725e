"""One try of one delivery: its bytes, its signature, and what came of it.

Signed as Standard Webhooks say: `webhook-id` is the same in every try, `webhook-timestamp` is that of the try, and
`webhook-signature` holds one signature for each secret that is good.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
from concurrent import futures
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from graph.keyring import Keyring
from workbench.webhooks.addresses import Refused, Way
from workbench.webhooks.hooks import Hook

TOTAL_SECONDS = 10.0
"""Of one try, from the name's resolution to the status, however slowly the other side talks."""


@dataclass(frozen=True)
class Letter:
    """One claimed try."""

    event: int
    hook: int
    tries: int
    lease: datetime
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Outcome:
    """A status, or in our own words why there is none; what the other side says is not kept."""

    status: int | None
    trouble: str = ""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The receiver asks never to be told again."""
        return self.status == 410


class Courier:
    """Sends letters from a thread of its own and hands back how they ended. Belongs to one process and thread."""

    def __init__(self, keyring: Keyring, way: Way) -> None:
        self.keyring, self._way = keyring, way
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="webhooks", daemon=True)
        self._thread.start()
        self._under_way: dict[futures.Future[Outcome], Letter] = {}

    @property
    def under_way(self) -> int:
        return len(self._under_way)

    def send(self, letter: Letter) -> None:
        self._under_way[asyncio.run_coroutine_threadsafe(self._sent(letter), self._loop)] = letter

    def finished(self, seconds: float) -> list[tuple[Letter, Outcome]]:
        """Those that have ended, at the latest after so many seconds; each is handed over once."""
        done, _ = futures.wait(self._under_way, max(seconds, 0.0), futures.FIRST_COMPLETED)
        return [(self._under_way.pop(each), each.result()) for each in done]

    def close(self) -> None:
        """What is under way is broken off; its leases run out, and it is sent again."""
        asyncio.run_coroutine_threadsafe(self._break_off(), self._loop).result(TOTAL_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TOTAL_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    def __enter__(self) -> Courier:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _break_off(self) -> None:
        others = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _sent(self, letter: Letter) -> Outcome:
        """Never raises: a fault of one must not stop the others, nor keep its lease."""
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                return Outcome(await self._way.post(letter.url, letter.headers, letter.body))
        except (TimeoutError, httpx.TimeoutException):
            return Outcome(None, "no answer in time")
        except Refused:
            return Outcome(None, "its address is not allowed")
        except httpx.TransportError:
            return Outcome(None, "no connection, or it broke")
        except Exception as error:  # noqa: BLE001 - whatever it is, its words may hold what nobody should see
            return Outcome(None, f"a fault of ours: {type(error).__name__}")


# Signing ----


def canonical(content: Any) -> bytes:
    """The same bytes for the same content in every try."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def signed(hook: Hook, keyring: Keyring, name: str, body: bytes, now: datetime) -> dict[str, str]:
    """Headers of Standard Webhooks; the time is that of the try, so that an old letter cannot be played again."""
    at = str(int(now.timestamp()))
    text = f"{name}.{at}.".encode() + body
    signatures = (hmac.new(key, text, hashlib.sha256).digest() for key in hook.keys(keyring, now=now))
    return {
        "content-type": "application/json",
        "user-agent": "ringroad",
        "webhook-id": name,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signatures),
    }
