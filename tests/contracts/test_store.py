"""What writing to a store promises: whole or not at all, once, and in any order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from graph.digest import digest
from graph.errors import BatchConflict, NodeNotFound, StoreError
from graph.records import Batch, Edge, NodeRef
from graph.store import GraphStore
from graph.stores import open_store
from tests.contracts.facts import (
    A1,
    A2,
    D1,
    LATE,
    P1,
    P2,
    at,
    events,
    exported,
    linked,
    node,
    renamed,
    stated,
    used,
    write,
)

Open = Callable[[], GraphStore]

FULL = Batch(
    "full",
    "digest",
    nodes=[
        stated(A1, 5, known=5, amount=120_000.0, channel="store"),
        stated(P1, 5, masked="110***********1234"),
    ],
    edges=linked(Edge("APPLIED", P1, A1, 5, 5, "applications"), used(A1, D1, 6)),
    events={"label": events([("l1", A1.id, 7, 8, {"value": 1})])},
)


def test_a_batch_is_absorbed_once(store: GraphStore) -> None:
    assert store.write(FULL)
    before = digest(store)
    assert not store.write(FULL)
    assert digest(store) == before
    assert [(each.sequence, each.id, each.nodes, each.edges) for each in store.batches()] == [(1, "full", 2, 2)]
    assert store.size().nodes == {"Application": 1, "Device": 1, "Person": 1}
    assert store.size().edges == {"APPLIED": 1, "USED_DEVICE": 1}
    assert store.size().events == {"label": 1}


def test_the_same_facts_under_another_name_change_nothing(store: GraphStore) -> None:
    store.write(FULL)
    before = digest(store)
    assert store.write(renamed(FULL, "again"))
    assert digest(store) == before
    assert [each.sequence for each in store.batches()] == [1, 2]


def test_a_used_name_with_other_content_is_refused(store: GraphStore) -> None:
    store.write(FULL)
    before = digest(store)
    with pytest.raises(BatchConflict, match="full") as refused:
        store.write(replace(FULL, digest="other", nodes=[stated(A2, 5)]))
    assert refused.value.status == 409
    assert digest(store) == before


def test_a_batch_that_breaks_leaves_nothing(store: GraphStore) -> None:
    class Broken(dict[str, pa.Table]):
        def items(self) -> Any:
            raise RuntimeError("in the middle")

    empty = digest(store)
    with pytest.raises(RuntimeError, match="in the middle"):
        store.write(replace(FULL, events=Broken(FULL.events)))
    assert digest(store) == empty
    assert not store.batches()
    assert not store.size().nodes
    assert store.write(FULL)
    assert [each.sequence for each in store.batches()] == [1]


def test_what_was_written_is_there_when_opened_again(open_again: Open) -> None:
    with open_again() as first:
        first.write(FULL)
        before = digest(first)
    with open_again() as second:
        assert digest(second) == before


def test_closing_twice_is_fine(store: GraphStore) -> None:
    store.close()
    store.close()


def test_two_loaders_queue(open_again: Open) -> None:
    open_again().close()

    def load(who: str) -> None:
        with open_again() as store:
            for at_ in range(8):
                write(store, used(NodeRef("Application", f"{who}{at_}"), D1, 10 + at_), name=f"{who}{at_}")

    with ThreadPoolExecutor(2) as both:
        list(both.map(load, ("left", "right")))
    with open_again() as store:
        assert [each.sequence for each in store.batches()] == list(range(1, 17))
        assert store.size().edges == {"USED_DEVICE": 16}


# Any order -----------------------------------------------------------------------------------------

STATEMENTS = (
    [stated(A1, 10, known=3, amount=1.0, channel="web")],
    [stated(A1, 30, known=9, channel="store")],
    [stated(A1, 20, known=5, amount=2.0, product="used", masked="A1")],
    [stated(A1, 40, known=1)],
)


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_the_latest_statement_of_a_property_stays(store: GraphStore, order: tuple[int, ...]) -> None:
    for at_ in order:
        store.write(Batch(f"b{at_}", "x", nodes=STATEMENTS[at_]))
    (row,) = exported(store, "Application")
    assert row["properties"] == '{"amount":2.0,"channel":"store","product":"used"}'
    assert (row["known_at"], row["updated_at"], row["masked"]) == (1, 30, "A1")


def test_in_one_batch_as_in_many(store: GraphStore) -> None:
    store.write(Batch("all", "x", nodes=[rows for each in STATEMENTS[::-1] for rows in each]))
    (row,) = exported(store, "Application")
    assert row["properties"] == '{"amount":2.0,"channel":"store","product":"used"}'
    assert (row["known_at"], row["updated_at"], row["masked"]) == (1, 30, "A1")


def test_of_statements_equally_old_the_later_written_stays(store: GraphStore) -> None:
    store.write(Batch("one", "x", nodes=[stated(A1, 5, amount=1.0)]))
    store.write(Batch("two", "x", nodes=[stated(A1, 5, amount=2.0)]))
    assert store.node(A1, as_of=LATE).properties == {"amount": 2.0}


def test_an_empty_mask_hides_nothing(store: GraphStore) -> None:
    write(store, node(P1, masked="110***********1234"), name="one")
    write(store, node(P1, marital="M"), name="two")
    assert store.node(P1, as_of=LATE).masked == "110***********1234"
    assert [each.ref for each in store.search("1234", as_of=LATE, limit=5)] == [P1]


SIGHTINGS = (
    replace(used(A1, D1, 50, known=60, origin="b"), confidence=0.5),
    replace(used(A1, D1, 40, known=70, origin="a"), valid_to=90),
    replace(used(A1, D1, 55, known=60, origin="a"), valid_to=80, confidence=0.9),
)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
@pytest.mark.parametrize("together", [False, True], ids=["apart", "together"])
def test_an_edge_keeps_its_earliest_dates(store: GraphStore, order: tuple[int, ...], together: bool) -> None:
    edges = [SIGHTINGS[each] for each in order]
    if together:
        store.write(Batch("all", "x", edges=[rows for each in edges for rows in linked(each)]))
    else:
        for at_, edge in enumerate(edges):
            write(store, edge, name=f"b{at_}")
    (row,) = exported(store, "USED_DEVICE")
    assert (row["event_time"], row["known_at"], row["origin"]) == (40, 60, "a")
    assert (row["valid_to"], row["confidence"]) == (90, 1.0)


def test_refs_tell_edges_apart(store: GraphStore) -> None:
    phone = NodeRef("Phone", "phone-1")
    edge = Edge("CONTACT_OF", phone, A1, 5, 5, "contacts", ref="配偶")
    write(store, edge, replace(edge, ref="colleague"), replace(edge, ref="配偶"), replace(edge, ref=""))
    assert [row["ref"] for row in exported(store, "CONTACT_OF")] == ["", "colleague", "配偶"]


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_an_end_is_known_since_its_edge_was(store: GraphStore, order: tuple[int, ...]) -> None:
    facts = (used(A1, D1, 20), used(A2, D1, 10), node(D1, 30, os="ios"))
    for at_ in order:
        write(store, facts[at_], name=f"b{at_}")
    (row,) = exported(store, "Device")
    assert (row["known_at"], row["updated_at"], row["properties"]) == (10, 30, '{"os":"ios"}')
    assert store.node(D1, as_of=at(10)).known_at == 10
    with pytest.raises(NodeNotFound):
        store.node(A1, as_of=at(19))


def test_a_bare_end_has_stated_nothing(store: GraphStore) -> None:
    write(store, used(A1, D1, 20))
    assert [row["updated_at"] for row in exported(store, "Device")] == [0]


# Events --------------------------------------------------------------------------------------------

BLOCKS = (
    events([("l1", A1.id, 5, 9, {"value": 1}), ("l2", A2.id, 5, 5, {"value": 1})]),
    events([("l1", A1.id, 6, 7, {"value": 2}), ("l3", A1.id, 1, 7, {"value": 0, "by": P1.id})], other="by"),
    events([("l1", A1.id, 6, 7, {"value": 1}), ("l2", A2.id, 5, 5, {"value": 1})]),
)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_of_an_event_the_earliest_known_row_stays(store: GraphStore, order: tuple[int, ...]) -> None:
    for at_ in order:
        store.write(Batch(f"b{at_}", "x", events={"label": BLOCKS[at_]}))
    rows = store.events("label")
    assert rows is not None
    first, second = sorted((A1.id, A2.id))
    expected = {A1.id: [("l1", 6, 1, None), ("l3", 1, 0, P1.id)], A2.id: [("l2", 5, 1, None)]}
    assert [(row["ref"], row["event_time"], row["value"], row["by"]) for row in rows.to_pylist()] == [
        *expected[first],
        *expected[second],
    ]
    assert store.size().events == {"label": 6}


def test_events_since_a_batch(store: GraphStore) -> None:
    for at_ in range(3):
        store.write(Batch(f"b{at_}", "x", events={"label": BLOCKS[at_], "inquiry": BLOCKS[at_].slice(0, 0)}))
    assert store.event_kinds() == ["label"]
    later = store.events("label", after=2)
    assert later is not None
    assert sorted(later["ref"].to_pylist()) == ["l1", "l2"]
    assert store.events("label", after=3) is None
    assert store.events("unheard", after=0) is None


# New keys ------------------------------------------------------------------------------------------


def test_new_keys_keep_the_shape(store: GraphStore) -> None:
    store.write(FULL)
    store.write(Batch("more", "x", events={"call": events([("c", P1.id, 1, 2, {"to": P2.id})], other="to")}))
    fresh, device = NodeRef("Person", "fresh-1"), NodeRef("Device", "fresh-d")
    assert store.rekey([("Person", P1.key, fresh.key), ("Device", D1.key, device.key), ("Person", "none", "x")]) == 2
    (links,) = store.neighbours([fresh], as_of=LATE, limit=5)
    assert [(each.type, each.other) for each in links.links] == [("APPLIED", A1)]
    assert store.node(fresh, as_of=LATE).masked == "110***********1234"
    assert [row["target"] for row in exported(store, "USED_DEVICE")] == [device.id]
    calls = store.events("call")
    assert calls is not None
    assert (calls["owner"].to_pylist(), calls["to"].to_pylist()) == ([fresh.id], [P2.id])
    with pytest.raises(NodeNotFound):
        store.node(P1, as_of=LATE)
    store.rekey([("Person", fresh.key, P1.key), ("Device", device.key, D1.key)])
    store.rekey([])
    assert store.node(P1, as_of=LATE).ref == P1


def test_keys_may_change_places(store: GraphStore) -> None:
    write(store, node(P1, masked="one"), node(P2, masked="two"), Edge("APPLIED", P1, A1, 5, 5, "x"))
    assert store.rekey([("Person", P1.key, P2.key), ("Person", P2.key, P1.key)]) == 2
    assert store.node(P2, as_of=LATE).masked == "one"
    assert [row["source"] for row in exported(store, "APPLIED")] == [P2.id]


def test_a_key_that_is_taken_is_refused(store: GraphStore) -> None:
    write(store, node(P1), node(P2))
    before = digest(store)
    with pytest.raises(StoreError):
        store.rekey([("Person", P1.key, P2.key)])
    assert digest(store) == before


# Digest --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        replace(FULL, nodes=[stated(A1, 5, known=5, amount=120_000.5, channel="store"), *FULL.nodes[1:]]),
        replace(FULL, edges=linked(Edge("APPLIED", P1, A1, 5, 6, "applications"), used(A1, D1, 6))),
        replace(FULL, events={"label": events([("l1", A1.id, 7, 8, {"value": 2})])}),
        replace(FULL, events={}),
    ],
    ids=["property", "date", "event", "no events"],
)
def test_the_digest_sees_every_fact(store: GraphStore, tmp_path: Path, other: Batch) -> None:
    store.write(FULL)
    with open_store(f"sqlite:///{tmp_path / 'same.sqlite'}") as same:
        write(same, node(A1, 7), name="earlier")
        same.write(renamed(FULL, "another name"))
        assert digest(same) == digest(store)
    with open_store(f"sqlite:///{tmp_path / 'other.sqlite'}") as changed:
        changed.write(other)
        assert digest(changed) != digest(store)
