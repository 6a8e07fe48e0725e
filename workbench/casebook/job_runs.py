"""Jobs by slot: who is at which, what became of it, and what is due again.

A slot is claimed under the writers' lock with a lease that its worker renews, so that two ticks at once, on one machine
or on two, never do the same slot: the second one finds it taken and passes on. A worker that dies leaves its lease;
when that has run out, the next tick does the slot again. A worker that was taken for dead and comes back is told so by
`finish`, and its word does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from graph.errors import InputError, NodeNotFound
from workbench.casebook.schedule_tables import job_runs

RUNNING, WAITING, DONE, FAILED, MISSED = "running", "waiting", "done", "failed", "missed"
OPEN = (RUNNING, WAITING)

LEASE = timedelta(minutes=3)
"""Much longer than the time between two renewals, so that a machine that is busy does not lose it."""

PAUSES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
"""Between two tries: what comes late over night is still taken in the morning."""

TRIES = len(PAUSES) + 1
LONGEST_TROUBLE = 255
MOST_MISSED = 400
"""Slots that are written down as missed at a time; who was away for longer knows it."""

Due = Callable[[str | None], Sequence[tuple[str, datetime]]]
"""Slots that are due by now and come after this one, oldest first, each with when it was due; after None: the newest
alone. What lies before a job's first slot was never its business."""


@dataclass(frozen=True)
class Run:
    """A row of `job_runs`."""

    job: str
    slot: str
    due_at: datetime
    status: str
    tries: int
    leased_until: datetime | None
    next_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    told: Mapping[str, Any]
    trouble: str

    def held(self, now: datetime) -> bool:
        """A worker is at it, as far as anybody can tell."""
        return self.status == RUNNING and self.leased_until is not None and now < self.leased_until


@dataclass(frozen=True)
class Claim:
    """A slot to do now. `started_at` is of this worker alone."""

    job: str
    slot: str
    tries: int
    started_at: datetime


@dataclass(frozen=True)
class Looked:
    """What a look at a job gave: a slot to do, or the slot that somebody is at, or neither; and what was missed."""

    claim: Claim | None = None
    busy: str = ""
    missed: Sequence[str] = ()


COLUMNS = tuple(Run.__dataclass_fields__)
ROW = select(*(job_runs.c[name] for name in COLUMNS))


# Claiming ------------------------------------------------------------------------------------------------


def claim(db: Connection, job: str, due: Due, *, back: int, now: datetime) -> Looked:
    """The next slot to do: the oldest whose time has come, of the newest `back` that nobody did; those before them are
    written down as missed. `db` is of `Casebook.writing`."""
    rows = _open(db, job)
    if busy := next((each.slot for each in rows if each.held(now)), ""):
        return Looked(busy=busy)
    fresh = due(_newest(db, job))
    wanted = sorted({each.slot for each in rows} | {name for name, _ in fresh})
    late = set(wanted[:-back])
    missed = _miss(db, job, rows, fresh, late, now)
    _add(db, job, [each for each in fresh if each[0] not in late], now)
    for each in _open(db, job):
        if _over(each):
            _change(db, each.job, each.slot, status=FAILED, leased_until=None, next_at=None, finished_at=now,
                    trouble="its process died in the last try")  # fmt: skip
        elif each.status == RUNNING or each.next_at is None or each.next_at <= now:
            return Looked(_taken(db, each, now), missed=missed)
    return Looked(missed=missed)


def pending(db: Connection, job: str, due: Due, *, now: datetime) -> bool:
    """Whether `claim` would find anything to write; asked before the lock is taken."""
    rows = _open(db, job)
    if any(each.held(now) for each in rows):
        return False
    return bool(due(_newest(db, job))) or any(
        each.status == RUNNING or each.next_at is None or each.next_at <= now for each in rows
    )


def _open(db: Connection, job: str) -> list[Run]:
    rows = db.execute(ROW.where(job_runs.c.job == job, job_runs.c.status.in_(OPEN)).order_by(job_runs.c.slot))
    return [Run(*row) for row in rows]


def _newest(db: Connection, job: str) -> str | None:
    found: str | None = db.execute(select(func.max(job_runs.c.slot)).where(job_runs.c.job == job)).scalar()
    return found


def _over(run: Run) -> bool:
    return run.status == RUNNING and run.tries >= TRIES


def _miss(  # noqa: PLR0917
    db: Connection, job: str, rows: Sequence[Run], fresh: Sequence[tuple[str, datetime]], late: set[str], now: datetime
) -> Sequence[str]:
    for each in rows:
        if each.slot in late:
            _change(db, job, each.slot, status=MISSED, leased_until=None, next_at=None, finished_at=now)
    new = [(name, at) for name, at in fresh if name in late][-MOST_MISSED:]
    if new:
        db.execute(insert(job_runs), [_row(job, name, at) | {"status": MISSED, "finished_at": now} for name, at in new])
    return tuple(sorted({each.slot for each in rows if each.slot in late} | {name for name, _ in new}))


def _add(db: Connection, job: str, some: Sequence[tuple[str, datetime]], now: datetime) -> None:
    if some:
        db.execute(insert(job_runs), [_row(job, name, at) | {"next_at": now} for name, at in some])


def _row(job: str, slot: str, due_at: datetime) -> dict[str, Any]:
    return {
        "job": job, "slot": slot, "due_at": due_at, "status": WAITING, "tries": 0, "next_at": None,
        "finished_at": None, "told": {}, "trouble": "",
    }  # fmt: skip


def _taken(db: Connection, run: Run, now: datetime) -> Claim:
    """A try counts when it begins: what kills its worker each time must end, too."""
    _change(
        db, run.job, run.slot, status=RUNNING, tries=run.tries + 1, leased_until=now + LEASE, next_at=None,
        started_at=now, finished_at=None, seconds=None,
    )  # fmt: skip
    return Claim(run.job, run.slot, run.tries + 1, now)


def turn(db: Connection, job: str, slot: str, *, every: timedelta, now: datetime) -> Claim | None:
    """For what is done again and again: the day's row, once more, when the last time is so long ago."""
    row = db.execute(ROW.where(job_runs.c.job == job, job_runs.c.slot == slot)).one_or_none()
    run = None if row is None else Run(*row)
    if not _has_come(run, every, now):
        return None
    if run is None:
        db.execute(insert(job_runs).values(_row(job, slot, now)))
        run = get(db, job, slot)
    return _taken(db, run, now)


def turn_due(db: Connection, job: str, slot: str, *, every: timedelta, now: datetime) -> bool:
    row = db.execute(ROW.where(job_runs.c.job == job, job_runs.c.slot == slot)).one_or_none()
    return _has_come(None if row is None else Run(*row), every, now)


def _has_come(run: Run | None, every: timedelta, now: datetime) -> bool:
    if run is None:
        return True
    return not run.held(now) and (run.finished_at is None or run.finished_at + every <= now)


# Of a worker ---------------------------------------------------------------------------------------------


def renew(db: Connection, mine: Claim, *, now: datetime) -> bool:
    """False: it is somebody else's by now, and what is done with it does not count."""
    return _mine(db, mine, leased_until=now + LEASE)


def finish(
    db: Connection, mine: Claim, *, told: Mapping[str, Any], trouble: str, seconds: float, now: datetime
) -> bool:
    """Done; `trouble` is what was not as it should be nevertheless."""
    return _mine(
        db, mine, status=DONE, leased_until=None, next_at=None, finished_at=now, seconds=round(seconds, 3),
        told=dict(told), trouble=line(trouble),
    )  # fmt: skip


def fail(db: Connection, mine: Claim, *, trouble: str, seconds: float, now: datetime) -> bool:
    """Another try follows after a pause that grows; after the last one a person may ask again."""
    last = mine.tries >= TRIES
    return _mine(
        db, mine, status=FAILED if last else WAITING, leased_until=None, finished_at=now, seconds=round(seconds, 3),
        next_at=None if last else now + PAUSES[mine.tries - 1], trouble=line(trouble) or "it failed",
    )  # fmt: skip


def give_back(db: Connection, mine: Claim, *, now: datetime) -> bool:
    """Stopped in between, by whoever ends the process: the next tick does it, and this try does not count."""
    return _mine(
        db, mine, status=WAITING, tries=mine.tries - 1, leased_until=None, next_at=now, trouble="stopped in between"
    )


def line(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= LONGEST_TROUBLE else f"{one[: LONGEST_TROUBLE - 1]}…"


def _mine(db: Connection, mine: Claim, **values: Any) -> bool:
    """No two claims of a slot begin at the same instant: the later one waits for the lease of the first."""
    still = and_(_this(mine.job, mine.slot), job_runs.c.status == RUNNING, job_runs.c.started_at == mine.started_at)
    return db.execute(update(job_runs).where(still).values(values)).rowcount > 0


def _change(db: Connection, job: str, slot: str, **values: Any) -> None:
    db.execute(update(job_runs).where(_this(job, slot)).values(values))


def _this(job: str, slot: str) -> ColumnElement[bool]:
    return and_(job_runs.c.job == job, job_runs.c.slot == slot)


# Of people -----------------------------------------------------------------------------------------------


def again(db: Connection, job: str, slot: str, due_at: datetime, *, now: datetime) -> None:
    """Somebody wants a slot done now, whatever became of it. Raises InputError while a worker is at it."""
    row = db.execute(ROW.where(_this(job, slot))).one_or_none()
    if row is None:
        db.execute(insert(job_runs).values(_row(job, slot, due_at) | {"next_at": now}))
        return
    if Run(*row).held(now):
        raise InputError(f"{job} {slot} is being done right now; wait until it has ended")
    _change(db, job, slot, status=WAITING, tries=0, leased_until=None, next_at=now)


def get(db: Connection, job: str, slot: str) -> Run:
    """Raises NodeNotFound."""
    row = db.execute(ROW.where(_this(job, slot))).one_or_none()
    if row is None:
        raise NodeNotFound(f"{job} {slot} never ran; `ringroad schedule runs` lists those that did")
    return Run(*row)
