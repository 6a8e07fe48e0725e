"""Loans that are paid out, in four tiers by what is known of them at the end of a month (客户分层).

What the graph tells counts most: a loan that is paid on time and was linked to confirmed fraud since is looked at
before one that is only late.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.records import Ints, from_millis, node_ids
from workbench.casebook import loan_alerts
from workbench.casebook.loan_alerts import Alert
from workbench.reports.ground import Ground
from workbench.reports.rolling import states

Flags = npt.NDArray[np.bool_]

TIERS = ACT, WATCH, LATE, USUAL = range(4)
NO_LOAN = -1
"""Not paid out by then, or settled."""

FINDINGS: Mapping[str, int] = {
    "fraud": ACT, "strong_alert": ACT, "ring_and_late": ACT, "near_fraud": WATCH, "ring": WATCH, "alert": WATCH,
    "late": LATE,
}  # fmt: skip
"""What is found of a loan, and the tier that it leads to at least; the gravest first."""

WEAK = "weak"
BEYOND = 2
"""State of `rolling` from which a loan is late: 31 days and more."""


@dataclass(frozen=True)
class Tiered:
    """Per application: its tier, or NO_LOAN; and per finding for whom it holds."""

    tier: Ints
    found: Mapping[str, Flags]

    def because(self, row: int) -> tuple[str, ...]:
        return tuple(name for name, holds in self.found.items() if holds[row])


def tiered(ground: Ground) -> Tiered:
    each, size = ground.each, len(ground.each.there)
    late = states(ground.facts.instalments, ground.moment.known, size) >= BEYOND
    ring = each.ring >= 0
    strong, weak = _alerted(ground, size)
    found = {
        "fraud": each.fraud, "strong_alert": strong, "ring_and_late": ring & late, "near_fraud": near_fraud(ground),
        "ring": ring, "alert": weak, "late": late,
    }  # fmt: skip
    tier = np.min([np.where(holds, FINDINGS[name], USUAL) for name, holds in found.items()], axis=0)
    loan = each.there & each.funded & ~each.closed
    return Tiered(np.where(loan, tier, NO_LOAN).astype(np.int64), found)


def near_fraud(ground: Ground) -> Flags:
    """Whose applicant shares something with somebody whose application is confirmed as fraud, other than himself."""
    links, fraud = ground.dealers.links, ground.each.fraud
    people = int(links.party.max(initial=-1)) + 1
    known, near = np.zeros(people, dtype=bool), np.zeros(people, dtype=bool)
    known[links.party[fraud & (links.party >= 0)]] = True
    near[links.second[known[links.first]]] = True
    near[links.first[known[links.second]]] = True
    return np.asarray((links.party >= 0) & near[links.party] & ~known[links.party])


def _alerted(ground: Ground, size: int) -> tuple[Flags, Flags]:
    """Of whom a strong alert, or one that asks for a person, held then; and of whom a weak one."""
    with ground.office.casebook.reading() as db:
        told = loan_alerts.held(db, from_millis(ground.moment.known))
    return _rows(ground, size, [each for each in told if each.strength != WEAK]), _rows(
        ground, size, [each for each in told if each.strength == WEAK]
    )


def _rows(ground: Ground, size: int, alerts: Sequence[Alert]) -> Flags:
    flags = np.zeros(size, dtype=bool)
    nodes = ground.facts.snapshot.nodes["Application"]
    at = nodes.index_of(node_ids("Application", [each.application_id for each in alerts]))
    flags[at[at >= 0]] = True
    return flags
