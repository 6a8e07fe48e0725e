"""How an act on cases is done: on one or on many, whole or not at all for each, with an entry and an audit row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from graph.errors import InputError, NotAllowed, RingroadError
from workbench.casebook import audit, casefile, cases, queue
from workbench.casebook.case_tables import case_entries
from workbench.casebook.casefile import NOTE, Stale
from workbench.casebook.cases import OURSELVES, Case
from workbench.casebook.queue import Asker
from workbench.casebook.queue_query import Query
from workbench.services.cases.case_reach import may_work, others
from workbench.services.permissions import Act, Person

LOCK = timedelta(minutes=20)
"""Work on a case renews its lock."""

MOST = 1_000
"""Cases of one act."""

Seen = Mapping[int, int]
"""Cases by number, each with the newest entry that was on the screen."""

Selection = Seen | Query
"""Those cases; or all that match, on every page."""


class Locked(RingroadError):
    """Somebody else has the case before him."""

    status = 423


class Change(NamedTuple):
    """What an act does to a case: columns, and its entry."""

    values: Mapping[str, Any]
    kind: str
    content: Mapping[str, Any] = {}
    text: str = ""


@dataclass(frozen=True)
class Done:
    """`refused`: (number, why). Of one case alone, why it is refused is raised."""

    done: tuple[int, ...]
    refused: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Acting:
    """Somebody who does something now. `action` is what the audit log calls it."""

    who: Person
    action: str
    now: datetime
    reopening: bool = False

    def on(self, db: Connection, chosen: Selection, change: Callable[[Case], Change]) -> Done:
        """`db` is of `Casebook.writing`; `change` may refuse a case by raising."""
        self.who.require(Act.WORK)
        seen = self._chosen(db, chosen)
        told = cases.some(db, seen)
        newer = _newer(db, self.who, seen)
        done, refused = list[int](), list[tuple[int, str]]()
        for number in seen:
            try:
                case = told.get(number) or cases.get(db, number)
                self._may(case, newer.get(number))
                self.do(db, case, change(case))
            except RingroadError as error:
                if len(seen) == 1:
                    raise
                refused.append((number, error.message))
            else:
                done.append(number)
        return Done(tuple(done), tuple(refused))

    def _chosen(self, db: Connection, chosen: Selection) -> Seen:
        if not isinstance(chosen, Query):
            if not 1 <= len(chosen) <= MOST:
                raise InputError(f"choose 1 to {MOST:,} cases")
            return chosen
        by = Asker(self.who.name, self.now, queue.since(db, self.who.name))
        found = queue.ids(db, replace(chosen, offset=0), by, limit=MOST + 1)
        if len(found) > MOST:
            raise InputError(f"more than {MOST:,} cases match, which is the most at once; filter further")
        if not found:
            raise InputError("no case matches any more; look again")
        newest = db.execute(select(func.max(case_entries.c.id))).scalar() or 0
        return dict.fromkeys(found, newest)

    def _may(self, case: Case, newer: tuple[str, str] | None) -> None:
        if not may_work(self.who, case):
            raise NotAllowed(others(case))
        if case.closed and not self.reopening:
            raise InputError(f"{case.name} is closed; open it again first")
        if newer is not None:
            author, kind = newer
            raise Stale(f"{author} worked on {case.name} meanwhile ({kind}); nothing was written, look again")
        require_free(self.who, case, self.now)

    def do(self, db: Connection, case: Case, change: Change) -> None:
        """Row, entry and audit row; who works on a case has seen what joined it, and keeps his lock."""
        worked: dict[str, Any] = {"changed_at": self.now, "grown": 0}
        if case.locked_by == self.who.name and case.locked(self.now):
            worked["locked_until"] = self.now + LOCK
        cases.change(db, case.id, **worked | dict(change.values))
        casefile.enter(
            db, case.id, change.kind, change.text, author=self.who.name, now=self.now, content=change.content
        )
        detail = {"subject": case.subject, **change.content}
        audit.write(db, self.who, self.action, case.name, now=self.now, detail=detail, reason=change.text)


def require_free(who: Person, case: Case, now: datetime) -> None:
    """Raises Locked where somebody else has it before him; seniors and managers may step in."""
    if case.locked(now) and case.locked_by != who.name and not who.may(Act.WORK_ANY):
        assert case.locked_until is not None  # noqa: S101 - or it would not be locked
        left = max(1, round((case.locked_until - now).total_seconds() / 60))
        raise Locked(f"{case.locked_by} has {case.name} open; it is free in {left} min at the latest")


def _newer(db: Connection, who: Person, seen: Seen) -> dict[int, tuple[str, str]]:
    """Per case who else did what, last, after the entry that was seen. A note takes nothing away, nor does a run."""
    found: dict[int, tuple[str, str]] = {}
    numbers: Sequence[int] = list(seen)
    for at in range(0, len(numbers), cases.SOME):
        some = numbers[at : at + cases.SOME]
        rows = select(case_entries).where(
            case_entries.c.case_id.in_(some),
            case_entries.c.id > min(seen[each] for each in some),
            case_entries.c.author.not_in((who.name, OURSELVES)),
            case_entries.c.kind != NOTE,
        )
        for row in db.execute(rows.order_by(case_entries.c.id)):
            if row.id > seen[row.case_id]:
                found[row.case_id] = (row.author, row.kind)
    return found
