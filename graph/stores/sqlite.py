"""The default store: one SQLite file, no server, several processes at once.

Edges are indexed by their source and, in the order of time, by their target, so that
the newest 50 of a hub are read without touching the rest.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from graph.store import EDGE_SCHEMA, NODE_SCHEMA, BatchMark, GraphStore, Neighbourhood, Rank, StoreSize
from graph.stores import blocks
from graph.stores.sqlite_links import Asked
from graph.stores.sqlite_names import named
from graph.stores.sqlite_schema import (
    FORMAT,
    MAP_FILE,
    MAP_NOTHING,
    MOVE,
    READING,
    UPSERT_EDGE,
    UPSERT_NODE,
    index_for_reading,
    prepare,
)

PAGE = 50_000


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
            found = prepare(db)
            if found > FORMAT:
                raise StoreError(f"{path} has format {found}, this Ringroad reads {FORMAT}; upgrade Ringroad")
            if found < FORMAT:
                raise StoreError(
                    f"{path} has format {found} of an earlier Ringroad, this one reads {FORMAT}; "
                    "load the tables again into a new RINGROAD_HOME"
                )
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
            if not batch.ends_described:
                self._know_ends(batch, sequence)
            for edges in batch.edges:
                self._db.executemany(UPSERT_EDGE, _edge_parameters(edges, sequence))
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

    def _know_ends(self, batch: Batch, sequence: int) -> None:
        """Both ends of an edge were known since it was; one that nobody described becomes a bare node."""
        self._db.execute(
            "CREATE TEMP TABLE IF NOT EXISTS wanted (id INTEGER PRIMARY KEY, known_at INTEGER, at INTEGER)"
        )
        for type_, (ids, known_at, keys) in _ends(batch).items():
            self._db.execute("DELETE FROM wanted")
            rows = zip(ids.tolist(), known_at.tolist(), range(len(ids)), strict=True)
            self._db.executemany("INSERT INTO wanted VALUES (?,?,?)", rows)
            later = self._db.execute(
                "SELECT wanted.id, wanted.known_at, at FROM wanted LEFT JOIN node ON node.id = wanted.id"
                " WHERE node.known_at IS NULL OR node.known_at > wanted.known_at"
            ).fetchall()
            tail = None if NODES[type_].kind is None else ""
            self._db.executemany(
                UPSERT_NODE, [(id_, type_, keys(at), "", tail, known, 0, "{}", sequence) for id_, known, at in later]
            )

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """A first load makes the indexes for reading when it is through, or failed. After one that was killed
        reads are slow, not wrong, until it is run again."""
        self._db.execute(MAP_NOTHING)
        with self._transaction():
            if not self._db.execute("SELECT 1 FROM mark LIMIT 1").fetchone():
                for name in READING:
                    self._db.execute(f"DROP INDEX IF EXISTS {name}")
        try:
            yield
        finally:
            with self._transaction():
                index_for_reading(self._db)
            self._db.execute(MAP_FILE)

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
        db = self._db
        (changed,) = db.execute("SELECT count(*) FROM node JOIN moved ON moved.old = node.id").fetchone()
        for statement in MOVE.split(";"):
            db.execute(statement)
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

    def nodes(self, refs: Sequence[NodeRef], *, as_of: datetime) -> dict[NodeRef, Node]:
        at, ids = to_millis(as_of), {ref.id: ref for ref in refs}
        rows = self._read(
            "WITH asked (id) AS (SELECT value FROM json_each(?))"
            " SELECT n.type, n.key, n.known_at, n.masked, n.properties FROM asked"
            " CROSS JOIN node n ON n.id = asked.id WHERE n.known_at <= ?",
            (orjson.dumps(list(ids)).decode(), at),
        )
        found = {each.ref: each for each in (_node(row, at) for row in rows)}
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
        asked = Asked.of(
            as_of=as_of, limit=limit, relations=relations, types=types, since=since, until=until, rank=rank
        )
        with _told(self.path):
            return asked.answer(self._db, refs, totals=totals)

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
        if masked := [each for each in allowed if NODES[each].kind is not None]:
            marks = ",".join("?" * len(masked))
            found += self._read(
                "SELECT type, key, known_at, masked, properties FROM node WHERE tail = ? AND tail <> ''"  # its index
                f" AND known_at <= ? AND substr(masked, -length(?)) = ? AND +type IN ({marks})"  # and no other
                " ORDER BY type, key LIMIT ?",
                (text[-4:], at, text, text, *masked, limit),
            )
        return [_node(row, at) for row in sorted(found, key=lambda row: row[:2])[:limit]]

    def named(self, text: str, *, as_of: datetime, limit: int, types: Sequence[str] | None = None) -> list[Node]:
        text, at = text.strip(), to_millis(as_of)
        asked = [each for each in NODES if types is None or each in types] if text else []
        return [_node(row, at) for row in named(self._read, text, asked, as_of=at, limit=limit)]

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
        cursor = self._db.execute(
            "SELECT id, key, masked, known_at, updated_at, properties FROM node INDEXED BY node_batch"
            " WHERE type = ? AND batch > ? ORDER BY id",
            (type, after),
        )
        while rows := cursor.fetchmany(PAGE):
            yield pa.table([*map(list, zip(*rows, strict=True))], schema=NODE_SCHEMA)

    def export_edges(self, type: str, *, after: int = 0) -> Iterator[pa.Table]:  # noqa: A002
        cursor = self._db.execute(
            "SELECT source, target, ref, event_time, known_at, valid_to, confidence, origin"
            " FROM edge INDEXED BY edge_batch WHERE type = ? AND batch > ? ORDER BY source, target, ref",
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


def _node_parameters(nodes: NodeRows, sequence: int) -> Iterator[tuple[Any, ...]]:
    """In the order of ids: neighbours in an index are written together."""
    ids, texts, personal = nodes.ids, nodes.texts, NODES[nodes.type].kind is not None
    order = np.argsort(ids, kind="stable")
    clocks = (nodes.known_at[order].tolist(), nodes.updated_at[order].tolist())
    for at, id_, known, updated in zip(order.tolist(), ids[order].tolist(), *clocks, strict=True):
        text, masked = texts[at], nodes.masked[at]
        tail = masked[-4:] if personal else None
        yield id_, nodes.type, nodes.keys[at], masked, tail, known, updated if text != "{}" else 0, text, sequence


def _edge_parameters(edges: EdgeRows, sequence: int) -> Iterator[tuple[Any, ...]]:
    sources, targets = edges.source_ids, edges.target_ids
    order = np.lexsort((targets, sources))
    columns = (sources, targets, edges.event_time, edges.known_at, edges.valid_to, edges.confidence)
    refs = [edges.refs[at] for at in order.tolist()]
    for s, t, e, k, v, c, ref in zip(*(column[order].tolist() for column in columns), refs, strict=True):
        yield s, edges.type, t, ref, e, k, v, c, edges.origin, sequence


def _ends(batch: Batch) -> dict[str, tuple[Ints, Ints, Callable[[int], str]]]:
    """The ends of a batch's edges that its own nodes do not cover: by type ids in order, since when
    each was known at the latest, and the key of the n-th."""
    found: dict[str, list[tuple[Ints, Ints, Sequence[str]]]] = {}
    for edges in batch.edges:
        edge = EDGES[edges.type]
        found.setdefault(edge.source, []).append((edges.source_ids, edges.known_at, edges.sources))
        found.setdefault(edge.target, []).append((edges.target_ids, edges.known_at, edges.targets))
    return {type_: _uncovered(ends, [each for each in batch.nodes if each.type == type_])
            for type_, ends in found.items()}  # fmt: skip


def _uncovered(
    ends: list[tuple[Ints, Ints, Sequence[str]]], told: list[NodeRows]
) -> tuple[Ints, Ints, Callable[[int], str]]:
    ids, first, known_at = _earliest([ids for ids, _, _ in ends], [known_at for _, known_at, _ in ends])
    if told:
        told_ids, _, told_at = _earliest([each.ids for each in told], [each.known_at for each in told])
        place = np.minimum(np.searchsorted(told_ids, ids), len(told_ids) - 1)
        left = (told_ids[place] != ids) | (told_at[place] > known_at)
        ids, first, known_at = ids[left], first[left], known_at[left]
    keys = [keys for _, _, keys in ends]
    starts = np.cumsum([0, *map(len, keys)])
    block = np.searchsorted(starts, first, side="right") - 1
    return ids, known_at, lambda at: keys[block[at]][first[at] - starts[block[at]]]


def _earliest(ids: list[Ints], known_at: list[Ints]) -> tuple[Ints, Ints, Ints]:
    """Each id once, where it occurs first, and its earliest time."""
    unique, first, inverse = np.unique(np.concatenate(ids), return_index=True, return_inverse=True)
    earliest = np.full(len(unique), np.iinfo(np.int64).max)
    np.minimum.at(earliest, inverse, np.concatenate(known_at))
    return unique, first, earliest


def _node(row: Sequence[Any], at: int) -> Node:
    type_, key, known_at, masked, properties = row
    return Node(NodeRef(type_, key), known_at, masked, visible(type_, orjson.loads(properties), at))


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
