"""The process that ticks: it starts what is due, one after the other, and ends when it is told to."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from graph.settings import Settings
from tests.schedule.conftest import Clock
from tests.schedule.test_tick import _until
from tests.service.conftest import environment
from workbench.casebook import job_history, job_runs, report_mails
from workbench.casebook.opening import Casebook
from workbench.online.metrics import exposition
from workbench.schedule import metrics
from workbench.schedule.scheduler import END_SECONDS, POLL_SECONDS, Scheduler


def settings(home: Path) -> Settings:
    return Settings.read({"RINGROAD_HOME": str(home)}).prepare()


class Children:
    """Real processes that live until they are let go; in their order."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.last: dict[str, subprocess.Popen[bytes]] = {}

    def __call__(self, job: str) -> subprocess.Popen[bytes]:
        self.begun.append(job)
        self.last[job] = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"])
        return self.last[job]


def test_one_job_of_the_night_at_a_time_and_letters_are_not_held_up(tmp_path: Path) -> None:
    children, stopped = Children(), threading.Event()
    scheduler = Scheduler(settings(tmp_path), clock=Clock(), start=children, look=0.05)
    beside = threading.Thread(target=scheduler.run, args=(stopped,))
    beside.start()
    _until(lambda: children.begun == ["rings", "watch"])
    children.last["rings"].kill()
    _until(lambda: "rings" in children.begun[2:])  # it did not do its slot: it is asked again, not passed over
    stopped.set()
    beside.join()
    assert {each.returncode for each in children.last.values()} == {-signal.SIGTERM}


def test_a_mistake_made_while_it_runs_leaves_the_schedule_as_it_was(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    children, stopped = Children(), threading.Event()
    scheduler = Scheduler(settings(tmp_path), clock=Clock(), start=children, look=0.05)
    (tmp_path / "schedule.yaml").write_text("jobs: {rings: {enabled: 7}}")
    with caplog.at_level(logging.WARNING, "ringroad.scheduler"):
        beside = threading.Thread(target=scheduler.run, args=(stopped,))
        beside.start()
        _until(lambda: "rings" in children.begun)
        stopped.set()
        beside.join()
    assert "as before: schedule.yaml: jobs.rings.enabled is neither true nor false" in caplog.text


def test_there_is_time_left_of_the_ten_seconds_after_the_jobs_have_ended() -> None:
    assert END_SECONDS + 10 * POLL_SECONDS < 10


def test_sigterm_ends_it_and_gives_back_what_was_under_way(tmp_path: Path) -> None:
    """The real command, with a home that has nothing: its jobs fail, wait, and hold nothing when it has ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", "scheduler"], env=environment(tmp_path), stderr=subprocess.PIPE
    )
    _until(metrics.file(settings(tmp_path)).exists)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    with Casebook.open(f"sqlite:///{tmp_path / 'casebook.sqlite'}") as casebook, casebook.reading() as db:
        assert [each.slot for each in job_history.listed(db) if each.status == job_runs.RUNNING] == []


# Figures -------------------------------------------------------------------------------------------------

WHO, WHAT = "zhang.wei@lender.example", "手机 13800001111"


def test_figures_are_in_prometheus_form_and_hold_no_name_and_no_trouble(open_sqlite: Casebook, tmp_path: Path) -> None:
    clock = Clock()
    with open_sqlite.writing() as db:
        for job, slot in (("rings", "2025-07-01"), ("alerts", "2025-07-01")):
            job_runs.again(db, job, slot, clock.now, now=clock.now)
            mine = job_runs.claim(db, job, lambda _: [], back=1, now=clock.now).claim
            assert mine is not None
            clock.forward(seconds=30)
            if job == "rings":
                job_runs.finish(db, mine, told={"rings": 3}, trouble=WHAT, seconds=30.0, now=clock.now)
            else:
                job_runs.fail(db, mine, trouble=WHAT, seconds=1.0, now=clock.now)
        report_mails.queue(db, "daily", "2025-07-01", [WHO], now=clock.now)
    with open_sqlite.reading() as db:
        content = metrics.text(db, now=clock.now)
    there = settings(tmp_path)
    metrics.write(there, content)
    shown = exposition(metrics.file(there)).decode()
    assert content.decode() in shown
    values = {
        (one.name, *one.labels.values()): one.value
        for family in text_string_to_metric_families(shown)
        for one in family.samples
    }
    assert values["ringroad_job_last_success_seconds", "rings"] == clock.now.timestamp() - 30
    assert ("ringroad_job_last_success_seconds", "alerts") not in values
    assert values["ringroad_job_slots", "alerts", "waiting"] == 1
    assert values["ringroad_job_seconds", "rings"] == 30.0
    assert values["ringroad_letters", "waiting"] == 1
    assert values["ringroad_letters", "given_up"] == 0
    assert values["ringroad_schedule_written_seconds",] == clock.now.timestamp()
    assert "zhang" not in shown
    assert "1380000" not in shown


def test_without_a_schedule_there_are_the_figures_of_the_service_alone(tmp_path: Path) -> None:
    assert b"ringroad_job" not in exposition(tmp_path / "none.prom")
