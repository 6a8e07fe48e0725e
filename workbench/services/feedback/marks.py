"""What people say of edges and things of the graph: harmless links, infrastructure, leads after all.

Every mark has a reason, an end and an owner, and the rings are found anew after it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from graph.errors import InputError, NodeNotFound
from graph.infrastructure import KINDS, RECOGNISERS
from graph.ontology import NODES
from graph.opinions import Innocent, links
from graph.opinions import innocent as checked
from graph.overrides import Override
from graph.records import NodeRef
from workbench.casebook import audit, innocent, opinions
from workbench.casebook.words import remark, stated
from workbench.instance import EVERYTHING
from workbench.services.feedback.labelling import Rescoring
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.reasons.ring_lines import Carrying, Ringed
from workbench.services.subject import RING, Subject

if TYPE_CHECKING:
    from workbench.services.feedback.rescoring import Rescored

LASTS = innocent.LASTS
LONGEST_OVERRIDE = timedelta(days=3650)
MOST = 200
NEAR = 500
"""So many links of a thing are looked at for those of some applications."""

FOREVER = int(np.iinfo(np.int64).max)

LINK, THING = "link", "thing"
SHOWN = 300


@dataclass(frozen=True)
class Mark:
    """In force. A link is marked innocent; a thing is set aside as `kind`, or is a lead although it was recognised.

    `ends` are element ids: both of a link, one of a thing; `masked` is what a screen may show of each.
    """

    what: str
    id: int
    relation: str
    ends: tuple[str, ...]
    masked: tuple[str, ...]
    infrastructure: bool
    kind: str
    reason: str
    author: str
    made_at: datetime
    until: datetime


@dataclass(frozen=True)
class Said:
    """Of a thing: it is set aside as `kind` ("" for none that has a name), or links although it was recognised."""

    infrastructure: bool
    kind: str
    reason: str
    until: datetime


@dataclass(frozen=True)
class Done:
    """`changes` is what the rings made of it."""

    ids: tuple[int, ...]
    changes: Rescored


def kinds(type_: str) -> list[str]:
    """What a thing of this type can be said to be: what is recognised among its like."""
    own = [each.kind for each in RECOGNISERS if type_ in each.types]
    return [*own, *(["fleet"] if type_ in ("Employer", "Account", "Person") else [])]


Members = Callable[[Person, str], Sequence[str]]


class Marks:
    def __init__(self, office: Office, rescoring: Rescoring, members: Members) -> None:
        """`members(who, ring_id)` are a ring's applications."""
        self.office, self.rescoring, self._ring = office, rescoring, members

    # Links -------------------------------------------------------------------------------------------------

    def mark_innocent(self, who: Person, marked: Sequence[Innocent], *, reason: str, until: datetime) -> Done:
        """Edges that are there; all or none. For half a year at most, unless a senior says longer."""
        who.require(Act.WORK)
        if not 1 <= len(marked) <= MOST:
            raise InputError(f"choose 1 to {MOST} links")
        edges = [checked(each.relation, *each.ends) for each in dict.fromkeys(marked)]
        self._there([end for each in edges for end in each.ends])
        now, longest = self.office.clock(), innocent.LONGEST if who.may(Act.OVERRIDE) else LASTS + timedelta(days=1)
        with self.office.casebook.writing() as db:
            ids = [
                innocent.add(db, each, reason=reason, author=who.name, until=until, now=now, longest=longest)
                for each in edges
            ]
            for number, each in zip(ids, edges, strict=True):
                detail = {"id": number, "relation": each.relation, "until": until.isoformat()}
                audit.write(db, who, "link.innocent", _edge(each), now=now, detail=detail, reason=reason)
        return self._done(who, f"innocent link {ids[0]}", ids, self._applications(edges))

    def end_innocent(self, who: Person, number: int, because: str) -> Done:
        """One's own, or anybody's for a senior."""
        who.require(Act.WORK)
        now = self.office.clock()
        with self.office.casebook.writing() as db:
            if innocent.one(db, number).author != who.name:
                who.require(Act.OVERRIDE)
            edge = innocent.end(db, number, author=who.name, because=because, now=now)
            audit.write(db, who, "link.ended", _edge(edge), now=now, detail={"id": number}, reason=because)
        return self._done(who, f"end of innocent link {number}", [number], self._applications([edge]))

    def edges_within(self, who: Person, ref: NodeRef, applications: Collection[str]) -> list[Innocent]:
        """The edges by which a thing links these applications: what marking the whole thing innocent here means."""
        who.require(Act.READ)
        snapshot = self.office.snapshot()
        row = int(snapshot.nodes[ref.type].index_of(np.array([ref.id]))[0])
        ringed = Ringed.of(snapshot, sorted(applications), as_of=FOREVER)
        found = [each for each in Carrying(ringed).edges(ref.type, row) if links(each[0])]
        return sorted({Innocent(each[0], ref_of(each[1]).key, ref_of(each[2]).key) for each in found})

    # Things ------------------------------------------------------------------------------------------------

    def override(self, who: Person, ref: NodeRef, said: Said) -> Done:
        who.require(Act.OVERRIDE)
        if not NODES[ref.type].lead:
            raise InputError(f"a {NODES[ref.type].en} never links applications; there is nothing to overrule")
        if said.infrastructure and said.kind and said.kind not in KINDS:
            raise InputError(f"kind {said.kind[:40]!r} is none; choose one of the list, or leave it open")
        if said.until > (now := self.office.clock()) + LONGEST_OVERRIDE:
            raise InputError("an override ends within ten years; then somebody looks again")
        self._there([ref])
        reason = remark("reason", stated("reason", said.reason, 1000), 1000)
        kind = said.kind if said.infrastructure else ""
        with self.office.casebook.writing() as db:
            told = Override(ref.type, ref.key, said.infrastructure, kind, reason, said.until)
            number = opinions.add(db, told, author=who.name, now=now)
            detail = {
                "id": number, "infrastructure": said.infrastructure, "kind": kind, "until": said.until.isoformat(),
            }  # fmt: skip
            audit.write(db, who, "thing.override", _node(ref), now=now, detail=detail, reason=reason)
        return self._done(who, f"override {number}", [number], self._holders(ref))

    def end_override(self, who: Person, number: int, because: str) -> Done:
        who.require(Act.OVERRIDE)
        because, now = remark("reason", stated("reason", because, 1000), 1000), self.office.clock()
        with self.office.casebook.writing() as db:
            told = next((each.override for each in opinions.listed(db) if each.id == number), None)
            opinions.end(db, number, author=who.name, because=because, now=now)
            assert told is not None  # noqa: S101 - or it could not have been ended
            ref = NodeRef(told.type, told.key)
            audit.write(db, who, "thing.ended", _node(ref), now=now, detail={"id": number}, reason=because)
        return self._done(who, f"end of override {number}", [number], self._holders(ref))

    # Reading -----------------------------------------------------------------------------------------------

    def in_force(self, who: Person, elements: Collection[str] | None = None) -> list[Mark]:
        """All marks, or those on any of these element ids; the newest first."""
        who.require(Act.READ)
        now = self.office.clock()
        with self.office.casebook.reading() as db:
            edges = innocent.listed(db, at=now)
            things = [each for each in opinions.listed(db) if each.in_force(now)]
        told = [
            Mark(LINK, each.id, each.link.relation, tuple(map(_node, each.link.ends)), (), False, "", each.reason,
                 each.author, each.created_at, each.until)
            for each in edges
        ] + [
            Mark(THING, each.id, "", (_node(NodeRef(each.override.type, each.override.key)),), (),
                 each.override.infrastructure, each.override.kind, each.override.reason, each.author, each.created_at,
                 each.override.until)
            for each in things
        ]  # fmt: skip
        if elements is not None:
            told = [each for each in told if any(end in elements for end in each.ends)]
        told = sorted(told, key=lambda each: each.made_at, reverse=True)[:SHOWN]
        names = self._masked({end for each in told for end in each.ends})
        return [_shown(each, names) for each in told]

    def around(self, who: Person, about: Subject) -> list[Mark]:
        """Those on what a ring or an application holds, the newest first."""
        who.require(Act.READ)
        members = self._ring(who, about.name) if about.kind == RING else [about.name]
        snapshot = self.office.snapshot()
        held = Carrying(Ringed.of(snapshot, members, as_of=FOREVER)).everything()
        return self.in_force(who, held)

    def masked(self, ref: NodeRef) -> str:
        """What a screen may show of a node. Raises NodeNotFound."""
        self._there([ref])
        return self._masked([_node(ref)])[_node(ref)]

    def _masked(self, elements: Collection[str]) -> Mapping[str, str]:
        refs = [ref_of(each) for each in elements]
        found = self.office.store.nodes(refs, as_of=EVERYTHING)
        return {_node(ref): (found[ref].masked or ref.key) if ref in found else "–" for ref in refs}

    def _there(self, refs: Sequence[NodeRef]) -> None:
        found = self.office.store.nodes(refs, as_of=EVERYTHING)
        missing = next((each for each in refs if each not in found), None)
        if missing is not None:
            raise NodeNotFound(f"the graph holds no such {NODES[missing.type].en}; look again")

    # What follows ------------------------------------------------------------------------------------------

    def _done(self, who: Person, cause: str, ids: Sequence[int], applications: Sequence[str]) -> Done:
        return Done(tuple(ids), self.rescoring.after(who, cause, applications))

    def _applications(self, edges: Sequence[Innocent]) -> list[str]:
        """Those that the edges lead to."""
        ends = list(dict.fromkeys(end for each in edges for end in each.ends))
        own = [end.key for end in ends if end.type == "Application"]
        through = [end for end in ends if end.type in ("Person", "Vehicle")]
        return list(dict.fromkeys([*own, *self._of(through)]))

    def _holders(self, ref: NodeRef) -> list[str]:
        (around,) = self.office.store.neighbours([ref], as_of=EVERYTHING, limit=NEAR, totals=False)
        others = [link.other for link in around.links]
        own = [each.key for each in others if each.type == "Application"]
        return list(dict.fromkeys([*own, *self._of([each for each in others if each.type in ("Person", "Vehicle")])]))

    def _of(self, through: Sequence[NodeRef]) -> list[str]:
        if not through:
            return []
        around = self.office.store.neighbours(
            list(dict.fromkeys(through)), as_of=EVERYTHING, limit=50, types=["Application"], totals=False
        )
        return [link.other.key for one in around for link in one.links]


def ref_of(element: str) -> NodeRef:
    """Of an element id. Raises InputError for what is none."""
    type_, mark, key = element.partition("~")
    if not mark or type_ not in NODES or not key:
        raise InputError("this is nothing of the graph; pick it on the canvas")
    return NodeRef(type_, key)


def _node(ref: NodeRef) -> str:
    return f"{ref.type}~{ref.key}"


def _edge(edge: Innocent) -> str:
    source, target = edge.ends
    return f"{_node(source)} {edge.relation} {_node(target)}"[:255]


def _shown(mark: Mark, names: Mapping[str, str]) -> Mark:
    return Mark(**vars(mark) | {"masked": tuple(names.get(end, "–") for end in mark.ends)})
