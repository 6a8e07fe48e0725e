"""The life of a ring over three runs, where it may be looked at again, and what changed since."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert

from graph.errors import NodeNotFound
from graph.records import to_millis
from graph.rings import Ring
from graph.sentences import Shared
from graph.settings import Settings
from tests.service.conftest import copied
from workbench.casebook import casefile, labels, runs
from workbench.casebook.case_tables import cases, ring_updates
from workbench.services.all import Services
from workbench.services.lenses import passport as passports
from workbench.services.lenses.passport import Stop, _few
from workbench.services.lenses.passport_events import Happening, by_day
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.subject import APPLICATION, RING, Subject

AUDITOR = Person("he", "He", Role.AUDITOR)
NOW = datetime(2025, 6, 20, 4, tzinfo=UTC)
TIMES = [datetime(2025, month, 28, 15, tzinfo=UTC) for month in (3, 4, 5)]


class Town:
    """Rings of real applications, put together by hand: `a` splits into itself and `b`, and takes `c` in."""

    def __init__(self, services: Services) -> None:
        self.services = services
        nodes = services.office.snapshot().nodes["Application"]
        at = np.flatnonzero(nodes.known_at <= to_millis(TIMES[0]))[-7:].tolist()
        late = np.flatnonzero(nodes.known_at <= to_millis(TIMES[1]))[-2:].tolist()
        keys = nodes.table["key"]
        self.a1, self.a2, self.a3, self.a4, self.a5, self.c1, self.c2 = (keys[one].as_py() for one in at)
        self.b1, self.c3 = (keys[one].as_py() for one in late)
        self.a, self.c = self._run(0, (self.a1, self.a2, self.a3, self.a4, self.a5), (self.c1, self.c2))
        self.b = self._run(1, (self.a1, self.a2, self.a3), (self.a4, self.a5, self.b1), (self.c1, self.c2, self.c3))[1]
        last = (self.a1, self.a2, self.a3, self.c1, self.c2, self.c3), (self.a4, self.a5, self.b1)
        self._keep(last, self._run(2, *last))

    def _ring(self, members: Sequence[str]) -> Ring:
        shared = (Shared("Device", "USED_DEVICE", "0" * 32, "db***fd", tuple(members), len(members)),)
        return Ring(f"R{members[0]}", 1, len(members) / 10, tuple(members), "2025-03-01", "2025-03-02",
                    1000.0 * len(members), 500.0, "T05", "they share a device", shared)  # fmt: skip

    def _run(self, at: int, *groups: Sequence[str]) -> tuple[str, ...]:
        nodes = self.services.office.snapshot().nodes["Application"]
        window = frozenset(nodes.table["key"].filter(nodes.known_at <= to_millis(TIMES[at])).to_pylist())
        about = runs.Run(TIMES[at], 180, TIMES[at], at + 1, window)
        with self.services.office.casebook.writing() as db:
            return runs.record(db, [self._ring(each) for each in groups], about, now=TIMES[at]).ring_ids

    def _keep(self, groups: Sequence[Sequence[str]], names: Sequence[str]) -> None:
        rings = [replace(self._ring(each), ring_id=name).as_json() for each, name in zip(groups, names, strict=True)]
        told = {"as_of": TIMES[2].isoformat(), "overrides_as_of": TIMES[2].isoformat(), "rings": rings}
        self.services.office.settings.rings_file.write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture(scope="module")
def town(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = copied(trained, tmp_path_factory.mktemp("passport") / "home")
    for each in home.glob("casebook.sqlite*"):
        each.unlink()
    with Office(Settings.read({"RINGROAD_HOME": str(home)}), clock=lambda: NOW) as office:
        yield Town(Services(office))
    shutil.rmtree(home, ignore_errors=True)


def kinds(town: Town, ring: str) -> list[str]:
    return [one.kind for one in town.services.passport.life(AUDITOR, Subject(RING, ring)).happenings]


def test_a_ring_is_born_splits_and_takes_in(town: Town) -> None:
    life = town.services.passport.life(AUDITOR, Subject(RING, town.a))
    of_lineage = [(one.kind, one.other) for one in life.happenings if one.at in TIMES]
    assert of_lineage == [
        ("birth", ""), ("leave", ""), ("split", town.b), ("join", ""), ("took_in", town.c),
    ]  # fmt: skip
    assert life.status == "alive"
    assert life.born_at == TIMES[0]
    assert [one.at for one in life.happenings] == sorted(one.at for one in life.happenings)


def test_it_grows_run_by_run(town: Town) -> None:
    life = town.services.passport.life(AUDITOR, Subject(RING, town.a))
    assert [(one.at, one.size, one.exposure) for one in life.points] == [
        (TIMES[0], 5, 5000.0), (TIMES[1], 3, 3000.0), (TIMES[2], 6, 6000.0),
    ]  # fmt: skip
    assert [one.applications for one in life.grown] == list(range(1, 9)), "all that ever belonged to it"
    assert [one.at for one in life.grown] == sorted(one.at for one in life.grown)


def test_its_family_from_both_sides(town: Town) -> None:
    family = town.services.passport.life(AUDITOR, Subject(RING, town.a)).family
    assert [(one.ring_id, one.how, one.applications, one.status) for one in family] == [
        (town.b, "split", 2, "alive"), (town.c, "took_in", 3, "merged"),
    ]  # fmt: skip
    (parent,) = town.services.passport.life(AUDITOR, Subject(RING, town.b)).family
    assert (parent.ring_id, parent.how, parent.applications) == (town.a, "birth", 2)


def test_a_ring_that_is_no_more_still_has_a_passport(town: Town) -> None:
    life = town.services.passport.life(AUDITOR, Subject(RING, town.c))
    assert life.status == "merged"
    assert [one.kind for one in life.happenings if one.at in TIMES] == ["birth", "join", "merge"]
    assert [(one.ring_id, one.how) for one in life.family] == [(town.a, "merge")]
    with pytest.raises(NodeNotFound):
        town.services.passport.life(AUDITOR, Subject(RING, "R0000000000"))
    with pytest.raises(NodeNotFound):
        town.services.passport.life(AUDITOR, Subject(APPLICATION, "APP-none"))


def test_what_people_did_stands_in_its_life(town: Town) -> None:
    office = town.services.office
    told = labels.Label(town.a1, "SUSPECTED", "review", "provisional", "lin", typology="T05")
    content = {"ring_id": town.b, "application_ids": [town.a4, town.a5], "score": 0.1, "exposure": 9.0,
               "undisbursed": 1.0, "typology": "T05", "because": "x", "shared": [], "roles": [], "signs": [],
               "doubts": []}  # fmt: skip
    row = {"id": 7, "kind": "ring", "subject": town.a, "score": 0.8, "size": 5, "exposure": 1e6, "savable": 4e5,
           "typology": "T01", "because": "5", "reasons": [], "dealer": "D1", "region": "310000", "first_seen": NOW,
           "last_seen": NOW, "grown": 0, "status": "open", "outcome": "", "assignee": "", "locked_by": "",
           "opened_at": NOW, "opened_because": "found", "changed_at": NOW}  # fmt: skip
    with office.casebook.writing() as db:
        labels.add(db, told, request_key="passport", now=NOW)
        db.execute(insert(cases).values(row))
        casefile.enter(db, 7, "assigned", author="wang", now=NOW, content={"to": "lin"})
        casefile.note(db, 7, "no business of a passport", author="lin", users=set(), now=NOW)
        update = {"ring_id": town.b, "run_id": 3, "author": "lin"}
        again = content | {"application_ids": [town.a4, town.a5, town.b1], "score": 0.2}
        db.execute(insert(ring_updates).values(**update, id=1, at=NOW, cause="label 1", content=content))
        later = NOW + timedelta(minutes=5)
        db.execute(insert(ring_updates).values(**update, id=2, at=later, cause="label 2", content=again))
    life = town.services.passport.life(AUDITOR, Subject(RING, town.a))
    of_people = [one for one in life.happenings if one.at >= NOW]
    assert {(one.kind, one.author) for one in of_people} == {("label", "lin"), ("case", "wang")}
    other = town.services.passport.life(AUDITOR, Subject(RING, town.b))
    found = [one for one in other.happenings if one.kind == "update"]
    assert [(one.applications, one.words, dict(one.counts)) for one in found] == [
        ((town.b1,), ("label 1",), {"joined": 0, "left": 1}),
        ((town.b1,), ("label 2",), {"joined": 1, "left": 0}),
    ]
    assert other.points[-1] == passports.Point(later, 3, 9.0, 1.0, 0.2, update=True)


# Stops ---------------------------------------------------------------------------------------------------


def test_it_stops_at_runs_and_decisions(town: Town) -> None:
    stops = town.services.passport.stops(AUDITOR, Subject(RING, town.a))
    at = [one.at for one in stops]
    assert at == sorted(set(at))
    assert {one.at for one in stops if "run" in one.kinds} == set(TIMES)
    assert {"decided", "run"} <= {kind for one in stops for kind in one.kinds}
    assert all(one.at <= NOW for one in stops)
    assert not {"submitted", "birth"} & {kind for one in stops for kind in one.kinds}


def test_an_application_stops_at_its_own_decision(town: Town) -> None:
    stops = town.services.passport.stops(AUDITOR, Subject(APPLICATION, town.a1))
    assert stops[0].kinds[0] == "submitted"
    nodes = town.services.office.snapshot().nodes["Application"].table
    row = nodes["key"].to_pylist().index(town.a1)
    later = town.services.passport.stops(AUDITOR, Subject(APPLICATION, town.c3))
    assert [one.at for one in later if "run" in one.kinds] == TIMES[1:], "runs before it came say nothing of it"
    (decided,) = (one.at for one in stops if "decided" in one.kinds)
    assert to_millis(decided) == nodes["decided_at"][row].as_py()


def test_too_many_stops_are_one_a_day() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    many = [Stop(start + timedelta(hours=hour), ("decided",), 1) for hour in range(24 * 30)]
    few = _few(many, start + timedelta(days=400))
    assert 30 <= len(few) <= 31
    assert sum(one.applications for one in few) == len(many)
    assert {one.at for one in few} <= {one.at for one in many}
    assert _few(many, start + timedelta(hours=3)) == many[:4], "none lies ahead"


def test_a_day_of_single_decisions_is_one_line() -> None:
    at = datetime(2025, 1, 1, 2, tzinfo=UTC)
    told = [
        Happening(at, "decided", ("x",), words=("approve",)),
        Happening(at + timedelta(hours=3), "decided", ("y",), words=("decline",)),
        Happening(at + timedelta(hours=20), "decided", ("z",), words=("approve",)),
        Happening(at + timedelta(hours=1), "join", ("q",)),
    ]
    one, two, three = by_day(told)
    assert one.kind == "join"
    assert (two.applications, two.counts, two.at) == (
        ("x", "y"), (("approve", 1), ("decline", 1)), at + timedelta(hours=3)
    )  # fmt: skip
    assert (three.applications, three.words) == (("z",), ("approve",)), "of another day in China"


# Difference ----------------------------------------------------------------------------------------------


def test_the_difference_between_two_runs(town: Town) -> None:
    told = town.services.passport.difference(AUDITOR, Subject(RING, town.a), TIMES[0])
    assert told.was_there
    assert set(told.joined) == {town.c1, town.c2, town.c3}
    assert set(told.left) == {town.a4, town.a5}
    assert (told.then.size, told.now.size) == (5, 6)
    assert (told.then.exposure, told.now.exposure) == (5000.0, 6000.0)
    assert (told.then.score, told.now.score) == (0.5, 0.6)
    assert sum(told.links.values()) == len(told.ties)
    assert not told.nothing


def test_before_it_was_a_ring(town: Town) -> None:
    told = town.services.passport.difference(AUDITOR, Subject(RING, town.a), TIMES[0] - timedelta(days=20))
    assert not told.was_there
    assert told.left == ()
    assert told.then.score is None
    assert told.then.size + len(told.joined) == told.now.size


def test_now_differs_in_nothing_from_now(town: Town) -> None:
    told = town.services.passport.difference(AUDITOR, Subject(APPLICATION, town.a1), NOW)
    assert told.nothing
    then = town.services.passport.difference(AUDITOR, Subject(APPLICATION, town.a1), TIMES[0])
    assert then.was_there
    assert then.joined == then.left == ()
