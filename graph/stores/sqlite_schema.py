"""The SQLite store's tables, and the two statements that merge facts into them.

Rows are appended in the order in which they come and found by narrow indexes: ids are
hashes, so a table kept in the order of ids would be rewritten from end to end by every
batch (measured on 2.4 million edges: 15 against 9 microseconds a row).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from graph.stores.stated import Stated, overlaid

FORMAT = 2

SCHEMA = """
CREATE TABLE mark (
  sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, digest TEXT NOT NULL,
  nodes INTEGER NOT NULL, edges INTEGER NOT NULL);
CREATE TABLE node (
  id INTEGER NOT NULL, type TEXT NOT NULL, key TEXT NOT NULL, masked TEXT NOT NULL, tail TEXT,
  known_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, properties TEXT NOT NULL, clocks TEXT NOT NULL,
  batch INTEGER NOT NULL);
CREATE UNIQUE INDEX node_id ON node (id);
CREATE INDEX node_batch ON node (type, batch);
CREATE TABLE edge (
  source INTEGER NOT NULL, type TEXT NOT NULL, target INTEGER NOT NULL, ref TEXT NOT NULL,
  event_time INTEGER NOT NULL, known_at INTEGER NOT NULL, valid_to INTEGER NOT NULL,
  confidence REAL NOT NULL, origin TEXT NOT NULL, batch INTEGER NOT NULL);
CREATE UNIQUE INDEX edge_out ON edge (source, type, target, ref);
CREATE INDEX edge_batch ON edge (type, batch);
CREATE TABLE event_block (
  kind TEXT NOT NULL, sequence INTEGER NOT NULL, rows INTEGER NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY (kind, sequence)) WITHOUT ROWID;
"""
READING = {
    "node_key": "node (type, key) WHERE tail IS NULL",
    "node_tail": "node (tail) WHERE tail <> ''",
    "edge_in": "edge (target, event_time DESC, type, known_at)",
    "node_name": "node (type, json_extract(properties, '$.name'), key) WHERE type IN ('Dealer', 'Employer')",
    "node_uscc": "node (json_extract(properties, '$.uscc')) WHERE type = 'Dealer'",
    "node_plate": "node (json_extract(properties, '$.plate_masked')) WHERE type = 'Vehicle'",
}
"""Indexes that only reads need. The first load makes them at its end, in order, in half the time; a file of an
earlier release gets those that it lacks with its next load, and is read without them until then."""

MAP_FILE, MAP_NOTHING = "PRAGMA mmap_size = 68719476736", "PRAGMA mmap_size = 0"
"""Reads are faster on a mapped file; a bulk of writes is not, and would count the file as its memory."""

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 15000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -524288",
    MAP_FILE,
)
UPSERT_NODE = """
INSERT INTO node (id, type, key, masked, tail, known_at, updated_at, properties, clocks, batch)
VALUES (?,?,?,?,?,?,?,?,'{}',?)
ON CONFLICT (id) DO UPDATE SET
  key = CASE excluded.key WHEN key THEN key ELSE two_keys() END,
  masked = CASE excluded.masked WHEN '' THEN masked ELSE excluded.masked END,
  tail = CASE excluded.masked WHEN '' THEN tail ELSE excluded.tail END,
  known_at = min(known_at, excluded.known_at),
  properties = CASE
    WHEN excluded.properties = '{}' THEN properties
    WHEN properties = '{}' OR (properties = excluded.properties AND clocks = '{}') THEN excluded.properties
    ELSE overlay(properties, clocks, updated_at, excluded.properties, excluded.updated_at) END,
  clocks = CASE
    WHEN excluded.properties = '{}' THEN clocks
    WHEN properties = '{}' OR (properties = excluded.properties AND clocks = '{}') THEN '{}'
    ELSE overlay_clocks(properties, clocks, updated_at, excluded.properties, excluded.updated_at) END,
  updated_at = max(updated_at, excluded.updated_at),
  batch = excluded.batch
WHERE excluded.known_at < known_at OR excluded.properties <> '{}' OR excluded.key <> key
  OR (excluded.masked <> '' AND excluded.masked <> masked)
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
MOVE = """
CREATE TEMP TABLE fresh AS SELECT coalesce(new, node.id) AS id, type, coalesce(moved.key, node.key) AS key,
  masked, tail, known_at, updated_at, properties, clocks, batch
  FROM node LEFT JOIN moved ON moved.old = node.id ORDER BY node.rowid;
DELETE FROM node;
INSERT INTO node SELECT * FROM fresh;
DROP TABLE fresh;
CREATE TEMP TABLE fresh AS SELECT coalesce(s.new, source), type, coalesce(t.new, target), ref, event_time,
  known_at, valid_to, confidence, origin, batch
  FROM edge LEFT JOIN moved s ON s.old = source LEFT JOIN moved t ON t.old = target ORDER BY edge.rowid;
DELETE FROM edge;
INSERT INTO edge SELECT * FROM fresh;
DROP TABLE fresh;
"""
"""Copies, then swaps: an old id of one node may be the new id of another."""


def prepare(db: sqlite3.Connection) -> int:
    """Functions, pragmas and, in a new file, tables; the file's format."""
    db.create_function("overlay", 5, _overlay, deterministic=True)
    db.create_function("overlay_clocks", 5, _overlay_clocks, deterministic=True)
    db.create_function("two_keys", 0, _two_keys)
    for pragma in PRAGMAS:
        db.execute(pragma)
    if not _format(db):
        db.execute("BEGIN IMMEDIATE")
        if not _format(db):  # nor did another process make the tables meanwhile
            for statement in SCHEMA.split(";"):
                db.execute(statement)
            index_for_reading(db)
            db.execute(f"PRAGMA user_version = {FORMAT}")
        db.execute("COMMIT")
    return _format(db)


def index_for_reading(db: sqlite3.Connection) -> None:
    for name, on in READING.items():
        db.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {on}")


def _format(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _overlay(properties: str, clocks: str, updated_at: int, stated: str, stated_at: int) -> str:
    """The latest statement of each property; keys stay sorted, so that equal facts are equal text."""
    return _text(_overlaid(properties, clocks, updated_at, stated, stated_at)[0])


def _overlay_clocks(properties: str, clocks: str, updated_at: int, stated: str, stated_at: int) -> str:
    return _text(_overlaid(properties, clocks, updated_at, stated, stated_at)[1])


@lru_cache(maxsize=1)  # an upsert asks twice: for the properties, and for their clocks
def _overlaid(
    properties: str, clocks: str, updated_at: int, stated: str, stated_at: int
) -> tuple[Mapping[str, Any], Mapping[str, int], int]:
    old = Stated("", 0, "", updated_at, orjson.loads(properties), orjson.loads(clocks))
    return overlaid(old, Stated("", 0, "", stated_at, orjson.loads(stated)))


def _text(values: Mapping[str, Any]) -> str:
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()


def _two_keys() -> None:
    raise ValueError("two keys share one node id")
