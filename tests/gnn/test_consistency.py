"""Whether a deal holds together: each check at its edge, what nobody said, and the order."""

from __future__ import annotations

import numpy as np
import pytest

from gnn.consistency import CHECKS, consistency
from gnn.features.catalogue import CATALOGUE

NAMES = tuple(each.feature for each in CHECKS)
WHOLE = {
    "price_over_market": 1.0, "unexplained_ratio": 0.0, "extras_ratio": 0.0, "payer_is_owner": 1,
    "instalment_to_income": 0.3, "licence_held": 1, "has_income": 1, "reserved_phone_match": 1, "phone_elsewhere": 0,
    "work_phone_elsewhere": 0,
    "far_from_dealer": 0,
}  # fmt: skip
ODD = {
    "price_over_market": (0.84, 1.16), "unexplained_ratio": (-0.03, 0.03), "extras_ratio": (0.16,),
    "payer_is_owner": (0,), "instalment_to_income": (0.51,), "licence_held": (0,), "has_income": (0,),
    "reserved_phone_match": (0,), "phone_elsewhere": (1,), "work_phone_elsewhere": (1,), "far_from_dealer": (1,),
}  # fmt: skip


def told(**changes: float) -> dict[str, bool | None]:
    values = np.array([(WHOLE | changes)[name] for name in NAMES], dtype=np.float32)
    return {each.feature: each.fits for each in consistency(NAMES, values)}


def test_a_plain_deal_holds_together() -> None:
    assert set(told().values()) == {True}
    assert set(WHOLE) == set(ODD) == set(NAMES)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in ODD.items() for value in values])
def test_each_check_finds_its_own_oddity_alone(name: str, value: float) -> None:
    found = told(**{name: value})
    assert [each for each, fits in found.items() if fits is False] == [name]
    assert next(iter(found)) == name, "what is odd comes first"


@pytest.mark.parametrize("name", NAMES)
def test_what_nobody_said_is_neither(name: str) -> None:
    assert told(**{name: np.nan})[name] is None


def test_they_ask_declared_features_and_not_where_somebody_comes_from() -> None:
    assert all(CATALOGUE[name].reason for name in NAMES), "features without a reason are monitored only"
    assert not {"far_from_birthplace", "id_issued_elsewhere", "live_province"} & set(NAMES)
    assert not any("{}" in text for each in CHECKS for text in each.says)
    for each in CHECKS:
        assert {text.count("{}") for text in each.odd} == {1 if each.shown else 0}
