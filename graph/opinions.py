"""What people decided that changes what is a ring: one place for the rule, whoever looks for rings.

| Opinion | What it does |
|---|---|
| an override | a thing is set aside, or links although it was recognised (`overrides.py`) |
| an innocent link | the edge is not there (`innocent.py`), for rings, features and scores alike |
| cleared, or wrong data | the application links nobody any more and is in no ring |
| confirmed fraud | it counts for more than the strongest sign, its neighbours stay in view; a suspicion half as much |

These are opinions of the people who work here. What a lender's own table of outcomes says teaches models only: rings
are found without labels, so that they also find what nobody has seen yet, and are measured like that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from graph.errors import InputError
from graph.ontology import EDGES, NODES
from graph.overrides import Override, Placed, placed
from graph.records import Ints, NodeRef, node_ids
from graph.snapshot import Snapshot

CONFIRMED, SUSPICION = 1.0, 0.5
"""Degrees of `Opinions.risk`; what a degree is worth stands in `signs.py`."""

ALSO_LINKING = ("SAME_VOICE",)
"""Weighs nothing by itself, and joins two things into one."""


class Innocent(NamedTuple):
    """An edge that people found harmless. Ends by their keys in the graph: tokens, never identifiers."""

    relation: str
    source: str
    target: str

    @property
    def ends(self) -> tuple[NodeRef, NodeRef]:
        edge = EDGES[self.relation]
        return NodeRef(edge.source, self.source), NodeRef(edge.target, self.target)


def links(relation: str) -> bool:
    """Whether edges of this relation make anybody a neighbour of anybody."""
    edge = EDGES.get(relation)
    return edge is not None and (relation in ALSO_LINKING or (edge.weight > 0 and relation != "APPLIED"))


def innocent(relation: str, source: NodeRef, target: NodeRef) -> Innocent:
    """Raises InputError for an edge that carries no link."""
    if not links(relation):
        raise InputError(f"relation {relation[:40]!r} carries no link; there is nothing to set right")
    edge = EDGES[relation]
    if (source.type, target.type) != (edge.source, edge.target):
        raise InputError(f"{relation} leads from {NODES[edge.source].en} to {NODES[edge.target].en}; give both ends")
    return Innocent(relation, source.key, target.key)


@dataclass(frozen=True)
class Here:
    """Opinions by the indices of one snapshot. `cleared` are applications, `risk` is per application; None: no word."""

    overrides: Sequence[Placed] = ()
    cleared: Ints | None = None
    risk: npt.NDArray[np.float64] | None = None

    def among(self, window: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Who of a window can be in a ring."""
        if self.cleared is None:
            return window
        left = window.copy()
        left[self.cleared] = False
        return left


NOTHING_HERE = Here()


@dataclass(frozen=True)
class Opinions:
    """Those in force at one time. `cleared` and `risk` go by the lender's application number."""

    overrides: tuple[Override, ...] = ()
    innocent: tuple[Innocent, ...] = ()
    cleared: frozenset[str] = frozenset()
    risk: Mapping[str, float] = field(default_factory=dict)

    def here(self, snapshot: Snapshot) -> Here:
        """Of what the snapshot holds. Innocent links are not among them: see `innocent.without`."""
        cleared = _rows(snapshot, sorted(self.cleared))
        names = sorted(self.risk)
        rows = _rows(snapshot, names)
        risk = np.zeros(len(snapshot.nodes["Application"]))
        there = rows >= 0
        risk[rows[there]] = np.array([self.risk[name] for name in names])[there]
        return Here(
            tuple(placed(self.overrides, snapshot)),
            np.unique(cleared[cleared >= 0]) if len(cleared) else None,
            risk if there.any() else None,
        )


NOBODY_S = Opinions()
"""Nobody said anything."""


def _rows(snapshot: Snapshot, names: Sequence[str]) -> Ints:
    return snapshot.nodes["Application"].index_of(node_ids("Application", names))
