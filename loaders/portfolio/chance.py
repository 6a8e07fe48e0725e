"""Randomness: one independent stream per name, so that a change in one place moves nothing elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Words = NDArray[np.object_]
NONE = -1
"""No entity in a column of entity numbers."""


class Streams:
    """`streams("rings")` is the same generator state for the same seed, whatever was drawn before."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __call__(self, name: str) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence([self.seed, crc32(name.encode())]))


def pick(rng: np.random.Generator, weights: Mapping[str, float], n: int) -> Words:
    return np.array(list(weights), dtype=object)[pick_at(rng, list(weights.values()), n)]


def pick_at(rng: np.random.Generator, weights: Sequence[float] | Floats, n: int) -> Ints:
    """Positions drawn with these weights."""
    edges = np.cumsum(np.asarray(weights, dtype=float))
    return np.searchsorted(edges / edges[-1], rng.random(n), side="right").astype(np.int64)


def uniform(rng: np.random.Generator, span: Sequence[float], n: int) -> Floats:
    return rng.uniform(span[0], span[1], n)


def whole(rng: np.random.Generator, span: Sequence[int], n: int) -> Ints:
    """Whole numbers, both ends included."""
    return rng.integers(span[0], span[1] + 1, n, dtype=np.int64)


def chance(rng: np.random.Generator, share: float | Floats, n: int) -> Flags:
    return rng.random(n) < share


def by_class(fraud: Flags, shares: Mapping[str, float]) -> Floats:
    """`{benign: a, fraud: b}` spread over the rows."""
    return np.where(fraud, shares["fraud"], shares["benign"])


def some(rng: np.random.Generator, rows: Ints, n: int) -> Ints:
    """`n` different ones of `rows` (all, when there are fewer)."""
    return rng.permutation(rows)[:n]


def distinct(rng: np.random.Generator, n: int, space: int) -> Ints:
    """Different numbers below `space`, in an order that says nothing."""
    stride = max(space // max(n, 1), 1)
    return rng.permutation(n) * stride + rng.integers(0, stride, n)


def rank_within(groups: NDArray[Any], order: NDArray[Any]) -> Ints:
    """Position of each row inside its group, counted in the order of `order`."""
    sequence = np.lexsort((order, groups))
    ordered = groups[sequence]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.array([], int)
    lengths = np.diff(np.r_[starts, len(ordered)])
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[sequence] = np.arange(len(groups)) - np.repeat(starts, lengths)
    return ranks
