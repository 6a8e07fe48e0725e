"""What is new since somebody last looked: a visit is half an hour of looking, and each person has his own."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import insert

from tests.workbench.door import Clock, cheap, clock, office
from workbench.casebook import visits
from workbench.casebook.tables import ring_members, ring_runs, rings
from workbench.services.canvas.visits import Fresh, Visits
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.subject import Subject

__all__ = ["cheap", "clock", "office"]

LIN, SUN = Person("lin", "Lin Yue", Role.INVESTIGATOR), Person("sun", "Sun Hao", Role.AUDITOR)
RING, OTHER = Subject("ring", "R0A1B2C3D4E"), Subject("application", "APP1")


@pytest.fixture
def look(office: Office) -> Visits:
    return Visits(office)


def test_the_first_visit_has_nothing_new(look: Visits) -> None:
    assert look.look(LIN, RING) == Fresh()


def test_what_was_new_stays_new_while_somebody_looks(look: Visits, clock: Clock) -> None:
    first = clock.now
    look.look(LIN, RING)
    clock.passes(hours=5)
    assert look.look(LIN, RING).since == first
    clock.passes(minutes=29)
    assert look.look(LIN, RING).since == first
    clock.passes(minutes=29)
    assert look.look(LIN, RING).since == first  # 58 minutes, but never away
    last = clock.now
    clock.passes(minutes=31)
    assert look.look(LIN, RING).since == last


def test_each_person_and_each_subject_by_itself(look: Visits, clock: Clock) -> None:
    look.look(LIN, RING)
    clock.passes(hours=5)
    assert look.look(SUN, RING).since is None
    assert look.look(LIN, OTHER).since is None


def run(office: Office, number: int, created: datetime) -> None:
    with office.casebook.writing() as db:
        db.execute(
            insert(ring_runs).values(
                id=number, as_of=created, window_days=180, overrides_as_of=created, sequence=1, created_at=created,
                rings=1, applications=9,
            )
        )  # fmt: skip


def joins(office: Office, name: str, joined: int, left: int | None = None) -> None:
    with office.casebook.writing() as db:
        at = office.clock()
        member = {"ring_id": RING.name, "application_id": name, "joined_run": joined, "joined_as_of": at}
        db.execute(insert(ring_members).values(member | {"left_run": left, "left_as_of": at if left else None}))


def born(office: Office) -> None:
    with office.casebook.writing() as db:
        at = office.clock()
        row = {"ring_id": RING.name, "born_at": at, "last_as_of": at, "status": "alive"}
        db.execute(insert(rings).values(row))


def test_who_joined_in_a_run_since_is_new_however_old(look: Visits, office: Office, clock: Clock) -> None:
    run(office, 1, clock.now)
    born(office)
    joins(office, "APP1", 1)
    look.look(LIN, RING)
    clock.passes(days=1)
    run(office, 2, clock.now)
    joins(office, "APP2", 2), joins(office, "APP3", 2, left=2)
    clock.passes(days=1)
    assert look.look(LIN, RING).joined == {"APP2"}
    clock.passes(days=1)
    assert look.look(LIN, RING).joined == frozenset()


def test_rings_of_applications_after_a_run(office: Office, clock: Clock) -> None:
    run(office, 1, clock.now)
    clock.passes(days=1)
    run(office, 2, clock.now)
    born(office)
    joins(office, "APP1", 1, left=2), joins(office, "APP2", 2)
    with office.casebook.reading() as db:
        assert visits.rings_then(db, ["APP1", "APP2"], 1) == [RING.name]
        assert visits.rings_then(db, ["APP2"], 1) == []
        assert visits.rings_then(db, ["APP1"], 2) == []
        assert visits.rings_then(db, [f"A{each}" for each in range(1200)] + ["APP2"], 2) == [RING.name]
