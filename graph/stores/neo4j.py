"""The store for a team: Neo4j 5 over Bolt.

Every call is a managed transaction, every write a MERGE on a constrained key, and a
batch is one transaction with its marker: a load that dies leaves all or nothing.
Loaders queue behind one counter node, so what a node shall be is merged here, by the
same function for every order of arrival, and written as it shall stand.

Time limits: connecting 5 s, a free connection 10 s, retries 10 s, reads and writes by
the server (below); a silent server is given up after what it announced itself as
`connection.recv_timeout_seconds` (two minutes by default).
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from typing import Any, TypeVar
from urllib.parse import urlsplit

import neo4j
import numpy as np
import orjson
import pyarrow as pa
from neo4j import GraphDatabase, ManagedTransaction, unit_of_work
from neo4j import exceptions as faults

from graph import cypher
from graph.asof import visible
from graph.errors import (
    BatchConflict,
    InputError,
    NodeNotFound,
    RingroadError,
    StorageFull,
    StoreBusy,
    StoreError,
)
from graph.ontology import EDGES, NODES
from graph.records import Batch, EdgeRows, Node, NodeRef, node_id, to_millis
from graph.store import EDGE_SCHEMA, NODE_SCHEMA, BatchMark, GraphStore, Link, Neighbourhood, Rank, StoreSize
from graph.stores import blocks
from graph.stores.stated import Stated, gather, merged

READ_SECONDS = 60.0
WRITE_SECONDS = 1800.0
STATEMENT_ROWS = 10_000
BLOCK_ROWS = 50_000
PAGE = 20_000
IDS = 1 << 63
FAR = (1 << 63) - 1

Answer = TypeVar("Answer")
Row = Mapping[str, Any]

logging.getLogger("neo4j").addHandler(logging.NullHandler())  # its retries are not for the user's terminal


class Neo4jStore(GraphStore):
    """Safe to share between threads; each call takes a connection of the pool."""

    batch_rows = 20_000

    def __init__(self, url: str, driver: neo4j.Driver, database: str | None) -> None:
        self.url = url
        self._driver = driver
        self._database = database
        self._bookmarks = GraphDatabase.bookmark_manager()

    @classmethod
    def open(cls, url: str, password: str | None) -> Neo4jStore:
        """`neo4j://USER@HOST:PORT[/DATABASE]`; constraints and indexes that are missing are made now."""
        parts = urlsplit(url)
        if not password:
            raise InputError(f"{url} needs a password; set RINGROAD_STORE_PASSWORD")
        if parts.password is not None or not parts.hostname:
            raise InputError("RINGROAD_STORE should read neo4j://USER@HOST:7687, without a password in it")
        with _told(url):
            driver = GraphDatabase.driver(
                f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
                auth=(parts.username or "neo4j", password),
                connection_timeout=5.0,
                connection_acquisition_timeout=10.0,
                connection_write_timeout=30.0,
                max_transaction_retry_time=10.0,
                liveness_check_timeout=30.0,
                notifications_min_severity="OFF",
                telemetry_disabled=True,
            )
            store = cls(url, driver, parts.path.strip("/") or None)
            try:
                driver.verify_connectivity()
                store._make_schema()
            except BaseException:
                driver.close()
                raise
        return store

    def close(self) -> None:
        self._driver.close()

    def _make_schema(self) -> None:
        wanted = cypher.schema()
        shown = self._read(lambda tx: {row["name"] for row in _run(tx, "SHOW INDEXES YIELD name")})
        if missing := [text for name, text in wanted.items() if name not in shown]:
            self._write(lambda tx: [_run(tx, text).consume() for text in missing])
            self._read(lambda tx: _run(tx, "CALL db.awaitIndexes(60)").consume())

    # Writing ---------------------------------------------------------------------------------------

    def write(self, batch: Batch) -> bool:
        writer = uuid.uuid4().hex
        return self._write(lambda tx: _absorb(tx, batch, writer))

    def batches(self) -> Sequence[BatchMark]:
        return self._read(lambda tx: [BatchMark(**row) for row in _run(tx, cypher.MARKS).data()])

    def rekey(self, keys: Iterable[tuple[str, str, str]]) -> int:
        moves: dict[str, list[tuple[int, int, str]]] = {}
        for type_, old, new in keys:
            moves.setdefault(type_, []).append((node_id(type_, old), node_id(type_, new), new))
        return self._write(lambda tx: _rekey(tx, moves))

    # Reading ---------------------------------------------------------------------------------------

    def node(self, ref: NodeRef, *, as_of: datetime) -> Node:
        at = to_millis(as_of)
        if ref.type in NODES and (rows := self._values(cypher.node(ref.type), id=ref.id, as_of=at)):
            return _node(ref.type, rows[0], at)
        raise NodeNotFound(f"no {ref.type} with this key was known at {as_of.isoformat()}")

    def nodes(self, refs: Sequence[NodeRef], *, as_of: datetime) -> dict[NodeRef, Node]:
        at, found = to_millis(as_of), {}
        for type_ in sorted({ref.type for ref in refs if ref.type in NODES}):
            ids = [ref.id for ref in refs if ref.type == type_]
            for row in self._values(cypher.nodes(type_), asked={"ids": ids}, as_of=at):
                one = _node(type_, row, at)
                found[one.ref] = one
        return {ref: found[ref] for ref in refs if ref in found}

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
        sides = cypher.relations_asked(relations, types)
        if sides is not None and not any(sides):
            return [Neighbourhood(ref, [], {}) for ref in refs]
        text = cypher.neighbours(rank, filtered=sides is not None, totals=totals)
        starts: dict[str, set[int]] = {each: set() for each in NODES}
        for ref in refs:
            starts.get(ref.type, set()).add(ref.id)
        parameters = {
            "as_of": to_millis(as_of),
            "since": -FAR if since is None else to_millis(since),
            "until": FAR if until is None else to_millis(until),
            "limit": limit,
            "asked": dict(zip(("outgoing", "incoming"), sides or (), strict=False)),
            "ids": {type_: sorted(ids) for type_, ids in starts.items()},
        }
        rows = self._read(lambda tx: {row["id"]: row.data() for row in _run(tx, text, **parameters)})
        return [_neighbourhood(ref, rows.get(ref.id), limit) for ref in refs]

    def search(self, text: str, *, as_of: datetime, limit: int, types: Sequence[str] | None = None) -> list[Node]:
        text = text.strip()
        if not text:
            return []
        at = to_millis(as_of)
        allowed = {each: types is None or each in types for each in NODES}
        asked = {"text": text, "tail": text[-4:], "types": allowed}
        rows = self._read(lambda tx: _run(tx, cypher.search(), asked=asked, as_of=at, limit=limit).values())
        return [_node(type_, row, at) for type_, row in rows]

    def named(self, text: str, *, as_of: datetime, limit: int, types: Sequence[str] | None = None) -> list[Node]:
        text, at = text.strip(), to_millis(as_of)
        if not text:
            return []
        asked = {"text": text, "types": {each: types is None or each in types for each in NODES}}
        rows = self._read(lambda tx: _run(tx, cypher.named(), asked=asked, as_of=at, limit=limit).values())
        once: dict[tuple[str, str], Row] = {}
        for type_, row, *_ in rows:
            once.setdefault((type_, row["key"]), row)
        return [_node(type_, row, at) for (type_, _), row in list(once.items())[:limit]]

    def size(self) -> StoreSize:
        counted = self._read(lambda tx: sorted(_run(tx, cypher.size()).values()))
        return StoreSize(
            nodes={name: many for node, name, many in counted if node and many},
            edges={name: many for node, name, many in counted if many and not node},
            events=self._read(lambda tx: dict(_run(tx, cypher.KINDS).values())),
        )

    # Bulk export -----------------------------------------------------------------------------------

    def export_nodes(self, type: str, *, after: int = 0) -> Iterator[pa.Table]:  # noqa: A002
        names = [each.name for each in NODES[type].properties]
        for columns in self._pages(cypher.count_nodes, cypher.export_nodes, type, after):
            columns[-1] = [_stated_json(names, values) for values in columns[-1]]
            yield pa.table(columns, schema=NODE_SCHEMA)

    def export_edges(self, type: str, *, after: int = 0) -> Iterator[pa.Table]:  # noqa: A002
        order = [("source", "ascending"), ("target", "ascending"), ("ref", "ascending")]
        for columns in self._pages(cypher.count_edges, cypher.export_edges, type, after):
            yield pa.table(columns, schema=EDGE_SCHEMA).sort_by(order)

    def _pages(
        self, count: Callable[..., str], export: Callable[..., str], type_: str, after: int
    ) -> Iterator[list[list[Any]]]:
        (many,) = self._values(count(type_, since=after > 0), after=after)
        if not many:
            return
        pages = 1 + many // PAGE
        text = export(type_, paged=pages > 1 or after == 0)
        bounds = [IDS * at // pages for at in range(pages)] + [FAR]
        for low, high in pairwise(bounds):
            (columns,) = self._values(text, WRITE_SECONDS, low=low, high=high, after=after)
            if columns[0]:
                yield columns

    def events(self, kind: str, *, after: int = 0) -> pa.Table | None:
        payloads = self._values(cypher.BLOCKS, WRITE_SECONDS, kind=kind, after=after)
        return blocks.merge([blocks.unpack(bytes(each)) for each in payloads])

    def event_kinds(self) -> Sequence[str]:
        return self._values(cypher.KINDS)

    # -----------------------------------------------------------------------------------------------

    def _read(self, ask: Callable[[ManagedTransaction], Answer], seconds: float = READ_SECONDS) -> Answer:
        with _told(self.url), self._session() as session:
            return session.execute_read(unit_of_work(timeout=seconds)(ask))

    def _values(self, query: str, seconds: float = READ_SECONDS, **parameters: Any) -> list[Any]:
        """The first column of the answer."""
        return self._read(lambda tx: _run(tx, query, **parameters).value(), seconds)

    def _write(self, change: Callable[[ManagedTransaction], Answer]) -> Answer:
        with _told(self.url), self._session() as session:
            return session.execute_write(unit_of_work(timeout=WRITE_SECONDS)(change))

    def _session(self) -> neo4j.Session:
        return self._driver.session(database=self._database, bookmark_manager=self._bookmarks, fetch_size=PAGE)


def _run(tx: ManagedTransaction, query: str, /, **parameters: Any) -> neo4j.Result:
    """The one place where text becomes a query; `graph.cypher` makes it, from the ontology only."""
    return tx.run(query, parameters)


def _absorb(tx: ManagedTransaction, batch: Batch, writer: str) -> bool:
    sequence = _run(tx, cypher.LOCK).single(strict=True)["value"] + 1
    found = _run(tx, cypher.FIND_MARK, id=batch.id).single()
    if found is not None:
        if found["digest"] != batch.digest:
            raise BatchConflict(
                f"batch {batch.id} was absorbed before with other content; give the new delivery a new id"
            )
        return bool(found["writer"] == writer)  # the commit was ours, and only its answer was lost
    for type_, nodes in gather(batch).items():
        for rows in _chunks(list(nodes.values()), STATEMENT_ROWS):
            _write_nodes(tx, type_, rows, sequence)
    for edges in batch.edges:
        _write_edges(tx, edges, sequence)
    for kind, table in batch.events.items():
        pieces = [table.slice(at, BLOCK_ROWS) for at in range(0, table.num_rows, BLOCK_ROWS)]
        for part, piece in enumerate(pieces):
            block = [part, piece.num_rows, blocks.pack(piece)]
            _run(tx, cypher.CREATE_BLOCKS, kind=kind, batch=sequence, blocks=[block]).consume()
    mark = {"id": batch.id, "digest": batch.digest, "sequence": sequence, "writer": writer}
    counts = {"nodes": sum(map(len, batch.nodes)), "edges": sum(map(len, batch.edges))}
    _run(tx, cypher.CREATE_MARK, **mark, **counts).consume()
    _run(tx, cypher.COUNT, sequence=sequence).consume()
    return True


def _write_nodes(tx: ManagedTransaction, type_: str, nodes: Sequence[Stated], sequence: int) -> None:
    """Only what changes is written; a load that repeats known facts touches nothing."""
    ids = {node_id(type_, each.key): each for each in nodes}
    standing = {row["id"]: row for row in _run(tx, cypher.find_nodes(type_), ids=list(ids)).value()}
    created, changed = [], []
    for id_, new in ids.items():
        row = standing.get(id_)
        if row is None:
            created.append(_row(type_, id_, new, sequence))
            continue
        if row["key"] != new.key:
            raise StoreError(f"two keys of {type_} share one node id; report it, this should happen to nobody")
        old = _stated(type_, row)
        if (node := merged(old, new)) != old:
            changed.append(_row(type_, id_, node, sequence))
    for rows, text in ((created, cypher.write_nodes(type_, new=True)), (changed, cypher.write_nodes(type_, new=False))):
        if rows:
            _run(tx, text, rows=rows).consume()


def _row(type_: str, id_: int, node: Stated, sequence: int) -> dict[str, Any]:
    row: dict[str, Any] = {
        **node.properties,
        "id": id_,
        "key": node.key,
        "masked": node.masked,
        "known_at": node.known_at,
        "updated_at": node.updated_at,
        "clocks": _json(node.clocks) if node.clocks else None,
        "batch": sequence,
    }
    if NODES[type_].kind is not None:
        row["tail"] = node.masked[-4:]
    return row


def _stated(type_: str, row: Row) -> Stated:
    properties = {each.name: row[each.name] for each in NODES[type_].properties if each.name in row}
    clocks = orjson.loads(row["clocks"]) if "clocks" in row else {}
    return Stated(row["key"], row["known_at"], row["masked"], row["updated_at"], properties, clocks)


def _write_edges(tx: ManagedTransaction, edges: EdgeRows, sequence: int) -> None:
    """Sorted by source: the server then walks each node's relations once."""
    text = cypher.upsert_edges(edges.type)
    sources, targets = edges.source_ids, edges.target_ids
    columns = (sources, targets, edges.event_time, edges.known_at, edges.valid_to, edges.confidence)
    order = np.lexsort((targets, sources))
    source, target, event, known, until, confidence = (column[order].tolist() for column in columns)
    refs = [edges.refs[at] for at in order.tolist()]
    rows = [list(row) for row in zip(source, target, refs, event, known, until, confidence, strict=True)]
    for chunk in _chunks(rows, STATEMENT_ROWS):
        _run(tx, text, rows=chunk, origin=edges.origin, batch=sequence).consume()


def _rekey(tx: ManagedTransaction, moves: Mapping[str, Sequence[tuple[int, int, str]]]) -> int:
    _run(tx, cypher.LOCK).consume()
    moved = 0
    for step in (0, 1):
        for type_, rows in moves.items():
            text = cypher.rekey(type_)[step]
            for chunk in _chunks(rows, STATEMENT_ROWS):
                answer = _run(tx, text, rows=[list(row) for row in chunk]).single()
                moved += answer["many"] if answer is not None else 0
    mapping = {old: new for rows in moves.values() for old, new, _ in rows}
    for kind in _run(tx, cypher.KINDS).value("name"):
        for found in _run(tx, cypher.BLOCKS, kind=kind, after=0).fetch(FAR):
            table = blocks.unpack(bytes(found["payload"]))
            if (fresh := blocks.remap(table, mapping)) is not table:
                place = {"kind": kind, "batch": found["batch"], "part": found["part"]}
                _run(tx, cypher.REPLACE_BLOCK, **place, payload=blocks.pack(fresh)).consume()
    return moved


def _node(type_: str, row: Row, at: int) -> Node:
    properties = {each.name: row[each.name] for each in NODES[type_].properties if each.name in row}
    return Node(NodeRef(type_, row["key"]), row["known_at"], row["masked"], visible(type_, properties, at))


def _neighbourhood(ref: NodeRef, row: Row | None, limit: int) -> Neighbourhood:
    if row is None:
        return Neighbourhood(ref, [], {})
    rows = [(*link, True) for link in row["outgoing"]] + [(*link, False) for link in row["incoming"]]
    rows.sort(key=lambda link: (link[0], link[1], not link[-1], link[2], link[3]))
    links, masked = [], {}
    for _, type_, _, edge_ref, event, known, until, origin, confidence, key, mask, outgoing in rows[:limit]:
        edge = EDGES[type_]
        other = NodeRef(edge.target if outgoing else edge.source, key)
        links.append(Link(type_, outgoing, other, edge_ref, event, known, until or None, origin, confidence))
        masked[other] = mask
    totals = {(type_, True): many for type_, many in row["outgoing_totals"]}
    totals |= {(type_, False): many for type_, many in row["incoming_totals"]}
    return Neighbourhood(ref, links, totals, masked)


def _stated_json(names: Sequence[str], values: Sequence[Any]) -> str:
    return _json({name: value for name, value in zip(names, values, strict=True) if value is not None})


def _json(values: Mapping[str, Any]) -> str:
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()


def _chunks(rows: Sequence[Answer], size: int) -> Iterator[Sequence[Answer]]:
    for at in range(0, len(rows), size):
        yield rows[at : at + size]


@contextmanager
def _told(url: str) -> Iterator[None]:
    """The driver's faults as one line with the remedy; never its text, which may quote a key."""
    try:
        yield
    except RingroadError:
        raise
    except (faults.DriverError, faults.Neo4jError, OSError, ValueError) as error:
        raise _explained(url, error) from None


def _explained(url: str, error: Exception) -> StoreError:
    code = getattr(error, "code", None) or ""
    text = str(error)
    if "No space left" in text:
        return StorageFull(f"{url}: the server's disk is full; free some space there and run again, nothing was kept")
    if "OutOfMemory" in code or "MemoryPool" in code:
        return StoreError(
            f"{url}: the server lacks memory for this batch; give it more (-Xmx, dbms.memory.transaction.*)"
        )
    for kinds, message in _MEANINGS:
        if isinstance(error, kinds):
            return StoreError(f"{url}: {message}")
    if "Lock" in code or "Deadlock" in code:
        return StoreBusy(f"{url} is being written by another loader; wait for it to finish, then run again")
    if "Timeout" in code or "Terminated" in code:
        return StoreError(f"{url}: the server stopped the call at its time limit; ask for less, or raise the limit")
    return StoreError(f"{url}: {code or type(error).__name__}; the server's log tells more")


_MEANINGS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((faults.AuthError,), "user or password is wrong; check RINGROAD_STORE and RINGROAD_STORE_PASSWORD"),
    ((faults.ConfigurationError, ValueError), "no Neo4j address; write neo4j://USER@HOST:7687"),
    (
        (faults.ServiceUnavailable, faults.SessionExpired, faults.IncompleteCommit, OSError),
        "the server does not answer; check host and port, start it, then run again: nothing is lost",
    ),
)
