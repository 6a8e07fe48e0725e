"""Feedback that acts: the rings around what somebody decided are found anew at once, in this process.

The facts are those of the last run, the opinions those of now. What changes is written beside the run, to stand over
it until the next one, and on the cases. Nothing is examined but the surroundings of the decision.
"""
# ruff: noqa: PLC0415 - numba takes long to import

from __future__ import annotations

import re
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from graph.errors import RingroadError
from graph.opinions import NOBODY_S
from graph.records import NodeRef, to_millis
from workbench.casebook import case_tables, cases, innocent, opinions, tables
from workbench.services import rings
from workbench.services.feedback.finding import Changed, Facts, Standing
from workbench.services.feedback.ground import Grounds
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.rings import last_run

if TYPE_CHECKING:
    from graph.moved import Moved

__all__ = ["Changed", "Facts", "Rescored", "Rescoring"]

TRIES = 3
"""Somebody may decide something while rings are found anew; then they are found once more."""

CAUSE = re.compile(r"\b(override|innocent link) (\d+)$")

NOTHING_LEFT = "the last run left nothing to go on from; `ringroad rings` finds the rings with what was decided"
NO_RUN = "no rings yet; `ringroad rings` finds them with what was decided"
TOO_FAST = "others decide faster than rings are found; the next decision or the next run shows it"


@dataclass(frozen=True)
class Rescored:
    """What a decision made of the rings. `note` says why nothing could be found anew; "" where it could."""

    cause: str
    changes: tuple[Changed, ...] = ()
    seconds: float = 0.0
    note: str = ""


class Rescoring:
    def __init__(self, office: Office) -> None:
        self.office, self.grounds = office, Grounds(office)
        self._one = threading.Lock()

    def warm(self) -> None:
        """Reads the last run and loads what is compiled, so that the first decision does not wait for it. Where there
        is nothing yet, nothing happens."""
        with suppress(RingroadError):
            ground = self.grounds.now()
            if ground is not None and ground.last.run.rings:
                from graph.again import found_again
                from graph.moved import Moved

                whole, rings = ground.whole(NOBODY_S), ground.last.run.rings
                moved = Moved(rings[0].application_ids).rows(whole.snapshot, as_of=whole.as_of)
                found_again(whole, rings, moved)

    def after(
        self, who: Person, cause: str, applications: Sequence[str] = (), *, now: datetime | None = None
    ) -> Rescored:
        """Once the decision is in the casebook: finds anew around these applications, and around the link or the thing
        that `cause` names ("override 3").

        Never raises for what the snapshot does not hold yet: an application of this minute is in no ring before the
        next run.
        """
        who.require(Act.READ)
        begin = time.perf_counter()
        with self._one:
            told = self._after(who, cause, applications, now)
        return replace(told, seconds=round(time.perf_counter() - begin, 3))

    def _after(self, who: Person, cause: str, applications: Sequence[str], at: datetime | None) -> Rescored:
        for _ in range(TRIES):
            now = at or self.office.clock()
            with self.office.casebook.reading() as db:
                before, standing = mark(db), self.standing(db, now)
                if isinstance(standing, str):
                    return Rescored(cause, note=standing)
                moved = _moved(db, cause, applications)
                outcomes = standing.outcomes(db, standing.again(moved))
            found = standing.cases_of(outcomes)
            with self.office.casebook.writing() as db:
                if mark(db) == before:
                    for each in outcomes:
                        each.write(db, run=standing.run, cause=cause, author=who.name, now=now)
                    _follow(db, found, now=now)
                    return Rescored(cause, tuple(each.changed for each in outcomes))
        return Rescored(cause, note=TOO_FAST)

    def standing(self, db: Connection, now: datetime) -> Standing | str:
        """What there is to start from; a note where there is nothing."""
        run = last_run(self.office, db)
        if run is None:
            return NO_RUN
        ground = self.grounds.now()
        if ground is None or ground.last.run.as_of != to_millis(run.as_of):
            return NOTHING_LEFT
        listed = self.office.last_run()["rings"]
        told, corrected = rings.standing(self.office, db), rings.corrections(self.office, db)
        newest = db.execute(select(func.max(tables.labels.c.known_at))).scalar()  # by a clock that runs ahead
        return Standing(ground, run, opinions.opinions_as_of(db, max(now, newest or now)), told, listed, corrected)


def _moved(db: Connection, cause: str, applications: Sequence[str]) -> Moved:
    """The link or the thing is looked up by its number: more may hold it than a caller can name."""
    from graph.moved import Moved

    found = CAUSE.search(cause)
    if found is None:
        return Moved(applications)
    number = int(found[2])
    if found[1] == "innocent link":
        links = [each.link for each in innocent.listed(db) if each.id == number]
        return Moved(applications, links)
    things = [NodeRef(each.override.type, each.override.key) for each in opinions.listed(db) if each.id == number]
    return Moved(applications, (), things)


def _follow(db: Connection, found: Sequence[cases.Finding], *, now: datetime) -> None:
    """On the cases of these rings; a ring that nobody has a case on gets one."""
    fresh = [each for each in found if cases.follow(db, each, now=now) is None]
    cases.open_all(db, fresh, because="found", now=now)


def mark(db: Connection) -> tuple[int, ...]:
    """Moves with every opinion and every correction."""
    kept = (tables.labels, tables.overrides, case_tables.innocent_links, case_tables.ring_updates)
    newest = [db.execute(select(func.max(each.c.id))).scalar() or 0 for each in kept]
    ended = (tables.overrides, case_tables.innocent_links)
    return *newest, *(db.execute(select(func.count(each.c.ended_at))).scalar() or 0 for each in ended)
