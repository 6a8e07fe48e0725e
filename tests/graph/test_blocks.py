"""Event blocks, statements about one node, and what may be seen when: the functions both stores share."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from graph.asof import visible
from graph.stores.blocks import merge, node_field, pack, remap, unpack
from graph.stores.stated import Stated, merged

HEAD = [("ref", pa.string()), ("owner", pa.int64()), ("event_time", pa.int64()), ("known_at", pa.int64())]
SCHEMA = pa.schema([*HEAD, node_field("other", "Person"), ("word", pa.string()), ("yes", pa.bool_())])

rows = st.fixed_dictionaries(
    {
        "ref": st.sampled_from("abcdef"),
        "owner": st.integers(0, 3),
        "event_time": st.integers(0, 2),
        "known_at": st.integers(0, 2),
        "other": st.none() | st.integers(0, 3),
        "word": st.none() | st.sampled_from(["", "x", "中"]),
        "yes": st.none() | st.booleans(),
    }
)


@given(st.lists(rows, max_size=12), st.randoms())
def test_blocks_merge_the_same_in_any_order_and_number(written: list[dict[str, object]], chance: object) -> None:
    whole = merge([pa.Table.from_pylist(written, SCHEMA)])
    chance.shuffle(written)  # type: ignore[attr-defined]
    apart = merge([unpack(pack(pa.Table.from_pylist([row], SCHEMA))) for row in written])
    if not written:
        assert whole is None
        assert apart is None
        return
    assert whole is not None
    assert whole.equals(apart, check_metadata=True)
    named = sorted((row["owner"], row["ref"]) for row in whole.to_pylist())
    assert named == sorted({(row["owner"], row["ref"]) for row in written})
    order = [(row["owner"], row["known_at"], row["ref"]) for row in whole.to_pylist()]
    assert order == sorted(order)
    for row in whole.to_pylist():
        assert row["known_at"] == min(
            each["known_at"] for each in written if (each["owner"], each["ref"]) == (row["owner"], row["ref"])
        )


def test_words_numbered_differently_are_the_same_words() -> None:
    def table(ref: str, word: str) -> pa.Table:
        plain = pa.table([[ref], [1], [1], [1]], schema=pa.schema(HEAD))
        return plain.append_column("word", pa.array([word]).dictionary_encode())

    both = merge([table("a", "x"), table("b", "y")])
    assert both is not None
    assert both["word"].to_pylist() == ["x", "y"]


def test_ids_move_where_nodes_are_meant() -> None:
    table = pa.Table.from_pylist([{"ref": "a", "owner": 1, "event_time": 1, "known_at": 1, "other": None}], SCHEMA)
    table = pa.concat_tables([table, table.set_column(4, SCHEMA.field(4), pa.array([2], pa.int64()))])
    moved = remap(table, {1: 10, 2: 20})
    assert moved["owner"].to_pylist() == [10, 10]
    assert moved["other"].to_pylist() == [None, 20]
    assert (moved["event_time"].to_pylist(), moved.schema.field("other").metadata) == ([1, 1], {b"node": b"Person"})
    assert remap(table, {7: 8}) is table
    assert remap(table, {}) is table


statements = st.builds(
    Stated,
    key=st.just("k"),
    known_at=st.integers(0, 9),
    masked=st.just(""),
    updated_at=st.integers(1, 9),
    properties=st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), min_size=1),
)


@given(st.lists(statements, min_size=1, max_size=5, unique_by=lambda each: each.updated_at), st.randoms())
def test_the_latest_statement_wins_in_any_order(said: list[Stated], chance: object) -> None:
    expected: dict[str, object] = {}
    for each in sorted(said, key=lambda each: each.updated_at):
        expected |= each.properties
    chance.shuffle(said)  # type: ignore[attr-defined]
    node = said[0]
    for each in said[1:]:
        node = merged(node, each)
    assert node.properties == expected
    assert node.updated_at == max(each.updated_at for each in said)
    assert node.known_at == min(each.known_at for each in said)
    for name in expected:
        assert node.clock(name) == max(each.updated_at for each in said if name in each.properties)


def test_what_is_visible_when() -> None:
    row = {"amount": 1.0, "decided_at": 50, "decision": "approve", "submitted_at": 10}
    assert visible("Application", row, 49) == {"amount": 1.0, "submitted_at": 10}
    assert visible("Application", row, 50) == row
    assert visible("Application", {"decision": "approve"}, 10**15) == {}
    assert visible("Device", {"os": "ios"}, 0) == {"os": "ios"}
