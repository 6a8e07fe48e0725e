"""Dealers as reports list them, from the table that the lens on dealers shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.reports.ground import Ground
from workbench.services.lenses.dealer_grades import Grade, Grades
from workbench.services.lenses.dealer_rows import Asked as Order
from workbench.services.lenses.dealer_rows import Estimate, ordered, row_of
from workbench.services.lenses.shrinkage import JUMP
from workbench.ui.i18n import number, t


@dataclass(frozen=True)
class DealerLine:
    """`today` applications within the slot, `today_in_rings` of them in rings. `jump` is the largest robust z of
    the last twelve weeks, `weeks_ago` when it was; NaN for a short history. `stated` is the lender's own grade."""

    code: str
    name: str
    region: str
    kind: str
    stated: str
    graded: Grade
    year: int
    month: int
    today: int
    today_in_rings: int
    fraud: Estimate
    early: Estimate
    shared: Estimate
    jump: float
    weeks_ago: int
    rings: int
    in_rings: int
    exposure: float
    savable: float
    alert: bool

    @property
    def jumped(self) -> bool:
        return self.jump >= JUMP


def lines_of(ground: Ground) -> list[DealerLine]:
    """All that were known by then: alerts first, then who surely loses most to its peers."""
    table, each = ground.dealers, ground.each
    size = len(ground.facts.snapshot.nodes["Dealer"])
    within = ground.within & each.there
    today, ringed = (np.bincount(each.dealer[kept], minlength=size) for kept in (within, within & (each.ring >= 0)))
    grades, found = Grades(table), []
    for at in ordered(ground.facts, table, Order()).tolist():
        one = row_of(ground.facts, table, at, grades)
        found.append(
            DealerLine(
                one.code, one.name, one.region, one.kind, one.grade, one.graded, one.year, one.month, int(today[at]),
                int(ringed[at]), one.fraud, one.early, one.shared, one.jump, one.jumped, one.rings, one.in_rings,
                one.exposure, one.savable, one.alert,
            )
        )  # fmt: skip
    return found


def jump_words(one: DealerLine) -> str:
    if not one.jumped:
        return ""
    if not one.weeks_ago:
        return t("jumped this week (z {z})", z=number(one.jump, 1))
    return t("jumped {weeks} weeks ago (z {z})", weeks=one.weeks_ago, z=number(one.jump, 1))
