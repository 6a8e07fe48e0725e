"""What a teller refuses, makes up and remembers."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from graph.errors import InputError
from loaders.live import Finding, Refused, Teller, Told, keep, remedy
from loaders.live.reading import SKEW_MS, moment_of
from tests.loaders import lender

NOON = moment_of("2025-03-01T12:00:00+08:00") or 0
MINUTE = 60_000


@pytest.fixture
def teller(home: lender.Home) -> Iterator[Teller]:
    with home.vault() as vault:
        yield Teller(vault)


def application(number: str = "A1", **changes: Any) -> dict[str, Any]:
    return {
        "application_id": number,
        "applicant_id": "C1",
        "submitted_at": "2025-03-01T11:59:00+08:00",
        "vin": lender.vin(1),
        "applicant": {"id_type": "resident", "id_number": lender.id_number(13), "phone": lender.phone(1)},
        "contacts": [{"role": "friend", "phone": lender.phone(2)}, {"role": "spouse", "phone": lender.phone(3)}],
        "bureau_inquiries": [{"institution_token": "inst_1", "event_time": "2025-02-01T10:00:00+08:00"}],
    } | changes


def person(told: Told) -> str:
    return next(edge.source for edge in told.edges if edge.type == "APPLIED")


# What cannot stand -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"applicant": {"applicant_id": "C2"}}, "applicant.applicant_id"),
        ({"vehicle": {"vin": lender.vin(2)}}, "vehicle.vin"),
        ({"contacts": [{}, {"application_id": "A2"}]}, "contacts.1.application_id"),
        ({"bureau_inquiries": [{"applicant_id": "C2"}]}, "bureau_inquiries.0.applicant_id"),
        ({"applicant": {"employer_id": "E1", "employer": {"employer_id": "E2"}}}, "applicant.employer.employer_id"),
        ({"decision": "approve"}, "decision"),
        ({"reviewer_id": "R1"}, "reviewer_id"),
    ],
)
def test_a_row_that_belongs_to_something_else_is_refused(teller: Teller, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        teller.tell(application(**changes), now=NOON)
    assert caught.value.message.startswith(f"{field}: ")
    assert lender.vin(2) not in caught.value.message


def test_the_same_number_in_another_spelling_is_no_contradiction(teller: Teller) -> None:
    told = teller.tell(application(vehicle={"vin": f" {lender.vin(1).lower()}"}), now=NOON)
    assert not told.findings


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"application_id": "无"}, "application_id", "placeholder"),
        ({"submitted_at": "2025-02-30"}, "submitted_at", "time_unreadable"),
        ({"submitted_at": "2025-03-02"}, "submitted_at", "time_in_future"),
        ({"applicant_id": "测 试"}, "applicant.applicant_id", "inner_blank"),
    ],
)
def test_without_an_application_or_an_applicant_there_is_nothing_to_tell(
    teller: Teller, changes: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        teller.tell(application(**changes), now=NOON)
    assert caught.value.finding == Finding(field, reason, "reject")
    assert caught.value.message == f"{field}: {remedy(reason).en}"


def test_a_bad_value_is_dropped_and_a_bad_row_left_out(teller: Teller) -> None:
    sent = application(
        contacts=[{"phone": "13800138000", "role": "cousin"}, {"phone": lender.phone(3), "contact_row_id": "a b"}],
        ltv=1.5,
        amount=-1.0,
    )
    told = teller.tell(sent, now=NOON)
    assert set(told.findings) == {
        Finding("contacts.0.phone", "placeholder", "quarantine"),
        Finding("contacts.0.role", "not_in_list", "warn"),
        Finding("contacts.1.contact_row_id", "inner_blank", "reject"),
        Finding("ltv", "out_of_range", "warn"),
        Finding("amount", "out_of_range", "quarantine"),
    }
    assert not [edge for edge in told.edges if edge.type == "CONTACT_OF"]
    (said,) = (node.properties for node in told.nodes if node.type == "Application")
    assert said["ltv"] == 1.5
    assert "amount" not in said


# Numbers -----------------------------------------------------------------------------------------------


def test_what_a_number_stands_for_is_asked_at_once_and_asked_again(
    home: lender.Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knew the number before: it may be known the next time, whoever recorded it; and then it is for good."""
    with home.vault() as vault, home.vault() as other:
        asked: list[int] = []
        meanings = vault.meanings
        monkeypatch.setattr(vault, "meanings", lambda some: asked.append(len(some)) or meanings(some))
        teller = Teller(vault)
        address = {"address_id": "D1", "std": "上海市/浦东新区/世纪大道100号"}
        first = teller.tell(application(applicant={**application()["applicant"], "address": address}), now=NOON)
        assert {(each.kind, each.key) for each in first.references} >= {("applicant", person(first))}
        assert asked == [2]
        (earlier,) = other.tokens("id_number", [lender.id_number(14)])
        other.refer("applicant", ["C1"], [earlier], "id_number")
        second = teller.tell(application("A2"), now=NOON)
        assert (person(second), second.references) == (earlier, [])
        teller.tell(application("A3"), now=NOON)
        assert asked == [2, 1, 0]


# Time --------------------------------------------------------------------------------------------------


def test_what_is_told_now_is_known_now(teller: Teller) -> None:
    earlier = [{"device_id": "fingerprint-0001", "known_at": "2025-03-01T11:50:00+08:00"}]
    told = teller.tell(application(device_events=earlier), now=NOON)
    assert {edge.known_at for edge in told.edges if edge.type != "USED_DEVICE"} == {NOON}
    assert {edge.known_at for edge in told.edges if edge.type == "USED_DEVICE"} == {NOON - 10 * MINUTE}
    assert min(node.known_at for node in told.nodes if node.type == "Application") == NOON - 10 * MINUTE


def test_rows_were_known_with_an_application_that_says_when(teller: Teller) -> None:
    told = teller.tell(application(known_at="2025-03-01T11:59:30+08:00"), now=NOON)
    assert {edge.known_at for edge in told.edges} == {NOON - MINUTE // 2}


def test_nothing_is_known_that_has_not_happened(teller: Teller) -> None:
    """A clock that is a little fast is forgiven; one that is not is found."""
    soon, late = ("2025-03-01T12:04:00+08:00", "2025-03-01T12:06:00+08:00")
    assert NOON + 4 * MINUTE <= NOON + SKEW_MS < NOON + 6 * MINUTE
    told = teller.tell(application(submitted_at=soon, known_at=late), now=NOON)
    assert told.findings == [Finding("known_at", "time_in_future", "quarantine")]
    assert {edge.known_at for edge in told.edges} == {NOON}
    assert {node.properties.get("submitted_at") for node in told.nodes if node.type == "Application"} == {NOON}
    (edge,) = (edge for edge in told.edges if edge.type == "APPLIED")
    assert edge.event_time == NOON


def test_a_relation_is_not_known_before_it_happened(teller: Teller) -> None:
    decided = {"decided_at": "2025-03-01T11:59:50+08:00", "decision": "approve", "reviewer_id": "R1"}
    early = {"known_at": "2025-03-01T11:00:00+08:00"}
    told = teller.tell_event("decided", decided | early, application_id="A1", now=NOON)
    (edge,) = told.edges
    assert (edge.type, edge.event_time, edge.known_at) == ("REVIEWED_BY", NOON - 10_000, NOON - 10_000)


def test_an_instalment_may_be_due_later(teller: Teller) -> None:
    paid = {"instalment_no": 1, "due_date": "2025-03-10", "paid_at": "2025-03-01T11:00:00+08:00"}
    told = teller.tell_event("instalment", paid, application_id="A1", now=NOON)
    assert not told.findings
    ((row,),) = told.events.values()
    assert row["event_time"] == row["known_at"] == moment_of("2025-03-10")


# Numbers -----------------------------------------------------------------------------------------------


def test_rows_without_a_number_get_the_same_one_every_time(teller: Teller) -> None:
    first, again = (teller.tell(application(call_events=[{}, {}]), now=NOON) for _ in range(2))
    other = teller.tell(application("A2", call_events=[{}]), now=NOON)
    refs = [{row["ref"] for row in told.events["call_events"]} for told in (first, again, other)]
    assert refs[0] == refs[1]
    assert len(refs[0]) == 2
    assert not refs[0] & refs[2]


def test_an_inquiry_is_one_inquiry_in_every_application_of_the_person(teller: Teller) -> None:
    rows = [teller.tell(application(number), now=NOON).events["bureau_inquiries"] for number in ("A1", "A2")]
    assert rows[0] == rows[1]
    other = [{"institution_token": "inst_2", "event_time": "2025-02-01T10:00:00+08:00"}]
    assert teller.tell(application(bureau_inquiries=other), now=NOON).events["bureau_inquiries"] != rows[0]


def test_an_event_told_twice_is_one_and_gives_no_identifier_away(teller: Teller) -> None:
    """Its number is made of what stands in it in the clear: with another phone it would be the same."""
    call = {"callee_role": "contact", "seconds": 71, "start_at": "2025-03-01T11:00:00+08:00"}
    refs = [
        teller.tell_event("call", call | more, application_id=own, now=NOON).events["call_events"][0]["ref"]
        for own, more in (
            ("A1", {"phone": lender.phone(1)}),
            ("A1", {"phone": lender.phone(2)}),
            ("A2", {}),
            ("A1", {"seconds": 72}),
        )
    ]
    assert refs[0] == refs[1]
    assert len(set(refs)) == 3


def test_of_two_rows_with_one_number_the_first_stays(teller: Teller) -> None:
    rows = [{"doc_id": "D1", "kind": "income"}, {"doc_id": "D1", "kind": "licence"}]
    told = teller.tell(application(documents=rows), now=NOON)
    assert told.findings == [Finding("documents.1.doc_id", "duplicate_row", "reject")]
    assert [row["kind"] for row in told.events["documents"]] == ["income"]


def test_a_payment_keeps_its_own_kind(teller: Teller) -> None:
    paid = {"kind": "down_payment", "amount": 100.0, "from_account_token": "acct_2705603726"}
    told = teller.tell_event("paid", paid, application_id="A1", now=NOON)
    assert [edge.type for edge in told.edges] == ["PAID_DOWNPAYMENT"]
    with pytest.raises(InputError, match="application_id"):
        teller.tell_event("paid", paid | {"application_id": "A2"}, application_id="A1", now=NOON)


# What is remembered ------------------------------------------------------------------------------------


def test_the_first_meaning_of_a_number_stays(teller: Teller) -> None:
    """As it was told first, whoever told it; before the vault has it, the overlay says so."""
    first = teller.tell(application(), now=NOON)
    changed = application("A2", applicant={"id_number": lender.id_number(26)})
    unheard = teller.tell(copy.deepcopy(changed), now=NOON)
    assert person(unheard) != person(first)
    teller.heard(Told.from_bytes(first.to_bytes()))
    teller.heard(unheard)
    assert person(teller.tell(changed, now=NOON)) == person(first)
    assert not teller.tell(changed, now=NOON).references


def test_what_the_vault_knows_is_found_there(home: lender.Home) -> None:
    with home.vault() as vault:
        first = Teller(vault).tell(application(), now=NOON)
        keep([first], vault)
        other = Teller(vault).tell(application("A2", applicant={"id_number": lender.id_number(26)}), now=NOON)
        assert person(other) == person(first)
        assert not other.references
        assert vault.reveal("id_number", person(first)) == lender.id_number(13)


def test_what_is_on_disk_is_not_sealed_again(teller: Teller) -> None:
    first = teller.tell(application(), now=NOON)
    assert set(first.sealed) == {"id_number", "phone", "vin"}
    assert teller.tell(application("A2"), now=NOON).sealed.keys() == first.sealed.keys()  # nobody heard it yet
    teller.heard(first)
    again = teller.tell(application("A2"), now=NOON)
    assert again.sealed == {}
    assert {node.key for node in again.nodes} - {"A2"} == {node.key for node in first.nodes} - {"A1"}


def test_so_much_is_remembered(home: lender.Home) -> None:
    with home.vault() as vault:
        teller = Teller(vault, remembered=2)
        teller.heard(teller.tell(application(), now=NOON))
        sealed = teller.tell(application(), now=NOON).sealed
        assert sum(map(len, sealed.values())) == 2  # of three phones and a VIN; the person is found by number


def test_every_reason_has_its_remedy(teller: Teller) -> None:
    told = teller.tell(application(amount="x", known_at="2025-03-01T11:00:00+08:00", term_months=1.5), now=NOON)
    assert {each.reason for each in told.findings} == {"number_unreadable", "known_before_event", "number_not_whole"}
    for each in told.findings:
        assert remedy(each.reason).en
        assert remedy(each.reason).zh
