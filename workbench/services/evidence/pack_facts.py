"""What a pack of evidence can tell of a case: read once, as of one time, and nothing in the clear.

Each question to the graph is kept, so that whoever doubts can ask it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from graph.records import Node, NodeRef, from_millis
from workbench.casebook import attached, audit, casefile, labels, scores
from workbench.casebook.attached import Attached
from workbench.casebook.audit import Anchor
from workbench.casebook.cases import Case
from workbench.casebook.labels import Said
from workbench.casebook.scores import Score
from workbench.services.canvas.graph_reading import Reader
from workbench.services.canvas.graph_shapes import Picture
from workbench.services.cases.checklists import Standing

LATEST_AUDIT = 200


@dataclass(frozen=True)
class Member:
    """An application. `applicant` is masked; `clear` is who it is, only after a reveal that is on record."""

    number: int
    name: str
    applicant: str = ""
    dealer: str = ""
    product: str = ""
    amount: float | None = None
    decision: str = ""
    submitted: datetime | None = None
    decided: datetime | None = None
    funded: datetime | None = None
    score: Score | None = None
    said: tuple[Said, ...] = ()
    person: NodeRef | None = None
    clear: str = ""

    @property
    def stands(self) -> Said | None:
        """The newest label that none replaced."""
        return labels.standing(self.said)


@dataclass(frozen=True)
class Thing:
    """What several share. `holders` are numbers of members; `clear` only after a reveal that is on record."""

    number: int
    ref: NodeRef
    relation: str
    masked: str
    people: int
    holders: tuple[int, ...]
    clear: str = ""


@dataclass(frozen=True)
class Asked:
    """A question to the graph or the casebook, and how much came back."""

    what: str
    as_of: datetime
    count: int


@dataclass(frozen=True)
class Facts:
    case: Case
    as_of: datetime
    ring: Mapping[str, Any] | None
    members: tuple[Member, ...]
    things: tuple[Thing, ...]
    picture: Picture
    entries: tuple[casefile.Entry, ...]
    files: tuple[Attached, ...]
    trail: tuple[audit.Entry, ...]
    anchor: Anchor | None
    asked: tuple[Asked, ...]
    checklist: tuple[Standing, ...] = ()
    people: Mapping[str, str] = field(default_factory=dict)
    """Display names by user name."""

    states: Mapping[str, str] = field(default_factory=dict)
    """By application what holds, the lender's own outcomes among it: fraud, suspected, legit."""

    def of_dealer(self, dealer: str) -> Facts:
        """As if nothing but the applications of one dealer existed."""
        own = tuple(each for each in self.members if each.dealer == dealer)
        numbered = tuple(replace(each, number=at) for at, each in enumerate(own, start=1))
        return replace(
            self, ring=None, members=numbered, things=(), picture=Picture(), entries=(), files=(), trail=(),
            asked=(), checklist=(), states={},
        )  # fmt: skip

    def named(self, user: str) -> str:
        return self.people.get(user, user)


class Asking:
    """Reads the graph and keeps the questions."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.asked = reader, list[Asked]()

    def note(self, what: str, count: int) -> None:
        self.asked.append(Asked(what, self.reader.as_of, count))

    def members(self, names: Sequence[str]) -> list[Member]:
        refs = [NodeRef("Application", name) for name in names]
        nodes = self.reader.nodes(refs)
        self.note("applications", len(nodes))
        around = self.reader.store.neighbours(
            refs, as_of=self.reader.as_of, limit=8, relations=["APPLIED", "SOLD_BY"], totals=False
        )
        self.note("applicants and dealers", sum(len(each.links) for each in around))
        ends = {one.ref: {link.type: link.other for link in one.links} for one in around}
        people = self.reader.nodes(end["APPLIED"] for end in ends.values() if "APPLIED" in end)
        return [
            _member(number, ref, nodes.get(ref), ends.get(ref, {}), people) for number, ref in enumerate(refs, start=1)
        ]


def with_casebook(db: Connection, members: Iterable[Member]) -> tuple[Member, ...]:
    """With the newest scores and everything ever said of each."""
    told = list(members)
    names = [each.name for each in told]
    found, said = scores.newest(db, names), labels.of_all(db, names)
    return tuple(replace(each, score=found.get(each.name), said=tuple(said.get(each.name, ()))) for each in told)


def things(ring: Mapping[str, Any] | None, members: Sequence[Member]) -> tuple[Thing, ...]:
    numbers = {each.name: each.number for each in members}
    return tuple(
        Thing(
            at, NodeRef(one["type"], one["key"]), one["relation"], one["masked"], one["people"],
            tuple(sorted(numbers[name] for name in one["holders"] if name in numbers)),
        )
        for at, one in enumerate((ring or {}).get("shared", ()), start=1)
    )  # fmt: skip


def trail(db: Connection, case: Case) -> tuple[tuple[audit.Entry, ...], Anchor | None]:
    """What the audit log holds about the case and what it is about, and its head: where the chain stood."""
    found: dict[int, audit.Entry] = {}
    for subject in (f"C{case.id}", case.subject):
        for one in audit.newest(db, audit.Asked(subject=subject), start=0, limit=LATEST_AUDIT):
            if one.subject == subject:
                found[one.id] = one
    return tuple(found[number] for number in sorted(found)), audit.head(db)


def files(db: Connection, case: Case) -> tuple[Attached, ...]:
    return tuple(attached.of(db, case.id))


def _member(
    number: int, ref: NodeRef, node: Node | None, ends: Mapping[str, NodeRef], people: Mapping[NodeRef, Node]
) -> Member:
    held: Mapping[str, Any] = {} if node is None else node.properties
    who = people.get(ends["APPLIED"]) if "APPLIED" in ends else None
    return Member(
        number, ref.key,
        applicant="" if who is None else str(who.properties.get("name_masked") or who.masked),
        dealer=ends["SOLD_BY"].key if "SOLD_BY" in ends else "",
        product=str(held.get("product", "")), amount=held.get("amount"), decision=str(held.get("decision", "")),
        person=ends.get("APPLIED"), submitted=_at(held, "submitted_at"),
        decided=_at(held, "decided_at"), funded=_at(held, "funded_at"),
    )  # fmt: skip


def _at(held: Mapping[str, Any], name: str) -> datetime | None:
    value = held.get(name)
    return None if value is None else from_millis(int(value))
