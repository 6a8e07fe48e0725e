"""Rings that were born or grew in a run, compared with what was last told of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, tuple_

from graph.lineage import Kind
from workbench.casebook.tables import ring_events, ring_members, ring_states, webhook_events

MORE_MONEY = 1.2
"""A ring grew in money when its exposure is this many times what was last told. Rings have six to eight members: an
amount that is corrected stays below, a member more is above or is told as a member."""

MORE_RISK = 0.1
"""A ring grew in risk when its score (0 to 1) rose by this much: less is what a night's other applications move."""

RINGS = ("ring.born", "ring.grew")
SOME = 500
"""Values that one query asks for."""


@dataclass(frozen=True)
class Event:
    """`about` names the occasion, so that it is told once; `subject` whom it is about."""

    kind: str
    about: str
    subject: str
    content: Mapping[str, Any]
    happened: datetime
    """Subscriptions made later do not hear of it."""


@dataclass(frozen=True)
class Standing:
    """A ring in a run, or as it was last told."""

    run: int
    score: float
    exposure: float
    members: frozenset[str]
    revived: bool = False

    def grew_in(self, before: Standing) -> tuple[str, ...]:
        """Codes of what made it larger than `before`; small steps add up, since `before` is what was last told."""
        grew = {
            "money": self.exposure > before.exposure and self.exposure >= MORE_MONEY * before.exposure,
            "risk": round(self.score - before.score, 9) >= MORE_RISK,
            "members": bool(self.members - before.members),
            "revival": self.revived and before.run != self.run,
        }
        return tuple(name for name, is_so in grew.items() if is_so)


@dataclass(frozen=True)
class _Run:
    """A recorded run with its rings as they stand in it."""

    row: Any
    rings: Mapping[str, Standing]
    states: Mapping[str, Row[Any]]
    born: frozenset[str] = field(default_factory=frozenset)


def of_run(db: Connection, row: Any, since: int) -> Iterable[Event]:
    run = _standing(db, row)
    before = _told(db, row.id)
    before |= _seen(db, sorted(run.rings.keys() - before.keys() - run.born), since, row.id)
    for ring_id, ring in sorted(run.rings.items(), key=lambda each: int(run.states[each[0]].rank)):
        last = before.get(ring_id)
        if last is None and ring_id in run.born:
            yield _ring_event("ring.born", ring_id, run, ring_id, {})
            continue
        last = last or Standing(0, 0.0, 0.0, frozenset())
        if grew := ring.grew_in(last):
            about = f"{ring_id} {row.id} {int(row.created_at.timestamp() * 1000)}"
            yield _ring_event("ring.grew", about, run, ring_id, _changed(ring, last, grew))


def _changed(ring: Standing, last: Standing, grew: Sequence[str]) -> dict[str, Any]:
    before = {"exposure": last.exposure, "score": last.score, "size": len(last.members)}
    return {"grew_in": list(grew), "before": before, "new_application_ids": sorted(ring.members - last.members)}


def _ring_event(kind: str, about: str, run: _Run, ring_id: str, changed: Mapping[str, Any]) -> Event:
    """The sentences of a ring are left out: they name what its members share."""
    state, ring = run.states[ring_id], run.rings[ring_id]
    content = {
        "ring_id": ring_id,
        "as_of": text(run.row.as_of),
        "run": run.row.id,
        "rank": state.rank,
        "score": ring.score,
        "size": state.size,
        "exposure": ring.exposure,
        "undisbursed": state.undisbursed,
        "typology": state.typology,
        "application_ids": sorted(ring.members),
    }
    return Event(kind, about, ring_id, content | dict(changed), run.row.created_at)


def _standing(db: Connection, row: Any) -> _Run:
    states = {each.ring_id: each for each in db.execute(select(ring_states).where(ring_states.c.run_id == row.id))}
    kinds = select(ring_events.c.ring_id, ring_events.c.kind).where(
        ring_events.c.run_id == row.id, ring_events.c.kind.in_([Kind.BIRTH.value, Kind.REVIVAL.value])
    )
    happened = {each.ring_id: each.kind for each in db.execute(kinds)}
    members = _members(db, {row.id: list(states)})
    rings = {
        ring_id: Standing(row.id, each.score, each.exposure, members[ring_id], happened.get(ring_id) == Kind.REVIVAL)
        for ring_id, each in states.items()
    }
    born = frozenset(ring_id for ring_id, kind in happened.items() if kind == Kind.BIRTH)
    return _Run(row, rings, states, born)


def _told(db: Connection, run: int) -> dict[str, Standing]:
    """Rings of a run as they were last told."""
    mine = select(ring_states.c.ring_id).where(ring_states.c.run_id == run)
    newest = (
        select(func.max(webhook_events.c.id))
        .where(webhook_events.c.kind.in_(RINGS), webhook_events.c.subject.in_(mine))
        .group_by(webhook_events.c.subject)
    )
    rows = db.execute(select(webhook_events.c.content).where(webhook_events.c.id.in_(newest))).scalars()
    return {
        each["ring_id"]: Standing(each["run"], each["score"], each["exposure"], frozenset(each["application_ids"]))
        for each in rows
    }


def _seen(db: Connection, rings: Sequence[str], since: int, run: int) -> dict[str, Standing]:
    """Older rings, never told, as they stood when telling began."""
    rows: list[Row[Any]] = []
    for start in range(0, len(rings), SOME):
        first = (
            select(ring_states.c.ring_id, func.min(ring_states.c.run_id))
            .where(ring_states.c.ring_id.in_(rings[start : start + SOME]))
            .where(ring_states.c.run_id.between(since - 1, run - 1))
            .group_by(ring_states.c.ring_id)
        )
        rows += db.execute(select(ring_states).where(tuple_(ring_states.c.ring_id, ring_states.c.run_id).in_(first)))
    of_run: dict[int, list[str]] = {}
    for row in rows:
        of_run.setdefault(row.run_id, []).append(row.ring_id)
    members = _members(db, of_run)
    return {row.ring_id: Standing(row.run_id, row.score, row.exposure, members[row.ring_id]) for row in rows}


def _members(db: Connection, rings: Mapping[int, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Per ring those that stood in it after the run under which it is given."""
    found: dict[str, set[str]] = {ring_id: set() for each in rings.values() for ring_id in each}
    for run, names in rings.items():
        there = select(ring_states.c.ring_id).where(ring_states.c.run_id == run)
        wanted = set(names)
        rows = select(ring_members.c.ring_id, ring_members.c.application_id).where(
            ring_members.c.ring_id.in_(there),
            ring_members.c.joined_run <= run,
            or_(ring_members.c.left_run.is_(None), ring_members.c.left_run > run),
        )
        for ring_id, application_id in db.execute(rows):
            if ring_id in wanted:
                found[ring_id].add(application_id)
    return {ring_id: frozenset(each) for ring_id, each in found.items()}


def text(at: datetime) -> str:
    """As every event writes a time."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
