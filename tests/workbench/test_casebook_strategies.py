"""Strategies: checked when they are set, in force from their time on, one step back at any time (P19)."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnn.registry import VERSION
from gnn.rules import read_settings
from graph.errors import InputError, NodeNotFound
from workbench.casebook import strategies
from workbench.casebook.opening import Casebook
from workbench.casebook.strategies import SHIPPED, Adopted, Challenger, Strategy, arm

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ONE, OTHER, THIRD = (f"20251001T08300{n}-1f3a9c2e" for n in range(3))
WHOLE = {
    "review_from": 0.2,
    "decline": False,
    "rules": {"R06": {"people": 4, "points": 50}, "R20": {"lottery_cities": [1100]}, "R07": {"active": False}},
    "champion": ONE,
    "challenger": {"version": OTHER, "share": 0.1, "salt": "spring"},
    "shadow": THIRD,
    "overrides": [
        {"name": "used cars in the south", "provinces": ["44", "45"], "products": ["used"], "review_from": 0.1,
         "rules": {"R18": {"times": 1.1}}},
        {"name": "leases", "provinces": [], "products": ["lease_direct"], "review_from": None, "rules": {}},
    ],
}  # fmt: skip


def put(casebook: Casebook, content: Any, *, start: datetime = NOW, at: datetime = NOW) -> Adopted:
    with casebook.writing() as db:
        return strategies.propose(db, content, effective_from=start, author="li", reason="a try", now=at)


def back(casebook: Casebook, to: int, *, at: datetime) -> Adopted:
    with casebook.writing() as db:
        return strategies.roll_back(db, to=to, author="wang", reason="it declined too many", now=at)


def holds(casebook: Casebook, at: datetime) -> int:
    with casebook.reading() as db:
        return strategies.in_force(db, at).id


# What can be set ---------------------------------------------------------------------------------------


def test_a_strategy_comes_back_as_it_was_set(casebook: Casebook) -> None:
    made = put(casebook, WHOLE)
    with casebook.reading() as db:
        (shipped, found) = strategies.listed(db)
    assert (shipped, found) == (replace(SHIPPED, created_at=shipped.created_at), made)
    assert found.strategy.content() == WHOLE
    assert found.strategy.versions == (ONE, OTHER, THIRD)
    assert (found.author, found.reason, found.effective_from) == ("li", "a try", NOW)


def test_what_is_left_out_is_as_shipped() -> None:
    assert Strategy.read({}) == Strategy.read(Strategy().content()) == SHIPPED.strategy
    assert SHIPPED.strategy.content() == {
        "review_from": None, "decline": True, "rules": {}, "champion": None, "challenger": None, "shadow": None,
        "overrides": [],
    }  # fmt: skip


def test_rules_of_a_strategy_are_those_that_decide() -> None:
    rules = read_settings(Strategy.read(WHOLE).rules)  # type: ignore[arg-type]
    assert rules.thresholds["R06"]["people"] == 4
    assert rules.points["R06"] == 50
    assert "R07" not in rules.active
    assert rules.thresholds["R08"] == read_settings().thresholds["R08"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "a strategy is a mapping"),
        ([], "a strategy is a mapping"),
        ({"threshold": 1}, "'threshold' is nothing to set in a strategy; it takes review_from"),
        ({"review_from": 1.5}, "a number from 0 to 1"),
        ({"review_from": float("nan")}, "not a number; it takes"),
        ({"review_from": True}, "True; it takes a number"),
        ({"review_from": "0.5"}, "a number from 0 to 1"),
        ({"decline": 1}, "true or false"),
        ({"rules": [1]}, "rules is a mapping of sections"),
        ({"rules": {"R99": {}}}, "there is no rule R99"),
        ({"rules": {"R06": {"people": 0}}}, "rules: R06.people is 0; it takes"),
        ({"rules": {"R06": {"cars": 3}}}, "R06.cars is nothing to set"),
        ({"rules": {"advice": {"review": 90, "decline": 80}}}, "below advice.review"),
        ({"champion": "../../etc/passwd"}, "a version of `ringroad models list`"),
        ({"shadow": 7}, "a version of"),
        ({"challenger": OTHER}, "challenger is a mapping"),
        ({"challenger": {"version": OTHER, "share": 0.1}}, "challenger.salt is missing"),
        ({"challenger": {"version": OTHER, "share": 1.1, "salt": "s"}}, "challenger.share is 1.1"),
        ({"challenger": {"version": OTHER, "share": 0.1, "salt": "s" * 65}}, "challenger.salt takes"),
        ({"challenger": {"version": OTHER, "share": 0.1, "salt": "s", "seed": 1}}, "'seed' is nothing to set"),
        ({"champion": ONE, "challenger": {"version": ONE, "share": 0.1, "salt": "s"}}, "is the champion"),
        ({"champion": ONE, "shadow": ONE}, "is the champion"),
    ],
)
def test_what_cannot_be_set_is_refused_with_what_would_be_right(content: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Strategy.read(content)


def test_versions_are_those_of_the_registry() -> None:
    assert strategies.VERSION.pattern == VERSION.pattern


def test_what_is_refused_is_not_set(casebook: Casebook) -> None:
    with pytest.raises(InputError):
        put(casebook, {"review_from": 2})
    with pytest.raises(InputError, match="is past"):
        put(casebook, {}, start=NOW - strategies.LATE - timedelta(seconds=1))
    with casebook.writing() as db, pytest.raises(InputError, match="reason is empty"):
        strategies.propose(db, {}, effective_from=NOW, author="li", reason=" ", now=NOW)
    assert holds(casebook, NOW) == 0


# When it holds -----------------------------------------------------------------------------------------


def test_until_somebody_sets_one_it_is_as_shipped(casebook: Casebook) -> None:
    with casebook.reading() as db:
        assert strategies.in_force(db, NOW) == strategies.get(db, 0) == SHIPPED
        assert list(strategies.listed(db)) == []
        with pytest.raises(InputError, match="nothing was in force before"):
            strategies.before(db, NOW)
        with pytest.raises(NodeNotFound, match="no strategy 3"):
            strategies.get(db, 3)


def test_each_holds_from_its_time_on(casebook: Casebook) -> None:
    put(casebook, {"review_from": 0.1})
    put(casebook, {"review_from": 0.3}, start=NOW + 10 * HOUR)
    put(casebook, {"review_from": 0.2}, start=NOW + 5 * HOUR)
    put(casebook, {"review_from": 0.4}, start=NOW + 10 * HOUR)
    hours = [-1, 0, 4, 5, 9, 10, 99]
    assert [holds(casebook, NOW + each * HOUR) for each in hours] == [0, 1, 1, 3, 3, 4, 4]


def test_a_little_late_counts_from_now(casebook: Casebook) -> None:
    made = put(casebook, {}, start=NOW - timedelta(seconds=59))
    assert made.effective_from == NOW
    assert holds(casebook, NOW - timedelta(microseconds=1)) == 0, "what was decided before stays decided by that"


def test_one_step_back(casebook: Casebook) -> None:
    put(casebook, {"review_from": 0.1})
    put(casebook, {"review_from": 0.9}, at=NOW + HOUR, start=NOW + HOUR)
    made = back(casebook, 1, at=NOW + 2 * HOUR)
    assert (made.id, made.copy_of, made.strategy.review_from) == (3, 1, 0.1)
    assert [holds(casebook, NOW + each * HOUR) for each in (0, 1, 2)] == [1, 2, 3]


def test_the_way_back_leads_further_back(casebook: Casebook) -> None:
    put(casebook, {"review_from": 0.1})
    put(casebook, {"review_from": 0.9}, at=NOW + HOUR, start=NOW + HOUR)
    led = []
    for step in (2, 3):
        at = NOW + step * HOUR
        with casebook.reading() as db:
            led.append(strategies.before(db, at))
        back(casebook, led[-1], at=at)
    assert led == [1, 0]
    with casebook.reading() as db, pytest.raises(InputError, match="nothing was in force before"):
        strategies.before(db, NOW + 4 * HOUR)


def test_going_back_ends_what_was_planned(casebook: Casebook) -> None:
    put(casebook, {"review_from": 0.1})
    put(casebook, {"review_from": 0.9}, start=NOW + 10 * HOUR)
    back(casebook, 0, at=NOW + HOUR)
    put(casebook, {"review_from": 0.2}, start=NOW + 20 * HOUR, at=NOW + 2 * HOUR)
    assert [holds(casebook, NOW + each * HOUR) for each in (0, 1, 10, 19, 20)] == [1, 3, 3, 3, 4]


def test_going_back_holds_although_a_clock_goes_back(casebook: Casebook) -> None:
    put(casebook, {"review_from": 0.9}, start=NOW + HOUR, at=NOW + HOUR)
    made = back(casebook, 0, at=NOW)
    assert holds(casebook, NOW + 2 * HOUR) == made.id


def test_going_back_to_what_never_was_is_refused(casebook: Casebook) -> None:
    with pytest.raises(NodeNotFound, match="no strategy 7"):
        back(casebook, 7, at=NOW)
    assert holds(casebook, NOW) == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.booleans()), max_size=12))
def test_what_held_then_never_changes(steps: list[tuple[int, int, bool]]) -> None:
    """Whatever is set later, for whatever time: an answer for a past moment stays."""
    with tempfile.TemporaryDirectory() as folder, Casebook.open(f"sqlite:///{folder}/casebook.sqlite") as casebook:
        seen: dict[datetime, int] = {}
        for number, (ahead, target, is_back) in enumerate(steps):
            at = NOW + number * HOUR
            seen[at - timedelta(minutes=1)] = holds(casebook, at - timedelta(minutes=1))
            if is_back:
                back(casebook, target % (number + 1) if number else 0, at=at)
            else:
                put(casebook, {}, start=at + ahead * HOUR, at=at)
            assert {when: holds(casebook, when) for when in seen} == seen


# Who is tried out --------------------------------------------------------------------------------------

APPLICATIONS = [f"APP{number}" for number in range(20_000)]


def tried(share: float, salt: str = "spring") -> set[str]:
    strategy = Strategy(challenger=Challenger(OTHER, share, salt))
    return {each for each in APPLICATIONS if arm(each, strategy) == "challenger"}


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_the_share_is_met(share: float) -> None:
    deviation = (share * (1 - share) / len(APPLICATIONS)) ** 0.5
    assert abs(len(tried(share)) / len(APPLICATIONS) - share) < 4 * deviation


def test_a_greater_share_only_adds() -> None:
    sizes = [0.0, 0.01, 0.02, 0.5, 0.999, 1.0]
    drawn = [tried(each) for each in sizes]
    assert all(smaller <= greater for smaller, greater in pairwise(drawn))
    assert (drawn[0], drawn[-1]) == (set(), set(APPLICATIONS))


def test_another_salt_draws_anew() -> None:
    both = len(tried(0.5) & tried(0.5, "autumn")) / len(APPLICATIONS)
    assert both == pytest.approx(0.25, abs=0.02)


def test_without_a_challenger_nobody_is_tried() -> None:
    assert {arm(each, Strategy()) for each in APPLICATIONS[:100]} == {"champion"}


SPLIT = """
from workbench.casebook.strategies import Challenger, Strategy, arm
strategy = Strategy(challenger=Challenger("20251001T083001-1f3a9c2e", 0.3, "春"))
print("".join(arm(f"APP{n}", strategy)[1] for n in range(200)))
"""


def test_every_process_draws_the_same() -> None:
    drawn = {
        subprocess.run(
            [sys.executable, "-c", SPLIT], env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}, capture_output=True,
            text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    strategy = Strategy(challenger=Challenger(OTHER, 0.3, "春"))
    assert drawn == {"".join(arm(f"APP{n}", strategy)[1] for n in range(200)) + "\n"}
