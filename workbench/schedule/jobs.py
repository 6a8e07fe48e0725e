"""All jobs, in the order in which a tick does them: what a job reads has been made before it."""
# ruff: noqa: PLC0415 - what reports import takes seconds

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time, timedelta
from functools import partial

from graph.settings import Settings
from workbench.schedule import alerts, candidate, hooks, mail, nightly, reporting, settings, watch
from workbench.schedule.job import CatchUp, Job
from workbench.schedule.settings import Plan
from workbench.schedule.slots import Cadence

REPORT = "report-"
"""Before the name of a report, as the name of the job that makes it."""

NIGHTLY = (
    Job("rings", "Finds rings in the whole graph, by the model where one serves.", nightly.rings, at=time(1)),
    Job("alerts", "Looks at loans that are paid out: car, papers, GPS, links to fraud.", alerts.alerts, at=time(1, 30)),
    Job("drift", "Looks whether the scores that the casebook keeps have moved.", watch.drift, at=time(2)),
    Job("candidate", "Trains a model that scores in the shadow until a person promotes it.", candidate.candidate,
        Cadence.WEEKLY, time(2)),
)  # fmt: skip
ALWAYS = (
    Job("watch", "Tells of people who reveal or export unusually much.", watch.watch, every=timedelta(minutes=5)),
    Job("webhooks", "Tells subscribers what happened, where no keeper does.", hooks.deliver,
        every=timedelta(minutes=1), wanted=hooks.wanted),
    Job("deliver", "Sends the letters that are due.", mail.deliver, every=timedelta(minutes=1), wanted=mail.wanted),
)  # fmt: skip


def read(there: Settings) -> tuple[Plan, Sequence[Job]]:
    """The jobs with the lender's own times. Raises InputError for a mistake in `schedule.yaml`."""
    from workbench.reports.catalogue import REPORTS

    every = (*NIGHTLY, *_reports(), *ALWAYS)
    plan = settings.read(there, jobs=[job.name for job in every], reports=list(REPORTS))
    return plan, [_timed(job, plan) for job in every]


def _reports() -> list[Job]:
    """Each slot of a report matters: those missed are made afterwards, as of then."""
    from workbench.reports.catalogue import REPORTS

    return [
        Job(f"{REPORT}{name}", f"Makes the {kind.cadence} report {name!r}, and a letter for each of its recipients.",
            partial(reporting.report, name), kind.cadence, time(6), CatchUp.EACH)
        for name, kind in REPORTS.items()
    ]  # fmt: skip


def _timed(job: Job, plan: Plan) -> Job:
    at = plan.job(job.name).at
    return job if at is None else replace(job, at=at)
