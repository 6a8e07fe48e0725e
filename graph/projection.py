"""Applications as one weighted graph: who shares what with whom, as of a time.

Two applications are linked when they hold the same phone, device, account … A link
weighs more the stronger its kind and the fewer hold the thing; things that many hold
by nature (`infrastructure.py`) and hubs above the ontology's threshold link nobody.

Weights are integers (thousandths), so that sums are exact and the same in any order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from graph.infrastructure import Holders, recognise
from graph.ontology import EDGES, NODES, EdgeType
from graph.records import Ints
from graph.snapshot import Snapshot

UNIT = 1000
"""Weight 1.0 as an integer."""

DAY = 86_400_000
SAME_DEALER = 1.5
WEAKEST_PAIR = 600
VOICE_MATCH = 0.8
"""Vendor score from which two calls count as one voice."""

ANCHORS = {"Application": None, "Person": "APPLIED", "Vehicle": "FINANCES"}
"""Through what an application reaches a relation's near end."""


@dataclass(frozen=True)
class Incidence:
    """Which applications hold which things of one type, each pair once at its strongest relation.

    `relation` numbers the entry of `relations` that carries the pair.
    """

    type: str
    application: Ints
    entity: Ints
    known_at: Ints
    weight: npt.NDArray[np.float64]
    relation: Ints
    relations: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.application)

    def only(self, kept: npt.NDArray[np.bool_]) -> Incidence:
        return Incidence(
            self.type, self.application[kept], self.entity[kept], self.known_at[kept], self.weight[kept],
            self.relation[kept], self.relations,
        )  # fmt: skip


@dataclass(frozen=True)
class Projection:
    """Links between applications, `first < second`, `weight` in thousandths.

    `carriers` are the incidences whose things carry links; `infrastructure` names, per
    type, the things left out because many hold them by nature.
    """

    size: int
    window: Ints
    first: Ints
    second: Ints
    weight: Ints
    carriers: Mapping[str, Incidence]
    infrastructure: Mapping[str, Mapping[int, str]]


def project(snapshot: Snapshot, *, as_of: int, window_days: int) -> Projection:
    """Links among the applications submitted in the last `window_days`; infrastructure is judged on all history."""
    applications = snapshot.nodes["Application"]
    submitted = applications.times("submitted_at", as_of=as_of)
    recent = (applications.known_at <= as_of) & (submitted >= as_of - window_days * DAY)
    dealer = dealers(snapshot, as_of=as_of)
    carriers, infrastructure, parts = {}, {}, []
    for incidence in incidences(snapshot, as_of=as_of):
        holders = Holders.of(incidence.entity, dealer[incidence.application], submitted[incidence.application])
        verdicts = recognise(incidence.type, holders)
        if verdicts:
            infrastructure[incidence.type] = verdicts
        kept = recent[incidence.application] & ~np.isin(incidence.entity, np.array(list(verdicts), dtype=np.int64))
        carrier = incidence.only(kept)
        carriers[incidence.type] = carrier
        parts.append(_pairs(carrier, NODES[incidence.type].hub_above))
    first, second, weight = _summed(parts, len(applications))
    weight = np.where(
        (dealer[first] == dealer[second]) & (dealer[first] >= 0),
        (weight * SAME_DEALER).astype(np.int64),
        weight,
    )
    strong = (weight >= WEAKEST_PAIR) & (np.abs(submitted[first] - submitted[second]) <= window_days * DAY)
    return Projection(
        size=len(applications),
        window=np.flatnonzero(recent),
        first=first[strong],
        second=second[strong],
        weight=weight[strong],
        carriers=carriers,
        infrastructure=infrastructure,
    )


def dealers(snapshot: Snapshot, *, as_of: int) -> Ints:
    """Per application the index of its dealer; -1 without one."""
    sold = snapshot.columns("SOLD_BY", as_of=as_of)
    dealer = np.full(len(snapshot.nodes["Application"]), -1, dtype=np.int64)
    dealer[sold["source"]] = sold["target"]
    return dealer


# What applications hold --------------------------------------------------------------------------------


def incidences(snapshot: Snapshot, *, as_of: int) -> Iterator[Incidence]:
    """One incidence for every type that can be a lead and that anybody holds."""
    by_type: dict[str, list[EdgeType]] = {}
    for edge in EDGES.values():
        if edge.weight:
            by_type.setdefault(_far_end(edge), []).append(edge)
    for type_ in sorted(by_type):
        if NODES[type_].lead:
            incidence = _incidence(snapshot, type_, by_type[type_], as_of)
            if len(incidence):
                yield incidence


def _near_is_source(edge: EdgeType) -> bool:
    """Which end leads to the application: the end that is one, or else a person or vehicle at the source."""
    return edge.target != "Application" and edge.source in ANCHORS


def _far_end(edge: EdgeType) -> str:
    return edge.target if _near_is_source(edge) else edge.source


def _incidence(snapshot: Snapshot, type_: str, edges: list[EdgeType], as_of: int) -> Incidence:
    parts = [_reached(snapshot, edge, as_of) for edge in edges]
    application, entity, known = (np.concatenate([part[at] for part in parts]) for at in range(3))
    number = np.repeat(np.arange(len(edges)), [len(part[0]) for part in parts])
    weight = np.array([edge.weight for edge in edges])[number]
    if type_ == "VoiceCluster":
        entity = _voices(snapshot, as_of)[entity]
    order = np.lexsort((known, -weight, entity, application))
    pair = application[order] * (entity.max(initial=0) + 1) + entity[order]
    order = order[np.concatenate([[True], pair[1:] != pair[:-1]])] if len(order) else order
    return Incidence(
        type_, application[order], entity[order], known[order], weight[order], number[order],
        tuple(edge.name for edge in edges),
    )  # fmt: skip


def _reached(snapshot: Snapshot, edge: EdgeType, as_of: int) -> tuple[Ints, Ints, Ints]:
    """(application, thing, known at) through one relation, by way of the applicant or the vehicle where needed."""
    rows = snapshot.columns(edge.name, as_of=as_of)
    near, far = ("source", "target") if _near_is_source(edge) else ("target", "source")
    anchor = EDGES[edge.name].source if near == "source" else EDGES[edge.name].target
    by = ANCHORS[anchor]
    if by is None:
        return rows[near], rows[far], rows["known_at"]
    via = snapshot.columns(by, as_of=as_of)
    holder, application = (via["source"], via["target"]) if by == "APPLIED" else (via["target"], via["source"])
    order = np.argsort(holder, kind="stable")
    holder, application, since = holder[order], application[order], via["known_at"][order]
    begin = np.searchsorted(holder, rows[near], side="left")
    count = np.searchsorted(holder, rows[near], side="right") - begin
    at = np.repeat(begin - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())
    known = np.maximum(np.repeat(rows["known_at"], count), since[at])
    return application[at], np.repeat(rows[far], count), known


def _voices(snapshot: Snapshot, as_of: int) -> Ints:
    """Per voice reference the first reference of its matches: one number for one voice."""
    rows = snapshot.columns("SAME_VOICE", as_of=as_of)
    strong = rows["confidence"] >= VOICE_MATCH
    size = len(snapshot.nodes["VoiceCluster"])
    matches = csr_array(
        (np.ones(strong.sum(), dtype=np.int8), (rows["source"][strong], rows["target"][strong])), (size, size)
    )
    _, voice = connected_components(matches, directed=False)
    _, first = np.unique(voice, return_index=True)
    return np.asarray(first[voice], dtype=np.int64)


# Pairs -------------------------------------------------------------------------------------------------


def _pairs(incidence: Incidence, hub_above: int) -> tuple[Ints, Ints, Ints]:
    """All pairs of holders of each thing that 2 to `hub_above` hold, with their weight."""
    order = np.lexsort((incidence.application, incidence.entity))
    entity, application, weight = (
        column[order] for column in (incidence.entity, incidence.application, incidence.weight)
    )
    starts = np.flatnonzero(np.concatenate([[True], entity[1:] != entity[:-1]])) if len(entity) else np.zeros(0, int)
    degree = np.diff(np.append(starts, len(entity)))
    first, second, weights = [], [], []
    for size in np.unique(degree[(degree >= 2) & (degree <= hub_above)]).tolist():
        rows = starts[degree == size][:, None] + np.arange(size)
        left, right = np.triu_indices(size, 1)
        first.append(application[rows[:, left]].ravel())
        second.append(application[rows[:, right]].ravel())
        strength = np.sqrt(weight[rows[:, left]] * weight[rows[:, right]]) / np.log2(1 + size)
        weights.append(np.rint(strength * UNIT).astype(np.int64).ravel())
    nothing = [np.zeros(0, dtype=np.int64)]
    return tuple(np.concatenate(each or nothing) for each in (first, second, weights))  # type: ignore[return-value]


def _summed(parts: list[tuple[Ints, Ints, Ints]], size: int) -> tuple[Ints, Ints, Ints]:
    """One link a pair, over all types."""
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing, nothing
    first, second, weight = (np.concatenate([part[at] for part in parts]) for at in range(3))
    pair = first * max(size, 1) + second
    order = np.argsort(pair, kind="stable")
    pair, weight = pair[order], weight[order]
    starts = np.flatnonzero(np.concatenate([[True], pair[1:] != pair[:-1]])) if len(pair) else np.zeros(0, int)
    total = np.add.reduceat(weight, starts) if len(pair) else weight
    return pair[starts] // max(size, 1), pair[starts] % max(size, 1), total
