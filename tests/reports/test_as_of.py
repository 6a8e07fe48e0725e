"""What became known after a slot is in none of its reports: the same slot told twice, before and after, byte for byte.

The canary is everything that could change a report, told one day later about the same dealers, people and loans: new
applications, payments and outcomes of old ones, labels, cases taken and closed, another run of rings, new scores.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from graph.records import from_millis
from graph.settings import Settings
from loaders.load import Load
from loaders.mapping import Mapping
from tests.reports.conftest import LIN, NOW, ZHOU, at, china, newest, run, say
from tests.reports.test_reports import ALL, asked
from tests.service.conftest import copied
from workbench.casebook import scores
from workbench.casebook.scores import BATCH, Score
from workbench.reports.making import make
from workbench.schedule import slots
from workbench.services.all import Services
from workbench.services.office import Office

SLOTS = {"daily": "2025-06-25", "weekly": "2025-W25", "monthly": "2025-05"}
"""Over before the canary is told, on 29 June."""

TOLD = china(29, 10)
AS_OF_NOW = {"models": {"degraded", "versions"}}
"""Sections that say of themselves that they are of now."""


@dataclass(frozen=True)
class Later:
    before: Services
    after: Services


@pytest.fixture(scope="module")
def later(worked_home: Path, worked: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Later]:
    home = copied(worked_home, tmp_path_factory.mktemp("later") / "home")
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        tell(office, tmp_path_factory.mktemp("told"))
        yield Later(worked, Services(office))
    shutil.rmtree(home, ignore_errors=True)


def tell(office: Office, folder: Path) -> None:
    snapshot = office.snapshot()
    table = snapshot.nodes["Application"].table
    names = [name for name, known in zip(table["key"].to_pylist(), table["known_at"].to_pylist(), strict=True)
             if known < china(20).timestamp() * 1000]  # fmt: skip
    dealers = snapshot.nodes["Dealer"].table["key"].to_pylist()
    stamp = TOLD.isoformat()
    write(folder / "applications.csv", [
        {"application_id": f"APPLATER{number}", "submitted_at": stamp, "known_at": stamp, "amount": 99_000 + number,
         "dealer_id": dealers[number % len(dealers)], "form_seconds": 7, "ltv": 1.1}
        for number in range(120)
    ])  # fmt: skip
    write(folder / "repayments.csv", [
        {"application_id": name, "instalment_no": number, "due_date": china(1 + number).isoformat(), "due_amount": 100,
         "paid_at": china(2).isoformat() if number % 2 else "", "known_at": stamp}
        for name in names[-900:] for number in (1, 2, 3)
    ])  # fmt: skip
    write(folder / "outcomes.csv", [
        {"outcome_id": f"LATER{number}", "application_id": name, "known_at": stamp, "reported_at": stamp,
         "label": "CONFIRMED_FRAUD" if number % 2 else "CLEARED_BENIGN", "source": "police", "evidence_level": "E1",
         "occurred_at": china(3).isoformat()}
        for number, name in enumerate(names[-600:])
    ])  # fmt: skip
    report = Load(
        office.store, office.vault, staging_dir=office.settings.staging_dir, mapping=Mapping.read(None), batch="later",
        quarantine_file=folder / "quarantine.txt", max_rejected=0.05,
    ).run(str(folder))  # fmt: skip
    assert report is not None
    work_on(office, names)


def write(path: Path, rows: list[dict[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def work_on(office: Office, names: list[str]) -> None:
    services = Services(office)
    at(office, 29, 11)
    for case in (4, 5):
        services.cases.take(ZHOU, case)
    services.cases.set_deadline(LIN, {1: newest(office, 1)}, china(30))
    services.cases.reopen(ZHOU, {3: newest(office, 3)}, "more of them")
    services.cases.close(ZHOU, {4: newest(office, 4)}, "no_finding", "nothing", checked={4})
    for name in names[:40]:  # of some of them it was said, and taken back, before
        say(office, name, "CONFIRMED_FRAUD", ZHOU, 29)
    with office.casebook.writing() as db:
        told = from_millis(round(TOLD.timestamp() * 1000))
        scores.record(db, [Score(f"APPLATER{number}", told, 0.99, "decline", ("RC01",), "", "model-2", BATCH, told)
                           for number in range(120)])  # fmt: skip
    run(office, 29)


@pytest.mark.parametrize("name", ALL)
def test_what_became_known_later_changes_no_report(name: str, later: Later, tmp_path: Path) -> None:
    cadence = asked(later.before, name).slot.cadence
    slot = slots.named(cadence, SLOTS[cadence])
    both = []
    for number, services in enumerate((later.before, later.after)):
        folder = tmp_path / str(number)
        told = make(services, name, slot, folder=folder, now=NOW, formats=("html", "csv", "xlsx"), languages=("en",))
        both.append({each.path.name: each.path.read_bytes() for each in told.files})
    assert both[0] == both[1]


def test_the_canary_is_heard_when_its_day_is_told(later: Later, tmp_path: Path) -> None:
    """Otherwise the test above would hold of a canary that says nothing."""
    for name, slot in (
        ("daily", "2025-06-29"), ("rings", "2025-W26"), ("dealers", "2025-W26"), ("regions", "2025-W26"),
        ("models", "2025-W26"), ("backlog", "2025-W26"), ("roll-rates", "2025-06"),
    ):  # fmt: skip
        both = []
        for number, services in enumerate((later.before, later.after)):
            one = asked(services, name, slot)
            told = make(services, name, one.slot, folder=tmp_path / str(number), now=NOW, formats=("csv",),
                        languages=("en",))  # fmt: skip
            both.append([each.path.read_bytes() for each in told.files])
        assert both[0] != both[1], name
