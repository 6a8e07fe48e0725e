"""The sums that only reports need: limits of chance, states of loans, cases at a time, agreement, pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.stats import binom, poisson

from graph.records import DAY, to_millis
from tests.reports.conftest import china
from workbench.casebook.labels import Label, Said
from workbench.reports import charts, funnels
from workbench.reports.casework import Standing, agreement, cases_at, provisional, unconfirmed
from workbench.reports.document import Column, Kind, Section, Table, Words, section
from workbench.reports.rolling import NONE, SMALL, _by, states
from workbench.reports.shown import large, shown
from workbench.services.all import Services
from workbench.services.lenses.ledger import Instalments

# Limits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", [0.2, 1.0, 3.7, 12.0, 80.0])
def test_limits_of_counts_are_exact(mean: float) -> None:
    """Beyond a limit lies no more than its tail, and one step within it more."""
    one = funnels.of_counts(0, mean)
    for (low, high), tail in ((one.within, 0.025), (one.within_far, 0.001)):
        assert poisson.cdf(low - 1, mean) < tail <= poisson.cdf(low, mean)
        assert poisson.sf(high, mean) <= tail < poisson.sf(high - 1, mean)


@pytest.mark.parametrize(("number", "share"), [(5, 0.1), (40, 0.02), (400, 0.3)])
def test_limits_of_shares_are_exact(number: int, share: float) -> None:
    one = funnels.of_shares(0, number, share)
    assert one.expected == pytest.approx(number * share)
    for (low, high), tail in ((one.within, 0.025), (one.within_far, 0.001)):
        assert binom.cdf(low - 1, number, share) < tail <= binom.cdf(low, number, share)
        assert binom.sf(high, number, share) <= tail < binom.sf(high - 1, number, share)


@pytest.mark.parametrize(
    ("seen", "level"), [(10, 0), (4, 0), (17, 0), (18, 1), (21, 1), (22, 2), (3, -1), (2, -1), (1, -2)]
)
def test_a_count_is_judged_by_its_limits(seen: int, level: int) -> None:
    """Of a mean of 10: 4 to 17 within 95 %, 2 to 21 within 99.8 %."""
    assert funnels.of_counts(seen, 10.0).level == level


def test_chance_alone_stays_within_what_is_promised() -> None:
    drawn = np.random.default_rng(3).poisson(6.0, size=4_000)
    near, far = funnels.beyond([funnels.of_counts(int(each), 6.0) for each in drawn])
    most = funnels.by_chance(4_000)
    assert 0 < near <= most[0]
    assert far <= most[1]


# Loans -----------------------------------------------------------------------------------------------------

END = to_millis(datetime(2025, 6, 30, 16, tzinfo=UTC)) - 1


def instalments(*told: tuple[int, int, int, int, int]) -> Instalments:
    """(row, number, due, paid, known) in days before the end; paid 0 for not."""
    every = sorted(told, key=lambda one: (one[0], one[1], -one[4]))
    rows, numbers, due, paid, known = (np.array(each, dtype=np.int64) for each in zip(*every, strict=True))
    return Instalments(rows, numbers, END - due * DAY, np.where(paid > 0, END - paid * DAY, 0), END - known * DAY)


def test_a_loan_is_as_late_as_its_latest_unpaid_instalment() -> None:
    told = instalments(
        (0, 1, 40, 39, 38),  # paid a day late
        (1, 1, 0, 0, 0), (2, 1, 1, 0, 0), (3, 1, 30, 0, 0), (4, 1, 31, 0, 0), (5, 1, 60, 0, 0), (6, 1, 61, 0, 0),
        (7, 1, 90, 0, 0), (8, 1, 91, 0, 0), (9, 1, 95, 90, 80), (9, 2, 65, 0, 60),
        (10, 1, -5, 0, 3),  # due later
    )  # fmt: skip
    assert states(told, END, 12).tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 3, NONE, NONE]


def test_a_payment_counts_from_when_it_was_told() -> None:
    told = instalments((0, 1, 40, 0, 40), (0, 1, 40, 35, 5))
    assert states(told, END, 1).tolist() == [0]
    assert states(told, END - 6 * DAY, 1).tolist() == [2]
    assert states(told, END - 41 * DAY, 1).tolist() == [NONE]


def test_small_groups_are_told_together() -> None:
    group = np.repeat([0, 1, 2], [SMALL, SMALL - 1, 1])
    before, after = np.zeros(len(group), dtype=np.int8), np.ones(len(group), dtype=np.int8)
    found, small = _by(group, before, after, ["a", "b", "c"])
    assert [(each.name, each.loans, each.share(0)) for each in found] == [("a", SMALL, 1.0), ("", SMALL, 1.0)]
    assert small == 2


# Cases and labels ------------------------------------------------------------------------------------------


def at(services: Services, when: datetime) -> dict[int, Standing]:
    with services.office.casebook.reading() as db:
        return {each.id: each for each in cases_at(db, when)}


def test_a_case_stands_as_it_stood(worked: Services) -> None:
    """The fixtures say when who did what to it."""
    assert not at(worked, china(1, 22))
    assert {each.status for each in at(worked, china(19)).values()} == {"open"}
    on_21, on_26, on_28 = (at(worked, china(day)) for day in (21, 26, 28))
    assert (on_21[1].assignee, on_21[1].status, on_21[1].deadline) == ("lin", "working", china(27))
    assert (on_21[2].closed, on_26[2].outcome) == (False, "confirmed_fraud")
    assert (on_26[3].closed, on_28[3].outcome, on_28[3].closed_at) == (False, "false_positive", china(28, 15))
    assert on_28[4].assignee == ""


def said(*told: tuple[str, str, str], level: str = "E3", maturity: str = "final") -> list[Said]:
    return [
        Said(number, Label(name, label, "review", maturity, who, typology="T08", evidence_level=level), china(20))
        for number, (name, label, who) in enumerate(told)
    ]


def test_agreement_is_cohens_kappa() -> None:
    """20 both, 5 the first only, 10 the second only, 15 neither: the example of Cohen's measure, 0.4."""
    pairs: Sequence[tuple[int, str, str]] = (
        (20, "CONFIRMED_FRAUD", "CONFIRMED_FRAUD"), (5, "CONFIRMED_FRAUD", "CLEARED_BENIGN"),
        (10, "CLEARED_BENIGN", "CONFIRMED_FRAUD"), (15, "CLEARED_BENIGN", "CLEARED_BENIGN"),
    )  # fmt: skip
    told = [
        (f"A{first}{second}{number}", label, who)
        for count, first, second in pairs
        for number in range(count)
        for label, who in ((first, "lin"), (second, "zhou"))
    ]
    found = agreement(said(*told))
    assert (found.pairs, found.both_fraud, found.both_innocent) == (50, 20, 15)
    assert found.kappa == pytest.approx(0.4)


def test_only_two_people_are_a_pair() -> None:
    told = said(("A", "CONFIRMED_FRAUD", "lin"), ("A", "CLEARED_BENIGN", "lin"), ("B", "SUSPECTED", "lin"),
                ("B", "CONFIRMED_FRAUD", "zhou"))  # fmt: skip
    assert agreement(told).pairs == 0
    assert np.isnan(agreement(told).kappa)


def test_fraud_on_papers_waits_and_provisional_labels_are_told() -> None:
    assert len(unconfirmed(said(("A", "CONFIRMED_FRAUD", "lin"), level="E1"))) == 1
    assert not unconfirmed(said(("A", "CONFIRMED_FRAUD", "lin"), level="E3"))
    assert len(provisional(said(("A", "CLEARED_BENIGN", "lin"), maturity="provisional"))) == 1


# Documents and pictures ------------------------------------------------------------------------------------


def test_a_section_has_something_or_says_why_not() -> None:
    hollow = Table("t", "", (Column("a"),), ())
    assert section("s", "S", Words(("w",)), hollow, None, empty="nothing came").empty == "nothing came"
    for wrong in ({}, {"blocks": (hollow,), "empty": "both"}):
        with pytest.raises(ValueError, match="section s"):
            Section("s", "S", **wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="1 columns"):
        Table("t", "", (Column("a"),), ((1, 2),))


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, Kind.COUNT, "–"), (float("nan"), Kind.SHARE, "–"), (1234567, Kind.COUNT, "1,234,567"),
        (-5, Kind.MONEY, "-¥5"), (1234.5, Kind.MONEY, "¥1,234"), (0.1234, Kind.SHARE, "12.3%"),
        (0.00456, Kind.SCORE, "0.005"), (1.5, Kind.NUMBER, "1.50"), ("=x", Kind.TEXT, "=x"),
    ],
)  # fmt: skip
def test_values_are_shown_as_people_read_them(value: object, kind: Kind, text: str) -> None:
    assert shown(value, kind) == text  # type: ignore[arg-type]


def test_key_numbers_have_short_money() -> None:
    assert large(3_960_000.0, Kind.MONEY) == "¥3.96M"
    assert large(None, Kind.MONEY) == "–"


def test_pictures_are_whole_and_scale_to_what_they_show() -> None:
    drawn = charts.bars(["a"] * 28, [[3.0] * 28, [4.0] * 28], ["x", "y"], alt='of "7" & more')
    tree = ET.fromstring(drawn.svg)
    tops = [float(each.get("y", "0")) for each in tree.iter("{http://www.w3.org/2000/svg}rect")]
    assert len(tops) == 56
    assert min(tops) >= charts.TOP
    assert tree.get("aria-label") == 'of "7" & more'
    assert charts.bars(["a"], [[0.0]], ["x"], alt="nothing").svg == ""
    assert charts.lines(["a"], [[float("nan")]], ["x"], alt="nothing").svg == ""
    assert charts.funnel([], [], middle=0.1, alt="nothing", names=()).svg == ""


@pytest.mark.parametrize("most", [1.0, 2.0, 7.0, 9.0, 25.0, 99.0, 101.0, 0.043, 1.0e9])
def test_an_axis_ends_at_its_last_step(most: float) -> None:
    top = charts._nice(most)
    steps = top / charts._step(top)
    assert most <= top * (1 + 1e-9)
    assert steps == pytest.approx(round(steps))
    assert 2 <= round(steps) <= 5
