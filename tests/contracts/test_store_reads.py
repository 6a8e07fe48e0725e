"""What reading from a store promises: only what was known then, bounded, and in one order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from graph.digest import digest
from graph.errors import NodeNotFound
from graph.records import Batch, Edge, EdgeRows, NodeRef, batch_of
from graph.store import EDGE_SCHEMA, NODE_SCHEMA, GraphStore, Link, Rank
from tests.contracts.facts import A1, A2, A3, D1, D2, LATE, P1, P2, at, exported, node, stated, used, write

DEALER = NodeRef("Dealer", "D-7")
VOICES = [NodeRef("VoiceCluster", f"v{each}") for each in range(4)]


def others(links: Iterable[Link]) -> list[NodeRef]:
    return [each.other for each in links]


# As of ---------------------------------------------------------------------------------------------


def test_a_node_is_unknown_before_it_was_known(store: GraphStore) -> None:
    write(store, node(A1, 100, amount=5.0))
    with pytest.raises(NodeNotFound) as unknown:
        store.node(A1, as_of=at(99))
    assert unknown.value.status == 404
    assert A1.key not in str(unknown.value)
    assert store.node(A1, as_of=at(100)).properties == {"amount": 5.0}
    for never in (A2, NodeRef("Nonsense", "A1"), NodeRef("Person", "A1")):
        with pytest.raises(NodeNotFound):
            store.node(never, as_of=LATE)


def test_many_nodes_in_one_go_are_each_as_they_were_then(store: GraphStore) -> None:
    write(store, node(A1, 100, amount=5.0, decision="approve", decided_at=200), node(A2, 300), node(P1, 100))
    never = NodeRef("Nonsense", "A1")
    asked = [P1, A2, never, A1, A3, P1]
    assert list(store.nodes(asked, as_of=at(150))) == [P1, A1]
    assert list(store.nodes(asked, as_of=at(300))) == [P1, A2, A1]
    for then in (150, 200):
        assert store.nodes([A1], as_of=at(then))[A1] == store.node(A1, as_of=at(then))
    assert store.nodes([], as_of=LATE) == {}


def test_a_late_decision_is_hidden_until_then(store: GraphStore) -> None:
    write(store, node(A1, 100, amount=5.0, decision="approve", decided_at=200, override_flag=True))
    assert store.node(A1, as_of=at(199)).properties == {"amount": 5.0}
    assert set(store.node(A1, as_of=at(200)).properties) == {
        "amount",
        "decision",
        "decided_at",
        "override_flag",
    }


def test_a_decision_without_a_date_stays_hidden(store: GraphStore) -> None:
    write(store, node(A1, 100, decision="approve"))
    assert store.node(A1, as_of=LATE).properties == {}


def test_a_late_edge_is_hidden_until_then(store: GraphStore) -> None:
    write(store, used(A1, D1, 10, known=500), used(A1, D2, 20))
    for when, seen in ((19, 0), (20, 1), (499, 1), (500, 2)):
        (around,) = store.neighbours([A1], as_of=at(when), limit=9)
        assert (len(around.links), around.total) == (seen, seen)


# Neighbours ----------------------------------------------------------------------------------------


def shared_device(store: GraphStore) -> None:
    """D1 is held by A1 (busiest), A2 and A3; event times 30, 10, 20."""
    edges = [used(A1, D1, 30), used(A2, D1, 10), used(A3, D1, 20), used(A1, D2, 5)]
    edges += [
        Edge("APPLIED", P1, A1, 5, 5, "x"),
        Edge("APPLIED", P2, A3, 5, 5, "x"),
        Edge("SOLD_BY", A1, DEALER, 5, 5, "x"),
    ]
    write(store, *edges, node(A1, masked="A1"), node(P1, masked="****1234"))


@pytest.mark.parametrize(
    ("rank", "expected"),
    [
        (Rank.RECENT, [A1, A3, A2]),
        (Rank.OLDEST, [A2, A3, A1]),
        (Rank.MOST_CONNECTED, [A1, A3, A2]),
        (Rank.LEAST_CONNECTED, [A2, A3, A1]),
    ],
)
def test_rank_decides_who_comes_first(store: GraphStore, rank: Rank, expected: list[NodeRef]) -> None:
    shared_device(store)
    for limit in (1, 2, 3, 9):
        (around,) = store.neighbours([D1], as_of=LATE, limit=limit, rank=rank)
        assert others(around.links) == expected[:limit]
        assert around.totals == {("USED_DEVICE", False): 3}


def test_a_link_tells_everything(store: GraphStore) -> None:
    write(
        store,
        Edge("PAID_DOWNPAYMENT", NodeRef("Account", "c"), A1, 5, 6, "payments", valid_to=9, confidence=0.5),
    )
    (around,) = store.neighbours([A1], as_of=LATE, limit=1)
    expected = Link("PAID_DOWNPAYMENT", False, NodeRef("Account", "c"), "", 5, 6, 9, "payments", 0.5)
    assert list(around.links) == [expected]


def test_several_at_once_in_the_order_asked(store: GraphStore) -> None:
    shared_device(store)
    unknown = NodeRef("Device", "never")
    asked = [D1, unknown, A1, D1, NodeRef("Nonsense", "x"), P1]
    around = store.neighbours(asked, as_of=LATE, limit=2)
    assert [each.ref for each in around] == asked
    assert [each.total for each in around] == [3, 0, 4, 3, 0, 1]
    assert others(around[2].links) == [D1, P1]  # newest, then APPLIED before SOLD_BY and USED_DEVICE
    assert around[2].masked[P1] == "****1234"
    assert not around[1].links


def test_equal_times_are_ordered_by_relation_direction_id_and_ref(store: GraphStore) -> None:
    edges = [Edge("SAME_VOICE", VOICES[0], each, 5, 5, "x") for each in VOICES]
    edges += [Edge("SAME_VOICE", each, VOICES[0], 5, 5, "x", ref=ref) for each in VOICES[1:] for ref in ("b", "a")]
    edges += [Edge("SPOKE_AS", A1, VOICES[0], 5, 5, "x")]
    write(store, *edges)
    (around,) = store.neighbours([VOICES[0]], as_of=LATE, limit=99)
    by_id = sorted(VOICES, key=lambda ref: ref.id)
    incoming = [("SAME_VOICE", False, each, ref) for each in by_id for ref in ("a", "b") if each != VOICES[0]]
    incoming.append(("SAME_VOICE", False, VOICES[0], ""))
    incoming.sort(key=lambda link: (link[2].id, link[3]))
    outgoing = [("SAME_VOICE", True, each, "") for each in by_id]
    expected = [*outgoing, *incoming, ("SPOKE_AS", False, A1, "")]
    for limit in range(1, 14):
        (cut,) = store.neighbours([VOICES[0]], as_of=LATE, limit=limit)
        assert [(each.type, each.outgoing, each.other, each.ref) for each in cut.links] == expected[:limit]
    assert around.totals == {("SAME_VOICE", True): 4, ("SAME_VOICE", False): 7, ("SPOKE_AS", False): 1}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"relations": ["USED_DEVICE"]}, {("USED_DEVICE", True): 2}),
        ({"relations": ["APPLIED", "SOLD_BY"]}, {("APPLIED", False): 1, ("SOLD_BY", True): 1}),
        ({"relations": []}, {}),
        ({"relations": ["HAS_PHONE"]}, {}),
        ({"types": ["Person", "Dealer"]}, {("APPLIED", False): 1, ("SOLD_BY", True): 1}),
        ({"types": []}, {}),
        ({"types": ["Device"], "relations": ["APPLIED"]}, {}),
        ({"since": at(6)}, {("USED_DEVICE", True): 1}),
        ({"since": at(5), "until": at(5), "types": ["Device"]}, {("USED_DEVICE", True): 1}),
        ({"until": at(4)}, {}),
        ({"since": at(30), "relations": ["USED_DEVICE"]}, {("USED_DEVICE", True): 1}),
    ],
    ids=str,
)  # fmt: skip
def test_filters(store: GraphStore, filters: dict[str, object], expected: dict[tuple[str, bool], int]) -> None:
    shared_device(store)
    (around,) = store.neighbours([A1], as_of=LATE, limit=9, **filters)  # type: ignore[arg-type]
    assert around.totals == expected
    assert len(around.links) == around.total
    (without,) = store.neighbours([A1], as_of=LATE, limit=9, totals=False, **filters)  # type: ignore[arg-type]
    assert (without.links, without.totals) == (around.links, {})


def test_a_hub_is_bounded_and_exact(store: GraphStore) -> None:
    many = 5_000
    times = np.arange(many, dtype=np.int64)
    keys = [f"app-{each}" for each in range(many)]
    blank, ones = np.zeros(many, dtype=np.int64), np.ones(many)
    rows = EdgeRows("SOLD_BY", keys, [DEALER.key] * many, [""] * many, times, times, blank, ones, "x")
    store.write(Batch("hub", "x", edges=[rows]))
    (around,) = store.neighbours([DEALER], as_of=at(3999), limit=50)
    assert others(around.links) == [NodeRef("Application", f"app-{each}") for each in range(3999, 3949, -1)]
    assert around.total == 4000


# Search --------------------------------------------------------------------------------------------


def findable(store: GraphStore) -> None:
    phones = [NodeRef("Phone", f"token-{each}") for each in range(3)]
    masks = ("138****1234", "139****1234", "137****9934")
    written = [node(ref, 5, mask) for ref, mask in zip(phones, masks, strict=True)]
    written += [
        node(NodeRef("Application", key), 5) for key in ("A-2", "A-10", "A%", "A_1", "a-1", "A'\"\\`{}", "中-1")
    ]
    written += [node(NodeRef("Dealer", "A-2"), 9), node(NodeRef("Person", "A-2"), 5, "110***********1234")]
    write(store, *written)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A-", ["Application:A-10", "Application:A-2", "Dealer:A-2"]),
        ("  A-2 ", ["Application:A-2", "Dealer:A-2"]),
        ("A%", ["Application:A%"]),
        ("A_", ["Application:A_1"]),
        ("%", []),
        ("_", []),
        ("A'", ["Application:A'\"\\`{}"]),
        ("A'\"\\`{}", ["Application:A'\"\\`{}"]),
        ("中", ["Application:中-1"]),
        ("1234", ["Person:A-2", "Phone:token-0", "Phone:token-1"]),
        ("9****1234", ["Phone:token-1"]),
        ("****", []),
        ("token", []),
        ("", []),
        ("  ", []),
        ("A' OR 1=1 --", []),
        ('A"}) DETACH DELETE n //', []),
        ("' UNION MATCH (n) DETACH DELETE n RETURN n //", []),
    ],
)
def test_search(store: GraphStore, text: str, expected: list[str]) -> None:
    findable(store)
    before = digest(store)
    assert [str(each.ref) for each in store.search(text, as_of=LATE, limit=20)] == expected
    assert digest(store) == before


def test_search_is_bounded_dated_and_filtered(store: GraphStore) -> None:
    findable(store)

    def found(text: str, limit: int = 20, when: int = 99, types: list[str] | None = None) -> list[str]:
        return [str(each.ref) for each in store.search(text, as_of=at(when), limit=limit, types=types)]

    assert found("A-", limit=1) == ["Application:A-10"]
    assert found("1234", limit=2) == ["Person:A-2", "Phone:token-0"]
    assert found("A-2", when=8) == ["Application:A-2"]
    assert found("A-2", when=4) == []
    assert found("A-2", types=["Dealer", "Phone"]) == ["Dealer:A-2"]
    assert found("1234", types=["Phone"], limit=1) == ["Phone:token-0"]
    assert found("A-2", types=[]) == []
    assert found("A-2", types=["Nonsense", "Application`) DETACH DELETE n //"]) == []


def test_search_shows_what_was_known(store: GraphStore) -> None:
    write(store, node(A1, 5, decision="approve", decided_at=50))
    assert [each.properties for each in store.search("A1", as_of=at(49), limit=1)] == [{}]


def companies(store: GraphStore) -> None:
    names = ["启明物流有限公司", "上海启明物流", "启明", "上海物流", "O'Neil 50% _x", "Zeta"]
    facts = [node(NodeRef("Employer", f"E{at}"), 5 + at, name=name) for at, name in enumerate(names)]
    facts += [
        node(NodeRef("Dealer", "D1"), 5, name="启明汽车", uscc="91310102MA8939297C"),
        node(NodeRef("Dealer", "D2"), 9, name="华盛"),
        node(NodeRef("Vehicle", "v1"), 5, "***7", plate_masked="沪A***12", plated_at=50),
        node(NodeRef("Vehicle", "v2"), 5, "***8", plate_masked="沪A***12"),
        node(NodeRef("Application", "启明"), 5),
    ]
    write(store, *facts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("启明", ["E2", "D1", "E0", "E1"]),
        (" 物流 ", ["E1", "E3", "E0"]),
        ("启明物流", ["E0", "E1"]),
        ("50% _", ["E4"]),
        ("'", ["E4"]),
        ("zeta", []),
        ("%", ["E4"]),
        ("91310102MA8939297C", ["D1"]),
        ("91310102", []),
        ("沪A***12", ["v1"]),
        ("沪A***1", []),
        ("", []),
    ],
)
def test_names_and_codes(store: GraphStore, text: str, expected: list[str]) -> None:
    companies(store)
    assert [each.ref.key for each in store.named(text, as_of=LATE, limit=20)] == expected


def test_names_are_bounded_dated_and_filtered(store: GraphStore) -> None:
    companies(store)

    def found(text: str, limit: int = 20, when: int = 99, types: list[str] | None = None) -> list[str]:
        return [each.ref.key for each in store.named(text, as_of=at(when), limit=limit, types=types)]

    assert found("启明", limit=1) == ["E2"]
    assert found("启明", limit=3) == ["E2", "D1", "E0"]
    assert found("启明", when=6) == ["D1", "E0", "E1"]
    assert found("启明", types=["Dealer", "Vehicle"]) == ["D1"]
    assert found("沪A***12", when=49) == []
    assert found("启明", types=["Nonsense", "Application`) DETACH DELETE n //"]) == []
    (dealer,) = store.named("启明汽车", as_of=LATE, limit=1)
    assert dealer.properties["uscc"] == "91310102MA8939297C"


def test_a_name_that_changed_is_found_by_the_newer(store: GraphStore) -> None:
    ref = NodeRef("Employer", "E1")
    for number, name in enumerate(("旧名公司", "新名公司")):
        assert store.write(Batch(f"b{number}", str(number), [stated(ref, 5 + number, name=name)]))
    assert store.named("旧名", as_of=LATE, limit=5) == []
    assert [each.ref for each in store.named("新名", as_of=LATE, limit=5)] == [ref]


INJECTION = "APPLIED]->() DETACH DELETE a //"


def test_names_from_outside_select_and_never_execute(store: GraphStore) -> None:
    shared_device(store)
    before = digest(store)
    odd = NodeRef("Person` {x:1}) DETACH DELETE n //", "'; DROP TABLE node; --")
    (around,) = store.neighbours([A1], as_of=LATE, limit=5, relations=[INJECTION])
    assert not around.links
    (around,) = store.neighbours([odd], as_of=LATE, limit=5, types=[INJECTION])
    assert not around.links
    with pytest.raises(NodeNotFound):
        store.node(odd, as_of=LATE)
    assert digest(store) == before


def test_any_key_comes_back_as_it_was(store: GraphStore) -> None:
    keys = ["'", '"', "\\", "`", "$key", "{}", "a b", "中文", "\u202e", "😀", "x" * 500, "/* */", "null", "0"]
    refs = [NodeRef("Employer", key) for key in keys]
    write(store, *[node(ref, 5, name=ref.key) for ref in refs])
    assert [store.node(ref, as_of=LATE).properties["name"] for ref in refs] == keys
    assert sorted(str(row["key"]) for row in exported(store, "Employer")) == sorted(keys)


# Export --------------------------------------------------------------------------------------------


def test_exports_are_ordered_and_typed(store: GraphStore) -> None:
    refs = [NodeRef("Application", f"a{each}") for each in range(300)]
    write(
        store,
        *[used(ref, device, 5) for ref in refs for device in (D2, D1)],
        node(refs[0], 2, amount=1.0, ltv=2),
    )
    nodes, edges = list(store.export_nodes("Application")), list(store.export_edges("USED_DEVICE"))
    assert {each.schema for each in nodes} == {NODE_SCHEMA}
    assert {each.schema for each in edges} == {EDGE_SCHEMA}
    assert pa.concat_tables(nodes)["id"].to_pylist() == sorted(ref.id for ref in refs)
    rows = pa.concat_tables(edges).to_pylist()
    assert [(row["source"], row["target"], row["ref"]) for row in rows] == sorted(
        (ref.id, device.id, "") for ref in refs for device in (D1, D2)
    )
    (stated_,) = [row for row in exported(store, "Application") if row["id"] == refs[0].id]
    assert stated_["properties"] == '{"amount":1.0,"ltv":2}'
    assert list(store.export_nodes("Phone")) == []
    assert list(store.export_edges("HAS_PHONE")) == []


def test_after_a_batch_only_what_it_touched(store: GraphStore) -> None:
    write(store, node(A1, 5, amount=1.0), node(A2, 5, amount=1.0), used(A1, D1, 5), name="one")
    assert exported(store, "Application", after=1) == []
    changed = batch_of("two", [node(A2, 6, amount=2.0), node(A3, 6)], [used(A1, D1, 4), used(A3, D1, 6)])
    store.write(changed)
    assert {row["key"] for row in exported(store, "Application", after=1)} >= {"A2", "A3"}
    assert "A1" in {row["key"] for row in exported(store, "Application", after=1)}  # known since 4 now
    assert {row["source"] for row in exported(store, "USED_DEVICE", after=1)} == {A1.id, A3.id}
    assert [row["key"] for row in exported(store, "Device", after=1)] == [D1.key]
    assert exported(store, "Application", after=2) == []
    assert exported(store, "USED_DEVICE", after=2) == []
    assert len(exported(store, "Application")) == 3


@pytest.mark.parametrize(
    "change",
    [{"event_time": 4}, {"known_at": 8}, {"origin": "a"}, {"valid_to": 99}, {"confidence": 0.9}],
    ids=str,
)
def test_every_change_of_an_edge_touches_it(store: GraphStore, change: dict[str, Any]) -> None:
    edge = Edge("USED_DEVICE", A1, D1, 5, 9, "b", valid_to=50, confidence=0.5)
    write(store, edge, name="one")
    write(store, replace(edge, **change), name="two")
    (row,) = exported(store, "USED_DEVICE", after=1)
    assert {name: row[name] for name in change} == change


def test_values_keep_their_type(store: GraphStore) -> None:
    person = NodeRef("Person", "p")
    store.write(
        Batch(
            "one",
            "x",
            nodes=[stated(person, 5, birth_year=1990, face_score=0.1, thin_file_flag=False, marital="")],
        )
    )
    assert store.node(person, as_of=LATE).properties == {
        "birth_year": 1990,
        "face_score": 0.1,
        "thin_file_flag": False,
        "marital": "",
    }
    (row,) = exported(store, "Person")
    assert row["properties"] == '{"birth_year":1990,"face_score":0.1,"marital":"","thin_file_flag":false}'
