"""Links that people found harmless, each with author, reason and an end; nothing is ever deleted.

A link is one edge of the graph. What is harmless whoever holds it, a switchboard, is overridden (`opinions.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from graph.errors import InputError, NodeNotFound
from graph.ontology import EDGES, NODES
from graph.opinions import Innocent
from graph.opinions import innocent as checked
from graph.records import NodeRef
from workbench.casebook.case_tables import innocent_links
from workbench.casebook.words import remark, stated

LASTS = timedelta(days=180)
"""The usual time, and the longest that an investigator may set."""

LONGEST = timedelta(days=3650)
TOKEN = re.compile("[0-9a-f]{32}")


@dataclass(frozen=True)
class InnocentLink:
    """A link on record and who is behind it."""

    id: int
    link: Innocent
    reason: str
    author: str
    created_at: datetime
    until: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_because: str | None

    def in_force(self, at: datetime) -> bool:
        return self.created_at <= at < self.until and (self.ended_at is None or at < self.ended_at)


def add(
    db: Connection,
    link: Innocent,
    *,
    reason: str,
    author: str,
    until: datetime,
    now: datetime,
    longest: timedelta = LONGEST,
) -> int:
    """The new one's number. Refused beside one in force for the same edge, and for longer than this person may say."""
    link = checked(link.relation, *link.ends)
    _is_token(link)
    reason = remark("reason", stated("reason", reason, 1000), 1000)
    if (other := db.execute(select(innocent_links.c.id).where(_same(link), _holds(now))).scalar()) is not None:
        raise InputError(f"this link is marked innocent already (number {other}); end that first")
    if until <= now:
        raise InputError(f"the link would be innocent until {until:%Y-%m-%d}, in the past; name a later day")
    if until > now + longest:
        raise InputError(f"a link may be innocent for {longest.days} days at most here; then somebody looks again")
    number = (db.execute(select(func.max(innocent_links.c.id))).scalar() or 0) + 1
    source, target = link.ends
    db.execute(
        insert(innocent_links).values(
            id=number, relation=link.relation, source_type=source.type, source_key=source.key,
            target_type=target.type, target_key=target.key, reason=reason, author=author, created_at=now,
            expires_at=until,
        )
    )  # fmt: skip
    return number


def end(db: Connection, number: int, *, author: str, because: str, now: datetime) -> Innocent:
    """Before its time; it stays on record."""
    row = db.execute(select(innocent_links).where(innocent_links.c.id == number)).one_or_none()
    if row is None:
        raise NodeNotFound(f"there is no innocent link {number}")
    told = _told(row)
    if not told.in_force(now):
        raise InputError(f"innocent link {number} has ended already")
    ended = {
        "ended_at": now,
        "ended_by": author,
        "ended_because": remark("reason", stated("reason", because, 1000), 1000),
    }
    db.execute(update(innocent_links).where(innocent_links.c.id == number).values(**ended))
    return told.link


def in_force(db: Connection, at: datetime) -> list[Innocent]:
    """Those in force at that time, in order; what was decided later is not among them."""
    rows = db.execute(select(innocent_links).where(_holds(at)))
    return sorted({_told(row).link for row in rows})


def listed(db: Connection, *, at: datetime | None = None) -> Sequence[InnocentLink]:
    """All in the order in which they were made, ended ones too; with `at` those in force then."""
    query = select(innocent_links).order_by(innocent_links.c.id)
    return [_told(row) for row in db.execute(query if at is None else query.where(_holds(at)))]


def one(db: Connection, number: int) -> InnocentLink:
    """Raises NodeNotFound."""
    row = db.execute(select(innocent_links).where(innocent_links.c.id == number)).one_or_none()
    if row is None:
        raise NodeNotFound(f"there is no innocent link {number}")
    return _told(row)


def of(db: Connection, ends: Iterable[NodeRef], *, at: datetime) -> Sequence[InnocentLink]:
    """Those in force on any edge of these nodes: what a canvas marks."""
    asked = set(ends)
    return [each for each in listed(db, at=at) if not asked.isdisjoint(each.link.ends)]


def _is_token(link: Innocent) -> None:
    """A key is never repeated: it could be a clear identifier."""
    edge = EDGES[link.relation]
    for type_, key in ((edge.source, link.source), (edge.target, link.target)):
        if not key or len(key) > 255 or (NODES[type_].kind and not _known_key(key)):
            raise InputError(f"the {NODES[type_].en} is not named by its key in the graph; pick the edge on the canvas")


def _known_key(key: str) -> bool:
    return TOKEN.fullmatch(key) is not None


def _same(link: Innocent) -> ColumnElement[bool]:
    return and_(
        innocent_links.c.relation == link.relation,
        innocent_links.c.source_key == link.source,
        innocent_links.c.target_key == link.target,
    )


def _holds(at: datetime) -> ColumnElement[bool]:
    return and_(
        innocent_links.c.created_at <= at,
        innocent_links.c.expires_at > at,
        or_(innocent_links.c.ended_at.is_(None), innocent_links.c.ended_at > at),
    )


def _told(row: Row[tuple[object, ...]]) -> InnocentLink:
    link = Innocent(row.relation, row.source_key, row.target_key)
    return InnocentLink(
        row.id, link, row.reason, row.author, row.created_at, row.expires_at, row.ended_at, row.ended_by,
        row.ended_because,
    )  # fmt: skip
