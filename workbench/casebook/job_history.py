"""What ran by the clock, for lists and figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, select

from workbench.casebook.job_runs import DONE, ROW, Run
from workbench.casebook.schedule_tables import job_runs


def listed(db: Connection, *, job: str = "", limit: int = 50) -> list[Run]:
    """The newest first."""
    rows = ROW.order_by(job_runs.c.due_at.desc(), job_runs.c.job).limit(limit)
    return [Run(*row) for row in db.execute(rows.where(job_runs.c.job == job) if job else rows)]


def last(db: Connection) -> dict[str, Run]:
    """By job its newest slot that was ever tried."""
    newest = (
        select(job_runs.c.job, func.max(job_runs.c.slot).label("slot"))
        .where(job_runs.c.started_at.is_not(None))
        .group_by(job_runs.c.job)
        .subquery()
    )
    joined = and_(job_runs.c.job == newest.c.job, job_runs.c.slot == newest.c.slot)
    return {row.job: Run(*row) for row in db.execute(ROW.join(newest, joined))}


@dataclass(frozen=True)
class Counted:
    """Of a job: slots by status, and when it was last done."""

    statuses: Mapping[str, int]
    done_at: datetime | None


def counted(db: Connection) -> dict[str, Counted]:
    numbers: dict[str, dict[str, int]] = {}
    asked = select(job_runs.c.job, job_runs.c.status, func.count().label("slots"))
    for row in db.execute(asked.group_by(job_runs.c.job, job_runs.c.status)):
        numbers.setdefault(row.job, {})[row.status] = row.slots
    latest = select(job_runs.c.job, func.max(job_runs.c.finished_at).label("at")).where(job_runs.c.status == DONE)
    done = {row.job: row.at for row in db.execute(latest.group_by(job_runs.c.job))}
    return {job: Counted(statuses, done.get(job)) for job, statuses in numbers.items()}
