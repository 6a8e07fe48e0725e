"""The file of a case as people work on it: who may, what is on record, what stands in the way of closing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.errors import InputError, NodeNotFound, NotAllowed
from tests.workbench.door import START, Clock, opened
from tests.workbench.town import RING, build
from workbench.casebook import audit, casefile, cases, labels, people
from workbench.casebook.casefile import DONE, NOT_DONE, OPEN, Stale
from workbench.casebook.cases import OUTCOMES, Finding
from workbench.casebook.labels import Label
from workbench.services.all import Services
from workbench.services.cases import checklists
from workbench.services.cases.casefile import File
from workbench.services.cases.checklists import CONFIRM, HARMLESS, HOLD, LABEL, WEIGH, Facts, items, next_step
from workbench.services.cases.typologies import FRAUD, INNOCENT
from workbench.services.permissions import Person, Role
from workbench.services.subject import Subject

CASE = 1042


@dataclass
class Room:
    services: Services
    clock: Clock
    lin: Person
    sun: Person
    zhou: Person
    he: Person

    def file(self, who: Person | None = None) -> File:
        return self.services.casefiles.file(who or self.lin, CASE)

    def assign(self, name: str, **values: Any) -> None:
        with self.services.office.casebook.writing() as db:
            cases.change(db, CASE, assignee=name, **values)

    def trail(self, action: str) -> list[audit.Entry]:
        with self.services.office.casebook.reading() as db:
            return list(audit.each(db, audit.Asked(action=action)))

    def tick(
        self, item: str, state: str = DONE, *, who: Person | None = None, before: str = OPEN, why: str = ""
    ) -> None:
        self.services.casefiles.tick(who or self.lin, CASE, item, state, before=before, because=why)


PEOPLE = {
    name: Person(name, name.title(), role)
    for name, role in (
        ("lin", Role.INVESTIGATOR), ("sun", Role.INVESTIGATOR), ("zhou", Role.SENIOR), ("he", Role.AUDITOR),
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("town") / "home"
    with opened(home, Clock()) as office:
        build(office)
        with office.casebook.writing() as db:
            for name, one in PEOPLE.items():
                told = {"display_name": one.display_name, "role": one.role, "language": "en", "password_hash": "none"}
                people.add(db, name=name, author="test", now=START, **told)
    return home


@pytest.fixture
def room(built: Path, tmp_path: Path) -> Iterator[Room]:
    clock = Clock()
    with opened(Path(shutil.copytree(built, tmp_path / "home")), clock) as office:
        yield Room(Services(office), clock, **PEOPLE)


# Reading -------------------------------------------------------------------------------------------------


def test_a_file_tells_the_case_its_ring_and_what_comes_next(room: Room) -> None:
    file = room.file(room.he)
    assert (file.case.name, file.case.subject, file.applications) == ("C1042", RING, ("APP0001", "APP0002"))
    assert file.next_step is not None
    assert file.next_step.item == HOLD
    assert (file.may_work, file.may_note) == (False, False)
    assert [each.applicant for each in room.services.casefiles.members(room.lin, room.file())] == ["王**", "ap***78"]
    with pytest.raises(NodeNotFound):
        room.services.casefiles.file(room.lin, 7)


def test_a_deadline_that_passed_is_overdue_while_the_case_is_open(room: Room) -> None:
    room.assign("lin", deadline=START + timedelta(hours=1))
    assert not room.file().overdue
    room.clock.passes(hours=2)
    assert room.file().overdue
    room.assign("lin", status="closed")
    assert not room.file().overdue


def test_the_case_of_a_subject_is_found(room: Room) -> None:
    found = room.services.casefiles.of_subject(room.lin, Subject("ring", RING))
    assert found is not None
    assert found.id == CASE
    assert room.services.casefiles.of_subject(room.lin, Subject("application", "APP0099")) is None


# Who may -------------------------------------------------------------------------------------------------


def test_an_investigator_works_on_nobodys_case_and_on_his_own(room: Room) -> None:
    room.tick(WEIGH.key)
    room.assign("lin")
    room.tick(HOLD.key)
    with pytest.raises(NotAllowed, match="worked on by lin"):
        room.tick(LABEL.key, who=room.sun)
    room.tick(LABEL.key, who=room.zhou)
    with pytest.raises(NotAllowed, match="auditor may not work on cases"):
        room.tick(CONFIRM.key, who=room.he)


def test_who_is_named_in_a_note_may_answer_and_do_nothing_else(room: Room) -> None:
    room.assign("lin")
    with pytest.raises(NotAllowed):
        room.services.casefiles.note(room.sun, CASE, "may I?")
    assert room.services.casefiles.note(room.lin, CASE, "@sun what about APP0001?") == ("sun",)
    assert room.file(room.sun).may_note
    room.services.casefiles.note(room.sun, CASE, "it is the one")
    with pytest.raises(NotAllowed):
        room.tick(HOLD.key, who=room.sun)
    assert [each.detail["told"] for each in room.trail("case.note")] == [["sun"], []]


def test_a_note_names_only_who_can_sign_in(room: Room) -> None:
    with pytest.raises(InputError, match="nobody here is called @qian"):
        room.services.casefiles.note(room.lin, CASE, "@qian look")
    names = [name for name, _ in room.services.casefiles.colleagues(room.lin)]
    assert names == ["he", "lin", "sun", "zhou"]
    assert [name for name, _ in room.services.casefiles.workers(room.zhou)] == ["lin", "sun", "zhou"]
    with pytest.raises(NotAllowed):
        room.services.casefiles.workers(room.lin)


def test_what_is_closed_stays_as_it_was(room: Room) -> None:
    room.assign("lin", status="closed")
    for act in (
        lambda: room.tick(HOLD.key),
        lambda: room.services.casefiles.add_item(room.lin, CASE, "one more"),
        lambda: room.services.attachments.attach(room.lin, CASE, "a.txt", b"text"),
    ):
        with pytest.raises(InputError, match="C1042 is closed; open it again first"):
            act()
    room.services.casefiles.note(room.lin, CASE, "a word after it")


# The checklist -------------------------------------------------------------------------------------------


def test_what_is_not_done_needs_a_reason_and_both_are_on_record(room: Room) -> None:
    with pytest.raises(InputError, match="why it is not done is empty"):
        room.tick(HOLD.key, NOT_DONE)
    room.tick(HOLD.key, NOT_DONE, why="all is paid out")
    one = next(each for each in room.file().checklist if each.item == HOLD)
    assert (one.state, one.because, one.author) == (NOT_DONE, "all is paid out", "lin")
    assert (room.trail("case.tick")[-1].reason, room.trail("case.tick")[-1].subject) == ("all is paid out", "C1042")
    with pytest.raises(Stale, match="lin changed this item"):
        room.tick(HOLD.key, who=room.sun)
    with pytest.raises(NodeNotFound):
        room.tick("T01-0000000000")
    with pytest.raises(InputError, match="state"):
        room.tick(HOLD.key, "perhaps")


def test_an_item_of_ones_own_stands_with_the_others(room: Room) -> None:
    item = room.services.casefiles.add_item(room.lin, CASE, "visit the yard")
    assert next(each.item.source for each in room.file().checklist if each.item.key == item) == "own"
    room.tick(item)
    assert [each.content["words"] for each in room.file().entries if each.kind == "tick"] == ["visit the yard"]


def test_the_checklist_follows_the_kind_of_fraud_and_the_look_alikes() -> None:
    of_ring = Facts("ring", "T04", 1e5, doubts=("a family: most live at one address of few people (B01, B14)",))
    told = items(of_ring)
    assert told[:2] == (HOLD, WEIGH)
    assert told[-3:] == (LABEL, CONFIRM, HARMLESS)
    sources = list(dict.fromkeys(each.source for each in told))
    assert sources == ["case", "B01", "B14", "T04"]
    assert [each.words for each in told if each.source == "T04"] == list(FRAUD["T04"].does)
    assert HOLD not in items(Facts("ring", "T04", 0.0))
    assert {each.source for each in items(Facts("ring", "", 0.0))} == {"case", "T08"}
    alone = items(Facts("application", "", 0.0, reasons=("RC06", "RC01", "RC99")))
    assert [each.source for each in alone if each.source != "case"][:1] == ["RC06"]
    assert not [each for each in alone if each.source == "T08"]


@pytest.mark.parametrize("code", [*FRAUD, *INNOCENT])
def test_each_item_has_a_name_of_its_own_that_a_row_can_hold(code: str) -> None:
    told = checklists.steps((FRAUD | INNOCENT)[code], frozenset())
    names = [each.key for each in told]
    assert len(set(names)) == len(names) > 0
    assert all(len(name) <= 64 and each.said("zh") != each.said("en") for name, each in zip(names, told, strict=True))


def test_the_casebook_says_how_far_the_labels_are(room: Room) -> None:
    told = Label("APP0001", "CONFIRMED_FRAUD", "review", "final", "lin", typology="T04", evidence_level="E3")
    with room.services.office.casebook.writing() as db:
        labels.add(db, told, request_key="one", now=room.clock())
    hints = {each.item: each.hint for each in room.file().checklist}
    assert (hints[LABEL], hints[CONFIRM]) == ((1, 2), (0, 1))


# Closing -------------------------------------------------------------------------------------------------


def close(room: Room, outcome: str = "false_positive", *, who: Person | None = None, **more: Any) -> None:
    told: dict[str, Any] = {"reason": "one family, and they pay", "instead": {}, "seen": room.file().seen} | more
    room.services.closing.close(who or room.lin, CASE, outcome=outcome, **told)


def test_a_case_is_closed_when_each_item_is_done_or_explained(room: Room) -> None:
    open_ = room.services.closing.missing(room.lin, CASE, "false_positive")
    assert [each.item for each in open_] == [HOLD, WEIGH, LABEL, HARMLESS]
    with pytest.raises(InputError, match="4 items of the checklist are neither done nor explained"):
        close(room)
    room.tick(HOLD.key)
    room.tick(WEIGH.key)
    instead = {LABEL.key: "labelled in the other case", HARMLESS.key: " "}
    with pytest.raises(InputError, match="1 items"):
        close(room, instead=instead)
    assert room.file().case.status == "open"
    close(room, instead=instead | {HARMLESS.key: "nothing proved harmless"})
    case = room.file().case
    assert (case.status, case.outcome, case.closing_reason) == ("closed", "false_positive", "one family, and they pay")
    states = {each.item: each.state for each in room.file().checklist}
    assert (states[LABEL], states[HARMLESS], states[CONFIRM]) == (NOT_DONE, NOT_DONE, OPEN)
    assert room.file().next_step is None


def test_each_outcome_needs_its_own(room: Room) -> None:
    needed = {outcome: room.services.closing.missing(room.lin, CASE, outcome) for outcome in OUTCOMES}
    assert CONFIRM in [each.item for each in needed["confirmed_fraud"]]
    assert len(needed["confirmed_fraud"]) == 4 + len(FRAUD["T04"].does)
    assert [each.item for each in needed["no_finding"]] == [HOLD]
    with pytest.raises(InputError, match="outcome"):
        room.services.closing.missing(room.lin, CASE, "merged")


def test_who_did_not_see_what_a_colleague_did_closes_nothing(room: Room) -> None:
    seen, all_ = room.file().seen, {each.item.key: "settled by phone" for each in room.file().checklist}
    room.services.cases.set_status(room.sun, {CASE: seen}, "waiting")
    with pytest.raises(Stale, match="sun worked on C1042"):
        close(room, "no_finding", instead=all_, seen=seen)
    assert room.file().case.status == "waiting"
    with pytest.raises(InputError, match="reason is empty"):
        close(room, "no_finding", instead=all_, reason=" ")
    close(room, "no_finding", instead=all_)


# Files ---------------------------------------------------------------------------------------------------


def test_files_are_for_who_works_on_the_case_and_each_look_is_on_record(room: Room) -> None:
    room.assign("lin")
    one = room.services.attachments.attach(room.lin, CASE, "../a note.txt", "付款".encode())
    assert (one.name, one.media_type) == ("a note.txt", "text/plain")
    for who in (room.sun, room.he):
        with pytest.raises(NotAllowed):
            room.services.attachments.download(who, one.id)
    assert not room.trail("case.downloaded")
    assert room.services.attachments.download(room.zhou, one.id)[1] == "付款".encode()
    assert room.trail("case.downloaded")[-1].detail["sha256"] == one.sha256


def test_without_its_entry_in_the_log_no_file_leaves(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    one = room.services.attachments.attach(room.lin, CASE, "a.txt", b"text")

    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("the log is full")

    monkeypatch.setattr(audit, "write", refuse)
    with pytest.raises(InputError, match="the log is full"):
        room.services.attachments.download(room.lin, one.id)


def test_a_file_is_removed_by_its_author_or_a_senior_with_a_reason(room: Room) -> None:
    one = room.services.attachments.attach(room.sun, CASE, "a.txt", b"of somebody else")
    with pytest.raises(NotAllowed, match="sun attached this file"):
        room.services.attachments.remove(room.lin, one.id, "not his")
    with pytest.raises(InputError, match="the reason is empty"):
        room.services.attachments.remove(room.sun, one.id, " ")
    gone = room.services.attachments.remove(room.zhou, one.id, "of another customer")
    assert (gone.removed_by, gone.sha256) == ("zhou", one.sha256)
    assert room.trail("case.removed")[-1].reason == "of another customer"
    with pytest.raises(NodeNotFound):
        room.services.attachments.download(room.zhou, one.id)


@pytest.mark.parametrize("name", ["a.exe", "a.pdf"])
def test_a_file_that_is_not_taken_leaves_nothing(room: Room, name: str) -> None:
    with pytest.raises(InputError):
        room.services.attachments.attach(room.lin, CASE, name, b"MZ")
    assert not room.file().files
    assert not room.trail("case.attached")


# Mine ----------------------------------------------------------------------------------------------------


def test_my_cases_by_deadline_and_where_i_am_named(room: Room) -> None:
    at = room.clock()
    with room.services.office.casebook.writing() as db:
        found = [
            Finding("application", f"APP{each}", 0.5, 1, 1e4, each * 1e3, "", "", (), "D-7", "310000", at, at)
            for each in (1, 2, 3)
        ]
        cases.open_all(db, found, because="scored", now=at)
        first, second, third = (cases.latest(db, "application", each.subject) for each in found)
        assert first is not None
        assert second is not None
        assert third is not None
        for each, deadline in ((first, None), (second, at + timedelta(days=2)), (third, at + timedelta(days=1))):
            cases.change(db, each.id, assignee="lin", deadline=deadline)
    room.services.casefiles.note(room.zhou, CASE, "@lin see this")
    room.services.casefiles.note(room.lin, CASE, "seen")
    mine = room.services.my_cases.mine(room.lin)
    assert [each.subject for each in mine.assigned] == ["APP3", "APP2", "APP1"]
    assert [each.id for each in mine.worked] == [CASE]
    assert (mine.unread, [each.entry.text for each in mine.mentions]) == (1, ["@lin see this"])
    assert room.services.my_cases.read(room.lin, CASE) == 1
    assert room.services.my_cases.unread(room.lin) == 0
    assert room.services.my_cases.mine(room.lin).mentions[0].read_at == at


def test_the_next_step_is_the_first_that_is_open(room: Room) -> None:
    room.tick(HOLD.key)
    room.tick(WEIGH.key, NOT_DONE, why="seen to in the other case")
    one = next_step(room.file().checklist)
    assert one is not None
    assert one.item.words == FRAUD["T04"].does[0]


def test_entries_of_others_are_told_with_their_names(room: Room) -> None:
    room.services.casefiles.note(room.zhou, CASE, "a word")
    assert room.file().people["zhou"] == "Zhou"
    with room.services.office.casebook.reading() as db:
        assert casefile.newest(db, CASE) == room.file().seen
