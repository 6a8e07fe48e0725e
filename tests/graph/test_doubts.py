"""Fleets, staff, shops, voices and referrals are recognised and say so; rings among them keep their rank."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graph.lookalikes import LOOK_ALIKES, Described, factors, recognised
from graph.roles import Role, Staff, roles
from graph.sentences import Shared, because, odd, typology
from graph.signs import SIGNS

STRANDS = ("Account", "Address", "Phone", "Place", "VoiceCluster", "session", "work")


def group(**told: float) -> Described:
    """One group of six in ten days at one dealer that shares accounts; `told` changes it."""
    part = {name: np.array([told.get(name, 0.0)]) for name in STRANDS}
    if not any(told.get(name) for name in STRANDS):
        part["Account"] = np.array([1.0])
    plain = Described(
        part=part, people=np.array([6]), days=np.array([10.0]), points=np.array([10.0]), dealer=np.array([1.0]),
        employer=np.array([0.0]), home=np.array([0.0]), openly=np.array([0.0]), town=np.array([0.0]),
    )  # fmt: skip
    return replace(plain, **{name: np.array([value]) for name, value in told.items() if name not in STRANDS})


def doubts(**told: float) -> list[str]:
    return [each.name for each, holds in zip(LOOK_ALIKES, recognised(group(**told))[0], strict=True) if holds]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, []),
        ({"home": 0.8, "people": 4}, ["family"]),
        ({"home": 0.8, "people": 9}, []),
        ({"home": 0.3, "people": 4}, []),
        ({"employer": 0.9, "openly": 0.5}, ["fleet"]),
        ({"employer": 0.9, "openly": 0.1}, []),
        ({"employer": 0.3, "openly": 0.9}, []),
        ({"employer": 0.9, "openly": 0.9, "points": 30.0}, []),
        ({"employer": 0.9, "session": 0.4, "work": 0.6}, ["staff_purchase"]),
        ({"employer": 0.9, "session": 0.4, "work": 0.6, "days": 90.0}, []),
        ({"session": 1.0}, ["shop"]),
        ({"session": 1.0, "dealer": 0.3}, []),
        ({"session": 0.8, "Account": 0.2}, []),
        ({"VoiceCluster": 0.95, "Phone": 0.05}, ["voice"]),
        ({"work": 1.0}, ["paper"]),
        ({"work": 0.8, "Phone": 0.2}, []),
        ({"session": 0.7, "work": 0.3}, ["shop"]),
        ({"Phone": 0.7, "Place": 0.3, "town": 0.9}, ["referral"]),
        ({"Phone": 1.0, "town": 0.2}, []),
        ({"Phone": 0.6, "Account": 0.4, "town": 0.9}, []),
    ],
)
def test_look_alikes(told: dict[str, float], expected: list[str]) -> None:
    assert doubts(**told) == expected


def test_the_strongest_doubt_counts() -> None:
    flags = np.array([[False] * len(LOOK_ALIKES), [True] * len(LOOK_ALIKES)])
    assert factors(flags).tolist() == [1.0, min(each.factor for each in LOOK_ALIKES)]
    assert len(factors(np.zeros((0, len(LOOK_ALIKES)), dtype=bool))) == 0


# Words -------------------------------------------------------------------------------------------------


def thing(relation: str, *holders: str, type_: str = "Account", key: str = "token") -> Shared:
    return Shared(type_, relation, key, "ac***12", holders, len(holders))


FOUR = ("A1", "A2", "A3", "A4")


def test_the_money_names_organiser_mules_and_receiver() -> None:
    found = roles([thing("PAID_DOWNPAYMENT", *FOUR), thing("PROCEEDS_TO", *FOUR[:3])], {}, [], 6)
    assert found[0] == Role("organiser", "account ac***12", "paid the down payment of 4 people")
    assert [one.who for one in found if one.role == "mule"] == list(FOUR)
    assert found[-1] == Role("receiver", "account ac***12", "got the money for the cars of 3 people")


def test_a_contact_s_owner_in_the_ring_recruits() -> None:
    contact = thing("CONTACT_OF", *FOUR, type_="Phone", key="phone")
    (mine,) = roles([contact], {"phone": ["A9"]}, [], 6)
    assert (mine.role, mine.who) == ("recruiter", "A9")
    (unknown,) = roles([contact], {}, [], 6)
    assert (unknown.role, unknown.who) == ("recruiter", "phone ac***12")


@pytest.mark.parametrize(("handled", "all_", "insider"), [(5, 7, True), (5, 40, False), (2, 2, False)])
def test_a_salesperson_of_nearly_all_and_little_else(handled: int, all_: int, insider: bool) -> None:
    found = roles([thing("USED_DEVICE", *FOUR)], {}, [Staff("Salesperson", "S1", handled, all_)], 6)
    assert [one.role for one in found] == (["insider"] if insider else [])


def test_a_reviewer_who_overrides_again_and_again() -> None:
    staff = [Staff("Reviewer", "R1", 4, 900, overrides=3), Staff("Reviewer", "R2", 5, 900, overrides=1)]
    assert [one.who for one in roles([], {}, staff, 6)] == ["reviewer R1"]


def test_few_of_many_make_no_role() -> None:
    assert not roles([thing("PAID_DOWNPAYMENT", "A1", "A2")], {}, [], 3)
    assert not roles([thing("PAID_DOWNPAYMENT", *FOUR)], {}, [], 40)


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        ([thing("PAID_DOWNPAYMENT", *FOUR), thing("TRANSFERRED_TO", *FOUR[:2], type_="Person")], "T26"),
        ([thing("PAID_DOWNPAYMENT", *FOUR), thing("TRANSFERRED_TO", *FOUR, type_="Person"),
          thing("USED_DEVICE", *FOUR, type_="Device")], "T02"),
        ([thing("FINANCES", *FOUR[:2], type_="Vehicle")], "T03"),
        ([thing("PAID_DOWNPAYMENT", *FOUR)], "T01"),
        ([thing("USES_TEMPLATE", *FOUR, type_="DocTemplate")], "T05"),
        ([thing("USES_TEMPLATE", *FOUR[:3], type_="DocTemplate"), thing("PAID_DOWNPAYMENT", *FOUR)], "T01"),
        ([thing("WORKS_AT", *FOUR, type_="Employer"), thing("PAID_DOWNPAYMENT", *FOUR)], "T16"),
        ([thing("WORKS_AT", *FOUR, type_="Employer"), thing("LIVES_AT", *FOUR, type_="Address")], "T20"),
        ([thing("SPOKE_AS", *FOUR, type_="VoiceCluster"), thing("PAID_DOWNPAYMENT", *FOUR)], "T07"),
        ([thing("LAST_SEEN_AT", *FOUR, type_="Place"), thing("PAID_DOWNPAYMENT", *FOUR[:2])], "T13"),
        ([thing("USED_DEVICE", *FOUR, type_="Device")], "T21"),
        ([thing("PAID_DOWNPAYMENT", *FOUR[:2])], "T08"),
        ([thing("CONTACT_OF", *FOUR, type_="Phone")], "T08"),
    ],
)  # fmt: skip
def test_typology(shared: list[Shared], expected: str) -> None:
    assert typology(shared, 5) == expected


def test_an_insider_and_prices_tell_what_money_alone_does_not() -> None:
    paid = [thing("PAID_DOWNPAYMENT", *FOUR)]
    assert typology(paid, 5, insider=True) == "T09"
    assert typology(paid, 5, overpriced=0.6) == "T04"
    assert typology([*paid, thing("FINANCES", *FOUR[:2], type_="Vehicle")], 5, insider=True, overpriced=1.0) == "T03"


def test_sentences() -> None:
    from collections import Counter  # noqa: PLC0415

    shared = [thing("PAID_DOWNPAYMENT", *FOUR), thing("USED_DEVICE", *FOUR[:3], type_="Device")]
    said = because(shared, 5, 4, 12, Counter({1: 4, 2: 1}))
    assert said == (
        "5 applications of 4 people in 12 days at 2 dealers (4 at one) share "
        "1 account (paid the down payment of, 4 of 4), 1 device (used device, 3 of 4)"
    )
    by_name = {sign.name: sign for sign in SIGNS}
    told = odd([(by_name["far"], 3), (by_name["thin_file"], 1)], 5)
    assert told == ("3 of 5 live in another province than the dealer (T01)",)
    assert odd([(by_name["far"], 2)], 20) == (), "two of twenty are nothing"
