"""A snapshot without the edges that people found harmless: the same arrays, and a list of what to pass over.

Whoever reads the snapshot sees the edge nowhere: rings, features, training and canvas need not know of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from graph.opinions import Innocent
from graph.snapshot import COLUMNS, Appended, Snapshot, rows_by_node


def without(snapshot: Snapshot, links: Iterable[Innocent]) -> Snapshot:
    """Costs what the ends of these links hold, not what the graph holds. Links of nodes that it does not hold are not
    there anyway."""
    ends: dict[str, list[tuple[int, int]]] = {}
    for link in links:
        source, target = (int(snapshot.nodes[ref.type].index_of(np.array([ref.id]))[0]) for ref in link.ends)
        if source >= 0 and target >= 0:
            ends.setdefault(link.relation, []).append((source, target))
    if not ends:
        return snapshot
    appended = {relation: _passed_over(snapshot, relation, pairs) for relation, pairs in ends.items()}
    return replace(snapshot, appended={**snapshot.appended, **appended})


def _passed_over(snapshot: Snapshot, relation: str, pairs: list[tuple[int, int]]) -> Appended:
    base, more = snapshot.edges[relation], snapshot.appended.get(relation)
    found = [np.zeros(0, dtype=np.int64) if more is None else more.replaced]
    for source, target in pairs:
        if source + 1 < len(base.out_start):
            first, last = base.out_start[source : source + 2].tolist()
            found.append(first + np.flatnonzero(base.target[first:last] == target))
    rows = {name: getattr(base, name)[:0] for name in COLUMNS} if more is None else more.rows
    asked = set(pairs)
    ends = zip(rows["source"].tolist(), rows["target"].tolist(), strict=True)
    kept = np.array([pair not in asked for pair in ends], dtype=bool)
    rows = {name: column[kept] for name, column in rows.items()}
    return Appended(rows, rows_by_node(rows), np.unique(np.concatenate(found)))
