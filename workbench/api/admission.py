"""Who is let in, and in what order they are served: few wait, and nobody waits longer than can be answered in time.

One clerk per process takes whoever waits, a few at a time, so that one fsync and one pass over the models serve all
of them. A single request is never held up by a batch: batches stand in a queue of their own, from which the clerk
takes when nobody else waits.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar

from workbench.online.metrics import SHED, WAITING
from workbench.online.refusals import Draining, Overloaded

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")

TOGETHER = 8
"""So many are served at once at most: more would hold up the process for longer than a refusal may take."""

PATIENCE = 0.030
"""Seconds: the longest wait that somebody is let in for."""

TURNS, QUIET_TURNS = 64, 4
"""Between two services the event loop has so many turns at most, and so many in which nobody comes."""

CROWDED, MOVE_SECONDS = 0.25, 0.05
"""From this share of its patience on a process lets go of a connection, at most so often; who is refused keeps it,
else an overload of all would become one of connecting."""

LONG_PATIENCE = 10.0
"""Seconds: the same, of a batch; so batches cannot pile up without end."""

QUICK = 0.25
"""Weight of the newest time in the mean time of service."""

STALL = 2.0
"""Times the mean: what took longer counts as so much. One slow fsync is no reason to refuse those who come after it."""


class _Waiting(NamedTuple, Generic[Ask, Answer]):
    ask: Ask
    since: float
    until: float
    told: asyncio.Future[Answer | BaseException]


class Clerk(Generic[Ask, Answer]):
    """`serve` answers some asks, one answer or error for each; it runs in the event loop's thread, inline."""

    def __init__(
        self,
        serve: Callable[[Sequence[Ask]], Sequence[Answer | BaseException]],
        *,
        together: int = TOGETHER,
        patience: float = PATIENCE,
    ) -> None:
        self._serve, self.together, self.patience = serve, together, patience
        self._first: deque[_Waiting[Ask, Answer]] = deque()
        self._later: deque[_Waiting[Ask, Answer]] = deque()
        self._wake, self._open = asyncio.Event(), True
        self._task: asyncio.Task[None] | None = None
        self._came, self._moved = 0, 0.0
        self.each = 0.003

    def start(self) -> None:
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Serves who waits; lets nobody in."""
        self._open = False
        while self._first or self._later:
            await asyncio.sleep(0.005)
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def admit(self, *, urgent: bool = True) -> bool:
        """Before a request is even read: whether its connection is to end with the answer, for another process may
        have fewer. Raises Overloaded where the wait would be too long."""
        self._came += 1
        if not self._open:
            raise Draining("this process is ending; send the request again", retry_after=1)
        waiting, patience = (self._first, self.patience) if urgent else (self._later, LONG_PATIENCE)
        wait = len(waiting) * self.each
        if wait > patience:
            SHED.labels("queue").inc()
            raise Overloaded("more requests wait than can be answered in time; come again", retry_after=1)
        return wait > CROWDED * patience and self._moves()

    def _moves(self) -> bool:
        """Now and then: the system gives all connections of a burst to one process, and there they would stay."""
        now = time.perf_counter()
        if now - self._moved < MOVE_SECONDS:
            return False
        self._moved = now
        return True

    async def ask(self, ask: Ask, *, deadline: float, urgent: bool = True) -> Answer:
        """`deadline` in seconds from now: who is not served by then is refused."""
        now = time.perf_counter()
        told: asyncio.Future[Answer | BaseException] = asyncio.get_running_loop().create_future()
        (self._first if urgent else self._later).append(_Waiting(ask, now, now + deadline, told))
        self._wake.set()
        answer = await told
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._first or self._later:
                self._serve_some()
                WAITING.set(len(self._first) + len(self._later))
                await self._others_turn()

    async def _others_turn(self) -> None:
        """Whoever came meanwhile is let in or refused before the next are served.

        uvloop takes one new connection a turn, and a request needs some turns to come in: with one turn between two
        services an overload would wait in the system's queue of connections, where nobody is refused.
        """
        quiet = 0
        for _ in range(TURNS):
            came = self._came
            await asyncio.sleep(0)
            quiet = quiet + 1 if came == self._came else 0
            if quiet == QUIET_TURNS:
                break

    def _serve_some(self) -> None:
        some = self._taken()
        if not some:
            return
        begin = time.perf_counter()
        try:
            told = list(zip(some, self._serve([each.ask for each in some]), strict=True))
        except Exception as error:  # noqa: BLE001 - each of them is told
            told = [(each, error) for each in some]
        spent = (time.perf_counter() - begin) / len(some)
        self.each += QUICK * (min(spent, STALL * self.each) - self.each)
        for each, answer in told:
            if not each.told.done():
                each.told.set_result(answer)

    def _taken(self) -> list[_Waiting[Ask, Answer]]:
        """The next to serve; those whose time is over, or who went away, are passed by."""
        some: list[_Waiting[Ask, Answer]] = []
        now = time.perf_counter()
        for queue in (self._first, self._later):
            while queue and len(some) < self.together:
                each = queue.popleft()
                if each.told.done():
                    continue
                if now > each.until:
                    SHED.labels("deadline").inc()
                    each.told.set_result(Overloaded("it could not be answered before its deadline", retry_after=1))
                    continue
                some.append(each)
            if some:
                break
        return some
