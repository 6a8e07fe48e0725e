"""The sums of the overview, against what was put into the casebook by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from graph.settings import Settings
from workbench.casebook.case_tables import application_scores, cases
from workbench.casebook.tables import ring_events, ring_runs, ring_states, rings
from workbench.services.office import Office
from workbench.services.overview import Overviews
from workbench.services.permissions import Person, Role

NOW = datetime(2026, 3, 10, 2, tzinfo=UTC)  # ten in the morning in China
WHO = Person("he", "He Jing", Role.AUDITOR)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with Office(Settings.read({"RINGROAD_HOME": str(tmp_path)}), clock=lambda: NOW) as office:
        yield office


def add_case(office: Office, number: int, **said: object) -> None:
    case = {
        "id": number, "kind": "ring", "subject": f"R{number}", "score": 0.5, "size": 4, "exposure": 1000.0,
        "savable": 100.0, "typology": "T01", "because": "", "reasons": [], "dealer": "D1", "region": "310000",
        "first_seen": NOW, "last_seen": NOW, "grown": 0, "status": "open", "outcome": "", "assignee": "",
        "locked_by": "",
        "opened_at": NOW, "opened_because": "found", "changed_at": NOW,
    }  # fmt: skip
    with office.casebook.writing() as db:
        db.execute(insert(cases).values(case | said))


def test_an_empty_casebook_has_nothing_to_tell(office: Office) -> None:
    found = Overviews(office).overview(WHO)
    assert (found.run_as_of, found.alerts, found.runs, found.moved, found.heat) == (None, [], [], [], [])
    assert (found.tiles.backlog, found.tiles.exposure, found.tiles.median_hours) == (0, 0.0, None)
    assert found.ages == [(0, 0)] * 5


def test_closed_cases_are_not_at_stake(office: Office) -> None:
    day = timedelta(days=1)
    add_case(office, 1)
    add_case(office, 2, assignee="lin", opened_at=NOW - 2 * day, deadline=NOW - day, exposure=500.0, savable=0.0)
    add_case(office, 3, opened_at=NOW - 20 * day, deadline=NOW + day)
    done = {"status": "closed", "closed_by": "lin", "closing_reason": "seen"}
    add_case(office, 4, opened_at=NOW - 9 * day, closed_at=NOW - day, outcome="confirmed_fraud", **done)
    add_case(office, 5, opened_at=NOW - 4 * day, closed_at=NOW - day, outcome="false_positive", **done)
    add_case(office, 6, opened_at=NOW - 90 * day, closed_at=NOW - 40 * day, outcome="confirmed_fraud", **done)
    told = Overviews(office).overview(WHO)
    tiles = told.tiles
    assert (tiles.exposure, tiles.savable, tiles.backlog, tiles.nobodys, tiles.overdue) == (2500.0, 200.0, 3, 2, 1)
    assert (tiles.today, tiles.usual, tiles.oldest_days) == (1, 4 / 28, 20.0)
    assert (tiles.decided, tiles.confirmed, tiles.median_hours) == (2, 1, 192.0)
    assert told.ages == [(0, 1), (1, 0), (0, 0), (0, 0), (0, 1)]


def test_a_day_begins_at_midnight_in_china(office: Office) -> None:
    add_case(office, 1, opened_at=datetime(2026, 3, 9, 16, 0, tzinfo=UTC))
    add_case(office, 2, opened_at=datetime(2026, 3, 9, 15, 59, tzinfo=UTC))
    assert Overviews(office).overview(WHO).tiles.today == 1


def test_heat_gathers_by_region_and_dealer_and_leaves_out_who_has_none(office: Office) -> None:
    add_case(office, 1, score=0.9)
    add_case(office, 2, score=0.1, exposure=3000.0)
    add_case(office, 3, dealer="D2", exposure=50_000.0)
    add_case(office, 4, dealer="")
    add_case(office, 5, status="closed")
    heat = Overviews(office).overview(WHO).heat
    assert [(one.dealer, one.cases, one.exposure, one.score) for one in heat] == [
        ("D2", 1, 50_000.0, 0.5), ("D1", 2, 4000.0, 0.5),
    ]  # fmt: skip


def test_alerts_count_what_somebody_must_look_at_by_day(office: Office) -> None:
    rows = [
        {"application_id": f"A{at}", "as_of": when, "score": 0.5, "decision": decision, "reasons": [], "ring_id": "",
         "model_version": "m", "recorded_at": NOW, "source": "batch"}
        for at, (when, decision) in enumerate(
            [(NOW, "review"), (NOW, "review"), (NOW, "pass"), (NOW - timedelta(days=1), "decline"),
             (NOW - timedelta(days=50), "decline")]
        )
    ]  # fmt: skip
    with office.casebook.writing() as db:
        db.execute(insert(application_scores), rows)
    assert [(at.day, decision, count) for at, decision, count in Overviews(office).overview(WHO).alerts] == [
        (9, "decline", 1), (10, "review", 2),
    ]  # fmt: skip


def test_what_moved_is_what_the_newest_run_found_first_or_larger(office: Office) -> None:
    runs = [
        {"id": number, "as_of": NOW - timedelta(days=9 - number), "window_days": 90, "overrides_as_of": NOW,
         "sequence": 1, "created_at": NOW, "rings": 2, "applications": 9}
        for number in (1, 2)
    ]  # fmt: skip
    state = {"rank": 1, "score": 0.5, "typology": "T01", "because": "they share"}
    with office.casebook.writing() as db:
        db.execute(insert(ring_runs), runs)
        lives = {"born_at": NOW, "last_as_of": NOW, "status": "alive"}
        db.execute(insert(rings), [{"ring_id": name, **lives} for name in ("Ra", "Rb", "Rc")])
        seen = [(1, "Ra", 3), (2, "Ra", 5), (2, "Rb", 4), (2, "Rc", 6)]
        db.execute(
            insert(ring_states),
            [
                {"run_id": run, "ring_id": name, "size": size, "exposure": 100.0 * size, "undisbursed": 10.0 * size}
                | state
                for run, name, size in seen
            ],
        )  # fmt: skip
        told = [(1, "Ra", "birth", "abc"), (2, "Ra", "join", "de"), (2, "Rb", "birth", "wxyz"), (2, "Rc", "leave", "q")]
        db.execute(
            insert(ring_events),
            [{"run_id": run, "number": at, "ring_id": name, "as_of": NOW, "kind": kind, "application_ids": list(who)}
             for at, (run, name, kind, who) in enumerate(told)],
        )  # fmt: skip
    found = Overviews(office).overview(WHO)
    assert [(one.ring_id, one.born, one.joined, one.size) for one in found.moved] == [
        ("Ra", False, 2, 5), ("Rb", True, 4, 4),
    ]  # fmt: skip
    assert [(count, exposure, savable) for _, count, exposure, savable in found.runs] == [
        (1, 300.0, 30.0), (3, 1500.0, 150.0),
    ]  # fmt: skip
