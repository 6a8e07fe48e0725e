"""Why a ring is a ring, line by line, each with the very nodes and edges of the graph that carry it.

A line holds parts, not words: the screen says them in its language. Element ids are those of the canvas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from graph.excerpt import count_holders, rows_at
from graph.incidence import ALIKE, near_is_source
from graph.ontology import EDGES, NODES
from graph.projection import HALF_LIFE_DAYS
from graph.records import DAY, Ints, node_ids
from graph.snapshot import Snapshot

SHARED, SIGN, PACE, DEALER, STAFF = "shared", "sign", "pace", "dealer", "staff"
EdgeId = tuple[str, str, str]

VOICE, MATCH = "VoiceCluster", "SAME_VOICE"


@dataclass(frozen=True)
class Line:
    """`strength` is 0 to 1 of what links the members, or None where it is not of that kind. `of` are the numbers it
    tells; `things` the shared things, each with its own nodes and edges."""

    kind: str
    name: str
    of: Mapping[str, Any]
    strength: float | None = None
    nodes: tuple[str, ...] = ()
    edges: tuple[EdgeId, ...] = ()
    things: tuple[Thing, ...] = ()


@dataclass(frozen=True)
class Thing:
    """One thing that several hold: what a screen may show of it, and what carries it."""

    type: str
    key: str
    masked: str
    relation: str
    people: int
    strength: float
    nodes: tuple[str, ...]
    edges: tuple[EdgeId, ...]


@dataclass(frozen=True)
class Ringed:
    """Members of a ring in a snapshot: rows by type, and by element id."""

    snapshot: Snapshot
    as_of: int
    near: Mapping[str, Ints]
    submitted: Ints
    _ids: dict[tuple[str, int], str] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: Snapshot, applications: Sequence[str], *, as_of: int) -> Ringed:
        nodes = snapshot.nodes["Application"]
        rows = nodes.index_of(node_ids("Application", list(applications)))
        rows = np.sort(rows[rows >= 0])
        applied = rows_at(snapshot, "APPLIED", rows, outgoing=False, as_of=as_of)
        finances = rows_at(snapshot, "FINANCES", rows, outgoing=True, as_of=as_of)
        near = {
            "Application": rows,
            "Person": np.unique(applied["source"]),
            "Vehicle": np.unique(finances["target"]),
        }
        return cls(snapshot, as_of, near, nodes.times("submitted_at", as_of=as_of)[rows])

    def ids(self, type_: str, rows: Iterable[int]) -> list[str]:
        """Element ids."""
        rows = [int(each) for each in rows]
        missing = sorted({each for each in rows if (type_, each) not in self._ids})
        if missing:
            keys = self.snapshot.nodes[type_].table["key"].take(pa.array(missing)).to_pylist()
            self._ids.update({(type_, row): f"{type_}~{key}" for row, key in zip(missing, keys, strict=True)})
        return [self._ids[type_, each] for each in rows]

    def edges(self, relation: str) -> tuple[Ints, Ints]:
        """Rows of both ends, of the members' side."""
        edge = EDGES[relation]
        outgoing = edge.source in self.near and (near_is_source(edge) or edge.target not in self.near)
        anchor = edge.source if outgoing else edge.target
        near = self.near.get(anchor, np.zeros(0, dtype=np.int64))
        found = rows_at(self.snapshot, relation, near, outgoing=outgoing, as_of=self.as_of)
        return found["source"], found["target"]

    def lit(self, relation: str, source: Ints, target: Ints) -> tuple[EdgeId, ...]:
        edge = EDGES[relation]
        pairs = zip(self.ids(edge.source, source.tolist()), self.ids(edge.target, target.tolist()), strict=True)
        return tuple(dict.fromkeys((relation, one, other) for one, other in pairs))


# What is shared --------------------------------------------------------------------------------------------


def shared_lines(ring: Mapping[str, Any], ringed: Ringed) -> list[Line]:
    """One a kind and relation, the strongest first; the strengths sum to 1."""
    carrying = Carrying(ringed)
    things = [carrying.thing(one) for one in ring["shared"]]
    total = sum(each.strength for each in things) or 1.0
    kinds: dict[tuple[str, str], list[Thing]] = {}
    for each in things:
        kinds.setdefault((each.type, each.relation), []).append(each)
    people = len(ringed.near["Person"]) or len(ring["application_ids"])
    lines = [
        Line(
            SHARED,
            relation,
            {"type": type_, "number": len(own), "most": max(each.people for each in own), "people": people},
            sum(each.strength for each in own) / total,
            _union(each.nodes for each in own),
            _union(each.edges for each in own),
            tuple(sorted(own, key=lambda each: -each.strength)),
        )
        for (type_, relation), own in kinds.items()
    ]
    return sorted(lines, key=lambda line: -(line.strength or 0))


class Carrying:
    """The edges between members and what they share, by thing."""

    def __init__(self, ringed: Ringed) -> None:
        self._ringed = ringed
        self._far: dict[str, dict[int, list[tuple[str, int, int]]]] = {}
        self._own = [each for name in ("APPLIED", "FINANCES") for each in ringed.lit(name, *ringed.edges(name))]

    def edges(self, type_: str, row: int) -> list[EdgeId]:
        """From the members to the thing, by way of people and cars where it hangs on those."""
        if type_ not in self._far:
            self._far[type_] = self._of_type(type_)
        edges = [self._edge(*each) for each in self._far[type_].get(row, [])]
        return list(dict.fromkeys([*edges, *self._applied(edges)]))

    def everything(self) -> set[str]:
        """Element ids of all that the members hold, and of people, cars and applications themselves."""
        ringed = self._ringed
        found = {each for type_, rows in ringed.near.items() for each in ringed.ids(type_, rows.tolist())}
        for type_ in (name for name, node in NODES.items() if node.lead):
            rows = self._far.setdefault(type_, self._of_type(type_))
            found.update(ringed.ids(type_, rows))
        return found

    def thing(self, one: Mapping[str, Any]) -> Thing:
        ringed, type_ = self._ringed, one["type"]
        row = int(ringed.snapshot.nodes[type_].index_of(node_ids(type_, [one["key"]]))[0])
        edges = self.edges(type_, row)
        nodes = dict.fromkeys([f"{type_}~{one['key']}", *(end for edge in edges for end in edge[1:])])
        held = int(count_holders(ringed.snapshot, type_, np.array([row]), as_of=ringed.as_of)[0]) if row >= 0 else 0
        return Thing(
            type_, one["key"], one["masked"], one["relation"], one["people"],
            self._strength(one, held), tuple(nodes), tuple(edges),
        )  # fmt: skip

    def _of_type(self, type_: str) -> dict[int, list[tuple[str, int, int]]]:
        snapshot = self._ringed.snapshot
        found: dict[int, list[tuple[str, int, int]]] = {}
        for name, edge in EDGES.items():
            by_source = near_is_source(edge)
            far, near = (edge.target, edge.source) if by_source else (edge.source, edge.target)
            if not edge.weight or far != type_ or near not in self._ringed.near:
                continue
            source, target = self._ringed.edges(name)
            end = target if by_source else source
            stands_for = ALIKE[type_](snapshot, self._ringed.as_of)[end] if type_ in ALIKE and len(end) else end
            for at, one, other in zip(stands_for.tolist(), source.tolist(), target.tolist(), strict=True):
                found.setdefault(at, []).append((name, one, other))
        if type_ == VOICE:
            for carried in found.values():
                carried.extend(self._matches({other for _, _, other in carried}))
        return found

    def _matches(self, voices: set[int]) -> list[tuple[str, int, int]]:
        """Between calls that the vendor takes for one voice."""
        rows = np.array(sorted(voices), dtype=np.int64)
        same = rows_at(self._ringed.snapshot, MATCH, rows, outgoing=True, as_of=self._ringed.as_of)
        ends = zip(same["source"].tolist(), same["target"].tolist(), strict=True)
        return [(MATCH, one, other) for one, other in ends if other in voices]

    def _edge(self, relation: str, source: int, target: int) -> EdgeId:
        edge = EDGES[relation]
        (one,), (other,) = self._ringed.ids(edge.source, [source]), self._ringed.ids(edge.target, [target])
        return relation, one, other

    def _applied(self, edges: Sequence[EdgeId]) -> list[EdgeId]:
        """From the people and cars that hold the thing to their applications."""
        ends = {end for edge in edges for end in edge[1:]}
        return [each for each in self._own if (each[1] if each[0] == "APPLIED" else each[2]) in ends]

    def _strength(self, one: Mapping[str, Any], held: int) -> float:
        """As `graph/projection.py` weighs a link: rarer things and closer times count more. Of the pairs of holders."""
        rows = self._ringed.near["Application"]
        mine = self._ringed.snapshot.nodes["Application"].index_of(node_ids("Application", list(one["holders"])))
        times = self._ringed.submitted[np.isin(rows, mine)]
        apart = np.abs(times[:, None] - times[None, :])[np.triu_indices(len(times), 1)] / DAY
        rarity = EDGES[one["relation"]].weight / np.log2(1 + max(held, one["people"]))
        return float(rarity * (0.5 ** (apart / HALF_LIFE_DAYS)).sum()) or 1e-6


def _union(parts: Iterable[Sequence[Any]]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(each for part in parts for each in part))
