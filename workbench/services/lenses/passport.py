"""A ring's passport: its life, its growth, its family, and how it stood at any time that matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, select

from graph.errors import NodeNotFound
from graph.lineage import Kind
from graph.records import from_millis
from workbench.casebook import lineages
from workbench.casebook.lineages import History
from workbench.casebook.tables import ring_events, ring_members, rings
from workbench.instance import EVERYTHING
from workbench.services.canvas.difference import Difference, difference
from workbench.services.canvas.investigate import Investigate
from workbench.services.kept import Kept
from workbench.services.lenses import passport_events as happened
from workbench.services.lenses.passport_events import Happening
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.rings import Rings
from workbench.services.subject import RING, Subject

MOST_STOPS = 150


@dataclass(frozen=True)
class Stop:
    """A time worth looking at: a run, or what somebody knew when deciding. `kinds` are codes of what happened then."""

    at: datetime
    kinds: tuple[str, ...]
    applications: int = 0


@dataclass(frozen=True)
class Point:
    """A ring after a run (`update` False), or found anew since."""

    at: datetime
    size: int
    exposure: float
    savable: float
    score: float
    update: bool = False


@dataclass(frozen=True)
class Grown:
    """Applications and money one after another, by when they were submitted."""

    at: datetime
    applications: int
    amount: float


@dataclass(frozen=True)
class Relative:
    """Another ring that this one came from (`how` birth, revival), parted from (split), took in (took_in) or became
    part of (merge), with how many applications; `status` is its own."""

    ring_id: str
    how: str
    at: datetime
    applications: int
    status: str


@dataclass(frozen=True)
class Life:
    """`status`: alive, dead or merged; "" for an application, and for a ring that no run recorded."""

    subject: Subject
    status: str
    born_at: datetime | None
    happenings: Sequence[Happening]
    points: Sequence[Point]
    grown: Sequence[Grown]
    family: Sequence[Relative]


class Passport:
    def __init__(self, office: Office, rings: Rings, investigate: Investigate) -> None:
        self._office, self._rings, self._investigate = office, rings, investigate
        self._outcomes: Kept[int, pa.Table | None] = Kept(lambda _: self._office.store.events("outcomes"), size=1)

    def life(self, who: Person, subject: Subject) -> Life:
        """Raises NodeNotFound for what never was."""
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            history, names, now = self._known(db, who, subject)
            told = list(self._told(db, subject, history, names))
            family = [] if history is None else _family(db, history)
        return Life(
            subject=subject,
            status="" if history is None else history.status,
            born_at=None if history is None else history.born_at,
            happenings=happened.by_day(told),
            points=_points(history, now, told),
            grown=self._grown(names),
            family=family,
        )

    def stops(self, who: Person, subject: Subject) -> list[Stop]:
        """In order: recorded runs since it began, and decisions, payouts and labels of its applications."""
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            history, names, _ = self._known(db, who, subject)
            told = list(self._told(db, subject, history, names))
            found = [(one.at, one.kind, one.count) for one in told if one.kind in STOPPING[subject.kind]]
            submitted = [one.at for one in told if one.kind == "submitted"]
            first = min(submitted) if submitted else self._office.clock()
            found += [(at, "run", 0) for at in happened.runs(db) if at >= first]
        return _few(_stops(found), self._office.clock())

    def difference(self, who: Person, subject: Subject, as_of: datetime) -> Difference:
        """From how the subject's graph stood then to how it stands now."""
        who.require(Act.READ)
        then = self._investigate.open_subject(who, subject, as_of=as_of)
        now = self._investigate.open_subject(who, subject)
        return difference(then, now)

    # ---------------------------------------------------------------------------------------------------------

    def _known(
        self, db: Connection, who: Person, subject: Subject
    ) -> tuple[History | None, list[str], Mapping[str, Any] | None]:
        """Its history, all applications that ever belonged to it, and how it stands now (None: not any more)."""
        if subject.kind != RING:
            if not len(happened.rows_of(self._office.snapshot(), [subject.name])):
                raise NodeNotFound("there is no such application; open one from the queue")
            return None, [subject.name], None
        history = lineages.history(db, subject.name, as_of=EVERYTHING)
        try:
            now: Mapping[str, Any] | None = self._rings.ring(who, subject.name)
        except NodeNotFound:
            if history is None:
                raise
            now = None
        ever = select(ring_members.c.application_id).where(ring_members.c.ring_id == subject.name).distinct()
        names = {*db.execute(ever).scalars(), *(now["application_ids"] if now else ())}
        return history, sorted(names), now

    def _told(self, db: Connection, subject: Subject, history: History | None, names: Sequence[str]) -> list[Happening]:
        snapshot = self._office.snapshot()
        rows = happened.rows_of(snapshot, names)
        recorded = () if history is None else _members_recorded(db, history)
        return [
            *happened.of_lineage(history),
            *(happened.of_updates(db, subject.name, recorded) if subject.kind == RING else ()),
            *happened.of_labels(db, names),
            *happened.of_outcomes(self._outcomes.get(snapshot.sequence), names),
            *happened.of_decisions(snapshot, rows),
            *happened.of_cases(db, subject),
        ]

    def _grown(self, names: Sequence[str]) -> list[Grown]:
        nodes = self._office.snapshot().nodes["Application"]
        rows = happened.rows_of(self._office.snapshot(), names)
        at = np.maximum(nodes.times("submitted_at", as_of=np.iinfo(np.int64).max)[rows], nodes.known_at[rows])
        order = np.argsort(at, kind="stable")
        total = np.cumsum(np.nan_to_num(nodes.numbers("amount"))[rows][order])
        return [
            Grown(from_millis(int(when)), place, float(amount))
            for place, (when, amount) in enumerate(zip(at[order].tolist(), total.tolist(), strict=True), start=1)
        ]


STOPPING = {
    "ring": ("decided", "funded", "label", "outcome", "update"),
    "application": ("submitted", "decided", "funded", "label", "outcome"),
}


def _members_recorded(db: Connection, history: History) -> frozenset[str]:
    run = lineages.recorded(db)
    return frozenset() if run is None else lineages.members_after(db, history.ring_id, run)


def _points(history: History | None, now: Mapping[str, Any] | None, told: Sequence[Happening]) -> list[Point]:
    points = [] if history is None else [
        Point(each.as_of, each.size, each.exposure, each.undisbursed, each.score) for each in history.states
    ]  # fmt: skip
    updated = [one.at for one in told if one.kind == "update"]
    if now is not None and now.get("updated") and updated:
        points.append(
            Point(updated[-1], len(now["application_ids"]), now["exposure"], now["undisbursed"], now["score"], True)
        )
    return points


def _family(db: Connection, history: History) -> list[Relative]:
    own = history.ring_id
    found: dict[tuple[str, str], tuple[datetime, int]] = {}
    for event in history.events:
        if event.ring_id != own:
            found[event.ring_id, "took_in"] = (event.as_of, len(event.application_ids))
        elif event.other and event.kind in (Kind.BIRTH, Kind.REVIVAL, Kind.SPLIT, Kind.MERGE):
            found[event.other, event.kind.value] = (event.as_of, len(event.application_ids))
    shared = select(ring_events.c.ring_id, ring_events.c.application_ids).where(
        ring_events.c.other == own, ring_events.c.kind == Kind.SPLIT.value
    )
    parted = {row.ring_id: len(row.application_ids) for row in db.execute(shared)}
    named = select(rings.c.ring_id, rings.c.status).where(rings.c.ring_id.in_({name for name, _ in found}))
    status = {row.ring_id: row.status for row in db.execute(named)}
    return [
        Relative(name, how, at, parted.get(name, number) if how in ("birth", "revival") else number, status[name])
        for (name, how), (at, number) in sorted(found.items(), key=lambda item: (item[1][0], item[0]))
    ]


# Stops ---------------------------------------------------------------------------------------------------


def _stops(found: Sequence[tuple[datetime, str, int]]) -> list[Stop]:
    """One for each moment."""
    at: dict[datetime, list[tuple[str, int]]] = {}
    for when, kind, number in found:
        at.setdefault(when, []).append((kind, number))
    return [
        Stop(when, tuple(dict.fromkeys(kind for kind, _ in some)), sum(number for _, number in some))
        for when, some in sorted(at.items())
    ]


def _few(stops: Sequence[Stop], now: datetime) -> list[Stop]:
    """Not later than now; when they are too many to tell apart, one a day: the last."""
    past = [one for one in stops if one.at <= now]
    if len(past) <= MOST_STOPS:
        return past
    days: dict[Any, list[Stop]] = {}
    for one in past:
        days.setdefault(one.at.astimezone(happened.CHINA).date(), []).append(one)
    daily = [
        Stop(some[-1].at, tuple(dict.fromkeys(kind for one in some for kind in one.kinds)),
             sum(one.applications for one in some))
        for some in days.values()
    ]  # fmt: skip
    return daily[-MOST_STOPS:]
