"""Grades of dealers: what is sure moves them, what is not does not, and worse figures never grade better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from workbench.services.all import Services
from workbench.services.lenses.dealer_grades import FEW, FINDINGS, LETTERS, PLENTY, Grades
from workbench.services.lenses.dealer_rows import Asked
from workbench.services.lenses.shrinkage import JUMP, Shrunk
from workbench.services.permissions import Person, Role

HE = Person("he", "He", Role.AUDITOR)
USUAL = (0.02, 0.01, 0.04)
"""Mean and interval where peers have 0.02."""

OTHERS = np.full(29, 1_000)
"""Applications of the other dealers, of which a fiftieth stands in rings."""

SIZE = 1 + len(OTHERS)


def share(*told: tuple[float, float, float]) -> Shrunk:
    mean, low, high = (np.array(each) for each in zip(*told, strict=True))
    ones = np.ones(len(told))
    return Shrunk(ones, ones, 0.02 * ones, mean, low, high, 20.0)


@dataclass
class Table:
    """What a grade reads of one dealer among others."""

    fraud: tuple[float, float, float] = USUAL
    early: tuple[float, float, float] = USUAL
    shared: tuple[float, float, float] = USUAL
    alert: bool = False
    in_rings: int = 0
    year: int = PLENTY
    jump: float = float("nan")

    def graded(self) -> tuple[str, tuple[str, ...]]:
        @dataclass
        class _Made:
            fraud, early, shared = (
                share(each, *[USUAL] * len(OTHERS)) for each in (self.fraud, self.early, self.shared)
            )
            alert = np.array([self.alert, *[False] * len(OTHERS)])
            in_rings = np.array([self.in_rings, *OTHERS // 50])
            year = np.array([self.year, *OTHERS])
            jumps = np.array([[self.jump, float("nan")]] * SIZE)
            region = kind = np.zeros(SIZE, dtype=np.int64)

        return tuple(Grades(_Made()).of(0))  # type: ignore[arg-type, return-value]


MORE, FAR, LESS = (0.03, 0.021, 0.05), (0.08, 0.05, 0.1), (0.01, 0.005, 0.019)


@pytest.mark.parametrize(
    ("told", "letter", "because"),
    [
        ({}, "B", ()),
        ({"fraud": LESS, "early": LESS}, "A", ("less",)),
        ({"fraud": LESS, "early": LESS, "year": PLENTY - 1}, "B", ()),
        ({"fraud": LESS}, "B", ()),
        ({"fraud": (0.05, 0.019, 0.2)}, "B", ()),
        ({"fraud": MORE}, "D", ("more_fraud",)),
        ({"early": MORE}, "D", ("more_early",)),
        ({"fraud": FAR, "early": MORE}, "E", ("far_more_fraud",)),
        ({"alert": True, "fraud": FAR}, "E", ("alert", "far_more_fraud")),
        ({"shared": MORE}, "C", ("more_linked",)),
        ({"shared": MORE, "in_rings": 30}, "D", ("linked_and_rings",)),
        ({"in_rings": 30}, "C", ("rings",)),
        ({"in_rings": 3}, "B", ()),
        ({"jump": JUMP}, "C", ("jump",)),
        ({"jump": JUMP - 0.01}, "B", ()),
        ({"year": FEW - 1, "fraud": LESS, "early": LESS}, "C", ("few",)),
    ],
)
def test_what_leads_to_a_grade(told: dict[str, Any], letter: str, because: tuple[str, ...]) -> None:
    assert Table(**told).graded() == (letter, because)


def test_each_finding_makes_it_no_better() -> None:
    worse = {"fraud": MORE, "early": MORE, "shared": MORE, "alert": True, "in_rings": 30, "jump": 9.0, "year": 1}
    for name, value in worse.items():
        for other, more in worse.items():
            one, both = Table(**{name: value}).graded(), Table(**{name: value, other: more}).graded()
            assert both[0] >= one[0], (name, other)


def test_dealers_of_a_home_are_graded_and_ordered(services: Services) -> None:
    listed = services.dealers.list(HE, Asked(order="grade"), start=0, end=10_000)
    letters = [each.graded.letter for each in listed.rows]
    assert letters == sorted(letters, reverse=True)
    assert set(letters) <= set(LETTERS)
    assert all(set(each.graded.because) <= {*FINDINGS, "less"} for each in listed.rows)
    one = listed.rows[0]
    assert services.dealers.page(HE, one.code).row.graded == one.graded
