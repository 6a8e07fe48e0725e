"""One thing in full: only what was known then, masked, with what leads to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from graph.errors import NodeNotFound
from graph.overrides import Override
from graph.records import NodeRef, to_millis
from tests.workbench.door import Clock, opened
from tests.workbench.town import CARD, CLEAR, ID, PHONE, RING, SEEN, VIN, build, ref
from workbench.casebook import opinions
from workbench.services.all import Services
from workbench.services.find.entities import Entities
from workbench.services.office import Office
from workbench.services.permissions import Person, Role

AUDITOR = Person("he", "He Jing", Role.AUDITOR)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with opened(tmp_path_factory.mktemp("town") / "home", Clock()) as made:
        build(made)
        yield made


@pytest.fixture(scope="module")
def entities(office: Office) -> Entities:
    return Services(office).entities


def test_a_phone_tells_its_people_its_ring_and_its_times(office: Office, entities: Entities) -> None:
    phone = entities.entity(AUDITOR, ref(office, "Phone", PHONE))
    assert phone.shown.masked == "139****5678"
    assert phone.properties == {"province": "上海市"}
    assert [(each.type, each.relation, each.total) for each in phone.counts] == [("Person", "HAS_PHONE", 2)]
    assert [(held.ring_id, held.size) for held in phone.rings] == [(RING, 2)]
    assert set(phone.applications) == {"APP0001", "APP0002", "APP0099"}
    assert (phone.first, phone.last) == (to_millis(SEEN), to_millis(SEEN))
    assert phone.page == ""


def test_what_was_decided_later_is_not_seen(entities: Entities) -> None:
    application = NodeRef("Application", "APP0001")
    early = entities.entity(AUDITOR, application, as_of=SEEN + timedelta(days=29))
    late = entities.entity(AUDITOR, application, as_of=SEEN + timedelta(days=31))
    assert "decision" not in early.properties
    assert late.properties["decision"] == "approve"
    assert early.properties["amount"] == 90_000.0
    assert early.page == "/application/APP0001"


def test_rings_as_of_the_past_are_those_of_the_casebook(office: Office, entities: Entities) -> None:
    assert entities.entity(AUDITOR, ref(office, "Phone", PHONE), as_of=SEEN).rings == ()


def test_what_was_not_known_then_is_not_there(office: Office, entities: Entities) -> None:
    with pytest.raises(NodeNotFound):
        entities.entity(AUDITOR, ref(office, "Phone", PHONE), as_of=SEEN - timedelta(days=1))


def test_people_s_word_on_infrastructure_is_told_with_its_reason(office: Office, entities: Entities) -> None:
    device = ref(office, "Device", "FpDevice01")
    now = office.clock()
    assert entities.entity(AUDITOR, device).override is None
    word = Override(
        type=device.type, key=device.key, infrastructure=True, kind="shop_tablet", reason="the shop's own",
        until=now + timedelta(days=30),
    )  # fmt: skip
    with office.casebook.writing() as db:
        opinions.add(db, word, author="zhou", now=now)
    told = entities.entity(AUDITOR, device)
    assert told.override is not None
    assert (told.override.author, told.override.override.reason) == ("zhou", "the shop's own")
    assert told.shown.infrastructure == "shop_tablet"
    assert entities.entity(AUDITOR, device, as_of=now - timedelta(days=1)).override is None


def test_no_identifier_is_told(office: Office, entities: Entities) -> None:
    refs = [ref(office, *each) for each in (("Phone", PHONE), ("Person", ID), ("Vehicle", VIN), ("Account", CARD))]
    told = repr([entities.entity(AUDITOR, each) for each in refs])
    assert not [clear for clear in CLEAR if clear in told]
