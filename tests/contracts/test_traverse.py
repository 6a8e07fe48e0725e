"""Walks: what surrounds a node, and the way from one to another, never through infrastructure."""

from __future__ import annotations

from datetime import datetime

import pytest

from graph import traverse
from graph.records import Edge, NodeRef
from graph.store import GraphStore
from graph.traverse import ego, hub, shortest_path
from tests.contracts.facts import A1, A2, A3, D1, D2, LATE, P1, P2, at, used, write

DEALER = NodeRef("Dealer", "busy")


def chain(store: GraphStore) -> None:
    """P1 - A1 - D1 - A2 - D2 - A3 - P2, and a dealer that sold everything."""
    applied = [Edge("APPLIED", P1, A1, 1, 1, "x"), Edge("APPLIED", P2, A3, 1, 1, "x")]
    devices = [used(A1, D1, 2), used(A2, D1, 3), used(A2, D2, 4), used(A3, D2, 5)]
    write(store, *applied, *devices)


def busy_dealer(store: GraphStore, sales: int = 201, time: int = 1) -> None:
    more = [NodeRef("Application", f"other-{each}") for each in range(sales - 2)]
    write(store, *[Edge("SOLD_BY", each, DEALER, time, time, "x") for each in (A1, A3, *more)], name="dealer")


def names(store: GraphStore, a: NodeRef, b: NodeRef, as_of: datetime = LATE, **how: int) -> list[str] | None:
    steps = shortest_path(store, a, b, as_of=as_of, **how).steps
    if steps is None:
        return None
    assert [step.there for step in steps[:-1]] == [step.here for step in steps[1:]]
    return [str(step.there) for step in steps]


def test_ego_hop_by_hop(store: GraphStore) -> None:
    chain(store)
    one, two = (ego(store, A1, as_of=LATE, hops=each, limit=10) for each in (1, 2))
    assert one.hops == {A1: 0, D1: 1, P1: 1}
    assert two.hops == {A1: 0, D1: 1, P1: 1, A2: 2}
    assert {(each.here, each.link.type, each.there) for each in two.links} == {
        (A1, "USED_DEVICE", D1),
        (A1, "APPLIED", P1),
        (D1, "USED_DEVICE", A2),
    }
    assert two.totals == {A1: 2, D1: 2, P1: 1}
    assert ego(store, A1, as_of=LATE, hops=9, limit=10).nodes[-1] == P2
    assert ego(store, NodeRef("Person", "never"), as_of=LATE, hops=2, limit=10).nodes == [NodeRef("Person", "never")]


def test_ego_sees_only_its_time(store: GraphStore) -> None:
    chain(store)
    assert ego(store, A1, as_of=at(2), hops=3, limit=10).nodes == [A1, D1, P1]


def test_ego_is_bounded_and_says_of_how_many(store: GraphStore) -> None:
    busy_dealer(store)
    around = ego(store, DEALER, as_of=LATE, hops=1, limit=20)
    assert (len(around.nodes), around.totals[DEALER]) == (21, 201)


def test_ego_with_a_cap_gives_every_node_of_a_hop_its_share(store: GraphStore) -> None:
    busy_dealer(store, time=9)  # newest, so opened first
    chain(store)
    capped = ego(store, A1, as_of=LATE, hops=2, limit=300, cap=10)
    assert {P1, DEALER, D1, A2} <= set(capped.nodes), "the dealer's sales leave room for who else uses the device"
    assert len(capped.nodes) <= 10
    assert capped.totals[DEALER] == 201
    assert all({step.here, step.there} <= set(capped.nodes) for step in capped.links)
    assert ego(store, A1, as_of=LATE, hops=2, limit=300, cap=1).nodes == [A1]
    assert len(ego(store, A1, as_of=LATE, hops=1, limit=300, cap=3).nodes) == 3


def test_ego_shows_a_hub_without_opening_it(store: GraphStore) -> None:
    busy_dealer(store)
    assert ego(store, A1, as_of=LATE, hops=2, limit=300, avoid_hubs=True).nodes == [A1, DEALER]
    assert len(ego(store, A1, as_of=LATE, hops=2, limit=300).nodes) == 202
    assert len(ego(store, DEALER, as_of=LATE, hops=1, limit=300, avoid_hubs=True).nodes) == 202


def test_the_way_from_end_to_end(store: GraphStore) -> None:
    chain(store)
    expected = [str(each) for each in (A1, D1, A2, D2, A3, P2)]
    assert names(store, P1, P2) == expected
    assert names(store, P2, P1) == [str(each) for each in (A3, D2, A2, D1, A1, P1)]
    assert names(store, P1, P1) == []
    assert names(store, P1, A1) == [str(A1)]
    assert names(store, P1, P2, max_hops=5) is None
    assert names(store, P1, P2, as_of=at(4)) is None
    assert not shortest_path(store, P1, NodeRef("Person", "never"), as_of=LATE).gave_up


@pytest.mark.parametrize("max_hops", range(1, 7))
def test_no_way_is_longer_than_allowed(store: GraphStore, max_hops: int) -> None:
    chain(store)
    ends = [A1, D1, A2, D2, A3, P2]
    for hops, end in enumerate(ends, start=1):
        found = names(store, P1, end, max_hops=max_hops)
        assert (found is not None) == (hops <= max_hops)
        assert found is None or len(found) == hops


def test_infrastructure_is_avoided_but_may_be_an_end(store: GraphStore) -> None:
    chain(store)
    busy_dealer(store)
    assert names(store, A1, A3) == [str(each) for each in (D1, A2, D2, A3)]
    assert names(store, A1, DEALER) == [str(DEALER)]
    assert names(store, DEALER, P2) == [str(A3), str(P2)]
    other = shortest_path(store, A1, A3, as_of=LATE, avoid=lambda ref, links: False)
    assert [step.there for step in other.steps or ()] == [DEALER, A3]


def test_a_dealer_below_the_guard_is_a_way(store: GraphStore) -> None:
    chain(store)
    busy_dealer(store, sales=200)
    assert names(store, A1, A3) == [str(DEALER), str(A3)]


def test_a_shared_device_above_its_threshold_is_infrastructure(store: GraphStore) -> None:
    tablet = NodeRef("Device", "tablet")
    write(store, *[used(NodeRef("Application", f"a{each}"), tablet, 5) for each in range(16)])
    assert names(store, NodeRef("Application", "a1"), NodeRef("Application", "a2")) is None
    assert hub(tablet, 16)
    assert not hub(tablet, 15)


def test_of_equally_short_ways_always_the_same(store: GraphStore) -> None:
    devices = [NodeRef("Device", f"d{each}") for each in range(6)]
    write(store, *[used(each, device, 5) for device in devices for each in (A1, A2)])
    expected = min(devices, key=lambda ref: ref.id)
    assert names(store, A1, A2) == [str(expected), str(A2)]
    assert names(store, A2, A1) == [str(expected), str(A1)]


def test_giving_up_is_told(store: GraphStore, monkeypatch: pytest.MonkeyPatch) -> None:
    chain(store)
    busy_dealer(store)
    unread = shortest_path(store, DEALER, P1, as_of=LATE, limit=1)
    assert (unread.steps, unread.gave_up) == (None, True)
    assert not shortest_path(store, NodeRef("Person", "never"), DEALER, as_of=LATE, limit=1).gave_up
    monkeypatch.setattr(traverse, "BUDGET", 1)
    spent = shortest_path(store, P1, P2, as_of=LATE)
    assert (spent.steps, spent.gave_up) == (None, True)
