"""What a run leaves to the next one, and how an excerpt sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from graph.excerpt import Things
from graph.infrastructure import Earlier, Judged
from graph.records import Ints, node_ids
from graph.rings import Found, Ring
from graph.snapshot import Snapshot

MANY = 10
"""Things with so many times the holders beyond which they link nobody are not followed."""


@dataclass(frozen=True)
class Aside:
    """Things of one type that were set aside: node ids, ascending, and the kind of each."""

    ids: Ints
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """Rings as of a time, and what the next run can build on. `rings` are all that were found, listed or not."""

    as_of: int
    window_days: int
    found: Found
    rings: Sequence[Ring]
    aside: Mapping[str, Aside]
    average: float


def members(snapshot: Snapshot, rings: Sequence[Ring]) -> dict[str, Ints]:
    """Indices of each ring's applications."""
    nodes = snapshot.nodes["Application"]
    return {ring.ring_id: nodes.index_of(node_ids("Application", ring.application_ids)) for ring in rings}


def earlier(before: Run, part: Snapshot) -> Earlier:
    """What was set aside, as far as the excerpt shows it."""
    kinds = tuple(sorted({kind for aside in before.aside.values() for kind in aside.kinds}))
    number = {kind: at for at, kind in enumerate(kinds)}
    by_type = {}
    for type_, aside in before.aside.items():
        ids = part.nodes[type_].ids
        entity = np.flatnonzero(np.isin(ids, aside.ids))
        of_all = np.array([number[kind] for kind in aside.kinds], dtype=np.int64)
        by_type[type_] = Judged(entity, of_all[np.searchsorted(aside.ids, ids[entity])])
    return Earlier(kinds, by_type)


def with_hubs(earlier: Earlier, crowded: Things) -> Earlier:
    nothing = Judged(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    by_type = dict(earlier.by_type)
    for name, things in crowded.items():
        aside = by_type.get(name, nothing)
        fresh = np.setdiff1d(things, aside.entity)
        entity = np.concatenate([aside.entity, fresh])
        kind = np.concatenate([aside.kind, np.full(len(fresh), len(earlier.kinds))])
        order = np.argsort(entity)
        by_type[name] = Judged(entity[order], kind[order])
    return Earlier((*earlier.kinds, "hub"), by_type)
