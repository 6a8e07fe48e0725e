"""Isolation forest: how unlike the others an application is, without any label.

Trained by scikit-learn; its trees are then kept as flat arrays and walked by a compiled loop, for scikit-learn
takes milliseconds for one row. A row alone scores the same, bit for bit, as among others.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from sklearn.ensemble import IsolationForest

from graph.errors import InputError, ModelRefused

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]
Places = npt.NDArray[np.int32]

TREES = 200
SAMPLE = 256
RANKS = 10_001
PLACES = ("roots", "feature", "left", "right")


class Trees(NamedTuple):
    """The nodes of all trees in one row; from a node one goes left when its feature ≤ its threshold.

    `left` and `right` are places, always of later nodes, and -1 in a leaf. `path` is the number of steps to a
    leaf, and those that its training rows would still need to be told apart. `longest` is what they would sum
    up to over all trees if the rows had nothing to tell them apart by. Unknown features take their median.
    """

    medians: Rows
    roots: Places
    feature: Places
    threshold: Floats
    left: Places
    right: Places
    path: Floats
    longest: float


@dataclass(frozen=True, eq=False)
class Isolation:
    """`ranks` are quantiles of the training scores."""

    trees: Trees
    ranks: Floats

    @classmethod
    def fit(cls, rows: npt.ArrayLike, *, seed: int, trees: int = TREES) -> Isolation:
        """`rows` of shape (applications, features); what is not finite is unknown.

        Raises InputError with fewer than two applications: there is nothing to tell apart.
        """
        known = _single(rows)
        if len(known) < 2:
            raise InputError(f"an isolation forest needs at least two applications to learn from, not {len(known)}")
        medians, sample = _medians(known), min(SAMPLE, len(known))
        known = np.where(np.isfinite(known), known, medians)
        forest = IsolationForest(n_estimators=trees, max_samples=sample, random_state=seed, n_jobs=1)
        walked = _flat([each.tree_ for each in forest.fit(known).estimators_], medians, sample)
        return cls(walked, np.quantile(_scores(known, walked), np.linspace(0, 1, RANKS), method="nearest"))

    def score(self, rows: npt.ArrayLike) -> Floats:
        """2^(-mean path / expected path) of each row, in 0–1: about .5 is ordinary, higher is more unlike."""
        asked = _single(rows)
        if asked.ndim != 2 or asked.shape[1] != len(self.trees.medians):
            raise ModelRefused(f"the isolation forest takes {len(self.trees.medians)} features, not {asked.shape[1:]}")
        scores: Floats = _scores(asked, self.trees)
        return scores

    def percentile(self, rows: npt.ArrayLike) -> Floats:
        """Of each row: the share of training applications that are less unlike the others, in percent."""
        return self.rank(self.score(rows))

    def rank(self, scores: Floats) -> Floats:
        """Scores as percentiles; ties count half."""
        below, upto = (np.searchsorted(self.ranks, scores, side=side) for side in ("left", "right"))
        shares: Floats = ((below + upto) * (50.0 / len(self.ranks))).astype(np.float64)
        return shares

    def save(self, path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, allow_pickle=False, ranks=self.ranks, **self.trees._asdict())

    @classmethod
    def load(cls, path: Path) -> Isolation:
        """Raises ModelRefused for a file that the compiled loop could not walk, or not to an end."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in Trees._fields}
                found = cls(Trees(**arrays | {"longest": float(arrays["longest"])}), stored["ranks"])
        except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise ModelRefused(f"{path.name} holds no isolation forest ({type(error).__name__})") from None
        if not _walkable(found.trees) or found.ranks.shape != (RANKS,):
            raise ModelRefused(f"{path.name} holds a damaged isolation forest")
        return found


@numba.njit(cache=True)
def _scores(rows: Rows, trees: Trees) -> Floats:
    medians, roots, feature, threshold, left, right, path, longest = trees
    scores = np.empty(len(rows))
    row = np.empty(len(medians), dtype=np.float32)
    for at in range(len(rows)):
        for each in range(len(medians)):
            row[each] = rows[at, each] if np.isfinite(rows[at, each]) else medians[each]
        walked = 0.0
        for root in roots:
            node = root
            while left[node] >= 0:
                node = left[node] if row[feature[node]] <= threshold[node] else right[node]
            walked += path[node]
        scores[at] = 2.0 ** (-walked / longest)
    return scores


def _flat(fitted: list[Any], medians: Rows, sample: int) -> Trees:
    """scikit-learn's trees, one after the other."""

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(each, name) for each in fitted])

    sizes = np.array([each.node_count for each in fitted])
    begins = np.cumsum(sizes) - sizes
    children = joined("children_left"), joined("children_right")
    left, right = (np.where(each >= 0, each + np.repeat(begins, sizes), -1).astype(np.int32) for each in children)
    return Trees(
        medians=medians,
        roots=begins.astype(np.int32),
        feature=joined("feature").astype(np.int32),
        threshold=joined("threshold"),
        left=left,
        right=right,
        path=_depths(left, right) + _unfinished(joined("n_node_samples")),
        longest=len(fitted) * float(_unfinished(np.array([sample]))[0]),
    )


def _single(rows: npt.ArrayLike) -> Rows:
    """float32, as the trees compare; what is too large becomes infinite and so unknown."""
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(rows, dtype=np.float32)


def _medians(rows: Rows) -> Rows:
    """Of what is known; 0 for a feature that nobody has."""
    known = [column[np.isfinite(column)] for column in rows.T]
    return np.array([np.median(each) if len(each) else 0 for each in known], dtype=np.float32)


def _depths(left: Places, right: Places) -> Floats:
    """Steps from the root; a parent stands before its children."""
    depth = np.zeros(len(left))
    for node in np.flatnonzero(left >= 0):
        depth[left[node]] = depth[right[node]] = depth[node] + 1
    return depth


def _unfinished(size: npt.NDArray[Any]) -> Floats:
    """Mean steps to tell `size` rows apart: an unsuccessful search in a binary tree (Liu et al. 2008)."""
    many = np.maximum(size, 3).astype(np.float64)
    mean = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.where(size > 2, mean, np.where(size == 2, 1.0, 0.0))


def _walkable(trees: Trees) -> bool:
    """Inner nodes lead to later ones and ask for a feature there is: each walk stays inside and ends in a leaf."""
    columns = trees._asdict()
    kinds = {"medians": np.float32, "threshold": np.float64, "path": np.float64} | dict.fromkeys(PLACES, np.int32)
    if any(columns[name].dtype != kind or columns[name].ndim != 1 for name, kind in kinds.items()):
        return False
    nodes, inner = len(trees.left), np.flatnonzero(trees.left >= 0)
    if any(len(columns[name]) != nodes for name in ("feature", "threshold", "right", "path")):
        return False
    asked, children = trees.feature[inner], np.stack([trees.left[inner], trees.right[inner]])
    return bool(
        ((children > inner) & (children < nodes)).all()
        and ((asked >= 0) & (asked < len(trees.medians))).all()
        and ((trees.roots >= 0) & (trees.roots < nodes)).all()
        and trees.longest > 0
    )
