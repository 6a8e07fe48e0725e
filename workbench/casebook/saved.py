"""What somebody gave a name: filters of the queue, and views of a canvas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update

from graph.errors import InputError, NodeNotFound
from workbench.casebook.case_tables import saved
from workbench.casebook.words import stated

FILTER, VIEW = "filter", "view"
LONGEST_NAME = 64
LARGEST = 256 * 1024
"""Characters of its JSON: a view of the largest canvas takes a third."""

DEEPEST = 8
MOST = 100
"""Of one person, of one kind; of views, on one ring or application."""


@dataclass(frozen=True)
class Saved:
    """`subject` is the ring or application that a view is of, "" for a filter. `shared`: everybody may use it."""

    id: int
    owner: str
    kind: str
    subject: str
    name: str
    shared: bool
    content: Mapping[str, Any]
    at: datetime


def add(db: Connection, *, owner: str, kind: str, subject: str, name: str, shared: bool, content: Mapping[str, Any],
        now: datetime) -> int:  # fmt: skip
    """Its number. One of the same name is written over: that is how one saves again. Raises InputError."""
    _require_kind(kind, subject)
    name = stated("name", name, LONGEST_NAME)
    text = json.dumps(_checked(content))
    mine = and_(saved.c.owner == owner, saved.c.kind == kind, saved.c.subject == subject)
    values: dict[str, Any] = {"shared": shared, "content": json.loads(text), "at": now}
    same = db.execute(select(saved.c.id).where(mine, saved.c.name == name)).scalar()
    if same is not None:
        db.execute(update(saved).where(saved.c.id == same).values(values))
        return int(same)
    if (db.execute(select(func.count()).select_from(saved).where(mine)).scalar() or 0) >= MOST:
        raise InputError(f"you have saved {MOST} already; delete one first")
    number = (db.execute(select(func.max(saved.c.id))).scalar() or 0) + 1
    own = {"id": number, "owner": owner, "kind": kind, "subject": subject, "name": name}
    db.execute(insert(saved).values(own | values))
    return number


def listed(db: Connection, user: str, kind: str, subject: str = "") -> list[Saved]:
    """His own first, then what others share; by name."""
    _require_kind(kind, subject)
    which = and_(saved.c.kind == kind, saved.c.subject == subject, or_(saved.c.owner == user, saved.c.shared))
    rows = select(saved).where(which).order_by(saved.c.owner != user, saved.c.name, saved.c.id)
    return [_saved(row) for row in db.execute(rows)]


def get(db: Connection, user: str, id: int) -> Saved:  # noqa: A002 - the column's own name
    """His own, or a shared one; another is as if it were not there. Raises NodeNotFound."""
    row = db.execute(select(saved).where(saved.c.id == id, or_(saved.c.owner == user, saved.c.shared))).one_or_none()
    if row is None:
        raise NodeNotFound("there is nothing saved under this number; the list has what there is")
    return _saved(row)


def rename(db: Connection, owner: str, id: int, name: str) -> Saved:  # noqa: A002
    found, name = _own(db, owner, id), stated("name", name, LONGEST_NAME)
    same = and_(
        saved.c.owner == owner, saved.c.kind == found.kind, saved.c.subject == found.subject, saved.c.name == name
    )
    if db.execute(select(saved.c.id).where(same, saved.c.id != id)).scalar() is not None:
        raise InputError("you have one of this name already; choose another name")
    db.execute(update(saved).where(saved.c.id == id).values(name=name))
    return get(db, owner, id)


def remove(db: Connection, owner: str, id: int) -> Saved:  # noqa: A002
    """What it was."""
    found = _own(db, owner, id)
    db.execute(delete(saved).where(saved.c.id == id))
    return found


def _own(db: Connection, owner: str, id: int) -> Saved:  # noqa: A002
    found = get(db, owner, id)
    if found.owner != owner:
        raise InputError(f"this one is {found.owner}'s; save your own under another name")
    return found


def _require_kind(kind: str, subject: str) -> None:
    if kind not in (FILTER, VIEW):
        raise InputError(f"{kind[:16]!r} cannot be saved; a filter or a view can")
    if bool(subject) != (kind == VIEW):
        raise InputError("a view is of a ring or an application, a filter of none")


def _checked(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Plain JSON, not too deep and not too large. What each kind of it must hold, its service knows."""
    try:
        text = json.dumps(content, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        raise InputError("what is to be saved is no JSON") from None
    if len(text) > LARGEST:
        raise InputError(f"what is to be saved takes {len(text) // 1024} kB; {LARGEST // 1024} at most")
    if _depth(content) > DEEPEST:
        raise InputError(f"what is to be saved lies {DEEPEST} levels deep at most")
    return content


def _depth(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + max((_depth(each) for each in value.values()), default=0)
    if isinstance(value, list | tuple):
        return 1 + max((_depth(each) for each in value), default=0)
    return 0


def _saved(row: Row[Any]) -> Saved:
    return Saved(**{each.name: getattr(row, each.name) for each in fields(Saved)})
