"""Which applications hold which things, and which applications are one person's, as of a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from graph.ontology import EDGES, NODES, EdgeType
from graph.records import DAY, Ints, ranges
from graph.snapshot import Snapshot

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

    def only(self, kept: npt.NDArray[np.bool_] | Ints) -> Incidence:
        return Incidence(
            self.type, self.application[kept], self.entity[kept], self.known_at[kept], self.weight[kept],
            self.relation[kept], self.relations,
        )  # fmt: skip

    def of_parties(self, party: Ints) -> Incidence:
        """Each pair of party and thing once: the strongest relation, then the first known."""
        owner = party[self.application]
        order = np.lexsort((self.known_at, -self.weight, self.entity, owner))
        pair = owner[order] * (self.entity.max(initial=0) + 1) + self.entity[order]
        return self.only(order[np.concatenate([[True], pair[1:] != pair[:-1]])] if len(order) else order)


# One row per application -------------------------------------------------------------------------------


def dealers(snapshot: Snapshot, *, as_of: int) -> Ints:
    """Per application the index of its dealer; -1 without one."""
    sold = snapshot.columns("SOLD_BY", as_of=as_of)
    dealer = np.full(len(snapshot.nodes["Application"]), -1, dtype=np.int64)
    dealer[sold["source"]] = sold["target"]
    return dealer


def salespeople(snapshot: Snapshot, *, as_of: int) -> Ints:
    """Per application the index of its salesperson; -1 without one."""
    handled = snapshot.columns("HANDLED_BY", as_of=as_of)
    salesperson = np.full(len(snapshot.nodes["Application"]), -1, dtype=np.int64)
    salesperson[handled["source"]] = handled["target"]
    return salesperson


def parties(snapshot: Snapshot, *, as_of: int) -> Ints:
    """Per application the index of the first one of the same person or the same deal (domain.md B10)."""
    applications = snapshot.nodes["Application"]
    applied = snapshot.columns("APPLIED", as_of=as_of)
    known = np.flatnonzero(applications.known_at <= as_of)
    deals = pd.factorize(applications.table["deal_id"].to_pandas().to_numpy()[known])[0]
    stated = deals >= 0
    links = [_to_first(applied["source"], applied["target"]), _to_first(deals[stated], known[stated])]
    first, second = (np.concatenate([link[at] for link in links]) for at in range(2))
    size = len(applications)
    same = csr_array((np.ones(len(first), dtype=np.int8), (first, second)), (size, size))
    _, label = connected_components(same, directed=False)
    _, earliest = np.unique(label, return_index=True)
    return np.asarray(earliest[label], dtype=np.int64)


def _to_first(group: Ints, member: Ints) -> tuple[Ints, Ints]:
    """Every member with one member of its group."""
    _, at, group = np.unique(group, return_index=True, return_inverse=True)
    return member[at][group], member


def in_window(snapshot: Snapshot, *, as_of: int, window_days: int) -> npt.NDArray[np.bool_]:
    """Per application whether it was known by then and submitted no longer before: who can be in a ring."""
    nodes = snapshot.nodes["Application"]
    submitted = nodes.times("submitted_at", as_of=as_of)
    return np.asarray((nodes.known_at <= as_of) & (submitted >= as_of - window_days * DAY))


@dataclass(frozen=True)
class Holdings:
    """Everything applications hold as of a time. `party`, `dealer` (-1: none) and `submitted` are per application.

    `found` counts each application, `own` each party once.
    """

    party: Ints
    dealer: Ints
    submitted: Ints
    found: Mapping[str, Incidence]
    own: Mapping[str, Incidence]


def holdings(snapshot: Snapshot, *, as_of: int) -> Holdings:
    party = parties(snapshot, as_of=as_of)
    found = {each.type: each for each in incidences(snapshot, as_of=as_of)}
    return Holdings(
        party=party,
        dealer=dealers(snapshot, as_of=as_of),
        submitted=snapshot.nodes["Application"].times("submitted_at", as_of=as_of),
        found=found,
        own={name: each.of_parties(party) for name, each in found.items()},
    )


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


def near_is_source(edge: EdgeType) -> bool:
    """Which end leads to the application: the end that is one, or else a person or vehicle at the source."""
    return edge.target != "Application" and edge.source in ANCHORS


def _far_end(edge: EdgeType) -> str:
    return edge.target if near_is_source(edge) else edge.source


def _incidence(snapshot: Snapshot, type_: str, edges: list[EdgeType], as_of: int) -> Incidence:
    parts = [reached(snapshot, edge, as_of) for edge in edges]
    application, entity, known = (np.concatenate([part[at] for part in parts]) for at in range(3))
    number = np.repeat(np.arange(len(edges)), [len(part[0]) for part in parts])
    weight = np.array([edge.weight for edge in edges])[number]
    if type_ in ALIKE:
        entity = ALIKE[type_](snapshot, as_of)[entity]
    order = np.lexsort((known, -weight, entity, application))
    pair = application[order] * (entity.max(initial=0) + 1) + entity[order]
    order = order[np.concatenate([[True], pair[1:] != pair[:-1]])] if len(order) else order
    return Incidence(
        type_, application[order], entity[order], known[order], weight[order], number[order],
        tuple(edge.name for edge in edges),
    )  # fmt: skip


def reached(snapshot: Snapshot, edge: EdgeType, as_of: int) -> tuple[Ints, Ints, Ints]:
    """(application, thing, known at) through one relation, by way of the applicant or the vehicle where needed."""
    rows = snapshot.columns(edge.name, as_of=as_of)
    near, far = ("source", "target") if near_is_source(edge) else ("target", "source")
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
    at = ranges(begin, count)
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


def _templates(snapshot: Snapshot, as_of: int) -> Ints:  # noqa: ARG001 - pages never look like later ones
    return snapshot.pages.first


ALIKE = {"VoiceCluster": _voices, "DocTemplate": _templates}
"""Types in which several nodes may be one thing: per node the first of them."""
