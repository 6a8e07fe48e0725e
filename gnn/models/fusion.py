"""One main model, several auxiliaries (一主多辅): what each adds to the main model's log-odds, if it pays.

An auxiliary enters only when it raises the average precision of the validation months, not just once but in most
resamplings of them. What it adds is never negative, so that a second opinion can raise a score and not hide it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

DRAWS = 40
MOST_TIMES = 0.6
"""In so many of the draws it must help."""

SLOPES = (0.3, 0.6, 1.0)


@dataclass(frozen=True)
class Fusion:
    """`weights` per admitted auxiliary in the order of admission; `gains` the validation AUPRC with and without each
    candidate, admitted or not."""

    weights: Mapping[str, float] = field(default_factory=dict)
    gains: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def added(self, auxiliaries: Mapping[str, Floats]) -> dict[str, Floats]:
        """Log-odds that each admitted auxiliary adds, by row; one that says nothing (NaN) adds nothing."""
        return {name: weight * np.nan_to_num(auxiliaries[name]) for name, weight in self.weights.items()}

    def margin(self, main: Floats, auxiliaries: Mapping[str, Floats]) -> Floats:
        """Log-odds, not calibrated."""
        total = np.array(main, dtype=np.float64)
        for each in self.added(auxiliaries).values():
            total += each
        return total


def fuse(main: Floats, auxiliaries: Mapping[str, Floats], fraud: Flags, weight: Floats, *, seed: int) -> Fusion:
    """Greedily, the most useful first. `fraud` and `weight` are the validation rows' classes; without both classes
    nothing is admitted."""
    if not fraud.any() or fraud.all():
        return Fusion()
    draws = _draws(len(fraud), seed)
    weights: dict[str, float] = {}
    gains: dict[str, tuple[float, float]] = {}
    base, left = np.array(main, dtype=np.float64), dict(auxiliaries)
    while left:
        before = _precision(base, fraud, weight)
        tried = {name: _best(base, np.nan_to_num(each), fraud, weight) for name, each in left.items()}
        gains |= {name: (before, after) for name, (_, after) in tried.items() if name not in gains}
        name = max(tried, key=lambda one: tried[one][1])
        slope = tried[name][0]
        fused = base + slope * np.nan_to_num(left.pop(name))
        if tried[name][1] <= before or not _pays(base, fused, fraud, weight, draws):
            break
        gains[name] = (before, tried[name][1])
        weights[name], base = slope, fused
    return Fusion(weights, gains)


def _best(base: Floats, other: Floats, fraud: Flags, weight: Floats) -> tuple[float, float]:
    """What the other adds to one unit of the base, and the average precision it reaches.

    Chosen by the average precision itself: the likeliest sum would go by the many ordinary applications.
    """
    reached = [(slope, _precision(base + slope * other, fraud, weight)) for slope in SLOPES]
    return max(reached, key=lambda one: one[1])


def _pays(before: Floats, after: Floats, fraud: Flags, weight: Floats, draws: npt.NDArray[np.int64]) -> bool:
    better = [
        _precision(after[rows], fraud[rows], weight[rows]) > _precision(before[rows], fraud[rows], weight[rows])
        for rows in draws
        if fraud[rows].any()
    ]
    return float(np.mean(better)) >= MOST_TIMES if better else False


def _draws(size: int, seed: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, size, (DRAWS, size))


def _precision(margin: Floats, fraud: Flags, weight: Floats) -> float:
    return float(average_precision_score(fraud, margin, sample_weight=weight))
