"""What a browser is given to draw: masked, small, styled by facts, in the language of who looks."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from graph.ontology import EDGES, NODES
from graph.records import NodeRef, Value
from workbench.casebook import roles
from workbench.services.canvas.graph_shapes import Count, Picture, Shown, Tie
from workbench.ui import theme
from workbench.ui.i18n import language
from workbench.ui.viewmodel.canvas_words import words
from workbench.ui.viewmodel.elements import count, elements

APP, PERSON = NodeRef("Application", "A1"), NodeRef("Person", "1" * 32)
DEVICE, CAR = NodeRef("Device", "2" * 32), NodeRef("Vehicle", "3" * 32)


def shown(ref: NodeRef, masked: str = "", *, known_at: int = 5, **more: Any) -> Shown:
    properties: dict[str, Value] = more.pop("properties", {})
    return Shown(ref, masked, known_at, properties, **more)


def used(**more: Any) -> Tie:
    return Tie("USED_DEVICE", APP, DEVICE, "", 3, 4, **more)


def node(one: Shown, **how: Any) -> dict[str, Any]:
    (element,) = elements(Picture([one]), **how)
    return element["data"]


def since(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


def test_ids_are_types_and_keys_and_edges_name_their_ends() -> None:
    first, second, edge = (each["data"] for each in elements(Picture([shown(APP), shown(DEVICE)], [used()])))
    assert (first["id"], second["id"]) == ("Application~A1", "Device~" + "2" * 32)
    assert edge["id"] == f"USED_DEVICE~{first['id']}~{second['id']}~"
    assert (edge["source"], edge["target"], edge["relation"]) == (first["id"], second["id"], "USED_DEVICE")
    assert edge["weight"] == EDGES["USED_DEVICE"].weight
    assert (edge["time"], edge["known"]) == (3, 4)


def test_people_go_by_masked_names_and_things_by_masks() -> None:
    named = node(shown(PERSON, "130***********7598", properties={"name_masked": "叶*", "monthly_income": 3500.0}))
    assert (named["label"], named["sub"]) == ("叶*", "130***********7598")
    assert node(shown(PERSON, "130***********7598"))["label"] == "130…7598", "a long mask is told by its end"
    assert node(shown(NodeRef("Phone", "4" * 32), "150****7343"))["label"] == "150****7343"
    assert node(shown(NodeRef("DocTemplate", "seal:494ec1bc3fd86991")))["label"] == "seal …6991"
    assert node(shown(NodeRef("Dealer", "D1"), properties={"name": "启明"}))["label"] == "启明"
    assert node(shown(CAR, "*****012345", properties={"brand": "BYD", "model_year": 2024}))["sub"] == "BYD 2024"


def test_nothing_but_declared_facts_leaves_the_server() -> None:
    """Properties that no screen asks for stay: an income, a birth year."""
    told = node(shown(PERSON, "x", properties={"monthly_income": 3500.0, "birth_year": 1990, "live_region": "130102"}))
    assert set(told) == {"id", "type", "label", "links", "known", "sub"}


def test_facts_that_do_not_hold_are_left_out() -> None:
    assert set(node(shown(APP))) == {"id", "type", "label", "links", "known"}
    assert set(elements(Picture((), [used()]))[0]["data"]) == {
        "id", "source", "target", "relation", "says", "time", "known", "weight",
    }  # fmt: skip


def test_every_fact_that_holds_is_styled_by_data() -> None:
    told = node(
        shown(DEVICE, "d", held_by=4, score=0.73456, decision="review", label="fraud", role=roles.ORGANISER,
              infrastructure="shop_device", known_at=50, links=9),
        seen=since(49),
    )  # fmt: skip
    assert (told["held"], told["score"], told["state"], told["infra"], told["fresh"]) == (
        4,
        0.735,
        "fraud",
        "shop_device",
        1,
    )
    assert told["label"] == "d\norganiser"
    assert told["infraSays"]
    selectors = " ".join(rule["selector"] for rule in theme.stylesheet())
    for fact in ("held", "score", "state", "infra", "fresh", "role", "member"):
        assert re.search(rf"\[{fact}\b", selectors), f"nothing shows {fact}"
    tie = elements(Picture((), [used(innocent=7, alike=True, valid_to=3)]), as_of=datetime.now(UTC))[0]["data"]
    for fact in ("innocent", "alike", "ended"):
        assert tie[fact]
        assert f"edge[{fact}]" in selectors


def test_what_is_known_since_the_last_visit_is_fresh_and_the_rest_is_not() -> None:
    assert "fresh" not in node(shown(APP, known_at=50), seen=since(50))
    assert "fresh" not in node(shown(APP, known_at=50))
    joined = {"seen": since(70), "joined": frozenset({"A1"})}
    assert node(shown(APP, member=True), **joined)["fresh"], "known for long, but of the ring only since then"
    assert "fresh" not in node(shown(NodeRef("Application", "A2"), member=True), **joined)


def test_links_between_the_same_two_are_drawn_apart() -> None:
    owns = Tie("HAS_DEVICE", PERSON, DEVICE, "", 3, 4)
    back = Tie("HAS_DEVICE", PERSON, DEVICE, "again", 3, 4)
    told = [each["data"].get("twin") for each in elements(Picture((), [used(), owns, back]))]
    assert told == [None, 1, 1]


def test_relations_and_kinds_are_told_in_both_languages() -> None:
    one = Count("USED_DEVICE", True, "Device", 1, 3)
    assert (count(one)["says"], count(one)["typeSays"]) == ("used device", "device")
    token = language.set("zh")
    try:
        assert (count(one)["says"], count(one)["typeSays"]) == ("使用设备", "设备")
        assert elements(Picture((), [used()]))[0]["data"]["says"] == "使用设备"
        assert node(shown(PERSON, "x", role=roles.RECRUITER))["label"] == "x\n招揽人"
    finally:
        language.reset(token)


def test_labels_are_text_whatever_they_hold() -> None:
    """They are drawn on a canvas and set as text; JSON keeps them whole."""
    sly = '</script><img src=x onerror="alert(1)">'
    told = node(shown(NodeRef("Dealer", "D1"), properties={"name": sly}))
    assert json.loads(json.dumps(told))["label"] == sly


# The theme -----------------------------------------------------------------------------------------------


def test_every_type_has_a_glyph_a_colour_and_a_rule() -> None:
    assert set(theme.GLYPHS) == set(NODES)
    rules = {rule["selector"]: rule["style"] for rule in theme.stylesheet()}
    for name, type_ in NODES.items():
        style = rules[f'node[type = "{name}"]']
        assert style["background-color"] == type_.colour
        assert style["background-image"].startswith("data:image/svg+xml")
        assert "shape" in style
    assert len(set(theme.GLYPHS.values())) == len(NODES), "no two look the same"


@pytest.mark.parametrize("name", NODES)
def test_a_white_glyph_is_seen_on_every_colour(name: str) -> None:
    assert contrast(theme.colour(name)) >= 2.4, "the shape beside it tells, too"


def contrast(colour: str) -> float:
    """Of white on it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.03928 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_states_differ_by_more_than_colour() -> None:
    rules = {rule["selector"]: rule["style"] for rule in theme.stylesheet()}
    borders = {
        state: (
            rules[f'node[state = "{state}"]'].get("border-style", "solid"),
            rules[f'node[state = "{state}"]']["border-width"],
        )
        for state in theme.STATES
    }
    assert len(set(borders.values())) == len(borders)


def test_the_scripts_have_every_word_they_say() -> None:
    """`RR.word('…')` with a literal, in any script of the canvas."""
    from workbench.ui import i18n  # noqa: PLC0415 - for its place only

    assets = i18n.Path(i18n.__file__).parents[1] / "assets"
    said = {
        key
        for path in assets.glob("canvas-*.js")
        for key in re.findall(r"\bword\((?:\w+ \? )?'([^']+)'", path.read_text(encoding="utf-8"))
    }
    assert not {key for key in said if not any(known.startswith(key.strip()) for known in words())}
