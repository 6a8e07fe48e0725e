"""The trees of a boosted model as flat arrays, walked by a compiled loop: XGBoost takes half a millisecond for one row.

Leaves are added in float32 in the order of the trees, as XGBoost's own predictor does, so the scores are its bits.
"""

from __future__ import annotations

import json
import math
from typing import NamedTuple, Self

import numba
import numpy as np
import numpy.typing as npt
import xgboost

Singles = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32]

STEEPEST = 88.7
"""XGBoost's own bound: e to a higher power is no float32."""


class Forest(NamedTuple):
    """From node i one goes to `left[i]` where its feature is below `value[i]`, else to the node after that one; an
    unknown feature goes to `missing[i]`. A leaf's `left` is -1, and its `value` what it adds. Rows are `width` wide."""

    roots: Places
    feature: Places
    value: Singles
    left: Places
    missing: Places
    base: np.float32
    width: int

    @classmethod
    def of(cls, booster: xgboost.Booster) -> Self | None:
        """None for a model of another kind than plain trees for two classes, and where the C library rounds the
        logarithm of the base rate otherwise than we."""
        learner = json.loads(bytes(booster.save_raw("json")))["learner"]
        model = learner["gradient_booster"].get("model")
        plain = learner["objective"]["name"] == "binary:logistic" and model is not None and "weight_drop" not in model
        if not plain or any(any(tree["split_type"]) for tree in model["trees"]):
            return None
        rate = np.float32(str(learner["learner_model_param"]["base_score"]).strip("[]"))
        roots, nodes = [], _Nodes([], [], [], [])
        for tree in model["trees"]:
            roots.append(len(nodes.value))
            nodes.add(tree)
        found = cls(
            np.array(roots, dtype=np.int32),
            np.array(nodes.feature, dtype=np.int32),
            np.array(nodes.value, dtype=np.float32),
            np.array(nodes.left, dtype=np.int32),
            np.array(nodes.missing, dtype=np.int32),
            np.float32(-math.log(np.float32(1) / rate - np.float32(1))),
            int(learner["learner_model_param"]["num_feature"]),
        )
        row = np.full((1, found.width), np.nan, dtype=np.float32)
        return found if found.score(row)[0] == booster.inplace_predict(row)[0] else None

    def score(self, x: Singles) -> npt.NDArray[np.float64]:
        """Probabilities of the float32 that XGBoost would give."""
        scores = np.empty(len(x))
        _walk(np.ascontiguousarray(x), *self[:-1], scores)
        return scores


class _Nodes(NamedTuple):
    feature: list[int]
    value: list[float]
    left: list[int]
    missing: list[int]

    def add(self, tree: dict[str, list[float]]) -> None:
        """The children of a node side by side, wherever the model has them."""
        queue, at = [0], len(self.value)
        self._room()
        for node in queue:
            self.value[at] = tree["split_conditions"][node]
            if tree["left_children"][node] >= 0:
                children = int(tree["left_children"][node]), int(tree["right_children"][node])
                self.feature[at], self.left[at] = int(tree["split_indices"][node]), len(self.value)
                self.missing[at] = len(self.value) + (not tree["default_left"][node])
                for _ in children:
                    self._room()
                queue += children
            at += 1

    def _room(self) -> None:
        for each, empty in zip(self, (0, 0.0, -1, -1), strict=True):
            each.append(empty)  # type: ignore[attr-defined]


@numba.njit(cache=True)
def _walk(x, roots, feature, value, left, missing, base, scores):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    for row in range(len(x)):
        total = base
        for root in roots:
            node = root
            while left[node] >= 0:
                known = x[row, feature[node]]
                node = missing[node] if np.isnan(known) else left[node] + (known >= value[node])
            total += value[node]
        # compiled, this is the C library's own e to a float32, as in XGBoost; NumPy's differs in the last bit
        scores[row] = np.float32(1) / (np.exp(min(-total, np.float32(STEEPEST))) + np.float32(1))
