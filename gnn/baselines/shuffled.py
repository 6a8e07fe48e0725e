"""The graph with other people in it: how often a thing was seen stays, by whom does not.

Within a month, all who hold a thing in the same role as its n-th holder exchange their things. Every application
still holds as many things, each seen about as often before, and every thing keeps its number of holders and
the months in which they came. What a model then loses is what the graph knew beyond counting.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gnn.book import ROLE, Book, chained
from gnn.features.assemble import Features, features
from gnn.features.catalogue import names
from graph.records import DAY

KEPT = ("person", "deal", "dealer", "salesperson")
"""Who applied, for which deal and where is no link between strangers."""

EXACT = 3
"""Up to so many earlier holders the number stays exact; beyond, its power of two."""


def shuffled(book: Book, *, seed: int) -> Book:
    pairs = book.pairs
    mixed = np.flatnonzero(~np.isin(pairs.role, [ROLE[name] for name in KEPT]))
    rank = pairs.rank[mixed]
    before = np.where(rank <= EXACT, rank, EXACT + np.floor(np.log2(np.maximum(rank, 1))).astype(np.int64))
    groups = (before, pairs.role[mixed], pairs.known_at[mixed] // (30 * DAY))
    thing = pairs.thing.copy()
    thing[mixed[np.lexsort(groups)]] = pairs.thing[mixed][
        np.lexsort((np.random.default_rng(seed).random(len(mixed)), *groups))
    ]
    return replace(book, pairs=chained(pairs.application, thing, pairs.role, pairs.known_at, applications=len(book)))


def shuffled_features(book: Book, seen: Features, *, seed: int) -> Features:
    """As `seen`, what an application says by itself unchanged, all else from the shuffled graph."""
    mixed = features(shuffled(book, seed=seed))
    own = [seen.names.index(name) for name in names("attributes")]
    values = mixed.values.copy()
    values[:, own] = seen.values[:, own]
    return replace(mixed, values=values)
