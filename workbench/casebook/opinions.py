"""What people decided about shared things, each with author, reason and an end; nothing is ever deleted.

`opinions_as_of` puts together all that changes what is a ring: these, innocent links and labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from gnn.dispositions import BENIGN, DATA_ERROR, POSITIVE, SUSPECTED
from graph import opinions
from graph.errors import InputError, NodeNotFound
from graph.opinions import Opinions
from graph.overrides import Override
from workbench.casebook import innocent, labels
from workbench.casebook.tables import overrides


@dataclass(frozen=True)
class Opinion:
    """An override and who is behind it."""

    id: int
    override: Override
    author: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    ended_because: str | None

    def in_force(self, at: datetime) -> bool:
        return self.created_at <= at < self.override.until and (self.ended_at is None or at < self.ended_at)


def overrides_as_of(db: Connection, at: datetime) -> list[Override]:
    """Those in force at that time, ordered by type and key; one for each thing.

    What was decided later is not among them: a run as of the past sees the opinions of then.
    """
    query = select(overrides).where(_in_force(at)).order_by(overrides.c.type, overrides.c.key)
    return [_opinion(row).override for row in db.execute(query)]


def opinions_as_of(db: Connection, at: datetime) -> Opinions:
    """All that counted then. Of several final labels of an application the newest that is not superseded counts."""
    said = {each.label.application_id: each.counts_as for each in labels.in_force(db, at) if each.counts_as}
    return Opinions(
        overrides=tuple(overrides_as_of(db, at)),
        innocent=tuple(innocent.in_force(db, at)),
        cleared=frozenset(name for name, label in said.items() if label in LEAVES),
        risk={name: RISK[label] for name, label in sorted(said.items()) if label in RISK},
    )


LEAVES = (BENIGN, DATA_ERROR)
"""A bad debtor (OUT_OF_SCOPE_CREDIT) is no fraud, and still one of those who share a device."""

RISK = {POSITIVE: opinions.CONFIRMED, SUSPECTED: opinions.SUSPICION}


def listed(db: Connection) -> Sequence[Opinion]:
    """All, ended ones too, in the order in which they were made."""
    return [_opinion(row) for row in db.execute(select(overrides).order_by(overrides.c.id))]


def add(db: Connection, override: Override, *, author: str, now: datetime) -> int:
    """The new one's number. Refused beside one in force for the same thing: end that first."""
    same = and_(overrides.c.type == override.type, overrides.c.key == override.key, _in_force(now))
    if (other := db.execute(select(overrides.c.id).where(same)).scalar()) is not None:
        raise InputError(f"override {other} is in force for this thing; end it first: ringroad override end {other}")
    if override.until <= now:
        raise InputError(f"the override would end at {override.until:%Y-%m-%d}, in the past; name a later day")
    number = (db.execute(select(func.max(overrides.c.id))).scalar() or 0) + 1
    db.execute(
        insert(overrides).values(
            id=number, type=override.type, key=override.key, infrastructure=override.infrastructure,
            kind=override.kind, reason=override.reason, author=author, created_at=now, expires_at=override.until,
        )
    )  # fmt: skip
    return number


def end(db: Connection, number: int, *, author: str, because: str, now: datetime) -> None:
    row = db.execute(select(overrides).where(overrides.c.id == number)).one_or_none()
    if row is None:
        raise NodeNotFound(f"there is no override {number}; `ringroad override list` shows them")
    if not _opinion(row).in_force(now):
        raise InputError(f"override {number} has ended already; `ringroad override list --all` says when")
    ended = {"ended_at": now, "ended_by": author, "ended_because": because}
    db.execute(update(overrides).where(overrides.c.id == number).values(**ended))


def _in_force(at: datetime):  # type: ignore[no-untyped-def] # SQLAlchemy's own type of a condition
    return and_(
        overrides.c.created_at <= at,
        overrides.c.expires_at > at,
        or_(overrides.c.ended_at.is_(None), overrides.c.ended_at > at),
    )


def _opinion(row: Row[tuple[object, ...]]) -> Opinion:
    override = Override(row.type, row.key, row.infrastructure, row.kind, row.reason, row.expires_at)
    return Opinion(row.id, override, row.author, row.created_at, row.ended_at, row.ended_by, row.ended_because)
