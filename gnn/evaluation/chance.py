"""How far a figure could be chance: Wilson's interval of a share, and the bootstrap by ring of anything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from gnn.evaluation.ranking import Bools, Floats, Ints, Steps, Times

Z = 1.96


@dataclass(frozen=True)
class Share:
    """`hits` of `of`, with the Wilson interval of 95 %; nan of nothing."""

    hits: int
    of: int
    value: float
    low: float
    high: float


def wilson(hits: int, of: int) -> Share:
    if of == 0:
        return Share(0, 0, np.nan, 0.0, 1.0)
    share, spread = hits / of, Z * Z / of
    centre = (share + spread / 2) / (1 + spread)
    half = Z * sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return Share(hits, of, share, max(0.0, centre - half), min(1.0, centre + half))


@dataclass(frozen=True)
class Estimate:
    """A measure of the rows as they are, and over the draws its mean and the middle 95 %."""

    value: float
    mean: float = np.nan
    low: float = np.nan
    high: float = np.nan

    @classmethod
    def of(cls, value: float, draws: Floats) -> Estimate:
        """Draws without a value (a class that was not drawn) are passed over."""
        draws = draws[np.isfinite(draws)]
        if not len(draws):
            return cls(value)
        low, high = np.percentile(draws, [2.5, 97.5])
        return cls(value, float(draws.mean()), float(low), float(high))

    @classmethod
    def by(cls, measure: Callable[[Steps], Floats], as_is: Steps, drawn: Steps) -> Estimate:
        return cls.of(float(measure(as_is)[0]), measure(drawn))


def resample(is_fraud: Bools, ring: Ints, *, draws: int, seed: int) -> Times:
    """How often each draw took each application; `ring` is negative outside rings.

    Members of a ring stand or fall together, so a ring is drawn whole; fraud outside rings and honest
    applications are drawn one by one. Drawing rows would make the intervals far too narrow.
    """
    rng = np.random.default_rng(seed)
    alone = np.arange(len(ring)) + ring.max(initial=0) + 1
    _, unit = np.unique(np.where(ring < 0, alone, ring)[is_fraud], return_inverse=True)
    times = np.empty((draws, len(is_fraud)), dtype=np.int16)
    for draw in times:
        draw[is_fraud] = _drawn(rng, unit.max(initial=-1) + 1)[unit]
        draw[~is_fraud] = _drawn(rng, int((~is_fraud).sum()))
    return times


def _drawn(rng: np.random.Generator, units: int) -> Ints:
    return np.bincount(rng.integers(units, size=units), minlength=units) if units else np.zeros(0, dtype=np.int64)
