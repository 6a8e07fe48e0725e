"""The graph as an investigator reads it: open, expand, find ways. All masked, all as of a time.

Nothing here changes anything; whoever may read may do all of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from graph.errors import InputError, NodeNotFound
from graph.ontology import NODES
from graph.records import NodeRef
from graph.traverse import Path, hub, shortest_path
from workbench.casebook import cases
from workbench.casebook.cases import Case
from workbench.services.canvas import graph_expand, graph_subject
from workbench.services.canvas.graph_expand import Wish
from workbench.services.canvas.graph_marks import Marker, latest
from workbench.services.canvas.graph_reading import Found, Reader
from workbench.services.canvas.graph_shapes import Count, Picture, Tie, tie
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.rings import Rings
from workbench.services.subject import RING, Subject

CAP = 1_500
"""Nodes and links that a browser moves without effort (benchmarks/README.md)."""


@dataclass(frozen=True)
class Opened:
    """`ring` as `services/rings.py` tells it, None for an application; `not_yet` in it: it was no ring then. `case`
    is the one that is not closed, else the last."""

    subject: Subject
    as_of: datetime
    picture: Picture
    ring: Mapping[str, Any] | None
    case: Case | None


@dataclass(frozen=True)
class Expanded:
    """`counts` are all links of the node, with those that are shown now. `matching` of them met the wish, of which the
    first `weighed` were compared. `guarded`: too many without a filter, nothing was brought."""

    ref: NodeRef
    picture: Picture
    counts: Sequence[Count]
    matching: int = 0
    weighed: int = 0
    guarded: bool = False


@dataclass(frozen=True)
class Way:
    """`nodes` and `ties` from one end to the other; `picture` holds those that are to be added. Without a way,
    `gave_up` says whether one may exist all the same."""

    picture: Picture
    nodes: Sequence[NodeRef] = ()
    ties: Sequence[Tie] = ()
    gave_up: bool = False

    @property
    def found(self) -> bool:
        return bool(self.nodes)


class Investigate:
    def __init__(self, office: Office, rings: Rings) -> None:
        self._office, self._rings, self._marker = office, rings, Marker(office)

    def open_subject(
        self,
        who: Person,
        subject: Subject,
        *,
        as_of: datetime | None = None,
        cap: int = CAP,
        also: Collection[NodeRef] = (),
    ) -> Opened:
        """`also`: nodes that were added by hand before; they stay as far as they were known then."""
        who.require(Act.READ)
        reader = self._reader(as_of)
        if subject.kind == RING:
            ring = self._ring(who, subject.name, as_of)
            chosen = graph_subject.of_ring(reader, ring)
        else:
            ring, ref = None, NodeRef("Application", subject.name)
            chosen = graph_subject.of_application(reader, ref, aside=self._marker.set_aside)
        chosen = graph_subject.capped(chosen, cap)
        extra = [each for each in reader.nodes(also) if each not in chosen.nodes]
        reader.between(extra, chosen.nodes.keys() | set(extra))
        held = chosen.nodes | dict.fromkeys(extra, 0)
        ties = {one.ends: one for one in (*chosen.ties.values(), *_inside(reader.found, held, extra))}
        picture = self._picture(reader, held, ties.values(), ring=ring, members=chosen.members)
        picture = replace(picture, left=chosen.left, cut=chosen.cut)
        return Opened(subject, reader.as_of, picture, ring, self._case(subject))

    def expand(
        self,
        who: Person,
        ref: NodeRef,
        wish: Wish,
        *,
        as_of: datetime | None = None,
        known: Collection[NodeRef] = (),
        ring: str = "",
    ) -> Expanded:
        """The neighbours that come next, with all links between them and what is shown. `known` are the nodes on the
        canvas, `ring` the one that is open: its roles are marked."""
        who.require(Act.READ)
        wish = wish.checked()
        reader = self._reader(as_of)
        reader.store.node(ref, as_of=reader.as_of)
        reader.between([ref], known)
        found = reader.found
        if graph_expand.crowded(ref, found.links(ref)) and not wish.narrowed:
            return Expanded(ref, Picture(), graph_expand.counts(found, ref, known), found.links(ref), guarded=True)
        picked = graph_expand.pick(reader, self._office, ref, wish, known)
        picture = self._added(who, reader, picked.refs, {*known, ref}, ring)
        told = graph_expand.counts(found, ref, {*known, *picked.refs})
        return Expanded(ref, picture, told, picked.matching, picked.weighed)

    def counts(self, who: Person, ref: NodeRef, *, as_of: datetime | None = None) -> Sequence[Count]:
        """How many links of each relation it has; `shown` is 0, a canvas knows what it shows."""
        who.require(Act.READ)
        reader = self._reader(as_of)
        reader.store.node(ref, as_of=reader.as_of)
        reader.count([ref])
        return graph_expand.counts(reader.found, ref, ())

    def add(
        self,
        who: Person,
        refs: Sequence[NodeRef],
        *,
        as_of: datetime | None = None,
        known: Collection[NodeRef] = (),
        ring: str = "",
    ) -> Picture:
        """These nodes, where they were known then, with their links to each other and to what is shown."""
        who.require(Act.READ)
        if len(refs) > CAP:
            raise InputError(f"{len(refs):,} things do not fit on a canvas; it holds {CAP:,}")
        reader = self._reader(as_of)
        return self._added(who, reader, list(reader.nodes(refs)), set(known), ring)

    def path(
        self,
        who: Person,
        a: NodeRef,
        b: NodeRef,
        *,
        as_of: datetime | None = None,
        known: Collection[NodeRef] = (),
        ring: str = "",
    ) -> Way:
        """A shortest way, never through hubs or what was recognised as infrastructure; through dealers and staff only
        where there is no other."""
        who.require(Act.READ)
        reader = self._reader(as_of)
        if len(reader.nodes([a, b])) < len({a, b}):
            raise NodeNotFound("one of the two was not known yet; choose a later time")

        path = self._way(reader, a, b, through=frozenset({"Application"}))
        if path.steps is None and not path.gave_up:
            path = self._way(reader, a, b, through=NODES.keys())
        if path.steps is None:
            return Way(Picture(), gave_up=path.gave_up)
        nodes = [a, *(step.there for step in path.steps)]
        ties = [tie(step.here, step.link) for step in path.steps]
        reader.found.ties.update((one.ends, one) for one in ties)
        fresh = [each for each in nodes if each not in known]
        return Way(self._added(who, reader, fresh, {*known, *nodes}, ring), nodes, ties)

    # ---------------------------------------------------------------------------------------------------------

    def _way(self, reader: Reader, a: NodeRef, b: NodeRef, *, through: Collection[str]) -> Path:
        """`through`: types that may lie on it although sharing one says nothing."""

        def closed(ref: NodeRef, links: int) -> bool:
            meant = NODES[ref.type].lead or ref.type in through
            return not meant or hub(ref, links) or self._marker.set_aside(ref, links)

        return shortest_path(reader.store, a, b, as_of=reader.as_of, avoid=closed)

    def _case(self, subject: Subject) -> Case | None:
        with self._office.casebook.reading() as db:
            return cases.latest(db, subject.kind, subject.name)

    def _ring(self, who: Person, name: str, as_of: datetime | None) -> dict[str, Any]:
        """As it stood then; before it was a ring, with `not_yet`, those of its applications that were known."""
        if as_of is None:
            return self._rings.ring(who, name)
        try:
            return self._rings.ring(who, name, as_of)
        except NodeNotFound:
            return self._rings.ring(who, name) | {"not_yet": True}

    def _reader(self, as_of: datetime | None) -> Reader:
        return Reader(self._office.store, latest(as_of, self._office))

    def _added(self, who: Person, reader: Reader, fresh: Sequence[NodeRef], known: set[NodeRef], ring: str) -> Picture:
        every = {*known, *fresh}
        reader.between(fresh, every)
        told = self._rings.ring(who, ring) if ring else None
        ties = _inside(reader.found, every, fresh)
        return self._picture(reader, dict.fromkeys(fresh, 0), ties, ring=told, known=known)

    def _picture(
        self,
        reader: Reader,
        held: Mapping[NodeRef, int],
        ties: Iterable[Tie],
        *,
        ring: Mapping[str, Any] | None,
        members: Collection[NodeRef] = (),
        known: Collection[NodeRef] = (),
    ) -> Picture:
        """What was not known then is left out, and links to it."""
        told = reader.nodes(held)
        reader.count(list(told))
        found = reader.found
        links = {ref: found.links(ref) for ref in told}
        marks = self._marker.marks(links, as_of=reader.as_of, ring=ring)
        belong = set(members) or {NodeRef("Application", name) for name in (ring or {}).get("application_ids", ())}
        nodes = [
            marks.on(node, masked=node.masked or found.masked.get(ref, ""), links=links[ref], held_by=held[ref],
                     member=ref in belong)
            for ref, node in told.items()
        ]  # fmt: skip
        there = {*told, *known}
        kept = (marks.on_tie(one) for one in ties if one.source in there and one.target in there)
        return Picture(nodes, sorted(kept, key=lambda one: one.ends))


def _inside(found: Found, every: Collection[NodeRef], fresh: Collection[NodeRef]) -> list[Tie]:
    """Links of what is new to what is shown."""
    return [one for one in found.of(set(fresh)) if one.source in every and one.target in every]
