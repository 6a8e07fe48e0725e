"""What many hold by nature is recognised by its months and its strangers; a burst never is, however big."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graph import snapshot
from graph.circles import CIRCLES, Circles
from graph.incidence import dealers, incidences, parties
from graph.infrastructure import KINDS, RECOGNISERS, RecycledPhone, Seen, Verdicts, recognise
from graph.infrastructure.values import DefaultValue
from graph.ontology import EDGES, NODES
from graph.records import DAY, Edge, Node, NodeRef, batch_of, from_millis
from graph.store import GraphStore
from graph.stores import open_store

END = 1200
NOON = 4 * 3_600_000
MARKET = 10
"""Dealers of the market, each with a customer of its own every month: who the strangers are strangers among."""

Facts = list[Node | Edge]


def at(day: float) -> int:
    return int(day) * DAY + NOON


@dataclass
class Market:
    """Facts about a portfolio of `MARKET` dealers that ends on day `END`, and what is said of its things."""

    store: GraphStore

    def __post_init__(self) -> None:
        facts: Facts = []
        for day in range(END - 360, END, 30):
            for dealer in range(MARKET):
                facts += customer(f"plain-{day}-{dealer}", dealer, day)
        self.tell(facts)

    def tell(self, facts: Facts) -> None:
        nodes = [each for each in facts if isinstance(each, Node)]
        edges = [each for each in facts if isinstance(each, Edge)]
        self.store.write(batch_of(f"facts-{len(self.store.batches())}", nodes, edges))

    def seen(self, day: float = END) -> Seen:
        snap, as_of = snapshot.build(self.store, as_of=from_millis(at(9 * END))), at(day)
        party = parties(snap, as_of=as_of)
        own = {each.type: each.of_parties(party) for each in incidences(snap, as_of=as_of)}
        submitted = snap.nodes["Application"].times("submitted_at", as_of=as_of)
        return Seen.of(snap, own, party, dealers(snap, as_of=as_of), submitted, as_of=as_of)

    def judged(self, facts: Facts = (), day: float = END) -> dict[tuple[str, str], str]:  # type: ignore[assignment]
        """(type, key) -> kind of all that is set aside."""
        if facts:
            self.tell(facts)
        verdicts = recognise(self.seen(day))
        return {(type_, key(verdicts, type_, entity)): kind for type_, entity, kind in verdicts}


def key(verdicts: Verdicts, type_: str, entity: int) -> str:
    return str(verdicts.seen.snapshot.nodes[type_].table["key"][entity].as_py())


def index(seen: Seen, type_: str, name: str) -> int:
    return seen.snapshot.index(NodeRef(type_, name))


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Market]:
    with open_store(f"sqlite:///{tmp_path / 'graph.sqlite'}") as opened:
        yield Market(opened)


def customer(name: str, dealer: int, day: float, *, known: float | None = None) -> Facts:
    """The application `A-name` of a person of that name at a dealer."""
    moment, told = at(day), at(day if known is None else known)
    application, person = NodeRef("Application", f"A-{name}"), NodeRef("Person", name)
    return [
        Node(application, told, "", {"submitted_at": moment}),
        Edge("APPLIED", person, application, moment, told, "test"),
        Edge("SOLD_BY", application, NodeRef("Dealer", f"D{dealer}"), moment, told, "test"),
    ]


def holds(name: str, relation: str, thing: str, day: float) -> Edge:
    edge = EDGES[relation]
    mine = name if "Person" in (edge.source, edge.target) else f"A-{name}"
    ends = (mine, thing) if edge.target != "Application" else (thing, mine)
    return Edge(relation, NodeRef(edge.source, ends[0]), NodeRef(edge.target, ends[1]), at(day), at(day), "test")


def thing(type_: str, name: str, **stated: Any) -> Node:
    return Node(NodeRef(type_, name), at(END - 400), "", stated)


def acts_as(person: str, code: str) -> Edge:
    return Edge("ACTS_AS", NodeRef("Person", person), NodeRef("Salesperson", code), at(1), at(1), "test")


@dataclass(frozen=True)
class Case:
    """A thing of one kind. `days` of its holders' applications, spread over `dealers` in turn."""

    kind: str
    type: str
    relation: str
    holders: int
    dealers: int
    stated: dict[str, Any]
    by: tuple[str, ...] = ()
    """Further facts: `payee` names it as the account of the dealers, `salesperson` puts one person of two codes in
    charge."""

    def facts(self, *, first: float, last: float, ties: str | None = None) -> Facts:
        facts: Facts = [thing(self.type, "it", **self.stated)] if self.stated else []
        if "payee" in self.by:
            facts += [
                Edge("PAYEE_ACCOUNT", NodeRef("Dealer", f"D{n}"), NodeRef("Account", "it"), at(1), at(1), "test")
                for n in range(self.dealers)
            ]
        for number in range(self.holders):
            name, day = f"P{number}", first + (last - first) * number / (self.holders - 1)
            facts += [*customer(name, number % self.dealers, day), holds(name, self.relation, "it", day)]
            if "salesperson" in self.by:
                facts += [holds(name, "HANDLED_BY", f"S{number % 2}", day), acts_as("seller", f"S{number % 2}")]
            if ties:
                facts.append(holds(name, ties, f"tie-{number // 4}", day))
        return facts


CASES = [
    Case("shop_network", "WiFi", "ON_WIFI", 8, 1, {}),
    Case("shop_network", "IP", "FROM_IP", 8, 1, {"ip_type": "broadband"}),
    Case("shop_device", "Device", "USED_DEVICE", 8, 1, {}),
    Case("sales_phone", "Device", "USED_DEVICE", 8, 2, {}, by=("salesperson",)),
    Case("shop_number", "Phone", "CONTACT_OF", 10, 1, {}),
    Case("shop_yard", "Place", "LAST_SEEN_AT", 8, 1, {}),
    Case("carrier_nat", "IP", "FROM_IP", 14, 8, {"ip_type": "broadband"}),
    Case("carrier_nat", "IP", "FROM_IP", 5, 4, {"ip_type": "mobile_nat"}),
    Case("switchboard", "Phone", "WORK_PHONE", 12, 8, {"type": "landline"}),
    Case("large_employer", "Employer", "WORKS_AT", 14, 8, {"reg_date": "1960-01-01", "insured_headcount": 900}),
    Case("community", "Address", "LIVES_AT", 14, 8, {"level": "room"}),
    Case("dormitory", "Address", "LIVES_AT", 8, 6, {"level": "building", "kind": "dormitory"}),
    Case("business_number", "Phone", "CONTACT_OF", 8, 6, {"type": "mobile", "business_number_flag": True}),
    Case("business_number", "Phone", "CONTACT_OF", 8, 6, {"type": "400"}),
    Case("market_broker", "Phone", "CONTACT_OF", 20, 8, {"type": "mobile"}),
    Case("payment_agent", "Account", "PAID_DOWNPAYMENT", 40, 9, {}),
    Case("dealer_desk", "Account", "PAID_DOWNPAYMENT", 8, 2, {}, by=("payee",)),
    Case("dealer_address", "Address", "LIVES_AT", 5, 1, {"kind": "dealer", "level": "room"}),
    Case("public_template", "DocTemplate", "USES_TEMPLATE", 24, 9, {}),
    Case("public_place", "Place", "LAST_SEEN_AT", 24, 9, {}),
    Case("default_value", "Device", "USED_DEVICE", 40, 10, {}),
]


def titled(case: Case) -> str:
    return f"{case.kind}-{case.type}-{'-'.join(map(str, case.stated.values()))}"


def placed(case: Case, facts: Facts) -> Facts:
    """A place is reached through a car, so each holder gets one."""
    if case.type != "Place":
        return facts
    moved: Facts = []
    for each in facts:
        if isinstance(each, Edge) and each.type == "LAST_SEEN_AT":
            car = NodeRef("Vehicle", each.source.key.removeprefix("A-"))
            application = NodeRef("Application", f"A-{car.key}")
            moved.append(Edge("FINANCES", application, car, each.event_time, each.known_at, "test"))
            each = Edge(each.type, car, each.target, each.event_time, each.known_at, "test")  # noqa: PLW2901
        moved.append(each)
    return moved


every_kind = pytest.mark.parametrize("case", CASES, ids=titled)


def test_every_recogniser_is_tested() -> None:
    tested = {case.kind for case in CASES} | {"new_shop_device"}
    assert tested == {each.kind for each in RECOGNISERS}
    assert set(KINDS) == tested | {"recycled_phone", "household", "fleet", "colleagues"}
    assert all(en and zh for en, zh in KINDS.values())
    assert all(name in NODES for each in RECOGNISERS for name in each.types)


@every_kind
def test_months_of_strangers_make_it_infrastructure(market: Market, case: Case) -> None:
    market.tell(placed(case, case.facts(first=END - 300, last=END - 5)))
    verdicts = recognise(market.seen())
    entity = index(verdicts.seen, case.type, "it")
    assert verdicts.mapping() == {case.type: {entity: case.kind}}
    sentence = verdicts.sentence(case.type, entity)
    assert f"{case.holders} people" in sentence
    assert "over 295 days" in sentence
    assert (f"{case.holders} at one dealer" if case.dealers == 1 else "at ") in sentence
    assert sentence.endswith(KINDS[case.kind][0])


@every_kind
@pytest.mark.parametrize("many", [1, 3], ids=["as many", "three times as many"])
def test_a_burst_is_not_however_big(market: Market, case: Case, many: int) -> None:
    big = Case(case.kind, case.type, case.relation, case.holders * many, case.dealers, case.stated, case.by)
    assert market.judged(placed(big, big.facts(first=END - 25, last=END - 4))) == {}


@every_kind
def test_one_early_holder_makes_no_history(market: Market, case: Case) -> None:
    """Nearly all came in one month; that somebody held it long before does not make it old."""
    early: Facts = [*customer("early", 0, END - 300), holds("early", case.relation, "it", END - 300)]
    assert market.judged(placed(case, [*early, *case.facts(first=END - 25, last=END - 4)])) == {}


@every_kind
def test_whoever_shares_more_is_no_stranger(market: Market, case: Case) -> None:
    """Months alone are not enough: here every fourth holder's people also share a payer, or a device."""
    tie = "USED_DEVICE" if case.type == "Account" else "PAID_DOWNPAYMENT"
    assert market.judged(placed(case, case.facts(first=END - 300, last=END - 5, ties=tie))) == {}


@every_kind
def test_nothing_known_later_changes_a_verdict(market: Market, case: Case) -> None:
    """Neither the holders of later months, nor later ties, nor a second telling of old ones."""
    facts = placed(case, case.facts(first=END - 300, last=END - 5))
    early = [each for each in facts if each.known_at <= at(END - 270)]
    before = market.judged(early, END - 270)
    assert before == {}
    assert market.judged(facts, END - 270) == before
    now = market.judged()
    later: Facts = [holds(f"P{n}", "PAID_DOWNPAYMENT", "later", END + 1) for n in range(case.holders)]
    assert market.judged(later) == now != {}


def tablets(*, network: bool, others: int = 3) -> Facts:
    """A shop whose earlier customers used its tablets, and a new one with four users in ten days."""
    facts: Facts = []
    for number in range(others * 4):
        day = END - 280 + 240 * number / max(others * 4 - 1, 1)
        facts += customer(f"old-{number}", 1, day)
        facts.append(holds(f"old-{number}", "USED_DEVICE", f"tablet-{number % others}", day))
    for number in range(8 if network else 0):
        day = END - 280 + 30 * number
        facts += [*customer(f"wifi-{number}", 1, day), holds(f"wifi-{number}", "ON_WIFI", "shop", day)]
    for number in range(4):
        day = END - 20 + 3 * number
        facts += [*customer(f"new-{number}", 1, day), holds(f"new-{number}", "USED_DEVICE", "new", day)]
        if network:
            facts.append(holds(f"new-{number}", "ON_WIFI", "shop", day))
    return facts


@pytest.mark.parametrize(("nights", "open_"), [(1, True), (3, False)])
def test_a_shop_s_device_is_used_in_opening_hours(market: Market, nights: int, open_: bool) -> None:
    facts = Case("", "Device", "USED_DEVICE", 8, 1, {}).facts(first=END - 300, last=END - 5)
    late = [NodeRef("Application", f"A-P{number}") for number in range(nights)]
    facts = [
        Node(each.ref, each.known_at, "", {"submitted_at": int(each.properties["submitted_at"]) + DAY // 2})
        if isinstance(each, Node) and each.ref in late
        else each
        for each in facts
    ]
    assert (market.judged(facts) == {("Device", "it"): "shop_device"}) == open_


def test_a_fleet_on_a_shop_s_tablet_leaves_it_the_shop_s(market: Market) -> None:
    """Thirty strangers over months are enough, though twenty others share a payer too."""
    facts = Case("", "Device", "USED_DEVICE", 50, 1, {}).facts(first=END - 300, last=END - 5)
    facts += [holds(f"P{number}", "PAID_DOWNPAYMENT", "company", END - 5) for number in range(0, 40, 2)]
    assert market.judged(facts) == {("Device", "it"): "shop_device"}


@pytest.mark.parametrize("tie", [None, "PAID_DOWNPAYMENT"])
def test_a_shop_that_works_on_tablets_has_a_next_one(market: Market, tie: str | None) -> None:
    facts = tablets(network=False)
    if tie:
        facts += [holds(f"new-{number}", tie, "payer", END - 10) for number in range(4)]
    judged = market.judged(facts)
    assert judged.get(("Device", "new")) == (None if tie else "new_shop_device")


def test_a_new_device_in_the_shop_s_network_is_the_shop_s(market: Market) -> None:
    market.tell(tablets(network=True, others=0))
    verdicts = recognise(market.seen())
    new = index(verdicts.seen, "Device", "new")
    assert verdicts.kind("Device", new) == "new_shop_device"
    assert "4 people, 4 at one dealer, over 9 days" in verdicts.sentence("Device", new)
    assert "4 in the shop's network" in verdicts.sentence("Device", new)


def test_a_new_device_of_a_shop_without_any_stays_a_lead(market: Market) -> None:
    assert market.judged(tablets(network=False, others=0)) == {}


def test_three_devices_do_not_make_a_busy_shop_work_on_tablets(market: Market) -> None:
    crowd = [each for n in range(90) for each in customer(f"busy-{n}", 1, END - 280 + 3 * n)]
    assert market.judged([*crowd, *tablets(network=False)]) == {}


def test_a_mega_ring_s_payer_is_no_payment_agent(market: Market) -> None:
    """A hundred people in five months over eight dealers: spread and steady, but devices in common betray it."""
    ring = Case("payment_agent", "Account", "PAID_DOWNPAYMENT", 100, 8, {})
    assert market.judged(ring.facts(first=END - 160, last=END - 5, ties="USED_DEVICE")) == {}


def test_resale_money_flows_to_no_payment_agent(market: Market) -> None:
    hub = Case("payment_agent", "Account", "PROCEEDS_TO", 40, 9, {})
    assert market.judged(hub.facts(first=END - 300, last=END - 5)) == {}


@pytest.mark.parametrize(
    "stated", [{"reg_date": "1973-01-01", "insured_headcount": 900}, {"reg_date": "1960-01-01", "insured_headcount": 3}]
)
def test_a_shell_is_no_large_employer(market: Market, stated: dict[str, Any]) -> None:
    case = Case("large_employer", "Employer", "WORKS_AT", 14, 8, stated)
    assert market.judged(case.facts(first=END - 300, last=END - 5)) == {}


def test_what_few_of_all_hold_is_no_default_value(market: Market) -> None:
    market.tell(Case("", "Device", "USED_DEVICE", 40, 10, {}).facts(first=END - 300, last=END - 5))
    assert len(recognise(market.seen(), (), [DefaultValue(of_all=0.2)])) == 1
    assert len(recognise(market.seen(), (), [DefaultValue(of_all=0.5)])) == 0


def test_a_mobile_number_is_no_switchboard(market: Market) -> None:
    case = Case("switchboard", "Phone", "WORK_PHONE", 14, 8, {"type": "mobile"})
    assert market.judged(case.facts(first=END - 300, last=END - 5)) == {}


@pytest.mark.parametrize("name", ["无", "0000000", "unknown", "seal:0000"])
def test_a_text_that_says_nothing_is_a_default_value(market: Market, name: str) -> None:
    people = [f"P{n}" for n in range(4)]
    facts = [each for person in people for each in customer(person, 1, END - 5)]
    facts += [holds(person, "USES_TEMPLATE", name, END - 5) for person in people]
    assert market.judged(facts) == {("DocTemplate", name): "default_value"}


def test_of_two_reasons_the_first_counts(market: Market) -> None:
    """A dormitory is a community too, and is called by the more telling name."""
    case = Case("", "Address", "LIVES_AT", 14, 8, {"level": "building", "kind": "dormitory"})
    market.tell(case.facts(first=END - 300, last=END - 5))
    seen = market.seen()
    named = [next(each for each in RECOGNISERS if each.kind == kind) for kind in ("dormitory", "community")]
    assert seen.judged(named[0], "Address").tolist() == seen.judged(named[1], "Address").tolist() != []
    for recognisers in (named, named[::-1]):
        assert list(recognise(seen, (), recognisers).counts()) == [recognisers[0].kind]


@dataclass(frozen=True)
class Decision:
    type: str
    entity: int
    infrastructure: bool
    kind: str
    reason: str


def test_people_overrule_both_ways(market: Market) -> None:
    tablet = Case("shop_device", "Device", "USED_DEVICE", 8, 1, {})
    market.tell(tablet.facts(first=END - 300, last=END - 5))
    market.tell([*customer("Z", 1, END - 3), holds("Z", "USED_DEVICE", "other", END - 3)])
    seen = market.seen()
    it, other = (index(seen, "Device", name) for name in ("it", "other"))
    back, aside = Decision("Device", it, False, "", "seized"), Decision("Device", other, True, "shop_tablet", "on site")
    verdicts = recognise(seen, [back, aside])
    assert verdicts.mapping() == {"Device": {other: "shop_tablet"}}
    assert verdicts.counts() == {"shop_tablet": 1}
    assert verdicts.sentence("Device", other) == "on site"
    assert verdicts.entities("Device").tolist() == [other]
    with pytest.raises(KeyError):
        verdicts.sentence("Device", it)
    assert recognise(seen, [aside, Decision("Device", other, False, "", "")]).mapping() == recognise(seen).mapping()
    unnamed = recognise(seen, [Decision("Device", other, True, "", "seen there")])
    assert unnamed.mapping() == {"Device": dict(sorted({it: "shop_device", other: "by_hand"}.items()))}


def owners(*days: float, relation: str = "HAS_PHONE") -> Facts:
    return [
        fact
        for number, day in enumerate(days)
        for fact in (*customer(f"P{number}", number, day), holds(f"P{number}", relation, "number", day))
    ]


@pytest.mark.parametrize(
    ("days", "relation", "stated", "eras"),
    [
        ((END - 200, END - 100), "HAS_PHONE", {}, [0, 1]),
        ((END - 200, END - 115), "HAS_PHONE", {}, [0, 0]),
        ((END - 200, END - 190, END - 50, END - 40), "HAS_PHONE", {}, [0, 0, 1, 1]),
        ((END - 200, END - 100), "CONTACT_OF", {}, [0, 0]),
        ((END - 60, END - 20), "HAS_PHONE", {"valid_from": at(END - 30)}, [0, 1]),
        ((END - 60, END - 20), "HAS_PHONE", {"valid_to": at(END - 50), "valid_from": at(END + 9)}, [0, 1]),
        ((END - 60, END - 20), "HAS_PHONE", {"valid_from": at(END + 9), "valid_to": at(END + 1)}, [0, 0]),
        ((END - 60, END - 20), "HAS_PHONE", {"valid_from": at(END - 70)}, [0, 0]),
        ((END - 60, END - 20), "HAS_PHONE", {"valid_from": at(END - 10)}, [0, 0]),
    ],
)
def test_a_re_issued_number_is_cut_in_two(
    market: Market, days: Sequence[float], relation: str, stated: dict[str, Any], eras: list[int]
) -> None:
    market.tell([thing("Phone", "number", **stated), *owners(*days, relation=relation)])
    verdicts = recognise(market.seen())
    assert not verdicts.mapping(), "it stays a lead"
    number = index(verdicts.seen, "Phone", "number")
    when = np.array([at(day) for day in days])
    assert verdicts.cuts.eras(np.full(len(days), number), when).tolist() == eras
    assert verdicts.cuts.eras(np.full(len(days), number + 1), when).tolist() == [0] * len(days)


def test_who_was_only_a_contact_gave_nothing_up(market: Market) -> None:
    facts = [*owners(END - 200, relation="CONTACT_OF"), *customer("P1", 1, END - 100)]
    market.tell([*facts, holds("P1", "HAS_PHONE", "number", END - 100)])
    assert len(recognise(market.seen()).cuts.entity) == 0


def test_a_number_in_use_has_no_gap(market: Market) -> None:
    """The first owner applies again with it, so it was never given up."""
    facts = owners(END - 200, END - 100)
    again = NodeRef("Application", "again")
    facts.append(Node(again, at(END - 150), "", {"submitted_at": at(END - 150)}))
    facts.append(Edge("APPLIED", NodeRef("Person", "P0"), again, at(END - 150), at(END - 150), "test"))
    market.tell(facts)
    assert len(recognise(market.seen()).cuts.entity) == 0


def test_why_a_number_is_cut(market: Market) -> None:
    market.tell(owners(END - 200, END - 100))
    verdicts = recognise(market.seen())
    sentence = RecycledPhone().because(verdicts.cuts, index(verdicts.seen, "Phone", "number"))
    assert sentence == "one person's until 1972-09-27, another's from 1973-01-05, 100 days later: a re-issued number"


@pytest.mark.parametrize("young", [False, True])
def test_circles_have_sentences_too(young: bool) -> None:
    home, work, fleet = (np.array(labels) for labels in ([7, 7, 7, -1, 8, -1], [5, 5, 5, 5, 6, -1], [4] * 6))
    near = Circles(home, work, fleet, young=np.full(6, young))
    household, drivers, colleagues = CIRCLES
    said = [household.because(near, 7), drivers.because(near, 4), colleagues.because(near, 5)]
    assert [sentence[:8] for sentence in said] == ["3 people", "6 people", "4 people"]
    assert [sentence.rpartition(": ")[2] for sentence in said] == [household.en, drivers.en, colleagues.en]
    assert ("not a new one" in said[2]) == (not young)


# Degenerate portfolios -----------------------------------------------------------------------------------


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Callable[[Facts], Market]]:
    """A portfolio of these facts and nothing else."""
    with open_store(f"sqlite:///{tmp_path / 'alone.sqlite'}") as opened:

        def made(facts: Facts) -> Market:
            market = Market.__new__(Market)
            market.store = opened
            market.tell(facts)
            return market

        yield made


Alone = Callable[[Facts], Market]


def test_nothing_at_all(alone: Alone) -> None:
    assert alone(customer("P", 1, END - 5)).judged() == {}


def test_a_month_of_data_sets_nothing_aside(alone: Alone) -> None:
    facts: Facts = []
    for case in CASES:
        facts += placed(case, case.facts(first=END - 30, last=END - 1))
    assert alone(facts).judged() == {}


def test_two_months_show_a_tablet(alone: Alone) -> None:
    """A portfolio of sixty days cannot show four months: most of its time is long."""
    plain = [each for n in range(61) for each in customer(f"plain-{n}", n % 5, END - 60 + n)]
    tablet = Case("shop_device", "Device", "USED_DEVICE", 10, 1, {})
    assert alone([*plain, *tablet.facts(first=END - 58, last=END - 2)]).judged() == {("Device", "it"): "shop_device"}


@pytest.mark.parametrize("type_", ["Phone", "Employer", "Address", "Account", "DocTemplate"])
def test_one_dealer_shows_no_strangers(alone: Alone, type_: str) -> None:
    """Where all buy at one dealer, nothing can show that people are unrelated."""
    relation = {
        "Phone": "WORK_PHONE", "Employer": "WORKS_AT", "Address": "LIVES_AT", "Account": "REPAID_BY",
        "DocTemplate": "USES_TEMPLATE",
    }[type_]  # fmt: skip
    case = Case("", type_, relation, 40, 1, {"type": "landline"} if type_ == "Phone" else {})
    facts = case.facts(first=END - 300, last=END - 5)
    if type_ == "Phone":
        judged = alone(facts).judged()
        assert judged in ({}, {("Phone", "it"): "shop_number"})
    else:
        assert alone(facts).judged() == {}


def test_a_clock_in_the_future_makes_no_history(market: Market) -> None:
    """Dated after `as_of`, so without a date: not of 1970, which would make months of three days."""
    facts: Facts = []
    for number in range(8):
        facts += customer(f"P{number}", 1, END + 50 if number < 3 else END - 3, known=END - 3)
        facts.append(holds(f"P{number}", "USED_DEVICE", "it", END - 3))
    assert market.judged(facts) == {}
    assert int(market.seen().when.min()) > at(END - 400)
