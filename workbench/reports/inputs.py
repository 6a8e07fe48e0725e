"""Whether what comes in moved: applications of a week beside those of the weeks before, field by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gnn.evaluation.monitor import psi
from graph.records import DAY
from workbench.reports.ground import Ground

FIELDS = (
    "amount",
    "ltv",
    "term_months",
    "down_payment",
    "invoice_price",
    "extras_amount",
    "form_seconds",
    "edit_count",
)
"""Of an application as it is submitted; none of them is known later only."""

RECENT_DAYS, BEFORE_DAYS = 28, 84
ENOUGH = 50
"""Applications on each side below which a shift says nothing."""


@dataclass(frozen=True)
class Moved:
    """`psi` is NaN where too few applications state the field."""

    field: str
    psi: float
    before: float
    now: float
    stated: float


def moved(ground: Ground) -> Sequence[Moved]:
    """The medians of both sides, and the share of the newer ones that state it; the most moved first."""
    nodes = ground.facts.snapshot.nodes["Application"]
    age = ground.moment.known - ground.each.submitted
    recent = ground.there & (age >= 0) & (age < RECENT_DAYS * DAY)
    earlier = ground.there & (age >= RECENT_DAYS * DAY) & (age < (RECENT_DAYS + BEFORE_DAYS) * DAY)
    if min(int(recent.sum()), int(earlier.sum())) < ENOUGH:
        return ()
    found = []
    for field in FIELDS:
        values = nodes.numbers(field)
        now, before = values[recent], values[earlier]
        known = np.isfinite(now), np.isfinite(before)
        if min(int(each.sum()) for each in known) < ENOUGH:
            continue
        medians = float(np.median(before[known[1]])), float(np.median(now[known[0]]))
        found.append(Moved(field, psi(before, now), *medians, float(known[0].mean())))
    return sorted(found, key=lambda one: (-one.psi, one.field))
