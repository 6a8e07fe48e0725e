"""How often each thing of an application had been seen before, by itself and without a window."""

from __future__ import annotations

import numba
import numpy as np

from gnn.book import ROLES, Book, Floats
from graph.records import Ints


def seen_before(book: Book, rows: Ints) -> Floats:
    """Per role how many earlier pairs the most common thing has that the row held when scored; NaN without one."""
    seen = np.full((len(rows), len(ROLES)), np.nan)
    _seen(rows, book.as_of, book.pairs, seen)
    return seen


@numba.njit(cache=True)
def _seen(rows, at, pairs, seen):  # type: ignore[no-untyped-def]
    for place in range(len(rows)):
        row = rows[place]
        for pair in range(pairs.start[row], pairs.start[row + 1]):
            role = pairs.role[pair]
            if pairs.told_at[pair] <= at[row] and not seen[place, role] >= pairs.rank[pair]:
                seen[place, role] = pairs.rank[pair]
