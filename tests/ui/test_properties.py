"""What is known of a thing, and what a search found, in words: every property has a name, in both languages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graph.ontology import NODES
from graph.records import Node, NodeRef
from workbench.services.canvas.graph_shapes import Shown
from workbench.services.find.holding import Held
from workbench.services.find.search import Answer, Group, Hit
from workbench.ui.i18n import language
from workbench.ui.viewmodel import found, properties
from workbench.ui.viewmodel.property_words import CODES, NAMES


@pytest.fixture(params=["en", "zh"])
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    token = language.set(request.param)
    yield request.param
    language.reset(token)


def shown(type_: str, **told: object) -> Shown:
    return Shown(NodeRef(type_, "k"), "m", 1, told)  # type: ignore[arg-type]


def test_every_property_of_the_ontology_has_a_name() -> None:
    every = {each.name for node in NODES.values() for each in node.properties}
    assert every - NAMES.keys() - properties.UNSEEN == set()
    assert NAMES.keys() - every == set()
    assert CODES.keys() - every == set()
    assert every >= properties.MONEY | properties.SHARES | properties.EXACT | properties.REGIONS


def test_values_read_as_people_write_them(spoken: str) -> None:
    lines = dict(properties.lines(shown(
        "Application", amount=75_000.0, ltv=0.75, term_months=36, decision="approve", override_flag=True,
        submitted_at=1_767_582_000_000, channel="app", form_seconds=321.6, deal_id="unknown-code",
    )))  # fmt: skip
    if spoken == "en":
        assert lines == {
            "Submitted": "5 Jan 2026, 11:00", "Deal": "unknown-code", "Channel": "own app", "Financed": "¥75.0k",
            "Term": "36 months", "Loan to value": "75%", "Decision": "approved", "Decision overridden": "yes",
            "Time on the form": "322 s",
        }  # fmt: skip
    else:
        assert lines["融资金额"] == "¥7.50万"
        assert lines["人工改判"] == "是"


def test_names_and_places_on_a_map_stand_elsewhere() -> None:
    assert properties.lines(shown("Dealer", name="启明", lat=1.0, lon=2.0)) == []


def test_a_hit_tells_its_mask_its_ring_and_nothing_else(spoken: str) -> None:
    node = Node(NodeRef("Phone", "t" * 32), 1, "139****5678", {"city": "上海市"})
    hit = Hit("Phone", node.ref.key, "", node=node, exact=True, held=(Held("R0A1B2C3D4E", 0.811, 5),))
    told = found.answer(Answer("phone", "139****5678", "", [Group("Phone", [hit], 1)]), 7)
    assert told["sequence"] == 7
    assert told["groups"][0]["hits"] == [
        {"group": "Phone", "href": "", "exact": True, "id": f"Phone~{'t' * 32}", "title": "139****5678",
         "sub": "上海市", "rings": [{"name": "R0A1B2C3D4E", "score": "0.81"}]}
    ]  # fmt: skip
    assert told["note"] == ("Phone number 139****5678" if spoken == "en" else "电话号码 139****5678")


def test_nothing_found_says_why(spoken: str) -> None:
    told = {
        found.answer(Answer(*asked, ()), 1)["note"]
        for asked in (("phone", "139****0001", ""), ("", "", "id_check"), ("", "", ""))
    }
    assert len(told) == 3
    assert all(told)
