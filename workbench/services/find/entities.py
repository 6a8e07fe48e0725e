"""One thing of the graph in full: what is known of it as of a time, what it leads to, what people and models say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from graph.records import Node, NodeRef, Value
from graph.store import Rank
from workbench.casebook import cases, innocent, lineages, opinions, scores, visits
from workbench.casebook.innocent import InnocentLink
from workbench.casebook.opinions import Opinion
from workbench.casebook.scores import Score
from workbench.services.canvas.graph_marks import Marker
from workbench.services.canvas.graph_shapes import Count, Shown
from workbench.services.canvas.investigate import Investigate
from workbench.services.find.holding import Held, Holding, page
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.rings import Rings
from workbench.services.subject import APPLICATION

RINGS = 5
"""Rings that are told by name; a dealer may have more."""

FAR = 2_000
"""Applications of a dealer that are looked at for their rings: the newest."""


@dataclass(frozen=True)
class Entity:
    """`shown` is what the canvas knows of it: mask, dated properties, label, score, role, infrastructure.

    `first` and `last` are the times of its earliest and newest link, None without any. `counts` tell its neighbours.
    `rings` hold it or its applications, the most suspicious first; `more_rings` besides. `applications` lead to it (of
    a hub the newest `FAR`). `override` is people's word on infrastructure in force.
    """

    shown: Shown
    as_of: datetime
    first: int | None
    last: int | None
    counts: Sequence[Count]
    rings: Sequence[Held]
    more_rings: int
    applications: Sequence[str]
    page: str
    score: Score | None = None
    override: Opinion | None = None
    harmless: Sequence[InnocentLink] = ()
    case: int | None = None

    @property
    def ref(self) -> NodeRef:
        return self.shown.ref

    @property
    def properties(self) -> Mapping[str, Value]:
        return self.shown.properties


class Entities:
    def __init__(self, office: Office, rings: Rings, investigate: Investigate) -> None:
        self._office, self._rings, self._investigate = office, rings, investigate
        self._holding, self._marker = Holding(office), Marker(office)

    def entity(self, who: Person, ref: NodeRef, *, as_of: datetime | None = None, ring: str = "") -> Entity:
        """`ring` is the one that is open: its roles count. Raises NodeNotFound for what was not known then."""
        who.require(Act.READ)
        then = as_of or self._office.clock()
        node = self._office.store.node(ref, as_of=then)
        counts = self._investigate.counts(who, ref, as_of=as_of)
        links = sum(each.total for each in counts)
        told = self._rings.ring(who, ring) if ring else None
        marks = self._marker.marks({ref: links}, as_of=then, ring=told)
        near = self._holding.applications(ref, as_of=then, limit=FAR)
        first, last = self._times(ref, then)
        with self._office.casebook.reading() as db:
            rings = self._held(db, ref, near, as_of)
            score = scores.newest(db, [ref.key]).get(ref.key) if ref.type == "Application" else None
            case = cases.latest(db, APPLICATION, ref.key) if ref.type == "Application" else None
            override = _override(db, ref, then)
            harmless = innocent.of(db, [ref], at=then)
        return Entity(
            shown=marks.on(node, masked=node.masked, links=links, held_by=0, member=False),
            as_of=then,
            first=first,
            last=last,
            counts=counts,
            rings=rings[:RINGS],
            more_rings=max(0, len(rings) - RINGS),
            applications=[each.key for each in near],
            page=page(ref),
            score=score if score is not None and score.as_of <= then else None,
            override=override,
            harmless=harmless,
            case=None if case is None else case.id,
        )

    def some(self, who: Person, refs: Sequence[NodeRef], *, as_of: datetime | None = None) -> dict[NodeRef, Node]:
        """Those of them that were known then."""
        who.require(Act.READ)
        return self._office.store.nodes(refs, as_of=as_of or self._office.clock())

    def _times(self, ref: NodeRef, then: datetime) -> tuple[int | None, int | None]:
        store = self._office.store
        ends = []
        for rank in (Rank.OLDEST, Rank.RECENT):
            (around,) = store.neighbours([ref], as_of=then, limit=1, rank=rank, totals=False)
            ends.append(around.links[0].event_time if around.links else None)
        return ends[0], ends[1]

    def _held(self, db: Connection, ref: NodeRef, near: Sequence[NodeRef], as_of: datetime | None) -> Sequence[Held]:
        """Of now, or as the last run up to then put them together."""
        if as_of is None:
            places = self._holding.places(db)
            return list(dict.fromkeys([*places.of(ref), *places.of_any(near)]))
        run = lineages.recorded(db, as_of=as_of)
        if run is None:
            return ()
        found = []
        for name in visits.rings_then(db, [each.key for each in near], run.id)[:RINGS]:
            past = lineages.history(db, name, as_of=as_of)
            if past is not None and past.states:
                found.append(Held(name, past.states[-1].score, past.states[-1].size))
        return found


def _override(db: Connection, ref: NodeRef, then: datetime) -> Opinion | None:
    said = [one for one in opinions.listed(db) if (one.override.type, one.override.key) == (ref.type, ref.key)]
    return next((one for one in reversed(said) if one.in_force(then)), None)
