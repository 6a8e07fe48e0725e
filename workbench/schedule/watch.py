"""What somebody should hear of: people who take unusually much out, and a model whose scores have moved."""
# ruff: noqa: PLC0415 - what measures is needed once a day

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, select

from workbench.casebook import audit
from workbench.casebook.case_tables import application_scores
from workbench.casebook.people_tables import audit as log
from workbench.instance import open_casebook
from workbench.schedule.job import Did, Turn
from workbench.schedule.settings import WatchPlan
from workbench.services.permissions import SCHEDULE
from workbench.webhooks.events import bulk, degraded

Floats = npt.NDArray[np.float64]

HOUR = timedelta(hours=1)
REVEALS, EXPORTS = "reveals", "exports"
ACTION = "security.bulk"

RECENT, BEFORE = timedelta(days=7), timedelta(days=28)
"""Scores of a week are compared with those of four weeks before it."""

ENOUGH = 500
"""Scores on each side below which a shift says nothing."""


def watch(turn: Turn) -> Did:
    """Tells once an hour of each who reveals or exports more than `schedule.yaml` has: by webhook, and in the log."""
    now = turn.clock()
    with open_casebook(turn.settings) as casebook:
        with casebook.reading() as db:
            found = taking(db, turn.plan.watch, now=now)
        told = 0
        for (actor, what), number in sorted(found.items()):
            with casebook.writing() as db:
                if bulk(db, actor, what, number, now.replace(minute=0, second=0, microsecond=0), now=now):
                    audit.write(db, SCHEDULE, ACTION, actor, now=now, detail={"what": what, "number": number})
                    told += 1
    trouble = "somebody reveals or exports unusually much; see the audit log for security.bulk" if found else ""
    return Did({"told": told}, trouble)


def taking(db: Connection, plan: WatchPlan, *, now: datetime) -> dict[tuple[str, str], int]:
    """By (person, what) how often within the last hour, of those who did so more often than anybody should."""
    recent = (log.c.at > now - HOUR, log.c.at <= now)
    rows = db.execute(
        select(log.c.actor, log.c.action, func.count()).where(*recent).group_by(log.c.actor, log.c.action)
    )
    counted: Counter[tuple[str, str]] = Counter()
    for actor, action, number in rows:
        if what := kind(action):
            counted[actor, what] += number
    most = {REVEALS: plan.reveals, EXPORTS: plan.exports}
    return {(actor, what): number for (actor, what), number in counted.items() if number > most[what]}


def kind(action: str) -> str:
    """Of an action of the log; "" for one that takes nothing out."""
    if action == "reveal":
        return REVEALS
    words = action.split(".")
    return EXPORTS if words[0] == "export" or words[-1] in ("export", "exported", "downloaded") else ""


def drift(turn: Turn) -> Did:
    """Once a day: whether the scores that the casebook keeps have moved, of the version that scored last."""
    from gnn.evaluation.monitor import SHIFTED, psi

    with open_casebook(turn.settings) as casebook:
        with casebook.reading() as db:
            version, before, now = scores(db, until=turn.slot.end)
        if min(len(before), len(now)) < ENOUGH:
            return Did({"scores": len(now)}, f"too few scores to compare: {len(now)} of a week, {len(before)} before")
        moved = psi(before, now)
        numbers = {"psi": round(float(moved), 4), "scores": len(now)}
        if moved <= SHIFTED:
            return Did(numbers)
        with casebook.writing() as db:
            degraded(db, version, "psi", {"psi": numbers["psi"], "scores": float(len(now))}, turn.clock())
    return Did(numbers, f"the scores of {version} have moved: PSI {moved:.2f}")


def scores(db: Connection, *, until: datetime) -> tuple[str, Floats, Floats]:
    """Of the version that scored last: its scores of the four weeks before its newest week, and of that week."""
    told = (application_scores.c.as_of < until, application_scores.c.score.is_not(None))
    newest = select(application_scores.c.as_of, application_scores.c.model_version).where(*told)
    last = db.execute(newest.order_by(application_scores.c.as_of.desc()).limit(1)).one_or_none()
    if last is None:
        return "", np.zeros(0), np.zeros(0)
    rows = db.execute(
        select(application_scores.c.as_of, application_scores.c.score).where(
            *told, application_scores.c.model_version == last.model_version,
            application_scores.c.as_of > last.as_of - RECENT - BEFORE,
        )
    ).all()  # fmt: skip
    recent = np.array([row.as_of > last.as_of - RECENT for row in rows], dtype=bool)
    values = np.array([row.score for row in rows], dtype=np.float64)
    return last.model_version, values[~recent], values[recent]
