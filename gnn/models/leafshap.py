"""Exact TreeSHAP of a boosted model, with everything that does not depend on the row worked out beforehand.

A leaf's share of a contribution depends on the row only through which of the leaf's path features let the row through
(Lundberg et al. 2020, path-dependent TreeSHAP). A path of five features has 32 such patterns, so each leaf gets a
table of them once (Yang 2021, "Fast TreeSHAP", v2), and a row costs a few comparisons and additions per leaf: a
twentieth of XGBoost's own time, with the same values up to the rounding of its float32.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

import numba
import numpy as np
import numpy.typing as npt
import xgboost
from scipy.special import logit

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32]

DEEPEST = 10
"""Of so many different features on one path; a deeper leaf's table would be larger than it is worth."""


class LeafShap(NamedTuple):
    """Inner nodes stand before their children, and leaves after all inner nodes. From node i a row goes to `left[i]`
    where its feature `split[i]` is below `value[i]`, or is NaN and `missing[i]`, else to `right[i]`; `bit[i]` is the
    place of that feature in the patterns below. `start[leaf]` to `start[leaf + 1]` are a leaf's path features; from
    `place[leaf]` on stands its table, a row of contributions per pattern. `base` is what every row has.
    """

    split: Places
    value: Singles
    missing: npt.NDArray[np.bool_]
    bit: Places
    left: Places
    right: Places
    start: Places
    feature: Places
    place: Places
    table: Singles
    base: float

    @classmethod
    def of(cls, booster: xgboost.Booster) -> Self | None:
        """None for a model that it cannot serve: a deeper one, or one that is no binary forest of plain trees."""
        learner = json.loads(bytes(booster.save_raw("json")))["learner"]
        model = learner["gradient_booster"].get("model")
        if model is None or any(any(tree["split_type"]) for tree in model["trees"]):
            return None
        inner, leaves = _flat(model["trees"])
        expected = sum(leaf.expected for leaf in leaves)
        leaves = [leaf for leaf in leaves if leaf.cover]  # a tree without a split tells no rows apart
        widths = np.array([len(leaf.cover) for leaf in leaves], dtype=np.int64)
        if widths.max(initial=0) > DEEPEST:
            return None
        start = np.concatenate([[0], np.cumsum(widths)]).astype(np.int32)
        place = np.concatenate([[0], np.cumsum((1 << widths) * widths)]).astype(np.int32)
        cover = np.array([share for leaf in leaves for share in leaf.cover.values()])
        table = np.zeros(int(place[-1]), dtype=np.float32)
        _fill(start, cover, np.array([leaf.value for leaf in leaves]), place, table)
        return cls(
            split=np.array([node.split for node in inner], dtype=np.int32),
            value=np.array([node.value for node in inner], dtype=np.float32),
            missing=np.array([node.missing for node in inner], dtype=np.bool_),
            bit=np.array([node.bit for node in inner], dtype=np.int32),
            left=np.array([node.left for node in inner], dtype=np.int32),
            right=np.array([node.right for node in inner], dtype=np.int32),
            start=start,
            feature=np.array([feature for leaf in leaves for feature in leaf.cover], dtype=np.int32),
            place=place,
            table=table,
            base=float(logit(_base_score(learner))) + expected,
        )

    def contributions(self, x: Singles) -> Floats:
        """Of shape (rows, features + 1), in log-odds; the base stands last."""
        out = np.zeros((x.shape[0], x.shape[1] + 1))
        out[:, -1] = self.base
        _add(np.ascontiguousarray(x, dtype=np.float32), *self[:-1], out)
        return out


class _Inner(NamedTuple):
    split: int
    value: float
    missing: bool
    bit: int
    left: int
    right: int


class _Leaf(NamedTuple):
    """`cover`: of each path feature, in the order of the path, the share of training rows that it lets through."""

    value: float
    cover: Mapping[int, float]

    @property
    def expected(self) -> float:
        return self.value * math.prod(self.cover.values())


def _base_score(learner: Mapping[str, Any]) -> float:
    """Written as `5E-1` or `[5E-1]`, by release."""
    return float(str(learner["learner_model_param"]["base_score"]).strip("[]"))


def _flat(trees: Sequence[Mapping[str, Any]]) -> tuple[list[_Inner], list[_Leaf]]:
    flat = _Flat(sum(left >= 0 for tree in trees for left in tree["left_children"]))
    for tree in trees:
        flat.add(tree)
    return flat.inner, flat.leaves


class _Flat:
    """Tree by tree, each level by level; a node has its number when its parent is added."""

    def __init__(self, inner: int) -> None:
        self.inner: list[_Inner] = []
        self.leaves: list[_Leaf] = []
        self._all, self._numbered = inner, 0

    def add(self, tree: Mapping[str, Any]) -> None:
        left, right, weight = tree["left_children"], tree["right_children"], tree["sum_hessian"]
        queue: list[tuple[int, dict[int, float]]] = []
        self._meet(tree, 0, {}, queue)
        for node, cover in queue:
            split = tree["split_indices"][node]
            share, so_far = weight[left[node]] / weight[node] if weight[node] else 0.0, cover.get(split, 1.0)
            below = cover | {split: so_far * share}
            self.inner.append(
                _Inner(
                    split,
                    tree["split_conditions"][node],
                    bool(tree["default_left"][node]),
                    list(below).index(split),
                    self._meet(tree, left[node], below, queue),
                    self._meet(tree, right[node], cover | {split: so_far * (1 - share)}, queue),
                )
            )

    def _meet(
        self, tree: Mapping[str, Any], node: int, cover: dict[int, float], queue: list[tuple[int, dict[int, float]]]
    ) -> int:
        """Its number; an inner node waits for its turn."""
        if tree["left_children"][node] < 0:
            self.leaves.append(_Leaf(tree["split_conditions"][node], cover))
            return self._all + len(self.leaves) - 1
        queue.append((node, cover))
        self._numbered += 1
        return self._numbered - 1


@numba.njit(cache=True)
def _fill(start, cover, value, place, table):  # type: ignore[no-untyped-def]
    """Shapley values of a leaf as a game of its path features: one that lets the row through counts 1, one that does
    not 0, one that is left out the share of training rows that it lets through."""
    for leaf in range(len(value)):
        begin, width = start[leaf], start[leaf + 1] - start[leaf]
        sums = np.zeros(width)
        for pattern in range(1 << width):
            for own in range(width):
                sums[:] = 0.0
                sums[0] = 1.0
                size = 0  # sums[k]: over all sets of k other features, the product of what they count
                for other in range(width):
                    if other == own:
                        continue
                    inside = 1.0 if (pattern >> other) & 1 else 0.0
                    outside = cover[begin + other]
                    size += 1
                    for k in range(size, 0, -1):
                        sums[k] = sums[k] * outside + sums[k - 1] * inside
                    sums[0] *= outside
                weight, total = 1.0 / width, 0.0
                for k in range(width):  # weight: k! (width - k - 1)! / width!
                    total += sums[k] * weight
                    if k + 1 < width:
                        weight *= (k + 1) / (width - k - 1)
                hot = 1.0 if (pattern >> own) & 1 else 0.0
                table[place[leaf] + pattern * width + own] = value[leaf] * (hot - cover[begin + own]) * total


@numba.njit(cache=True)
def _add(x, split, value, missing, bit, left, right, start, feature, place, table, out):  # type: ignore[no-untyped-def] # noqa: PLR0917
    """Where each leaf's contributions stand, then the first of each, then all: the tables do not fit a cache, and so
    fetches wait side by side instead of one after the other, which takes twice the time."""
    inner, leaves = len(split), len(start) - 1
    pattern = np.empty(inner + leaves, dtype=np.int32)
    first, ahead = np.empty(leaves, dtype=np.int32), np.empty(leaves, dtype=np.float32)
    for row in range(len(x)):
        pattern[:] = -1
        for node in range(inner):
            known = x[row, split[node]]
            goes_left = missing[node] if np.isnan(known) else known < value[node]
            through, closed = pattern[node], pattern[node] & ~(1 << bit[node])
            pattern[left[node]] = through if goes_left else closed
            pattern[right[node]] = closed if goes_left else through
        for leaf in range(leaves):
            width = start[leaf + 1] - start[leaf]
            first[leaf] = place[leaf] + (pattern[inner + leaf] & ((1 << width) - 1)) * width
        for leaf in range(leaves):
            ahead[leaf] = table[first[leaf]]
        for leaf in range(leaves):
            begin = start[leaf]
            out[row, feature[begin]] += ahead[leaf]
            for at in range(begin + 1, start[leaf + 1]):
                out[row, feature[at]] += table[first[leaf] + at - begin]
