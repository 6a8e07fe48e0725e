"""Facts on their way from the files to the store, as Arrow files that hold tokens only.

A load is staged whole before any of it is written, so that too many bad rows refuse
it before the store was touched, and memory holds one chunk at a time.
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

from graph.records import Batch, EdgeRows, JsonProperties, NodeRows
from loaders.translate import Facts

INTS = ("known_at", "updated_at", "event_time", "valid_to")


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
            "keys": nodes.keys, "masked": nodes.masked, "known_at": nodes.known_at, "updated_at": nodes.updated_at,
            "properties": _texts(nodes),
        }  # fmt: skip
        _write(folder / f"node-{at:03}", pa.table(columns), type=nodes.type)
    for at, edges in enumerate(facts.edges):
        columns = {
            "sources": edges.sources, "targets": edges.targets, "refs": edges.refs, "event_time": edges.event_time,
            "known_at": edges.known_at, "valid_to": edges.valid_to, "confidence": edges.confidence,
        }  # fmt: skip
        _write(folder / f"edge-{at:03}", pa.table(columns), type=edges.type, origin=edges.origin)
    for kind, rows in facts.events.items():
        _write(folder / f"event-{kind}", rows)
    for kind, (tokens, sealed) in facts.sealed.items():
        _write(folder / f"sealed-{kind}", pa.table({"tokens": tokens, "sealed": pa.array(sealed, pa.binary())}))
    for kind, (ids, keys) in facts.referred.items():
        _write(
            folder / f"refer-{kind}",
            pa.table({"ids": pa.array(ids, pa.string()), "keys": pa.array(keys, pa.string())}),
        )


def batch(folder: Path, *, id: str, digest: str) -> Batch:  # noqa: A002 - the field's own word
    nodes, edges, events = [], [], {}
    for path in sorted(folder.iterdir()):
        part, _, name = path.name.partition("-")
        if part == "node":
            rows, about = _read(path)
            columns = _columns(rows)
            nodes.append(NodeRows(**about, **columns | {"properties": JsonProperties(columns["properties"])}))
        elif part == "edge":
            rows, about = _read(path)
            edges.append(EdgeRows(**about, **_columns(rows)))
        elif part == "event":
            events[name] = _read(path)[0]
    return Batch(id=id, digest=digest, nodes=nodes, edges=edges, events=events)


def sealed(folder: Path) -> Iterator[tuple[str, list[str], list[bytes]]]:
    for path in sorted(folder.glob("sealed-*")):
        rows, _ = _read(path)
        yield path.name.partition("-")[2], rows["tokens"].to_pylist(), rows["sealed"].to_pylist()


def referred(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for path in sorted(folder.glob("refer-*")):
        rows, _ = _read(path)
        yield path.name.partition("-")[2], rows["ids"].to_pylist(), rows["keys"].to_pylist()


def _texts(nodes: NodeRows) -> Any:
    assert isinstance(nodes.properties, JsonProperties)
    return nodes.properties.texts


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
