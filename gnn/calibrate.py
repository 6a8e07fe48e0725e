"""From a score that ranks to a probability that means what it says.

One map for every kind: log-odds = a·log p − b·log(1 − p) + c with a, b > 0, so that a ranking never changes.
Platt's has a = b (Platt 1999), beta calibration leaves both free (Kull et al. 2017); where there is too little to
learn from, a = b = 1 and only the base rate is met. Nothing is left to BLAS: on a busy
machine its threads wait for each other a hundred times longer than a sum takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, minimize
from scipy.special import expit

Floats = npt.NDArray[np.float64]

FEW = 20
FOLDS = 5
EDGE = 1e-12  # nearer to 0 and 1 than this a score says nothing more
FLATTEST = 1e-3  # a score that misleads is drawn to the base rate, its ranking stays
EXACT = {"ftol": 1e-13, "gtol": 1e-9, "xtol": 1e-9}
FARTHEST = 30.0  # log-odds whose probability is still not 1


@dataclass(frozen=True)
class Calibration:
    """`kind` is none (no labels: scores stay as they are), shift, platt or beta."""

    kind: str
    a: float = 1.0
    b: float = 1.0
    c: float = 0.0

    def __post_init__(self) -> None:
        if not (self.a > 0 and self.b > 0 and math.isfinite(self.a + self.b + self.c)):
            raise ValueError(f"{self} would change the ranking: a and b must be finite and above 0, c finite")

    @classmethod
    def fit(cls, scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Calibration:
        """Of the three kinds the simplest, unless a richer one lowers the weighted log-loss on folds left out by
        more than its standard error.

        `scores` in 0–1 and `labels` 0 or 1 of rows that the model did not learn from. With fewer than FEW rows
        of either class (weight 0 does not count) only the base rate is learned. Raises ValueError for a label
        that is neither, a score that is NaN, a negative weight, or arrays of different lengths.
        """
        sample = _sample(scores, labels, weights)
        if not len(sample.labels):
            return cls("none")
        if min(np.sum(sample.labels == 0), np.sum(sample.labels == 1)) < FEW:
            return _shift(sample)
        best, least = _shift, _losses_left_out(_shift, sample)
        for kind in (_platt, _beta):
            gain = least - (losses := _losses_left_out(kind, sample))
            if gain.sum() > gain.std() * math.sqrt(len(gain)):
                best, least = kind, losses
        return best(sample)

    def __call__(self, scores: npt.ArrayLike) -> Floats:
        """Strictly between 0 and 1; NaN stays NaN."""
        return _probability(_logs(scores), self)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Calibration:
        """Raises ValueError, KeyError or TypeError for what `as_json` never wrote."""
        return cls(str(told["kind"]), float(told["a"]), float(told["b"]), float(told["c"]))


def expected_calibration_error(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, bins: int = 10
) -> float:
    """Mean distance of what was said from what happened, over bins of equal weight; NaN without rows.

    Equal probabilities share a bin, so that the order of the rows says nothing.
    """
    told, happened = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    weight = np.ones(len(told)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not weight.sum() > 0:
        return float("nan")
    _, level = np.unique(told, return_inverse=True)
    mass = np.bincount(level, weight)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    place = np.minimum((middle * bins).astype(np.int64), bins - 1)[level]
    return float(np.abs(np.bincount(place, weight * (told - happened))).sum() / weight.sum())


@dataclass(frozen=True)
class _Sample:
    """`logs` holds log p and −log(1 − p), of shape (2, rows); weights have mean 1."""

    logs: Floats
    labels: Floats
    weights: Floats

    def __getitem__(self, rows: npt.NDArray[np.bool_]) -> _Sample:
        return _Sample(self.logs[:, rows], self.labels[rows], self.weights[rows])


def _sample(scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None) -> _Sample:
    logs, label = _logs(scores), np.asarray(labels, dtype=np.float64)
    weight = np.ones(len(label)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not logs.shape[1] == len(label) == len(weight):
        raise ValueError(f"{logs.shape[1]} scores, {len(label)} labels and {len(weight)} weights: give one for each")
    if not (np.isin(label, (0, 1)).all() and np.isfinite(logs).all() and np.isfinite(weight).all()):
        raise ValueError("a label is neither 0 nor 1, or a score or a weight is no number")
    if (weight < 0).any():
        raise ValueError("a weight is below 0")
    weight = weight / max(weight.max(initial=0), np.finfo(np.float64).tiny)
    counts = weight > 0
    return _Sample(logs, label, weight * (counts.sum() / max(weight.sum(), 1)))[counts]


def _logs(scores: npt.ArrayLike) -> Floats:
    p = np.clip(np.asarray(scores, dtype=np.float64), EDGE, 1 - EDGE)
    return np.stack([np.log(p), -np.log1p(-p)])


def _probability(logs: Floats, by: Calibration) -> Floats:
    odds = by.a * logs[0] + by.b * logs[1] + by.c
    probability: Floats = expit(np.clip(odds, -FARTHEST, FARTHEST))
    return probability


def _shift(sample: _Sample) -> Calibration:
    """The base rate is met, half a row of each class added: none seen is not never."""
    odds, weights = sample.logs[0] + sample.logs[1], sample.weights
    rate = (np.sum(weights * sample.labels) + 0.5) / (np.sum(weights) + 1)
    c = brentq(lambda c: np.sum(weights * (expit(odds + c) - rate)), -2 * FARTHEST, 2 * FARTHEST)
    return Calibration("shift", c=c)


def _platt(sample: _Sample) -> Calibration:
    slope, c = _logistic([sample.logs[0] + sample.logs[1]], sample)
    return Calibration("platt", slope, slope, c)


def _beta(sample: _Sample) -> Calibration:
    a, b, c = _logistic([*sample.logs], sample)
    return Calibration("beta", a, b, c)


def _logistic(columns: Sequence[Floats], sample: _Sample) -> list[float]:
    """Slopes above 0, and an intercept. One row's worth of belief in slopes of 1 keeps them finite when the
    classes do not overlap."""
    rows = len(sample.labels)

    def loss(slopes: Floats) -> tuple[float, list[float]]:
        odds = sum((slope * column for slope, column in zip(slopes, columns, strict=False)), start=slopes[-1])
        off, pull = sample.weights * (expit(odds) - sample.labels), slopes[:-1] - 1
        lost = np.sum(sample.weights * (np.logaddexp(0, odds) - sample.labels * odds)) + np.sum(pull**2) / 2
        steps = [np.sum(off * column) + each for column, each in zip(columns, pull, strict=True)]
        return lost / rows, [step / rows for step in (*steps, off.sum())]

    start = [*(1.0 for _ in columns), _shift(sample).c]
    bounds = [*((FLATTEST, None) for _ in columns), (None, None)]
    found = minimize(loss, start, jac=True, method="TNC", bounds=bounds, options=EXACT)
    return [float(each) for each in found.x]


def _losses_left_out(fit: Callable[[_Sample], Calibration], sample: _Sample) -> Floats:
    """Weighted log-loss of each row by what the other folds taught; every fold has its share of each class."""
    order = np.random.default_rng(0).permutation(len(sample.labels))
    fold = np.empty(len(order), dtype=np.int64)
    fold[order[np.argsort(sample.labels[order], kind="stable")]] = np.arange(len(order)) % FOLDS
    losses = np.empty(len(order))
    for each in range(FOLDS):
        out = sample[fold == each]
        p = _probability(out.logs, fit(sample[fold != each]))
        losses[fold == each] = -out.weights * np.where(out.labels == 1, np.log(p), np.log1p(-p))
    return losses
