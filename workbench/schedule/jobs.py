"""All jobs, in the order in which a tick does them: what a job reads has been made before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import time

from graph.settings import Settings
from workbench.schedule import alerts, nightly, settings
from workbench.schedule.job import Job
from workbench.schedule.settings import Plan

NIGHTLY = (
    Job("rings", "Finds rings in the whole graph, by the model where one serves.", nightly.rings, at=time(1)),
    Job("alerts", "Looks at loans that are paid out: car, papers, GPS, links to fraud.", alerts.alerts, at=time(1, 30)),
)  # fmt: skip


def read(there: Settings) -> tuple[Plan, Sequence[Job]]:
    """The jobs with the lender's own times. Raises InputError for a mistake in `schedule.yaml`."""
    every = NIGHTLY
    plan = settings.read(there, jobs=[job.name for job in every], reports=())
    return plan, [_timed(job, plan) for job in every]


def _timed(job: Job, plan: Plan) -> Job:
    at = plan.job(job.name).at
    return job if at is None else replace(job, at=at)
