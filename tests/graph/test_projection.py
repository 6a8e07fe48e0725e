"""Who is linked with whom, how strongly, and what links nobody."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from graph import snapshot
from graph.circles import FLEET, HOUSEHOLD
from graph.ontology import EDGES, NODES
from graph.projection import HALF_LIFE_DAYS, UNIT, Projection, project
from graph.records import DAY, Edge, Node, NodeRef, batch_of, from_millis
from graph.store import GraphStore
from graph.stores import open_store

NOW = 400 * DAY
Weights = dict[tuple[str, str], int]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GraphStore]:
    with open_store(f"sqlite:///{tmp_path / 'graph.sqlite'}") as opened:
        yield opened


def application(name: str, day: int = 390) -> Node:
    return Node(NodeRef("Application", name), day * DAY, "", {"submitted_at": day * DAY})


def edge(type_: str, source: str, target: str, day: int = 390, confidence: float = 1.0) -> Edge:
    kind = EDGES[type_]
    ends = NodeRef(kind.source, source), NodeRef(kind.target, target)
    return Edge(type_, *ends, day * DAY, day * DAY, "test", confidence=confidence)


@pytest.fixture
def linked(store: GraphStore) -> Callable[..., tuple[Weights, Projection]]:
    """Links by name after these facts and all before them."""

    def link(*facts: Node | Edge, window: int = 120, as_of: int = NOW) -> tuple[Weights, Projection]:
        nodes = [each for each in facts if isinstance(each, Node)]
        store.write(
            batch_of(f"facts-{len(store.batches())}", nodes, [each for each in facts if isinstance(each, Edge)])
        )
        snap = snapshot.build(store, as_of=from_millis(10 * NOW))
        found = project(snap, as_of=as_of, window_days=window)
        names = snap.nodes["Application"].table["key"].to_pylist()
        rows = zip(found.first.tolist(), found.second.tolist(), found.weight.tolist(), strict=True)
        return {tuple(sorted((names[a], names[b]))): weight for a, b, weight in rows}, found  # type: ignore[misc]

    return link


Link = Callable[..., tuple[Weights, Projection]]


def weight(type_: str, holders: int) -> int:
    return round(EDGES[type_].weight / math.log2(1 + holders) * UNIT)


def holders(type_: str, count: int, *, day: int = 390) -> list[Node | Edge]:
    names = [f"A{n:02}" for n in range(count)]
    return [*(application(name, day) for name in names), *(edge(type_, name, "thing", day) for name in names)]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_link_weighs_more_the_fewer_hold_the_thing(linked: Link, count: int) -> None:
    weights, _ = linked(*holders("USED_DEVICE", count))
    assert len(weights) == count * (count - 1) // 2
    assert set(weights.values()) == {weight("USED_DEVICE", count)}


def test_kinds_add_up_and_one_dealer_counts_more(linked: Link) -> None:
    two = [application("A1"), application("A2")]
    device = [edge("USED_DEVICE", name, "device") for name in ("A1", "A2")]
    payer = [edge("PAID_DOWNPAYMENT", "account", name) for name in ("A1", "A2")]
    sold = [edge("SOLD_BY", name, "D1") for name in ("A1", "A2")]
    weights, _ = linked(*two, *device, *payer, *sold)
    both = (weight("USED_DEVICE", 2), weight("PAID_DOWNPAYMENT", 2))
    assert weights == {("A1", "A2"): sum(int(each * 1.5) for each in both)}


@pytest.mark.parametrize(
    ("count", "linked_pairs"), [(NODES["Device"].hub_above, True), (NODES["Device"].hub_above + 1, False)]
)
def test_the_threshold_of_hubs(linked: Link, count: int, linked_pairs: bool) -> None:
    assert bool(linked(*holders("USED_DEVICE", count))[0]) == linked_pairs


def test_a_shop_s_tablet_is_infrastructure(linked: Link) -> None:
    names = [f"A{n:02}" for n in range(8)]
    facts: list[Node | Edge] = [application(name, 200 + 25 * n) for n, name in enumerate(names)]
    facts += [edge("USED_DEVICE", name, "tablet", 200 + 25 * n) for n, name in enumerate(names)]
    facts += [edge("SOLD_BY", name, "D1") for name in names]
    weights, found = linked(*facts)
    assert not weights
    assert dict(found.verdicts.counts()) == {"shop_device": 1}


def test_only_the_window_counts(linked: Link) -> None:
    facts = [application("A1", 100), application("A2", 390), application("A3", 395)]
    weights, found = linked(*facts, *(edge("USED_DEVICE", name, "device") for name in ("A1", "A2", "A3")))
    assert set(weights) == {("A2", "A3")}
    assert len(found.window) == 2


def test_what_is_known_tomorrow_changes_nothing(linked: Link) -> None:
    facts = holders("USED_DEVICE", 3)
    before, _ = linked(*facts)
    later: list[Node | Edge] = [application("A99", 401)]
    later += [edge("USED_DEVICE", "A99", "thing", 401), edge("PAID_DOWNPAYMENT", "account", "A00", 401)]
    later += [edge("PAID_DOWNPAYMENT", "account", "A01", 401), edge("SOLD_BY", "A00", "D1", 401)]
    later += [edge("SOLD_BY", "A01", "D1", 401)]
    assert linked(*later)[0] == before
    assert linked(as_of=402 * DAY)[0] != before


def test_people_and_vehicles_lead_to_their_applications(linked: Link) -> None:
    facts: list[Node | Edge] = [application(name) for name in ("A1", "A2", "A3", "A4")]
    facts += [edge("APPLIED", f"P{n}", f"A{n}") for n in (1, 2)] + [edge("HAS_PHONE", f"P{n}", "phone") for n in (1, 2)]
    facts += [edge("FINANCES", f"A{n}", f"V{n}") for n in (3, 4)] + [
        edge("TRANSFER_ACCOUNT", f"V{n}", "acc") for n in (3, 4)
    ]
    weights, _ = linked(*facts)
    assert weights == {("A1", "A2"): weight("HAS_PHONE", 2), ("A3", "A4"): weight("TRANSFER_ACCOUNT", 2)}


def test_of_two_relations_to_one_thing_the_stronger_counts(linked: Link) -> None:
    facts: list[Node | Edge] = [application("A1"), application("A2")]
    facts += [edge("APPLIED", f"P{n}", f"A{n}") for n in (1, 2)]
    facts += [edge(type_, f"P{n}", "phone") for n in (1, 2) for type_ in ("HAS_PHONE", "WORK_PHONE")]
    assert linked(*facts)[0] == {("A1", "A2"): weight("HAS_PHONE", 2)}


def applicants(*people: str, day: int = 390) -> list[Node | Edge]:
    """An application of each person: P1 files A1."""
    facts: list[Node | Edge] = [application(name.replace("P", "A"), day) for name in people]
    return [*facts, *(edge("APPLIED", name, name.replace("P", "A"), day) for name in people)]


def of_each(type_: str, thing: str, *people: str) -> list[Node | Edge]:
    """All of them, or their applications, hold the thing."""
    near, reverse = EDGES[type_].source, EDGES[type_].target == "Application"
    names = people if near == "Person" else [name.replace("P", "A") for name in people]
    return [edge(type_, thing, name) if reverse else edge(type_, name, thing) for name in names]


def test_all_applications_of_one_person_count_once(linked: Link) -> None:
    facts = [*applicants("P1", "P2"), application("A3"), edge("APPLIED", "P1", "A3")]
    weights, found = linked(*facts, *of_each("USED_DEVICE", "device", "P1", "P2", "P3"))
    assert len(weights) == 1
    assert set(weights.values()) == {weight("USED_DEVICE", 2)}
    assert len(set(found.party.tolist())) == 2


def test_a_deal_sent_twice_counts_once(linked: Link) -> None:
    deal = {"submitted_at": 390 * DAY, "deal_id": "deal-1"}
    twice = [Node(NodeRef("Application", name), 390 * DAY, "", deal) for name in ("A1", "A2")]
    assert linked(*twice, *of_each("USED_DEVICE", "device", "P1", "P2"))[0] == {}


def test_what_is_shared_weeks_apart_weighs_less(linked: Link) -> None:
    apart = [application("A1", 390 - HALF_LIFE_DAYS), application("A2", 390)]
    weights, _ = linked(*apart, *of_each("USED_DEVICE", "device", "P1", "P2"))
    assert weights == {("A1", "A2"): round(weight("USED_DEVICE", 2) / 2)}


def test_who_held_it_long_ago_makes_it_less_rare(linked: Link) -> None:
    facts = [application("A1", 100), application("A2", 390), application("A3", 390)]
    weights, _ = linked(*facts, *of_each("USED_DEVICE", "device", "P1", "P2", "P3"))
    assert weights == {("A2", "A3"): weight("USED_DEVICE", 3)}


def test_a_session_counts_once(linked: Link) -> None:
    session = [
        each for type_ in ("USED_DEVICE", "FROM_IP", "ON_WIFI") for each in of_each(type_, f"the {type_}", "P1", "P2")
    ]
    assert linked(*applicants("P1", "P2"), *session)[0] == {("A1", "A2"): weight("USED_DEVICE", 2)}


@pytest.mark.parametrize(
    ("registered", "new"), [("1960-01-01", False), ("1971-01-10", True), ("1971-06-01", False), (None, False)]
)
def test_colleagues_share_ordinary_things(linked: Link, registered: str | None, new: bool) -> None:
    """Papers, number and network of an employer say nothing, other things half; of a new employer all of it counts."""
    employer = Node(NodeRef("Employer", "company"), 390 * DAY, "", {"reg_date": registered})
    papers = ("USES_TEMPLATE", "WORK_PHONE", "ON_WIFI")
    facts = of_each("WORKS_AT", "company", "P1", "P2")
    facts += [each for type_ in papers for each in of_each(type_, f"the {type_}", "P1", "P2")]
    both = [*applicants("P1", "P2"), employer, *facts]
    device = of_each("USED_DEVICE", "device", "P1", "P2")
    if new:
        assert linked(*both)[0] == {("A1", "A2"): sum(weight(type_, 2) for type_ in papers)}
    else:
        assert linked(*both)[0] == {("A1", "A2"): int(weight("WORKS_AT", 2) / 2)}
        assert linked(*device)[0] == {("A1", "A2"): int(weight("USED_DEVICE", 2) / 2) + int(weight("WORKS_AT", 2) / 2)}


@pytest.mark.parametrize(("people", "families"), [(HOUSEHOLD, True), (HOUSEHOLD + 1, False)])
def test_a_family_shares_by_nature(linked: Link, people: int, families: bool) -> None:
    names = [f"P{n}" for n in range(1, people + 1)]
    shared = [*of_each("LIVES_AT", "home", *names), *of_each("PAID_DOWNPAYMENT", "card", *names[:2])]
    weights, _ = linked(*applicants(*names), *shared, *of_each("USED_DEVICE", "device", *names[:2]))
    assert (weights == {("A1", "A2"): int(weight("USED_DEVICE", 2) / 4)}) == families, "a quarter of one thing"


@pytest.mark.parametrize(("cars", "openly"), [(FLEET, True), (FLEET - 1, False)])
def test_a_fleet_shares_by_nature(linked: Link, cars: int, openly: bool) -> None:
    """Also the driver whose car is not insured yet, known by the employer of the others."""
    names = [f"P{n}" for n in range(1, FLEET + 2)]
    facts = [*applicants(*names), *of_each("WORKS_AT", "fleet", *names), *of_each("PAID_DOWNPAYMENT", "card", *names)]
    facts += [edge("FINANCES", f"A{n}", f"V{n}") for n in range(1, cars + 1)]
    facts += [edge("INSURED_BY", f"V{n}", "company") for n in range(1, cars + 1)]
    weights, _ = linked(*facts)
    assert (weights == {}) == openly


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_which_of_two_homes_counts_does_not_hang_on_their_keys(linked: Link, names: tuple[str, str]) -> None:
    facts = [*applicants("P1", "P2", "P3"), *of_each("USED_DEVICE", "device", "P1", "P2", "P3")]
    weights, _ = linked(*facts, *of_each("LIVES_AT", names[0], "P1", "P2"), *of_each("LIVES_AT", names[1], "P1", "P3"))
    assert weights == {
        ("A1", "A2"): int(weight("USED_DEVICE", 3) / 4),
        ("A1", "A3"): weight("USED_DEVICE", 3) + weight("LIVES_AT", 2),
        ("A2", "A3"): weight("USED_DEVICE", 3),
    }, "one of them, and always the same one"


def test_a_new_tablet_in_a_shop_s_network_is_the_shop_s(linked: Link) -> None:
    names = [f"P{n}" for n in range(1, 10)]
    facts: list[Node | Edge] = [application(name.replace("P", "A"), 200 + 20 * n) for n, name in enumerate(names)]
    facts += [edge("SOLD_BY", name.replace("P", "A"), "D1") for name in names]
    facts += [*of_each("ON_WIFI", "shop", *names), *of_each("USED_DEVICE", "tablet", *names[-3:])]
    weights, found = linked(*facts)
    assert not weights
    assert {name: list(kinds.values()) for name, kinds in found.verdicts.mapping().items()} == {
        "Device": ["new_shop_device"],
        "WiFi": ["shop_network"],
    }


def test_who_is_related_is_known_only_when_it_is(linked: Link) -> None:
    """Tomorrow they turn out to be one person, one family, one fleet, and the device the shop's."""
    names = [f"P{n}" for n in range(1, FLEET + 1)]
    facts = [*(application(name.replace("P", "A")) for name in names), *of_each("PAID_DOWNPAYMENT", "card", *names)]
    before, _ = linked(*facts, *of_each("USED_DEVICE", "device", *names))
    later: list[Node | Edge] = [edge("APPLIED", "P1", name.replace("P", "A"), 401) for name in names]
    later += [edge("LIVES_AT", "P1", "home", 401)]
    later += [edge("FINANCES", f"A{n}", f"V{n}", 401) for n in range(1, FLEET + 1)]
    later += [edge("INSURED_BY", f"V{n}", "company", 401) for n in range(1, FLEET + 1)]
    assert linked(*later)[0] == before
    assert linked(as_of=402 * DAY)[0] == {}


@pytest.mark.parametrize(("score", "one_voice"), [(0.9, True), (0.8, True), (0.79, False)])
def test_matched_voices_are_one(linked: Link, score: float, one_voice: bool) -> None:
    facts: list[Node | Edge] = [application("A1"), application("A2")]
    facts += [edge("SPOKE_AS", "A1", "voice-1"), edge("SPOKE_AS", "A2", "voice-2")]
    weights, _ = linked(*facts, edge("SAME_VOICE", "voice-1", "voice-2", confidence=score))
    assert weights == ({("A1", "A2"): weight("SPOKE_AS", 2)} if one_voice else {})


def test_nothing_at_all(linked: Link) -> None:
    assert linked(application("A1"))[0] == {}
