"""Who is named in notes and has not read them, and whose cases there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select, update

from workbench.casebook.case_tables import case_entries, case_mentions, cases
from workbench.casebook.casefile import Entry, entry_of


@dataclass(frozen=True)
class Mention:
    """A note that names somebody; `read_at` None while it waits."""

    entry: Entry
    read_at: datetime | None


def mentions(db: Connection, user: str, *, limit: int) -> list[Mention]:
    """Those that wait first, then the newest first."""
    query = (
        select(case_entries, case_mentions.c.read_at)
        .join(case_mentions, case_mentions.c.entry_id == case_entries.c.id)
        .where(case_mentions.c.user == user)
        .order_by(case_mentions.c.read_at.is_not(None), case_entries.c.id.desc())
        .limit(limit)
    )
    return [Mention(entry_of(row), row.read_at) for row in db.execute(query)]


def unread(db: Connection, user: str) -> int:
    which = and_(case_mentions.c.user == user, case_mentions.c.read_at.is_(None))
    return db.execute(select(func.count()).select_from(case_mentions).where(which)).scalar() or 0


def read(db: Connection, user: str, case_id: int, *, now: datetime) -> int:
    """All that waited for somebody on a case; how many."""
    of_case = select(case_entries.c.id).where(case_entries.c.case_id == case_id).scalar_subquery()
    which = and_(case_mentions.c.user == user, case_mentions.c.read_at.is_(None), case_mentions.c.entry_id.in_(of_case))
    return db.execute(update(case_mentions).where(which).values(read_at=now)).rowcount


def was_named(db: Connection, user: str, case_id: int) -> bool:
    """Whether a note on the case named somebody."""
    query = (
        select(case_mentions.c.entry_id)
        .join(case_entries, case_entries.c.id == case_mentions.c.entry_id)
        .where(case_mentions.c.user == user, case_entries.c.case_id == case_id)
    )
    return db.execute(query.limit(1)).scalar() is not None


# Whose -----------------------------------------------------------------------------------------------------


def assigned(db: Connection, user: str) -> list[int]:
    """Cases that are somebody's and not closed: the nearest deadline first, then what can still be saved."""
    query = (
        select(cases.c.id)
        .where(cases.c.assignee == user, cases.c.status != "closed")
        .order_by(cases.c.deadline.is_(None), cases.c.deadline, cases.c.savable.desc(), cases.c.id)
    )
    return list(db.execute(query).scalars())


def worked(db: Connection, user: str, *, limit: int) -> list[int]:
    """Cases that somebody left something on, the latest first."""
    last = func.max(case_entries.c.id)
    query = select(case_entries.c.case_id).where(case_entries.c.author == user).group_by(case_entries.c.case_id)
    return list(db.execute(query.order_by(last.desc()).limit(limit)).scalars())
