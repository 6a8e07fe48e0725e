"""A name for what a store holds: equal facts, equal digest, on either store and after any history."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa

from graph.ontology import EDGES, NODES
from graph.store import GraphStore


def digest(store: GraphStore) -> str:
    """SHA-256 over nodes, edges and events in the order of the bulk exports.

    Sequence numbers, batch ids and page sizes are no facts and no part of it.
    """
    whole = hashlib.sha256()
    for type_ in sorted(NODES):
        whole.update(_digest(f"node {type_}", store.export_nodes(type_)))
    for type_ in sorted(EDGES):
        whole.update(_digest(f"edge {type_}", store.export_edges(type_)))
    for kind in store.event_kinds():
        rows = store.events(kind)
        whole.update(_digest(f"event {kind}", [] if rows is None else [rows]))
    return whole.hexdigest()


def _digest(name: str, tables: Iterable[pa.Table]) -> bytes:
    """Column by column, each with its own running hash, so that pages leave no trace."""
    columns: dict[str, hashlib._Hash] = {}
    for table in tables:
        for field, column in zip(table.schema, table.columns, strict=True):
            running = columns.setdefault(field.name, hashlib.sha256(f"{field.name} {field.type}".encode()))
            running.update(_bytes(column))
    whole = hashlib.sha256(name.encode())
    for column in sorted(columns):
        whole.update(columns[column].digest())
    return whole.digest()


def _bytes(column: pa.ChunkedArray) -> bytes:
    """Each value with its end: "ab", "c" is not "a", "bc"; nothing is not "nothing"."""
    if column.null_count == 0 and pa.types.is_primitive(column.type) and not pa.types.is_boolean(column.type):
        return bytes(column.to_numpy().tobytes())
    return b"".join(f"{len(text)}:{text}".encode() for text in map(repr, column.to_pylist()))
