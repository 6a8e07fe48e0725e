"""Files on a case. A removed one leaves its row, with name, size and SHA-256: that it was there can be proved."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from graph.errors import InputError, NodeNotFound
from workbench.casebook.case_tables import attachments
from workbench.casebook.casefile import enter

MIB = 1024 * 1024
LARGEST = 10 * MIB
MOST = 50 * MIB
"""Of one file, and of all of a case together."""

ATTACHED, REMOVED = "attached", "removed"


@dataclass(frozen=True)
class Attached:
    """A file without its content."""

    id: int
    case_id: int
    name: str
    media_type: str
    size: int
    sha256: str
    author: str
    at: datetime
    removed_at: datetime | None
    removed_by: str | None


_SHOWN = [attachments.c[name] for name in Attached.__dataclass_fields__]


def attach(
    db: Connection, case_id: int, name: str, media_type: str, content: bytes, *, author: str, now: datetime
) -> Attached:
    """`name` and `media_type` as the caller has judged them. The same file twice is refused."""
    if not content:
        raise InputError("the file is empty; choose another one")
    if len(content) > LARGEST:
        raise InputError(f"the file has {len(content) / MIB:.1f} MB; {LARGEST // MIB} MB at most")
    digest, there = hashlib.sha256(content).hexdigest(), [each for each in of(db, case_id) if not each.removed_at]
    if same := [each.name for each in there if each.sha256 == digest]:
        raise InputError(f"this file is on the case already, as {same[0]}")
    if sum(each.size for each in there) + len(content) > MOST:
        raise InputError(f"the files of a case take {MOST // MIB} MB at most; remove one that is not needed")
    number = (db.execute(select(func.max(attachments.c.id))).scalar() or 0) + 1
    values = {"id": number, "case_id": case_id, "name": name, "media_type": media_type, "size": len(content),
              "sha256": digest, "author": author, "at": now, "content": content}  # fmt: skip
    db.execute(insert(attachments).values(values))
    enter(db, case_id, ATTACHED, name, author=author, now=now, content={"id": number, "sha256": digest})
    return get(db, number)


def of(db: Connection, case_id: int) -> Sequence[Attached]:
    """In the order in which they came, removed ones too."""
    query = select(*_SHOWN).where(attachments.c.case_id == case_id).order_by(attachments.c.id)
    return [_attached(row) for row in db.execute(query)]


def get(db: Connection, number: int) -> Attached:
    row = db.execute(select(*_SHOWN).where(attachments.c.id == number)).one_or_none()
    if row is None:
        raise NodeNotFound(f"there is no file {number} on any case")
    return _attached(row)


def content(db: Connection, number: int) -> bytes:
    """Raises NodeNotFound for one that was removed."""
    one = get(db, number)
    if one.removed_at is not None:
        raise NodeNotFound(f"file {number} was removed by {one.removed_by}; only its name and SHA-256 are left")
    held: bytes = db.execute(select(attachments.c.content).where(attachments.c.id == number)).scalar_one()
    return held


def remove(db: Connection, number: int, *, author: str, because: str, now: datetime) -> Attached:
    """Empties it. Who has a copy can still show by its SHA-256 that this was it."""
    one = get(db, number)
    if one.removed_at is not None:
        raise InputError(f"file {number} was removed by {one.removed_by} already")
    gone = {"removed_at": now, "removed_by": author, "content": b""}
    db.execute(update(attachments).where(attachments.c.id == number).values(gone))
    told = {"id": number, "sha256": one.sha256, "because": because}
    enter(db, one.case_id, REMOVED, one.name, author=author, now=now, content=told)
    return get(db, number)


def _attached(row: Row[Any]) -> Attached:
    return Attached(**row._mapping)
