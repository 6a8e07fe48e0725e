"""What was told of one application at one time: facts under tokens, as a journal keeps them and a store absorbs them.

Nothing in it is a clear identifier: values lie sealed beside their tokens, and findings name fields, never values.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa

from graph.ontology import EDGES
from graph.records import Batch, EdgeRows, Ints, JsonProperties, NodeRows, Value, node_id, with_ids
from graph.stores.blocks import HEAD, node_field
from graph.vault import Vault
from loaders.facts import FACTS
from loaders.load import KEY_KIND
from loaders.tables import BY_NAME, Policy
from loaders.translate import recordable

Event = Mapping[str, Any]


class ToldNode(NamedTuple):
    type: str
    key: str
    masked: str
    known_at: int
    updated_at: int
    properties: Mapping[str, Value]


class ToldEdge(NamedTuple):
    type: str
    source: str
    target: str
    ref: str
    event_time: int
    known_at: int
    valid_to: int
    confidence: float
    origin: str


class Reference(NamedTuple):
    """One of the lender's own numbers, as token and seal, and the key of the node it stands for."""

    kind: str
    token: str
    sealed: bytes
    key: str


class Finding(NamedTuple):
    """What was wrong with a field of what was sent, and what became of it (`loaders/tables.py`)."""

    field: str
    reason: str
    policy: Policy


@dataclass(frozen=True)
class Told:
    """`application` is the lender's number of it, `now` when it was told; `events` are by table, `sealed` by kind.

    Every end of every edge is among the nodes, known by the time the edge was.
    """

    application: str
    now: int
    nodes: Sequence[ToldNode] = ()
    edges: Sequence[ToldEdge] = ()
    events: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    sealed: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    references: Sequence[Reference] = ()
    findings: Sequence[Finding] = ()

    def to_bytes(self) -> bytes:
        return orjson.dumps(
            (
                self.application,
                self.now,
                self.nodes,
                self.edges,
                self.events,
                {kind: {token: _text(each) for token, each in by.items()} for kind, by in self.sealed.items()},
                [(each.kind, each.token, _text(each.sealed), each.key) for each in self.references],
                self.findings,
            ),
            default=tuple,
        )

    @classmethod
    def from_bytes(cls, octets: bytes) -> Told:
        application, now, nodes, edges, events, sealed, references, findings = orjson.loads(octets)
        return cls(
            application,
            now,
            list(map(ToldNode._make, nodes)),
            list(map(ToldEdge._make, edges)),
            events,
            {kind: {token: a2b_base64(each) for token, each in by.items()} for kind, by in sealed.items()},
            [Reference(kind, token, a2b_base64(text), key) for kind, token, text, key in references],
            [Finding(*each) for each in findings],
        )


def _text(octets: bytes) -> str:
    return b2a_base64(octets, newline=False).decode()


# Into the vault and the store ----------------------------------------------------------------------------


def keep(told: Iterable[Told], vault: Vault) -> None:
    """What the vault must hold before the store may say it. Told again, it changes nothing."""
    sealed: dict[str, dict[str, bytes]] = {}
    references: dict[str, list[Reference]] = {}
    for each in told:
        for kind, values in each.sealed.items():
            sealed.setdefault(kind, {}).update(values)
        for reference in each.references:
            references.setdefault(reference.kind, []).append(reference)
    for kind, values in sealed.items():
        ordered = sorted(values)  # as the vault has them: neighbours are written together
        vault.keep(kind, ordered, [values[token] for token in ordered])
    for kind, those in references.items():
        _, tokens, seals, keys = zip(*those, strict=True)
        vault.refer_sealed(kind, tokens, seals, keys, KEY_KIND[kind])


def batch_of_told(told: Sequence[Told], id: str, digest: str) -> Batch:  # noqa: A002 - the field's own word
    """All of it as one batch, as the loader would have written it. `digest` tells this content from any other."""
    nodes: dict[str, list[ToldNode]] = defaultdict(list)
    edges: dict[tuple[str, str], list[ToldEdge]] = defaultdict(list)
    events: dict[str, list[Event]] = defaultdict(list)
    for each in told:
        for node in each.nodes:
            nodes[node.type].append(node)
        for edge in each.edges:
            edges[edge.type, edge.origin].append(edge)
        for table, rows in each.events.items():
            events[table] += rows
    ids = _Ids()
    return Batch(
        id=id,
        digest=digest,
        nodes=[_node_rows(type_, those, ids) for type_, those in nodes.items()],
        edges=[_edge_rows(type_, origin, those, ids) for (type_, origin), those in edges.items()],
        events={table: _event_rows(table, rows) for table, rows in events.items()},
        ends_described=True,
    )


class _Ids:
    """Each key is hashed once, though a node is told of, and is an end of edges, again and again."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, int]] = defaultdict(dict)

    def of(self, type_: str, keys: Sequence[str]) -> Ints:
        known = self._known[type_]
        for key in set(keys).difference(known):
            known[key] = node_id(type_, key)
        return np.array([known[key] for key in keys], dtype=np.int64)


def _node_rows(type_: str, nodes: Sequence[ToldNode], ids: _Ids) -> NodeRows:
    _, keys, masked, known_at, updated_at, properties = zip(*nodes, strict=True)
    rows = NodeRows(
        type=type_,
        keys=keys,
        known_at=np.array(known_at, dtype=np.int64),
        masked=masked,
        updated_at=np.array(updated_at, dtype=np.int64),
        properties=JsonProperties([orjson.dumps(each, option=orjson.OPT_SORT_KEYS).decode() for each in properties]),
    )
    return with_ids(rows, ids=ids.of(type_, keys))


def _edge_rows(type_: str, origin: str, edges: Sequence[ToldEdge], ids: _Ids) -> EdgeRows:
    _, sources, targets, refs, event_time, known_at, valid_to, confidence, _ = zip(*edges, strict=True)
    rows = EdgeRows(
        type=type_,
        sources=sources,
        targets=targets,
        refs=refs,
        event_time=np.array(event_time, dtype=np.int64),
        known_at=np.array(known_at, dtype=np.int64),
        valid_to=np.array(valid_to, dtype=np.int64),
        confidence=np.array(confidence, dtype=np.float64),
        origin=origin,
    )
    ends = EDGES[type_]
    return with_ids(rows, source_ids=ids.of(ends.source, sources), target_ids=ids.of(ends.target, targets))


def _event_rows(table: str, rows: Sequence[Event]) -> pa.Table:
    """All columns that the table declares, filled or not: a reader need not ask whether one is there."""
    schema = _event_schema(table)
    return pa.Table.from_pydict({name: [row.get(name) for row in rows] for name in schema.names}, schema)


@cache
def _event_schema(name: str) -> pa.Schema:
    table, says = BY_NAME[name], FACTS[name]
    fields = [pa.field(each, pa.string() if each == "ref" else pa.int64()) for each in HEAD]
    fields += [node_field(column, end.type) for column, end in says.event_nodes.items()]
    typed = {"time": pa.int64(), "number": pa.float64(), "integer": pa.float64(), "boolean": pa.bool_()}
    fields += [
        pa.field(column.name, typed.get(column.type, pa.string()))
        for column in table.columns
        if recordable(table, says, column.name)
    ]
    return pa.schema(fields)
