"""Recording a run: its groups get their lasting names, and what happened since the run before is written down.

Runs follow each other in the order of their `as_of`. A run as of an earlier time gets
names from what was known then and is not recorded: history is not rewritten. The same
run again (same time and window) replaces itself while it is the newest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Executable, and_, bindparam, delete, func, insert, select, update

from graph.lineage import LIFE, Event, Group, Kind, Lineage, trace
from workbench.casebook import lineages
from workbench.casebook.lineages import Recorded
from workbench.casebook.tables import ring_events, ring_members, ring_runs, ring_states, rings

if TYPE_CHECKING:
    from graph.rings import Ring

CHINA = timezone(timedelta(hours=8))
AHEAD = timedelta(days=1)
"""A date means its end, so today's lies ahead by hours. What lies further ahead would hold up all later runs."""

STATE = ("rank", "score", "size", "exposure", "undisbursed", "typology", "because")


@dataclass(frozen=True)
class Run:
    """What a run was made of. `in_window`: all applications of its window; `sequence`: the store's newest batch."""

    as_of: datetime
    window_days: int
    overrides_as_of: datetime
    sequence: int
    in_window: Set[str]


@dataclass(frozen=True)
class Change:
    """Lasting names in the order of the groups, and the events since the run as of `since` (None: there was none).

    `unrecorded` says why the run was not recorded; "" if it was.
    """

    ring_ids: tuple[str, ...]
    events: tuple[Event, ...]
    since: datetime | None
    unrecorded: str = ""


@dataclass(frozen=True)
class _Place:
    """Where a run stands among the recorded ones: it follows `base`, and is written as `number`, if at all."""

    base: Recorded | None
    number: int = 0
    replaces: bool = False
    unrecorded: str = ""


def record(db: Connection, found: Sequence[Ring], run: Run, *, now: datetime) -> Change:
    """Needs a connection of `Casebook.writing`. All of it or, with the transaction, nothing."""
    place = _place(db, run, now)
    known = [] if place.base is None else lineages.known_after(db, place.base)
    groups = [Group(ring.ring_id, frozenset(ring.application_ids)) for ring in found]
    lineage = trace(known, groups, in_window=run.in_window, as_of=run.as_of)
    if not place.unrecorded:
        if place.replaces:
            _take_back(db, place.number)
        _write(db, place.number, found, run, lineage, now=now)
    since = None if place.base is None else place.base.as_of
    return Change(lineage.ring_ids, lineage.events, since, place.unrecorded)


def _place(db: Connection, run: Run, now: datetime) -> _Place:
    newest = lineages.recorded(db)
    if run.as_of > now + AHEAD:
        return _Place(lineages.recorded(db, as_of=run.as_of), unrecorded="its time lies ahead")
    if newest is None:
        return _Place(None, 1)
    if run.as_of < newest.as_of:
        why = (
            f"the newest recorded run is as of {newest.as_of.astimezone(CHINA):%Y-%m-%d}, and history is not rewritten"
        )
        return _Place(lineages.recorded(db, as_of=run.as_of), unrecorded=why)
    same = lineages.recorded(db, as_of=run.as_of, window_days=run.window_days)
    if same is None:
        return _Place(newest, newest.id + 1)
    if same.id == newest.id:
        return _Place(lineages.recorded(db, before=same.id), same.id, replaces=True)
    return _Place(newest, unrecorded="it was recorded before, and a run with another window since")


# Writing -----------------------------------------------------------------------------------------------


def _write(db: Connection, number: int, found: Sequence[Ring], run: Run, lineage: Lineage, *, now: datetime) -> None:
    db.execute(
        insert(ring_runs).values(
            id=number, as_of=run.as_of, window_days=run.window_days, overrides_as_of=run.overrides_as_of,
            sequence=run.sequence, created_at=now, rings=len(found), applications=len(run.in_window),
        )
    )  # fmt: skip
    born = [
        {
            "ring_id": each.ring_id,
            "born_at": run.as_of,
            "last_as_of": run.as_of,
            "status": "alive",
            "parent": each.other,
        }
        for each in lineage.events
        if each.kind is Kind.BIRTH
    ]
    _all(db, insert(rings), born)
    states = [
        {"run_id": number, "ring_id": ring_id} | {name: getattr(ring, name) for name in STATE}
        for ring_id, ring in zip(lineage.ring_ids, found, strict=True)
    ]
    _all(db, insert(ring_states), states)
    seen = select(ring_states.c.ring_id).where(ring_states.c.run_id == number)
    db.execute(update(rings).where(rings.c.ring_id.in_(seen)).values(last_as_of=run.as_of))
    _write_events(db, number, lineage.events, run.as_of)


def _write_events(db: Connection, number: int, events: Sequence[Event], as_of: datetime) -> None:
    told = [
        {"run_id": number, "number": at, "ring_id": each.ring_id, "as_of": as_of, "kind": each.kind.value,
         "application_ids": list(each.application_ids), "other": each.other}
        for at, each in enumerate(events, start=1)
    ]  # fmt: skip
    _all(db, insert(ring_events), told)
    joined = [
        {"ring_id": each.ring_id, "application_id": one, "joined_run": number, "joined_as_of": as_of}
        for each in events
        if each.kind in (Kind.BIRTH, Kind.JOIN)
        for one in each.application_ids
    ]
    _all(db, insert(ring_members), joined)
    left = [
        {"of": each.ring_id, "who": one} for each in events if each.kind is Kind.LEAVE for one in each.application_ids
    ]
    leaving = and_(
        ring_members.c.ring_id == bindparam("of"),
        ring_members.c.application_id == bindparam("who"),
        ring_members.c.left_run.is_(None),
    )
    _all(db, update(ring_members).where(leaving).values(left_run=number, left_as_of=as_of), left)
    _set_status(db, [each for each in events if each.kind in LIFE])


def _take_back(db: Connection, number: int) -> None:
    """The newest run as if it had not been: a better one takes its place in the same transaction."""
    of_life = select(ring_events.c.ring_id, ring_events.c.kind).where(
        ring_events.c.run_id == number, ring_events.c.kind.in_([kind.value for kind in LIFE])
    )
    touched = {row.ring_id: row.kind for row in db.execute(of_life)}
    seen = db.execute(select(ring_states.c.ring_id).where(ring_states.c.run_id == number)).scalars().all()
    db.execute(delete(ring_states).where(ring_states.c.run_id == number))
    db.execute(delete(ring_events).where(ring_events.c.run_id == number))
    db.execute(delete(ring_members).where(ring_members.c.joined_run == number))
    db.execute(update(ring_members).where(ring_members.c.left_run == number).values(left_run=None, left_as_of=None))
    born = [ring_id for ring_id, kind in touched.items() if kind == Kind.BIRTH]
    _all(db, delete(rings).where(rings.c.ring_id == bindparam("of")), [{"of": each} for each in born])
    last = lineages.last_of_life(db, number)
    _set_status(db, [last[ring_id] for ring_id in touched if ring_id in last])
    times = (
        select(func.max(ring_runs.c.as_of))
        .join(ring_states, ring_states.c.run_id == ring_runs.c.id)
        .where(ring_states.c.ring_id == rings.c.ring_id)
        .scalar_subquery()
    )
    older = [{"of": each} for each in seen if each not in born]
    _all(db, update(rings).where(rings.c.ring_id == bindparam("of")).values(last_as_of=times), older)
    db.execute(delete(ring_runs).where(ring_runs.c.id == number))


def _set_status(db: Connection, last: Sequence[Event]) -> None:
    now = [
        {"of": each.ring_id, "is": lineages.status(each), "into": each.other if each.kind is Kind.MERGE else None}
        for each in last
    ]
    change = update(rings).where(rings.c.ring_id == bindparam("of"))
    _all(db, change.values(status=bindparam("is"), merged_into=bindparam("into")), now)


def _all(db: Connection, statement: Executable, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        db.execute(statement, rows)
