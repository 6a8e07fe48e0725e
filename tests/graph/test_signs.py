"""Each sign is shown by whom it is about, by nobody else, and not before it was known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graph.context import APART_DAYS, HALF_LIFE_DAYS, NEAREST, SAME_SALESPERSON, context
from graph.incidence import dealers
from graph.records import DAY
from graph.signs import COMMON, SIGNS, Signs, signs
from tests.graph.facts import Facts, customer, edge, node, taken

NOW = 400 * DAY
PLAIN = {"live_region": "310101", "hukou_region": "310101", "driver_licence_class": "C1", "thin_file_flag": False}
NAMES = [sign.name for sign in SIGNS]


def crowd() -> Facts:
    """Ten honest customers of a dealer in Shanghai, so that no sign is common."""
    facts: Facts = [node("Dealer", "D1", 1, region="310104"), node("Region", "310101", 1), node("Region", "440305", 1)]
    for number in range(10):
        facts += customer(f"plain{number}", 380 + number, **PLAIN)
    return facts


def shown(tmp_path: Path, facts: Facts, *, as_of: int = NOW) -> dict[str, set[str]]:
    """Per sign the applications that show it."""
    snap = taken(tmp_path, [*crowd(), *facts])
    names = snap.nodes["Application"].table["key"].to_pylist()
    window = np.flatnonzero(snap.nodes["Application"].known_at <= as_of)
    found = signs(snap, as_of=as_of, window=window, dealer=dealers(snap, as_of=as_of))
    return {name: {names[at] for at in np.flatnonzero(found.shown[:, k])} for k, name in enumerate(NAMES)}


ODD: dict[str, Facts] = {
    "far": customer("X", **PLAIN | {"live_region": "440305", "hukou_region": "440305"}),
    "thin_file": customer("X", **PLAIN | {"thin_file_flag": True}),
    "no_licence": customer("X", **PLAIN | {"driver_licence_class": None}),
    "new_number": [
        *customer("X", **PLAIN), node("Phone", "phone", tenure_months=2.0), edge("HAS_PHONE", "PX", "phone"),
    ],
    "plate": [*customer("X", **PLAIN), edge("PLATED_IN", "VX", "440305")],
    "resold": [*customer("X", **PLAIN), edge("TRANSFERRED_TO", "VX", "buyer", 399, happened=395)],
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_each_sign_is_shown_by_whom_it_is_about(tmp_path: Path, name: str) -> None:
    found = shown(tmp_path, ODD[name])
    assert found == {each: {"AX"} if each == name else set() for each in NAMES}


def test_money_signs(tmp_path: Path) -> None:
    facts = customer("X", **PLAIN)
    facts[0] = node(
        "Application", "AX", submitted_at=390 * DAY, amount=199_000.0, auto_limit_flag=True, invoice_price=231_000.0,
        down_payment=0.0,
    )  # fmt: skip
    facts += customer("Y", **PLAIN)
    facts[5] = node("Application", "AY", submitted_at=390 * DAY, amount=200_000.0, auto_limit_flag=True)
    facts += [node("Vehicle", "VX", market_price=200_000.0)]
    found = shown(tmp_path, facts)
    assert {name for name in NAMES if found[name]} == {"over_market", "under_limit", "no_down_payment"}
    assert found["under_limit"] == {"AX", "AY"}


def test_a_reserved_number_that_does_not_match(tmp_path: Path) -> None:
    assert shown(tmp_path, customer("X", **PLAIN | {"reserved_phone_match": False}))["new_number"] == {"AX"}


@pytest.mark.parametrize(("happened", "odd"), [(385, False), (391, True), (419, True), (421, False)])
def test_resold_within_thirty_days_after_the_application(tmp_path: Path, happened: int, odd: bool) -> None:
    facts = [*customer("X", **PLAIN), edge("TRANSFERRED_TO", "VX", "buyer", 430, happened=happened)]
    assert bool(shown(tmp_path, facts, as_of=430 * DAY)["resold"]) == odd


def test_a_sale_is_no_sign_before_it_is_known(tmp_path: Path) -> None:
    facts = [*customer("X", **PLAIN), edge("TRANSFERRED_TO", "VX", "buyer", 401, happened=395)]
    assert not shown(tmp_path, facts)["resold"]


def test_who_plates_the_car_at_the_birthplace_is_not_odd(tmp_path: Path) -> None:
    facts = [*customer("X", **PLAIN | {"hukou_region": "440306"}), edge("PLATED_IN", "VX", "440305")]
    assert not shown(tmp_path, facts)["plate"]


def test_what_most_show_is_not_recorded_rather_than_odd(tmp_path: Path) -> None:
    """A lender that records no licences has no customers without one."""
    some = [each for n in range(5) for each in customer(f"X{n}", **PLAIN | {"driver_licence_class": None})]
    assert COMMON < 5 / 15
    assert not shown(tmp_path, some)["no_licence"]
    (tmp_path / "few").mkdir()
    assert shown(tmp_path / "few", some[:10])["no_licence"] == {"AX0", "AX1"}


# Context -----------------------------------------------------------------------------------------------


def tied(points: list[int], days: list[float], *, dealer: list[int], seller: list[int]) -> dict[tuple[int, int], int]:
    size = len(points)
    odd = Signs(np.zeros((size, len(SIGNS)), dtype=bool), np.array(points))
    moments = np.array([round(day * DAY) for day in days])
    links = context(np.arange(size), moments, np.array(dealer), np.array(seller), odd)
    return dict(zip(zip(links.first.tolist(), links.second.tolist(), strict=True), links.weight.tolist(), strict=True))


def test_odd_applications_of_one_dealer_in_the_same_weeks_are_tied() -> None:
    ties = tied([30, 30, 30, 0, 30], [0, 0, 0, 0, APART_DAYS + 1], dealer=[1, 1, 2, 1, 1], seller=[1, 2, 1, 1, 1])
    assert set(ties) == {(0, 1)}
    assert ties[0, 1] == round(1000 / np.log2(3))


def test_ties_fade_and_a_salesperson_strengthens_them() -> None:
    near, far, same = (
        tied([30, 30], [0, apart], dealer=[1, 1], seller=[1, seller])[0, 1]
        for apart, seller in ((0, 2), (HALF_LIFE_DAYS, 2), (0, 1))
    )
    assert far == pytest.approx(near / 2, abs=1)
    assert same == pytest.approx(near * SAME_SALESPERSON, abs=1)


def test_a_crowd_ties_nobody_closely_and_stays_bounded() -> None:
    ties = tied([30] * 200, [0.0] * 200, dealer=[1] * 200, seller=list(range(200)))
    assert len(ties) <= 200 * NEAREST
    assert max(ties.values()) < tied([30, 30], [0, 0], dealer=[1, 1], seller=[1, 2])[0, 1] / 3


def test_without_dealer_nobody_is_tied() -> None:
    assert not tied([30, 30], [0, 0], dealer=[-1, -1], seller=[1, 1])
    assert not tied([], [], dealer=[], seller=[])
