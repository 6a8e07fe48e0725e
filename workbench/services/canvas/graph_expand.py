"""From a node to its neighbours: counted before, a few at a time, the riskiest first, never cut in silence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from graph.errors import InputError
from graph.ontology import EDGES, NODES
from graph.records import NodeRef
from graph.store import Neighbourhood, Rank
from graph.traverse import CROWD
from workbench.casebook import scores
from workbench.services.canvas.graph_reading import Found, Reader
from workbench.services.canvas.graph_shapes import Count, far
from workbench.services.office import Office

RISK = "risk"
RANKS = (RISK, *(each.value for each in Rank))

USUAL, MOST = 20, 200
"""How many neighbours come at once."""

SCANNED, BY = 300, 40
"""Of a hub the newest so many are weighed against what is shown, each by its newest links."""


@dataclass(frozen=True)
class Wish:
    """What of the neighbours is asked for; None asks for all."""

    types: Sequence[str] | None = None
    relations: Sequence[str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    rank: str = RISK
    cap: int = USUAL

    @property
    def narrowed(self) -> bool:
        return any(each is not None for each in (self.types, self.relations, self.since, self.until))

    def checked(self) -> Wish:
        """Raises InputError for what no screen sends."""
        unknown = {*(self.types or ())} - NODES.keys() | {*(self.relations or ())} - EDGES.keys()
        if unknown or self.rank not in RANKS:
            raise InputError("there is no such kind of neighbour, or no such order; choose one from the list")
        return replace(self, cap=min(max(self.cap, 1), MOST))


@dataclass(frozen=True)
class Picked:
    """`matching` neighbours' links met the wish; the first `weighed` of them were compared."""

    refs: Sequence[NodeRef]
    matching: int
    weighed: int


def crowded(ref: NodeRef, links: int) -> bool:
    """Too many to show without a filter: they would flood the canvas, and sharing such a thing says little."""
    return links > max(NODES[ref.type].hub_above, CROWD)


def pick(reader: Reader, office: Office, ref: NodeRef, wish: Wish, known: Collection[NodeRef]) -> Picked:
    """The neighbours that come next. Those that are shown already do not count."""
    around = _asked(reader, ref, wish, limit=SCANNED if wish.rank == RISK else wish.cap + len(known))
    reader.found.take([around], counted=False)
    fresh = list(dict.fromkeys(link.other for link in around.links if link.other not in known))
    if wish.rank == RISK and len(fresh) > wish.cap:
        fresh = _riskiest_first(reader, office, fresh, set(known) - {ref})
    return Picked(fresh[: wish.cap], around.total, len(around.links))


def _asked(reader: Reader, ref: NodeRef, wish: Wish, *, limit: int) -> Neighbourhood:
    rank = Rank.RECENT if wish.rank == RISK else Rank(wish.rank)
    (around,) = reader.store.neighbours(
        [ref], as_of=reader.as_of, limit=limit, relations=wish.relations, types=wish.types, since=wish.since,
        until=wish.until, rank=rank,
    )  # fmt: skip
    return around


def _riskiest_first(
    reader: Reader, office: Office, fresh: Sequence[NodeRef], others: Collection[NodeRef]
) -> list[NodeRef]:
    """Who shares most with what is shown, then by score, then the newest."""
    near = reader.store.neighbours(fresh, as_of=reader.as_of, limit=BY, totals=False)
    reader.found.take(near, counted=False)
    shared = dict.fromkeys(fresh, 0)
    for one in reader.found.of(set(fresh)):
        for here, there in ((one.source, one.target), (one.target, one.source)):
            if here in shared and there in others:
                shared[here] += 1
    with office.casebook.reading() as db:
        told = scores.newest(db, [each.key for each in fresh if each.type == "Application"])
    risk = {name: one.score or 0.0 for name, one in told.items() if one.as_of <= reader.as_of}
    return sorted(fresh, key=lambda each: (-shared[each], -risk.get(each.key, 0.0)))


def counts(found: Found, ref: NodeRef, shown: Collection[NodeRef]) -> list[Count]:
    """Per relation, the most first; `shown` are the nodes on the canvas."""
    links: dict[tuple[str, bool], int] = {}
    for one in found.of({ref}):
        other = one.target if one.source == ref else one.source
        if other in shown:
            key = (one.relation, one.source == ref)
            links[key] = links.get(key, 0) + 1
    every = [
        Count(relation, outgoing, far(relation, outgoing=outgoing), links.get((relation, outgoing), 0), total)
        for (relation, outgoing), total in found.totals[ref].items()
    ]
    return sorted(every, key=lambda one: (-one.total, one.relation, one.outgoing))
