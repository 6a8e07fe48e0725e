"""Walks over the graph, on any store: built on `GraphStore.neighbours` and nothing else.

Infrastructure is never walked through: a carrier's address pool or a dealer would
connect everybody with everybody. It may be where a walk begins or ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from graph.ontology import NODES
from graph.records import NodeRef
from graph.store import GraphStore, Link, Neighbourhood

CROWD = 200
"""Links beyond which a node whose sharing says nothing (a dealer, an application) is not walked through."""

BUDGET = 5_000
"""Nodes a search opens before it gives up and says so."""

Avoid = Callable[[NodeRef, int], bool]
"""Whether a node with so many links in all is left out of the walk."""


@dataclass(frozen=True)
class Step:
    """A link with the node it was found from. `origin` in a `Link` is where the fact came from, not this."""

    here: NodeRef
    link: Link

    @property
    def there(self) -> NodeRef:
        return self.link.other


@dataclass(frozen=True)
class Subgraph:
    """What surrounds a node. `hops` gives each node's distance, in the order of discovery;
    `totals` how many links the nodes have whose links were read, so that a screen can say "20 of 1,384"."""

    hops: dict[NodeRef, int]
    links: Sequence[Step]
    masked: dict[NodeRef, str] = field(default_factory=dict)
    totals: dict[NodeRef, int] = field(default_factory=dict)

    @property
    def nodes(self) -> list[NodeRef]:
        return list(self.hops)


@dataclass(frozen=True)
class Path:
    """The steps from one node to the other; None when there is no way within the bounds.
    `gave_up`: the search ended at its budget or at a limit, and a way may exist all the same."""

    steps: Sequence[Step] | None
    gave_up: bool = False


def hub(ref: NodeRef, links: int) -> bool:
    """More links than sharing such a node can mean anything with."""
    return links > (NODES[ref.type].hub_above or CROWD)


def ego(
    store: GraphStore,
    ref: NodeRef,
    *,
    as_of: datetime,
    hops: int,
    limit: int,
    cap: int | None = None,
    avoid_hubs: bool = False,
) -> Subgraph:
    """Everything within `hops` of `ref`, the newest `limit` links of each node.

    `cap` bounds the nodes of the answer: the nodes of a hop share what is left equally, so that a
    dealer does not take the room of a shared phone. `avoid_hubs` shows hubs but does not open
    them; the node asked for is always opened.
    """
    found = Subgraph({ref: 0}, links := [])
    seen: set[tuple[str, NodeRef, NodeRef, str]] = set()
    frontier = [ref]
    for hop in range(1, hops + 1):
        fresh: dict[NodeRef, None] = {}
        share = limit if cap is None else min(limit, -(-(cap - len(found.hops)) // len(frontier)))
        for around in store.neighbours(frontier, as_of=as_of, limit=share):
            found.totals[around.ref] = around.total
            if avoid_hubs and hop > 1 and hub(around.ref, around.total):
                continue
            found.masked.update(around.masked)
            for link in around.links:
                if link.other not in found.hops and len(found.hops) == cap:
                    continue
                if (name := _name(around.ref, link)) not in seen:
                    seen.add(name)
                    links.append(Step(around.ref, link))
                if link.other not in found.hops:
                    found.hops[link.other] = hop
                    fresh[link.other] = None
        frontier = list(fresh)
        if not frontier or len(found.hops) == cap:
            break
    return found


def shortest_path(
    store: GraphStore,
    a: NodeRef,
    b: NodeRef,
    *,
    as_of: datetime,
    max_hops: int = 6,
    avoid: Avoid | None = None,
    limit: int = CROWD,
) -> Path:
    """A shortest way from `a` to `b`, searched from both ends; of equally short ones always the same.

    Nodes for which `avoid` holds (`hub` when None) are not walked through. Of any other
    node the `limit` newest links are read; where there were more, and nothing was
    found, the answer says `gave_up`.
    """
    if a == b:
        return Path([])
    walk = _Walk(store, as_of, limit, avoid or hub, ends=(a, b))
    forward, backward = _Side(a), _Side(b)
    for _ in range(max_hops):
        if not forward.frontier or not backward.frontier:
            break
        side, other = (forward, backward) if len(forward.frontier) <= len(backward.frontier) else (backward, forward)
        if (meeting := walk.advance(side, other)) is not None:
            return Path(_joined(forward, backward, meeting))
        if walk.opened > BUDGET:
            return Path(None, gave_up=True)
    return Path(None, gave_up=walk.cut)


class _Side:
    """One end's half of the search. `came` tells by which step each node was first reached."""

    def __init__(self, start: NodeRef) -> None:
        self.came: dict[NodeRef, Step | None] = {start: None}
        self.frontier: list[NodeRef] = [start]

    def way_to(self, node: NodeRef) -> list[Step]:
        steps = []
        while (step := self.came[node]) is not None:
            steps.append(step)
            node = step.here
        return steps[::-1]


class _Walk:
    def __init__(self, store: GraphStore, as_of: datetime, limit: int, avoid: Avoid, ends: Iterable[NodeRef]) -> None:
        self._store, self._as_of, self._limit, self._avoid, self._ends = store, as_of, limit, avoid, set(ends)
        self.opened = 0
        self.cut = False

    def advance(self, side: _Side, other: _Side) -> NodeRef | None:
        """Open the frontier once; the node where both halves meet, the first by id."""
        fresh: list[NodeRef] = []
        self.opened += len(side.frontier)
        for around in self._store.neighbours(side.frontier, as_of=self._as_of, limit=self._limit):
            if not self._passable(around):
                continue
            for link in around.links:
                if link.other not in side.came:
                    side.came[link.other] = Step(around.ref, link)
                    fresh.append(link.other)
        meetings = [each for each in fresh if each in other.came and self._joint(each)]
        side.frontier = sorted(fresh, key=_id)
        return min(meetings, key=_id, default=None)

    def _passable(self, around: Neighbourhood) -> bool:
        if around.ref not in self._ends and self._avoid(around.ref, around.total):
            return False
        self.cut = self.cut or around.total > len(around.links)
        return True

    def _joint(self, node: NodeRef) -> bool:
        """Where the halves meet is walked through as well, unless it is an end."""
        if node in self._ends:
            return True
        (around,) = self._store.neighbours([node], as_of=self._as_of, limit=1)
        return not self._avoid(node, around.total)


def _joined(forward: _Side, backward: _Side, meeting: NodeRef) -> list[Step]:
    back = [_reversed(step) for step in reversed(backward.way_to(meeting))]
    return forward.way_to(meeting) + back


def _reversed(step: Step) -> Step:
    link = step.link
    return Step(
        link.other,
        Link(
            link.type, not link.outgoing, step.here, link.ref, link.event_time, link.known_at, link.valid_to,
            link.origin, link.confidence,
        ),
    )  # fmt: skip


def _name(here: NodeRef, link: Link) -> tuple[str, NodeRef, NodeRef, str]:
    ends = (here, link.other) if link.outgoing else (link.other, here)
    return (link.type, *ends, link.ref)


def _id(ref: NodeRef) -> int:
    return ref.id
