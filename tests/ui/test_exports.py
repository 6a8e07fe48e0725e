"""In a browser: what leaves stands where it stood on the screen, on record before; how one left a graph is there again.

Search, entity and table are walked through on the way, by keyboard.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import networkx as nx
import numpy as np
import pytest
from matplotlib import image
from playwright.sync_api import Page, expect

from tests.ui.conftest import SignIn, Workbench
from workbench.casebook import audit
from workbench.casebook.audit import Asked

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def ring(workbench: Workbench) -> str:
    return str(workbench.services.office.last_run()["rings"][0]["ring_id"])


def until(page: Page, text: str) -> None:
    """The page's policy forbids what `wait_for_function` does."""
    for _ in range(150):
        if page.evaluate(text):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never so: {text}")


def opened(page: Page) -> None:
    """The graph is drawn and at rest."""
    until(page, "!!(window.RR && RR.cy() && RR.ids().length > 5 && !RR.asking())")
    before = None
    for _ in range(60):
        now = page.evaluate("[JSON.stringify(RR.positions()), RR.asking()]")
        if now == before:
            return
        before = now
        page.wait_for_timeout(300)


def log(workbench: Workbench, action: str) -> list[audit.Entry]:
    with workbench.services.office.casebook.reading() as db:
        return list(audit.each(db, Asked(action=action)))


def taken(page: Page, kind: str, into: Path) -> Path:
    page.get_by_role("button", name="Export, masked").click()
    with page.expect_download() as coming:
        page.locator(f"[data-export={kind}]").click()
    coming.value.save_as(into / f"taken.{kind}")
    return into / f"taken.{kind}"


def drawn(svg: Path) -> dict[str, tuple[float, float]]:
    """Where each node stands in the drawing."""
    found = {}
    for group in ET.parse(svg).iter(f"{SVG}g"):
        if group.get("class") == "node":
            x, y = group.get("transform", "").removeprefix("translate(").removesuffix(")").split()
            found[group.get("data-id", "")] = (float(x), float(y))
    return found


def test_what_leaves_stands_where_it_stood(signed_in: SignIn, workbench: Workbench, ring: str, tmp_path: Path) -> None:
    page = signed_in("lin").go(f"/ring/{ring}")
    opened(page)
    places: dict[str, Any] = page.evaluate(
        "Object.fromEntries(RR.cy().nodes().map(n => [n.id(), [n.position('x'), n.position('y')]]))"
    )
    edges = page.evaluate("RR.cy().edges(':visible').length")

    svg = taken(page, "svg", tmp_path)
    at = drawn(svg)
    assert at.keys() == places.keys()
    assert all(np.allclose(at[name], places[name], atol=0.02) for name in places)
    tree = ET.parse(svg)
    assert sum(one.get("class") == "edge" for one in tree.iter(f"{SVG}path")) == edges
    foot = next(one.text for one in tree.iter(f"{SVG}text") if one.get("class") == "foot")
    assert foot is not None
    assert ring in foot
    assert "Lin Yue (lin)" in foot
    assert not [one for one in tree.iter() if any("href" in name for name in one.attrib)]

    high, wide, _ = image.imread(taken(page, "png", tmp_path)).shape
    box = page.evaluate("(() => { const b = RR.cy().elements(':visible').boundingBox(); return [b.w, b.h]; })()")
    assert wide == pytest.approx(max(4 * (box[0] + 56), 1680), abs=16)
    assert high == pytest.approx(4 * (box[1] + 56 + 26), abs=16)
    assert (image.imread(tmp_path / "taken.png")[..., :3].min(axis=2) < 0.9).mean() > 0.01  # something is drawn

    read = nx.read_graphml(io.BytesIO(taken(page, "graphml", tmp_path).read_bytes()), force_multigraph=True)
    assert set(read.nodes) == places.keys()
    table = taken(page, "csv", tmp_path).read_text("utf-8-sig").splitlines()
    assert len(table) == len(places) + 1
    kinds = [each.action for each in log(workbench, "export")]
    assert kinds == ["export.svg", "export.png", "export.graphml", "export.csv"]
    assert log(workbench, "export.svg")[0].detail == {"nodes": len(places), "links": edges, "as_of": "now"}


def test_how_one_left_a_graph_is_there_again(signed_in: SignIn, ring: str) -> None:
    visitor = signed_in("sun")
    page = visitor.go(f"/ring/{ring}")
    opened(page)
    page.locator("#cy").click(position={"x": 6, "y": 6})  # a hand was here
    page.evaluate("RR.expand(RR.facts().find(one => one.type === 'Application').id)")
    until(page, "!RR.asking() && RR.ids().length > RR.state.base.size")
    page.evaluate(
        """(() => {
            const [person, dealer] = ['Person', 'Dealer'].map(type => RR.cy().nodes(`[type="${type}"]`)[0]);
            person.position({x: 321, y: -123});
            RR.pin([person.id()], true);
            RR.remove([dealer.id()]);
        })()"""
    )
    with page.expect_request(lambda one: "views-last-req" in (one.post_data or "")):
        pass
    before = page.evaluate("RR.positions()")
    page.wait_for_timeout(300)
    page.reload()
    opened(page)
    expect(page.locator("#canvas-said")).to_contain_text("As you left it")
    assert page.evaluate("RR.positions()") == before
    assert {"x": 321, "y": -123, "pin": 1} in before.values()

    page.get_by_role("button", name="Views").click()
    page.locator("#views-name").fill("my desk")
    page.keyboard.press("Enter")
    expect(page.locator(".views-name")).to_have_text("my desk")
    page.keyboard.press("Escape")
    page.evaluate("RR.layout('concentric')")
    opened(page)
    assert page.evaluate("RR.positions()") != before
    page.get_by_role("button", name="Views").click()
    page.locator("[data-view=open]").click()
    expect(page.locator("#canvas-said")).to_contain_text("View opened: my desk")
    assert page.evaluate("RR.positions()") == before


def test_everything_is_found_by_keyboard_and_no_address_has_what_was_typed(
    signed_in: SignIn, workbench: Workbench, ring: str
) -> None:
    visitor = signed_in("lin")
    page, asked = visitor.page, list[str]()
    page.on("request", lambda one: asked.append(one.url))
    shared = workbench.services.office.last_run()["rings"][0]["shared"]
    token = next(one["key"] for one in shared if one["type"] == "Phone")
    phone = workbench.services.office.vault.reveal("phone", token)

    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search everything")
    expect(box).to_be_focused()
    box.fill(ring.lower())
    option = page.get_by_role("option").first
    expect(option).to_contain_text(ring)
    assert box.get_attribute("aria-activedescendant") == option.get_attribute("id")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ring/{ring}")
    opened(page)
    expect(box).to_have_value("")

    page.keyboard.press("/")
    page.keyboard.type(f"{phone[:3]} {phone[3:7]} {phone[7:]}")
    expect(page.get_by_role("option").first).to_contain_text("****")
    page.keyboard.press("Enter")
    until(page, f"RR.selected().includes('Phone~{token}')")
    page.get_by_role("tab", name="Entity").click()
    expect(page.locator("#entity-body")).to_contain_text(phone[-4:])
    expect(page.locator("#entity-body")).to_contain_text(ring)

    page.locator("#cy").focus()
    page.keyboard.press("t")
    row = page.locator(".ag-row-selected")
    expect(row).to_contain_text(phone[-4:])
    page.locator('.ag-row[row-id^="Application"]').first.click()
    until(page, "RR.selected().length === 1 && RR.selected()[0].startsWith('Application~')")
    expect(page.locator("#entity-body")).to_contain_text("Submitted")
    assert not [url for url in asked if phone in url or phone[3:7] in url.rpartition("/")[2]]
    assert phone not in page.content()
    assert phone not in json.dumps([entry.detail for entry in log(workbench, "search")], default=dict)
