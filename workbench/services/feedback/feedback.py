"""What people find out about applications, and what follows from it at once: labels, their second person, the rings.

A label goes into the casebook first and then into the journal of the score service, so that a process that is stopped
in between does the rest when the same request comes again. The rings are found anew after that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from graph.errors import InputError, NodeNotFound, NotAllowed
from graph.records import NodeRef
from workbench import labelfile
from workbench.casebook import audit, casefile, cases, confirming, labels, queue
from workbench.casebook.confirming import Flips
from workbench.casebook.labels import FINAL, Label, Said
from workbench.casebook.queue import Asker
from workbench.casebook.queue_query import Query
from workbench.instance import EVERYTHING
from workbench.services.cases.case_acts import Selection
from workbench.services.cases.case_reach import may_work, others
from workbench.services.feedback.labelling import Rescoring, Telling, Verdict, tell
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.subject import Subject

if TYPE_CHECKING:
    from workbench.services.feedback.rescoring import Rescored

RingOf = Callable[[Person], Mapping[str, str]]
Members = Callable[[Person, str], Sequence[str]]

MOST = 500
"""Applications of one act."""

SHOWN = 2_000
"""So many labels stand in the table of all."""

REJECTED = "INSUFFICIENT"
FLIPS_SINCE = timedelta(days=365)


@dataclass(frozen=True)
class Done:
    """`again`: the same request was answered before. `changes` is what the rings made of it. `waiting`: so many of the
    labels count as suspected until a second person confirms."""

    ids: tuple[int, ...]
    again: bool
    waiting: int
    changes: Rescored


@dataclass(frozen=True)
class Waiting:
    """A label that wants a second person. `mine`: who looks said it himself."""

    said: Said
    ring: str
    case: int | None
    mine: bool


class Feedback:
    def __init__(self, office: Office, rescoring: Rescoring, ring_of: RingOf, members: Members) -> None:
        """`ring_of(who)` names the ring of each application that stands in one, `members(who, ring_id)` its own."""
        self.office, self.rescoring, self._ring_of, self._members = office, rescoring, ring_of, members

    # Telling -----------------------------------------------------------------------------------------------

    def propose(
        self, who: Person, applications: Iterable[str], verdict: Verdict, *, request_key: str,
        about: Subject | None = None,
    ) -> Done:  # fmt: skip
        """A label each, whole or not at all. What held before is superseded; what two people said, only by who may
        confirm. The same `request_key` again changes nothing.
        """
        names = list(dict.fromkeys(applications))
        with self.office.casebook.reading() as db:
            case = self._case(db, who, about)
        return self._proposed(who, names, verdict, request_key, {} if case is None else {case: names})

    def propose_on_cases(self, who: Person, chosen: Selection, verdict: Verdict, *, request_key: str) -> Done:
        """The same of all applications of these cases: those that their rings hold now. All or none."""
        who.require(Act.WORK)
        by_case: dict[int, list[str]] = {}
        with self.office.casebook.reading() as db:
            for case in cases.some(db, _numbers(db, who, chosen, self.office.clock())).values():
                if not may_work(who, case):
                    raise NotAllowed(others(case))
                ring = case.kind == cases.RING
                by_case[case.id] = list(self._members(who, case.subject)) if ring else [case.subject]
        names = list(dict.fromkeys(name for own in by_case.values() for name in own))
        return self._proposed(who, names, verdict, request_key, by_case)

    def _proposed(
        self, who: Person, names: list[str], verdict: Verdict, request_key: str, by_case: Mapping[int, list[str]]
    ) -> Done:
        who.require(Act.WORK)
        if not 1 <= len(names) <= MOST:
            raise InputError(f"choose 1 to {MOST} applications")
        self._there(names)
        telling = Telling(who, "label.proposed", self.office.clock())
        with self.office.casebook.writing() as db:
            before = confirming.of_many(db, names)
            added = [
                _add(db, telling, _label(who, each, verdict), before.get(each, ()), f"{request_key}/{each}")
                for each in names
            ]
            new = [each.id for each in added if not each.again]
            for case, own in by_case.items() if new else ():
                content = {"label": verdict.label, "typology": verdict.typology, "applications": own[:50],
                           "count": len(own)}  # fmt: skip
                casefile.enter(db, case, "label", verdict.note, author=who.name, now=telling.now, content=content)
        waiting = len(names) if verdict.needs_second else 0
        return self._told(who, tuple(each.id for each in added), names, again=not new, waiting=waiting)

    def confirm(self, who: Person, label_id: int, *, request_key: str) -> Done:
        """Its second person: the same said again, with both names."""
        who.require(Act.CONFIRM)
        now = self.office.clock()
        with self.office.casebook.writing() as db:
            said = _open(db, label_id, request_key)
            if said.label.author.casefold() == who.name.casefold():
                raise NotAllowed(f"label {label_id} is your own; somebody else confirms it")
            label = replace(said.label, second_author=who.name, supersedes=label_id)
            added = Telling(who, "label.confirmed", now).write(db, label, request_key)
            if not added.again:
                self._note(db, who, said, "confirmed")
        return self._told(who, (added.id,), [said.label.application_id], again=added.again)

    def reject(self, who: Person, label_id: int, reason: str, *, request_key: str) -> Done:
        """By who may confirm, or by its author, who takes it back: there is not enough evidence, for a reason."""
        who.require(Act.WORK)
        if not reason.strip():
            raise InputError("state why it is not enough; who proposed it wants to know")
        now = self.office.clock()
        with self.office.casebook.writing() as db:
            said = _open(db, label_id, request_key)
            own = said.label.author.casefold() == who.name.casefold()
            if not own:
                who.require(Act.CONFIRM)
            label = Label(
                application_id=said.label.application_id, label=REJECTED, source="review", maturity=FINAL,
                author=who.name, note=reason, supersedes=label_id,
            )  # fmt: skip
            action = "label.withdrawn" if own else "label.rejected"
            added = Telling(who, action, now).write(db, label, request_key)
            if not added.again:
                self._note(db, who, said, action.removeprefix("label."), reason)
        return self._told(who, (added.id,), [said.label.application_id], again=added.again)

    # What follows ------------------------------------------------------------------------------------------

    def _told(self, who: Person, ids: Sequence[int], names: Sequence[str], *, again: bool, waiting: int = 0) -> Done:
        """Also when it was told before: what told it may have been stopped before the rest was done."""
        tell(self.office, ids)
        cause = f"label {ids[0]}" if len(ids) == 1 else f"labels {ids[0]} to {ids[-1]}"
        return Done(tuple(ids), again, waiting, self.rescoring.after(who, cause, list(names)))

    def _note(self, db: Connection, who: Person, said: Said, what: str, why: str = "") -> None:
        """On the case of its ring, or its own."""
        name = said.label.application_id
        about = [(cases.RING, ring)] if (ring := self._ring_of(who).get(name)) else []
        found = [cases.latest(db, *each) for each in (*about, (cases.APPLICATION, name))]
        case = next((each for each in found if each is not None and not each.closed), None)
        if case is not None:
            content = {"label": said.label.label, "typology": said.label.typology, "applications": [name], "count": 1,
                       "what": what, "of": said.label.author}  # fmt: skip
            casefile.enter(db, case.id, "label", why, author=who.name, now=self.office.clock(), content=content)

    def _there(self, names: Sequence[str]) -> None:
        """A number mistyped would be a label of nothing, and nobody would notice."""
        refs = [NodeRef("Application", each) for each in names]
        found = self.office.store.nodes(refs, as_of=EVERYTHING)
        missing = [ref.key for ref in refs if ref not in found]
        if missing:
            raise NodeNotFound(f"no application {missing[0]} is loaded; choose one of the ring")

    def _case(self, db: Connection, who: Person, about: Subject | None) -> int | None:
        case = None if about is None else cases.latest(db, about.kind, about.name)
        if case is None or case.closed:
            return None
        if not may_work(who, case):
            raise NotAllowed(others(case))
        return case.id

    # Reading -----------------------------------------------------------------------------------------------

    def said(self, who: Person, applications: Iterable[str]) -> dict[str, list[Said]]:
        """Everything ever said of each, in order."""
        who.require(Act.READ)
        with self.office.casebook.reading() as db:
            return confirming.of_many(db, applications)

    def waiting(self, who: Person) -> list[Waiting]:
        """What wants a second person, the oldest first."""
        who.require(Act.READ)
        rings = self._ring_of(who)
        with self.office.casebook.reading() as db:
            found = confirming.waiting(db)
            names = [each.label.application_id for each in found]
            own = cases.of_subjects(db, cases.APPLICATION, names)
            of_rings = cases.of_subjects(db, cases.RING, {rings[each] for each in names if each in rings})
        told = []
        for each in found:
            name = each.label.application_id
            case = of_rings.get(rings.get(name, "")) or own.get(name)
            mine = each.label.author.casefold() == who.name.casefold()
            told.append(Waiting(each, rings.get(name, ""), None if case is None else case.id, mine))
        return told

    def count_waiting(self, who: Person) -> int:
        """Those that this person could confirm; 0 for who may not."""
        if not who.may(Act.CONFIRM):
            return 0
        with self.office.casebook.reading() as db:
            return sum(each.label.author.casefold() != who.name.casefold() for each in confirming.waiting(db))

    def newest(self, who: Person, most: int = SHOWN) -> list[Said]:
        """The labels told last, in order, with all that they may supersede or be superseded by among them."""
        who.require(Act.READ)
        with self.office.casebook.reading() as db:
            return list(labels.since(db, max(0, labels.count(db) - most)))

    def export(self, who: Person, form: str) -> bytes:
        """All labels as a file, on record."""
        who.require(Act.EXPORT)
        with self.office.casebook.reading() as db:
            every = labels.since(db, 0)
        now = self.office.clock()
        with self.office.casebook.writing() as db:
            audit.write(db, who, "labels.exported", "labels", now=now, detail={"labels": len(every), "format": form})
        return labelfile.written(every, form)

    def flips(self, who: Person) -> list[Flips]:
        """Whose labels others corrected in a year; for managers, and for who reads the audit log."""
        if not (who.may(Act.USERS) or who.may(Act.AUDIT)):
            raise NotAllowed("only a manager or an auditor sees how often whose labels were corrected")
        with self.office.casebook.reading() as db:
            return confirming.flips(db, since=self.office.clock() - FLIPS_SINCE)


def _open(db: Connection, label_id: int, request_key: str) -> Said:
    """The label, which waits for a second person, or this very request answered it."""
    said = labels.get(db, label_id)
    if labels.requested(db, request_key) is None and all(each.id != label_id for each in confirming.waiting(db)):
        raise InputError(f"label {label_id} no longer waits for a second person; look again")
    return said


def _label(who: Person, name: str, verdict: Verdict) -> Label:
    return Label(
        application_id=name, label=verdict.label, source=verdict.source, maturity=verdict.maturity, author=who.name,
        occurred_at=verdict.occurred_at, typology=verdict.typology, evidence_level=verdict.evidence_level,
        note=verdict.note,
    )  # fmt: skip


def _add(db: Connection, telling: Telling, label: Label, before: Sequence[Said], key: str) -> labels.Added:
    """In place of what holds of the application, `before` being all that was said of it."""
    again, last = labels.requested(db, key), confirming.standing(before)
    if again is None and last is not None and last.label.second_author and not telling.who.may(Act.CONFIRM):
        raise NotAllowed(
            f"label {last.id} of {label.application_id} was confirmed by two people; a senior investigator corrects it"
        )
    supersedes = again.label.supersedes if again else None if last is None else last.id
    return telling.write(db, replace(label, supersedes=supersedes), key)


def _numbers(db: Connection, who: Person, chosen: Selection, now: datetime) -> list[int]:
    """Of cases that were chosen one by one, or all that match."""
    if not isinstance(chosen, Query):
        return list(chosen)
    by = Asker(who.name, now, queue.since(db, who.name))
    return list(queue.ids(db, replace(chosen, offset=0), by, limit=MOST + 1))
