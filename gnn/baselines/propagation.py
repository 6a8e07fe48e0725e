"""Label propagation: how near an application stands to known fraud, over prior links, and nothing is learned.

Every night what was known of fraud flows along all links between the applications known by then, forth and back
(Zhu & Ghahramani 2002, with a sink, so that one distant fraud does not colour a whole component). The applications of
the next day take what reaches them: their links lead to those before, so nothing later has a say.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from gnn.book import FILE_MILLIS, Book, Floats
from gnn.priors import PriorLinks
from graph.records import CHINA, DAY, Ints

SINK = 1.0
"""A link of this weight leads from each application to an honest one."""

STEPS = 8


def propagated(book: Book, links: PriorLinks, rows: Ints) -> Floats:
    """Per row 0 to 1: what flowed to the applications that it is linked with, by the night before it."""
    size = len(book)
    into = csr_array((links.weight.astype(np.float64), (links.target, links.source)), shape=(size, size))
    both = (into + into.T).tocsr()
    told, nights = np.zeros(len(rows)), _night_before(book.as_of[rows])
    for night in np.unique(nights).tolist():
        those = nights == night
        own = into[rows[those]]
        told[those] = own @ flowed(book, both, night) / (own.sum(axis=1) + SINK)
    return told


def flowed(book: Book, links: csr_array, night: int) -> Floats:
    """Of all applications, 0 for those that came after the night; `links` lead both ways."""
    here = (book.as_of <= night).astype(np.float64)
    fraud, cleared = book.labels.known(night), book.labels.cleared_from <= night
    fixed, stated = fraud | cleared, np.where(fraud, book.labels.evidence, 0.0)
    share = here / (links @ here + SINK)
    value = np.where(fixed, stated, 0.0) * here
    for _ in range(STEPS):
        value = np.where(fixed, stated, links @ value * share) * here
    return value


def _night_before(when: Ints) -> Ints:
    """The last midnight in China, when an application's file was not there yet."""
    return (when - FILE_MILLIS + CHINA) // DAY * DAY - CHINA
