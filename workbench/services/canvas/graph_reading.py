"""Reads for the canvas: many nodes at once, always as of a time, never more than asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from graph.records import Node, NodeRef
from graph.store import GraphStore, Neighbourhood
from workbench.services.canvas.graph_shapes import Ends, Tie, tie

NEAR = 100
"""Links read of an application, a person or a vehicle: more than any of them has, but for bureau inquiries."""


@dataclass
class Found:
    """What was read so far. `totals` counts all links of a node by (relation, outgoing)."""

    ties: dict[Ends, Tie] = field(default_factory=dict)
    masked: dict[NodeRef, str] = field(default_factory=dict)
    totals: dict[NodeRef, Counter[tuple[str, bool]]] = field(default_factory=dict)
    whole: set[NodeRef] = field(default_factory=set)

    def take(self, around: Iterable[Neighbourhood], *, counted: bool = True) -> None:
        for one in around:
            self.masked.update(one.masked)
            if counted:
                self.totals[one.ref] = Counter(one.totals)
                if one.total <= len(one.links):
                    self.whole.add(one.ref)
            for link in one.links:
                each = tie(one.ref, link)
                self.ties.setdefault(each.ends, each)

    def of(self, refs: Collection[NodeRef]) -> list[Tie]:
        """Links with an end among them."""
        return [each for each in self.ties.values() if each.source in refs or each.target in refs]

    def links(self, ref: NodeRef) -> int:
        return self.totals[ref].total() if ref in self.totals else 0


@dataclass(frozen=True)
class Reader:
    """The store as of one time, with what was read so far."""

    store: GraphStore
    as_of: datetime
    found: Found = field(default_factory=Found)

    def around(self, refs: Sequence[NodeRef], *, limit: int = NEAR) -> None:
        """The newest links of each, and how many there are."""
        fresh = [ref for ref in refs if ref not in self.found.whole]
        if fresh:
            self.found.take(self.store.neighbours(fresh, as_of=self.as_of, limit=limit))

    def count(self, refs: Sequence[NodeRef]) -> None:
        """Only how many links they have."""
        fresh = [ref for ref in refs if ref not in self.found.totals]
        if fresh:
            for one in self.store.neighbours(fresh, as_of=self.as_of, limit=1):
                self.found.totals[one.ref] = Counter(one.totals)

    def between(self, refs: Sequence[NodeRef], others: Collection[NodeRef]) -> None:
        """Links from `refs` to `others`: of a node with more links than are read, asked from the other side."""
        self.around(refs)
        found = self.found
        hubs = {ref for ref in refs if ref not in found.whole}
        near = [ref for ref in {*others, *hubs} if ref not in found.whole]
        if hubs and near:
            types = sorted({ref.type for ref in hubs})
            told = self.store.neighbours(near, as_of=self.as_of, limit=NEAR, types=types, totals=False)
            found.take(told, counted=False)

    def nodes(self, refs: Iterable[NodeRef]) -> dict[NodeRef, Node]:
        return self.store.nodes(list(dict.fromkeys(refs)), as_of=self.as_of)
