"""Rings found anew around a decision, under the names that they have: what changed, and how it is written down."""
# ruff: noqa: PLC0415 - numba takes long to import

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from graph.lineage import Group, Kind, Known, Lineage, trace
from graph.opinions import Opinions
from workbench import casing, lastrun
from workbench.casebook import cases, lineages, updates
from workbench.casebook.updates import LastRun, Update
from workbench.services.feedback.ground import Ground, rows
from workbench.services.rings import Told
from workbench.stakes import Stakes

if TYPE_CHECKING:
    from graph.again import Again
    from graph.around import Whole
    from graph.moved import Moved
    from graph.rings import Ring

BESIDE = ("rank", "ring_id", "updated", "as_of", "born", "was")
"""Of a ring's JSON, what says nothing of the ring itself."""


@dataclass(frozen=True)
class Facts:
    """A ring at a time; money in RMB."""

    score: float
    size: int
    exposure: float
    savable: float
    typology: str

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Facts:
        return cls(told["score"], len(told["application_ids"]), told["exposure"], told["undisbursed"], told["typology"])


@dataclass(frozen=True)
class Changed:
    """A ring before and after; None: it was or is no ring. `into`: the ring that most of its members are in now."""

    ring_id: str
    before: Facts | None
    after: Facts | None
    joined: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    into: str = ""


@dataclass(frozen=True)
class Standing:
    """Rings as they stand when somebody decides: `told` by name, those of the run as it `listed` them, and what
    `corrected` it since."""

    ground: Ground
    run: LastRun
    opinions: Opinions
    told: Mapping[str, Told]
    listed: Sequence[Mapping[str, Any]]
    corrected: Mapping[str, Update]

    @cached_property
    def whole(self) -> Whole:
        return self.ground.whole(self.opinions)

    @cached_property
    def rings(self) -> list[Ring]:
        """Those that are told, and those too weak for the list where nobody stands in one that is told."""
        told = [lastrun.ring_of(each) for each in self.told.values()]
        taken = {name for each in self.listed for name in each["application_ids"]}
        for each in self.corrected.values():
            taken.update(each.content["application_ids"], each.content.get("was", ()))
        return told + [each for each in self.ground.last.run.rings if taken.isdisjoint(each.application_ids)]

    def again(self, moved: Moved) -> Again:
        from graph.again import Again, found_again

        about = moved.rows(self.ground.snapshot, as_of=self.whole.as_of)
        return found_again(self.whole, self.rings, about) if len(about) else Again((), ())

    # Names -------------------------------------------------------------------------------------------------

    def named(self, db: Connection, found: Sequence[Ring]) -> Lineage:
        """By the names that stand; what fell apart today may come back under its own."""
        groups = [Group(each.ring_id, frozenset(each.application_ids)) for each in found]
        known = list(self._known(db, groups))
        members = sorted({name for each in known for name in each.members})
        return trace(known, groups, in_window=self._in_window(members), as_of=self.run.as_of)

    def _known(self, db: Connection, groups: Sequence[Group]) -> Iterator[Known]:
        names = {name for each in groups for name in each.members}
        recorded = {
            each.ring_id: replace(each, last_seen=min(each.last_seen, self.run.as_of))
            for each in lineages.of_rings(
                db, {*lineages.holding(db, names), *(each.ring_id for each in groups), *self.told, *self.corrected}
            )
        }
        here = {name: frozenset(each["application_ids"]) for name, each in self.told.items()}
        gone = {name: frozenset(each.content.get("was", ())) for name, each in self.corrected.items() if each.gone}
        for name in sorted({*recorded, *here, *gone}):
            born = recorded[name].born if name in recorded else self.run.as_of
            if name in here:
                yield Known(name, here[name], alive=True, born=born, last_seen=self.run.as_of)
            elif name in gone:
                yield Known(name, gone[name], alive=False, born=born, last_seen=self.run.as_of)
            else:
                yield replace(recorded[name], alive=False)

    def _in_window(self, names: Sequence[str]) -> frozenset[str]:
        """Cleared or not: who was cleared has left, and did not grow too old."""
        snapshot = self.ground.snapshot
        inside = rows(self.ground, names)
        inside = inside[self.ground.background.window[inside]]
        return frozenset(snapshot.nodes["Application"].table["key"].take(inside).to_pylist())

    # What changed ------------------------------------------------------------------------------------------

    def outcomes(self, db: Connection, again: Again) -> list[Outcome]:
        """Of the rings that are told, or are to be told from now on."""
        lineage = self.named(db, again.found)
        shown = {ring.application_ids for ring in self._ranked(again)}
        found: list[Outcome] = []
        for name, ring in zip(lineage.ring_ids, again.found, strict=True):
            if name in self.told or ring.application_ids in shown:
                now = ring.as_json() | {"ring_id": name}
                if (outcome := _outcome(name, self.told.get(name), now, now, "")) is not None:
                    found.append(outcome)
        into = {each.ring_id: each.other or "" for each in lineage.events if each.kind is Kind.MERGE}
        for ring in again.touched:
            if ring.ring_id in self.told and ring.ring_id not in lineage.ring_ids:
                was = self.told[ring.ring_id]
                gone = {"application_ids": [], "was": list(was["application_ids"])}
                outcome = _outcome(ring.ring_id, was, None, gone, into.get(ring.ring_id, ""))
                assert outcome is not None  # noqa: S101 - it was there
                found.append(outcome)
        return found

    def _ranked(self, again: Again) -> list[Ring]:
        """What a list of all rings would show now."""
        from graph.rings import ranked

        touched = {id(each) for each in again.touched}
        every = [*(each for each in self.rings if id(each) not in touched), *again.found]
        return ranked(every, window=int(self.whole.window.sum()))

    def cases_of(self, outcomes: Sequence[Outcome]) -> list[cases.Finding]:
        """What the queue needs to know of rings that stand."""
        standing = [each for each in outcomes if each.after is not None]
        names = [name for each in standing for name in each.after["application_ids"]]  # type: ignore[index]
        stakes = Stakes(self.ground.snapshot, names, as_of=self.whole.as_of)
        rings = [lastrun.ring_of(each.after) for each in standing]  # type: ignore[arg-type]
        return [casing.of_ring(ring, stake) for ring in rings if (stake := stakes.of(ring.application_ids))]


@dataclass(frozen=True)
class Outcome:
    """`before` and `after` as they are told, None for no ring; `content` is what is kept of it."""

    ring_id: str
    before: Told | None
    after: Told | None
    content: Told
    into: str

    @property
    def changed(self) -> Changed:
        was = set() if self.before is None else set(self.before["application_ids"])
        now = set() if self.after is None else set(self.after["application_ids"])
        return Changed(
            self.ring_id,
            None if self.before is None else Facts.of(self.before),
            None if self.after is None else Facts.of(self.after),
            tuple(sorted(now - was)),
            tuple(sorted(was - now)),
            self.into,
        )

    def write(self, db: Connection, *, run: LastRun, cause: str, author: str, now: datetime) -> None:
        updates.add(db, self.ring_id, self.content, run=run, cause=cause, author=author, now=now)
        if self.after is None:
            cases.end(db, self.ring_id, now=now, into=self.into)


def _outcome(name: str, before: Told | None, after: Told | None, content: Told, into: str) -> Outcome | None:
    """None where nothing of it changed."""
    if before is not None and after is not None and _bare(before) == _bare(after):
        return None
    born = {"born": True} if after is not None and (before is None or before.get("born")) else {}
    return Outcome(name, before, after, content | born, into)


def _bare(told: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it: lists for tuples."""
    return {name: _plain(each) for name, each in told.items() if name not in BESIDE}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
