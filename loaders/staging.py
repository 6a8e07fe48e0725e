"""Facts on their way from the files to the store, as Arrow files that hold tokens only.

A chunk is staged, written and dropped: memory holds one of them, and where a second
process writes, it finds them here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pyarrow as pa

from graph.records import Batch, EdgeRows, JsonProperties, NodeRows, with_ids
from loaders.translate import Facts


@contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """A folder of this process; what a killed load left behind is removed by the next one."""
    shutil.rmtree(parent, ignore_errors=True)
    parent.mkdir(parents=True, mode=0o700)
    try:
        yield Path(mkdtemp(dir=parent))
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def put(facts: Facts, folder: Path) -> None:
    folder.mkdir()
    for at, nodes in enumerate(facts.nodes):
        columns = {
            "ids": nodes.ids, "keys": nodes.keys, "masked": nodes.masked, "known_at": nodes.known_at,
            "updated_at": nodes.updated_at, "properties": nodes.texts,
        }  # fmt: skip
        _write(folder / f"node-{at:03}", pa.table(columns), type=nodes.type)
    for at, edges in enumerate(facts.edges):
        columns = {
            "sources": edges.sources, "targets": edges.targets, "refs": edges.refs, "event_time": edges.event_time,
            "known_at": edges.known_at, "valid_to": edges.valid_to, "confidence": edges.confidence,
            "source_ids": edges.source_ids, "target_ids": edges.target_ids,
        }  # fmt: skip
        _write(folder / f"edge-{at:03}", pa.table(columns), type=edges.type, origin=edges.origin)
    for kind, rows in facts.events.items():
        _write(folder / f"event-{kind}", rows)


def drop(folder: Path) -> None:
    shutil.rmtree(folder)


def batch(folder: Path, *, id: str, digest: str) -> Batch:  # noqa: A002 - the field's own word
    nodes, edges, events = [], [], {}
    for path in sorted(folder.iterdir()):
        part, _, name = path.name.partition("-")
        rows, about = _read(path)
        if part == "node":
            nodes.append(_nodes(about["type"], _columns(rows)))
        elif part == "edge":
            edges.append(_edges(about["type"], about["origin"], _columns(rows)))
        else:
            events[name] = rows
    return Batch(id=id, digest=digest, nodes=nodes, edges=edges, events=events, ends_described=True)


def _nodes(type_: str, columns: dict[str, Any]) -> NodeRows:
    ids, texts = columns.pop("ids"), columns.pop("properties")
    return with_ids(NodeRows(type=type_, **columns, properties=JsonProperties(texts)), ids=ids)


def _edges(type_: str, origin: str, columns: dict[str, Any]) -> EdgeRows:
    ids = {name: columns.pop(name) for name in ("source_ids", "target_ids")}
    return with_ids(EdgeRows(type=type_, origin=origin, **columns), **ids)


def _write(path: Path, rows: pa.Table, **about: str) -> None:
    metadata = (rows.schema.metadata or {}) | {name.encode(): value.encode() for name, value in about.items()}
    rows = rows.replace_schema_metadata(metadata)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, rows.schema) as writer:
        writer.write_table(rows)


def _read(path: Path) -> tuple[pa.Table, dict[str, str]]:
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        rows = reader.read_all()
    about = {name.decode(): value.decode() for name, value in (rows.schema.metadata or {}).items()}
    return rows.replace_schema_metadata(None), about


def _columns(rows: pa.Table) -> dict[str, Any]:
    return {
        name: np.asarray(rows[name]) if not pa.types.is_string(rows[name].type) else rows[name].to_pylist()
        for name in rows.column_names
    }
