"""What a store promises. `graph/stores/` holds the implementations; `tests/contracts/` holds them to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import TracebackType

import pyarrow as pa

from graph.ontology import NODES
from graph.records import Batch, Node, NodeRef


class Rank(StrEnum):
    """Which neighbours come first when there are more than the limit."""

    RECENT = "recent"
    OLDEST = "oldest"
    MOST_CONNECTED = "most_connected"
    LEAST_CONNECTED = "least_connected"


@dataclass(frozen=True)
class Link:
    """An edge as seen from one of its ends."""

    type: str
    outgoing: bool
    other: NodeRef
    ref: str
    event_time: int
    known_at: int
    valid_to: int | None
    origin: str
    confidence: float


@dataclass(frozen=True)
class Neighbourhood:
    """Some links of a node, and how many there are in all: "20 of 1,384".

    `totals` counts links per (relation, outgoing) after every filter but the limit;
    `masked` gives what a screen may show of each node in `links`.
    """

    ref: NodeRef
    links: Sequence[Link]
    totals: Mapping[tuple[str, bool], int]
    masked: Mapping[NodeRef, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.totals.values())


@dataclass(frozen=True)
class BatchMark:
    """That a batch was absorbed. `sequence` grows by one with every batch."""

    sequence: int
    id: str
    digest: str
    nodes: int
    edges: int


NODE_SCHEMA = pa.schema(
    [("id", pa.int64()), ("key", pa.string()), ("masked", pa.string()), ("known_at", pa.int64()),
     ("updated_at", pa.int64()), ("properties", pa.string())]
)  # fmt: skip
EDGE_SCHEMA = pa.schema(
    [("source", pa.int64()), ("target", pa.int64()), ("ref", pa.string()), ("event_time", pa.int64()),
     ("known_at", pa.int64()), ("valid_to", pa.int64()), ("confidence", pa.float64()), ("origin", pa.string())]
)  # fmt: skip
"""What the bulk exports yield; `properties` is JSON with sorted keys, `valid_to` 0 means open."""


@dataclass(frozen=True)
class StoreSize:
    nodes: Mapping[str, int]
    edges: Mapping[str, int]
    events: Mapping[str, int]


NAMES: Mapping[str, str] = {"Dealer": "name", "Employer": "name"}
CODES: Mapping[str, str] = {"Dealer": "uscc", "Vehicle": "plate_masked"}
"""What people know a thing by besides its key: any part of its name, or the whole of a code."""

_TYPES: dict[str, list[str]] = {}
for _type in NODES.values():
    if _type.kind is not None:
        _TYPES.setdefault(_type.kind, []).append(_type.name)


class GraphStore(ABC):
    """Facts with two clocks. Reads see only what was known at `as_of`; every answer is bounded and ordered.

    Order of links: by `rank`, then relation, then direction (outgoing first), then
    the other node's id, then `ref`; the same on every store.
    """

    url: str
    batch_rows = 100_000
    """Rows of a table that a loader puts into one batch: a server must hold a whole transaction in memory."""

    # Writing ---------------------------------------------------------------------------------------

    @abstractmethod
    def write(self, batch: Batch) -> bool:
        """Absorb a batch whole or not at all; False when it was absorbed before.

        Nodes: the earliest `known_at` stays; of a property the value from the row
        with the latest `updated_at` stays, whatever the order of arrival. `masked`
        "" never overwrites a mask. Edges (type, source, target, ref): the earliest
        `event_time` and `known_at` stay (`origin` of the earliest known; of equals the
        smaller text), the latest non-zero `valid_to`, the greatest `confidence`.
        Endpoints that do not exist yet are created, known since the edge was.

        Raises BatchConflict when the id was used with another digest.
        """

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Many batches one after another: a store may put off, to the end, what only reads need."""
        yield

    @abstractmethod
    def batches(self) -> Sequence[BatchMark]:
        """Marks in the order of their sequence."""

    @abstractmethod
    def rekey(self, keys: Iterable[tuple[str, str, str]]) -> int:
        """Give nodes new keys: (type, old, new), in one transaction; edges and events follow. Returns how many."""

    def retoken(self, tokens: Iterable[tuple[str, str, str]]) -> int:
        """The same from (kind, old, new), as `Vault.rotate_index` has them: nodes are kept by type."""
        return self.rekey((type_, old, new) for kind, old, new in tokens for type_ in _TYPES.get(kind, ()))

    # Reading ---------------------------------------------------------------------------------------

    @abstractmethod
    def node(self, ref: NodeRef, *, as_of: datetime) -> Node:
        """Raises NodeNotFound for a node that is unknown, or was unknown then."""

    @abstractmethod
    def nodes(self, refs: Sequence[NodeRef], *, as_of: datetime) -> dict[NodeRef, Node]:
        """Those of `refs` that were known then, in one go; the others are left out."""

    @abstractmethod
    def neighbours(
        self,
        refs: Sequence[NodeRef],
        *,
        as_of: datetime,
        limit: int,
        relations: Sequence[str] | None = None,
        types: Sequence[str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        rank: Rank = Rank.RECENT,
        totals: bool = True,
    ) -> list[Neighbourhood]:
        """The links of each of `refs`, at most `limit` each; an unknown node has none.

        `relations` and `types` (of the node at the other end) filter; `since` and
        `until` bound `event_time`, both inclusive. `totals=False` leaves them empty and is faster.
        """

    @abstractmethod
    def search(self, text: str, *, as_of: datetime, limit: int, types: Sequence[str] | None = None) -> list[Node]:
        """Nodes whose readable key starts with `text`, or whose masked value ends with it; ordered by type and key.

        Exact personal identifiers are not searched here: make a token with the vault and ask `node`.
        """

    @abstractmethod
    def named(self, text: str, *, as_of: datetime, limit: int, types: Sequence[str] | None = None) -> list[Node]:
        """Nodes whose name (`NAMES`) holds `text`, or whose code (`CODES`) it is; letters as they stand.

        What starts with it first, then by name or code, then by type and key.
        """

    @abstractmethod
    def size(self) -> StoreSize:
        """Counts per type, relation and event kind, of everything ever written."""

    # Bulk export -----------------------------------------------------------------------------------

    @abstractmethod
    def export_nodes(self, type: str, *, after: int = 0) -> Iterator[pa.Table]:  # noqa: A002
        """Nodes touched by batches with `sequence > after`, ordered by id, in tables of `NODE_SCHEMA`."""

    @abstractmethod
    def export_edges(self, type: str, *, after: int = 0) -> Iterator[pa.Table]:  # noqa: A002
        """Edges touched by batches with `sequence > after`, ordered by (source, target, ref), in tables
        of `EDGE_SCHEMA`."""

    @abstractmethod
    def events(self, kind: str, *, after: int = 0) -> pa.Table | None:
        """Event rows of one kind, one per owner and `ref` (the earliest known, then the smallest row), ordered by
        (owner, known_at, ref); None when there are none."""

    @abstractmethod
    def event_kinds(self) -> Sequence[str]:
        """Kinds of which any event was written, in alphabetical order."""

    # Life ------------------------------------------------------------------------------------------

    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self) -> GraphStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
