"""Every sentence that graph/ can make is said in Chinese, and none of its figures is lost on the way."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from graph import circles, infrastructure, roles, sentences
from graph.incidence import holdings
from graph.infrastructure import KINDS, RECOGNISERS, RecycledPhone
from graph.infrastructure.many import CarrierNat
from graph.infrastructure.recycled import Cuts
from graph.infrastructure.values import DefaultValue
from graph.lookalikes import LOOK_ALIKES
from graph.ontology import EDGES, NODES
from graph.projection import judge
from graph.roles import Role, Staff
from graph.sentences import Shared
from graph.signs import SIGNS
from graph.snapshot import open_snapshot
from workbench.casebook.roles import ROLES
from workbench.ui.i18n import language
from workbench.ui.viewmodel import sentences as told

DAY = 86_400_000


@pytest.fixture(autouse=True)
def chinese() -> Iterator[None]:
    before = language.set("zh")
    yield
    language.reset(before)


def same(text: str) -> None:
    """In Chinese, with every number of the English one but those of a rule or a look-alike's code."""
    chinese = told.said(text)
    assert re.search("[一-鿿]", chinese), text
    assert not re.search(r"[a-z]{4,}", re.sub(r"[0-9a-f*]{5,}", "", chinese)), chinese
    numbers, kept = (Counter(re.findall(r"\d+", each)) for each in (text, chinese))
    if "up to" not in text and "one family" not in text:
        assert numbers <= kept, (text, chinese)


def shared(type_: str, relation: str, people: int = 3) -> Shared:
    return Shared(type_, relation, "k" * 8, "ab***12", ("A1", "A2", "A3")[:people], people)


LEADS = [
    (node.name, edge.name)
    for node, edge in product(NODES.values(), EDGES.values())
    if node.lead and edge.weight and node.name in (edge.source, edge.target)
]


@pytest.mark.parametrize(("type_", "relation"), LEADS)
def test_what_is_shared(type_: str, relation: str) -> None:
    one = sentences.because([shared(type_, relation)], 4, 3, 1, Counter({1: 4}))
    two = sentences.because([shared(type_, relation), shared(type_, relation, 2)], 4, 4, 9, Counter({1: 3, 2: 1}))
    for each in (one, two):
        same(each)
        assert NODES[type_].zh in told.said(each)


def test_more_than_four_kinds() -> None:
    every = [shared(type_, relation) for type_, relation in LEADS]
    for count in (5, 6, len(every)):
        same(sentences.because(every[:count], 30, 12, 40, Counter({1: 20, 2: 10})))


def test_signs() -> None:
    assert {sign.name for sign in SIGNS} == set(told.SIGN_ZH)
    for text in sentences.odd([(sign, 3) for sign in SIGNS], 9):
        same(text)
    for sign in SIGNS:
        same(sign.words)


def test_doubts() -> None:
    assert {each.name for each in LOOK_ALIKES} == set(told.DOUBT_ZH)
    for each in LOOK_ALIKES:
        same(each.words)


def _roles() -> tuple[Role, ...]:
    relations = ("PAID_DOWNPAYMENT", "PROCEEDS_TO", "TRANSFER_ACCOUNT", "TRANSFERRED_TO", "CONTACT_OF")
    types = {"TRANSFERRED_TO": "Person", "CONTACT_OF": "Phone"}
    every = [shared(types.get(each, "Account"), each) for each in relations]
    own = Shared("Phone", "CONTACT_OF", "own", "138****0000", ("A1", "A2", "A3"), 3)
    staff = [Staff("Reviewer", "RV7", 4, 9, 3), Staff("Salesperson", "SP8", 4, 6)]
    return roles.roles([*every, own], {"own": ["A9"]}, staff, 4)


def test_roles() -> None:
    every = _roles()
    assert {each.role for each in every} == {"organiser", "recruiter", "mule", "receiver", "insider"}
    assert {each.role for each in every} | set(ROLES) == set(told.ROLES)
    for each in every:
        same(each.because)
        if not each.who.startswith("A"):
            same(each.who)
    made = set(re.findall(r'(?:Role|_of|_member)\(\s*"(\w+)"', inspect.getsource(roles)))
    assert made == {each.role for each in every}, "a role that this test does not know"


def test_kinds() -> None:
    for code in KINDS:
        assert told.kind(code) == KINDS[code][1]
    assert told.kind("by_hand") == "人工设定"
    assert told.kind("a word of mine") == "a word of mine"


def test_every_recogniser_says_what_the_grammar_reads() -> None:
    figures = (
        "14 people, 12 at one dealer, over 130 days, at most 5 in one month",
        "14 people, at 9 dealers, over 130 days, at most 5 in one month",
    )
    more = (" (3 dealers in all)", "", ", 9 by one salesperson", ", 9 in the shop's network", ", 1.5% of all",
            ", 9 at dealers who are paid through it")  # fmt: skip
    for each, text, rest in product(RECOGNISERS, figures, more):
        same(f"{text}{rest}: {each.en}")
    writing = {cls.__name__ for each in RECOGNISERS for cls in type(each).__mro__ if "because" in vars(cls)} - {
        "Recogniser"
    }
    assert writing == {"_Shops", "SalesPhone", "NewShopDevice", "Spread", "DefaultValue", "DealerAddress", "DealerDesk"}


def test_numbers_that_changed_hands_and_circles() -> None:
    cuts = Cuts(np.array([7]), np.array([400 * DAY]), np.array([600 * DAY]))
    same(RecycledPhone().because(cuts, 7))
    flags = np.array([True, True, False])
    for young in (flags, ~flags & False):
        near = circles.Circles(*(np.array([1, 1, 2]) for _ in range(3)), young)
        for each in circles.CIRCLES:
            same(each.because(near, 1))
    assert {each.kind for each in circles.CIRCLES} == {"household", "fleet", "colleagues"}


def test_what_a_portfolio_sets_aside(trained: Path) -> None:
    """As the code itself says it, of things that are there."""
    snapshot = open_snapshot(trained / "snapshot")
    as_of = int(snapshot.nodes["Application"].known_at.max())
    verdicts = judge(snapshot, holdings(snapshot, as_of=as_of), as_of=as_of)
    by_kind = {each.kind: each for each in verdicts}
    assert len(by_kind) >= 5
    for each in by_kind.values():
        text = verdicts.sentence(each.type, each.entity)
        same(text)
        assert told.said(text).endswith(KINDS[each.kind][1])


def test_a_persons_words_stay() -> None:
    assert told.said("the shop's own tablet, I saw it") == "the shop's own tablet, I saw it"


def test_english_is_as_it_was_written() -> None:
    language.set("en")
    text = sentences.because([shared("Device", "USED_DEVICE")], 4, 3, 1, Counter({1: 4}))
    assert told.said(text) == text
    assert told.kind("shop_device") == "the shop's own device"
    assert told.of(told.ROLES, "mule") == "straw borrower"
    assert (infrastructure.KINDS["fleet"], CarrierNat.en, DefaultValue.en) == (
        ("a fleet", "车队或挂靠公司"), "a carrier's or a public network's address", "a default value",
    )  # fmt: skip
