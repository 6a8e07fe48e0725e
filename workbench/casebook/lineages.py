"""Reading the lineage of rings, as it stood after any recorded run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, or_, select

from graph.lineage import LIFE, Event, Kind, Known
from workbench.casebook.tables import ring_events, ring_members, ring_runs, ring_states, rings


@dataclass(frozen=True)
class Recorded:
    """A run by its number, which grows with `as_of`."""

    id: int
    as_of: datetime


@dataclass(frozen=True)
class State:
    """A ring in one run."""

    as_of: datetime
    window_days: int
    rank: int
    score: float
    size: int
    exposure: float
    undisbursed: float
    typology: str
    because: str


@dataclass(frozen=True)
class History:
    """A ring from its birth to a time. `status`: alive, dead or merged."""

    ring_id: str
    born_at: datetime
    status: str
    merged_into: str | None
    parent: str | None
    events: Sequence[Event]
    states: Sequence[State]


def recorded(
    db: Connection, *, as_of: datetime | None = None, before: int | None = None, window_days: int | None = None
) -> Recorded | None:
    """The newest run; of those at or before a time, before another run, or exactly at a time with that window."""
    query = select(ring_runs.c.id, ring_runs.c.as_of).order_by(ring_runs.c.id.desc()).limit(1)
    if window_days is not None:
        query = query.where(ring_runs.c.window_days == window_days, ring_runs.c.as_of == as_of)
    elif as_of is not None:
        query = query.where(ring_runs.c.as_of <= as_of)
    if before is not None:
        query = query.where(ring_runs.c.id < before)
    row = db.execute(query).one_or_none()
    return None if row is None else Recorded(row.id, row.as_of)


def known_after(db: Connection, run: Recorded) -> list[Known]:
    """All rings born up to and in that run, as they stood after it; nothing of later runs."""
    last = last_of_life(db, run.id)
    members: dict[str, set[str]] = {ring_id: set() for ring_id in last}
    rows = select(ring_members.c.ring_id, ring_members.c.application_id).where(_there_after(run.id))
    for ring_id, application_id in db.execute(rows):
        members[ring_id].add(application_id)
    born = {each.ring_id: each.born_at for each in db.execute(select(rings.c.ring_id, rings.c.born_at))}
    return [
        Known(
            ring_id,
            frozenset(members[ring_id]),
            alive=alive(event),
            born=born[ring_id],
            last_seen=run.as_of if alive(event) else event.as_of,
        )
        for ring_id, event in sorted(last.items())
    ]


def of_rings(db: Connection, ring_ids: Iterable[str]) -> list[Known]:
    """These as they stand after the newest run; who was never recorded is left out."""
    found = _some(db, select(rings), rings.c.ring_id, ring_ids)
    there = _some(
        db,
        select(ring_members.c.ring_id, ring_members.c.application_id).where(ring_members.c.left_run.is_(None)),
        ring_members.c.ring_id,
        [row.ring_id for row in found],
    )
    members: dict[str, set[str]] = {}
    for row in there:
        members.setdefault(row.ring_id, set()).add(row.application_id)
    return [
        Known(row.ring_id, frozenset(members.get(row.ring_id, ())), row.status == "alive", row.born_at, row.last_as_of)
        for row in found
    ]


def holding(db: Connection, application_ids: Iterable[str]) -> set[str]:
    """Rings, living or dead, in which one of these stood last."""
    query = select(ring_members.c.ring_id).distinct().where(ring_members.c.left_run.is_(None))
    return {row.ring_id for row in _some(db, query, ring_members.c.application_id, application_ids)}


def _some(db: Connection, query: Select[Any], column: ColumnElement[Any], values: Iterable[str]) -> list[Row[Any]]:
    """With this column among many values: SQLite takes a limited number of parameters."""
    every = sorted(set(values))
    return [
        row for at in range(0, len(every), 500) for row in db.execute(query.where(column.in_(every[at : at + 500])))
    ]


def members_after(db: Connection, ring_id: str, run: Recorded) -> frozenset[str]:
    """Who stood in a ring after that run; nobody before its birth."""
    rows = select(ring_members.c.application_id).where(ring_members.c.ring_id == ring_id, _there_after(run.id))
    return frozenset(db.execute(rows).scalars())


def _there_after(number: int) -> ColumnElement[bool]:
    return and_(
        ring_members.c.joined_run <= number, or_(ring_members.c.left_run.is_(None), ring_members.c.left_run > number)
    )


def alive(last: Event) -> bool:
    return last.kind in (Kind.BIRTH, Kind.REVIVAL)


def history(db: Connection, ring_id: str, *, as_of: datetime) -> History | None:
    """None when no such ring was recorded up to then."""
    ring = db.execute(select(rings).where(rings.c.ring_id == ring_id, rings.c.born_at <= as_of)).one_or_none()
    if ring is None:
        return None
    own = or_(
        ring_events.c.ring_id == ring_id, and_(ring_events.c.other == ring_id, ring_events.c.kind == Kind.MERGE.value)
    )
    events = db.execute(
        select(ring_events)
        .where(own, ring_events.c.as_of <= as_of)
        .order_by(ring_events.c.run_id, ring_events.c.number)
    )
    states = db.execute(
        select(ring_states, ring_runs.c.as_of, ring_runs.c.window_days)
        .join(ring_runs, ring_runs.c.id == ring_states.c.run_id)
        .where(ring_states.c.ring_id == ring_id, ring_runs.c.as_of <= as_of)
        .order_by(ring_runs.c.id)
    )
    told = [_event(row) for row in events]
    last = [event for event in told if event.kind in LIFE and event.ring_id == ring_id][-1]
    merged = last.other if last.kind is Kind.MERGE else None
    return History(
        ring_id=ring_id,
        born_at=ring.born_at,
        status=status(last),
        merged_into=merged,
        parent=ring.parent,
        events=told,
        states=[State(**{name: getattr(row, name) for name in State.__dataclass_fields__}) for row in states],
    )


def status(last: Event) -> str:
    return "alive" if alive(last) else "merged" if last.kind is Kind.MERGE else "dead"


def last_of_life(db: Connection, run: int) -> dict[str, Event]:
    """Per ring the event that says whether it lived after `run`, without its applications."""
    columns = (ring_events.c.ring_id, ring_events.c.kind, ring_events.c.as_of, ring_events.c.other)
    rows = (
        select(*columns)
        .where(ring_events.c.run_id <= run, ring_events.c.kind.in_([kind.value for kind in LIFE]))
        .order_by(ring_events.c.run_id, ring_events.c.number)
    )
    return {row.ring_id: Event(row.ring_id, Kind(row.kind), row.as_of, (), row.other) for row in db.execute(rows)}


def _event(row: Row[Any]) -> Event:
    return Event(row.ring_id, Kind(row.kind), row.as_of, tuple(row.application_ids), row.other)
