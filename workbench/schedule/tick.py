"""One tick: every job that is due is done, one after the other, and what became of it is written down.

What goes wrong in a job is told in one line and tried again later; the others go on. Two ticks at once are harmless:
who comes second finds the slot taken.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from graph.errors import RingroadError
from graph.settings import Settings
from workbench.casebook import job_runs
from workbench.casebook.job_runs import LEASE, Claim
from workbench.casebook.opening import Casebook
from workbench.schedule import slots
from workbench.schedule.job import Clock, Did, Job, Turn
from workbench.schedule.settings import Plan

RENEWALS = 4
"""A lease is renewed so often before it would run out."""

BUSY, STOPPED = "busy", "stopped"


class Stopped(BaseException):
    """Somebody ends this process: what is under way is given back."""


@dataclass(frozen=True)
class Told:
    """What became of a slot in this tick. `status` is as in `job_runs`, or `busy` where another worker is at it."""

    job: str
    slot: str
    status: str
    seconds: float = 0.0
    told: Mapping[str, int | float | str] | None = None
    trouble: str = ""

    @property
    def failed(self) -> bool:
        return self.status in (job_runs.WAITING, job_runs.FAILED)

    @property
    def line(self) -> str:
        took = f" in {self.seconds:.1f} s" if self.seconds else ""
        numbers = ", ".join(f"{name} {value}" for name, value in (self.told or {}).items())
        return " · ".join(
            part for part in (f"{self.job} {self.slot} {self.status}{took}", numbers, self.trouble) if part
        )


Say = Callable[[Told], None]


@dataclass(frozen=True)
class Ticker:
    """`jobs` in the order in which they are done: what a job needs comes before it."""

    settings: Settings
    plan: Plan
    jobs: Sequence[Job]
    casebook: Casebook
    clock: Clock

    def tick(self, *, only: str = "", say: Say = lambda _: None) -> list[Told]:
        """All that is due, or of one job what is due."""
        told: list[Told] = []
        for job in self.on():
            if only in ("", job.name):
                for each in self._job(job):
                    say(each)
                    told.append(each)
        return told

    def on(self) -> list[Job]:
        return [job for job in self.jobs if self.plan.job(job.name).enabled]

    def pending(self) -> list[Job]:
        """Those for which a tick would find something to do."""
        now = self.clock()
        with self.casebook.reading() as db:
            return [job for job in self.on() if _pending(db, job, now)]

    # A job -------------------------------------------------------------------------------------------------

    def _job(self, job: Job) -> Iterator[Told]:
        """Slot by slot; a slot that failed waits for a later tick, and the next one is looked at now."""
        if job.every is not None:
            yield from self._turn(job, job.every)
            return
        while True:
            now = self.clock()
            with self.casebook.writing() as db:
                looked = job_runs.claim(db, job.name, partial(job.due, now=now), back=job.back, now=now)
            yield from (Told(job.name, each, job_runs.MISSED) for each in looked.missed)
            if looked.busy:
                yield Told(job.name, looked.busy, BUSY)
            if looked.claim is None:
                return
            yield self._done(job, looked.claim)

    def _turn(self, job: Job, every: timedelta) -> Iterator[Told]:
        with self.casebook.reading() as db:
            if not _pending(db, job, self.clock()):
                return
        with self.casebook.writing() as db:
            mine = job_runs.turn(db, job.name, job.today(self.clock()).name, every=every, now=self.clock())
        if mine is not None:
            yield self._done(job, mine)

    def _done(self, job: Job, mine: Claim) -> Told:
        begin = time.perf_counter()
        try:
            with renewed(self.casebook, mine, self.clock):
                did = job.run(Turn(self.settings, self.plan, slots.named(job.cadence, mine.slot), self.clock))
        except (Stopped, KeyboardInterrupt):
            with self.casebook.writing() as db:
                job_runs.give_back(db, mine, now=self.clock())
            raise
        except Exception as error:  # noqa: BLE001 - the others go on
            return self._failed(mine, said(error), time.perf_counter() - begin)
        return self._finished(job, mine, did, time.perf_counter() - begin)

    def _finished(self, job: Job, mine: Claim, did: Did, seconds: float) -> Told:
        with self.casebook.writing() as db:
            told = did.told if job.every is None else _summed(job_runs.get(db, mine.job, mine.slot).told, did.told)
            counts = job_runs.finish(db, mine, told=told, trouble=did.trouble, seconds=seconds, now=self.clock())
        if not counts:
            return Told(mine.job, mine.slot, BUSY, seconds, trouble="another worker took it for dead and does it anew")
        return Told(mine.job, mine.slot, job_runs.DONE, seconds, did.told, job_runs.line(did.trouble))

    def _failed(self, mine: Claim, trouble: str, seconds: float) -> Told:
        with self.casebook.writing() as db:
            job_runs.fail(db, mine, trouble=trouble, seconds=seconds, now=self.clock())
            run = job_runs.get(db, mine.job, mine.slot)
        return Told(mine.job, mine.slot, run.status, seconds, trouble=run.trouble)


def _pending(db: Connection, job: Job, now: datetime) -> bool:
    if job.every is None:
        return job_runs.pending(db, job.name, partial(job.due, now=now), now=now)
    return job_runs.turn_due(db, job.name, job.today(now).name, every=job.every, now=now) and job.wanted(db, now)


def said(error: Exception) -> str:
    """One line; of an error that is not ours only where it came from: its words may hold what nobody should see."""
    if isinstance(error, RingroadError):
        return error.message
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"


def _summed(before: Mapping[str, object], did: Mapping[str, int | float | str]) -> dict[str, int | float | str]:
    """Of a day's turns."""

    def plus(name: str, value: float | str) -> float | str:
        last = before.get(name)
        return value + last if isinstance(value, int | float) and isinstance(last, int | float) else value

    kept = {name: value for name, value in before.items() if isinstance(value, int | float | str)}
    return kept | {name: plus(name, value) for name, value in did.items()}


@contextmanager
def renewed(casebook: Casebook, mine: Claim, clock: Clock) -> Iterator[None]:
    """Beside the work, so that only a worker that is dead loses its slot. A casebook that is away for a moment is asked
    again at the next renewal."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(LEASE.total_seconds() / RENEWALS):
            try:
                with casebook.writing() as db:
                    job_runs.renew(db, mine, now=clock())
            except RingroadError:
                continue

    beside = threading.Thread(target=renew, daemon=True)
    beside.start()
    try:
        yield
    finally:
        over.set()
        beside.join()
