"""What people do with cases: take, lock, assign, snooze, decide. Each act leaves an entry and an audit row with it.

An investigator acts on cases that are nobody's or his own. Whoever acts says which entry he saw last; where somebody
else did something after it, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from graph.errors import InputError, NotAllowed
from workbench.casebook import audit, cases, people, queue
from workbench.casebook.case_changes import again
from workbench.casebook.case_tables import cases as table
from workbench.casebook.cases import BY_HAND, CLOSED, MERGED, OPEN, OUTCOMES, WAITING, WORKING, Case
from workbench.casebook.queue import Asker
from workbench.casebook.queue_query import ALL, Query
from workbench.casebook.words import remark, stated
from workbench.services.cases.case_acts import LOCK, Acting, Change, Done, Selection, require_free
from workbench.services.cases.case_opening import finding
from workbench.services.office import Office
from workbench.services.permissions import MAY, Act, Person
from workbench.services.subject import Subject

LONGEST_SNOOZE = timedelta(days=90)
LONGEST_REASON = 500


class Cases:
    def __init__(self, office: Office) -> None:
        self._office = office

    # Reading -----------------------------------------------------------------------------------------------

    def get(self, who: Person, number: int) -> Case:
        """Raises NodeNotFound."""
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            return cases.get(db, number)

    def for_subject(self, who: Person, subject: Subject, *, open: bool = False) -> Case | None:  # noqa: A002
        """The one that is not closed; where all are, the last. With `open`, one is opened where none is."""
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            case = cases.latest(db, subject.kind, subject.name)
        if not open or (case is not None and not case.closed):
            return case
        who.require(Act.WORK)
        found, now = finding(self._office, subject), self._office.clock()
        with self._office.casebook.writing() as db:
            case = cases.latest(db, subject.kind, subject.name)
            if case is None or case.closed:
                cases.open_all(db, [found], because=BY_HAND, now=now, author=who.name)
                case = cases.latest(db, subject.kind, subject.name)
                assert case is not None  # noqa: S101 - just opened
                audit.write(db, who, "case.opened", case.name, now=now, detail={"subject": subject.name})
        return case

    # Taking ------------------------------------------------------------------------------------------------

    def take_next(self, who: Person, asked: Query) -> Case | None:
        """The first by that order of those that match, are open, and nobody else's or locked: it is his now, and
        locked. None where there is none. Two people never get the same one."""
        who.require(Act.WORK)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            by = Asker(who.name, now, queue.since(db, who.name))
            which = queue.where(replace(asked, tab=ALL, status=(OPEN,)), by)
            free = (table.c.locked_by == "") | (table.c.locked_until <= now) | (table.c.locked_by == who.name)
            mine = table.c.assignee.in_(("", who.name))
            number = db.execute(
                select(table.c.id)
                .where(which, free, mine, table.c.ended_at.is_(None))
                .order_by(*queue.ordered(asked))
                .limit(1)
            ).scalar()
            return None if number is None else self._take(db, who, cases.get(db, number), now)

    def take(self, who: Person, number: int) -> Case:
        """As `take_next`, of this one."""
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            return self._take(db, who, cases.get(db, number), now)

    def _take(self, db: Connection, who: Person, case: Case, now: datetime) -> Case:
        mine = {"assignee": who.name, "status": WORKING, "locked_by": who.name, "locked_until": now + LOCK}
        change = Change(mine | {"snoozed_until": None}, "taken", {"assignee": who.name, "status": WORKING})
        Acting(who, "case.taken", now).on(db, {case.id: _newest(db, case.id)}, lambda _: change)
        return cases.get(db, case.id)

    def lock(self, who: Person, number: int) -> Case:
        """For him alone while he works on it, and for 20 minutes after; again, it lasts anew."""
        who.require(Act.WORK)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            case = cases.get(db, number)
            if case.locked_by == who.name and case.locked(now):
                cases.change(db, number, locked_until=now + LOCK)
            else:
                locked = Change({"locked_by": who.name, "locked_until": now + LOCK}, "locked")
                Acting(who, "case.locked", now).on(db, {number: _newest(db, number)}, lambda _: locked)
            return cases.get(db, number)

    def unlock(self, who: Person, number: int) -> Case:
        """Seniors and managers may free what somebody else holds."""
        who.require(Act.WORK)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            case = cases.get(db, number)
            if not case.locked_by:
                return case
            require_free(who, case, now)
            free = Change({"locked_by": "", "locked_until": None}, "unlocked", {"from": case.locked_by})
            Acting(who, "case.unlocked", now).do(db, case, free)
            return cases.get(db, number)

    # On one or on many -------------------------------------------------------------------------------------

    def assign(self, who: Person, chosen: Selection, assignee: str) -> Done:
        """ "" gives them back. To oneself an investigator assigns what is nobody's; to others a senior or manager."""
        if assignee not in ("", who.name):
            who.require(Act.ASSIGN)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            _may_be_given(db, assignee)

            def change(case: Case) -> Change:
                values: dict[str, object] = {"assignee": assignee}
                if case.locked_by != assignee:
                    values |= {"locked_by": "", "locked_until": None}
                if not assignee and case.status == WORKING:
                    values["status"] = OPEN
                return Change(values, "assigned", {"assignee": assignee, "from": case.assignee})

            return Acting(who, "case.assigned", now).on(db, chosen, change)

    def snooze(self, who: Person, chosen: Selection, until: datetime, reason: str) -> Done:
        """Out of sight till then, or till risk or money rises."""
        now, kept = self._office.clock(), _reason(reason)
        if not now < until <= now + LONGEST_SNOOZE:
            raise InputError(f"snooze until a time to come, {LONGEST_SNOOZE.days} days ahead at most")

        def change(case: Case) -> Change:
            values = {"snoozed_until": until, "locked_by": "", "locked_until": None}
            content = {"until": until.isoformat(), "facts": dict(cases.gist(vars(case)))}
            return Change(values, "snoozed", content, kept)

        return self._act(Acting(who, "case.snoozed", now), chosen, change)

    def wake(self, who: Person, chosen: Selection) -> Done:
        def change(case: Case) -> Change:
            if not case.snoozed(now):
                raise InputError(f"{case.name} is not snoozed")
            return Change({"snoozed_until": None}, "woke")

        now = self._office.clock()
        return self._act(Acting(who, "case.woken", now), chosen, change)

    def set_status(self, who: Person, chosen: Selection, status: str) -> Done:
        """Open, working or waiting; closing has reasons of its own."""
        if status not in (OPEN, WORKING, WAITING):
            raise InputError(f"status {status[:12]!r} is none; it takes one of {OPEN}, {WORKING}, {WAITING}")

        def change(case: Case) -> Change:
            return Change({"status": status}, "status", {"status": status, "from": case.status})

        return self._act(Acting(who, "case.status", self._office.clock()), chosen, change)

    def set_deadline(self, who: Person, chosen: Selection, deadline: datetime | None) -> Done:
        """None takes it away."""
        now = self._office.clock()
        if deadline is not None and deadline <= now:
            raise InputError("a deadline lies ahead; choose a later day")

        def change(case: Case) -> Change:
            before, after = (None if at is None else at.isoformat() for at in (case.deadline, deadline))
            return Change({"deadline": deadline}, "deadline", {"to": after, "from": before})

        return self._act(Acting(who, "case.deadline", now), chosen, change)

    def close(self, who: Person, chosen: Selection, outcome: str, reason: str, *, checked: Collection[int]) -> Done:
        """`checked` are the cases of whose checklist nothing was forgotten (`closing.py`); any other is refused."""
        if outcome not in OUTCOMES:
            raise InputError(f"outcome {outcome[:24]!r} is none; it takes one of {', '.join(OUTCOMES)}")
        now, kept = self._office.clock(), _reason(reason)

        def change(case: Case) -> Change:
            if case.id not in checked:
                raise InputError(f"{case.name} has a checklist; close it on its page")
            values = {
                "status": CLOSED, "outcome": outcome, "closed_at": now, "closed_by": who.name, "closing_reason": kept,
                "snoozed_until": None, "locked_by": "", "locked_until": None, "assignee": case.assignee or who.name,
            }  # fmt: skip
            return Change(values, "closed", {"outcome": outcome, "facts": dict(cases.gist(vars(case)))}, kept)

        return self._act(Acting(who, "case.closed", now), chosen, change)

    def reopen(self, who: Person, chosen: Selection, reason: str) -> Done:
        now, kept = self._office.clock(), _reason(reason)
        with self._office.casebook.writing() as db:

            def change(case: Case) -> Change:
                if not case.closed:
                    raise InputError(f"{case.name} is not closed")
                if case.outcome == MERGED:
                    raise InputError(f"{case.name} {case.closing_reason}; work on it there")
                other = cases.latest(db, case.kind, case.subject)
                if other is not None and not other.closed:
                    raise InputError(f"{other.name} is open for {case.subject}; work on it there")
                values = again(BY_HAND, now) | {"assignee": who.name if case.assignee == who.name else ""}
                return Change(values, "reopened", {"because": BY_HAND, "outcome": case.outcome}, kept)

            return Acting(who, "case.reopened", now, reopening=True).on(db, chosen, change)

    def _act(self, acting: Acting, chosen: Selection, change: Callable[[Case], Change]) -> Done:
        with self._office.casebook.writing() as db:
            return acting.on(db, chosen, change)


def _newest(db: Connection, number: int) -> int:
    return queue.entries(db, [number]).get(number, 0)


def _reason(text: str) -> str:
    return remark("reason", stated("reason", text, LONGEST_REASON), LONGEST_REASON)


def _may_be_given(db: Connection, assignee: str) -> None:
    if not assignee:
        return
    user = people.get(db, assignee)
    if user is None or user.disabled_at is not None:
        raise InputError(f"nobody called {assignee[:32]!r} works here; choose somebody from the list")
    if user.role not in MAY[Act.WORK]:
        raise NotAllowed(f"{assignee} may not work on cases; choose an investigator")
