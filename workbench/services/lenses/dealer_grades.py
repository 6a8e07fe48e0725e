"""A grade for each dealer, A to E, from the same figures as its page, and why: so that a channel is treated alike
wherever its dealers stand (渠道分级).

Only what is sure moves a grade: a share counts where its whole 95 % interval lies beyond what peers have. A lender's
own grade, where its tables state one, stands beside it and is never overwritten.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from graph.records import Ints
from workbench.services.lenses.dealer_table import DealerTable
from workbench.services.lenses.shrinkage import JUMP, Shrunk, shrunk

Flags = npt.NDArray[np.bool_]

LETTERS = "ABCDE"
A, B, C, D, E = range(5)
FAR = 2.0
"""Times what peers have, at least."""

FEW, PLENTY = 30, 100
"""Applications of a year: below FEW nobody is graded better than C, and A takes PLENTY."""

FINDINGS: dict[str, int] = {
    "alert": E, "far_more_fraud": E, "far_more_early": E, "more_fraud": D, "more_early": D, "linked_and_rings": D,
    "more_linked": C, "jump": C, "rings": C, "few": C,
}  # fmt: skip
"""What is found, and the grade that it leads to at best."""


class Grade(NamedTuple):
    """`because`: of FINDINGS those that hold for this letter, `less` for an A, nothing for a B."""

    letter: str
    because: tuple[str, ...]


class Grades:
    """Of all dealers; `numbers` are 0 (A) to 4 (E)."""

    def __init__(self, table: DealerTable) -> None:
        self._found = findings(table)
        worst = np.max([np.where(holds, FINDINGS[name], B) for name, holds in self._found.items()], axis=0)
        less = (table.fraud.high < table.fraud.expected) & (table.early.high < table.early.expected)
        self.numbers: Ints = np.where((worst == B) & less & (table.year >= PLENTY), A, worst).astype(np.int64)

    def of(self, at: int) -> Grade:
        number = int(self.numbers[at])
        if number < C:
            return Grade(LETTERS[number], ("less",) if number == A else ())
        names = (name for name, best in FINDINGS.items() if best == number and self._found[name][at])
        return Grade(LETTERS[number], tuple(names))


def findings(table: DealerTable) -> dict[str, Flags]:
    jumped = np.nan_to_num(table.jumps, nan=0.0).max(axis=1, initial=0.0) >= JUMP
    number = np.maximum(table.year, table.in_rings).astype(np.float64)
    ringed = shrunk(table.in_rings.astype(np.float64), number, table.region, table.kind)
    linked, rings = _more(table.shared), _more(ringed)
    return {
        "alert": table.alert,
        "far_more_fraud": table.fraud.surely_times >= FAR,
        "far_more_early": table.early.surely_times >= FAR,
        "more_fraud": _more(table.fraud),
        "more_early": _more(table.early),
        "linked_and_rings": linked & rings,
        "more_linked": linked,
        "jump": jumped,
        "rings": rings,
        "few": table.year < FEW,
    }


def _more(share: Shrunk) -> Flags:
    return np.asarray(share.low > share.expected)
