"""A candidate scores in the shadow and never serves by itself; one that fails a check does neither."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gnn.registry import By, Registry
from graph.settings import Settings
from workbench import scoring
from workbench.casebook.tables import webhook_events
from workbench.instance import open_casebook
from workbench.schedule import candidate, slots
from workbench.schedule.candidate import shadowed, trained_before
from workbench.schedule.job import Did, Turn
from workbench.schedule.settings import Plan
from workbench.schedule.slots import CHINA, Cadence

SCHEDULE = "schedule"
WHEN = datetime(2025, 7, 7, 3, tzinfo=CHINA)


def by(who: str, at: datetime = WHEN) -> By:
    return By(who, "a test", at)


def copy_of(models: Registry, who: str, *, at: datetime = WHEN, **changes: Any) -> str:
    """The champion's files published once more, as a training would."""
    champion = models.open("champion", features_hash=scoring.features_hash())
    source = Path(champion.folder).parent / ".source"
    source.mkdir(exist_ok=True)
    for name in champion.manifest.files:
        (source / name).write_bytes((champion.folder / name).read_bytes())
    version = models.publish(source, replace(champion.manifest.training, **changes), by(who, at))
    for each in source.iterdir():
        each.unlink()
    source.rmdir()
    return version


@pytest.fixture
def models(home: Path) -> Registry:
    return scoring.registry(Settings.read({"RINGROAD_HOME": str(home)}))


def test_it_scores_in_the_shadow_and_the_champion_serves_on(models: Registry) -> None:
    champion, version = models.in_role("champion"), copy_of(models, SCHEDULE)
    assert shadowed(models, version, by(SCHEDULE)) == ""
    assert (models.in_role("champion"), models.in_role("shadow")) == (champion, version)
    newer = copy_of(models, SCHEDULE, at=WHEN + timedelta(days=7))
    assert shadowed(models, newer, by(SCHEDULE)) == ""
    assert models.in_role("shadow") == newer


@pytest.mark.parametrize(
    "changes", [{"features_hash": "0" * 64}, {"at_least": {"roc_auc": 0.999}}, {"latency_ms": 1e-9}]
)
def test_one_that_fails_a_check_is_never_in_the_shadow(models: Registry, changes: dict[str, Any]) -> None:
    version = copy_of(models, SCHEDULE, **changes)
    assert shadowed(models, version, by(SCHEDULE)).startswith(f"{version} is not put into the shadow: model {version}")
    assert models.in_role("shadow") is None


def test_what_a_person_put_into_the_shadow_stays(models: Registry) -> None:
    own = copy_of(models, "ann")
    models.shadow(own, by("ann"), features_hash=scoring.features_hash())
    version = copy_of(models, SCHEDULE, at=WHEN + timedelta(days=1))
    assert "waits: somebody put" in shadowed(models, version, by(SCHEDULE))
    assert models.in_role("shadow") == own


def test_a_slot_that_is_done_again_takes_what_was_trained_for_it(models: Registry) -> None:
    until = datetime(2025, 6, 30, 12, tzinfo=UTC)
    copy_of(models, "ann", trained_until=until)
    assert trained_before(models, until) is None
    version = copy_of(models, SCHEDULE, at=WHEN + timedelta(days=1), trained_until=until)
    assert trained_before(models, until) == version
    assert trained_before(models, until + timedelta(days=7)) is None


def turn(home: Path) -> Turn:
    return Turn(
        Settings.read({"RINGROAD_HOME": str(home)}), Plan(), slots.named(Cadence.WEEKLY, "2025-W27"), lambda: WHEN
    )


def test_the_job_compares_and_tells_a_person_and_promotes_nothing(
    home: Path, models: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the training itself, which tests of `ringroad train` see to."""
    trained: list[datetime] = []

    def train(_here: Any, _ready: Any, until: datetime, _by: By) -> str:
        trained.append(until)
        return copy_of(models, SCHEDULE, trained_until=until)

    monkeypatch.setattr(candidate, "_trained", train)
    champion = models.in_role("champion")
    did, again = candidate.candidate(turn(home)), candidate.candidate(turn(home))
    assert len(trained) == 1
    assert trained[0] <= slots.named(Cadence.WEEKLY, "2025-W27").end
    assert did.told == again.told
    assert (did.told["differ"], did.told["calls"]) == (0, did.told["champion_calls"])
    assert int(did.told["compared"]) > 100
    assert did.told["pr_auc"] == did.told["champion_pr_auc"]
    assert (models.in_role("champion"), models.in_role("shadow")) == (champion, did.told["version"])
    with open_casebook(turn(home).settings) as casebook, casebook.reading() as db:
        [event] = db.execute(select(webhook_events).where(webhook_events.c.kind == "model.candidate")).all()
    assert event.subject == did.told["version"]


def test_where_nothing_serves_the_first_model_is_a_person_s(tmp_path: Path) -> None:
    assert candidate.candidate(turn(tmp_path)) == Did(
        trouble="no model serves yet; the first one is a person's: ringroad train"
    )
