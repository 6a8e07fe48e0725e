"""The graph as arrays: immutable, sorted by time, memory-mapped, plus the rows since.

A node's index is its place in its type's table, ordered by (known_at, id). The edges of
a relation are sorted by (source, known_at), with an index of where each source begins
and a permutation that gives the same for targets: as of any earlier time, a node's edges
are a prefix of its row. Everything is ordered by what the facts say, never by when they
arrived, so both stores give the same arrays.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.json as pa_json

from graph.errors import NodeNotFound, SnapshotError
from graph.ontology import EDGES, NODES, NodeType, ontology_hash
from graph.pages import Pages, same_pages
from graph.records import Ints, NodeRef, to_millis
from graph.store import EDGE_SCHEMA, NODE_SCHEMA, GraphStore

FORMAT = 2
PAGED = "DocTemplate"
Progress = Callable[[str, int, int], None]
Floats = npt.NDArray[np.float64]
ARROW = {
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "time": pa.int64(),
    "text": pa.string(),
}


@dataclass(frozen=True)
class Nodes:
    """Nodes of one type. `table` holds `id, key, masked, known_at` and the declared properties."""

    table: pa.Table
    by_id: Ints

    def __len__(self) -> int:
        return len(self.table)

    @property
    def ids(self) -> Ints:
        return _array(self.table["id"])

    @property
    def known_at(self) -> Ints:
        return _array(self.table["known_at"])

    def index_of(self, ids: Ints) -> Ints:
        """Indices of ids; -1 for one that is not here."""
        if not len(self):
            return np.full(len(ids), -1, dtype=np.int64)
        place = np.minimum(np.searchsorted(self.ids, ids, sorter=self.by_id), len(self) - 1)
        index = self.by_id[place]
        return np.where(self.ids[index] == ids, index, -1)

    def times(self, name: str, *, as_of: int) -> Ints:
        """A time property in milliseconds; 0 where it is not stated, or lies after `as_of`."""
        moments = _array(self.table[name].fill_null(0))
        return np.where(moments <= as_of, moments, 0)

    def numbers(self, name: str) -> Floats:
        return _array(self.table[name].cast(pa.float64()).fill_null(float("nan")))


@dataclass(frozen=True)
class Edges:
    """Edges of one relation in order of (source, known_at, target, ref); nodes by index, `ref` as a hash."""

    source: Ints
    target: Ints
    ref: Ints
    event_time: Ints
    known_at: Ints
    valid_to: Ints
    confidence: Floats
    out_start: Ints
    in_start: Ints
    in_order: Ints

    def __len__(self) -> int:
        return len(self.source)

    def outgoing(self, index: int, *, as_of: int) -> Ints:
        """Positions of a source's edges that were known by then, oldest first."""
        first, last = _row(self.out_start, index)
        return np.arange(first, first + np.searchsorted(self.known_at[first:last], as_of, side="right"))

    def incoming(self, index: int, *, as_of: int) -> Ints:
        """Positions of a target's edges that were known by then, oldest first."""
        first, last = _row(self.in_start, index)
        row = self.in_order[first:last]
        return row[: np.searchsorted(self.known_at[row], as_of, side="right")]


@dataclass(frozen=True)
class Appended:
    """Rows that came after the arrays were made: a few, found through a dictionary.

    `replaced` are positions of the base whose edge was told again with other dates, or is passed over (`innocent.py`).
    """

    rows: Mapping[str, npt.NDArray[Any]]
    by_node: Mapping[tuple[bool, int], tuple[int, ...]]
    replaced: Ints


COLUMNS = ("source", "target", "ref", "event_time", "known_at", "valid_to", "confidence")


@dataclass(frozen=True)
class Snapshot:
    """Facts known at `as_of` (milliseconds), up to the store's batch `sequence`.

    `complete` says that none of those batches held anything that became known only later. `pages`
    says which document templates look alike.
    """

    as_of: int
    sequence: int
    nodes: Mapping[str, Nodes]
    edges: Mapping[str, Edges]
    pages: Pages
    appended: Mapping[str, Appended] = field(default_factory=dict)
    complete: bool = True

    def index(self, ref: NodeRef) -> int:
        """Raises NodeNotFound."""
        found = int(self.nodes[ref.type].index_of(np.array([ref.id]))[0])
        if found < 0:
            raise NodeNotFound(f"no {ref.type} with this key was known then")
        return found

    def links(self, relation: str, index: int, *, outgoing: bool, as_of: int) -> Ints:
        """Indices of the nodes at the other end, oldest known first, appended rows included."""
        base = self.edges[relation]
        at = base.outgoing(index, as_of=as_of) if outgoing else base.incoming(index, as_of=as_of)
        more = self.appended.get(relation)
        if more is None:
            return (base.target if outgoing else base.source)[at]
        at = at[~np.isin(at, more.replaced)]
        extra = np.array(more.by_node.get((outgoing, index), ()), dtype=np.int64)
        extra = extra[more.rows["known_at"][extra] <= as_of]
        other = "target" if outgoing else "source"
        ends = np.concatenate([getattr(base, other)[at], more.rows[other][extra]])
        known = np.concatenate([base.known_at[at], more.rows["known_at"][extra]])
        return ends[np.argsort(known, kind="stable")]

    def columns(self, relation: str, *, as_of: int) -> dict[str, npt.NDArray[Any]]:
        """All edges of a relation known by then as columns, for whole-graph work."""
        base, more = self.edges[relation], self.appended.get(relation)
        columns = {name: getattr(base, name) for name in COLUMNS}
        if more is not None:
            kept = np.ones(len(base), dtype=bool)
            kept[more.replaced] = False
            columns = {name: np.concatenate([columns[name][kept], more.rows[name]]) for name in COLUMNS}
        known = columns["known_at"] <= as_of
        return columns if known.all() else {name: column[known] for name, column in columns.items()}

    def digest(self) -> str:
        """Names the content: equal for equal facts, whichever store they came from."""
        sha = hashlib.sha256()
        for type_ in sorted(self.nodes):
            table = self.nodes[type_].table
            for name in table.column_names:
                sha.update(f"{type_}.{name}".encode())
                sha.update(_bytes(table[name]))
        for relation in sorted(self.edges):
            for name, column in self.columns(relation, as_of=self.as_of).items():
                sha.update(f"{relation}.{name}".encode() + np.ascontiguousarray(column).tobytes())
        return sha.hexdigest()


# Building ----------------------------------------------------------------------------------------------


def build(store: GraphStore, *, as_of: datetime, progress: Progress = lambda *_: None) -> Snapshot:
    """Everything the store holds that was known at `as_of`."""
    at = to_millis(as_of)
    marks, late = store.batches(), [0]
    nodes: dict[str, Nodes] = {}
    edges: dict[str, Edges] = {}
    steps = len(NODES) + len(EDGES)
    for done, type_ in enumerate(NODES.values()):
        nodes[type_.name] = _nodes(type_, store.export_nodes(type_.name), at, late)
        progress(type_.name, done + 1, steps)
    for done, edge in enumerate(EDGES.values(), start=len(NODES)):
        rows = _indexed(edge.name, store.export_edges(edge.name), nodes, at, late)
        edges[edge.name] = sort_edges(rows, len(nodes[edge.source]), len(nodes[edge.target]))
        progress(edge.name, done + 1, steps)
    pages = same_pages(nodes[PAGED].table["key"])
    return Snapshot(at, marks[-1].sequence if marks else 0, nodes, edges, pages, complete=not late[0])


def _nodes(type_: NodeType, tables: Iterable[pa.Table], as_of: int, late: list[int]) -> Nodes:
    rows = _known(pa.concat_tables([NODE_SCHEMA.empty_table(), *tables]), as_of, late)
    order = np.lexsort((_array(rows["id"]), _array(rows["known_at"])))
    rows = rows.take(pa.array(order))
    table = rows.select(["id", "key", "masked", "known_at"])
    for name, column in _properties(type_, rows["properties"]).items():
        table = table.append_column(name, column)
    table = table.combine_chunks()
    return Nodes(table, np.argsort(_array(table["id"]), kind="stable"))


def _known(rows: pa.Table, as_of: int, late: list[int]) -> pa.Table:
    """Rows known by then, in one piece; the others are counted in `late`."""
    known = _array(rows["known_at"]) <= as_of
    late[0] += int((~known).sum())
    return rows.filter(pa.array(known)).combine_chunks()


def _properties(type_: NodeType, texts: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    schema = pa.schema([(each.name, ARROW[each.type]) for each in type_.properties])
    if not len(schema) or not len(texts):
        return {name: pa.chunked_array([pa.nulls(len(texts), schema.field(name).type)]) for name in schema.names}
    lines = "\n".join(texts.to_pylist()).encode()
    parsed = pa_json.read_json(
        io.BytesIO(lines),
        read_options=pa_json.ReadOptions(block_size=max(1 << 20, len(lines) + 1), use_threads=False),
        parse_options=pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )
    return {name: parsed[name] for name in schema.names}


def _indexed(
    relation: str, tables: Iterable[pa.Table], nodes: Mapping[str, Nodes], as_of: int, late: list[int]
) -> dict[str, npt.NDArray[Any]]:
    rows = _known(pa.concat_tables([EDGE_SCHEMA.empty_table(), *tables]), as_of, late)
    columns = {name: _array(rows[name]) for name in COLUMNS if name != "ref"}
    columns["ref"] = _hashes(rows["ref"])
    edge = EDGES[relation]
    columns["source"] = nodes[edge.source].index_of(columns["source"])
    columns["target"] = nodes[edge.target].index_of(columns["target"])
    there = (columns["source"] >= 0) & (columns["target"] >= 0)
    late[0] += int((~there).sum())
    return {name: columns[name][there] for name in COLUMNS}


def sort_edges(rows: Mapping[str, npt.NDArray[Any]], sources: int, targets: int) -> Edges:
    order = np.lexsort((rows["ref"], rows["target"], rows["known_at"], rows["source"]))
    rows = {name: column[order] for name, column in rows.items()}
    return Edges(
        **rows,
        out_start=_starts(rows["source"], sources),
        in_start=_starts(rows["target"], targets),
        in_order=np.lexsort((rows["ref"], rows["source"], rows["known_at"], rows["target"])),
    )


def _starts(owners: Ints, count: int) -> Ints:
    return np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=count))]).astype(np.int64)


def _row(start: Ints, index: int) -> tuple[int, int]:
    """Where a node's edges stand; nowhere for a node that came after the arrays were made."""
    return (int(start[index]), int(start[index + 1])) if index + 1 < len(start) else (0, 0)


def _hashes(texts: pa.ChunkedArray) -> Ints:
    """`ref` as a number: the same text, the same number; 0 for none."""
    encoded = texts.combine_chunks().dictionary_encode()
    words = [_word(text) for text in encoded.dictionary.to_pylist()]
    numbers: Ints = np.array([*words, 0], dtype=np.int64)[_array(encoded.indices)]
    return numbers


def _word(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1 if text else 0


# Rows since --------------------------------------------------------------------------------------------


def refresh(snapshot: Snapshot, store: GraphStore, *, as_of: datetime) -> Snapshot:
    """The snapshot with the batches since it was built: only those rows are read from the store.

    New nodes get the next free indices. Properties of nodes told again stay as they
    were until the next `build`. A snapshot that left out what was known only later is
    built anew, for those rows stand in batches it has already read. Raises SnapshotError
    for a time before the snapshot's.
    """
    at = to_millis(as_of)
    if at > snapshot.as_of and not snapshot.complete:
        return build(store, as_of=as_of)
    if at < snapshot.as_of:
        raise SnapshotError("a snapshot cannot go back in time; build one as of that time")
    marks = store.batches()
    newest = marks[-1].sequence if marks else 0
    if newest == snapshot.sequence and not snapshot.appended:
        return replace(snapshot, as_of=at, sequence=newest)
    late = [0]
    nodes = {
        name: _with_new(NODES[name], each, store.export_nodes(name, after=snapshot.sequence), at, late)
        for name, each in snapshot.nodes.items()
    }
    appended = {}
    for relation, edges in snapshot.edges.items():
        rows = _indexed(relation, store.export_edges(relation, after=snapshot.sequence), nodes, at, late)
        if len(rows["source"]):
            appended[relation] = _appended(edges, rows, snapshot.appended.get(relation))
    complete = snapshot.complete and not late[0]
    pages = same_pages(nodes[PAGED].table["key"], snapshot.pages)
    return Snapshot(at, newest, nodes, snapshot.edges, pages, {**snapshot.appended, **appended}, complete)


def _with_new(type_: NodeType, nodes: Nodes, tables: Iterable[pa.Table], as_of: int, late: list[int]) -> Nodes:
    fresh = _nodes(type_, tables, as_of, late)
    new = np.flatnonzero(nodes.index_of(fresh.ids) < 0)
    if not len(new):
        return nodes
    table = pa.concat_tables([nodes.table, fresh.table.take(pa.array(new))])
    return Nodes(table, np.argsort(_array(table["id"]), kind="stable"))


def _appended(base: Edges, rows: dict[str, npt.NDArray[Any]], before: Appended | None) -> Appended:
    replaced = [] if before is None else before.replaced.tolist()
    if before is not None:
        again = _same(before.rows, rows)
        rows = {name: np.concatenate([before.rows[name][~again], rows[name]]) for name in COLUMNS}
    for source, target, ref in zip(*(rows[name].tolist() for name in COLUMNS[:3]), strict=True):
        if source + 1 < len(base.out_start):
            first, last = base.out_start[source : source + 2].tolist()
            same = (base.target[first:last] == target) & (base.ref[first:last] == ref)
            replaced += (first + np.flatnonzero(same)).tolist()
    return Appended(rows, rows_by_node(rows), np.unique(np.array(replaced, dtype=np.int64)))


def rows_by_node(rows: Mapping[str, npt.NDArray[Any]]) -> dict[tuple[bool, int], tuple[int, ...]]:
    """What `Appended.by_node` says of rows."""
    by_node: dict[tuple[bool, int], list[int]] = {}
    for outgoing, name in ((True, "source"), (False, "target")):
        for at, node in enumerate(rows[name].tolist()):
            by_node.setdefault((outgoing, node), []).append(at)
    return {node: tuple(at) for node, at in by_node.items()}


def _same(old: Mapping[str, npt.NDArray[Any]], new: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    """Which old rows were told again."""
    told = set(zip(*(new[name].tolist() for name in COLUMNS[:3]), strict=True))
    return np.array(
        [each in told for each in zip(*(old[name].tolist() for name in COLUMNS[:3]), strict=True)], dtype=bool
    )


# On disk -----------------------------------------------------------------------------------------------


def save(snapshot: Snapshot, folder: Path) -> None:
    """Written beside its place and renamed: a reader sees the old snapshot or the new one, never half of one."""
    if snapshot.appended:
        raise SnapshotError("a refreshed snapshot is not saved; build one")
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for name, nodes in snapshot.nodes.items():
        _write(fresh / f"nodes-{name}", nodes.table)
        _write(fresh / f"by_id-{name}", pa.table({"by_id": nodes.by_id}))
    _write(fresh / f"pages-{PAGED}", pa.table({"first": snapshot.pages.first}))
    for name, edges in snapshot.edges.items():
        _write(fresh / f"edges-{name}", pa.table({each: getattr(edges, each) for each in COLUMNS}))
        _write(fresh / f"order-{name}", pa.table({"in_order": edges.in_order}))
        for start in ("out_start", "in_start"):
            _write(fresh / f"{start}-{name}", pa.table({start: getattr(edges, start)}))
    about = {
        "format": FORMAT,
        "ontology": ontology_hash(),
        "as_of": snapshot.as_of,
        "sequence": snapshot.sequence,
        "complete": snapshot.complete,
    }
    (fresh / "snapshot.json").write_text(json.dumps(about))
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def open_snapshot(folder: Path) -> Snapshot:
    """Memory-mapped and read-only: several processes share its pages.

    Raises SnapshotError when there is none, or it was made by another version.
    """
    try:
        about = json.loads((folder / "snapshot.json").read_text())
        if about["format"] != FORMAT or about["ontology"] != ontology_hash():
            raise SnapshotError(f"{folder} was made by another version of Ringroad; it is rebuilt by `ringroad rings`")
        nodes = {name: Nodes(_read(folder / f"nodes-{name}"), _column(folder, "by_id", name)) for name in NODES}
        edges = {name: _read_edges(folder, name) for name in EDGES}
        pages = Pages(_array(_read(folder / f"pages-{PAGED}")["first"]))
        as_of, sequence, complete = int(about["as_of"]), int(about["sequence"]), bool(about["complete"])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        raise SnapshotError(f"{folder} holds no complete snapshot; it is rebuilt by `ringroad rings`") from None
    return Snapshot(as_of, sequence, nodes, edges, pages, complete=complete)


def _read_edges(folder: Path, name: str) -> Edges:
    table = _read(folder / f"edges-{name}")
    return Edges(
        **{each: _array(table[each]) for each in COLUMNS},
        out_start=_column(folder, "out_start", name),
        in_start=_column(folder, "in_start", name),
        in_order=_array(_read(folder / f"order-{name}")["in_order"]),
    )


def _column(folder: Path, column: str, name: str) -> Ints:
    return _array(_read(folder / f"{column}-{name}")[column])


def _write(path: Path, table: pa.Table) -> None:
    with pa.OSFile(f"{path}.arrow", "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table.combine_chunks())


def _read(path: Path) -> pa.Table:
    with pa.memory_map(f"{path}.arrow") as file:
        return pa.ipc.open_file(file).read_all()


def _array(column: Any) -> npt.NDArray[Any]:
    """Without a copy where Arrow holds the column in one piece."""
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # no chunk at all
            return np.zeros(0, dtype=column.type.to_pandas_dtype())
    array: npt.NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return array


def _bytes(column: Any) -> bytes:
    """A column's values, independent of how Arrow laid out its buffers."""
    sink = pa.BufferOutputStream()
    table = pa.table({"column": column.take(pa.array(np.arange(len(column))))}).combine_chunks()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    payload: bytes = sink.getvalue().to_pybytes()
    return payload
