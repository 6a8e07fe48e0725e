"""Rates of few cases, and jumps of small volumes: what can be said of a dealer with thirty loans.

Rates are beta-binomial, empirical Bayes. Of a dealer with n loans of which x are bad,

    posterior = Beta(K·m + x, K·(1 − m) + n − x),   mean = (K·m + x) / (K + n)

m is what its peers would have had: the share of the other dealers of its region, pulled towards the whole
portfolio's, times what the others of its type have to the portfolio, pulled likewise. How many loans the portfolio
counts for beside a region or a type, and how many loans K its peers count for beside a dealer, are the numbers under
which all of them together are the most likely. A dealer with no loans stands at m; with more and more it stands at
its own share.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv, betaln

from graph.records import Ints

Floats = npt.NDArray[np.float64]

PRIOR = 20.0
"""As `gnn.rules.night_columns`, so that a dealer's alert (R25) and its page say the same of its region."""

LEAST_SHARE = 1e-6
STRENGTHS = np.geomspace(2.0, 500.0, 40)
OF_GROUPS = np.geomspace(20.0, 20_000.0, 40)
FEWEST_UNITS, FEWEST_CASES = 8, 10
"""Below them nobody can say how much dealers differ, or regions."""

TAIL = 0.025


@dataclass(frozen=True)
class Shrunk:
    """Per dealer: `cases` of `number`, what was `expected` of it, and its share with its 95 % credible interval.

    `strength` is K: how many loans the expectation counts for.
    """

    cases: Floats
    number: Floats
    expected: Floats
    mean: Floats
    low: Floats
    high: Floats
    strength: float

    @property
    def times(self) -> Floats:
        """The share to the expected one."""
        return self.mean / self.expected

    @property
    def surely_times(self) -> Floats:
        """The low end of the interval to the expected share."""
        return self.low / self.expected


def shrunk(cases: Floats, number: Floats, region: Ints, kind: Ints) -> Shrunk:
    """`region` and `kind` number each dealer's region and type, from 0 on."""
    m = expected(cases, number, region, kind)
    k = _most_likely(STRENGTHS, cases, number, m, otherwise=PRIOR)
    alpha, beta = k * m + cases, k * (1 - m) + number - cases
    mean, low, high = interval(alpha, beta)
    return Shrunk(cases, number, m, mean, low, high, k)


def interval(alpha: Floats, beta: Floats) -> tuple[Floats, Floats, Floats]:
    """(mean, low, high) of Beta: 95 % between equal tails. Where nearly nothing was ever lost the mean lies beyond, and
    is the high end."""
    mean: Floats = alpha / (alpha + beta)
    low, high = betaincinv(alpha, beta, TAIL), betaincinv(alpha, beta, 1 - TAIL)
    return mean, np.minimum(low, mean), np.maximum(high, mean)


def expected(cases: Floats, number: Floats, region: Ints, kind: Ints) -> Floats:
    """What its peers would have had, never by its own doing."""
    overall = cases.sum() / max(number.sum(), 1.0)
    if overall <= 0:
        return np.full(len(cases), LEAST_SHARE)
    near, alike = (_of_others(cases, number, group, overall) for group in (region, kind))
    told: Floats = np.clip(near * alike / overall, LEAST_SHARE, 0.95)
    return told


def _of_others(cases: Floats, number: Floats, group: Ints, overall: float) -> Floats:
    """Per dealer the share of its group without itself, pulled towards the whole."""
    x, n = (np.bincount(group, weights=each).astype(np.float64) for each in (cases, number))
    k = _most_likely(OF_GROUPS, x, n, np.full(len(x), overall), otherwise=OF_GROUPS[-1])
    share: Floats = (x[group] - cases + k * overall) / (n[group] - number + k)
    return share


def _most_likely(strengths: Floats, cases: Floats, number: Floats, m: Floats, *, otherwise: float) -> float:
    """The K under which all units together are the most likely, `otherwise` where they are too few to tell."""
    there = number > 0
    if there.sum() < FEWEST_UNITS or cases.sum() < FEWEST_CASES:
        return float(otherwise)
    x, n, m = (each[there][:, None] for each in (cases, number, m))
    prior = strengths * m, strengths * (1 - m)
    likely = (betaln(prior[0] + x, prior[1] + n - x) - betaln(*prior)).sum(axis=0)
    return float(strengths[likely.argmax()])


def region_share(cases: Floats, number: Floats, region: Ints) -> Floats:
    """What R25 holds a dealer against: the other dealers of its region, and `PRIOR` loans of the whole portfolio."""
    overall = cases.sum() / max(number.sum(), 1.0)
    lost, loans = (np.bincount(region, weights=each)[region] - each for each in (cases, number))
    share: Floats = (lost + PRIOR * overall) / (loans + PRIOR)
    return share


# Jumps ---------------------------------------------------------------------------------------------------

BEFORE = 26
"""Weeks a week is held against, of which a dealer needs `FEWEST_WEEKS` of its own."""

FEWEST_WEEKS = 8
JUMP = 4.0


def jumps(weekly: Floats, last: int) -> Floats:
    return jumps_and_usual(weekly, last)[0]


def jumps_and_usual(weekly: Floats, last: int) -> tuple[Floats, Floats]:
    """Robust z of the last weeks, (dealers, `last`): how far a week lies above what is usual for the dealer; and that.

    `weekly` (dealers, weeks) ends with the newest whole week. Usual is the dealer's median of the 26 weeks before,
    times the season: what the other dealers did that week to their own median of the same weeks. The spread is 1.4826
    times the median distance of those weeks from their median, at least that of a Poisson count. NaN for a dealer of
    fewer than eight weeks, counted from its first application.
    """
    z, levels = np.full((2, len(weekly), last), np.nan)
    started = np.where(weekly.any(axis=1), (weekly > 0).argmax(axis=1), weekly.shape[1])
    others = weekly.sum(axis=0) - weekly
    for back in range(last):
        at = weekly.shape[1] - last + back
        if at < FEWEST_WEEKS:
            continue
        first = max(0, at - BEFORE)
        before = np.where(np.arange(first, at) >= started[:, None], weekly[:, first:at], np.nan)
        enough = np.isfinite(before).sum(axis=1) >= FEWEST_WEEKS
        if not enough.any():
            continue
        median, spread = _usual(before[enough])
        elsewhere = np.nanmedian(np.where(np.isfinite(before), others[:, first:at], np.nan)[enough], axis=1)
        season = np.where(elsewhere > 0, others[enough, at] / np.maximum(elsewhere, 1), 1.0)
        level = median * season
        z[enough, back] = (weekly[enough, at] - level) / np.maximum(spread, np.sqrt(np.maximum(level, 1.0)))
        levels[enough, back] = level
    return z, levels


def _usual(before: Floats) -> tuple[Floats, Floats]:
    median = np.nanmedian(before, axis=1)
    return median, 1.4826 * np.nanmedian(np.abs(before - median[:, None]), axis=1)
