"""The file of a case: what is known, what was done, by whom, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from graph.errors import InputError, NodeNotFound, NotAllowed
from graph.records import NodeRef
from workbench.casebook import attached, audit, casefile, cases, labels, lineages, mentions, people
from workbench.casebook.attached import Attached
from workbench.casebook.casefile import DONE, NOT_DONE, OPEN, Entry
from workbench.casebook.cases import RING, Case
from workbench.casebook.labels import Said
from workbench.casebook.words import remark, stated
from workbench.services.canvas.graph_marks import Marker, Marks
from workbench.services.canvas.graph_reading import Reader
from workbench.services.cases.case_reach import may_work, names_of, others, working
from workbench.services.cases.checklists import Facts, Standing, next_step, standing
from workbench.services.evidence.pack_facts import Asking, Member, with_casebook
from workbench.services.office import Office
from workbench.services.permissions import MAY, Act, Person
from workbench.services.rings import Rings
from workbench.services.subject import Subject

LONGEST_REASON = 1_000
FRAUD = ("CONFIRMED_FRAUD",)


@dataclass(frozen=True)
class File:
    """All that a page of a case shows. `seen` names its newest entry: who acts says which one he saw.

    `ring` is None for a single application, and for a ring of which nothing is left. `said` is the casebook's newest
    label of each; `marks` know the lender's own outcomes, too.
    """

    case: Case
    ring: Mapping[str, Any] | None
    applications: tuple[str, ...]
    said: Mapping[str, Said]
    marks: Marks
    entries: tuple[Entry, ...]
    files: tuple[Attached, ...]
    checklist: tuple[Standing, ...]
    people: Mapping[str, str]
    seen: int
    now: datetime
    may_work: bool
    may_note: bool

    @property
    def overdue(self) -> bool:
        deadline = self.case.deadline
        return not self.case.closed and deadline is not None and deadline < self.now

    @property
    def next_step(self) -> Standing | None:
        return None if self.case.closed else next_step(self.checklist)


class Casefiles:
    def __init__(self, office: Office, rings: Rings) -> None:
        self.office, self.rings, self._marker = office, rings, Marker(office)

    # Reading -----------------------------------------------------------------------------------------------

    def file(self, who: Person, number: int) -> File:
        """Raises NodeNotFound. Nothing in it is in the clear but what people wrote."""
        who.require(Act.READ)
        with self.office.casebook.reading() as db:
            case = cases.get(db, number)
        ring = self.ring_of(who, case)
        names = tuple(ring["application_ids"]) if ring else () if case.kind == RING else (case.subject,)
        now, links = self.office.clock(), {NodeRef("Application", name): 0 for name in names}
        marks = self._marker.marks(links, as_of=now, ring=None)
        with self.office.casebook.reading() as db:
            said = {
                name: newest
                for name, told in labels.of_all(db, names).items()
                if (newest := labels.standing(told)) is not None
            }
            told, labelled = casefile.entries(db, number), said.keys() | {ref.key for ref in marks.labels}
            return File(
                case, ring, names, said, marks,
                entries=tuple(told), files=tuple(attached.of(db, number)),
                checklist=self._checklist(db, case, ring, said, (len(labelled), len(names))), people=names_of(db),
                seen=told[-1].id if told else 0, now=now,
                may_work=may_work(who, case), may_note=may_work(who, case) or self._named(db, who, number),
            )  # fmt: skip

    def members(self, who: Person, file: File) -> tuple[Member, ...]:
        """Its applications with their dates, masked applicants, scores and labels, as of now."""
        who.require(Act.READ)
        told = Asking(Reader(self.office.store, file.now)).members(list(file.applications))
        with self.office.casebook.reading() as db:
            return with_casebook(db, told)

    def of_subject(self, who: Person, subject: Subject) -> Case | None:
        """The case that is open on it; where all are closed, the last."""
        who.require(Act.READ)
        with self.office.casebook.reading() as db:
            return cases.latest(db, subject.kind, subject.name)

    def ring_of(self, who: Person, case: Case) -> Mapping[str, Any] | None:
        """As it stands now, or as it stood when it was last found. None for a single application."""
        if case.kind != RING:
            return None
        try:
            return self.rings.ring(who, case.subject)
        except NodeNotFound:
            with self.office.casebook.reading() as db:
                past = lineages.history(db, case.subject, as_of=self.office.clock())
        if past is None or not past.states:
            return None
        try:
            return self.rings.ring(who, case.subject, as_of=past.states[-1].as_of)
        except NodeNotFound:
            return None

    def checklist(self, who: Person, number: int) -> tuple[Standing, ...]:
        return self.file(who, number).checklist

    def _checklist(
        self,
        db: Connection,
        case: Case,
        ring: Mapping[str, Any] | None,
        said: Mapping[str, Said],
        labelled: tuple[int, int],
    ) -> tuple[Standing, ...]:
        frauds = [each for each in said.values() if each.label.label in FRAUD]
        facts = Facts(
            case.kind, case.typology, case.savable,
            doubts=tuple((ring or {}).get("doubts", ())), reasons=case.reasons,
            labelled=labelled,
            confirmed=(sum(bool(each.label.second_author) for each in frauds), len(frauds)),
        )  # fmt: skip
        return standing(facts, casefile.ticks(db, case.id), casefile.own_items(db, case.id))

    # Notes -------------------------------------------------------------------------------------------------

    def note(self, who: Person, number: int, text: str) -> tuple[str, ...]:
        """Who is told of it: those whom it names with @. Who was named on a case may answer there."""
        who.require(Act.WORK)
        now = self.office.clock()
        with self.office.casebook.reading() as db:
            case = cases.get(db, number)
        ring = self.ring_of(who, case)
        names = {case.subject, case.dealer, *((ring or {}).get("application_ids", ()))}
        with self.office.casebook.writing() as db:
            case = cases.get(db, number)
            if not may_work(who, case) and not self._named(db, who, number):
                raise NotAllowed(others(case))
            living = {each.name for each in people.listed(db) if each.disabled_at is None}
            entry, told = casefile.note(db, number, text, author=who.name, users=living, names=names, now=now)
            audit.write(db, who, "case.note", case.name, now=now, detail={"entry": entry, "told": list(told)})
        return told

    def _named(self, db: Connection, who: Person, number: int) -> bool:
        return who.may(Act.WORK) and mentions.was_named(db, who.name, number)

    def colleagues(self, who: Person) -> list[tuple[str, str]]:
        """Whom a note may name: (name, display name) of everybody who can sign in, by name."""
        who.require(Act.READ)
        with self.office.casebook.reading() as db:
            return [(each.name, each.display_name) for each in people.listed(db) if each.disabled_at is None]

    def workers(self, who: Person) -> list[tuple[str, str]]:
        """Whom a case can be given to, as `colleagues`."""
        who.require(Act.ASSIGN)
        with self.office.casebook.reading() as db:
            told = [each for each in people.listed(db) if each.disabled_at is None and each.role in MAY[Act.WORK]]
        return [(each.name, each.display_name) for each in told]

    # The checklist -----------------------------------------------------------------------------------------

    def tick(self, who: Person, number: int, item: str, state: str, *, before: str, because: str = "") -> None:
        """`before` is the state that he saw. What is deliberately not done needs a reason."""
        if state not in (DONE, NOT_DONE, OPEN):
            raise InputError(f"state {state[:12]!r} is none; it takes one of {DONE}, {NOT_DONE}, {OPEN}")
        kept = stated("why it is not done", because, LONGEST_REASON) if state == NOT_DONE else ""
        kept = remark("why it is not done", kept, LONGEST_REASON)
        known = {each.item.key: each.item for each in self.checklist(who, number)}
        if item not in known:
            raise NodeNotFound("this item is not on the checklist any more; load the page again")
        now, words = self.office.clock(), known[item].words.en
        with self.office.casebook.writing() as db:
            case = working(db, who, number)
            casefile.tick(db, number, item, state, before=before, because=kept, words=words, author=who.name, now=now)
            detail = {"item": item, "state": state}
            audit.write(db, who, "case.tick", case.name, now=now, detail=detail, reason=kept)

    def add_item(self, who: Person, number: int, text: str) -> str:
        now = self.office.clock()
        with self.office.casebook.writing() as db:
            case = working(db, who, number)
            item = casefile.add_item(db, number, remark("the item", text, 200), author=who.name, now=now)
            audit.write(db, who, "case.item", case.name, now=now, detail={"item": item})
        return item
