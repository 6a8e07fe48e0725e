"""Overrides of a strategy: for whom they hold, what they may not touch, and whom they make people look at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gnn.features.assemble import Features
from gnn.rules import read_settings
from gnn.scorer import Scorer
from graph.errors import InputError
from workbench.casebook.strategies import SHIPPED, Strategy
from workbench.casebook.strategy_overrides import Override, chosen
from workbench.fairness import FEWEST, Scored, shares
from workbench.online.panel import Rule

SOUTH = {"name": "south", "provinces": ["44", "45"], "review_from": 0.1, "rules": {"R18": {"times": 1.1}}}
USED = {"name": "used", "products": ["used"], "rules": {"R18": {"points": 60}, "R06": {"people": 2}}}


def rule(*overrides: dict[str, Any], **content: Any) -> Rule:
    return Rule.of(replace(SHIPPED, strategy=Strategy.read({**content, "overrides": list(overrides)})))


def seen(province: float, product: float) -> Features:
    values = np.array([[province, product]], dtype=np.float32)
    return Features(("dealer_province", "product"), values, np.zeros(1, dtype=np.int64), links=None)  # type: ignore[arg-type]


def test_the_first_that_holds_counts() -> None:
    made = rule(SOUTH, USED)
    held = [made.override(seen(*each)) for each in ((44, 1), (31, 1), (31, 0), (np.nan, np.nan))]
    assert [each and each.name for each in held] == ["south", "used", None, None]
    both = Override("both", ("44",), ("used",))
    assert chosen([both], "44", "new") is None
    assert chosen([both], "44", "used") is both


def test_it_stands_on_the_strategy_and_changes_nobody_else() -> None:
    made, scorer = rule(USED, rules={"R06": {"points": 45}}, review_from=0.2), _scorer(0.3)
    own, others = made.settings_of(seen(44, 1)), made.settings_of(seen(44, 0))
    assert (own.thresholds["R06"]["people"], own.points["R06"], own.points["R18"]) == (2, 45, 60)
    assert others is made.settings
    assert (others.thresholds["R06"], others.points["R18"]) == (
        read_settings().thresholds["R06"], read_settings().points["R18"],
    )  # fmt: skip
    assert made.review_from(scorer, seen(44, 1)) == 0.2
    assert rule(SOUTH).review_from(scorer, seen(44, 1)) == 0.1
    assert rule(SOUTH).review_from(scorer, seen(31, 1)) == 0.3


def _scorer(review_from: float) -> Scorer:
    return Scorer((), isolation=None, settings=read_settings(), review_from=review_from)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "overrides is a list"),
        ([1], "no. 1 is a mapping"),
        ([{"name": "a", "where": {}}], "'where' is nothing to set"),
        ([{"name": "", "products": ["used"]}], "name takes 1 to 64"),
        ([{"name": "a"}], "name provinces or products"),
        ([{"name": "a", "provinces": [44]}], "in quotes where they are digits"),
        ([{"name": "a", "provinces": ["4401"]}], "two digits of GB/T 2260"),
        ([{"name": "a", "products": ["boat"]}], "there is no product 'boat'"),
        ([{"name": "a", "products": ["used"], "review_from": float("nan")}], "review_from takes a number"),
        ([{"name": "a", "products": ["used"], "rules": [1]}], "rules is a mapping"),
        ([{"name": "a", "products": ["used"], "rules": {"R99": {}}}], "no rule R99"),
        ([USED, USED], "two overrides are called 'used'"),
        ([{"name": f"{n}", "products": ["used"]} for n in range(21)], "at most 20"),
    ],
)
def test_what_cannot_be_set_is_refused(told: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Strategy.read({"overrides": told})


def test_a_province_touches_no_rule_that_can_decline() -> None:
    strong = {"R02": {"active": False}}
    with pytest.raises(InputError, match="R02 can decline, and a province declines nobody"):
        Strategy.read({"overrides": [SOUTH | {"rules": strong}]})
    assert Strategy.read({"overrides": [USED | {"rules": strong}]}).overrides


def test_whom_people_look_at_is_compared() -> None:
    """Half of each group is above 0.2; with the override all of the used cars are. Who was found by rules stays."""
    score = np.tile([0.1, 0.3], 2 * FEWEST)
    product = np.repeat(np.array(["new", "used"], dtype=object), 2 * FEWEST)
    passed = score < 0.2
    passed[0] = False
    told = Scored(score, passed, np.full(len(score), "31", dtype=object), product)
    now, then = Strategy(review_from=0.2), Strategy.read({"review_from": 0.2, "overrides": [USED | {"review_from": 0}]})
    used, new, everybody = shares(told, now, then, model=0.9)
    assert (used.group, used.now, used.then, used.outside) == ("used", 0.5, 1.0, True)
    assert (new.group, new.now, new.then) == ("new", (FEWEST + 1) / (2 * FEWEST), (FEWEST + 1) / (2 * FEWEST))
    assert (everybody.what, everybody.number) == ("province", 4 * FEWEST)
    assert used.ratio == pytest.approx(1 / new.then)
    few = Scored(score[:9], passed[:9], told.province[:9], product[:9])
    assert shares(few, now, then, model=0.9) == ()
