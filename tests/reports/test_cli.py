"""`ringroad report …` as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graph.errors import InputError, NodeNotFound
from tests.reports.conftest import china
from workbench.cli import app
from workbench.reports import cli
from workbench.reports.catalogue import REPORTS
from workbench.schedule.slots import Cadence
from workbench.services.all import Services


@pytest.fixture
def called(worked_home: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("RINGROAD_HOME", str(worked_home))
    return CliRunner()


def test_the_list_names_every_report_and_its_slots(called: CliRunner) -> None:
    told = json.loads(called.invoke(app, ["report", "list", "--json"]).stdout)
    assert [each["name"] for each in told] == list(REPORTS)
    assert {each["cadence"]: each["slot"] for each in told} == {
        "daily": "2025-06-30", "weekly": "2025-W26", "monthly": "2025-06",
    }  # fmt: skip
    assert "daily" in called.invoke(app, ["report", "list"]).stdout


def test_a_report_is_made_where_it_was_asked_for(called: CliRunner, tmp_path: Path) -> None:
    words = [
        "report",
        "make",
        "backlog",
        "--slot",
        "2025-W26",
        "--language",
        "en",
        "--format",
        "html",
        "--format",
        "csv",
    ]
    done = called.invoke(app, [*words, "--out", str(tmp_path), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    place = tmp_path / "backlog" / "2025-W26"
    assert sorted(Path(each["path"]) for each in told["files"]) == sorted(place.iterdir())
    assert {each["format"] for each in told["files"]} == {"html", "csv"}
    assert "ringroad-backlog-2025-W26-en.html" in called.invoke(app, [*words, "--out", str(tmp_path)]).stdout


def test_with_old_data_the_newest_slot_is_theirs_and_it_says_so(called: CliRunner, tmp_path: Path) -> None:
    words = ["report", "make", "daily", "--language", "en", "--format", "html", "--out", str(tmp_path)]
    told = json.loads(called.invoke(app, [*words, "--json"]).stdout)
    assert told["slot"] == "2025-06-30"
    assert told["chosen_because"].startswith("2025-06-30 is the newest one with applications")


def test_a_slot_that_is_not_over_is_never_chosen(worked: Services) -> None:
    slot, why = cli._newest(worked, Cadence.WEEKLY, china(27))
    assert (slot.name, why) == ("2025-W25", "2025-W25 is the newest one that is over")


def test_what_is_wrong_is_said_before_anything_is_read(called: CliRunner) -> None:
    assert isinstance(called.invoke(app, ["report", "make", "nothing"]).exception, NodeNotFound)
    assert isinstance(called.invoke(app, ["report", "make", "daily", "--slot", "2025-W26"]).exception, InputError)


def test_a_store_without_applications_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RINGROAD_HOME", str(tmp_path))
    done = CliRunner().invoke(app, ["report", "make", "daily"])
    assert "ringroad load" in str(done.exception)
