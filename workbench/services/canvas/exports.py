"""What leaves the workbench: pictures, tables and graphs of what stands on a canvas, always masked.

Who takes what, and how much of it, is on record before a byte of it leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from graph.errors import InputError
from graph.records import NodeRef
from workbench.casebook import audit
from workbench.services.canvas.graph_shapes import Ends, Picture, Shown, Tie
from workbench.services.canvas.investigate import CAP, Investigate
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.subject import RING, Subject

PICTURES = ("png", "svg")
TABLES = ("csv", "xlsx")
GRAPH = "graphml"

MOST = 4 * CAP
"""Things that a canvas can hold with its folds."""


@dataclass(frozen=True)
class Stamp:
    """Who took it, when, and what it shows: stands at the foot of every picture."""

    who: Person
    at: datetime
    subject: Subject
    as_of: datetime | None


@dataclass(frozen=True)
class Taken:
    stamp: Stamp
    picture: Picture


class Exports:
    def __init__(self, office: Office, investigate: Investigate) -> None:
        self._office, self._investigate = office, investigate

    def picture(
        self, who: Person, subject: Subject, kind: str, *, nodes: int, edges: int, as_of: datetime | None = None
    ) -> Stamp:
        """Before the browser draws what it shows; the counts are as it tells them."""
        _known(kind, PICTURES)
        return self._on_record(who, subject, kind, as_of, {"nodes": nodes, "links": edges})

    def table(
        self, who: Person, subject: Subject, kind: str, refs: Sequence[NodeRef], *, as_of: datetime | None = None
    ) -> Taken:
        """The nodes in the order asked; those not known then are left out."""
        _known(kind, TABLES)
        return self._taken(who, subject, kind, refs, as_of)

    def graph(self, who: Person, subject: Subject, refs: Sequence[NodeRef], *, as_of: datetime | None = None) -> Taken:
        """The nodes, and all links between them."""
        return self._taken(who, subject, GRAPH, refs, as_of)

    def _taken(
        self, who: Person, subject: Subject, kind: str, refs: Sequence[NodeRef], as_of: datetime | None
    ) -> Taken:
        who.require(Act.EXPORT)
        if not 0 < len(refs) <= MOST:
            raise InputError(f"a file holds 1 to {MOST:,} things; filter or fold the graph, then export again")
        picture = self._read(who, subject, list(dict.fromkeys(refs)), as_of)
        counts = {"nodes": len(picture.nodes), "links": len(picture.ties)}
        return Taken(self._on_record(who, subject, kind, as_of, counts), picture)

    def _read(self, who: Person, subject: Subject, refs: list[NodeRef], as_of: datetime | None) -> Picture:
        ring = subject.name if subject.kind == RING else ""
        nodes: dict[NodeRef, Shown] = {}
        ties: dict[Ends, Tie] = {}
        for at in range(0, len(refs), CAP):
            part = self._investigate.add(who, refs[at : at + CAP], as_of=as_of, known=refs, ring=ring)
            nodes |= {one.ref: one for one in part.nodes}
            ties |= {one.ends: one for one in part.ties}
        there = [nodes[ref] for ref in refs if ref in nodes]
        return Picture(there, [one for one in ties.values() if one.source in nodes and one.target in nodes])

    def _on_record(
        self, who: Person, subject: Subject, kind: str, as_of: datetime | None, counts: dict[str, int]
    ) -> Stamp:
        who.require(Act.EXPORT)
        if not all(0 <= count <= 10 * MOST for count in counts.values()):
            raise InputError("so many things do not fit on a canvas; reload the page and export again")
        now = self._office.clock()
        detail = counts | {"as_of": as_of.isoformat() if as_of else "now"}
        with self._office.casebook.writing() as db:
            audit.write(db, who, f"export.{kind}", f"{subject.kind}/{subject.name}", now=now, detail=detail)
        return Stamp(who, now, subject, as_of)


def _known(kind: str, kinds: Sequence[str]) -> None:
    if kind not in kinds:
        raise InputError(f"a graph leaves as {', '.join((*PICTURES, *TABLES, GRAPH))}; choose one of them")
