"""What stands on a canvas: nodes and links with all that is known of them, before anybody says how they look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from graph.errors import NodeNotFound
from graph.ontology import EDGES, NODES
from graph.records import NodeRef, Value
from graph.store import Link

Ends = tuple[str, NodeRef, NodeRef, str]
"""Relation, source, target, ref: one edge of the graph."""


@dataclass(frozen=True)
class Shown:
    """A node. `links` counts all it has as of then, so that a screen can say how many are not shown.

    `held_by` counts the ring's people who hold it; `label` is fraud, suspected, legit or ""; `infrastructure` the kind
    for which it was set aside; `since` the time from which it belongs to the subject, None for what does not.
    """

    ref: NodeRef
    masked: str
    known_at: int
    properties: Mapping[str, Value]
    links: int = 0
    member: bool = False
    held_by: int = 0
    score: float | None = None
    decision: str = ""
    label: str = ""
    role: str = ""
    infrastructure: str = ""


class Tie(NamedTuple):
    """A link. `alike`: not this very thing is held, but one that counts as the same (a page, a voice)."""

    relation: str
    source: NodeRef
    target: NodeRef
    ref: str
    event_time: int
    known_at: int
    valid_to: int | None = None
    confidence: float = 1.0
    innocent: int = 0
    alike: bool = False

    @property
    def ends(self) -> Ends:
        return self.relation, self.source, self.target, "alike" if self.alike else self.ref


@dataclass(frozen=True)
class Count:
    """How many links of one relation a node has, and how many of them a picture shows."""

    relation: str
    outgoing: bool
    type: str
    shown: int
    total: int


@dataclass(frozen=True)
class Picture:
    """`left` counts, per type, what nobody else holds and so is left out, `cut` what there was no room for."""

    nodes: Sequence[Shown] = ()
    ties: Sequence[Tie] = ()
    left: Mapping[str, int] = field(default_factory=dict)
    cut: Mapping[str, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return len(self.nodes) + len(self.ties)


def tie(here: NodeRef, link: Link) -> Tie:
    source, target = (here, link.other) if link.outgoing else (link.other, here)
    return Tie(
        link.type, source, target, link.ref, link.event_time, link.known_at, link.valid_to, link.confidence
    )  # fmt: skip


def element_id(ref: NodeRef) -> str:
    return f"{ref.type}~{ref.key}"


def edge_id(one: Tie) -> str:
    relation, source, target, ref = one.ends
    return f"{relation}~{element_id(source)}~{element_id(target)}~{ref}"


def ref_of(element: object) -> NodeRef:
    """From an element's id, which a browser sent. Raises NodeNotFound for what is none; it is not repeated."""
    type_, found, key = element.partition("~") if isinstance(element, str) else ("", "", "")
    if not found or type_ not in NODES or not 0 < len(key) <= 255:
        raise NodeNotFound("there is no such thing in the graph; pick it on the canvas")
    return NodeRef(type_, key)


def refs_of(elements: Iterable[object], *, most: int) -> list[NodeRef]:
    """Each once. What is no node, such as a fold, is left out."""
    found: dict[NodeRef, None] = {}
    for each in elements:
        try:
            found[ref_of(each)] = None
        except NodeNotFound:
            continue
        if len(found) == most:
            break
    return list(found)


def far(relation: str, *, outgoing: bool) -> str:
    """The type at the other end."""
    return EDGES[relation].target if outgoing else EDGES[relation].source
