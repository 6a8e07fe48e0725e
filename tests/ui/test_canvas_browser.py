"""The canvas in a real browser: opening, expanding, filtering, lighting, going back in time; nothing moves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.ui.conftest import SignIn, Workbench

WAITS = 300
"""Times a tenth of a second."""


@pytest.fixture
def ring(workbench: Workbench) -> str:
    """The largest."""
    rings = json.loads((workbench.home / "rings.json").read_text(encoding="utf-8"))["rings"]
    return str(max(rings, key=lambda one: one["size"])["ring_id"])


class Canvas:
    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url

    def open(self, path: str) -> None:
        self.page.goto(self.url + path)
        self.until("!!(window.RR && RR.cy() && RR.cy().nodes().length && RR.state.laid)")
        self.settled()

    def js(self, text: str, given: Any = None) -> Any:
        return self.page.evaluate(text, given)

    def until(self, text: str, given: Any = None) -> None:
        """The page's policy forbids what `wait_for_function` does."""
        for _ in range(WAITS):
            if self.js(text, given):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"never so: {text}; said {self.said()!r}")

    def settled(self) -> None:
        """It is laid out, nothing is asked, and nothing moves any more."""
        self.until("RR.state.laid")
        before = None
        for _ in range(WAITS):
            now = self.js("[RR.asking(), JSON.stringify(RR.positions()), RR.cy().zoom()]")
            if now == before and now[0] == 0:
                return
            before = now
            self.page.wait_for_timeout(150)

    def time(self, at: str | None) -> None:
        """As if the slider had been moved, which is another's and writes when it likes to, too."""
        for _ in range(5):
            self.js("at => RR.set('as-of', {data: at})", at)
            for _ in range(30):
                if self.js("RR.state.asOf") == at:
                    return
                self.page.wait_for_timeout(100)
        raise AssertionError(f"never as of {at}")

    def positions(self) -> dict[str, Any]:
        return dict(self.js("RR.positions()"))

    def said(self) -> str:
        return str(self.js("document.getElementById('canvas-said').textContent"))

    def status(self) -> str:
        """It is drawn in the frame after a change."""
        self.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return str(self.js("document.getElementById('graph-status').textContent"))

    def at(self, id_: str) -> tuple[float, float]:
        where = "id => { const p = RR.cy().getElementById(id).renderedPosition(), b = RR.cy().container()"
        x, y = self.js(where + ".getBoundingClientRect(); return [b.left + p.x, b.top + p.y]; }", id_)
        return float(x), float(y)

    def busiest(self, type_: str) -> str:
        return str(self.js("type => RR.cy().nodes(`[type = '${type}']`).max(n => n.data('links')).ele.id()", type_))


@pytest.fixture
def canvas(signed_in: SignIn) -> Canvas:
    visitor = signed_in("lin")
    return Canvas(visitor.page, visitor.url)


def moved(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        id_
        for id_, at in before.items()
        if id_ not in after or (at["x"], at["y"]) != (after[id_]["x"], after[id_]["y"])
    ]


def test_panels_ask_once_the_graph_is_drawn(canvas: Canvas, ring: str) -> None:
    canvas.page.add_init_script("""{
        const ask = window.fetch;
        window.drawn = [];
        window.fetch = (...told) => {
            const painted = performance.getEntriesByName('rr-painted').length;
            if (told[0].clone)
                told[0].clone().text().then(body => body.includes('why-body.children') && window.drawn.push(painted));
            return ask(...told);
        };
    }""")
    canvas.open(f"/ring/{ring}")
    canvas.until("window.drawn.length > 0")
    assert canvas.js("window.drawn") == [1]


def test_nothing_moves_by_itself(canvas: Canvas, ring: str, workbench: Workbench) -> None:
    """The same ring looks the same; not by expanding, at other times, or for what a panel lights."""
    canvas.open(f"/ring/{ring}")
    first = canvas.positions()
    assert len(first) > 10
    assert canvas.status().startswith(f"{len(first)} nodes · ")
    canvas.open(f"/ring/{ring}")
    assert canvas.positions() == first

    dealer = canvas.busiest("Dealer")
    canvas.page.mouse.dblclick(*canvas.at(dealer))
    canvas.until("document.getElementById('canvas-filter').open")
    assert "flood" in canvas.page.inner_text("#canvas-filter .canvas-guard")
    assert canvas.positions() == first, "nothing comes without a filter"
    canvas.page.select_option("#canvas-filter [name=cap]", "50")
    canvas.page.click("#canvas-filter [value=expand]")
    canvas.until("before => RR.cy().nodes().length > before", len(first))
    canvas.settled()
    expanded = canvas.positions()
    assert moved(first, expanded) == []
    assert len(expanded) == len(first) + 50
    assert "of" in canvas.said()
    assert canvas.js("RR.cy().edges().every(e => e.source().inside() && e.target().inside())")

    canvas.page.keyboard.press("z")
    assert canvas.positions() == first
    canvas.page.keyboard.press("y")
    assert canvas.positions() == expanded
    canvas.page.keyboard.press("Control+z")
    assert canvas.positions() == first

    before, here = canvas.positions(), canvas.status()
    canvas.time("2024-01-01T00:00:00+08:00")
    canvas.until("RR.cy().nodes().every(n => n.hasClass('gone'))")
    assert "not there then" in canvas.status()
    canvas.time(None)
    canvas.until("RR.cy().nodes('.gone').length === 0")
    assert canvas.status() == here
    assert moved(before, canvas.positions()) == []

    other = outside(workbench, ring)
    canvas.js("ids => RR.set('highlight', {data: {nodes: ids, edges: []}})", [other, next(iter(before))])
    canvas.until("document.querySelector('#canvas-said button') !== null")
    canvas.page.click("#canvas-said button")
    canvas.until("id => RR.has(id) && RR.cy().getElementById(id).hasClass('lit')", other)
    assert moved(before, canvas.positions()) == []
    canvas.js("RR.set('changed', {data: {cause: 'test', ts: Date.now()}})")
    canvas.page.wait_for_timeout(300)
    canvas.settled()
    assert canvas.js("id => RR.has(id) && !RR.cy().getElementById(id).hasClass('gone')", other), (
        "added by hand, it stays"
    )

    second = another(workbench, ring)
    canvas.js("name => RR.open('ring', name)", second)
    canvas.until("name => RR.subject().name === name", second)
    assert canvas.page.url.endswith(f"/ring/{second}")
    canvas.page.go_back()
    canvas.until("name => RR.subject() && RR.subject().name === name", ring)


def test_what_hands_do_comes_back(canvas: Canvas, ring: str) -> None:
    canvas.open(f"/ring/{ring}")
    all_ = canvas.status()
    canvas.page.click(".canvas-legend-item[data-type=Person]")
    assert "hidden" in canvas.status()
    assert canvas.page.get_attribute(".canvas-legend-item[data-type=Person]", "aria-pressed") == "false"
    canvas.page.click("#canvas-unfilter")
    assert canvas.status() == all_

    canvas.page.focus(".canvas-handle[data-end='0']")
    for _ in range(4):
        canvas.page.keyboard.press("PageUp")
    canvas.until("document.getElementById('graph-status').textContent.includes('hidden')")
    canvas.until("RR.cy().edges(':visible').every(e => e.data('time') >= RR.state.range[0])")
    canvas.page.keyboard.press("Home")
    canvas.until("!document.getElementById('graph-status').textContent.includes('hidden')")

    apps = canvas.js("RR.cy().nodes(\"[type = 'Application']\").map(n => n.id())")
    canvas.page.mouse.move(*canvas.at(apps[0]))
    canvas.until("RR.cy().elements('.dim').length > 0")
    canvas.page.mouse.move(20, 500)
    canvas.until("RR.cy().elements('.dim').length === 0")

    canvas.js("ids => RR.select(ids)", [apps[0], apps[-1]])
    canvas.page.keyboard.press("p")
    canvas.until("RR.cy().elements('.lit').length > 2")
    assert "path" in canvas.said()
    canvas.page.keyboard.press("Escape")
    canvas.until("RR.cy().elements('.lit, .dim').length === 0")

    before = canvas.positions()
    app = canvas.js("RR.cy().nodes(\"[type = 'Application']\")[0].id()")
    x, y = canvas.at(app)
    canvas.page.mouse.move(x, y)
    canvas.page.mouse.down()
    canvas.page.mouse.move(x + 90, y + 40, steps=4)
    canvas.page.mouse.up()
    canvas.until("id => RR.cy().getElementById(id).data('pin')", app)
    dragged = canvas.positions()[app]
    assert dragged["x"] > before[app]["x"] + 20
    canvas.page.select_option("#canvas-layout", "concentric")
    canvas.settled()
    assert canvas.positions()[app] == dragged, "what was put somewhere stays through a layout"
    assert len(moved(before, canvas.positions())) > len(before) / 2
    canvas.page.keyboard.press("z")
    canvas.page.keyboard.press("z")
    assert moved(before, canvas.positions()) == []

    canvas.page.mouse.click(*canvas.at(app), button="right")
    canvas.page.wait_for_selector(".canvas-menu [role=menuitem]")
    canvas.page.keyboard.press("End")
    canvas.page.keyboard.press("Escape")
    assert canvas.page.query_selector(".canvas-menu") is None
    canvas.page.keyboard.press("Delete")
    canvas.until("id => !RR.has(id)", app)
    canvas.page.keyboard.press("z")
    assert canvas.positions() == before

    person = canvas.busiest("Person")
    canvas.js("id => RR.expand(id, {types: ['Institution'], cap: 20, rank: 'recent'})", person)
    canvas.until("before => RR.cy().nodes().length > before", len(before))
    canvas.settled()
    ids = set(canvas.js("RR.ids()"))
    canvas.js("RR.select([])")
    canvas.page.keyboard.press("l")
    canvas.until("RR.cy().nodes('[fold]').length > 0")
    assert set(canvas.js("RR.ids()")) == ids, "folded is not gone"
    canvas.page.mouse.click(*canvas.at(canvas.js("RR.cy().nodes('[fold]')[0].id()")))
    canvas.until("RR.cy().nodes('[fold]').length === 0")
    assert set(canvas.js("RR.cy().nodes().map(n => n.id())")) == ids

    view = canvas.js("RR.view()")
    canvas.js("ids => RR.remove(ids)", sorted(ids)[:8])
    canvas.js("view => RR.apply(view)", view)
    canvas.until("count => RR.ids().length === count", len(ids))
    assert canvas.js("RR.view().positions") == view["positions"]


def rings_of(workbench: Workbench) -> list[dict[str, Any]]:
    return list(json.loads((workbench.home / "rings.json").read_text(encoding="utf-8"))["rings"])


def another(workbench: Workbench, ring: str) -> str:
    return next(str(one["ring_id"]) for one in rings_of(workbench) if one["ring_id"] != ring)


def outside(workbench: Workbench, ring: str) -> str:
    one = next(each for each in rings_of(workbench) if each["ring_id"] != ring)
    return f"Application~{one['application_ids'][0]}"
