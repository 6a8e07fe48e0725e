"""How loans rolled from one degree of lateness to the next between the ends of two months.

The state at a month's end is what was known at that very end: an instalment of which nobody had told that it was paid
counts as unpaid, also where it was told later. States: current, 1–30, 31–60, 61–90 and more than 90 days late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from graph.records import to_millis
from workbench.reports.ground import Ground
from workbench.schedule.slots import Slot
from workbench.services.lenses.ledger import Instalments

Counts = npt.NDArray[np.int64]
States = npt.NDArray[np.int8]

EDGES = (1, 31, 61, 91)
"""Days late from which the next state begins."""

SIZE = len(EDGES) + 1
NONE = -1
"""No instalment was due by then."""

SMALL = 20
"""Groups of fewer loans are told together: their shares say nothing, and single borrowers shall not be told."""


@dataclass(frozen=True)
class Rolled:
    """`counts[from, to]` of loans that were paid out and had an instalment due at both ends; (5, 5)."""

    name: str
    counts: Counts

    @property
    def loans(self) -> int:
        return int(self.counts.sum())

    def share(self, source: int, worse: bool = True) -> float:
        """Of those in a state, who were in a worse one a month later (else: in a better one); NaN where nobody was."""
        row = self.counts[source]
        moved = row[source + 1 :] if worse else row[:source]
        return float(moved.sum() / row.sum()) if row.sum() else float("nan")


@dataclass(frozen=True)
class Month:
    """The roll from the end of the month before to the end of `slot`."""

    slot: Slot
    all: Rolled


@dataclass(frozen=True)
class Rolling:
    """`months` up to the newest, which `dealers` and `rings` part; `small_*` says how many groups are told together."""

    months: Sequence[Month]
    dealers: Sequence[Rolled]
    small_dealers: int
    rings: Sequence[Rolled]
    small_rings: int
    late: Counts
    """Loans by state at the end of the newest month; (5,)."""

    @property
    def newest(self) -> Rolled:
        return self.months[-1].all


def states(instalments: Instalments, at: int, size: int) -> States:
    """Per application at a time, in milliseconds, as known then."""
    told = instalments.told(at)
    due = told.only(told.due <= at)
    found = np.full(size, NONE, dtype=np.int8)
    late = np.where((due.paid > 0) & (due.paid <= at), 0, np.maximum(due.days_late(at), 0))
    np.maximum.at(found, due.row, np.searchsorted(EDGES, late, side="right").astype(np.int8))
    return found


def rolling(ground: Ground, months: int) -> Rolling:
    """As of the slot's end, with so many months up to it; those without any loan at both ends are left out."""
    size = len(ground.facts.snapshot.nodes["Application"])
    slots = [ground.asked.slot]
    for _ in range(months - 1):
        slots.insert(0, slots[0].before)
    ends = [to_millis(slots[0].start) - 1, *(to_millis(each.end) - 1 for each in slots)]
    at = [states(ground.facts.instalments, end, size) for end in ends]
    told = [
        Month(slot, Rolled("", _between(before, after))) for slot, before, after in zip(slots, at, at[1:], strict=False)
    ]
    dealers, few = _by(ground.each.dealer, at[-2], at[-1], ground.names("Dealer")[0])
    rings, small = _by(ground.each.ring, at[-2], at[-1], list(ground.rings.rings))
    late = np.bincount(at[-1][at[-1] != NONE], minlength=SIZE)
    first = next((number for number, each in enumerate(told) if each.all.loans), len(told) - 1)
    return Rolling(told[first:], dealers, few, rings, small, late)


def _between(before: States, after: States) -> Counts:
    both = (before != NONE) & (after != NONE)
    return np.bincount(before[both].astype(np.int64) * SIZE + after[both], minlength=SIZE * SIZE).reshape(SIZE, SIZE)


def _by(group: npt.NDArray[np.int64], before: States, after: States, names: Sequence[str]) -> tuple[list[Rolled], int]:
    """Groups of at least SMALL loans, the largest first, then all others as one (with an empty name), and how many
    groups those are. Who is in no group is left out."""
    both = (before != NONE) & (after != NONE) & (group >= 0)
    place = group[both] * SIZE * SIZE + before[both].astype(np.int64) * SIZE + after[both]
    counts = np.bincount(place, minlength=len(names) * SIZE * SIZE).reshape(-1, SIZE, SIZE)
    loans = counts.sum(axis=(1, 2))
    order = [at for at in np.argsort(-loans, kind="stable").tolist() if loans[at] >= SMALL]
    small = (loans > 0) & (loans < SMALL)
    found = [Rolled(names[at], counts[at]) for at in order]
    if small.any():
        found.append(Rolled("", counts[small].sum(axis=0)))
    return found, int(small.sum())
