"""What several rows say about one node, whatever the order in which they came.

A property keeps the value of the row with the latest `updated_at` that states it.
One clock a node is not enough for that: after {x: 1} of Monday and {y: 2} of
Wednesday, {x: 3} of Tuesday must still win. `clocks` holds the properties whose
clock is not the node's own; in a normal load that is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from graph.ontology import EDGES
from graph.records import Batch, NodeRows, Value


@dataclass(frozen=True, slots=True)
class Stated:
    """A node so far. `updated_at` is 0 while nobody stated a property."""

    key: str
    known_at: int
    masked: str = ""
    updated_at: int = 0
    properties: Mapping[str, Value] = field(default_factory=dict)
    clocks: Mapping[str, int] = field(default_factory=dict)

    def clock(self, name: str) -> int:
        return self.clocks.get(name, self.updated_at)


def merged(old: Stated, new: Stated) -> Stated:
    """Both together; of values equally old, the one of `new` stays."""
    properties, clocks, updated_at = overlaid(old, new)
    return Stated(
        key=old.key,
        known_at=min(old.known_at, new.known_at),
        masked=new.masked or old.masked,
        updated_at=updated_at,
        properties=properties,
        clocks=clocks,
    )


def overlaid(old: Stated, new: Stated) -> tuple[Mapping[str, Value], Mapping[str, int], int]:
    """Properties, clocks that differ from `updated_at`, and `updated_at`."""
    if not new.properties:
        return old.properties, old.clocks, old.updated_at
    if not old.properties:
        return new.properties, new.clocks, new.updated_at
    properties, clocks = dict(old.properties), {name: old.clock(name) for name in old.properties}
    for name, value in new.properties.items():
        if name not in clocks or new.clock(name) >= clocks[name]:
            properties[name], clocks[name] = value, new.clock(name)
    updated_at = max(old.updated_at, new.updated_at)
    return properties, {name: at for name, at in clocks.items() if at != updated_at}, updated_at


def gather(batch: Batch) -> dict[str, dict[str, Stated]]:
    """Every node a batch speaks of, by type and key: those described, and the ends of its edges,
    which were known since their edge was."""
    found: dict[str, dict[str, Stated]] = {}
    for rows in batch.nodes:
        _describe(found.setdefault(rows.type, {}), rows)
    for edges in () if batch.ends_described else batch.edges:
        edge = EDGES[edges.type]
        for type_, keys, ids in (
            (edge.source, edges.sources, edges.source_ids),
            (edge.target, edges.targets, edges.target_ids),
        ):
            unique, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
            earliest = np.full(len(unique), np.iinfo(np.int64).max)
            np.minimum.at(earliest, inverse, edges.known_at)
            nodes = found.setdefault(type_, {})
            for at, known_at in zip(first.tolist(), earliest.tolist(), strict=True):
                _add(nodes, Stated(keys[at], known_at))
    return found


def _describe(nodes: dict[str, Stated], rows: NodeRows) -> None:
    columns = (rows.keys, rows.known_at.tolist(), rows.masked, rows.updated_at.tolist(), rows.properties)
    for key, known_at, masked, updated_at, properties in zip(*columns, strict=True):
        _add(nodes, Stated(key, known_at, masked, updated_at if properties else 0, properties))


def _add(nodes: dict[str, Stated], new: Stated) -> None:
    old = nodes.get(new.key)
    nodes[new.key] = new if old is None else merged(old, new)
