"""What monitoring reads of the schedule: written to a file after every tick, which `/metrics` of the API shows, too.

No label holds a recipient, a slot or a trouble: names of jobs and statuses only.
"""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import Connection

from graph.settings import Settings
from workbench.casebook import job_history, report_mails


def file(settings: Settings) -> Path:
    return settings.home / "metrics" / "schedule.prom"


def text(db: Connection, *, now: datetime) -> bytes:
    """In Prometheus' text format. Times are seconds since 1970."""
    registry = CollectorRegistry()

    def gauge(name: str, about: str, *labels: str) -> Gauge:
        return Gauge(f"ringroad_{name}", about, labels, registry=registry)

    succeeded = gauge("job_last_success_seconds", "When a job was last done.", "job")
    slots = gauge("job_slots", "Slots by how they stand: done, waiting, running, failed, missed.", "job", "status")
    for job, counted in job_history.counted(db).items():
        if counted.done_at is not None:
            succeeded.labels(job).set(counted.done_at.timestamp())
        for status, number in counted.statuses.items():
            slots.labels(job, status).set(number)
    took = gauge("job_seconds", "What the last try of the newest slot took.", "job")
    for job, run in job_history.last(db).items():
        if run.seconds is not None:
            took.labels(job).set(run.seconds)
    letters = gauge("letters", "Letters with reports by how they stand.", "status")
    for status in (report_mails.WAITING, report_mails.UNCERTAIN, report_mails.GIVEN_UP, report_mails.SENT):
        letters.labels(status).set(0)
    for status, number in report_mails.counted(db).items():
        letters.labels(status).set(number)
    gauge("schedule_written_seconds", "When these figures were written; it stands still when no tick comes.").set(
        now.timestamp()
    )
    return generate_latest(registry)


def write(settings: Settings, content: bytes) -> None:
    """All of it or nothing: a reader never sees half a file."""
    place = file(settings)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
        fresh.replace(place)
    finally:
        fresh.unlink(missing_ok=True)
