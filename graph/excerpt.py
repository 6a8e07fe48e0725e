"""Part of a snapshot: some applications with all they hold, as a snapshot of its own.

Whoever wants to know what a few thousand new applications change need not look at a
million old ones. Nodes keep their order, so the same code on an excerpt sees the same
things in the same order as on the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from graph.incidence import ANCHORS, VOICE_MATCH, near_is_source
from graph.ontology import EDGES, NODES
from graph.pages import Pages
from graph.records import Ints, ranges
from graph.snapshot import COLUMNS, PAGED, Edges, Nodes, Snapshot, sort_edges

Columns = dict[str, npt.NDArray[Any]]
LAST = np.iinfo(np.int64).max
Things = dict[str, Ints]
"""Per type the indices of nodes, ascending."""

FOLLOWED = ("SAME_VOICE", "PAYEE_ACCOUNT", "REACHED_AT", "SELLS_FOR", "SAME_GROUP", "LEGAL_PERSON_OF", "ACTS_AS")
"""Relations between things that tell more about them; taken from the end that an application leads to."""


def rows_at(snapshot: Snapshot, relation: str, nodes: Ints, *, outgoing: bool, as_of: int) -> Columns:
    """Edges of these nodes known by then, through the index and not through all edges."""
    base, more = snapshot.edges[relation], snapshot.appended.get(relation)
    start = base.out_start if outgoing else base.in_start
    old = nodes[nodes + 1 < len(start)]
    at = ranges(start[old], start[old + 1] - start[old])
    at = at if outgoing else base.in_order[at]
    if more is not None:
        at = at[~np.isin(at, more.replaced)]
    columns = {name: getattr(base, name)[at] for name in COLUMNS}
    if more is not None:
        mine = np.isin(more.rows["source" if outgoing else "target"], nodes)
        columns = {name: np.concatenate([columns[name], more.rows[name][mine]]) for name in COLUMNS}
    known = columns["known_at"] <= as_of
    return {name: column[known] for name, column in columns.items()}


def rows_since(snapshot: Snapshot, relation: str, *, after: int, as_of: int) -> Columns:
    """Edges that became known after `after` and by `as_of`."""
    base, more = snapshot.edges[relation], snapshot.appended.get(relation)
    at = np.flatnonzero((base.known_at > after) & (base.known_at <= as_of))
    if more is not None:
        at = at[~np.isin(at, more.replaced)]
    columns = {name: getattr(base, name)[at] for name in COLUMNS}
    if more is not None:
        new = (more.rows["known_at"] > after) & (more.rows["known_at"] <= as_of)
        columns = {name: np.concatenate([columns[name], more.rows[name][new]]) for name in COLUMNS}
    return columns


def near_nodes(snapshot: Snapshot, applications: Ints, *, as_of: int) -> Things:
    """The applications themselves, their applicants and their vehicles: through these they hold things."""
    applied = rows_at(snapshot, "APPLIED", applications, outgoing=False, as_of=as_of)
    finances = rows_at(snapshot, "FINANCES", applications, outgoing=True, as_of=as_of)
    return {
        "Application": np.unique(applications),
        "Person": np.unique(applied["source"]),
        "Vehicle": np.unique(finances["target"]),
    }


def held(snapshot: Snapshot, applications: Ints, *, as_of: int) -> Things:
    """What these applications hold of all types that can be a lead."""
    near = near_nodes(snapshot, applications, as_of=as_of)
    found: dict[str, list[Ints]] = {}
    for name, edge in EDGES.items():
        if edge.weight:
            source = near_is_source(edge)
            anchor, far = (edge.source, edge.target) if source else (edge.target, edge.source)
            if NODES[far].lead and anchor in ANCHORS:
                rows = rows_at(snapshot, name, near[anchor], outgoing=source, as_of=as_of)
                found.setdefault(far, []).append(rows["target" if source else "source"])
    things = {type_: np.unique(np.concatenate(each)) for type_, each in found.items()}
    if PAGED in things:
        things[PAGED] = np.unique(snapshot.pages.first[things[PAGED]])
    return things


def _all_names(snapshot: Snapshot, type_: str, things: Ints, *, as_of: int) -> tuple[Ints, Ints]:
    """All nodes that stand for these things, and the place of the thing each stands for."""
    if type_ == PAGED:
        alike = snapshot.pages.alike(things)
        return alike, np.searchsorted(things, snapshot.pages.first[alike])
    if type_ == "VoiceCluster":
        return _one_voice(snapshot, things, as_of=as_of)
    return things, np.arange(len(things))


def _one_voice(snapshot: Snapshot, things: Ints, *, as_of: int) -> tuple[Ints, Ints]:
    """From match to match, as far as they lead. `things` are ascending."""
    size = len(snapshot.nodes["VoiceCluster"])
    found = fresh = things * size + things
    while len(fresh):
        of, name = fresh // size, fresh % size
        nodes = np.unique(name)
        rows = [rows_at(snapshot, "SAME_VOICE", nodes, outgoing=each, as_of=as_of) for each in (True, False)]
        one = np.concatenate([rows[0]["source"], rows[1]["target"]])
        other = np.concatenate([rows[0]["target"], rows[1]["source"]])
        strong = np.concatenate([each["confidence"] for each in rows]) >= VOICE_MATCH
        at, reached = _joined(name, one[strong], other[strong])
        fresh = np.setdiff1d(of[at] * size + reached, found)
        found = np.union1d(found, fresh)
    return found % size, np.searchsorted(things, found // size)


def holders(snapshot: Snapshot, things: Things, *, as_of: int) -> Ints:
    """All applications that hold any of these things, under whatever name."""
    things = {name: np.unique(_all_names(snapshot, name, each, as_of=as_of)[0]) for name, each in things.items()}
    near: dict[str, list[Ints]] = {anchor: [] for anchor in ANCHORS}
    for name, edge in EDGES.items():
        if edge.weight:
            source = near_is_source(edge)
            anchor, far = (edge.source, edge.target) if source else (edge.target, edge.source)
            if far in things and anchor in ANCHORS:
                rows = rows_at(snapshot, name, things[far], outgoing=not source, as_of=as_of)
                near[anchor].append(rows["source" if source else "target"])
    return applications_of(
        snapshot, {name: np.unique(np.concatenate(each)) for name, each in near.items() if each}, as_of=as_of
    )


def count_holders(snapshot: Snapshot, type_: str, things: Ints, *, as_of: int) -> Ints:
    """How many people hold each of these things as known by then; an application without applicant is somebody."""
    place, people = _held_by(snapshot, type_, things, _people, as_of=as_of)
    span = len(snapshot.nodes["Person"]) + len(snapshot.nodes["Application"]) + 1
    return np.bincount(np.unique(place * span + people) // span, minlength=len(things))


def holding_in(
    snapshot: Snapshot, type_: str, things: Ints, window: npt.NDArray[np.bool_], *, as_of: int
) -> tuple[Ints, Ints]:
    """All (place in `things`, application) of the window, each once."""
    place, application = _held_by(snapshot, type_, things, _applications, as_of=as_of)
    inside = window[application]
    pairs = np.unique(place[inside] * len(window) + application[inside])
    return pairs // max(len(window), 1), pairs % max(len(window), 1)


Behind = Callable[..., tuple[Ints, Ints]]


def _held_by(snapshot: Snapshot, type_: str, things: Ints, behind: Behind, *, as_of: int) -> tuple[Ints, Ints]:
    """Per relation to one of these things: its place in `things`, and who stands behind the near end."""
    rank = np.argsort(things)
    names, stands_for = _all_names(snapshot, type_, things[rank], as_of=as_of)
    order = np.argsort(names, kind="stable")
    nodes = np.unique(names)
    place, holder = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for edge in EDGES.values():
        source = near_is_source(edge)
        anchor = edge.source if source else edge.target
        if edge.weight and anchor in ANCHORS and type_ == (edge.target if source else edge.source):
            rows = rows_at(snapshot, edge.name, nodes, outgoing=not source, as_of=as_of)
            near, far = ("source", "target") if source else ("target", "source")
            row, thing = _joined(rows[far], names[order], rank[stands_for[order]])
            at, who = behind(snapshot, anchor, rows[near][row], as_of=as_of)
            place.append(thing[at])
            holder.append(who)
    return np.concatenate(place), np.concatenate(holder)


def _applications(snapshot: Snapshot, type_: str, near: Ints, *, as_of: int) -> tuple[Ints, Ints]:
    """The applications of each of these applications, people or vehicles: places in `near`, and applications."""
    if type_ == "Application":
        return np.arange(len(near)), near
    name, own, other = ("APPLIED", "source", "target") if type_ == "Person" else ("FINANCES", "target", "source")
    rows = rows_at(snapshot, name, np.unique(near), outgoing=type_ == "Person", as_of=as_of)
    return _joined(near, rows[own], rows[other])


def things_of(snapshot: Snapshot, type_: str, ids: Ints) -> Ints:
    """The things of these node ids, ascending, for `holders_at_most`; a page is the first that it looks like."""
    index = snapshot.nodes[type_].index_of(ids)
    index = index[index >= 0]
    return np.unique(snapshot.pages.first[index] if type_ == PAGED else index)


def holders_at_most(snapshot: Snapshot, type_: str, things: Ints) -> Ints:
    """How many hold each of these things now or later, from the index alone and so at once; 1 only if nobody shares it.

    `things` are ascending. A vehicle counts twice, for several may finance it.
    """
    names, stands_for = _all_names(snapshot, type_, things, as_of=LAST)
    total = np.zeros(len(things), dtype=np.int64)
    for edge in EDGES.values():
        if edge.weight and type_ == (edge.target if near_is_source(edge) else edge.source):
            base, more = snapshot.edges[edge.name], snapshot.appended.get(edge.name)
            start = base.in_start if near_is_source(edge) else base.out_start
            degree = np.zeros(len(names), dtype=np.int64)
            old = names + 1 < len(start)
            degree[old] = start[names[old] + 1] - start[names[old]]
            if more is not None:
                far = more.rows["target" if near_is_source(edge) else "source"]
                degree += np.bincount(far, minlength=len(snapshot.nodes[type_]))[names]
            anchor = edge.source if near_is_source(edge) else edge.target
            np.add.at(total, stands_for, degree * (2 if anchor == "Vehicle" else 1))
    return total


def _people(snapshot: Snapshot, type_: str, near: Ints, *, as_of: int) -> tuple[Ints, Ints]:
    """Who stands behind each of these applications, people or vehicles: places in `near`, and people."""
    at = np.arange(len(near))
    if type_ == "Person":
        return at, near
    if type_ == "Vehicle":
        finances = rows_at(snapshot, "FINANCES", np.unique(near), outgoing=False, as_of=as_of)
        at, near = _joined(near, finances["target"], finances["source"])
    applied = rows_at(snapshot, "APPLIED", np.unique(near), outgoing=False, as_of=as_of)
    alone = np.setdiff1d(near, applied["target"])
    people = len(snapshot.nodes["Person"])
    to, person = _joined(
        near, np.concatenate([applied["target"], alone]), np.concatenate([applied["source"], alone + people])
    )  # fmt: skip
    return at[to], person


def _joined(left: Ints, key: Ints, value: Ints) -> tuple[Ints, Ints]:
    """Each of `left` with every value of the same key: places in `left`, and values."""
    order = np.argsort(key, kind="stable")
    begin, end = (np.searchsorted(key[order], left, side=side) for side in ("left", "right"))
    return np.repeat(np.arange(len(left)), end - begin), value[order[ranges(begin, end - begin)]]


def applications_of(snapshot: Snapshot, near: Things, *, as_of: int) -> Ints:
    """Applications that these applications, people and vehicles stand for."""
    nothing = np.zeros(0, dtype=np.int64)
    applied = rows_at(snapshot, "APPLIED", near.get("Person", nothing), outgoing=True, as_of=as_of)
    finances = rows_at(snapshot, "FINANCES", near.get("Vehicle", nothing), outgoing=False, as_of=as_of)
    return np.unique(np.concatenate([near.get("Application", nothing), applied["target"], finances["source"]]))


@dataclass(frozen=True)
class Excerpt:
    """`part` is a snapshot of its own; its node i of a type is node `index[type][i]` of the whole."""

    part: Snapshot
    index: Things


def excerpt(snapshot: Snapshot, applications: Ints, *, as_of: int) -> Excerpt:
    """These applications with everything one step away from them, their applicants and their vehicles."""
    near = near_nodes(snapshot, applications, as_of=as_of)
    rows = dict(_relations(snapshot, near, as_of))
    kept: dict[str, list[Ints]] = {name: [nodes] for name, nodes in near.items()}
    for name, columns in rows.items():
        kept.setdefault(EDGES[name].source, []).append(columns["source"])
        kept.setdefault(EDGES[name].target, []).append(columns["target"])
    index = {name: np.unique(np.concatenate(kept.get(name, [np.zeros(0, dtype=np.int64)]))) for name in NODES}
    index[PAGED] = np.union1d(index[PAGED], snapshot.pages.first[index[PAGED]])
    nodes = {name: _taken(snapshot.nodes[name], at) for name, at in index.items()}
    edges = {name: _renumbered(name, rows.get(name), index) for name in EDGES}
    pages = Pages(np.searchsorted(index[PAGED], snapshot.pages.first[index[PAGED]]))
    return Excerpt(Snapshot(as_of, snapshot.sequence, nodes, edges, pages), index)


def _relations(snapshot: Snapshot, near: Mapping[str, Ints], as_of: int) -> Iterator[tuple[str, Columns]]:
    far: dict[str, list[Ints]] = {}
    for name, edge in EDGES.items():
        if name in FOLLOWED:
            continue
        source = name == "APPLIED" or (edge.target != "Application" and edge.source in near)
        anchor, other = (edge.source, edge.target) if source else (edge.target, edge.source)
        if anchor not in near:
            continue
        columns = rows_at(snapshot, name, near[anchor], outgoing=source, as_of=as_of)
        if name in {"APPLIED", "FINANCES"}:
            end = "target" if name == "APPLIED" else "source"
            inside = np.isin(columns[end], near["Application"])
            columns = {each: column[inside] for each, column in columns.items()}
        far.setdefault(other, []).append(columns["target" if source else "source"])
        yield name, columns
    for name in FOLLOWED:
        ends = far.get(EDGES[name].source)
        if ends:
            yield name, rows_at(snapshot, name, np.unique(np.concatenate(ends)), outgoing=True, as_of=as_of)


def _taken(nodes: Nodes, at: Ints) -> Nodes:
    table = nodes.table.take(pa.array(at)).combine_chunks()
    return Nodes(table, np.argsort(nodes.ids[at], kind="stable"))


def _renumbered(name: str, columns: Columns | None, index: Mapping[str, Ints]) -> Edges:
    edge = EDGES[name]
    if columns is None:
        columns = {each: np.zeros(0, dtype=np.float64 if each == "confidence" else np.int64) for each in COLUMNS}
    columns = dict(columns)
    columns["source"] = np.searchsorted(index[edge.source], columns["source"])
    columns["target"] = np.searchsorted(index[edge.target], columns["target"])
    return sort_edges(columns, len(index[edge.source]), len(index[edge.target]))
