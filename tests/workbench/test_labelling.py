"""Whoever tells a label, the desks of the score service hear of it, once, in the words of the casebook."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from graph.settings import Settings
from tests.loaders import lender
from tests.loaders.lender import Home
from workbench import labelling
from workbench import labels as command
from workbench.casebook import labels
from workbench.casebook.labels import Label
from workbench.casebook.opening import Casebook
from workbench.journal import LABEL, Journal

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def told(home: Path) -> list[tuple[str, dict[str, Any]]]:
    with Journal(home / "journal.sqlite", clock=lambda: 0) as journal:
        return [(each.about, orjson.loads(each.told)) for each in journal.since(0) if each.kind == LABEL]


def test_a_label_and_what_it_ends(tmp_path: Path) -> None:
    settings = Settings.read({"RINGROAD_HOME": str(tmp_path)})
    with Casebook.open(settings.casebook_url) as casebook:

        def says(name: str, what: str, supersedes: int | None = None) -> int:
            label = Label(name, what, "review", "final", "li", supersedes=supersedes)
            with casebook.writing() as db:
                return labels.add(db, label, request_key=f"{name} {what}", now=NOW).id

        first = says("A1", "CLEARED_BENIGN")
        labelling.tell(settings, casebook, [first], now=NOW)
        assert not (tmp_path / "journal.sqlite").exists(), "without a score service nobody hears"
        Journal(tmp_path / "journal.sqlite", clock=lambda: 0).close()
        labelling.tell(settings, casebook, [first], now=NOW)
        labelling.tell(settings, casebook, [first], now=NOW)
        assert [(about, each["label"]) for about, each in told(tmp_path)] == [("A1", "CLEARED_BENIGN")]
        second, other = says("A1", "INSUFFICIENT", first), says("A2", "DATA_ERROR")
        labelling.tell(settings, casebook, [second], now=NOW)
        assert [(about, each["label"]) for about, each in told(tmp_path)][1:] == [
            ("A1", "WITHDRAWN"), ("A1", "INSUFFICIENT")
        ]  # fmt: skip
        labelling.tell(settings, casebook, [second, other], now=NOW)
        assert [about for about, _ in told(tmp_path)] == ["A1", "A1", "A1", "A2"]
        labelling.tell(settings, casebook, [], now=NOW)


@pytest.mark.parametrize("service", [True, False])
def test_the_command_tells_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, service: bool) -> None:
    home = Home(tmp_path / "home")
    home.load(lender.written(tmp_path / "input", lender.tables()))
    monkeypatch.setenv("RINGROAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RINGROAD_STORE", raising=False)
    if service:
        Journal(tmp_path / "home" / "journal.sqlite", clock=lambda: 0).close()
    for _ in range(2):
        command.add("A1", "CLEARED_BENIGN", "review", author="li")
    assert (tmp_path / "home" / "journal.sqlite").exists() == service
    if service:
        assert [(about, each["label"]) for about, each in told(tmp_path / "home")] == [("A1", "CLEARED_BENIGN")]
