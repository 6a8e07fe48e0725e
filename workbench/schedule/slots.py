"""Days, weeks and months in China, as slots with a name: what a job does once, and what a report is about."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

from graph.errors import InputError

CHINA = timezone(timedelta(hours=8))


class Cadence(StrEnum):
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, order=True)
class Slot:
    """From midnight of its first day to midnight after its last one (`end`, which is not part of it)."""

    start: datetime
    cadence: Cadence

    @property
    def name(self) -> str:
        """2025-06-30, 2025-W26 (ISO 8601) or 2025-06."""
        if self.cadence is Cadence.WEEKLY:
            year, week, _ = self.start.isocalendar()
            return f"{year}-W{week:02}"
        return f"{self.start:%Y-%m-%d}" if self.cadence is Cadence.DAILY else f"{self.start:%Y-%m}"

    @property
    def end(self) -> datetime:
        if self.cadence is Cadence.MONTHLY:
            return (self.start + timedelta(days=31)).replace(day=1)
        return self.start + timedelta(days=7 if self.cadence is Cadence.WEEKLY else 1)

    @property
    def before(self) -> Slot:
        return of(self.cadence, self.start - timedelta(days=1))

    @property
    def after(self) -> Slot:
        return Slot(self.end, self.cadence)


def of(cadence: Cadence, at: datetime) -> Slot:
    """The one that `at` lies in."""
    day = at.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    if cadence is Cadence.WEEKLY:
        day -= timedelta(days=day.weekday())
    return Slot(day.replace(day=1) if cadence is Cadence.MONTHLY else day, cadence)


def ended(cadence: Cadence, now: datetime) -> Slot:
    """The newest that is over."""
    return of(cadence, now).before


FORMS = {
    Cadence.DAILY: re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    Cadence.WEEKLY: re.compile(r"([0-9]{4})-W([0-9]{2})"),
    Cadence.MONTHLY: re.compile(r"[0-9]{4}-[0-9]{2}"),
}
EXAMPLES = {Cadence.DAILY: "2025-06-30", Cadence.WEEKLY: "2025-W26", Cadence.MONTHLY: "2025-06"}


def named(cadence: Cadence, name: str) -> Slot:
    """Raises InputError."""
    with suppress(ValueError):
        if found := FORMS[cadence].fullmatch(name):
            weekly = cadence is Cadence.WEEKLY
            day = f"{name}-01" if cadence is Cadence.MONTHLY else name
            first = date.fromisocalendar(int(found[1]), int(found[2]), 1) if weekly else date.fromisoformat(day)
            return Slot(datetime(first.year, first.month, first.day, tzinfo=CHINA), cadence)
    raise InputError(f"{name[:40]!r} is no slot of a {cadence} job; write it like {EXAMPLES[cadence]}")
