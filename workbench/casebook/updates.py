"""Rings found again because somebody decided something: each stands over the last run's until the next run.

Appended, never changed: the newest word on a ring counts. A ring without members is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, insert, or_, select

from workbench.casebook.case_tables import ring_updates
from workbench.casebook.tables import ring_runs

UNRECORDED = 0
"""The number of a run that was not recorded."""


@dataclass(frozen=True)
class Update:
    """`content` as a ring of `rings.json`; `cause` as in "label 12"."""

    id: int
    ring_id: str
    run_id: int
    at: datetime
    cause: str
    author: str
    content: Mapping[str, Any]

    @property
    def gone(self) -> bool:
        return not self.content.get("application_ids")


@dataclass(frozen=True)
class LastRun:
    """The run that `rings.json` holds: its number, and of when the opinions are that it saw."""

    id: int
    as_of: datetime
    opinions_as_of: datetime
    made_at: datetime | None


def last_run(db: Connection, *, as_of: datetime, opinions_as_of: datetime) -> LastRun:
    """By its two clocks, as `rings.json` names them."""
    row = db.execute(
        select(ring_runs.c.id, ring_runs.c.created_at)
        .where(ring_runs.c.as_of == as_of, ring_runs.c.overrides_as_of == opinions_as_of)
        .order_by(ring_runs.c.id.desc())
        .limit(1)
    ).one_or_none()
    number, made_at = (UNRECORDED, None) if row is None else (row.id, row.created_at)
    return LastRun(number, as_of, opinions_as_of, made_at)


def add(
    db: Connection, ring_id: str, content: Mapping[str, Any], *, run: LastRun, cause: str, author: str, now: datetime
) -> int:
    number = (db.execute(select(func.max(ring_updates.c.id))).scalar() or 0) + 1
    db.execute(
        insert(ring_updates).values(
            id=number, ring_id=ring_id, run_id=run.id, at=now, cause=cause, author=author,
            content=dict(content) | {"as_of": run.as_of.isoformat()},
        )
    )  # fmt: skip
    return number


def standing(db: Connection, run: LastRun) -> dict[str, Update]:
    """Per ring the newest word since that run saw people's opinions.

    What was decided while the run was at work corrects the run before by its number, and stands over this one.
    """
    mine = and_(ring_updates.c.run_id == run.id, ring_updates.c.at >= run.opinions_as_of)
    if run.made_at is not None:
        mine = or_(
            mine,
            and_(
                ring_updates.c.run_id < run.id,
                ring_updates.c.at >= run.opinions_as_of,
                ring_updates.c.at <= run.made_at,
            ),
        )
    rows = db.execute(select(ring_updates).where(mine).order_by(ring_updates.c.id))
    told = [Update(**row._mapping) for row in rows]
    if run.id == UNRECORDED:  # there may be several of them
        told = [each for each in told if each.content.get("as_of") == run.as_of.isoformat()]
    return {each.ring_id: each for each in told}
