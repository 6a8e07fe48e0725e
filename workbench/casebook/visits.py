"""When somebody last looked at something: what came since is new to him."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, insert, or_, select, update

from workbench.casebook.case_tables import visits
from workbench.casebook.tables import ring_members, ring_runs

AWAY = timedelta(minutes=30)
"""Who comes back after so long visits anew; until then what was new stays so."""

SOME = 500
"""SQLite takes a limited number of parameters."""


def look(db: Connection, user: str, subject: str, now: datetime) -> datetime | None:
    """Notes that somebody looks; when he looked before, None the first time. `db` is of `Casebook.writing`."""
    mine = and_(visits.c.user == user, visits.c.subject == subject)
    row = db.execute(select(visits.c.at, visits.c.before).where(mine)).one_or_none()
    if row is None:
        db.execute(insert(visits).values(user=user, subject=subject, at=now))
        return None
    before: datetime | None = row.at if now - row.at > AWAY else row.before
    db.execute(update(visits).where(mine).values(at=now, before=before))
    return before


def joined_since(db: Connection, ring_id: str, since: datetime) -> frozenset[str]:
    """Applications that runs since then found to belong to the ring, however old they are."""
    runs = select(ring_runs.c.id).where(ring_runs.c.created_at > since)
    rows = select(ring_members.c.application_id).where(
        ring_members.c.ring_id == ring_id, ring_members.c.joined_run.in_(runs), ring_members.c.left_run.is_(None)
    )
    return frozenset(db.execute(rows).scalars())


def rings_then(db: Connection, application_ids: Iterable[str], run: int) -> list[str]:
    """Rings that any of these belonged to after that run, the one with the most of them first."""
    names, found = list(application_ids), dict[str, int]()
    still = or_(ring_members.c.left_run.is_(None), ring_members.c.left_run > run)
    for at in range(0, len(names), SOME):
        among = ring_members.c.application_id.in_(names[at : at + SOME])
        rows = select(ring_members.c.ring_id).where(among, ring_members.c.joined_run <= run, still)
        for name in db.execute(rows).scalars():
            found[name] = found.get(name, 0) + 1
    return sorted(found, key=lambda name: (-found[name], name))
