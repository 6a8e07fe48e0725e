"""Context: odd applications of one dealer in the same weeks.

Sharing a dealer says nothing; half of all customers would be one group. But a ring works
through one to three dealers, and not all of its members reuse a phone or an account. So
an application that shows signs (`signs.py`) is tied loosely to other odd ones of the same
dealer, more so of the same salesperson, a few days apart. Such ties never make a ring:
they only say who may belong to people who share something.
"""

from __future__ import annotations

import numba
import numpy as np

from graph.communities import Links
from graph.records import DAY, Ints
from graph.signs import Signs

ODD = 10
"""Points from which an application counts as odd."""

MOST_POINTS = 60
APART_DAYS = 30
HALF_LIFE_DAYS = 14
SAME_SALESPERSON = 1.5
PER_POINT = 1000 / 30
"""Two with 30 points each, on one day, at a dealer without other odd ones, weigh about 1."""

NEAREST = 40
"""Of a crowd at one dealer each is tied to so many that came after it."""


def context(window: Ints, submitted: Ints, dealer: Ints, salesperson: Ints, signs: Signs) -> Links:
    """Ties between applications of the window, `weight` in thousandths. `dealer` … are per application."""
    odd = window[(signs.points[window] >= ODD) & (dealer[window] >= 0)]
    odd = odd[np.lexsort((odd, submitted[odd], dealer[odd]))]
    end = np.searchsorted(dealer[odd], dealer[odd], side="right")
    points = np.minimum(signs.points[odd], MOST_POINTS)
    first, second, weight = _ties(submitted[odd], points, salesperson[odd], end)
    one, other = odd[first], odd[second]
    return Links(len(dealer), np.minimum(one, other), np.maximum(one, other), weight)


@numba.njit(cache=True)
def _ties(submitted: Ints, points: Ints, salesperson: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
    """Rows are sorted by dealer and time; `end[i]` is where the dealer of row i ends."""
    count = len(submitted)
    crowd = np.ones(count, dtype=np.int64)
    total = 0
    for one in range(count):
        for other in range(one + 1, min(end[one], one + NEAREST + 1)):
            if submitted[other] - submitted[one] > APART_DAYS * DAY:
                break
            crowd[one] += 1
            crowd[other] += 1
            total += 1
    first, second, weight = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    at = 0
    for one in range(count):
        for other in range(one + 1, min(end[one], one + NEAREST + 1)):
            apart = submitted[other] - submitted[one]
            if apart > APART_DAYS * DAY:
                break
            tie = PER_POINT * np.sqrt(points[one] * points[other]) * 0.5 ** (apart / DAY / HALF_LIFE_DAYS)
            if salesperson[one] == salesperson[other] and salesperson[one] >= 0:
                tie *= SAME_SALESPERSON
            first[at], second[at] = one, other
            weight[at] = round(tie / np.log2(1 + max(crowd[one], crowd[other])))
            at += 1
    return first, second, weight
