"""Webhooks go out by the clock where no keeper runs; a receiver that is away holds up nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from graph.settings import Settings
from tests.schedule.conftest import NIGHT, Clock
from tests.service.conftest import free_port
from tests.workbench import receiver
from workbench.casebook.loan_alerts import Hit
from workbench.casebook.opening import Casebook
from workbench.instance import keyring
from workbench.schedule import hooks, slots
from workbench.schedule.job import Turn
from workbench.schedule.settings import Plan
from workbench.schedule.slots import Cadence
from workbench.webhooks import events
from workbench.webhooks import hooks as subscriptions
from workbench.webhooks.addresses import Policy

HIT = Hit("A1", "R21", "strong", "RC10", 80_000.0, {}, calls=True, paid_out_at=NIGHT)


@pytest.fixture
def turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Turn:
    monkeypatch.setenv("RINGROAD_WEBHOOK_LOOPBACK", "1")
    settings = Settings.read({"RINGROAD_HOME": str(tmp_path)})
    return Turn(settings, Plan(), slots.of(Cadence.DAILY, NIGHT), Clock())


def told(casebook: Casebook, turn: Turn, url: str) -> None:
    """An alert an hour ago, for whoever listens there."""
    with casebook.writing() as db:
        ago = NIGHT - timedelta(hours=1)
        subscriptions.add(
            db, url, ["loan.alert"], keyring=keyring(turn.settings), policy=Policy(loopback=True), author="ann", now=ago
        )
        events.loan_alerts(db, [HIT], as_of=ago, now=ago)


def wanted(casebook: Casebook) -> bool:
    with casebook.reading() as db:
        return hooks.wanted(db, NIGHT)


def test_what_waits_goes_out_once(turn: Turn, open_sqlite: Casebook) -> None:
    assert not wanted(open_sqlite)
    with receiver.running() as there:
        told(open_sqlite, turn, there.url("/x"))
        assert wanted(open_sqlite)
        did = hooks.deliver(turn)
        assert not wanted(open_sqlite)
        hooks.deliver(turn)
    assert (did.told["delivered"], did.trouble) == (1, "")
    assert len(there.to("/x")) == 1
    assert b"A1" in there.requests[0].body


def test_a_receiver_that_is_away_is_said_and_tried_again_later(turn: Turn, open_sqlite: Casebook) -> None:
    told(open_sqlite, turn, f"http://127.0.0.1:{free_port()}/x")
    did = hooks.deliver(turn)
    assert (did.told["failed"], did.trouble) == (1, "receivers did not take 1 of what was sent")
    assert not wanted(open_sqlite)
    with open_sqlite.reading() as db:
        assert hooks.wanted(db, NIGHT + timedelta(minutes=5))
