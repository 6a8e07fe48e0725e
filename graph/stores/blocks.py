"""Event rows as stores keep them: compressed Arrow blocks, appended and never edited in place.

Both stores share these functions, so that the same batches in any order give the
same rows, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

HEAD = ("ref", "owner", "event_time", "known_at")
"""Columns every kind of event has. `owner` is a node id; so is every column marked with `node_field`."""


def node_field(name: str, type: str) -> pa.Field:  # noqa: A002 - the ontology's own word
    """A column of node ids: it follows when a node gets a new key."""
    return pa.field(name, pa.int64(), metadata={b"node": type.encode()})


def pack(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(sink, table.schema, options=options) as stream:
        stream.write_table(table.combine_chunks())
    payload: bytes = sink.getvalue().to_pybytes()
    return payload


def unpack(payload: bytes) -> pa.Table:
    with pa.ipc.open_stream(pa.BufferReader(payload)) as stream:
        return stream.read_all()


def merge(blocks: Sequence[pa.Table]) -> pa.Table | None:
    """One row per owner and `ref`: the earliest known, then the smallest; ordered by (owner, known_at, ref).

    A column that only some blocks have is empty in the others. Columns come as
    `HEAD`, then by name: the order in which blocks arrived cannot be told from the answer.
    """
    tables = [_plain(each) for each in blocks if each.num_rows]
    if not tables:
        return None
    rows = pa.concat_tables(tables, promote_options="default")
    names = [*HEAD, *sorted(set(rows.column_names) - set(HEAD))]
    rows = _earliest(rows.select(names).replace_schema_metadata(None))
    order = [("owner", "ascending"), ("known_at", "ascending"), ("ref", "ascending")]
    return rows.take(pc.sort_indices(rows, sort_keys=order)).combine_chunks()


def remap(table: pa.Table, mapping: Mapping[int, int]) -> pa.Table:
    """The table with node ids replaced; the same object when it holds none of them."""
    if not mapping:
        return table
    old = np.array(sorted(mapping), dtype=np.int64)
    new = np.array([mapping[each] for each in old.tolist()], dtype=np.int64)
    for index, field in enumerate(table.schema):
        if field.name != "owner" and b"node" not in (field.metadata or {}):
            continue
        column = table.column(index)
        ids = column.fill_null(0).to_numpy()
        place = np.minimum(np.searchsorted(old, ids), len(old) - 1)
        found = (old[place] == ids) & column.is_valid().to_numpy()
        if found.any():
            moved = pa.array(np.where(found, new[place], ids), mask=column.is_null().to_numpy())
            table = table.set_column(index, field, moved)
    return table


def _plain(table: pa.Table) -> pa.Table:
    """Dictionary columns as their values: two blocks may number the same words differently."""
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            plain = field.with_type(field.type.value_type)
            table = table.set_column(index, plain, table.column(index).cast(plain.type))
    return table


def _earliest(rows: pa.Table) -> pa.Table:
    """Only refs that occur twice are sorted: in a normal load that is none of a million."""
    counts = rows.group_by(["owner", "ref"]).aggregate([([], "count_all")])
    twice = counts.filter(pc.greater(counts["count_all"], 1))["ref"]
    if not len(twice):
        return rows
    again = pc.is_in(rows["ref"], value_set=twice.combine_chunks())
    doubles = rows.filter(again)
    head = ("owner", "ref", "known_at")
    by = [*head, *(each for each in doubles.column_names if each not in head)]
    doubles = doubles.take(pc.sort_indices(doubles, sort_keys=[(each, "ascending") for each in by]))
    first = np.ones(len(doubles), dtype=bool)
    owners, refs = doubles["owner"].combine_chunks(), doubles["ref"].combine_chunks()
    other = pc.or_(pc.not_equal(owners[1:], owners[:-1]), pc.not_equal(refs[1:], refs[:-1]))
    first[1:] = other.to_numpy(zero_copy_only=False)
    return pa.concat_tables([rows.filter(pc.invert(again)), doubles.filter(pa.array(first))])
