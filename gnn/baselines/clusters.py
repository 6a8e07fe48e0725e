"""Communities as a score: how suspicious the best candidate ring is that an application would join.

The ring job looks at all candidates of a night, of Leiden at several resolutions and of components; an application
takes the best score among those of the people it is linked with, and of its own person. Between nights nothing moves.
"""

from __future__ import annotations

import numpy as np

from gnn.book import Book, Floats
from gnn.walk import Links
from graph.records import DAY, Ints
from graph.rings import examine

WINDOW_DAYS = 120
EVERY_DAYS = 10


def clustered(book: Book, links: Links, rows: Ints, *, every_days: int = EVERY_DAYS) -> Floats:
    """Per row 0 to 1, as of the latest of the nights, `every_days` apart, that lies before it."""
    told = np.zeros(len(rows))
    if not len(rows):
        return told
    when, step = book.as_of[rows], every_days * DAY
    first = int(when.min()) - 1
    night_of = first + (when - 1 - first) // step * step
    for night in np.unique(night_of).tolist():
        those = night_of == night
        told[those] = _joined(book, links, rows[those], _best(book, night))
    return told


def _best(book: Book, night: int) -> Floats:
    """Per application the best score of a candidate that its person is in; 0 without one."""
    found = examine(book.snapshot, as_of=night, window_days=WINDOW_DAYS)
    best = np.zeros(found.projection.size)
    np.maximum.at(best, found.groups.member, found.scores[found.groups.number])
    return np.where(book.as_of <= night, best[found.projection.party], 0.0)


def _joined(book: Book, links: Links, rows: Ints, best: Floats) -> Floats:
    linked = links.row[rows]
    through_links = np.where(linked >= 0, best[linked], 0.0).max(axis=1, initial=0.0)
    person = np.zeros(int(book.person.max()) + 1)
    np.maximum.at(person, book.person, best)
    return np.asarray(np.maximum(through_links, person[book.person[rows]]))
