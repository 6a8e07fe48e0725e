"""Acts on cases: who may, one at a time, nothing lost silently; the queue's rows, tabs and choices."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from graph.errors import InputError, NodeNotFound, NotAllowed
from tests.workbench.conftest import OpenCasebook
from workbench.casebook import audit, casefile, cases, people
from workbench.casebook.casefile import Stale
from workbench.casebook.cases import CLOSED, FOUND, OPEN, WAITING, WORKING, Case, Finding
from workbench.casebook.opening import Casebook
from workbench.casebook.people_tables import audit as log
from workbench.casebook.queue_query import ORDERS, Query
from workbench.services.cases import case_acts
from workbench.services.cases.case_acts import Locked
from workbench.services.cases.cases import Cases
from workbench.services.cases.queue import Queue
from workbench.services.office import Office
from workbench.services.permissions import Person, Role

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
LI, XU = (Person(name, name.title(), Role.INVESTIGATOR) for name in ("li", "xu"))
ZHOU, WANG, HE = (
    Person(role.name.lower(), role.name.title(), role) for role in (Role.SENIOR, Role.MANAGER, Role.AUDITOR)
)


class Desk:
    """An office over a small casebook, with a clock that is set."""

    def __init__(self, casebook: Casebook) -> None:
        self.now = NOW
        self.casebook = casebook
        office = Office.__new__(Office)
        office.casebook, office.clock = casebook, lambda: self.now
        self.cases, self.queue = Cases(office), Queue(office)

    def find(self, *found: Finding) -> None:
        with self.casebook.writing() as db:
            cases.open_all(db, found, because=FOUND, now=self.now)

    def users(self, *those: Person) -> None:
        with self.casebook.writing() as db:
            for each in those:
                people.add(db, name=each.name, display_name=each.display_name, role=each.role, language="en",
                           password_hash="", author="wang", now=NOW)  # fmt: skip

    def case(self, number: int) -> Case:
        return self.cases.get(HE, number)

    def seen(self, *numbers: int) -> dict[int, int]:
        with self.casebook.reading() as db:
            return {each: casefile.newest(db, each) for each in numbers}

    def entries(self, number: int) -> list[str]:
        with self.casebook.reading() as db:
            return [each.kind for each in casefile.entries(db, number)]

    def log(self) -> list[tuple[str, str, str]]:
        with self.casebook.reading() as db:
            rows = db.execute(select(log.c.actor, log.c.action, log.c.subject).order_by(log.c.id))
            return [(row[0], row[1], row[2]) for row in rows]

    def order(self, who: Person = LI, **asked: Any) -> list[int]:
        return [row.case.id for row in self.queue.rows(who, Query(**asked)).rows]


def finding(name: str, savable: float = 0.0, **more: Any) -> Finding:
    told = Finding(
        kind="ring", subject=name, score=0.5, size=4, exposure=4e5, savable=savable, typology="T08", because="b",
        reasons=("USED_DEVICE",), dealer="D1", region="320100", first_seen=NOW, last_seen=NOW,
    )  # fmt: skip
    return replace(told, **more)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A casebook with three cases, to be copied: making one takes longer than most tests."""
    file = tmp_path_factory.mktemp("three") / "casebook.sqlite"
    with Casebook.open(f"sqlite:///{file}") as casebook:
        Desk(casebook).find(finding("R1", 1e4), finding("R2", 3e4), finding("R3", 2e4, dealer="D7", typology="T16"))
    return file


@pytest.fixture
def desk(three: Path, tmp_path: Path) -> Iterator[Desk]:
    file = shutil.copy(three, tmp_path / "casebook.sqlite")
    with Casebook.open(f"sqlite:///{file}") as casebook:
        yield Desk(casebook)


# Taking --------------------------------------------------------------------------------------------------


def test_the_next_case_is_the_first_of_ones_own_order(desk: Desk) -> None:
    taken = desk.cases.take_next(LI, Query())
    assert taken is not None
    assert (taken.id, taken.assignee, taken.status, taken.locked_by) == (2, "li", WORKING, "li")
    assert taken.locked_until == NOW + timedelta(minutes=20)
    assert (desk.entries(2), desk.log()) == (["opened", "taken"], [("li", "case.taken", "C2")])
    assert [
        one.id for one in (desk.cases.take_next(LI, Query(dealer=("D7",))), desk.cases.take_next(XU, Query())) if one
    ] == [3, 1]
    assert desk.cases.take_next(LI, Query()) is None


def test_what_is_snoozed_locked_ended_or_somebodys_is_not_taken(desk: Desk) -> None:
    desk.cases.snooze(LI, desk.seen(1), NOW + timedelta(days=1), "waits for the bank")
    desk.cases.lock(XU, 2)
    with desk.casebook.writing() as db:
        cases.end(db, "R3", now=NOW)
        cases.open_all(db, [finding("R4")], because=FOUND, now=NOW)
        cases.change(db, 4, assignee="xu")
    assert desk.cases.take_next(LI, Query()) is None
    desk.now += timedelta(minutes=20)
    taken = desk.cases.take_next(LI, Query())
    assert taken is not None
    assert taken.id == 2
    desk.cases.assign(LI, desk.seen(2), "")
    assert desk.case(2).status == OPEN


def test_two_people_at_once_never_take_the_same(open_casebook: OpenCasebook) -> None:
    with open_casebook() as casebook:
        desk = Desk(casebook)
        desk.find(*(finding(f"R{at}", float(at)) for at in range(12)))
        got: list[int] = []
        start = threading.Barrier(4)

        def take(who: Person) -> None:
            with open_casebook() as own:
                mine = Desk(own)
                start.wait()
                for _ in range(3):
                    taken = mine.cases.take_next(who, Query())
                    assert taken is not None
                    got.append(taken.id)

        threads = [threading.Thread(target=take, args=(who,)) for who in (LI, XU, ZHOU, WANG)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sorted(got) == list(range(1, 13))
        with casebook.reading() as db:
            assert audit.verify(db).bad is None


def test_a_lock_lasts_while_somebody_works_and_lapses(desk: Desk) -> None:
    desk.cases.lock(LI, 1)
    with pytest.raises(Locked, match="li has C1 open; it is free in 20 min"):
        desk.cases.set_status(XU, desk.seen(1), WAITING)
    desk.now += timedelta(minutes=15)
    desk.cases.set_status(LI, desk.seen(1), WORKING)
    assert desk.case(1).locked_until == desk.now + timedelta(minutes=20)
    desk.now += timedelta(minutes=10)
    assert desk.cases.lock(LI, 1).locked_until == desk.now + timedelta(minutes=20)
    assert desk.entries(1) == ["opened", "locked", "status"]
    with pytest.raises(Locked):
        desk.cases.unlock(XU, 1)
    assert desk.cases.unlock(ZHOU, 1).locked_by == ""
    desk.cases.set_status(XU, desk.seen(1), WAITING)


# Who may -------------------------------------------------------------------------------------------------

ACTS: dict[str, Callable[[Desk, Person, dict[int, int]], Any]] = {
    "take": lambda desk, who, seen: desk.cases.take(who, 1),
    "lock": lambda desk, who, seen: desk.cases.lock(who, 1),
    "assign": lambda desk, who, seen: desk.cases.assign(who, seen, who.name),
    "back": lambda desk, who, seen: desk.cases.assign(who, seen, ""),
    "snooze": lambda desk, who, seen: desk.cases.snooze(who, seen, NOW + timedelta(days=1), "waits"),
    "status": lambda desk, who, seen: desk.cases.set_status(who, seen, WAITING),
    "deadline": lambda desk, who, seen: desk.cases.set_deadline(who, seen, NOW + timedelta(days=1)),
    "close": lambda desk, who, seen: desk.cases.close(who, seen, "no_finding", "a family", checked={1}),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("who", "owner", "may"),
    [
        (LI, "", True), (LI, "li", True), (LI, "xu", False), (ZHOU, "xu", True), (WANG, "xu", True), (HE, "", False),
    ],
)  # fmt: skip
def test_an_investigator_acts_on_nobodys_and_his_own_only_and_each_act_is_on_record(
    desk: Desk, act: str, who: Person, owner: str, *, may: bool
) -> None:
    desk.users(LI, XU, ZHOU, WANG, HE)
    with desk.casebook.writing() as db:
        cases.change(db, 1, assignee=owner)
    before = desk.case(1)
    if may:
        desk.now += timedelta(minutes=1)
        ACTS[act](desk, who, desk.seen(1))
        assert desk.case(1) != before
        assert (len(desk.entries(1)), [row[::2] for row in desk.log()]) == (2, [(who.name, "C1")])
    else:
        with pytest.raises(NotAllowed):
            ACTS[act](desk, who, desk.seen(1))
        assert (desk.case(1), desk.entries(1), desk.log()) == (before, ["opened"], [])


def test_only_seniors_and_managers_give_cases_to_others_and_to_those_who_may_work(desk: Desk) -> None:
    desk.users(LI, XU, HE)
    with pytest.raises(NotAllowed):
        desk.cases.assign(LI, desk.seen(1), "xu")
    desk.cases.assign(ZHOU, desk.seen(1), "xu")
    assert desk.case(1).assignee == "xu"
    with pytest.raises(NotAllowed, match="auditor may not work on cases"):
        desk.cases.assign(ZHOU, desk.seen(1), "auditor")
    with pytest.raises(InputError, match="nobody called 'ghost'"):
        desk.cases.assign(ZHOU, desk.seen(1), "ghost")
    with desk.casebook.writing() as db:
        people.change(db, "li", disabled_at=NOW)
    with pytest.raises(InputError):
        desk.cases.assign(ZHOU, desk.seen(1), "li")


# At the same time ----------------------------------------------------------------------------------------


def test_what_somebody_else_did_meanwhile_is_not_written_over(desk: Desk) -> None:
    mine = desk.seen(1)
    desk.cases.set_status(XU, desk.seen(1), WAITING)
    with pytest.raises(Stale, match=r"xu worked on C1 meanwhile \(status\)"):
        desk.cases.close(LI, mine, "no_finding", "a family", checked={1})
    assert desk.case(1).status == WAITING
    desk.cases.close(LI, desk.seen(1), "no_finding", "a family", checked={1})
    assert desk.case(1).outcome == "no_finding"


def test_ones_own_acts_notes_and_runs_take_nothing_away(desk: Desk) -> None:
    mine = desk.seen(1)
    desk.cases.set_status(LI, mine, WAITING)
    with desk.casebook.writing() as db:
        casefile.enter(db, 1, casefile.NOTE, "hello", author="xu", now=NOW)
        cases.enter_all(db, [(1, "grew", "", {})], author=cases.OURSELVES, now=NOW)
    desk.cases.set_status(LI, mine, WORKING)
    assert desk.case(1).status == WORKING


# Many ----------------------------------------------------------------------------------------------------


def test_many_at_once_one_entry_and_one_audit_row_each(desk: Desk) -> None:
    done = desk.cases.snooze(LI, Query(dealer=("D1",)), NOW + timedelta(days=2), "waits for the bank")
    assert (done.done, done.refused) == ((2, 1), ())
    assert [each[1:] for each in desk.log()] == [("case.snoozed", "C2"), ("case.snoozed", "C1")]
    assert desk.order(tab="snoozed") == [2, 1]


def test_of_many_those_that_cannot_be_are_told(desk: Desk) -> None:
    with desk.casebook.writing() as db:
        cases.change(db, 1, assignee="xu")
        cases.change(db, 2, status=CLOSED)
    done = desk.cases.set_status(LI, desk.seen(1, 2, 3, 77), WAITING)
    assert done.done == (3,)
    assert [number for number, _ in done.refused] == [1, 2, 77]
    assert len(desk.log()) == 1


def test_an_act_has_a_bound_and_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_acts, "MOST", 2)
    with pytest.raises(InputError, match="more than 2 cases match"):
        desk.cases.set_status(LI, Query(), WAITING)
    with pytest.raises(InputError, match="no case matches"):
        desk.cases.set_status(LI, Query(dealer=("D9",)), WAITING)
    with pytest.raises(InputError, match="choose 1 to 2"):
        desk.cases.set_status(LI, {}, WAITING)
    assert desk.log() == []


# Deciding ------------------------------------------------------------------------------------------------


def test_no_case_is_closed_past_its_checklist(desk: Desk) -> None:
    with pytest.raises(InputError, match="C2 has a checklist; close it on its page"):
        desk.cases.close(LI, desk.seen(2), "no_finding", "a family", checked={1})
    done = desk.cases.close(LI, desk.seen(1) | desk.seen(2), "no_finding", "a family", checked={1})
    assert (done.done, [number for number, _ in done.refused]) == ((1,), [2])


def test_a_closed_case_says_how_and_opens_again_with_a_reason(desk: Desk) -> None:
    desk.cases.close(LI, desk.seen(1), "confirmed_fraud", "two admitted it", checked={1})
    closed = desk.case(1)
    assert (closed.closed_by, closed.closing_reason, closed.assignee) == ("li", "two admitted it", "li")
    with pytest.raises(InputError, match="C1 is closed"):
        desk.cases.set_status(LI, desk.seen(1), WAITING)
    desk.cases.reopen(LI, desk.seen(1), "a third appeared")
    found = desk.case(1)
    assert (found.status, found.outcome, found.opened_because, found.assignee) == (OPEN, "", "by_hand", "li")
    with pytest.raises(InputError, match="not closed"):
        desk.cases.reopen(LI, desk.seen(1), "again")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda desk: desk.cases.close(LI, desk.seen(1), "guilty", "because", checked={1}),
        lambda desk: desk.cases.close(LI, desk.seen(1), "no_finding", "  ", checked={1}),
        lambda desk: desk.cases.close(LI, desk.seen(1), "no_finding", "call 138 0013 8000", checked={1}),
        lambda desk: desk.cases.snooze(LI, desk.seen(1), NOW, "waits"),
        lambda desk: desk.cases.snooze(LI, desk.seen(1), NOW + timedelta(days=91), "waits"),
        lambda desk: desk.cases.set_status(LI, desk.seen(1), CLOSED),
        lambda desk: desk.cases.set_deadline(LI, desk.seen(1), NOW),
        lambda desk: desk.cases.wake(LI, desk.seen(1)),
    ],
)
def test_what_cannot_be_said_is_refused(desk: Desk, wrong: Callable[[Desk], Any]) -> None:
    with pytest.raises(InputError):
        wrong(desk)
    assert desk.log() == []


def test_what_goes_on_elsewhere_is_not_opened_here(desk: Desk) -> None:
    with desk.casebook.writing() as db:
        cases.change(db, 1, status=CLOSED, outcome="merged", closing_reason="goes on in C2")
        cases.change(db, 3, status=CLOSED, outcome="no_finding")
    desk.find(finding("R3"))
    with pytest.raises(InputError, match="goes on in C2"):
        desk.cases.reopen(LI, desk.seen(1), "again")
    with pytest.raises(InputError, match="C4 is open for R3"):
        desk.cases.reopen(LI, desk.seen(3), "again")


def test_who_works_has_seen_what_joined(desk: Desk) -> None:
    with desk.casebook.writing() as db:
        cases.change(db, 1, grown=3)
    desk.cases.set_status(LI, desk.seen(1), WORKING)
    assert desk.case(1).grown == 0


# Rows ----------------------------------------------------------------------------------------------------


def test_each_order_begins_with_the_most_urgent_and_turns_round(desk: Desk) -> None:
    with desk.casebook.writing() as db:
        for number, at in ((1, 3), (2, 1)):
            day = NOW + timedelta(days=at)
            cases.change(
                db, number, score=at / 10, exposure=at * 1e6, grown=at, deadline=day, pays_out_at=day, opened_at=day
            )
        cases.change(db, 3, score=0.0, exposure=0.0, opened_at=NOW + timedelta(days=9))
    first = {each: desk.order(order=each) for each in ORDERS}
    assert first == {
        "savable": [2, 3, 1], "score": [1, 2, 3], "age": [2, 1, 3], "exposure": [1, 2, 3], "deadline": [2, 1, 3],
        "grown": [1, 2, 3], "funding": [2, 1, 3],
    }  # fmt: skip
    assert desk.order(order="score", backwards=True) == [3, 2, 1]
    assert desk.order(order="funding", backwards=True) == [1, 2, 3]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"dealer": ("D7",)}, [3]), ({"typology": ("T16", "T01")}, [3]), ({"region": ("999999",)}, []),
        ({"kind": "application"}, []), ({"savable_from": 2e4}, [2, 3]), ({"score_from": 0.51}, []),
        ({"text": "r2"}, [2]), ({"text": "C3"}, [3]), ({"text": "D7"}, [3]), ({"text": "%"}, []),
        ({"assignee": "nobody"}, [3, 1]), ({"assignee": "me"}, [2]), ({"assignee": "xu"}, []),
        ({"status": ("waiting",)}, []), ({"tab": "mine"}, [2]),
    ],
)  # fmt: skip
def test_filters(desk: Desk, asked: dict[str, Any], found: Sequence[int]) -> None:
    desk.users(LI)
    desk.cases.assign(LI, desk.seen(2), "li")
    page = desk.queue.rows(LI, Query(**asked))
    assert ([row.case.id for row in page.rows], page.total) == (found, len(found))


def test_pages_and_tabs_count_all(desk: Desk) -> None:
    page = desk.queue.rows(LI, Query(offset=1, limit=1))
    assert ([row.case.id for row in page.rows], page.total) == ([3], 3)
    assert page.rows[0].entry == desk.seen(3)[3]
    desk.cases.snooze(LI, desk.seen(1), NOW + timedelta(days=1), "waits")
    desk.cases.close(LI, desk.seen(2), "no_finding", "a family", checked={2})
    assert desk.queue.summary(LI) == {"all": 1, "mine": 0, "new": 1, "snoozed": 1, "closed": 1}
    desk.now += timedelta(days=2)
    assert desk.order() == [3, 1]


def test_what_there_is_to_choose_is_counted_under_the_other_filters(desk: Desk) -> None:
    told = desk.queue.facets(LI, Query(dealer=("D7",)))
    assert told["dealer"] == [("D1", 2), ("D7", 1)]
    assert told["typology"] == [("T16", 1)]


def test_what_came_since_the_last_visit_is_new(desk: Desk) -> None:
    assert desk.queue.visit(LI) is None
    assert (desk.order(tab="new"), [row.fresh for row in desk.queue.rows(LI, Query()).rows]) == ([2, 3, 1], [False] * 3)
    desk.now += timedelta(hours=3)
    desk.find(finding("R4"))
    desk.now += timedelta(hours=1)
    for _ in range(2):
        assert desk.queue.visit(LI) == NOW
        desk.now += timedelta(minutes=10)
    assert desk.order(tab="new") == desk.order(new=True) == [4]
    assert {row.case.id: row.fresh for row in desk.queue.rows(LI, Query()).rows}[4]


def test_what_others_did_meanwhile_is_counted(desk: Desk) -> None:
    newest, moved = desk.queue.changes(LI, 0)
    assert (newest, moved) == (3, 3)
    desk.cases.set_status(LI, desk.seen(1), WORKING)
    assert desk.queue.changes(LI, newest) == (4, 0)
    desk.cases.set_status(XU, desk.seen(2), WORKING)
    desk.cases.set_status(XU, desk.seen(2), WAITING)
    assert desk.queue.changes(LI, newest) == (6, 1)


def test_everybody_reads_the_queue_and_nobody_reads_what_is_not_there(desk: Desk) -> None:
    assert desk.order(HE) == [2, 3, 1]
    with pytest.raises(NodeNotFound, match="no case C77"):
        desk.cases.get(HE, 77)


# What is asked for ---------------------------------------------------------------------------------------


def test_a_query_is_kept_as_json_and_read_again() -> None:
    asked = Query(tab="mine", typology=("T01", "T08"), score_from=0.5, new=True, text="D7", order="age", backwards=True)
    assert Query.of_json(asked.as_json()) == asked
    assert Query(offset=100, limit=50).as_json() == {}


@pytest.mark.parametrize(
    "told",
    [
        {"tab": "none"}, {"order": "id; drop table"}, {"nobody": 1}, {"typology": "T01"}, {"status": ["gone"]},
        {"score_from": "0.5"}, {"new": 1}, {"dealer": ["x" * 65]}, {"region": ["1"] * 41}, {"text": "x" * 65},
        {"kind": "dealer"}, {"score_from": True},
    ],
)  # fmt: skip
def test_what_is_no_query_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Query.of_json(told)
