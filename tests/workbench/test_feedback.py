"""Labels with their second person, marks on the graph, and who is corrected often; over a real casebook and store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from graph.errors import InputError, KeyReused, NodeNotFound, NotAllowed
from graph.opinions import Innocent
from graph.records import NodeRef
from graph.settings import Settings
from tests.service.conftest import copied
from workbench.casebook import audit, casefile, confirming, innocent, labels, opinions
from workbench.casebook.opening import Casebook
from workbench.journal import Journal
from workbench.services.cases.cases import Cases
from workbench.services.feedback.feedback import Feedback
from workbench.services.feedback.labelling import Verdict
from workbench.services.feedback.marks import LASTS, Marks, Said, kinds
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.rings import Rings
from workbench.services.subject import Subject

LIN = Person("lin", "Lin Yue", Role.INVESTIGATOR)
SUN = Person("sun", "Sun Hao", Role.INVESTIGATOR)
ZHOU = Person("zhou", "Zhou Min", Role.SENIOR)
WANG = Person("wang", "Wang Lei", Role.MANAGER)
HE = Person("he", "He Jing", Role.AUDITOR)

FRAUD = Verdict("CONFIRMED_FRAUD", "T16", "E2", note="the employer has no staff")
CLEARED = Verdict("CLEARED_BENIGN", "B01")


class Recorded:
    """What would be found anew, and why."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, list[str]]] = []

    def after(self, who: Person, cause: str, applications: Any) -> str:
        self.asked.append((who.name, cause, list(applications)))
        return f"moved by {cause}"


class Desk:
    """One instance with its services, and what it asked to be found anew."""

    def __init__(self, home: Path) -> None:
        self.office = Office(Settings.read({"RINGROAD_HOME": str(home)}))
        self.again = Recorded()
        rings = Rings(self.office)
        self.feedback = Feedback(self.office, self.again, rings.of_applications, rings.members)
        self.marks = Marks(self.office, self.again, rings.members)
        self.ring = rings.list(LIN)[0]
        self.members: list[str] = list(self.ring["application_ids"])
        self._keys = 0

    def key(self) -> str:
        self._keys += 1
        return f"request {self._keys}"

    def newest(self, application: str) -> labels.Said:
        with self.office.casebook.reading() as db:
            return labels.of(db, application)[-1]

    def audited(self, action: str) -> list[audit.Entry]:
        with self.office.casebook.reading() as db:
            return audit.newest(db, audit.Asked(action=action), start=0, limit=50)

    def until(self, days: int = 30) -> datetime:
        return self.office.clock() + timedelta(days=days)


@pytest.fixture(scope="module")
def desk(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(copied(trained, tmp_path_factory.mktemp("feedback") / "home"))
    yield made
    made.office.close()


# Labels --------------------------------------------------------------------------------------------------


def test_a_label_is_told_everywhere(desk: Desk) -> None:
    one = desk.members[0]
    done = desk.feedback.propose(LIN, [one], Verdict("SUSPECTED", "T16", note="nobody answers"), request_key=desk.key())
    said = desk.newest(one)
    assert (said.id, said.label.author, said.label.note) == (done.ids[0], "lin", "nobody answers")
    assert desk.again.asked[-1] == ("lin", f"label {said.id}", [one])
    assert done.changes == f"moved by label {said.id}"
    assert (done.again, done.waiting) == (False, 0)
    entry = desk.audited("label.proposed")[0]
    assert (entry.actor, entry.subject, entry.detail["id"]) == ("lin", one, said.id)
    assert _journal(desk, one)[-1]["label"] == "SUSPECTED"


def _journal(desk: Desk, application: str) -> list[dict[str, Any]]:
    with Journal(desk.office.settings.home / "journal.sqlite", clock=lambda: 0) as journal:
        return [
            orjson.loads(each.told) for each in journal.since(0) if each.kind == "label" and each.about == application
        ]


def test_the_same_request_changes_nothing(desk: Desk) -> None:
    some, key = desk.members[1:3], desk.key()
    first = desk.feedback.propose(LIN, some, CLEARED, request_key=key)
    rows, told = len(_rows(desk)), len(_journal(desk, some[0]))
    again = desk.feedback.propose(LIN, some, CLEARED, request_key=key)
    assert (again.ids, again.again) == (first.ids, True)
    assert len(_rows(desk)) == rows
    assert len(_journal(desk, some[0])) == told
    with pytest.raises(KeyReused):
        desk.feedback.propose(LIN, some, Verdict("SUSPECTED", "T01"), request_key=key)


def _rows(desk: Desk) -> Any:
    with desk.office.casebook.reading() as db:
        return labels.since(db, 0)


def test_the_journal_is_told_by_the_next_try(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between casebook and journal."""
    one, key = desk.members[3], desk.key()
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "append", lambda *_, **__: (_ for _ in ()).throw(sqlite3.OperationalError))
        with pytest.raises(sqlite3.OperationalError):
            desk.feedback.propose(LIN, [one], CLEARED, request_key=key)
    assert not _journal(desk, one)
    assert desk.feedback.propose(LIN, [one], CLEARED, request_key=key).again
    assert _journal(desk, one)[-1]["label"] == "CLEARED_BENIGN"


def test_a_new_label_supersedes_what_held(desk: Desk) -> None:
    one = desk.members[0]
    before = desk.newest(one)
    desk.feedback.propose(SUN, [one], CLEARED, request_key=desk.key())
    assert desk.newest(one).label.supersedes == before.id
    with desk.office.casebook.reading() as db:
        standing = confirming.standing(labels.of(db, one))
    assert standing is not None
    assert standing.label.label == "CLEARED_BENIGN"


def test_all_or_none(desk: Desk) -> None:
    rows = len(_rows(desk))
    with pytest.raises(NodeNotFound, match="no application"):
        desk.feedback.propose(LIN, [desk.members[0], "APP0"], CLEARED, request_key=desk.key())
    with pytest.raises(InputError, match="typology"):
        desk.feedback.propose(LIN, desk.members, Verdict("CONFIRMED_FRAUD"), request_key=desk.key())
    with pytest.raises(InputError, match="1 to 500"):
        desk.feedback.propose(LIN, [], CLEARED, request_key=desk.key())
    with pytest.raises(NotAllowed):
        desk.feedback.propose(HE, desk.members, CLEARED, request_key=desk.key())
    assert len(_rows(desk)) == rows


# The second person ---------------------------------------------------------------------------------------


def test_fraud_on_papers_waits_for_a_second_person(desk: Desk) -> None:
    one = desk.members[4]
    done = desk.feedback.propose(LIN, [one], FRAUD, request_key=desk.key())
    assert done.waiting == 1
    assert desk.newest(one).counts_as == "SUSPECTED"
    (waiting,) = [each for each in desk.feedback.waiting(ZHOU) if each.said.id == done.ids[0]]
    assert (waiting.ring, waiting.mine) == (desk.ring["ring_id"], False)
    assert desk.feedback.count_waiting(ZHOU) == len(desk.feedback.waiting(ZHOU))
    assert desk.feedback.count_waiting(LIN) == 0
    with pytest.raises(NotAllowed):
        desk.feedback.confirm(SUN, done.ids[0], request_key=desk.key())
    key = desk.key()
    confirmed = desk.feedback.confirm(ZHOU, done.ids[0], request_key=key)
    said = desk.newest(one)
    assert (said.label.author, said.label.second_author, said.label.supersedes) == ("lin", "zhou", done.ids[0])
    assert said.counts_as == "CONFIRMED_FRAUD"
    assert desk.feedback.confirm(ZHOU, done.ids[0], request_key=key).ids == confirmed.ids
    assert done.ids[0] not in {each.said.id for each in desk.feedback.waiting(ZHOU)}
    with pytest.raises(InputError, match="no longer waits"):
        desk.feedback.confirm(WANG, done.ids[0], request_key=desk.key())
    assert desk.audited("label.confirmed")[0].actor == "zhou"


def test_nobody_is_his_own_second_person(desk: Desk) -> None:
    done = desk.feedback.propose(ZHOU, [desk.members[3]], FRAUD, request_key=desk.key())
    assert next(each.mine for each in desk.feedback.waiting(ZHOU) if each.said.id == done.ids[0])
    for who in (ZHOU, Person("ZHOU", "Zhou Min", Role.MANAGER)):
        with pytest.raises(NotAllowed, match="your own"):
            desk.feedback.confirm(who, done.ids[0], request_key=desk.key())
    desk.feedback.confirm(WANG, done.ids[0], request_key=desk.key())
    assert desk.newest(desk.members[3]).label.second_author == "wang"


def test_what_two_people_said_a_senior_corrects(desk: Desk) -> None:
    one = desk.members[3]
    with pytest.raises(NotAllowed, match="confirmed by two people"):
        desk.feedback.propose(LIN, [one], CLEARED, request_key=desk.key())
    desk.feedback.propose(ZHOU, [one], CLEARED, request_key=desk.key())
    assert desk.newest(one).label.label == "CLEARED_BENIGN"


def test_rejected_with_a_reason(desk: Desk) -> None:
    one = desk.members[1]
    done = desk.feedback.propose(LIN, [one], FRAUD, request_key=desk.key())
    with pytest.raises(InputError, match="why"):
        desk.feedback.reject(ZHOU, done.ids[0], " ", request_key=desk.key())
    with pytest.raises(NotAllowed):
        desk.feedback.reject(SUN, done.ids[0], "I think not", request_key=desk.key())
    desk.feedback.reject(ZHOU, done.ids[0], "the payslip is genuine", request_key=desk.key())
    said = desk.newest(one)
    assert (said.label.label, said.label.author, said.label.note) == ("INSUFFICIENT", "zhou", "the payslip is genuine")
    assert desk.audited("label.rejected")[0].reason == "the payslip is genuine"


def test_its_author_takes_a_proposal_back(desk: Desk) -> None:
    done = desk.feedback.propose(LIN, [desk.members[2]], FRAUD, request_key=desk.key())
    desk.feedback.reject(LIN, done.ids[0], "mixed up two people", request_key=desk.key())
    assert desk.audited("label.withdrawn")[0].actor == "lin"


def test_a_case_of_somebody_else_is_left_alone(desk: Desk) -> None:
    subject = Subject("ring", desk.ring["ring_id"])
    case = Cases(desk.office).for_subject(LIN, subject, open=True)
    assert case is not None
    Cases(desk.office).take(LIN, case.id)
    with pytest.raises(NotAllowed, match="lin"):
        desk.feedback.propose(SUN, [desk.members[0]], CLEARED, request_key=desk.key(), about=subject)
    desk.feedback.propose(LIN, [desk.members[0]], CLEARED, request_key=desk.key(), about=subject)
    with desk.office.casebook.reading() as db:
        entry = casefile.entries(db, case.id, kinds=["label"])[-1]
    assert entry.content["applications"] == [desk.members[0]]


def test_all_applications_of_some_cases(desk: Desk) -> None:
    other = Rings(desk.office).list(LIN)[1]
    subjects = Subject("ring", other["ring_id"]), Subject("application", desk.members[0])
    found = [Cases(desk.office).for_subject(ZHOU, each, open=True) for each in subjects]
    numbers = {each.id: 0 for each in found if each is not None}
    done = desk.feedback.propose_on_cases(ZHOU, numbers, Verdict("SUSPECTED", "T08"), request_key=desk.key())
    names = [*other["application_ids"], desk.members[0]]
    assert len(done.ids) == len(names)
    assert {desk.newest(each).label.typology for each in names} == {"T08"}
    with desk.office.casebook.reading() as db:
        told = [casefile.entries(db, each, kinds=["label"])[-1].content["count"] for each in numbers]
    assert sorted(told) == sorted([len(other["application_ids"]), 1])
    Cases(desk.office).take(LIN, min(numbers))
    with pytest.raises(NotAllowed):
        desk.feedback.propose_on_cases(SUN, numbers, CLEARED, request_key=desk.key())


def test_how_often_somebody_is_corrected_is_for_managers(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        desk.feedback.flips(LIN)
    with pytest.raises(NotAllowed):
        desk.feedback.flips(ZHOU)
    assert desk.feedback.flips(WANG) == desk.feedback.flips(HE)
    assert {each.author for each in desk.feedback.flips(WANG)} >= {"lin", "sun", "zhou"}


def test_who_is_corrected_unusually_often(tmp_path: Path) -> None:
    """Ten people tell twenty labels each; one of each is corrected, of one person six."""
    now = datetime(2026, 6, 1, tzinfo=UTC)
    with Casebook.open(f"sqlite:///{tmp_path / 'casebook.sqlite'}") as casebook, casebook.writing() as db:

        def told(author: str, name: str, label: str, supersedes: int | None = None) -> int:
            said = labels.Label(
                name, label, "review", "final", author, typology="T01" if label == "SUSPECTED" else "",
                supersedes=supersedes,
            )  # fmt: skip
            return labels.add(db, said, request_key=f"{author} {name} {label}", now=now).id

        for person in range(10):
            own = [told(f"p{person}", f"A{person}-{number}", "SUSPECTED") for number in range(20)]
            for number in range(6 if person == 3 else 1):
                told("checker", f"A{person}-{number}", "CLEARED_BENIGN", own[number])
            told(f"p{person}", f"A{person}-9", "CLEARED_BENIGN", own[9])  # who corrects himself is not flipped
        found = {each.author: each for each in confirming.flips(db, since=now - timedelta(days=1))}
        assert [name for name, each in found.items() if each.unusual] == ["p3"]
        assert (found["p3"].told, found["p3"].flipped, found["p4"].flipped) == (21, 6, 1)
        assert next(iter(found)) == "p3"
        assert not confirming.flips(db, since=now + timedelta(days=1))


# Marks ---------------------------------------------------------------------------------------------------


def _shared(desk: Desk, type_: str) -> NodeRef:
    return next(NodeRef(each["type"], each["key"]) for each in desk.ring["shared"] if each["type"] == type_)


def test_the_edges_of_a_thing_within_a_ring(desk: Desk) -> None:
    ref = _shared(desk, "Device")
    holders = next(each["holders"] for each in desk.ring["shared"] if each["key"] == ref.key)
    edges = desk.marks.edges_within(LIN, ref, desk.members)
    assert {each.source for each in edges if each.relation == "USED_DEVICE"} == set(holders)
    assert all(ref.key in (each.source, each.target) for each in edges)


def test_an_innocent_link(desk: Desk) -> None:
    ref = _shared(desk, "Device")
    edge = desk.marks.edges_within(LIN, ref, desk.members)[0]
    done = desk.marks.mark_innocent(LIN, [edge], reason="the shop's tablet", until=desk.until())
    assert desk.again.asked[-1] == ("lin", f"innocent link {done.ids[0]}", [edge.source])
    (mark,) = desk.marks.in_force(LIN, {f"Device~{ref.key}"})
    assert (mark.id, mark.reason, mark.author, len(mark.masked)) == (done.ids[0], "the shop's tablet", "lin", 2)
    assert ref.key not in mark.masked
    assert desk.marks.around(LIN, Subject("ring", desk.ring["ring_id"])) == [mark]
    assert desk.marks.around(LIN, Subject("application", edge.source)) == [mark]
    with pytest.raises(InputError, match="already"):
        desk.marks.mark_innocent(SUN, [edge], reason="again", until=desk.until())
    with pytest.raises(NotAllowed):
        desk.marks.end_innocent(SUN, mark.id, "not mine")
    desk.marks.end_innocent(LIN, mark.id, "it is another tablet")
    assert not desk.marks.in_force(LIN, {f"Device~{ref.key}"})
    assert desk.audited("link.ended")[0].reason == "it is another tablet"


def test_what_cannot_be_marked(desk: Desk) -> None:
    ref = _shared(desk, "Device")
    edge = desk.marks.edges_within(LIN, ref, desk.members)[0]
    with pytest.raises(InputError, match="days"):
        desk.marks.mark_innocent(LIN, [edge], reason="for ever", until=desk.until(LASTS.days + 30))
    with pytest.raises(InputError, match="reason"):
        desk.marks.mark_innocent(LIN, [edge], reason=" ", until=desk.until())
    with pytest.raises(InputError, match="carries no link"):
        desk.marks.mark_innocent(LIN, [Innocent("SOLD_BY", "a", "b")], reason="x", until=desk.until())
    with pytest.raises(NodeNotFound):
        desk.marks.mark_innocent(LIN, [edge._replace(target="0" * 32)], reason="x", until=desk.until())
    with pytest.raises(NotAllowed):
        desk.marks.mark_innocent(HE, [edge], reason="x", until=desk.until())
    with desk.office.casebook.reading() as db:
        assert not innocent.in_force(db, desk.office.clock())


def test_an_override_is_a_seniors(desk: Desk) -> None:
    ref, tablet = _shared(desk, "Device"), Said(True, "shop_device", "seen on the counter", desk.until())
    with pytest.raises(NotAllowed):
        desk.marks.override(LIN, ref, tablet)
    done = desk.marks.override(ZHOU, ref, tablet)
    assert set(desk.again.asked[-1][2]) >= set(desk.members)
    (mark,) = desk.marks.in_force(LIN, {f"Device~{ref.key}"})
    assert (mark.infrastructure, mark.kind, mark.id) == (True, "shop_device", done.ids[0])
    desk.marks.end_override(WANG, mark.id, "it was a customer's own phone")
    with desk.office.casebook.reading() as db:
        assert not opinions.overrides_as_of(db, desk.office.clock())
    with pytest.raises(InputError, match="kind"):
        desk.marks.override(ZHOU, ref, replace(tablet, kind="a joke"))
    with pytest.raises(InputError, match="never links"):
        desk.marks.override(ZHOU, NodeRef("Dealer", "D1"), tablet)


def test_kinds_are_those_that_are_recognised_among_its_like() -> None:
    assert "shop_device" in kinds("Device")
    assert "switchboard" in kinds("Phone")
    assert "fleet" in kinds("Employer")
    assert "switchboard" not in kinds("Device")
