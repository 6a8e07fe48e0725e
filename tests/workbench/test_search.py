"""The global search: all that an investigator may type finds its thing, masked, and no identifier is left anywhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.records import NodeRef
from tests.workbench.door import Clock, opened
from tests.workbench.town import CARD, CLEAR, ID, PHONE, PLATE, RING, USCC, VIN, build, ref
from workbench.casebook import audit
from workbench.casebook.audit import Asked
from workbench.services.find.search import EACH, Answer, Hit, Search
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.subject import Subject

LIN = Person("lin", "Lin Yue", Role.INVESTIGATOR)
AUDITOR = Person("he", "He Jing", Role.AUDITOR)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened(tmp_path_factory.mktemp("town") / "home", Clock()) as made:
        build(made)
        yield made


@pytest.fixture
def search(office: Office) -> Search:
    return Search(office)


def first(answer: Answer) -> tuple[str, str]:
    hit = answer.groups[0].hits[0]
    return hit.group, hit.name


def hits(answer: Answer) -> list[Hit]:
    return [hit for group in answer.groups for hit in group.hits]


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        (PHONE, "Phone", PHONE),
        ("１３９ １２３４ ５６７８", "Phone", PHONE),
        ("+86 139-1234-5678", "Phone", PHONE),
        (ID, "Person", ID),
        (f" {ID[:6]} {ID[6:14]} {ID[14:]}".lower(), "Person", ID),
        (VIN.lower(), "Vehicle", VIN),
        (f"{VIN[:8]} {VIN[8:]}", "Vehicle", VIN),
        (PLATE, "Vehicle", VIN),
        ("沪a·12345", "Vehicle", VIN),
        ("6222 0212 3456 7894", "Account", CARD),
        ("FpDevice01", "Device", "FpDevice01"),
        ("CUST-77", "Person", ID),
        ("app0001", "Application", "APP0001"),
        ("Ｄ－７", "Dealer", "D-7"),
        (USCC.lower(), "Employer", f"uscc:{USCC}"),
        ("启明汽车", "Dealer", "D-7"),
        ("启明物流", "Employer", f"uscc:{USCC}"),
    ],
)
def test_what_people_know_finds_the_thing(office: Office, search: Search, text: str, type_: str, value: str) -> None:
    assert first(search.find(LIN, text)) == (type_, ref(office, type_, value).key)


@pytest.mark.parametrize(
    ("text", "group", "name", "href"),
    [
        (RING.lower(), "ring", RING, f"/ring/{RING}"),
        ("R0A1", "ring", RING, f"/ring/{RING}"),
        ("C1042", "case", "1042", "/case/1042"),
        ("1042", "case", "1042", "/case/1042"),
        ("APP0099", "Application", "APP0099", "/application/APP0099"),
        ("D-7", "Dealer", "D-7", "/dealer/D-7"),
    ],
)
def test_pages_open_by_address(search: Search, text: str, group: str, name: str, href: str) -> None:
    hit = next(hit for hit in hits(search.find(LIN, text)) if hit.group == group)
    assert (hit.name, hit.href) == (name, href)


def test_a_car_opens_by_its_token(office: Office, search: Search) -> None:
    (hit,) = hits(search.find(LIN, VIN))
    assert hit.href == f"/vehicle/{ref(office, 'Vehicle', VIN).key}"
    assert VIN not in hit.href


def test_a_ring_brings_its_case(search: Search) -> None:
    assert [group.name for group in search.find(LIN, RING).groups] == ["ring", "case"]


def test_what_is_asked_for_exactly_stands_before_what_is_like_it(search: Search) -> None:
    groups = search.find(LIN, "启明").groups
    assert [(each.name, each.total) for each in groups] == [("Dealer", 1), ("Employer", 2)]
    assert [hit.name for hit in groups[1].hits] == ["EMP-1", f"uscc:{USCC}"]
    found = [hit.name for hit in search.find(LIN, "APP00").groups[0].hits]
    assert found == ["APP00", "APP0001", "APP0002", "APP0099"]
    assert [hit.name for hit in search.find(LIN, "APP000").groups[0].hits] == found[1:3]


def test_the_end_of_a_mask_finds_who_ends_so(search: Search) -> None:
    found = {(hit.group, hit.node.masked) for hit in hits(search.find(LIN, "5678")) if hit.node}
    assert ("Phone", "139****5678") in found
    assert [hit.group for hit in hits(search.find(LIN, "123456"))] == ["Vehicle"]
    assert not hits(search.find(LIN, "****"))
    assert not hits(search.find(LIN, "678"))


def test_rings_are_hinted_at_also_through_who_holds_it(search: Search) -> None:
    def held(text: str) -> list[str]:
        return [one.ring_id for one in search.find(LIN, text).groups[0].hits[0].held]

    assert held("APP0001") == [RING]
    assert held("APP0099") == []
    assert held(PHONE) == [RING]  # through both people who have it
    assert held(VIN) == [RING]  # through the application that finances it
    assert held(CARD) == []


def test_a_thing_without_a_page_leads_to_its_ring_or_application(office: Office, search: Search) -> None:
    assert search.home(LIN, ref(office, "Phone", PHONE)) == Subject("ring", RING)
    assert search.home(LIN, ref(office, "Account", CARD)) == Subject("application", "APP0099")
    assert search.home(LIN, NodeRef("Reviewer", "nobody")) is None


@pytest.mark.parametrize(
    ("text", "kind", "masked", "fault"),
    [
        ("13900000001", "phone", "139****0001", ""),
        (ID[:-1] + ("1" if ID[-1] != "1" else "2"), "", "", "id_check"),
        ("1391234567", "", "", ""),
        ("LSVNV13302212345Q", "", "", "vin_letters"),
        ("   ", "", "", ""),
        ("'; DROP TABLE node; --", "", "", ""),
    ],
)
def test_nothing_found_says_what_it_was_taken_for(
    search: Search, text: str, kind: str, masked: str, fault: str
) -> None:
    answer = search.find(LIN, text)
    assert (answer.kind, answer.masked, answer.fault) == (kind, masked, fault)
    assert answer.total == 0


def test_no_identifier_comes_back_or_stays(office: Office, search: Search, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        told = repr([search.find(LIN, each) for each in (*CLEAR, "5678", "上海")])
    office.casebook.check()
    files = [path for path in Path(office.settings.home).iterdir() if path.name.startswith("casebook")]
    stored = b"".join(path.read_bytes() for path in files).decode(errors="ignore")
    for clear in CLEAR:
        assert clear not in told
        assert clear not in caplog.text
        assert clear not in stored


def log(office: Office) -> list[audit.Entry]:
    with office.casebook.reading() as db:
        return list(audit.each(db, Asked(actor="lin", action="search")))


def test_the_log_has_the_kind_and_the_count_and_identifiers_each_time(office: Office, search: Search) -> None:
    before = len(log(office))
    for text in (PHONE, PHONE, "APP0", "APP00", "APP000"):
        search.find(LIN, text)
    told = [(each.subject, dict(each.detail)) for each in log(office)[before:]]
    phone = ("graph", {"kind": "phone", "hits": 1})
    assert told == [phone, phone, ("graph", {"kind": "text", "hits": 4})]  # who types on is on record once


def test_everybody_who_reads_may_search(search: Search) -> None:
    assert search.find(AUDITOR, RING).total == 2


def test_answers_are_bounded(search: Search) -> None:
    assert all(len(group.hits) <= EACH for group in search.find(LIN, "A").groups)
    assert search.find(LIN, "x" * 100_000).total == 0
