"""What is left on a case: entries in order, notes that name colleagues, and what was done of its checklist.

Entries are appended and never changed. Files stand in `attached.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, select

from graph.errors import InputError, NodeNotFound, RingroadError
from workbench.casebook.case_tables import case_entries, case_mentions, case_ticks, cases
from workbench.casebook.notes import mentioned, noted
from workbench.casebook.words import stated

NOTE, TICK, ITEM = "note", "tick", "item"

DONE, NOT_DONE, OPEN = "done", "not_done", "open"
"""States of an item of a checklist: done, deliberately not done, still to do."""

LONGEST_ITEM = 200
MOST_OWN_ITEMS = 40


class Stale(RingroadError):
    """Somebody changed meanwhile what this act builds on."""

    status = 409


@dataclass(frozen=True)
class Entry:
    """What somebody did or said on a case."""

    id: int
    case_id: int
    at: datetime
    author: str
    kind: str
    text: str
    content: Mapping[str, Any] = field(default_factory=dict)


# Entries -------------------------------------------------------------------------------------------------


def enter(
    db: Connection,
    case_id: int,
    kind: str,
    text: str = "",
    *,
    author: str,
    now: datetime,
    content: Mapping[str, Any] = {},
) -> int:
    """Appends to what happened on a case; its number, which only grows. `db` is of `Casebook.writing`."""
    number = (db.execute(select(func.max(case_entries.c.id))).scalar() or 0) + 1
    values = {"id": number, "case_id": case_id, "at": now, "author": author, "kind": kind, "text": text}
    db.execute(insert(case_entries).values(values | {"content": dict(content)}))
    return number


def entries(db: Connection, case_id: int, *, kinds: Collection[str] = ()) -> list[Entry]:
    """All of a case in order, or those of some kinds."""
    which = case_entries.c.case_id == case_id
    if kinds:
        which = and_(which, case_entries.c.kind.in_(kinds))
    return [entry_of(row) for row in db.execute(select(case_entries).where(which).order_by(case_entries.c.id))]


def newest(db: Connection, case_id: int) -> int:
    """The number of the newest entry, 0 before the first: who acts says which one he saw."""
    return db.execute(select(func.max(case_entries.c.id)).where(case_entries.c.case_id == case_id)).scalar() or 0


def require_seen(db: Connection, case_id: int, seen: int, *, author: str, but: Collection[str] = (NOTE,)) -> None:
    """Raises Stale where somebody else did something after entry `seen`; entries of `but` take nothing away."""
    query = select(case_entries).where(
        case_entries.c.case_id == case_id,
        case_entries.c.id > seen,
        case_entries.c.author != author,
        case_entries.c.kind.not_in(but),
    )
    row = db.execute(query.order_by(case_entries.c.id.desc()).limit(1)).one_or_none()
    if row is not None:
        raise Stale(
            f"{row.author} worked on C{case_id} after you opened it ({row.kind}); nothing was written, look again"
        )


def exists(db: Connection, case_id: int) -> None:
    """Raises NodeNotFound."""
    if db.execute(select(cases.c.id).where(cases.c.id == case_id)).scalar() is None:
        raise NodeNotFound(f"there is no case C{case_id}; the queue has those that there are")


# Notes ---------------------------------------------------------------------------------------------------


def note(
    db: Connection,
    case_id: int,
    text: str,
    *,
    author: str,
    users: Collection[str],
    names: Iterable[str] = (),
    now: datetime,
) -> tuple[int, tuple[str, ...]]:
    """Its number, and who is told. `names` are the lender's own numbers that it may hold.

    Raises InputError for what looks like an identifier, and for an @name that is nobody's.
    """
    kept = noted(text, names=names)
    told = tuple(each for each in mentioned(kept, users) if each != author)
    number = enter(db, case_id, NOTE, kept, author=author, now=now, content={"mentions": list(told)})
    if told:
        db.execute(insert(case_mentions), [{"entry_id": number, "user": each} for each in told])
    return number, told


# The checklist -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tick:
    """How an item of the checklist stands; an item without one is open."""

    item: str
    state: str
    author: str
    at: datetime
    because: str = ""


def ticks(db: Connection, case_id: int) -> dict[str, Tick]:
    """By item; the reason stands in the entry that set it."""
    because = {each.content["item"]: each.text for each in entries(db, case_id, kinds=(TICK,))}
    rows = db.execute(select(case_ticks).where(case_ticks.c.case_id == case_id))
    return {
        row.item: Tick(row.item, DONE if row.done else NOT_DONE, row.author, row.at, because.get(row.item, ""))
        for row in rows
    }


def tick(
    db: Connection,
    case_id: int,
    item: str,
    state: str,
    *,
    before: str,
    author: str,
    now: datetime,
    because: str = "",
    words: str = "",
) -> None:
    """`before` is the state that the author saw. Raises Stale where it is another one by now.

    `words` keep in the entry what the item said then.
    """
    which = and_(case_ticks.c.case_id == case_id, case_ticks.c.item == item)
    row = db.execute(select(case_ticks).where(which)).one_or_none()
    there = OPEN if row is None else DONE if row.done else NOT_DONE
    if there == state and because == "":
        return
    if there != before:
        by = "somebody" if row is None else row.author
        raise Stale(f"{by} changed this item of C{case_id} after you opened it; look again")
    db.execute(delete(case_ticks).where(which))
    if state != OPEN:
        values = {"case_id": case_id, "item": item, "done": state == DONE, "author": author, "at": now}
        db.execute(insert(case_ticks).values(values))
    enter(db, case_id, TICK, because, author=author, now=now, content={"item": item, "state": state, "words": words})


@dataclass(frozen=True)
class OwnItem:
    """An item that somebody added to the checklist of one case."""

    item: str
    text: str
    author: str
    at: datetime


def add_item(db: Connection, case_id: int, text: str, *, author: str, now: datetime) -> str:
    """Its name among the items."""
    kept = stated("the item", text, LONGEST_ITEM)
    if len(own_items(db, case_id)) >= MOST_OWN_ITEMS:
        raise InputError(f"C{case_id} has {MOST_OWN_ITEMS} items of its own, which is the most")
    return f"own-{enter(db, case_id, ITEM, kept, author=author, now=now)}"


def own_items(db: Connection, case_id: int) -> Sequence[OwnItem]:
    told = entries(db, case_id, kinds=(ITEM,))
    return [OwnItem(f"own-{each.id}", each.text, each.author, each.at) for each in told]


def entry_of(row: Row[Any]) -> Entry:
    return Entry(row.id, row.case_id, row.at, row.author, row.kind, row.text, row.content)
