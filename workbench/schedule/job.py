"""What a job is: what it does, how often, at what time, and what becomes of slots that nobody did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from graph.settings import Settings
from workbench.casebook.job_runs import MOST_MISSED
from workbench.schedule import slots
from workbench.schedule.slots import CHINA, Cadence, Slot

if TYPE_CHECKING:
    from workbench.schedule.settings import Plan

Clock = Callable[[], datetime]

BACK = 7
"""Slots of a report that are made afterwards: a week's daily ones, seven weekly ones."""


class CatchUp(StrEnum):
    """Slots missed while nothing ran: each matters, or the newest says it all."""

    EACH = "each"
    NEWEST = "newest"


@dataclass(frozen=True)
class Turn:
    """What a job is given. Facts are read as of the slot's end, whenever it runs."""

    settings: Settings
    plan: Plan
    slot: Slot
    clock: Clock


@dataclass(frozen=True)
class Did:
    """In numbers what a job did. `trouble`: what was not as it should be although it was done, in one line."""

    told: Mapping[str, int | float | str] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True)
class Job:
    """`at` is in China time, on the day after the slot. With `every` it is done again and again, as far as it is
    `wanted`, and a slot is only the day under which that is written down."""

    name: str
    does: str
    run: Callable[[Turn], Did]
    cadence: Cadence = Cadence.DAILY
    at: time = time(1)
    catch_up: CatchUp = CatchUp.NEWEST
    every: timedelta | None = None
    wanted: Callable[[Connection, datetime], bool] = lambda *_: True

    @property
    def back(self) -> int:
        return BACK if self.catch_up is CatchUp.EACH else 1

    def due_at(self, slot: Slot) -> datetime:
        return slot.end + timedelta(hours=self.at.hour, minutes=self.at.minute)

    def newest(self, now: datetime) -> Slot:
        """The newest that is over and whose time has come."""
        slot = slots.ended(self.cadence, now)
        return slot if self.due_at(slot) <= now else slot.before

    def due(self, after: str | None, now: datetime) -> Sequence[tuple[str, datetime]]:
        """As `job_runs.Due`."""
        found = [self.newest(now)]
        if after is None:
            return [(found[0].name, self.due_at(found[0]))]
        while found[-1].name > after and len(found) <= MOST_MISSED:
            found.append(found[-1].before)
        return [(each.name, self.due_at(each)) for each in reversed(found) if each.name > after]

    def next_at(self, now: datetime) -> datetime:
        """When it is due next."""
        return now if self.every is not None else self.due_at(self.newest(now).after)

    def today(self, now: datetime) -> Slot:
        """Of what is done again and again."""
        return slots.of(Cadence.DAILY, now.astimezone(CHINA))
