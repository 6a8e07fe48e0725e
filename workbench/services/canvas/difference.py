"""What became of a ring's graph, or an application's, from a time until now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from graph.ontology import NODES
from graph.records import NodeRef
from workbench.services.canvas.graph_shapes import Ends, Picture, Shown
from workbench.services.canvas.investigate import Opened


@dataclass(frozen=True)
class Standing:
    """At one of the two times. Without a ring: of those of its applications that were known."""

    size: int
    exposure: float | None
    savable: float | None
    score: float | None
    links: int


@dataclass(frozen=True)
class Thing:
    """Held by several people now, and by fewer or nobody then. `then` and `now` count people."""

    ref: NodeRef
    masked: str
    then: int
    now: int


@dataclass(frozen=True)
class Difference:
    """`was_there`: it was a ring then, or the application was known. `links` are those that are new, by relation;
    `fresh` the nodes that are new on the canvas, `gone` those that stand no longer."""

    as_of: datetime
    until: datetime
    was_there: bool
    then: Standing
    now: Standing
    joined: tuple[str, ...]
    left: tuple[str, ...]
    links: Mapping[str, int]
    ties: Sequence[Ends]
    things: Sequence[Thing]
    fresh: Sequence[NodeRef]
    gone: Sequence[NodeRef]

    @property
    def nothing(self) -> bool:
        return not (self.joined or self.left or self.ties or self.fresh or self.gone) and self.then == self.now


def difference(then: Opened, now: Opened) -> Difference:
    before, after = _nodes(then.picture), _nodes(now.picture)
    were, are = _members(then), _members(now)
    old = {one.ends for one in then.picture.ties}
    ties = [one.ends for one in now.picture.ties if one.ends not in old]
    was_there = NodeRef("Application", now.subject.name) in before
    if now.ring is not None:
        was_there = then.ring is not None and not then.ring.get("not_yet")
    return Difference(
        as_of=then.as_of,
        until=now.as_of,
        was_there=was_there,
        then=_standing(then, was_there=was_there),
        now=_standing(now, was_there=True),
        joined=tuple(sorted(are - were)),
        left=tuple(sorted(were - are)),
        links=dict(Counter(ends[0] for ends in ties).most_common()),
        ties=ties,
        things=_things(before, after),
        fresh=[ref for ref in after if ref not in before],
        gone=[ref for ref in before if ref not in after],
    )


def _nodes(picture: Picture) -> dict[NodeRef, Shown]:
    return {one.ref: one for one in picture.nodes}


def _members(opened: Opened) -> set[str]:
    """Of a ring that was none yet those of its applications that were known."""
    if opened.ring is None:
        return {opened.subject.name}
    if opened.ring.get("not_yet"):
        return {one.ref.key for one in opened.picture.nodes if one.member}
    return set(opened.ring["application_ids"])


def _standing(opened: Opened, *, was_there: bool) -> Standing:
    ring: Mapping[str, Any] = opened.ring if opened.ring is not None and was_there else {}
    score = ring.get("score")
    if opened.ring is None:
        score = next((one.score for one in opened.picture.nodes if one.ref.key == opened.subject.name), None)
    size, links = len(_members(opened)), len(opened.picture.ties)
    return Standing(size, ring.get("exposure"), ring.get("undisbursed"), score, links)


def _things(before: Mapping[NodeRef, Shown], after: Mapping[NodeRef, Shown]) -> list[Thing]:
    """What links people, the most that became of it first."""
    told = []
    for ref, one in after.items():
        was = before[ref].held_by if ref in before else 0
        if NODES[ref.type].lead and ref.type != "Person" and one.held_by > max(was, 1):
            told.append(Thing(ref, one.masked or ref.key, was, one.held_by))
    return sorted(told, key=lambda one: (one.then - one.now, one.ref))
