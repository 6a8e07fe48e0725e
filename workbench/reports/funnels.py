"""Whether a count is more than chance explains: exact limits of Poisson and binomial counts (funnel limits).

Beyond the limits of 95 % lies one count of twenty when nothing is the matter, beyond those of 99.8 % one of five
hundred. Who looks at many counts sees some beyond by chance: `by_chance` says how many to expect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, poisson

Floats = npt.NDArray[np.float64]

TAILS = (0.025, 0.001)
"""On each side: of 95 % and of 99.8 %."""

LOOK, ACT = 1, 2


@dataclass(frozen=True)
class Judged:
    """A count beside what was expected of it, with the counts that still lie within the limits of 95 % and 99.8 %.
    `level` is 0 within, LOOK beyond 95 %, ACT beyond 99.8 %; below what was expected it is negative."""

    seen: int
    expected: float
    within: tuple[int, int]
    within_far: tuple[int, int]
    level: int


def of_counts(seen: int, expected: float) -> Judged:
    """Against a Poisson mean, which is more than nothing."""
    return _judged(seen, expected, poisson(expected))


def of_shares(seen: int, number: int, share: float) -> Judged:
    """Of `number` at a share that is expected of each."""
    return _judged(seen, number * share, binom(number, share))


def _judged(seen: int, expected: float, law: object) -> Judged:
    near, far = (_limits(law, tail) for tail in TAILS)
    beyond = [not low <= seen <= high for low, high in (near, far)]
    level = ACT if beyond[1] else LOOK if beyond[0] else 0
    return Judged(seen, expected, near, far, level if seen >= expected else -level)


def _limits(law: object, tail: float) -> tuple[int, int]:
    """The least and the most count that is not rarer than the tail, exactly: P(X <= low) and P(X >= high) exceed it."""
    low, high = law.ppf(tail), law.isf(tail)  # type: ignore[attr-defined]
    return int(low), int(high)


def bands(most: int, share: float, points: int = 60) -> list[tuple[float, float, float, float, float]]:
    """For a drawing: number, then shares at the limits of 95 % and of 99.8 %, low and high."""
    if most < 1 or not 0 < share < 1:
        return []
    numbers = np.unique(np.linspace(max(1, most // points), most * 1.06, points).astype(np.int64))
    found = []
    for number in numbers.tolist():
        law = binom(number, share)
        near, far = (_limits(law, tail) for tail in TAILS)
        found.append((float(number), near[0] / number, near[1] / number, far[0] / number, far[1] / number))
    return found


def by_chance(judged: int) -> tuple[float, float]:
    """How many of so many lie beyond 95 % and 99.8 % when nothing is the matter, at most: counts are whole numbers."""
    return judged * 2 * TAILS[0], judged * 2 * TAILS[1]


def beyond(every: Sequence[Judged]) -> tuple[int, int]:
    """How many lie beyond 95 % (those beyond 99.8 % among them), and beyond 99.8 %."""
    return sum(each.level != 0 for each in every), sum(abs(each.level) == ACT for each in every)
