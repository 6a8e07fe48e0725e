"""Which candidates are rings: a score for each, and the best ones that do not overlap."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from graph.candidates import Groups
from graph.measure import Measured
from graph.projection import UNIT
from graph.records import Ints

Floats = npt.NDArray[np.float64]

HALF_SCORE = 2.25
"""Scores .5: three people whose down payments one account made, on one day at one dealer."""

LEAST_SCORE = 0.35
"""What scores less is not worth an investigator's look."""

MOST_SHARE = 0.02
"""No more of the window's applications are listed: investigators look at 0.5 to 2 % (domain.md §1.3)."""

ALWAYS = 20
"""So many groups may always be listed, however small the window."""

TIE = 0.5
"""What a tie of context counts against a link of the same weight."""

POINTS = 20
"""So many points a person above the window's average double a score; so many below nearly end it."""

LEAST_RISK, MOST_RISK = 0.3, 4.0


def score(measured: Measured, *, average: float, factor: Floats) -> Floats:
    """0 to 1, never reached; 0 where nothing is shared. Spread by a square root, it is the product of

    - what each member shares with the others, in units (`projection.py`), and how many of them are linked at all,
    - the number of independent strands that carry it: the exponential of their entropy,
    - how closed the group is: the part of its members' links that stays inside,
    - how odd its members are: points (`signs.py`) against the window's `average`,
    - what doubts leave of it (`lookalikes.py`).
    """
    inside = measured.inside / UNIT
    total = inside.sum(axis=1)
    people = np.maximum(measured.people, 1)
    part = inside / np.maximum(total, 1e-9)[:, None]
    strands = np.exp(-(part * np.log(np.maximum(part, 1e-9))).sum(axis=1))
    closed = total / np.maximum(total + measured.leaving / UNIT, 1e-9)
    risk = np.clip(1 + (measured.points - average) / POINTS, LEAST_RISK, MOST_RISK)
    each = (total + TIE * measured.tied / UNIT) / people * (measured.linked / people)
    x = np.where(total > 0, each * strands * closed * risk * factor, 0.0)
    x = np.sqrt(x / HALF_SCORE)
    return np.asarray(np.round(x / (x + 1), 4))


def choose(groups: Groups, scores: Floats, *, parties: int, favour: Floats | None = None) -> Ints:
    """The best groups that share nobody, the best first; of equals the larger, then that of earlier members.

    `parties` bounds the numbers of members. `favour` lets a group go before better ones; it makes none good enough.
    """
    worth = np.flatnonzero(scores >= LEAST_SCORE)
    scores = scores if favour is None else scores + favour
    first = groups.member[groups.start[worth]]
    order = worth[np.lexsort((first, -groups.sizes[worth], -scores[worth]))]
    return np.asarray(order[_apart(groups.start, groups.member, order, parties)])


@numba.njit(cache=True)
def _apart(start: Ints, member: Ints, order: Ints, parties: int) -> npt.NDArray[np.bool_]:
    """Which of them share nobody with one before."""
    taken = np.zeros(parties, dtype=np.bool_)
    kept = np.zeros(len(order), dtype=np.bool_)
    for place in range(len(order)):
        own = member[start[order[place]] : start[order[place] + 1]]
        if not taken[own].any():
            taken[own] = True
            kept[place] = True
    return kept
