"""The default store: one SQLite file, no server, several processes at once.

Edges are stored under their source and, in a covering index, under their target in
the order of time, so that the newest 50 of a hub are read without touching the rest.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from graph.asof import visible
from graph.errors import BatchConflict, NodeNotFound, RingroadError, StorageFull, StoreBusy, StoreError
from graph.ontology import EDGES, NODES
from graph.records import Batch, EdgeRows, Ints, Node, NodeRef, NodeRows, node_id, to_millis
from graph.store import EDGE_SCHEMA, NODE_SCHEMA, BatchMark, GraphStore, Link, Neighbourhood, Rank, StoreSize
from graph.stores import blocks

FORMAT = 1
PAGE = 50_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS mark (
  sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL,
  nodes INTEGER NOT NULL, edges INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS node (
  id INTEGER PRIMARY KEY, type TEXT NOT NULL, key TEXT NOT NULL, masked TEXT NOT NULL, tail TEXT,
  known_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, properties TEXT NOT NULL, batch INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS node_key ON node (type, key) WHERE tail IS NULL;
CREATE INDEX IF NOT EXISTS node_tail ON node (tail) WHERE tail IS NOT NULL;
CREATE INDEX IF NOT EXISTS node_batch ON node (batch);
CREATE TABLE IF NOT EXISTS edge (
  source INTEGER NOT NULL, type TEXT NOT NULL, target INTEGER NOT NULL, ref TEXT NOT NULL,
  event_time INTEGER NOT NULL, known_at INTEGER NOT NULL, valid_to INTEGER NOT NULL,
  confidence REAL NOT NULL, origin TEXT NOT NULL, batch INTEGER NOT NULL,
  PRIMARY KEY (source, type, target, ref)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS edge_in ON edge
  (target, event_time DESC, type, source, ref, known_at, valid_to, confidence, origin);
CREATE INDEX IF NOT EXISTS edge_batch ON edge (batch);
CREATE TABLE IF NOT EXISTS event_block (
  kind TEXT NOT NULL, sequence INTEGER NOT NULL, rows INTEGER NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY (kind, sequence)) WITHOUT ROWID;
CREATE TRIGGER IF NOT EXISTS id_collision BEFORE UPDATE OF key ON node WHEN OLD.key <> NEW.key AND OLD.id = NEW.id
  BEGIN SELECT RAISE(ABORT, 'two keys share one node id'); END;
"""
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 15000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -262144",
    "PRAGMA mmap_size = 4294967296",
)
UPSERT_NODE = """
INSERT INTO node (id, type, key, masked, tail, known_at, updated_at, properties, batch) VALUES (?,?,?,?,?,?,?,?,?)
ON CONFLICT (id) DO UPDATE SET
  key = excluded.key,
  masked = CASE excluded.masked WHEN '' THEN masked ELSE excluded.masked END,
  tail = coalesce(excluded.tail, tail),
  known_at = min(known_at, excluded.known_at),
  properties = CASE
    WHEN excluded.properties = '{}' THEN properties
    WHEN excluded.updated_at >= updated_at THEN overlay(properties, excluded.properties)
    ELSE overlay(excluded.properties, properties) END,
  updated_at = CASE excluded.properties WHEN '{}' THEN updated_at ELSE max(updated_at, excluded.updated_at) END,
  batch = excluded.batch
WHERE excluded.known_at < known_at OR excluded.properties <> '{}' OR excluded.key <> key
  OR (masked = '' AND excluded.masked <> '')
"""
UPSERT_EDGE = """
INSERT INTO edge (source, type, target, ref, event_time, known_at, valid_to, confidence, origin, batch)
VALUES (?,?,?,?,?,?,?,?,?,?)
ON CONFLICT (source, type, target, ref) DO UPDATE SET
  event_time = min(event_time, excluded.event_time),
  origin = CASE WHEN (excluded.known_at, excluded.origin) < (known_at, origin)
                THEN excluded.origin ELSE origin END,
  known_at = min(known_at, excluded.known_at),
  valid_to = max(valid_to, excluded.valid_to),
  confidence = max(confidence, excluded.confidence),
  batch = excluded.batch
WHERE excluded.event_time < event_time OR excluded.known_at < known_at OR excluded.valid_to > valid_to
  OR excluded.confidence > confidence OR (excluded.known_at = known_at AND excluded.origin < origin)
"""


class SqliteStore(GraphStore):
    """One file. Writers queue for up to 15 s; readers never wait."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.url = f"sqlite:///{path}"
        self.path = path
        self._db = connection

    @classmethod
    def open(cls, path: Path) -> SqliteStore:
        if not path.parent.is_dir():
            raise StoreError(f"{path.parent} is no folder; create it, or set RINGROAD_HOME to one that exists")
        with _told(path):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            db = sqlite3.connect(path, isolation_level=None, timeout=15, cached_statements=512)
            db.create_function("overlay", 2, _overlay, deterministic=True)
            for pragma in PRAGMAS:
                db.execute(pragma)
            (found,) = db.execute("PRAGMA user_version").fetchone()
            if found > FORMAT:
                raise StoreError(f"{path} has format {found}, this Ringroad reads up to {FORMAT}; upgrade Ringroad")
            if found < FORMAT:
                db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        return cls(path, db)

    def close(self) -> None:
        self._db.close()

    # Writing ---------------------------------------------------------------------------------------

    def write(self, batch: Batch) -> bool:
        with self._transaction():
            found = self._db.execute("SELECT digest FROM mark WHERE id = ?", (batch.id,)).fetchone()
            if found:
                if found[0] != batch.digest:
                    raise BatchConflict(
                        f"batch {batch.id} was absorbed before with other content; give the new delivery a new id"
                    )
                return False
            (sequence,) = self._db.execute("SELECT coalesce(max(sequence), 0) + 1 FROM mark").fetchone()
            for nodes in batch.nodes:
                self._db.executemany(UPSERT_NODE, _node_parameters(nodes, sequence))
            for edges in batch.edges:
                self._write_edges(edges, sequence)
            self._db.executemany(
                "INSERT INTO event_block VALUES (?,?,?,?)",
                [(kind, sequence, len(rows), blocks.pack(rows)) for kind, rows in batch.events.items() if len(rows)],
            )
            nodes_seen, edges_seen = sum(map(len, batch.nodes)), sum(map(len, batch.edges))
            self._db.execute(
                "INSERT INTO mark VALUES (?,?,?,?,?)",
                (sequence, batch.id, batch.digest, nodes_seen, edges_seen),
            )
        return True

    def _write_edges(self, edges: EdgeRows, sequence: int) -> None:
        sources, targets = edges.source_ids, edges.target_ids
        self._create_missing(EDGES[edges.type].source, edges.sources, sources, edges.known_at, sequence)
        self._create_missing(EDGES[edges.type].target, edges.targets, targets, edges.known_at, sequence)
        order = np.lexsort((targets, sources))
        columns = (sources, targets, edges.event_time, edges.known_at, edges.valid_to, edges.confidence)
        source, target, event, known, until, confidence = (column[order].tolist() for column in columns)
        refs = [edges.refs[at] for at in order.tolist()]
        self._db.executemany(
            UPSERT_EDGE,
            (
                (s, edges.type, t, ref, e, k, v, c, edges.origin, sequence)
                for s, t, ref, e, k, v, c in zip(source, target, refs, event, known, until, confidence, strict=True)
            ),
        )

    def _create_missing(self, type_: str, keys: Sequence[str], ids: Ints, known_at: Ints, sequence: int) -> None:
        """Endpoints nobody described: a bare node, known since its earliest edge."""
        unique, first = np.unique(ids, return_index=True)
        wanted = unique.tolist()
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (id INTEGER PRIMARY KEY)")
        self._db.execute("DELETE FROM wanted")
        self._db.executemany("INSERT INTO wanted VALUES (?)", zip(wanted))
        rows = self._db.execute("SELECT id FROM wanted WHERE NOT EXISTS (SELECT 1 FROM node WHERE node.id = wanted.id)")
        missing = {row[0] for row in rows}
        if not missing:
            return
        earliest = np.full(len(unique), np.iinfo(np.int64).max)
        np.minimum.at(earliest, np.searchsorted(unique, ids), known_at)
        tail = None if NODES[type_].kind is None else ""
        self._db.executemany(
            UPSERT_NODE,
            [
                (each, type_, keys[at], "", tail, int(known), int(known), "{}", sequence)
                for each, at, known in zip(wanted, first.tolist(), earliest.tolist(), strict=True)
                if each in missing
            ],
        )

    def batches(self) -> Sequence[BatchMark]:
        rows = self._read("SELECT sequence, id, digest, nodes, edges FROM mark ORDER BY sequence")
        return [BatchMark(*row) for row in rows]

    def rekey(self, keys: Iterable[tuple[str, str, str]]) -> int:
        with self._transaction():
            self._db.execute("CREATE TEMP TABLE moved (old INTEGER PRIMARY KEY, new INTEGER, key TEXT)")
            try:
                self._db.executemany(
                    "INSERT INTO moved VALUES (?,?,?)",
                    ((node_id(type_, old), node_id(type_, new), new) for type_, old, new in keys),
                )
                return self._move()
            finally:
                self._db.execute("DROP TABLE IF EXISTS moved")

    def _move(self) -> int:
        """Copies, then swaps: a row's id is part of its primary key, and old and new ids may overlap."""
        db = self._db
        db.execute(
            "CREATE TEMP TABLE fresh AS SELECT coalesce(new, node.id) AS id, type, coalesce(moved.key, node.key) AS key,"
            " masked, tail, known_at, updated_at, properties, batch FROM node LEFT JOIN moved ON moved.old = node.id"
        )
        (changed,) = db.execute("SELECT count(*) FROM node JOIN moved ON moved.old = node.id").fetchone()
        db.execute("DELETE FROM node")
        db.execute("INSERT INTO node SELECT * FROM fresh ORDER BY id")
        db.execute("DROP TABLE fresh")
        db.execute(
            "CREATE TEMP TABLE fresh AS SELECT coalesce(s.new, source), type, coalesce(t.new, target), ref, event_time,"
            " known_at, valid_to, confidence, origin, batch FROM edge"
            " LEFT JOIN moved s ON s.old = source LEFT JOIN moved t ON t.old = target ORDER BY 1, 2, 3, 4"
        )
        db.execute("DELETE FROM edge")
        db.execute("INSERT INTO edge SELECT * FROM fresh")
        db.execute("DROP TABLE fresh")
        mapping = dict(db.execute("SELECT old, new FROM moved").fetchall())
        for kind, sequence, payload in db.execute("SELECT kind, sequence, payload FROM event_block").fetchall():
            packed = blocks.pack(blocks.remap(blocks.unpack(payload), mapping))
            db.execute("UPDATE event_block SET payload = ? WHERE kind = ? AND sequence = ?", (packed, kind, sequence))
        return int(changed)

    # Reading ---------------------------------------------------------------------------------------

    def node(self, ref: NodeRef, *, as_of: datetime) -> Node:
        at = to_millis(as_of)
        rows = self._read(
            "SELECT type, key, known_at, masked, properties FROM node WHERE id = ? AND known_at <= ?",
            (ref.id, at),
        )
        if not rows:
            raise NodeNotFound(f"no {ref.type} with this key was known at {as_of.isoformat()}")
        return _node(rows[0], at)

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
        asked = _Asked.of(as_of, limit, relations, types, since, until, rank)
        return [self._neighbourhood(ref, asked, totals=totals) for ref in refs]

    def _neighbourhood(self, ref: NodeRef, asked: _Asked, *, totals: bool) -> Neighbourhood:
        rows: list[Any] = []
        counted: dict[tuple[str, bool], int] = {}
        for outgoing, allowed in asked.sides(ref.type):
            where, parameters = asked.where(outgoing, allowed, ref.id)
            rows += self._db.execute(asked.select(outgoing, where), (*parameters, asked.limit)).fetchall()
            if totals:
                counts = f"SELECT type, count(*) FROM edge WHERE {where} GROUP BY type"  # noqa: S608 - no values
                for type_, count in self._db.execute(counts, parameters):
                    counted[type_, outgoing] = count
        rows.sort(key=asked.order)
        del rows[asked.limit :]
        links, masked = [], {}
        for type_, outgoing, _, edge_ref, event, known, until, origin, confidence, _, key, mask in rows:
            edge = EDGES[type_]
            other = NodeRef(edge.target if outgoing else edge.source, key)
            links.append(Link(type_, bool(outgoing), other, edge_ref, event, known, until or None, origin, confidence))
            masked[other] = mask
        return Neighbourhood(ref, links, counted, masked)

    def search(self, text: str, *, as_of: datetime, limit: int, types: Sequence[str] | None = None) -> list[Node]:
        text = text.strip()
        if not text:
            return []
        at = to_millis(as_of)
        allowed = [each for each in NODES if types is None or each in types]
        found: list[Any] = []
        for type_ in (each for each in allowed if NODES[each].kind is None):
            found += self._read(
                "SELECT type, key, known_at, masked, properties FROM node WHERE tail IS NULL AND type = ?"
                " AND key >= ? AND key < ? AND known_at <= ? ORDER BY key LIMIT ?",
                (type_, text, text + "\U0010ffff", at, limit),
            )
        marks = ",".join("?" * len(allowed))
        found += self._read(
            "SELECT type, key, known_at, masked, properties FROM node WHERE tail = ? AND known_at <= ?"
            f" AND substr(masked, -length(?)) = ? AND type IN ({marks}) ORDER BY type, key LIMIT ?",  # noqa: S608
            (text[-4:], at, text, text, *allowed, limit),
        )
        return [_node(row, at) for row in sorted(found, key=lambda row: row[:2])[:limit]]

    def size(self) -> StoreSize:
        def counted(query: str) -> dict[str, int]:
            return dict(self._read(query))

        return StoreSize(
            nodes=counted("SELECT type, count(*) FROM node GROUP BY type ORDER BY type"),
            edges=counted("SELECT type, count(*) FROM edge GROUP BY type ORDER BY type"),
            events=counted("SELECT kind, sum(rows) FROM event_block GROUP BY kind ORDER BY kind"),
        )

    # Bulk export -----------------------------------------------------------------------------------

    def export_nodes(self, type: str, *, after: int = 0) -> Iterator[pa.Table]:  # noqa: A002
        index = "INDEXED BY node_batch" if after else "NOT INDEXED"
        cursor = self._db.execute(
            f"SELECT id, key, masked, known_at, updated_at, properties FROM node {index}"  # noqa: S608
            " WHERE type = ? AND batch > ? ORDER BY id",
            (type, after),
        )
        while rows := cursor.fetchmany(PAGE):
            yield pa.table([*map(list, zip(*rows, strict=True))], schema=NODE_SCHEMA)

    def export_edges(self, type: str, *, after: int = 0) -> Iterator[pa.Table]:  # noqa: A002
        index = "INDEXED BY edge_batch" if after else "NOT INDEXED"
        cursor = self._db.execute(
            "SELECT source, target, ref, event_time, known_at, valid_to, confidence, origin"
            f" FROM edge {index} WHERE type = ? AND batch > ? ORDER BY source, target, ref",  # noqa: S608
            (type, after),
        )
        while rows := cursor.fetchmany(PAGE):
            yield pa.table([*map(list, zip(*rows, strict=True))], schema=EDGE_SCHEMA)

    def events(self, kind: str, *, after: int = 0) -> pa.Table | None:
        rows = self._read(
            "SELECT payload FROM event_block WHERE kind = ? AND sequence > ? ORDER BY sequence", (kind, after)
        )
        return blocks.merge([blocks.unpack(payload) for (payload,) in rows])

    def event_kinds(self) -> Sequence[str]:
        return [kind for (kind,) in self._read("SELECT DISTINCT kind FROM event_block ORDER BY kind")]

    # -----------------------------------------------------------------------------------------------

    def _read(self, query: str, parameters: Sequence[object] = ()) -> list[Any]:
        with _told(self.path):
            return self._db.execute(query, parameters).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with _told(self.path):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise


class _Asked:
    """The filters of one `neighbours` call as SQL, built once for all its nodes."""

    def __init__(
        self,
        limit: int,
        rank: Rank,
        bounds: Mapping[str, int],
        allowed: Mapping[bool, Mapping[str, list[str]]],
    ) -> None:
        self.limit, self.rank, self._bounds, self._allowed = limit, rank, bounds, allowed
        self._select: dict[str, str] = {}

    @classmethod
    def of(
        cls,
        as_of: datetime,
        limit: int,
        relations: Sequence[str] | None,
        types: Sequence[str] | None,
        since: datetime | None,
        until: datetime | None,
        rank: Rank,
    ) -> _Asked:
        bounds = {"known_at <= ?": to_millis(as_of)}
        if since is not None:
            bounds["event_time >= ?"] = to_millis(since)
        if until is not None:
            bounds["event_time <= ?"] = to_millis(until)
        sides: dict[bool, dict[str, list[str]]] = {True: {}, False: {}}
        for edge in EDGES.values():
            if relations is not None and edge.name not in relations:
                continue
            for outgoing, here, there in (
                (True, edge.source, edge.target),
                (False, edge.target, edge.source),
            ):
                if types is None or there in types:
                    sides[outgoing].setdefault(here, []).append(edge.name)
        if relations is None and types is None:
            sides = {side: dict.fromkeys(ends, []) for side, ends in sides.items()}
        return cls(limit, rank, bounds, sides)

    def sides(self, type_: str) -> Iterator[tuple[bool, list[str]]]:
        """Directions in which a node of this type has any relation asked for; an empty list means all of them."""
        for outgoing in (True, False):
            if type_ in self._allowed[outgoing]:
                yield outgoing, self._allowed[outgoing][type_]

    def where(self, outgoing: bool, allowed: list[str], id_: int) -> tuple[str, list[int | str]]:
        parts = ["source = ?" if outgoing else "target = ?", *self._bounds]
        if allowed:
            parts.append(f"type IN ({','.join('?' * len(allowed))})")
        return " AND ".join(parts), [id_, *self._bounds.values(), *allowed]

    def select(self, outgoing: bool, where: str) -> str:
        other = "target" if outgoing else "source"
        order = {
            Rank.RECENT: "event_time DESC",
            Rank.OLDEST: "event_time",
            Rank.MOST_CONNECTED: "degree DESC",
            Rank.LEAST_CONNECTED: "degree",
        }[self.rank]
        degree = "0"
        if self.rank in (Rank.MOST_CONNECTED, Rank.LEAST_CONNECTED):
            at = self._bounds["known_at <= ?"]
            degree = " + ".join(
                f"(SELECT count(*) FROM edge e WHERE e.{end} = edge.{other} AND e.known_at <= {at})"
                for end in ("source", "target")
            )
        return (
            f"SELECT l.*, n.key, n.masked FROM (SELECT type, {int(outgoing)} AS outgoing, {other} AS other,"  # noqa: S608
            f" ref, event_time, known_at, valid_to, origin, confidence, {degree} AS degree FROM edge"
            f" WHERE {where} ORDER BY {order}, type, {other}, ref LIMIT ?) l JOIN node n ON n.id = l.other"
        )

    def order(self, row: Sequence[Any]) -> tuple[Any, ...]:
        type_, outgoing, other, ref, event = row[:5]
        first = {
            Rank.RECENT: -event,
            Rank.OLDEST: event,
            Rank.MOST_CONNECTED: -row[9],
            Rank.LEAST_CONNECTED: row[9],
        }[self.rank]
        return (first, type_, not outgoing, other, ref)


def _node_parameters(nodes: NodeRows, sequence: int) -> Iterator[tuple[Any, ...]]:
    ids = nodes.ids
    personal = NODES[nodes.type].kind is not None
    known, updated = nodes.known_at.tolist(), nodes.updated_at.tolist()
    for at in np.argsort(ids, kind="stable").tolist():
        masked, properties = nodes.masked[at], nodes.properties[at]
        yield (
            int(ids[at]),
            nodes.type,
            nodes.keys[at],
            masked,
            masked[-4:] if personal else None,
            known[at],
            updated[at],
            orjson.dumps(properties, option=orjson.OPT_SORT_KEYS).decode() if properties else "{}",
            sequence,
        )


def _node(row: Sequence[Any], at: int) -> Node:
    type_, key, known_at, masked, properties = row
    return Node(NodeRef(type_, key), known_at, masked, visible(type_, orjson.loads(properties), at))


def _overlay(below: str, above: str) -> str:
    """`above` wins; keys stay sorted, so that equal facts are equal text."""
    merged = orjson.loads(below) | orjson.loads(above)
    return orjson.dumps(merged, option=orjson.OPT_SORT_KEYS).decode()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's faults as one line with the remedy."""
    try:
        yield
    except RingroadError:
        raise
    except OSError as error:
        raise StoreError(f"{path} cannot be opened ({error.strerror}); check the folder's permissions") from None
    except sqlite3.Error as error:
        raise _explained(path, error) from None


def _explained(path: Path, error: sqlite3.Error) -> StoreError:
    text = str(error)
    if "locked" in text or "busy" in text:
        return StoreBusy(f"{path} is being written by another process; wait for it to finish, then run again")
    if "full" in text or "disk I/O" in text:
        return StorageFull(
            f"no room to write {path}; free some disk space and run again, nothing half-written was kept"
        )
    if "not a database" in text or "malformed" in text:
        return StoreError(
            f"{path} is not a Ringroad store, or is damaged; restore a backup with `ringroad restore FILE`"
        )
    if "readonly" in text:
        return StoreError(f"{path} may not be written; check its permissions")
    return StoreError(f"{path}: {text}")
