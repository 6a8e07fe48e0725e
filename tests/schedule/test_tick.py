"""A tick does what is due; what goes wrong is said in one line, and the others go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from graph.errors import InputError
from graph.settings import Settings
from tests.schedule.conftest import NIGHT, Clock
from tests.service.conftest import environment
from workbench.casebook import job_history, job_runs
from workbench.casebook.job_runs import DONE, LEASE, MISSED, WAITING
from workbench.casebook.opening import Casebook
from workbench.schedule import tick as ticking
from workbench.schedule.job import CatchUp, Did, Job, Turn
from workbench.schedule.settings import JobPlan, Plan
from workbench.schedule.tick import Stopped, Ticker, Told


def ticker(casebook: Casebook, clock: Clock, *jobs: Job, plan: Plan | None = None) -> Ticker:
    return Ticker(Settings.read({"RINGROAD_HOME": "/nowhere"}), plan or Plan(), jobs, casebook, clock)


def job(name: str, run: Callable[[Turn], Did], **more: object) -> Job:
    return Job(name, "Does something.", run, **more)  # type: ignore[arg-type]


def noting(names: list[str], name: str) -> Job:
    def run(turn: Turn) -> Did:
        names.append(f"{name} {turn.slot.name}")
        return Did({"rows": 2})

    return job(name, run)


def broken(error: Exception) -> Callable[[Turn], Did]:
    def run(_: Turn) -> Did:
        raise error

    return run


def lines(told: Sequence[Told]) -> list[tuple[str, str, str]]:
    return [(each.job, each.status, each.trouble) for each in told]


def test_jobs_are_done_in_their_order_and_a_second_tick_has_nothing_to_do(open_sqlite: Casebook) -> None:
    names: list[str] = []
    one = ticker(open_sqlite, Clock(), noting(names, "b"), noting(names, "a"))
    assert [each.name for each in one.pending()] == ["b", "a"]
    told = one.tick()
    assert names == ["b 2025-07-01", "a 2025-07-01"]
    assert [each.line.replace(f" in {each.seconds:.1f} s", "") for each in told] == [
        "b 2025-07-01 done · rows 2", "a 2025-07-01 done · rows 2",
    ]  # fmt: skip
    assert one.pending() == []
    assert one.tick() == []


def test_only_one_job_where_asked_and_none_that_is_off(open_sqlite: Casebook) -> None:
    names: list[str] = []
    jobs = (noting(names, "a"), noting(names, "b"), noting(names, "c"))
    one = ticker(open_sqlite, Clock(), *jobs, plan=Plan({"a": JobPlan(enabled=False)}))
    one.tick(only="c")
    one.tick(only="a")
    assert names == ["c 2025-07-01"]
    one.tick()
    assert names == ["c 2025-07-01", "b 2025-07-01"]


def test_a_job_that_fails_says_why_and_the_others_go_on(open_sqlite: Casebook) -> None:
    clock, names = Clock(), list[str]()
    secret = "张伟 13800001111"
    one = ticker(
        open_sqlite, clock, job("empty", broken(InputError("the store is empty"))),
        job("fault", broken(KeyError(secret))), noting(names, "last"),
    )  # fmt: skip
    told = one.tick()
    assert lines(told)[0] == ("empty", WAITING, "the store is empty")
    assert lines(told)[2] == ("last", DONE, "")
    assert [each.failed for each in told] == [True, True, False]
    assert told[1].trouble.startswith("KeyError in test_tick.py, line ")
    assert secret not in "".join(each.line for each in told)
    assert one.tick() == []
    clock.forward(minutes=5)
    assert [each.job for each in one.tick()] == ["empty", "fault"]


def test_what_is_not_as_it_should_be_is_said_though_it_is_done(open_sqlite: Casebook) -> None:
    [told] = ticker(open_sqlite, Clock(), job("a", lambda _: Did({}, "no data came\nthat day"))).tick()
    assert (told.status, told.trouble, told.failed) == (DONE, "no data came that day", False)
    with open_sqlite.reading() as db:
        assert job_runs.get(db, "a", "2025-07-01").trouble == "no data came that day"


def test_who_is_stopped_gives_back_and_the_next_tick_does_it(open_sqlite: Casebook) -> None:
    names: list[str] = []

    def stopped(_: Turn) -> Did:
        raise Stopped

    with pytest.raises(Stopped):
        ticker(open_sqlite, Clock(), job("a", stopped)).tick()
    assert lines(ticker(open_sqlite, Clock(), noting(names, "a")).tick()) == [("a", DONE, "")]
    assert names == ["a 2025-07-01"]


def test_what_nobody_did_is_caught_up_with_and_what_is_too_old_is_said(open_sqlite: Casebook) -> None:
    clock, names = Clock(), list[str]()
    each = job("each", noting(names, "each").run, catch_up=CatchUp.EACH)
    one = ticker(open_sqlite, clock, each, noting(names, "newest"))
    one.tick()
    clock.forward(days=2)
    told = one.tick()
    assert [(at.job, at.slot, at.status) for at in told] == [
        ("each", "2025-07-02", DONE), ("each", "2025-07-03", DONE),
        ("newest", "2025-07-02", MISSED), ("newest", "2025-07-03", DONE),
    ]  # fmt: skip


def test_what_is_done_again_and_again_adds_up_for_the_day(open_sqlite: Casebook) -> None:
    clock, names = Clock(), list[str]()
    one = ticker(open_sqlite, clock, job("often", noting(names, "often").run, every=timedelta(minutes=5)))
    for _ in range(11):
        one.tick()
        clock.forward(minutes=1)
    assert len(names) == 3
    with open_sqlite.reading() as db:
        [run] = job_history.listed(db)
    assert (run.slot, run.told, run.status) == ("2025-07-02", {"rows": 6}, DONE)


def test_what_is_done_again_and_again_goes_on_after_it_failed(open_sqlite: Casebook) -> None:
    clock = Clock()
    one = ticker(open_sqlite, clock, job("often", broken(InputError("no")), every=timedelta(minutes=5)))
    for _ in range(8):
        assert lines(one.tick())[0][0] == "often"
        clock.forward(minutes=5)


def test_work_that_takes_long_keeps_its_slot(open_sqlite: Casebook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lease is renewed beside it; the other tick sees a slot that is taken."""
    monkeypatch.setattr(ticking, "RENEWALS", LEASE.total_seconds() / 0.01)
    clock, other = Clock(), list[Told]()

    def long(_: Turn) -> Did:
        for _step in range(3):
            clock.forward(seconds=LEASE.total_seconds() - 1)
            _until(lambda: _held(open_sqlite, clock))
        other.extend(ticker(open_sqlite, clock, noting([], "long")).tick())
        return Did()

    [told] = ticker(open_sqlite, clock, job("long", long)).tick()
    assert told.status == DONE
    assert [(each.status, each.slot) for each in other] == [(ticking.BUSY, "2025-07-01")]


def _held(casebook: Casebook, clock: Clock) -> bool:
    """Renewed since the clock was moved."""
    with casebook.reading() as db:
        until = job_runs.get(db, "long", "2025-07-01").leased_until
    return until is not None and until == clock.now + LEASE


def _until(is_so: Callable[[], bool]) -> None:
    last = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < last
        time.sleep(0.005)


def test_a_worker_whose_slot_was_taken_is_not_counted(open_sqlite: Casebook) -> None:
    clock, names = Clock(), list[str]()

    def slept(_: Turn) -> Did:
        clock.forward(seconds=LEASE.total_seconds())
        ticker(open_sqlite, clock, noting(names, "a")).tick()
        return Did({"rows": 99})

    told = ticker(open_sqlite, clock, job("a", slept)).tick()
    assert lines(told) == [("a", ticking.BUSY, "another worker took it for dead and does it anew")]
    with open_sqlite.reading() as db:
        assert job_runs.get(db, "a", "2025-07-01").told == {"rows": 2}


WORKER = """
    import sys, time
    from datetime import datetime
    from pathlib import Path
    from graph.settings import Settings
    from workbench.casebook.opening import Casebook
    from workbench.schedule.cli import _stoppable
    from workbench.schedule.job import Job
    from workbench.schedule.settings import Plan
    from workbench.schedule.tick import Ticker

    home, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])

    def run(turn):
        (home / "fresh").write_text("half")
        (home / "begun").touch()
        time.sleep(600)

    with _stoppable(), Casebook.open(f"sqlite:///{home / 'casebook.sqlite'}") as casebook:
        jobs, there = [Job("write", "Writes.", run)], Settings.read({"RINGROAD_HOME": str(home)})
        Ticker(there, Plan(), jobs, casebook, lambda: now).tick()
"""


def hanging(home: Path) -> subprocess.Popen[str]:
    """A real process that is in the middle of its slot."""
    command = [sys.executable, "-c", textwrap.dedent(WORKER), str(home), NIGHT.isoformat()]
    process = subprocess.Popen(command, env=environment(home), text=True, stderr=subprocess.DEVNULL)
    _until((home / "begun").exists)
    return process


def ticked(home: Path, minutes: int) -> list[tuple[str, str]]:
    """Another worker, so much later."""

    def write(turn: Turn) -> Did:
        (home / "fresh").write_text("whole")
        (home / "fresh").rename(home / f"result-{turn.slot.name}")
        return Did()

    with Casebook.open(f"sqlite:///{home / 'casebook.sqlite'}") as casebook:
        told = ticker(casebook, Clock(NIGHT + timedelta(minutes=minutes)), job("write", write)).tick()
    return [(each.status, each.slot) for each in told]


def results(home: Path) -> list[str]:
    return [each.read_text() for each in home.glob("result-*")]


def test_killed_in_a_slot_the_next_tick_does_it_and_readers_see_it_once(tmp_path: Path) -> None:
    """A process that is killed with SIGKILL, and others that come before and after its lease has run out."""
    dying = hanging(tmp_path)
    os.kill(dying.pid, signal.SIGKILL)
    dying.wait()
    assert ticked(tmp_path, 1) == [("busy", "2025-07-01")]
    assert results(tmp_path) == []
    assert ticked(tmp_path, 4) == [("done", "2025-07-01")]
    assert results(tmp_path) == ["whole"]
    assert ticked(tmp_path, 5) == []
    assert results(tmp_path) == ["whole"]


def test_told_to_end_a_process_gives_its_slot_back_at_once(tmp_path: Path) -> None:
    ending = hanging(tmp_path)
    ending.send_signal(signal.SIGTERM)
    ending.wait()
    assert ticked(tmp_path, 0) == [("done", "2025-07-01")]
    with Casebook.open(f"sqlite:///{tmp_path / 'casebook.sqlite'}") as casebook, casebook.reading() as db:
        assert job_runs.get(db, "write", "2025-07-01").tries == 1
