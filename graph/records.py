"""The only shape in which facts enter the graph.

A `Batch` is columnar: one block of columns per node type, per relation and per
kind of event. Stores absorb a batch whole or not at all.

Times are milliseconds since 1970 in UTC (int64). A node's `id` is derived from its
type and key, so both stores, every process and every snapshot agree on it without
asking each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa

from graph.ontology import EDGES, NODES

Ints = npt.NDArray[np.int64]
Value = str | int | float | bool
Rows = TypeVar("Rows", "NodeRows", "EdgeRows")

DAY = 86_400_000
CHINA = DAY // 3
"""Milliseconds: a day, and what China's clocks are ahead of UTC."""

ALWAYS = 0
"""`known_at` of reference rows that carry no clock: known since the beginning."""


class NodeRef(NamedTuple):
    """A node by type and key. The key is a token for personal identifiers, the lender's code otherwise."""

    type: str
    key: str

    @property
    def id(self) -> int:
        return node_id(self.type, self.key)

    def __str__(self) -> str:
        return f"{self.type}:{self.key}"


def node_id(type: str, key: str) -> int:  # noqa: A002 - the field's own word
    """63 bits of BLAKE2b: at 10 million nodes two share an id with probability 5e-6, and stores refuse it."""
    digest = hashlib.blake2b(f"{type}\0{key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def node_ids(type: str, keys: Iterable[str]) -> Ints:  # noqa: A002
    blake2b, head = hashlib.blake2b, f"{type}\0".encode()
    raw = b"".join([blake2b(head + key.encode(), digest_size=8).digest() for key in keys])
    return (np.frombuffer(raw, dtype=">u8") >> np.uint64(1)).astype(np.int64)


def ranges(begin: Ints, count: Ints) -> Ints:
    """`begin[i], begin[i] + 1, …` of `count[i]` numbers, one range after the other."""
    before = np.concatenate([[0], np.cumsum(count)])
    every: Ints = np.repeat(begin - before[:-1], count) + np.arange(before[-1])
    return every.astype(np.int64)


def to_millis(moment: datetime) -> int:
    """An aware datetime as milliseconds; a naive one is refused, since nobody knows its zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; add one, e.g. +08:00")
    return int(moment.timestamp() * 1000)


def from_millis(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, tz=UTC)


@dataclass(frozen=True)
class Node:
    """A node as of some time: late-known properties are left out."""

    ref: NodeRef
    known_at: int
    masked: str
    properties: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Edge:
    """A dated fact between two nodes. `known_at` says when the lender could have used it."""

    type: str
    source: NodeRef
    target: NodeRef
    event_time: int
    known_at: int
    origin: str
    ref: str = ""
    valid_to: int | None = None
    confidence: float = 1.0


class JsonProperties(Sequence[Mapping[str, Value]]):
    """Properties kept as JSON text with sorted keys, read only where somebody asks."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, at: Any) -> Any:
        return orjson.loads(self.texts[at])


@dataclass(frozen=True)
class NodeRows:
    """Nodes of one type. `masked` is what a screen may show; `properties` holds declared ones only."""

    type: str
    keys: Sequence[str]
    known_at: Ints
    masked: Sequence[str]
    updated_at: Ints
    properties: Sequence[Mapping[str, Value]]

    def __post_init__(self) -> None:
        if self.type not in NODES:
            raise ValueError(f"{self.type} is not in the ontology")
        if len({len(self.keys), len(self.known_at), len(self.masked), len(self.properties)}) != 1:
            raise ValueError(f"{self.type}: columns of different lengths")

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def ids(self) -> Ints:
        return node_ids(self.type, self.keys)

    @cached_property
    def texts(self) -> Sequence[str]:
        """Properties as JSON with sorted keys: equal facts are equal text."""
        if isinstance(self.properties, JsonProperties):
            return self.properties.texts
        return [orjson.dumps(each, option=orjson.OPT_SORT_KEYS).decode() for each in self.properties]


@dataclass(frozen=True)
class EdgeRows:
    """Edges of one relation; `valid_to` 0 means still valid as far as anybody knows."""

    type: str
    sources: Sequence[str]
    targets: Sequence[str]
    refs: Sequence[str]
    event_time: Ints
    known_at: Ints
    valid_to: Ints
    confidence: npt.NDArray[np.float64]
    origin: str

    def __post_init__(self) -> None:
        if self.type not in EDGES:
            raise ValueError(f"{self.type} is not in the ontology")

    def __len__(self) -> int:
        return len(self.sources)

    @cached_property
    def source_ids(self) -> Ints:
        return node_ids(EDGES[self.type].source, self.sources)

    @cached_property
    def target_ids(self) -> Ints:
        return node_ids(EDGES[self.type].target, self.targets)


def with_ids(rows: Rows, **ids: Ints) -> Rows:
    """The same rows with ids that are known already, so that no key is hashed a second time."""
    vars(rows).update(ids)
    return rows


@dataclass(frozen=True)
class Batch:
    """Facts that enter together. `digest` names their content: the same id with another digest is refused.

    `events` are dated rows about one node that are no relation (an instalment, a
    bureau inquiry, a label): per kind an Arrow table with `ref, owner, event_time,
    known_at` and the kind's own columns, nodes by id. Quarantined rows travel
    the same way, so that facts and refusals are written in one transaction.

    `ends_described` promises that each end of every edge is among the nodes of this or
    of an earlier batch, known by the time the edge was: the store need not look.
    """

    id: str
    digest: str
    nodes: Sequence[NodeRows] = ()
    edges: Sequence[EdgeRows] = ()
    events: Mapping[str, pa.Table] = field(default_factory=dict)
    ends_described: bool = False

    def __len__(self) -> int:
        return sum(map(len, self.nodes)) + sum(map(len, self.edges))


def batch_of(id: str, nodes: Iterable[Node] = (), edges: Iterable[Edge] = ()) -> Batch:  # noqa: A002
    """A batch from single facts: for the score service and for tests."""
    by_node: dict[str, list[Node]] = {}
    by_edge: dict[tuple[str, str], list[Edge]] = {}
    for node in nodes:
        by_node.setdefault(node.ref.type, []).append(node)
    for edge in edges:
        by_edge.setdefault((edge.type, edge.origin), []).append(edge)
    rows = [_node_rows(type_, each) for type_, each in by_node.items()]
    links = [_edge_rows(type_, origin, each) for (type_, origin), each in by_edge.items()]
    digest = hashlib.sha256(repr((by_node, by_edge)).encode()).hexdigest()
    return Batch(id=id, digest=digest, nodes=rows, edges=links)


def _node_rows(type_: str, nodes: Sequence[Node]) -> NodeRows:
    known = np.array([each.known_at for each in nodes], dtype=np.int64)
    return NodeRows(
        type=type_,
        keys=[each.ref.key for each in nodes],
        known_at=known,
        updated_at=known,
        masked=[each.masked for each in nodes],
        properties=[each.properties for each in nodes],
    )


def _edge_rows(type_: str, origin: str, edges: Sequence[Edge]) -> EdgeRows:
    def column(name: str) -> list[Any]:
        return [getattr(each, name) for each in edges]

    return EdgeRows(
        type=type_,
        sources=[each.source.key for each in edges],
        targets=[each.target.key for each in edges],
        refs=column("ref"),
        event_time=np.array(column("event_time"), dtype=np.int64),
        known_at=np.array(column("known_at"), dtype=np.int64),
        valid_to=np.array([each.valid_to or 0 for each in edges], dtype=np.int64),
        confidence=np.array(column("confidence"), dtype=np.float64),
        origin=origin,
    )
