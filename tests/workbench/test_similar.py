"""Closed cases most like this one: the same things count more than the same size, and everybody can see why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from graph.ontology import EDGES
from graph.sentences import Shared, because
from graph.settings import Settings
from workbench.casebook import cases
from workbench.casebook.cases import Finding
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.reasons.similar import (
    LEAST,
    PARTS,
    WEIGHTS,
    Similar,
    Traits,
    likeness,
    shared_in,
    traits_of_ring,
)

LIN = Person("lin", "Lin Yue", Role.INVESTIGATOR)
NOW = datetime(2026, 5, 1, tzinfo=UTC)

DEVICES = Traits("ring", "T21", {"USED_DEVICE": 1.0, "FROM_IP": 0.8}, 8, 20, "D1", "310100")
PAYERS = Traits("ring", "T01", {"PAID_DOWNPAYMENT": 1.0, "CONTACT_OF": 0.5}, 8, 20, "D2", "440100")


def alike(one: Traits, other: Traits) -> float:
    return float((likeness(one, [other]) @ WEIGHTS)[0])


def test_a_case_is_most_like_itself() -> None:
    assert alike(DEVICES, DEVICES) == pytest.approx(1)
    assert WEIGHTS.sum() == pytest.approx(1)
    for each in (PAYERS, replace(DEVICES, size=9), replace(DEVICES, typology="T08"), replace(DEVICES, dealer="D9")):
        assert alike(DEVICES, each) < 1


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        (replace(DEVICES, typology="T08", size=30), replace(PAYERS, size=8)),
        (replace(DEVICES, size=9), replace(DEVICES, size=60)),
        (replace(DEVICES, days=25), replace(DEVICES, days=300)),
        (replace(DEVICES, dealer="D1"), replace(DEVICES, dealer="D7", region="310100")),
        (replace(DEVICES, dealer="D7", region="310115"), replace(DEVICES, dealer="D7", region="440100")),
        (replace(DEVICES, shared={"USED_DEVICE": 1.0}), replace(DEVICES, shared={"FROM_IP": 1.0})),
    ],
)
def test_what_is_nearer(nearer: Traits, farther: Traits) -> None:
    assert alike(DEVICES, nearer) > alike(DEVICES, farther)


def test_each_part_is_a_share() -> None:
    rng = np.random.default_rng(5)
    names = [name for name, edge in EDGES.items() if edge.weight]
    some = [
        Traits(
            "ring", f"T{rng.integers(1, 27):02}", {name: float(rng.random()) for name in rng.choice(names, 3)},
            int(rng.integers(2, 200)), int(rng.integers(1, 200)), f"D{rng.integers(5)}", "310100",
        )
        for _ in range(60)
    ]  # fmt: skip
    for one in some[:10]:
        parts = likeness(one, some)
        assert parts.shape == (60, len(PARTS))
        assert ((parts >= 0) & (parts <= 1 + 1e-9)).all()
        assert [alike(one, other) for other in some[:5]] == pytest.approx([alike(other, one) for other in some[:5]])


def test_a_closed_case_is_read_from_its_own_sentence() -> None:
    shared = [
        Shared("Device", "USED_DEVICE", "k", "m", ("A", "B", "C"), 3),
        Shared("Phone", "CONTACT_OF", "k", "m", ("A", "B"), 2),
    ]
    text = because(shared, 4, 4, 9, Counter({1: 4}))
    assert shared_in(text) == {"USED_DEVICE": 0.75, "CONTACT_OF": 0.5}
    told = {"because": text, "typology": "T21", "application_ids": list("ABCD")}
    assert (traits_of_ring(told).days, traits_of_ring(told).size) == (9, 4)
    assert shared_in("somebody wrote this") == {}


# Over a casebook -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Office(Settings.read({"RINGROAD_HOME": str(tmp_path_factory.mktemp("similar"))})) as made:
        _case(made, "R1", "T21", [("Device", "USED_DEVICE", 4)], "confirmed_fraud")
        _case(made, "R2", "T01", [("Account", "PAID_DOWNPAYMENT", 4)], "false_positive")
        _case(made, "R3", "T21", [("Device", "USED_DEVICE", 4)], "")
        _case(made, "R4", "T21", [("Device", "USED_DEVICE", 4)], "merged")
        yield made


def _case(office: Office, name: str, typology: str, shared: list[tuple[str, str, int]], outcome: str) -> None:
    things = [Shared(type_, by, "k", "m", ("A", "B"), people) for type_, by, people in shared]
    text = because(things, 5, 5, 12, Counter({1: 5}))
    found = Finding("ring", name, 0.6, 5, 1e6, 0, typology, text, (), "D1", "310100", NOW, NOW)
    with office.casebook.writing() as db:
        cases.open_all(db, [found], because="found", now=NOW)
        case = cases.latest(db, "ring", name)
        assert case is not None
        if outcome:
            told = {
                "outcome": outcome,
                "closing_reason": f"why {name}",
                "closed_at": NOW + timedelta(days=int(name[1])),
            }
            cases.change(db, case.id, status="closed", **told)


ASKED = Traits("ring", "T21", {"USED_DEVICE": 0.9}, 6, 10, "D1", "310100")


def test_closed_cases_with_their_outcome(office: Office) -> None:
    (first, *others) = Similar(office).to(LIN, ASKED)
    assert (first.subject, first.outcome, first.reason, first.common) == (
        "R1",
        "confirmed_fraud",
        "why R1",
        ("USED_DEVICE",),
    )
    assert not {each.subject for each in others} & {"R3", "R4"}, "open ones and those that became part of another"
    assert first.likeness > 0.9
    assert all(each.likeness >= LEAST for each in others)
    assert dict(first.parts)["typology"] == 1


def test_not_the_case_itself(office: Office) -> None:
    assert "R1" not in {each.subject for each in Similar(office).to(LIN, ASKED, but="R1")}
    assert Similar(office).to(LIN, replace(ASKED, kind="application")) == []


def test_everybody_who_is_signed_in_may_look(office: Office) -> None:
    for role in Role:
        assert Similar(office).to(Person("x", "x", role), ASKED)


def test_ten_thousand_closed_cases_are_compared_at_once() -> None:
    many = [replace(DEVICES, size=at % 50 + 2, days=at % 90 + 1, dealer=f"D{at}") for at in range(10_000)]
    assert likeness(DEVICES, many).shape == (10_000, len(PARTS))
