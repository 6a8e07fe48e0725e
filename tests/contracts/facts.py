"""Small facts for the contracts: short to write, easy to read in a failure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from graph.records import Batch, Edge, EdgeRows, Node, NodeRef, NodeRows, Value, batch_of, from_millis
from graph.store import GraphStore
from graph.stores.blocks import node_field

LATE = datetime(2030, 1, 1, tzinfo=UTC)

A1, A2, A3 = (NodeRef("Application", f"A{each}") for each in (1, 2, 3))
P1, P2 = (NodeRef("Person", f"person-{each}") for each in (1, 2))
D1, D2 = (NodeRef("Device", f"device-{each}") for each in (1, 2))


def at(millis: int) -> datetime:
    return from_millis(millis)


def used(application: NodeRef, device: NodeRef, time: int, *, known: int | None = None, origin: str = "app") -> Edge:
    return Edge("USED_DEVICE", application, device, time, time if known is None else known, origin)


def node(ref: NodeRef, known: int = 1, masked: str = "", **properties: Value) -> Node:
    return Node(ref, known, masked, properties)


def stated(ref: NodeRef, updated_at: int, *, known: int = 1, masked: str = "", **properties: Value) -> NodeRows:
    """One row of one node with its own `updated_at`."""
    return NodeRows(
        ref.type,
        [ref.key],
        np.array([known], dtype=np.int64),
        [masked],
        np.array([updated_at], dtype=np.int64),
        [properties],
    )


def linked(*edges: Edge) -> list[EdgeRows]:
    return list(batch_of("any", edges=edges).edges)


def events(rows: Sequence[tuple[str, int, int, int, Mapping[str, object]]], other: str | None = None) -> pa.Table:
    """Rows of (ref, owner, event_time, known_at, more); `other` names a column of Person ids."""
    names = sorted({name for row in rows for name in row[4]})
    heads = [
        pa.field("ref", pa.string()),
        *(pa.field(each, pa.int64()) for each in ("owner", "event_time", "known_at")),
    ]
    columns = [pa.array([row[index] for row in rows], heads[index].type) for index in range(4)]
    for name in names:
        values = pa.array([row[4].get(name) for row in rows])
        heads.append(node_field(name, "Person") if name == other else pa.field(name, values.type))
        columns.append(values)
    return pa.table(columns, schema=pa.schema(heads))


def write(store: GraphStore, *facts: Node | Edge, name: str = "batch") -> None:
    nodes = [each for each in facts if isinstance(each, Node)]
    edges = [each for each in facts if isinstance(each, Edge)]
    assert store.write(batch_of(name, nodes, edges))


def renamed(batch: Batch, name: str) -> Batch:
    return Batch(name, batch.digest, batch.nodes, batch.edges, batch.events)


def exported(store: GraphStore, type_: str, after: int = 0) -> list[dict[str, object]]:
    edges = type_.isupper() and type_ != "IP"
    tables = store.export_edges(type_, after=after) if edges else store.export_nodes(type_, after=after)
    return [row for table in tables for row in table.to_pylist()]
