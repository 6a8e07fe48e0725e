"""How somebody left a canvas: one view for each person and ring or application, kept without a name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from graph.errors import InputError
from workbench.casebook.case_tables import saved
from workbench.casebook.saved import LARGEST

LAST = "last"


def remember(db: Connection, user: str, subject: str, content: Mapping[str, Any], *, now: datetime) -> None:
    """In place of the one before. `db` is of `Casebook.writing`."""
    if len(json.dumps(content, ensure_ascii=False)) > LARGEST:
        raise InputError("this canvas is too large to be remembered; fold or remove some of it")
    values: dict[str, Any] = {"content": dict(content), "at": now}
    if db.execute(update(saved).where(_mine(user, subject)).values(values)).rowcount:
        return
    number = (db.execute(select(func.max(saved.c.id))).scalar() or 0) + 1
    own = {"id": number, "owner": user, "kind": LAST, "subject": subject, "name": "", "shared": False}
    db.execute(insert(saved).values(own | values))


def last(db: Connection, user: str, subject: str) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = db.execute(select(saved.c.content).where(_mine(user, subject))).scalar()
    return found


def forget(db: Connection, user: str, subject: str) -> None:
    db.execute(delete(saved).where(_mine(user, subject)))


def _mine(user: str, subject: str) -> ColumnElement[bool]:
    return and_(saved.c.owner == user, saved.c.kind == LAST, saved.c.subject == subject)
