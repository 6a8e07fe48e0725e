"""Walking an application's chains: who held its things before, and what was known of them then.

Compiled loops serve the whole portfolio and a single new application: rows are visited in the order in which their
files arrive, each sees only what was told before its own file, and every sum is taken newest first. So one row gives
the same bits alone as among all others.

Loops that call each other stand in one file, since Numba's cache does not see a change in another.
"""

from __future__ import annotations

from gnn.walk.bureau import BUREAU, inquiries
from gnn.walk.crowds import CROWDS, Crowds, crowds
from gnn.walk.kinds import (
    BY_KIND,
    HISTORY,
    HOME,
    KINDS,
    MOST_LINKS,
    NEWEST,
    ODD_POINTS,
    POST_KINDS,
    RECENT_DAYS,
    UNION,
    WEIGHTS,
    WINDOW_DAYS,
    kind_table,
)
from gnn.walk.links import Linked, Links, Scratch, Stated, link
from gnn.walk.seen import seen_before

__all__ = [
    "BUREAU", "BY_KIND", "CROWDS", "HISTORY", "HOME", "KINDS", "MOST_LINKS", "NEWEST", "ODD_POINTS", "POST_KINDS",
    "RECENT_DAYS", "UNION", "WEIGHTS", "WINDOW_DAYS", "Crowds", "Linked", "Links", "Scratch", "Stated", "crowds",
    "inquiries", "kind_table", "link", "seen_before",
]  # fmt: skip
