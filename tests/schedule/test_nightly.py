"""A night over a real home: rings, alerts, a report and its letter; and nights on which something is missing."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from graph.settings import Settings
from tests.e2e.conftest import inside
from tests.schedule import post_office
from tests.schedule.conftest import NIGHT, Clock
from workbench.casebook import cases, job_history, loan_alerts, report_mails
from workbench.casebook.cases import APPLICATION
from workbench.casing import ALERT
from workbench.instance import open_casebook
from workbench.reports import pdf
from workbench.ringruns import last_times
from workbench.schedule import jobs
from workbench.schedule.mail_settings import MailSettings
from workbench.schedule.slots import CHINA
from workbench.schedule.tick import Ticker, Told

NAME = "ann.lee@lender.example"
YAML = f"reports: {{daily: {{to: [{NAME}], languages: [en], formats: [html]}}}}"


def there(home: Path) -> Settings:
    return Settings.read({"RINGROAD_HOME": str(home)})


def ticked(home: Path, clock: Clock, *only: str) -> dict[str, Told]:
    plan, every = jobs.read(there(home))
    with open_casebook(there(home)) as casebook:
        ticker = Ticker(there(home), plan, every, casebook, clock)
        return {told.job: told for name in only for told in ticker.tick(only=name)}


def test_a_night_of_rings_alerts_and_a_report_with_its_letter(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the first of July the portfolio ends on the thirtieth of June."""
    clock = Clock(datetime(2025, 7, 1, 7, tzinfo=CHINA))
    (home / "schedule.yaml").write_text(YAML)
    with post_office.opened() as office:
        monkeypatch.setattr(MailSettings, "read", classmethod(lambda cls: office.settings))
        told = ticked(home, clock, "rings", "alerts", "report-daily", "deliver")
        assert {name: (each.status, each.trouble) for name, each in told.items()} == dict.fromkeys(told, ("done", ""))
        assert ticked(home, clock, "rings", "alerts", "report-daily", "deliver") == {}
    assert len(told) == 4
    rings, alerts, report = (told[name].told or {} for name in ("rings", "alerts", "report-daily"))
    assert (rings["by_model"], rings["recorded"]) == (1, 1)
    assert report == {"files": 1, "letters": 1}
    as_of, overrides_as_of = last_times(there(home))
    assert as_of < datetime(2025, 7, 1, tzinfo=CHINA) < overrides_as_of
    with open_casebook(there(home)) as casebook, casebook.reading() as db:
        standing = loan_alerts.standing(db)
        opened = [each for each in cases.living(db, APPLICATION).values() if each.opened_because == ALERT]
    assert len(standing) == alerts["new"] == alerts["holding"]
    assert len(opened) == alerts["cases"] > 0
    assert {each.case_id for each in standing if each.case_id} >= {each.id for each in opened}
    assert [to for to, _ in office.letters] == [NAME]
    _private(home, office.raw[0], told)


def _private(home: Path, letter: bytes, told: dict[str, Told]) -> None:
    """No recipient in what a run says; no application, name or number of a customer in a letter's own words."""
    with open_casebook(there(home)) as casebook, casebook.reading() as db:
        runs = json.dumps([[each.told, each.trouble] for each in job_history.listed(db)], default=str)
        names = [each.application_id for each in loan_alerts.standing(db)]
    head, _, _ = letter.partition(b"Content-Disposition: attachment")
    assert NAME not in runs + "".join(each.line for each in told.values())
    assert not [name for name in names if name.encode() in head]


def test_a_night_without_new_applications_says_so_and_goes_on(home: Path) -> None:
    clock = Clock(datetime(2025, 7, 9, 7, tzinfo=CHINA))
    told = ticked(home, clock, "rings", "report-daily")
    assert {each.status for each in told.values()} == {"done"}
    assert {each.trouble for each in told.values()} == {"no application came in it; the newest is of 2025-06-30"}


def test_a_run_of_somebody_s_own_that_is_newer_stays(home: Path) -> None:
    before, _ = last_times(there(home))
    told = ticked(home, Clock(before.astimezone(CHINA).replace(hour=2)), "rings")
    assert told["rings"].status == "done"
    assert "is there, which is newer" in told["rings"].trouble
    assert last_times(there(home))[0] == before


def test_a_model_that_is_refused_ranks_nobody_and_the_night_goes_on(home: Path) -> None:
    for file in (home / "models").glob("*/manifest.json"):
        content = file.read_bytes()
        file.unlink()
        file.write_bytes(content + b" ")
    told = ticked(home, Clock(datetime(2025, 7, 1, 7, tzinfo=CHINA)), "rings")["rings"]
    assert (told.status, (told.told or {})["by_model"]) == ("done", 0)
    assert "refused" in told.trouble


def test_without_a_font_the_report_is_in_english_and_says_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "schedule.yaml").write_text("reports: {backlog: {languages: [zh], formats: [pdf]}}")
    found = pdf.fonts()
    monkeypatch.setattr(pdf, "fonts", lambda: type(found)(**vars(found) | {"chinese": ""}))
    told = ticked(home, Clock(datetime(2025, 7, 7, 7, tzinfo=CHINA)), "report-backlog")["report-backlog"]
    assert told.status == "done"
    assert "no font with Chinese letters" in told.trouble


def test_an_empty_store_fails_softly(tmp_path: Path) -> None:
    """Every job says in one line what is missing; what needs data waits for it."""
    home = tmp_path / "home"
    there(home).prepare()
    told = ticked(home, Clock(), *(job.name for job in jobs.read(there(home))[1]))
    assert {each.job for each in told.values() if each.failed} >= {"rings", "alerts"}
    assert all(each.trouble for name, each in told.items() if name != "watch")
    assert "fault" not in "".join(each.trouble.lower() for each in told.values())
    assert "Error in" not in "".join(each.trouble for each in told.values())


# Commands ------------------------------------------------------------------------------------------------


def test_the_commands(tmp_path: Path) -> None:
    home = tmp_path / "home"
    at = ("--now", NIGHT.isoformat())
    failed = inside(home, "tick", *at, "--job", "rings")
    assert failed.code == 1
    assert failed.out.startswith("rings 2025-07-01 waiting")
    assert "load a folder of tables first" in failed.out
    assert inside(home, "tick", *at, "--job", "rings").out == ""
    listed = {each["job"]: each for each in json.loads(inside(home, "schedule", "list", *at, "--json").out)}
    assert listed["rings"]["last"]["status"] == "waiting"
    assert listed["rings"]["next_at"] == "2025-07-03T01:00:00+08:00"
    assert "rings" in inside(home, "schedule", "list", *at).out
    assert json.loads(inside(home, "schedule", "runs", "--json").out)[0]["slot"] == "2025-07-01"
    assert inside(home, "schedule", "again", "rings", "2025-07-01", *at).code == 0
    assert inside(home, "tick", *at, "--job", "rings", "--json").code == 1
    for line, code, says in (
        (("again", "rings", "2025-06-01", *at), 2, "only the newest slot says anything; ask for 2025-07-01"),
        (("again", "report-daily", "2025-07-02", *at), 2, "is due on 2025-07-03 06:00"),
        (("again", "deliver", "2025-07-02", *at), 2, "done again and again"),
        (("again", "ring", "2025-07-02", *at), 6, "there is no job 'ring'"),
        (("resend", "daily", "2025-07-01"), 6, "no letter of daily 2025-07-01 is uncertain"),
    ):
        refused = inside(home, "schedule", *line)
        assert (refused.code, says in refused.err) == (code, True), refused
    (home / "schedule.yaml").write_text("jobs: {rings: {at: 6}}")
    assert inside(home, "tick").code == 2


def test_letters_are_listed_without_their_addresses_and_go_out_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert "no letter was ever queued" in inside(home, "schedule", "mails").out
    with open_casebook(there(home)) as casebook, casebook.writing() as db:
        report_mails.queue(db, "daily", "2025-07-01", [NAME], now=NIGHT)
        letter = report_mails.claim(db, now=NIGHT)
        assert letter is not None
        report_mails.sending(db, letter)
        report_mails.uncertain(db, letter, "it may have arrived")
    shown = inside(home, "schedule", "mails")
    assert ("uncertain" in shown.out, "a…@lender.example" in shown.out, NAME in shown.out) == (True, True, False)
    assert json.loads(inside(home, "schedule", "mails", "--json").out)[0]["status"] == "uncertain"
    assert "1 letters go out" in inside(home, "schedule", "resend", "daily", "2025-07-01", "--to", NAME).out
    assert json.loads(inside(home, "schedule", "mails", "--json").out)[0]["status"] == "waiting"
