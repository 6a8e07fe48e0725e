"""What everybody did, appended and never changed: each row's hash covers the one before.

Whoever changes a row, takes one out or puts two in another order breaks the chain there. Whoever can write the database
can also make a whole new chain, or cut its end: that shows against an anchor, a row's number and hash kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, select

from graph.errors import InputError
from workbench.casebook.people_tables import audit

if TYPE_CHECKING:
    from workbench.services.permissions import Person

NONE = "0" * 64
"""The hash before the first row."""

NOBODY, DOOR = "nobody", "door"
"""Actor and role of who is not signed in."""

ACTION = re.compile(r"[a-z_]+(\.[a-z_]+)*")
LONGEST_DETAIL = 16_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    id: int
    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    reason: str
    before: str
    hash: str


@dataclass(frozen=True)
class Anchor:
    """What to keep elsewhere: the log held this row then."""

    id: int
    hash: str
    at: datetime

    @classmethod
    def parse(cls, text: str) -> Anchor:
        """As `ringroad audit anchor` writes it. Raises InputError."""
        try:
            told = json.loads(text)
            found = cls(int(told["id"]), str(told["hash"]), datetime.fromisoformat(told["at"]))
        except (ValueError, KeyError, TypeError):
            raise InputError("this is no anchor; make one with `ringroad audit anchor`, or on the audit page") from None
        if found.at.tzinfo is None:
            raise InputError("this is no anchor: its time has no zone")
        return found


@dataclass(frozen=True)
class Verdict:
    """`bad`: the first row that is not as it was written, `because` why; None: all are."""

    rows: int
    head: Anchor | None
    bad: int | None = None
    because: str = ""


# Telling -------------------------------------------------------------------------------------------------


def write(
    db: Connection,
    who: Person,
    action: str,
    subject: str,
    *,
    now: datetime,
    detail: Mapping[str, Any] = {},
    reason: str = "",
) -> None:
    """In the transaction of the act itself: neither stands without the other. `db` is of `Casebook.writing`.

    `detail` takes what JSON takes; never an identifier, a password or a token.
    """
    append(db, who.name, who.on_record, action, subject, now=now, detail=detail, reason=reason)


def append(
    db: Connection,
    actor: str,
    role: str,
    action: str,
    subject: str,
    *,
    now: datetime,
    detail: Mapping[str, Any] = {},
    reason: str = "",
) -> Entry:
    """As `write`, for who is no `Person`: `NOBODY` at the `DOOR`."""
    if not ACTION.fullmatch(action) or len(action) > 32:
        raise InputError(f"action {action[:40]!r} is none; write it like case.closed")
    _fits("actor", actor, 64)
    _fits("subject", subject, 255)
    reason = " ".join(reason.split())
    _fits("reason", reason, 4_000)
    told = json.dumps(dict(detail), sort_keys=True, allow_nan=False)
    if len(told) > LONGEST_DETAIL:
        raise InputError(f"the detail of {action} has {len(told)} characters; {LONGEST_DETAIL} at most")
    last = head(db)
    entry = Entry(
        id=last.id + 1 if last else 1, at=now.astimezone(UTC), actor=actor, role=str(role), action=action,
        subject=subject, detail=json.loads(told), reason=reason, before=last.hash if last else NONE, hash="",
    )  # fmt: skip
    entry = replace(entry, hash=digest(entry))
    db.execute(insert(audit), vars(entry))
    return entry


def digest(entry: Entry) -> str:
    """SHA-256 of all fields but the hash itself, as canonical JSON; times as whole microseconds of UTC."""
    fields = vars(entry) | {"at": (entry.at - EPOCH) // timedelta(microseconds=1)}
    del fields["hash"]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _fits(field: str, text: str, longest: int) -> None:
    if len(text) > longest or not text.isprintable():
        raise InputError(f"{field} of an audit entry takes up to {longest} characters that print")


# Reading -------------------------------------------------------------------------------------------------


def head(db: Connection) -> Anchor | None:
    """The newest row; None while there is none."""
    newest = select(func.max(audit.c.id)).scalar_subquery()
    row = db.execute(select(audit.c.id, audit.c.hash, audit.c.at).where(audit.c.id == newest)).one_or_none()
    return None if row is None else Anchor(row.id, row.hash, row.at)


@dataclass(frozen=True)
class Asked:
    """Which rows; what is empty asks for all. `actor` and `action` begin so, or are so `exactly`; `subject` has it."""

    actor: str = ""
    action: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    exactly: bool = False

    def where(self) -> list[ColumnElement[bool]]:
        asked: list[ColumnElement[bool]] = []
        for column, text in ((audit.c.actor, self.actor), (audit.c.action, self.action)):
            if text:
                asked.append(column == text if self.exactly else column.startswith(text, autoescape=True))
        if self.subject:
            asked.append(audit.c.subject.contains(self.subject, autoescape=True))
        if self.since:
            asked.append(audit.c.at >= self.since)
        if self.until:
            asked.append(audit.c.at < self.until)
        return asked


def count(db: Connection, asked: Asked) -> int:
    return db.execute(select(func.count()).select_from(audit).where(*asked.where())).scalar() or 0


def newest(db: Connection, asked: Asked, *, start: int, limit: int) -> list[Entry]:
    """The newest first."""
    rows = select(audit).where(*asked.where()).order_by(audit.c.id.desc()).offset(start).limit(limit)
    return [_entry(row) for row in db.execute(rows)]


def each(db: Connection, asked: Asked) -> Iterator[Entry]:
    """The oldest first, a few at a time."""
    rows = db.execution_options(yield_per=2_000).execute(select(audit).where(*asked.where()).order_by(audit.c.id))
    for row in rows:
        yield _entry(row)


def verify(db: Connection, anchor: Anchor | None = None) -> Verdict:
    """Reads all rows. Without an anchor, a chain whose end was cut is whole as far as it goes."""
    last: Entry | None = None
    rows = 0
    for entry in each(db, Asked()):
        if trouble := _trouble(entry, last, anchor):
            return Verdict(rows, head(db), *trouble)
        last, rows = entry, rows + 1
    if anchor is not None and anchor.id > rows:
        return Verdict(rows, head(db), rows + 1, f"the log held row {anchor.id} when the anchor was taken")
    return Verdict(rows, head(db))


def _trouble(entry: Entry, last: Entry | None, anchor: Anchor | None) -> tuple[int, str] | None:
    """The row that is bad, and why."""
    expected, before = (last.id + 1, last.hash) if last else (1, NONE)
    if entry.id > expected:
        return expected, "it is missing"
    if entry.before != before:
        return entry.id, "it does not follow the row before"
    if entry.hash != digest(entry):
        return entry.id, "it was changed"
    if anchor is not None and anchor.id == entry.id and (anchor.hash, anchor.at) != (entry.hash, entry.at):
        return entry.id, "the anchor holds another one: rows up to it were written anew"
    return None


def _entry(row: Row[Any]) -> Entry:
    return Entry(*tuple(row))  # in the order of the columns
