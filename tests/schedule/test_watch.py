"""People who take unusually much out, and scores that moved, are told of: once, to others, on record."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from graph.settings import Settings
from tests.schedule.conftest import NIGHT, Clock
from workbench.casebook import audit, scores
from workbench.casebook.audit import Asked
from workbench.casebook.opening import Casebook
from workbench.casebook.scores import Score
from workbench.casebook.tables import webhook_events
from workbench.schedule import slots, watch
from workbench.schedule.job import Did, Turn
from workbench.schedule.settings import Plan, WatchPlan
from workbench.schedule.slots import Cadence

PLAN = Plan(watch=WatchPlan(reveals=3, exports=2))


def turn(home: Path, clock: Clock) -> Turn:
    return Turn(Settings.read({"RINGROAD_HOME": str(home)}), PLAN, slots.ended(Cadence.DAILY, clock.now), clock)


def did(casebook: Casebook, who: str, action: str, times: int, *, ago: timedelta = timedelta(minutes=5)) -> None:
    with casebook.writing() as db:
        for _ in range(times):
            audit.append(db, who, "senior", action, "Phone~x", now=NIGHT - ago)


def told(casebook: Casebook) -> list[tuple[str, dict[str, object]]]:
    with casebook.reading() as db:
        rows = db.execute(select(webhook_events.c.subject, webhook_events.c.content).order_by(webhook_events.c.id))
        return [(row.subject, {name: row.content[name] for name in ("what", "number")}) for row in rows]


def test_who_reveals_or_exports_more_than_the_schedule_allows_is_told_of_once(
    tmp_path: Path, open_sqlite: Casebook
) -> None:
    did(open_sqlite, "ann", "reveal", 4)
    did(open_sqlite, "bob", "reveal", 3)
    did(open_sqlite, "eve", "export.ring", 2)
    did(open_sqlite, "eve", "labels.exported", 1)
    clock = Clock()
    first = watch.watch(turn(tmp_path, clock))
    assert (first.told, bool(first.trouble)) == ({"told": 2}, True)
    assert "ann" not in first.trouble
    assert told(open_sqlite) == [("ann", {"what": "reveals", "number": 4}), ("eve", {"what": "exports", "number": 3})]
    clock.forward(minutes=5)
    assert watch.watch(turn(tmp_path, clock)).told == {"told": 0}
    with open_sqlite.reading() as db:
        kept = audit.newest(db, Asked(action=watch.ACTION), start=0, limit=9)
        assert audit.verify(db).bad is None
    assert [(each.actor, each.subject, each.detail) for each in kept] == [
        ("schedule", "eve", {"what": "exports", "number": 3}), ("schedule", "ann", {"what": "reveals", "number": 4}),
    ]  # fmt: skip


def test_what_is_longer_ago_than_an_hour_is_nobody_s_haste(tmp_path: Path, open_sqlite: Casebook) -> None:
    did(open_sqlite, "ann", "reveal", 3, ago=timedelta(minutes=61))
    did(open_sqlite, "ann", "reveal", 3)
    did(open_sqlite, "ann", "case.note", 99)
    assert watch.watch(turn(tmp_path, Clock())) == Did({"told": 0})


@pytest.mark.parametrize(
    ("action", "what"),
    [
        ("reveal", "reveals"), ("export.graph", "exports"), ("dealers.export", "exports"),
        ("evidence.exported", "exports"), ("case.downloaded", "exports"), ("case.note", ""), ("sign_in", ""),
    ],
)  # fmt: skip
def test_what_takes_something_out(action: str, what: str) -> None:
    assert watch.kind(action) == what


# Drift ---------------------------------------------------------------------------------------------------


def scored(casebook: Casebook, *, shift: float, week: int = 600, version: str = "v2") -> None:
    random = np.random.default_rng(7)
    rows = []
    for at in range(2400 + week):
        recent = at >= 2400
        day = timedelta(days=1 + 6 * random.random() if recent else 8 + 26 * random.random())
        value = float(np.clip(random.beta(1, 20) + shift * recent, 0, 1))
        rows.append(Score(f"A{at}", NIGHT - day, value, "pass", (), "", version, "batch", NIGHT))
    with casebook.writing() as db:
        scores.record(db, rows)


@pytest.mark.parametrize(("shift", "moved"), [(0.0, False), (0.08, True)])
def test_scores_that_moved_are_told_once_a_day(
    tmp_path: Path, open_sqlite: Casebook, shift: float, moved: bool
) -> None:
    scored(open_sqlite, shift=shift)
    first, again = (watch.drift(turn(tmp_path, Clock())) for _ in range(2))
    assert first == again
    assert bool(first.trouble) == moved
    with open_sqlite.reading() as db:
        kinds = list(db.execute(select(webhook_events.c.kind)).scalars())
    assert kinds == (["model.degraded"] if moved else [])


def test_too_few_scores_say_nothing_and_no_score_neither(tmp_path: Path, open_sqlite: Casebook) -> None:
    assert "too few scores to compare: 0 of a week" in watch.drift(turn(tmp_path, Clock())).trouble
    scored(open_sqlite, shift=0.5, week=20)
    assert watch.drift(turn(tmp_path, Clock())).trouble.startswith("too few scores to compare")
