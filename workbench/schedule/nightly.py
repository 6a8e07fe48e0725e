"""What is done every night over the whole graph, as it stood when the day ended."""
# ruff: noqa: PLC0415 - numba, XGBoost and NetworkX take seconds to import; only the job that runs needs them

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from graph.errors import InputError, ModelRefused
from graph.records import from_millis, to_millis
from workbench.instance import Instance, open_graph
from workbench.schedule.job import Did, Turn
from workbench.schedule.slots import CHINA, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graph.settings import Settings
    from graph.snapshot import Snapshot

WINDOW_DAYS = 120
"""How far back applications count, as `ringroad rings` has it."""


@contextmanager
def opened(settings: Settings) -> Iterator[Instance]:
    with open_graph(settings, None) as store:
        yield Instance(settings, store, None)


def newest(snapshot: Snapshot, slot: Slot) -> datetime:
    """When the newest application of all that were known by the end of the slot was submitted. Raises InputError."""
    known = snapshot.nodes["Application"].known_at
    past = known[known < to_millis(slot.end)]
    if not len(past):
        raise InputError(f"no application was known by the end of {slot.name}; load a folder first")
    return from_millis(int(np.max(past)))


def late(at: datetime, slot: Slot) -> str:
    """What to say where nothing came on the day itself; the work is done with what there is."""
    return "" if at >= slot.start else f"no application came in it; the newest is of {at.astimezone(CHINA):%Y-%m-%d}"


def rings(turn: Turn) -> Did:
    """A whole run, as `ringroad rings` does; by the model where one serves. People's opinions count as they are now."""
    from workbench import ringruns

    with opened(turn.settings) as here:
        snapshot = here.snapshot()
        as_of = newest(snapshot, turn.slot)
        if (done := _last_run(turn.settings)) is not None and done > as_of:
            return Did(trouble=f"a run as of {done.astimezone(CHINA):%Y-%m-%d %H:%M} is there, which is newer")
        by_model, refused = _model(turn.settings)
        ran = ringruns.whole(here, snapshot, ringruns.Asked(as_of, WINDOW_DAYS, turn.clock(), by_model=by_model))
    numbers = {"rings": len(ran.found.rings), "applications": ran.found.applications, "by_model": int(by_model)}
    return Did(
        numbers | {"recorded": int(not ran.change.unrecorded)},
        "; ".join(each for each in (refused, ran.change.unrecorded, late(as_of, turn.slot)) if each),
    )


def _last_run(settings: Settings) -> datetime | None:
    from workbench import ringruns

    try:
        return ringruns.last_times(settings)[0]
    except InputError:
        return None


def _model(settings: Settings) -> tuple[bool, str]:
    """Whether one can say who is suspicious; and what to say of one that is refused."""
    from workbench import scoring

    try:
        served = scoring.serving(settings)
    except ModelRefused:
        return False, "the model that serves is refused, so the rings are ranked without it"
    return served is not None and served[0].hindsight is not None, ""
