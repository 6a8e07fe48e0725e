"""What became of rings within a slot: events and states of the runs that were made as of its days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, select

from graph.lineage import Kind
from workbench.casebook.tables import ring_events, ring_runs, ring_states
from workbench.reports.catalogue import Asked


@dataclass(frozen=True)
class State:
    """A ring after a run; money in RMB, `savable` not paid out yet."""

    ring_id: str
    rank: int
    score: float
    size: int
    exposure: float
    savable: float
    typology: str
    because: str


@dataclass(frozen=True)
class Happened:
    """Of one ring in a run: `number` applications took part, `other` is the other ring."""

    ring_id: str
    kind: Kind
    as_of: datetime
    number: int
    other: str


@dataclass(frozen=True)
class Lives:
    """`runs` within the slot; `now` the states after the newest run up to its end, `before` after the newest run before
    it began (None where there was none). `states` has the last state that each ring had by the end."""

    runs: int
    run_as_of: datetime | None
    before_as_of: datetime | None
    events: Sequence[Happened]
    now: dict[str, State]
    before: dict[str, State]
    states: dict[str, State]

    def of(self, *kinds: Kind) -> list[Happened]:
        return [each for each in self.events if each.kind in kinds]

    @property
    def born(self) -> list[State]:
        """Rings found for the first time, or again after they had ended; the most savable money first."""
        names = {each.ring_id for each in self.of(Kind.BIRTH, Kind.REVIVAL)}
        return ordered(self.now[name] for name in names if name in self.now)

    @property
    def grown(self) -> list[tuple[State, int]]:
        """Rings of before that got members, and how many."""
        new = {each.ring_id for each in self.of(Kind.BIRTH)}
        joined: dict[str, int] = {}
        for each in self.of(Kind.JOIN):
            joined[each.ring_id] = joined.get(each.ring_id, 0) + each.number
        some = ordered(self.now[name] for name in joined if name in self.now and name not in new)
        return [(each, joined[each.ring_id]) for each in some]

    @property
    def ended(self) -> list[tuple[State, Happened]]:
        """Rings that no run carries on, that went into others, or that parted."""
        gone = self.of(Kind.DEATH, Kind.MERGE, Kind.SPLIT)
        return [(self.states[each.ring_id], each) for each in gone if each.ring_id in self.states]


def ordered(states: Iterable[State]) -> list[State]:
    return sorted(states, key=lambda one: (-one.savable, -one.exposure, -one.score, one.ring_id))


def lives(db: Connection, asked: Asked) -> Lives:
    runs = db.execute(
        select(ring_runs.c.id, ring_runs.c.as_of).where(ring_runs.c.as_of <= asked.as_of).order_by(ring_runs.c.id)
    ).all()
    inside = [row.id for row in runs if row.as_of >= asked.slot.start]
    earlier = [row for row in runs if row.as_of < asked.slot.start]
    told = db.execute(
        select(ring_events).where(ring_events.c.run_id.in_(inside)).order_by(ring_events.c.run_id, ring_events.c.number)
    )
    events = [
        Happened(row.ring_id, Kind(row.kind), row.as_of, len(row.application_ids), row.other or "") for row in told
    ]
    now = _states(db, runs[-1].id) if runs else {}
    before = _states(db, earlier[-1].id) if earlier else {}
    states = dict(before)
    for run in inside:
        states |= _states(db, run)
    return Lives(
        len(inside),
        runs[-1].as_of if runs else None,
        earlier[-1].as_of if earlier else None,
        events,
        now,
        before,
        states,
    )


def _states(db: Connection, run: int) -> dict[str, State]:
    rows = db.execute(select(ring_states).where(ring_states.c.run_id == run).order_by(ring_states.c.rank))
    return {row.ring_id: _state(row) for row in rows}


def _state(row: Row[tuple[object, ...]]) -> State:
    return State(row.ring_id, row.rank, row.score, row.size, row.exposure, row.undisbursed, row.typology, row.because)
