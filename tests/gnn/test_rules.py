"""Every rule there is: says what it is, reads what it declares, holds at its threshold and not one step below it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnn.rules import ADVICE, CLUSTERS, RULES, Rule, Stage, Strength, coverage, evaluate, read_settings
from gnn.rules.catalogue import NAMED
from gnn.rules.page import PAGE, page
from graph.errors import InputError

SETTINGS = read_settings()
Row = dict[str, float]

EXAMPLES: dict[str, tuple[Row, list[Row]]] = {
    "R01": ({"own_fraud": 0.5}, [{"own_fraud": 0.4}]),
    "R02": ({"vehicle_conflicts": 1}, [{"vehicle_conflicts": 0}]),
    "R03": ({"face_score": 0.59, "liveness_score": 0.9}, [{"face_score": 0.6}]),
    "R04": ({"id_number_refused": 1}, [{"id_number_refused": 0}]),
    "R05": ({"voice_people_90d": 1}, [{"voice_people_90d": 0}]),
    "R05b": ({"voice_similar_people_90d": 1}, [{"voice_similar_people_90d": 0}]),
    "R06": ({"device_30d": 2}, [{"device_30d": 1}]),
    "R07": ({"payer_90d": 2, "payer_is_dealer": 0}, [{"payer_90d": 1}, {"payer_is_dealer": 1}]),
    "R08": ({"contact_90d": 2}, [{"contact_90d": 1}]),
    "R09": ({"contact_of_defaulters": 1}, [{"contact_of_defaulters": 0}]),
    "R10": (
        {"work_phone_90d": 4, "work_phone_mobile": 1, "work_phone_virtual": 0},
        [{"work_phone_90d": 3}, {"work_phone_mobile": 0}],
    ),
    "R11": ({"employer_60d": 2, "employer_months": 11.9}, [{"employer_60d": 1}, {"employer_months": 12}]),
    "R12": ({"near_dealers_30d": 3}, [{"near_dealers_30d": 2}]),
    "R13": ({"institutions_7d": 5, "inquired_cars_7d": 2}, [{"institutions_7d": 4}, {"inquired_cars_7d": 1}]),
    "R14": ({"inquiries_90d": 8}, [{"inquiries_90d": 7}]),
    "R15": (
        {"reserved_phone_match": 0, "phone_tenure_months": 2.9},
        [{"reserved_phone_match": 1}, {"phone_tenure_months": 3}],
    ),
    "R16": ({"phone_virtual": 1}, [{"phone_virtual": 0}]),
    "R17": (
        {"automatic": 1, "limit_share": 0.98, "list_price": 135_800},
        [{"limit_share": 0.97}, {"limit_share": 1.01}, {"automatic": 0}, {"list_price": 130_000}],
    ),
    "R18": (
        {"price_over_market": 1.16, "model_over_market": 1.0},
        [{"price_over_market": 1.15}, {"model_over_market": 1.2}],
    ),
    "R19": ({"price_to_income": 41, "peers_price_to_income": 40}, [{"price_to_income": 40}]),
    "R20": ({"plate_elsewhere": 1, "home_city": 3201}, [{"plate_elsewhere": 0}, {"home_city": 3100}]),
    "R21": ({"days_to_passed_on": 30, "paid_off": 0}, [{"days_to_passed_on": 31}, {"paid_off": 1}]),
    "R22": ({"days_to_uninsured": 30, "days_to_uninvoiced": 9999}, [{"days_to_uninsured": 31}]),
    "R23": (
        {"gps_ended_days": 60, "gps_silent_hours": 24, "gps_peers_ended": 0.3, "in_repair": 0},
        [{"gps_ended_days": 61}, {"gps_silent_hours": 23}, {"gps_peers_ended": 0.31}, {"in_repair": 1}],
    ),
    "R24": ({"place_cars_30d": 3}, [{"place_cars_30d": 2}]),
    "R25": ({"dealer_loans": 20, "dealer_times_region": 3.1}, [{"dealer_loans": 19}, {"dealer_times_region": 3}]),
    "R26": ({"pagerank_percentile": 0.996}, [{"pagerank_percentile": 0.995}]),
    "R27": (
        {"group_people_120d": 2, "group_kinds_120d": 2, "of_fleet": 0},
        [{"group_people_120d": 1}, {"group_kinds_120d": 1}, {"of_fleet": 1}],
    ),
    "R28": ({"template_people_90d": 2}, [{"template_people_90d": 1}]),
}
"""Per rule a row for which it holds at its threshold, and changes that undo it: one step below, or an exemption."""

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


class Only(dict[str, np.ndarray[Any, Any]]):
    def __missing__(self, name: str) -> np.ndarray[Any, Any]:
        raise AssertionError(f"reads {name}, which it does not declare")


class Recorded(Mapping[str, float]):
    def __init__(self, values: Mapping[str, float]) -> None:
        self.values_, self.read = values, set[str]()

    def __getitem__(self, name: str) -> float:
        self.read.add(name)
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def columns(rule: Rule, *rows: Row) -> Only:
    return Only({name: np.array([row[name] for row in rows], dtype=np.float32) for name in rule.reads})


# Every rule ----------------------------------------------------------------------------------------------


def test_every_rule_of_the_catalogue_is_there() -> None:
    assert {rule.code[:3] for rule in RULES} == {f"R{number:02}" for number in range(1, 29)}
    assert set(EXAMPLES) == {rule.code for rule in RULES}


def test_no_file_holds_two_rules_or_none() -> None:
    files = [file.stem for file in Path(__file__).parents[2].glob("gnn/rules/r*.py") if NAMED.fullmatch(file.stem)]
    assert sorted(files) == sorted({type(rule).__module__.rsplit(".", 1)[-1] for rule in RULES})
    assert len(files) == len(RULES)


@every_rule
def test_a_rule_says_what_it_is(rule: Rule) -> None:
    assert rule.says.endswith(".")
    assert type(rule).__module__.rsplit(".", 1)[-1].startswith(rule.code.lower() + "_")
    for chinese, english in ((rule.zh, rule.en), (rule.advice_zh, rule.advice_en)):
        assert re.search(r"[\u4e00-\u9fff]", chinese)
        assert english.isascii()
    assert re.fullmatch(r"RC(0[1-9]|1[01])", rule.reason), "RC12 would tip somebody off"
    assert rule.typologies
    assert all(re.fullmatch(r"T(0[1-9]|1\d|2[0-6])", each) for each in rule.typologies)
    assert set(rule.exempts) | set(rule.either) <= set(rule.reads)


@every_rule
def test_points_go_with_strength(rule: Rule) -> None:
    low, high = {Strength.WEAK: (1, 59), Strength.REVIEW: (60, 60), Strength.STRONG: (100, 100)}[rule.strength]
    assert low <= rule.points <= high


@every_rule
def test_a_rule_reads_all_it_declares_and_nothing_else(rule: Rule) -> None:
    row, settings = EXAMPLES[rule.code][0], Recorded(SETTINGS.thresholds[rule.code])
    assert set(row) == set(rule.reads)
    assert rule.holds(columns(rule, row), settings).tolist() == [True]
    assert settings.read == {each.name for each in rule.thresholds}
    for name in rule.reads:
        with pytest.raises(KeyError):
            rule.holds({other: np.zeros(1) for other in rule.reads if other != name}, SETTINGS.thresholds[rule.code])


@every_rule
def test_a_rule_holds_at_its_threshold_and_not_one_step_below(rule: Rule) -> None:
    row, changes = EXAMPLES[rule.code]
    table = columns(rule, row, *[row | change for change in changes])
    held = rule.holds(table, SETTINGS.thresholds[rule.code])
    assert held.dtype == np.bool_
    assert held.tolist() == [True] + [False] * len(changes)
    assert {name for change in changes for name in change} >= set(rule.exempts)


@every_rule
def test_what_is_not_stated_never_holds(rule: Rule) -> None:
    row, _ = EXAMPLES[rule.code]
    nothing = dict.fromkeys(rule.reads, np.nan)
    assert rule.holds(columns(rule, nothing), SETTINGS.thresholds[rule.code]).tolist() == [False]
    excused = row | dict.fromkeys(rule.exempts, np.nan)
    assert rule.holds(columns(rule, excused), SETTINGS.thresholds[rule.code]).tolist() == [True]


def test_the_page_of_rules_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m gnn.rules.page"


# Together ------------------------------------------------------------------------------------------------


def neither(**stated: float) -> dict[str, np.ndarray[Any, Any]]:
    """One application of which nothing else is stated."""
    unsaid: Row = dict.fromkeys((name for rule in RULES for name in rule.reads), np.nan)
    return {name: np.array([value]) for name, value in (unsaid | stated).items()}


@pytest.mark.parametrize(
    ("stated", "advice", "points"),
    [
        ({}, "pass", 0),
        ({"device_30d": 2}, "pass", 40),
        ({"device_30d": 2, "inquiries_90d": 8}, "review", 60),
        ({"device_30d": 2, "template_people_90d": 2, "inquiries_90d": 8}, "decline", 100),
        ({"payer_90d": 2}, "review", 60),
        ({"payer_90d": 2, "device_30d": 2, "inquiries_90d": 8}, "review", 120),
        ({"vehicle_conflicts": 1}, "decline", 100),
    ],
)
def test_weak_points_add_up_strong_rules_decline_and_review_rules_only_ask(
    stated: Row, advice: str, points: float
) -> None:
    verdicts = evaluate(neither(**stated), SETTINGS)
    assert (verdicts.advises(0), verdicts.points[0]) == (advice, points)
    assert verdicts.clusters[0].sum() == points


def test_verdicts_name_the_rules_that_held_the_strong_ones_first() -> None:
    stated = {"phone_virtual": 1, "device_30d": 2, "payer_90d": 2, "vehicle_conflicts": 1}
    verdicts = evaluate(neither(**stated), SETTINGS)
    assert [rule.code for rule in verdicts.of(0)] == ["R02", "R07", "R06", "R16"]
    by_cluster = dict(zip(CLUSTERS, verdicts.clusters[0].tolist(), strict=True))
    assert by_cluster == {"identity": 5, "document": 100, "ring": 100, "channel": 0, "behaviour": 0}


def test_one_row_has_the_verdict_it_has_among_others() -> None:
    rng = np.random.default_rng(1)
    names = sorted({name for rule in RULES for name in rule.reads})
    table = {name: rng.choice([np.nan, 0, 1, 2, 5, 50], 200) for name in names}
    together = evaluate(table, SETTINGS, stages=tuple(Stage))
    for row in range(0, 200, 20):
        alone = evaluate({name: each[row : row + 1] for name, each in table.items()}, SETTINGS, stages=tuple(Stage))
        assert (alone.hits[0] == together.hits[row]).all()
        assert ADVICE[alone.advice[0]] == together.advises(row)
        assert (alone.clusters[0] == together.clusters[row]).all()


def test_no_applications_have_no_verdicts() -> None:
    empty = {name: np.zeros(0) for rule in RULES for name in rule.reads}
    assert len(evaluate(empty, SETTINGS)) == 0
    assert len(evaluate({}, SETTINGS)) == 0


def test_only_the_stages_asked_for_are_asked() -> None:
    night = evaluate(neither(), SETTINGS, stages=(Stage.NIGHT, Stage.DEALER)).codes
    decision = evaluate(neither(), SETTINGS).codes
    assert set(night) | set(decision) == {rule.code for rule in RULES}
    assert not set(night) & set(decision)
    assert {"R05", "R21", "R25"} <= set(night)


def test_a_rule_without_its_column_is_silent_and_says_why(tmp_path: Path) -> None:
    table = neither(device_30d=2, face_score=0.9)
    del table["contact_90d"]
    assert evaluate(table, SETTINGS).silent == ("R08",)
    off = read_settings(written(tmp_path, "R06: {active: false}"))
    why = {each.code: each.why for each in coverage(table, off) if not each.asked}
    assert why["R06"] == "switched off in the settings"
    assert why["R08"] == "no column contact_90d"
    assert why["R28"] == "template_people_90d not stated for anybody"
    assert "R03" not in why, "one of the two scores is enough"
    assert "R06" not in evaluate(table, off).codes


# Settings ------------------------------------------------------------------------------------------------


def written(folder: Path, text: str) -> Path:
    file = folder / "own.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_lender_changes_only_what_is_named(tmp_path: Path) -> None:
    own = read_settings(
        written(tmp_path, "R06: {people: 5, points: 30}\nadvice: {review: 50}\nR20: {lottery_cities: []}")
    )
    assert (own.thresholds["R06"]["people"], own.points["R06"], own.review, own.decline) == (5, 30, 50, 100)
    assert dict(own.thresholds["R20"]) == {"lottery_cities": ()}
    assert own.thresholds["R08"] == SETTINGS.thresholds["R08"]
    assert evaluate(neither(device_30d=4), own).points[0] == 30
    assert vars(read_settings(written(tmp_path, ""))) == vars(SETTINGS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("R99: {people: 3}", "own.yaml: there is no rule R99; there are advice, R01"),
        ("R06: {person: 3}", "own.yaml: R06.person is nothing to set; R06 takes people, points, active"),
        ("R06: {people: many}", "own.yaml: R06.people is 'many'; it takes a whole number from 2 to 1000 (people)"),
        ("R06: {people: 2.5}", "own.yaml: R06.people is 2.5; it takes a whole number"),
        ("R06: {people: 1}", "own.yaml: R06.people is 1; it takes"),
        ("R06: {people: .nan}", "own.yaml: R06.people is nan; it takes"),
        ("R06: {people: true}", "own.yaml: R06.people is True; it takes"),
        ("R06: {people: [3]}", "own.yaml: R06.people is [3]; it takes a whole number"),
        ("R06: {points: 101}", "own.yaml: R06.points is 101; it takes a whole number from 0 to 100 (points)"),
        ("R06: {active: 1}", "own.yaml: R06.active is 1; it takes true or false"),
        ("R20: {lottery_cities: 3100}", "R20.lottery_cities is 3100; it takes a list of whole numbers from 1100"),
        ("R06: 3", "own.yaml: R06 names nothing to set; it takes people, points, active"),
        ("- R06", "own.yaml holds no sections; write `R06:`"),
        ("R06: {", "own.yaml is no YAML near line 1; write `R06:`"),
        ("advice: {decline: 50}", "advice.decline is 50, below advice.review 60"),
        ("advice: {points: 5}", "own.yaml: advice.points is nothing to set; advice takes review, decline"),
    ],
)
def test_wrong_settings_are_refused_with_the_field_and_what_it_takes(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        read_settings(written(tmp_path, text))
    assert said in str(error.value)


def test_a_settings_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone.yaml cannot be read \(No such file or directory\)"):
        read_settings(tmp_path / "gone.yaml")
