"""How many cases are open, since when, and whose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from workbench.reports.casework import Standing
from workbench.reports.catalogue import Asked
from workbench.reports.document import Figure
from workbench.ui.i18n import t

AGES = (1, 3, 7, 14)
"""Days that part the backlog."""


def ages(still: Sequence[Standing], now: datetime) -> list[int]:
    """Open cases by age class; one more class than AGES."""
    counts = [0] * (len(AGES) + 1)
    for one in still:
        counts[sum((now - one.opened_at) / timedelta(days=1) >= each for each in AGES)] += 1
    return counts


def age_names() -> list[str]:
    first = t("under {days} day", days=AGES[0])
    between = [t("{low} to {high} days", low=low, high=high) for low, high in pairwise(AGES)]
    return [first, *between, t("{days} days and more", days=AGES[-1])]


def case_figures(cases: Sequence[Standing], asked: Asked) -> tuple[Figure, ...]:
    """At the end of the slot, and within it."""
    still, now, start = [one for one in cases if not one.closed], asked.as_of, asked.slot.start
    return (
        Figure(t("Open cases"), len(still)),
        Figure(t("Nobody's"), sum(not one.assignee for one in still)),
        Figure(t("Overdue"), sum(one.deadline is not None and one.deadline < now for one in still)),
        Figure(t("Cases opened"), sum(one.opened_at >= start for one in cases)),
        Figure(t("Cases closed"), sum(one.closed_at is not None and one.closed_at >= start for one in cases)),
    )
