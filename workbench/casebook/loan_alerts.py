"""Alerts about loans that are paid out: each rule that holds of a loan since, from the first night to the last.

There is one row for each loan and rule, so that nobody is told twice. A rule that stops holding ends with that night;
where it holds again later, its row goes on and nobody is told anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update

from workbench.casebook.schedule_tables import loan_alerts
from workbench.casebook.tables import ring_members, rings

SOME = 500
"""SQLite takes a limited number of parameters."""


@dataclass(frozen=True)
class Hit:
    """A rule that holds of a loan on a night. `evidence` is what the rule read, and node ids; never an identifier.

    `reason` is the code under which people know it; `calls`: somebody is to look at it, whatever else is known.
    """

    application_id: str
    rule: str
    strength: str
    reason: str
    exposure: float
    evidence: Mapping[str, Any]
    calls: bool
    paid_out_at: datetime

    @property
    def key(self) -> tuple[str, str]:
        return self.application_id, self.rule


@dataclass(frozen=True)
class Recorded:
    """What a night changed. `fresh` are those that never held before: on the `first` night all there are."""

    fresh: Sequence[Hit] = ()
    ended: int = 0
    first: bool = False
    unrecorded: str = ""


def record(db: Connection, hits: Sequence[Hit], *, as_of: datetime, now: datetime) -> Recorded:
    """All that hold on a night. Of an earlier night than the newest one nothing is recorded: history is not rewritten.

    `db` is of `Casebook.writing`."""
    newest = db.execute(select(func.max(loan_alerts.c.last_as_of))).scalar()
    if newest is not None and as_of < newest:
        return Recorded(unrecorded="a later night was looked at before")
    there = {(row.application_id, row.rule): row.ended_as_of for row in db.execute(_STANDING)}
    holding = {each.key: each for each in hits}
    fresh = [each for key, each in holding.items() if key not in there]
    if fresh:
        db.execute(insert(loan_alerts), [_row(each, as_of, now) for each in fresh])
    _each(db, [key for key in holding if key in there], last_as_of=as_of, ended_as_of=None)
    over = [key for key, ended in there.items() if key not in holding and ended is None]
    _each(db, over, ended_as_of=as_of)
    return Recorded(fresh, len(over), first=newest is None)


_STANDING = select(loan_alerts.c.application_id, loan_alerts.c.rule, loan_alerts.c.ended_as_of)


def _row(hit: Hit, as_of: datetime, now: datetime) -> dict[str, Any]:
    return {
        "application_id": hit.application_id, "rule": hit.rule, "as_of": as_of, "recorded_at": now,
        "strength": hit.strength, "exposure": hit.exposure, "evidence": dict(hit.evidence), "last_as_of": as_of,
        "ended_as_of": None, "case_id": None,
    }  # fmt: skip


def _each(db: Connection, keys: Sequence[tuple[str, str]], **values: Any) -> None:
    if keys:
        this = (loan_alerts.c.application_id == bindparam("a"), loan_alerts.c.rule == bindparam("r"))
        db.execute(update(loan_alerts).where(*this).values(values), [{"a": a, "r": r} for a, r in keys])


def assign(db: Connection, fresh: Iterable[Hit], cases: Mapping[str, int]) -> None:
    """Where the new ones are worked on, by application."""
    rows = [{"a": each.application_id, "r": each.rule, "c": cases[each.application_id]} for each in fresh
            if each.application_id in cases]  # fmt: skip
    if rows:
        this = (loan_alerts.c.application_id == bindparam("a"), loan_alerts.c.rule == bindparam("r"))
        db.execute(update(loan_alerts).where(*this).values(case_id=bindparam("c")), rows)


# Reading -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Alert:
    """A row of `loan_alerts`."""

    application_id: str
    rule: str
    as_of: datetime
    recorded_at: datetime
    strength: str
    exposure: float
    evidence: Mapping[str, Any]
    last_as_of: datetime
    ended_as_of: datetime | None
    case_id: int | None


COLUMNS = tuple(loan_alerts.c[name] for name in Alert.__dataclass_fields__)


def standing(db: Connection) -> list[Alert]:
    """Those that held on the newest night, the largest first."""
    held = select(*COLUMNS).where(loan_alerts.c.ended_as_of.is_(None))
    rows = db.execute(held.order_by(loan_alerts.c.exposure.desc(), loan_alerts.c.application_id, loan_alerts.c.rule))
    return [Alert(*row) for row in rows]


def held(db: Connection, at: datetime) -> list[Alert]:
    """Those that held on the last night up to then; one that ended and held again later counts as held throughout."""
    begun, ended = loan_alerts.c.as_of <= at, loan_alerts.c.ended_as_of
    return [Alert(*row) for row in db.execute(select(*COLUMNS).where(begun, or_(ended.is_(None), ended > at)))]


def of_applications(db: Connection, names: Sequence[str]) -> list[Alert]:
    """All of them, ended ones too, in the order in which they came."""
    found: list[Alert] = []
    for at in range(0, len(names), SOME):
        some = select(*COLUMNS).where(loan_alerts.c.application_id.in_(names[at : at + SOME]))
        found += [Alert(*row) for row in db.execute(some)]
    return sorted(found, key=lambda each: (each.as_of, each.application_id, each.rule))


def rings_of(db: Connection, names: Sequence[str]) -> dict[str, str]:
    """By application the ring that it stands in now."""
    found: dict[str, str] = {}
    for at in range(0, len(names), SOME):
        members = (
            select(ring_members.c.application_id, ring_members.c.ring_id)
            .join(rings, rings.c.ring_id == ring_members.c.ring_id)
            .where(
                ring_members.c.application_id.in_(names[at : at + SOME]),
                ring_members.c.left_run.is_(None),
                rings.c.status == "alive",
            )
        )
        found |= {row.application_id: row.ring_id for row in db.execute(members)}
    return found
