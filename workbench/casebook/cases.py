"""Cases: what there is to work on, one for each ring or application at a time, and how its work stands.

Who may do what is asked in `workbench/services/cases/cases.py`. Every change leaves an entry (`casefile.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from graph.errors import InputError, NodeNotFound
from workbench.casebook.case_tables import case_entries, cases

RING, APPLICATION = "ring", "application"

STATUSES = OPEN, WORKING, WAITING, CLOSED = ("open", "working", "waiting", "closed")
OUTCOMES = ("confirmed_fraud", "valuable", "false_positive", "no_finding")
MERGED = "merged"
"""Outcome of a case that became part of another one; nobody chooses it."""

FOUND, GREW, SCORED, BY_HAND = "found", "grew", "scored", "by_hand"
"""Why a case was opened, or opened again."""

OURSELVES = "ringroad"
"""Author of what nobody did."""

SOME = 500
"""SQLite takes a limited number of parameters."""

MANY = 5_000
"""It is quicker to read all than to ask for so many."""


@dataclass(frozen=True)
class Finding:
    """What is known now of a ring or an application. Money in RMB; `reasons` are codes."""

    kind: str
    subject: str
    score: float
    size: int
    exposure: float
    savable: float
    typology: str
    because: str
    reasons: tuple[str, ...]
    dealer: str
    region: str
    first_seen: datetime
    last_seen: datetime
    pays_out_at: datetime | None = None


FACTS = tuple(each.name for each in fields(Finding))[2:]
"""What of a case follows the ring or the application."""


@dataclass(frozen=True)
class Case(Finding):
    """A row of `cases`."""

    id: int = 0
    ended_at: datetime | None = None
    grown: int = 0
    status: str = OPEN
    outcome: str = ""
    assignee: str = ""
    locked_by: str = ""
    locked_until: datetime | None = None
    snoozed_until: datetime | None = None
    deadline: datetime | None = None
    opened_at: datetime | None = None
    opened_because: str = FOUND
    changed_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    closing_reason: str | None = None

    @property
    def name(self) -> str:
        return f"C{self.id}"

    @property
    def closed(self) -> bool:
        return self.status == CLOSED

    def locked(self, at: datetime) -> bool:
        return bool(self.locked_by) and self.locked_until is not None and at < self.locked_until

    def snoozed(self, at: datetime) -> bool:
        return not self.closed and self.snoozed_until is not None and at < self.snoozed_until


COLUMNS = tuple(each.name for each in fields(Case))
REASONS = COLUMNS.index("reasons")
ROW = select(*(cases.c[name] for name in COLUMNS))


# Reading -------------------------------------------------------------------------------------------------


def get(db: Connection, id: int) -> Case:  # noqa: A002 - the column's own name
    """Raises NodeNotFound."""
    row = db.execute(ROW.where(cases.c.id == id)).one_or_none()
    if row is None:
        raise NodeNotFound(f"there is no case C{id}; the queue has those that there are")
    return of_row(row)


def some(db: Connection, ids: Iterable[int]) -> dict[int, Case]:
    return {each.id: each for each in _chunked(db, cases.c.id, list(ids))}


def latest(db: Connection, kind: str, subject: str) -> Case | None:
    """The one that is not closed; where all are, the last."""
    which = (cases.c.kind == kind, cases.c.subject == subject)
    row = db.execute(ROW.where(*which).order_by(cases.c.status == CLOSED, cases.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else of_row(row)


def living(db: Connection, kind: str) -> dict[str, Case]:
    """By subject all of a kind that are not closed."""
    rows = db.execute(ROW.where(cases.c.kind == kind, cases.c.status != CLOSED))
    return {each.subject: each for each in map(of_row, rows)}


def living_among(db: Connection, kind: str, subjects: Sequence[str]) -> set[str]:
    """Those of the subjects that have a case that is not closed."""
    column = select(cases.c.subject).where(cases.c.kind == kind, cases.c.status != CLOSED)
    if len(subjects) > MANY:
        return set(db.execute(column).scalars()) & set(subjects)
    found: set[str] = set()
    for at in range(0, len(subjects), SOME):
        found |= set(db.execute(column.where(cases.c.subject.in_(subjects[at : at + SOME]))).scalars())
    return found


def money(db: Connection, kind: str) -> dict[str, tuple[float, float, datetime | None]]:
    """By subject of those that are not closed: exposure, what is savable, and when it is expected to go out."""
    columns = (cases.c.subject, cases.c.exposure, cases.c.savable, cases.c.pays_out_at)
    rows = db.execute(select(*columns).where(cases.c.kind == kind, cases.c.status != CLOSED))
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def of_subjects(db: Connection, kind: str, subjects: Iterable[str]) -> dict[str, Case]:
    """As `latest`, of many."""
    found: dict[str, Case] = {}
    told = [each for each in _chunked(db, cases.c.subject, list(subjects)) if each.kind == kind]
    for each in sorted(told, key=lambda one: (not one.closed, one.id)):
        found[each.subject] = each
    return found


def _chunked(db: Connection, column: Any, values: Sequence[Any]) -> list[Case]:
    rows: list[Row[Any]] = []
    for at in range(0, len(values), SOME):
        rows += db.execute(ROW.where(column.in_(values[at : at + SOME])))
    return [of_row(row) for row in rows]


def of_row(row: Row[Any]) -> Case:
    """Of `ROW`, whose columns stand in the order of the fields: there may be ten thousand."""
    columns: Any = (*row[:REASONS], tuple(row[REASONS]), *row[REASONS + 1 :])
    return Case(*columns)


# Writing -------------------------------------------------------------------------------------------------


def open_all(db: Connection, found: Sequence[Finding], *, because: str, now: datetime, author: str = OURSELVES) -> None:
    """A case for each; nobody may have one that is not closed. `db` is of `Casebook.writing`."""
    add(db, [_fresh(each, because, now) for each in found], now=now, author=author)


def _fresh(found: Finding, because: str, now: datetime) -> Case:
    facts = {name: getattr(found, name) for name in ("kind", "subject", *FACTS)}
    return Case(**facts, opened_at=now, changed_at=now, opened_because=because)


def add(db: Connection, told: Sequence[Case], *, now: datetime, author: str) -> None:
    """With the next numbers, whatever number they have; each with an entry that says how it began."""
    if not told:
        return
    first = (db.execute(select(func.max(cases.c.id))).scalar() or 0) + 1
    rows = [vars(each) | {"id": first + at, "reasons": list(each.reasons)} for at, each in enumerate(told)]
    db.execute(insert(cases), rows)
    enter_all(
        db,
        [(row["id"], "opened", "", {"because": row["opened_because"], "facts": gist(row)}) for row in rows],
        author=author,
        now=now,
    )


def enter_all(
    db: Connection, told: Iterable[tuple[int, str, str, Mapping[str, Any]]], *, author: str, now: datetime
) -> None:
    """Entries as (case, kind, text, content), in this order."""
    first = (db.execute(select(func.max(case_entries.c.id))).scalar() or 0) + 1
    rows = [
        {"id": number, "case_id": case, "at": now, "author": author, "kind": kind, "text": text, "content": dict(more)}
        for number, (case, kind, text, more) in enumerate(told, start=first)
    ]
    if rows:
        db.execute(insert(case_entries), rows)


def change(db: Connection, id: int, **values: Any) -> None:  # noqa: A002 - the column's own name
    db.execute(update(cases).where(cases.c.id == id).values(values))


def follow(db: Connection, found: Finding, *, now: datetime) -> Case | None:
    """What was found anew of a ring or an application stands on its case, unless that is closed: then it keeps what
    was decided about. None where there is no case."""
    case = latest(db, found.kind, found.subject)
    if case is None or case.closed:
        return case
    values: dict[str, Any] = {name: getattr(found, name) for name in FACTS} | {"reasons": list(found.reasons)}
    if moved(case, found):
        values["changed_at"] = now
    change(db, case.id, ended_at=None, **values)
    return get(db, case.id)


def end(db: Connection, ring_id: str, *, now: datetime, into: str = "") -> None:
    """Its ring is not found any more: the case stays with who works on it, and says so."""
    case = latest(db, RING, ring_id)
    if case is None or case.closed or case.ended_at is not None:
        return
    change(db, case.id, ended_at=now, changed_at=now)
    enter_all(db, [(case.id, "ended", "", {"into": into} if into else {})], author=OURSELVES, now=now)


def moved(case: Finding, found: Finding) -> bool:
    """Risk or money is not what it was, by however little."""
    return any(getattr(case, name) != getattr(found, name) for name in ("score", "size", "exposure", "savable"))


def gist(told: Mapping[str, Any]) -> dict[str, float]:
    """What an entry keeps of how things stood."""
    return {name: told[name] for name in ("score", "size", "exposure", "savable")}


def number(name: str) -> int:
    """Of a case's name, as people write it. Raises InputError."""
    digits = name.strip().upper().removeprefix("C")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        raise InputError("a case is called C and its number, e.g. C1042")
    return int(digits)
