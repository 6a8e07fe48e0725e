"""A slot is done by one worker at a time, counts once, is tried again, given up, caught up with or missed."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete

from graph.errors import InputError, NodeNotFound
from tests.schedule.conftest import NIGHT, Clock
from tests.workbench.conftest import OpenCasebook
from workbench.casebook import job_history, job_runs
from workbench.casebook.job_runs import DONE, FAILED, LEASE, MISSED, TRIES, WAITING, Claim, Looked
from workbench.casebook.opening import Casebook
from workbench.casebook.schedule_tables import job_runs as table
from workbench.schedule.job import BACK, CatchUp, Did, Job
from workbench.schedule.slots import Cadence

DAILY = Job("daily", "Does something.", lambda _: Did(), catch_up=CatchUp.EACH)
NEWEST = Job("newest", "Does something.", lambda _: Did())


def look(casebook: Casebook, clock: Clock, job: Job = DAILY) -> Looked:
    with casebook.writing() as db:
        return job_runs.claim(db, job.name, lambda after: job.due(after, clock.now), back=job.back, now=clock.now)


def took(casebook: Casebook, clock: Clock, job: Job = DAILY) -> Claim:
    found = look(casebook, clock, job).claim
    assert found is not None
    return found


def done(casebook: Casebook, clock: Clock, mine: Claim) -> bool:
    with casebook.writing() as db:
        return job_runs.finish(db, mine, told={"rows": 1}, trouble="", seconds=1.0, now=clock.now)


def failed(casebook: Casebook, clock: Clock, mine: Claim) -> bool:
    with casebook.writing() as db:
        return job_runs.fail(db, mine, trouble="the  store\nis away", seconds=1.0, now=clock.now)


def standing(casebook: Casebook, job: Job = DAILY) -> dict[str, str]:
    with casebook.reading() as db:
        return {each.slot: each.status for each in reversed(job_history.listed(db, job=job.name, limit=1000))}


# One at a time -------------------------------------------------------------------------------------------


def test_a_slot_is_done_once_and_begins_with_the_newest(casebook: Casebook) -> None:
    clock = Clock()
    mine = took(casebook, clock)
    assert mine.slot == "2025-07-01"
    assert look(casebook, clock) == Looked(busy="2025-07-01")
    assert done(casebook, clock, mine)
    assert look(casebook, clock) == Looked()
    assert standing(casebook) == {"2025-07-01": DONE}


def test_it_is_not_due_before_its_time(open_sqlite: Casebook) -> None:
    clock = Clock(NIGHT - timedelta(minutes=31))
    assert took(open_sqlite, clock).slot == "2025-06-30"


def test_two_ticks_at_once_never_take_the_same_slot(open_casebook: OpenCasebook) -> None:
    """Each with a connection of its own, as processes have them."""
    clock, ready = Clock(), threading.Barrier(4)
    found: list[Looked] = []

    def tick() -> None:
        with open_casebook() as own:
            ready.wait(timeout=30)
            found.append(look(own, clock))

    with open_casebook():  # the tables are there
        ticks = [threading.Thread(target=tick) for _ in range(4)]
        for each in ticks:
            each.start()
        for each in ticks:
            each.join()
    assert len(found) == 4
    assert [each.claim.slot for each in found if each.claim] == ["2025-07-01"]
    assert [each.busy for each in found if not each.claim] == ["2025-07-01"] * 3


def test_a_worker_that_died_loses_its_slot_and_one_that_comes_back_is_told_so(casebook: Casebook) -> None:
    clock = Clock()
    dead = took(casebook, clock)
    clock.forward(seconds=LEASE.total_seconds() - 1)
    assert look(casebook, clock).busy
    clock.forward(seconds=1)
    heir = took(casebook, clock)
    assert (heir.slot, heir.tries) == (dead.slot, 2)
    assert not done(casebook, clock, dead)
    assert done(casebook, clock, heir)
    assert not failed(casebook, clock, dead)
    assert standing(casebook) == {"2025-07-01": DONE}


def test_who_renews_keeps_it(open_sqlite: Casebook) -> None:
    clock = Clock()
    mine = took(open_sqlite, clock)
    for _ in range(5):
        clock.forward(seconds=LEASE.total_seconds() - 1)
        with open_sqlite.writing() as db:
            assert job_runs.renew(db, mine, now=clock.now)
        assert look(open_sqlite, clock).busy
    clock.forward(seconds=LEASE.total_seconds())
    took(open_sqlite, clock)
    with open_sqlite.writing() as db:
        assert not job_runs.renew(db, mine, now=clock.now)


def test_what_is_given_back_is_taken_at_once_and_does_not_count(open_sqlite: Casebook) -> None:
    clock = Clock()
    for _ in range(TRIES + 2):
        mine = took(open_sqlite, clock)
        assert mine.tries == 1
        with open_sqlite.writing() as db:
            assert job_runs.give_back(db, mine, now=clock.now)
        clock.forward(seconds=1)


def test_who_gave_it_back_has_no_say_any_more(casebook: Casebook) -> None:
    clock = Clock()
    gone = took(casebook, clock)
    with casebook.writing() as db:
        job_runs.give_back(db, gone, now=clock.now)
    clock.forward(seconds=1)
    heir = took(casebook, clock)
    assert heir.tries == gone.tries
    assert not done(casebook, clock, gone)
    assert done(casebook, clock, heir)


# Trying again --------------------------------------------------------------------------------------------


def test_a_failed_slot_waits_longer_each_time_and_is_given_up(open_sqlite: Casebook) -> None:
    clock = Clock()
    pauses = []
    for number in range(TRIES):
        assert failed(open_sqlite, clock, took(open_sqlite, clock))
        if number < TRIES - 1:
            begin = clock.now
            while (found := look(open_sqlite, clock)).claim is None:
                clock.forward(minutes=1)
            pauses.append(clock.now - begin)
            with open_sqlite.writing() as db:
                job_runs.give_back(db, found.claim, now=clock.now)
    assert pauses == sorted(pauses)
    assert tuple(pauses) == job_runs.PAUSES
    assert standing(open_sqlite) == {"2025-07-01": FAILED}
    with open_sqlite.reading() as db:
        assert job_runs.get(db, "daily", "2025-07-01").trouble == "the store is away"
    clock.forward(hours=5)
    assert look(open_sqlite, clock).claim is None


def test_what_kills_its_worker_each_time_ends_too(open_sqlite: Casebook) -> None:
    clock = Clock()
    for _ in range(TRIES):
        took(open_sqlite, clock)
        clock.forward(seconds=LEASE.total_seconds())
    assert look(open_sqlite, clock) == Looked()
    with open_sqlite.reading() as db:
        run = job_runs.get(db, "daily", "2025-07-01")
    assert (run.status, run.trouble) == (FAILED, "its process died in the last try")


def test_a_person_asks_again(casebook: Casebook) -> None:
    clock = Clock()
    mine = took(casebook, clock)
    with casebook.writing() as db, pytest.raises(InputError, match="right now"):
        job_runs.again(db, "daily", mine.slot, clock.now, now=clock.now)
    done(casebook, clock, mine)
    with casebook.writing() as db:
        job_runs.again(db, "daily", mine.slot, clock.now, now=clock.now)
        job_runs.again(db, "daily", "2025-05-01", clock.now, now=clock.now)
    first = took(casebook, clock)
    assert (first.slot, first.tries) == ("2025-05-01", 1)
    done(casebook, clock, first)
    assert took(casebook, clock).slot == mine.slot
    with casebook.reading() as db, pytest.raises(NodeNotFound, match="never ran"):
        job_runs.get(db, "daily", "2025-04-01")


# Catching up ---------------------------------------------------------------------------------------------


def test_reports_are_caught_up_with_the_oldest_first_and_those_too_old_are_missed(casebook: Casebook) -> None:
    clock = Clock()
    done(casebook, clock, took(casebook, clock))
    clock.forward(days=BACK + 2)
    first = look(casebook, clock)
    assert first.missed == ("2025-07-02", "2025-07-03")
    slots = []
    while first.claim is not None:
        slots.append(first.claim.slot)
        done(casebook, clock, first.claim)
        first = look(casebook, clock)
    assert slots == [f"2025-07-{day:02}" for day in range(4, 4 + BACK)]
    assert list(standing(casebook).values()) == [DONE, MISSED, MISSED, *[DONE] * BACK]


def test_where_the_newest_says_it_all_the_others_are_missed(open_sqlite: Casebook) -> None:
    clock = Clock()
    failed(open_sqlite, clock, took(open_sqlite, clock, NEWEST))
    clock.forward(days=3)
    found = look(open_sqlite, clock, NEWEST)
    assert found.claim is not None
    assert found.claim.slot == "2025-07-04"
    assert found.missed == ("2025-07-01", "2025-07-02", "2025-07-03")


def test_a_slot_that_waits_holds_up_no_newer_one(open_sqlite: Casebook) -> None:
    clock = Clock()
    failed(open_sqlite, clock, took(open_sqlite, clock))
    clock.now = NIGHT + timedelta(days=1)
    with open_sqlite.writing() as db:
        db.execute(table.update().values(next_at=clock.now + timedelta(hours=1)))
    assert took(open_sqlite, clock).slot == "2025-07-02"


@pytest.mark.parametrize("cadence", list(Cadence))
def test_what_is_due_follows_the_last_and_ends_with_the_newest(cadence: Cadence) -> None:
    job = Job("x", "Does something.", lambda _: Did(), cadence)
    [(first, at)] = job.due(None, NIGHT)
    assert at <= NIGHT
    assert job.due(first, NIGHT) == []
    later = job.due(first, NIGHT + timedelta(days=100))
    assert [name for name, _ in later] == sorted(name for name, _ in later)
    assert all(name > first and NIGHT - timedelta(days=32) < at <= NIGHT + timedelta(days=100) for name, at in later)
    assert later[0][0] == job.newest(NIGHT).after.name


# Against a model -----------------------------------------------------------------------------------------


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["look", "done", "failed", "given back", "renewed"]), st.integers(0, 3)),
        st.tuples(st.just("later"), st.sampled_from([1, 2, 4, 31, 130, 400, 1440, 3000, 20_000])),
    ),
    max_size=40,
)


class Model:
    """Who holds what, as one would write it down on paper."""

    def __init__(self) -> None:
        self.held: tuple[Claim, datetime] | None = None
        self.counted: set[str] = set()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, each=st.booleans())
def test_whatever_happens_one_worker_holds_a_slot_and_each_counts_once(
    open_sqlite: Casebook, steps: Sequence[tuple[str, int]], each: bool
) -> None:
    job, clock, model = (DAILY if each else NEWEST), Clock(), Model()
    claims: list[Claim] = []
    with open_sqlite.writing() as db:
        db.execute(delete(table))
        for what, number in steps:
            mine = claims[number % len(claims)] if claims else None
            alive = model.held is not None and clock.now < model.held[1]
            if what == "later":
                clock.forward(minutes=number)
            elif what == "look":
                found = job_runs.claim(
                    db, job.name, lambda after: job.due(after, clock.now), back=job.back, now=clock.now
                )
                assert bool(found.busy) == alive
                if found.claim is not None:
                    assert not alive
                    assert found.claim.slot not in model.counted
                    assert found.claim.tries <= TRIES
                    claims.append(found.claim)
                    model.held = (found.claim, clock.now + LEASE)
            elif mine is not None:
                holds = model.held is not None and model.held[0] == mine
                told = {
                    "done": lambda: job_runs.finish(db, mine, told={}, trouble="", seconds=0, now=clock.now),  # noqa: B023
                    "failed": lambda: job_runs.fail(db, mine, trouble="x", seconds=0, now=clock.now),  # noqa: B023
                    "given back": lambda: job_runs.give_back(db, mine, now=clock.now),  # noqa: B023
                    "renewed": lambda: job_runs.renew(db, mine, now=clock.now),  # noqa: B023
                }[what]()
                assert told <= holds
                assert told or not alive or not holds
                if told and what == "renewed":
                    model.held = (mine, clock.now + LEASE)
                elif told:
                    model.held = None
                    model.counted |= {mine.slot} if what == "done" else set()
        _worked_off(db, job, clock, model)


def _worked_off(db: Connection, job: Job, clock: Clock, model: Model) -> None:
    """From any state: with workers that work, nothing stays open, and what was counted stays so."""
    for _ in range(200):
        found = job_runs.claim(db, job.name, lambda after: job.due(after, clock.now), back=job.back, now=clock.now)
        if found.claim is not None:
            assert found.claim.slot not in model.counted
            job_runs.finish(db, found.claim, told={}, trouble="", seconds=0, now=clock.now)
        elif job_runs._open(db, job.name):
            clock.forward(minutes=3)
        else:
            break
    runs = job_history.listed(db, job=job.name, limit=1000)
    assert {each.status for each in runs} <= {DONE, FAILED, MISSED}
    assert model.counted <= {each.slot for each in runs if each.status == DONE}
    assert runs[0].slot == job.newest(clock.now).name
    assert WAITING not in {each.status for each in runs}
