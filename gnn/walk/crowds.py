"""Other customers of the same dealer or salesperson in the weeks before."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np

from gnn.book import ROLE, Book, Floats
from gnn.walk.kinds import CROWD, MOST_LINKS, ODD_POINTS, RECENT_DAYS, WIDER
from gnn.walk.links import Links, Stated, last_told
from graph.records import DAY, Ints

CROWDS = (
    "volume_7d", "volume_30d", "volume_jump", "points", "odd_30d", "linked_share", "linked_weight", "fraud",
    "fraud_30d", "cleared", "declined_share", "same_province", "similar_amount", "same_model", "odd_same_province",
    "odd_7d",
)  # fmt: skip
BEFORE_DAYS = 90


class Crowds(NamedTuple):
    """Per row of the call, columns as in `CROWDS`; NaN without a dealer, or without a salesperson."""

    dealer: Floats
    salesperson: Floats


def crowds(book: Book, rows: Ints, stated: Stated, links: Links, *, night: int | None = None) -> Crowds:
    """`links` hold those of all that arrived before these rows; with `night` those of everybody by then."""
    out = Crowds(np.full((len(rows), len(CROWDS)), np.nan), np.full((len(rows), len(CROWDS)), np.nan))
    now = book.as_of if night is None else np.full(len(book), night)
    begin = book.pairs.previous if night is None else last_told(book.pairs, night)
    _crowds(
        rows, now, book.as_of, book.submitted, book.pairs, begin, night is not None, stated, book.labels.said, links,
        out,
    )  # fmt: skip
    return out


DEALER, SALESPERSON = ROLE["dealer"], ROLE["salesperson"]


@numba.njit(cache=True)
def _crowds(rows, at, when, submitted, pairs, begin, later, stated, said, links, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    for place in range(len(rows)):
        row = rows[place]
        for pair in range(pairs.start[row], pairs.start[row + 1]):
            if pairs.told_at[pair] > at[row]:
                continue
            if pairs.role[pair] == DEALER:
                seen = out.dealer[place]
            elif pairs.role[pair] == SALESPERSON:
                seen = out.salesperson[place]
            else:
                continue
            _crowd(row, at[row], when[row], begin[pair], submitted, pairs, later, stated, said, links, seen)


@numba.njit(cache=True)
def _crowd(row, now, then, first, submitted, pairs, later, stated, said, links, out):  # type: ignore[no-untyped-def]  # noqa: PLR0917
    out[:] = 0.0
    other, steps, before, recent = first, 0, 0, 0
    while other >= 0 and steps < (WIDER * CROWD if later else CROWD):
        if (then - pairs.told_at[other]) / DAY > BEFORE_DAYS + RECENT_DAYS:
            break
        one = pairs.application[other]
        other = pairs.previous[other]
        age = abs(then - submitted[one]) / DAY
        if one == row or age > BEFORE_DAYS + RECENT_DAYS:
            continue
        steps += 1
        evidence = _evidence(said, one, now)
        out[7] += max(evidence, 0.0)
        out[8] += max(evidence, 0.0) * (age <= RECENT_DAYS)
        out[9] += evidence < 0.0
        if age > RECENT_DAYS:
            before += 1
            continue
        recent += 1
        odd, same = stated.points[one] >= ODD_POINTS, stated.province[one] == stated.province[row]
        out[0] += age <= 7.0
        out[3] += stated.points[one]
        out[4] += odd
        out[5] += links.row[one, 0] >= 0
        for at in range(MOST_LINKS):
            if links.row[one, at] < 0:
                break
            out[6] += links.weight[one, at]
        out[10] += stated.declined_at[one] <= now
        out[11] += same
        out[12] += abs(stated.amount[one] - stated.amount[row]) <= 0.05 * stated.amount[row]
        out[13] += stated.model[one] == stated.model[row] and stated.model[row] >= 0
        out[14] += odd and same
        out[15] += odd and age <= 7.0
    out[1] = recent
    out[2] = recent / (before / 3.0 + 1.0)
    for column in (3, 5, 6, 10):
        out[column] /= max(recent, 1)


@numba.njit(cache=True)
def _evidence(said, one, now):  # type: ignore[no-untyped-def]
    """Of fraud as it was known then: 0 for none, below for cleared."""
    statement = said.last[one]
    while statement >= 0 and said.known_at[statement] > now:
        statement = said.previous[statement]
    return said.weight[statement] if statement >= 0 else 0.0
