"""An investigator's morning in a browser: take a case, see why, decide, have it confirmed, take the picture out; and
once more in Chinese by keyboard alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.ui.conftest import PASSWORDS, SignIn, Workbench, person
from tests.ui.test_canvas_browser import Canvas

WAITS = 200


def until(page: Page, text: str, given: Any = None) -> Any:
    """The page's policy forbids what `wait_for_function` does."""
    for _ in range(WAITS):
        if found := page.evaluate(text, given):
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"never so: {text}")


def graph(page: Page) -> None:
    until(page, "() => !!(window.RR && RR.cy() && RR.cy().nodes().length && !RR.asking())")


def choose(page: Page, field: str, text: str) -> None:
    page.click(f"#{field}")
    page.click(f"[role=option]:has-text('{text}')")


def tab(page: Page, name: str) -> None:
    page.click(f"#inv-tabs [role=tab]:has-text('{name}')")


def test_a_morning(signed_in: SignIn, workbench: Workbench, tmp_path: Path) -> None:
    lin = signed_in("lin")
    page = lin.go("/queue")
    page.wait_for_selector("#queue .ag-row")
    page.keyboard.press("n")  # take next: the one with the most to be saved
    page.wait_for_url("**/ring/*")
    ring_id = page.url.rpartition("/")[2]
    graph(page)
    Canvas(page, lin.url).settled()
    members = page.evaluate("() => RR.cy().nodes('[type = \"Application\"]').map(n => n.id())")
    assert len(members) >= 3

    before = page.evaluate("() => RR.positions()")
    page.evaluate("id => { RR.select([id]); }", members[0])
    page.keyboard.press("e")
    until(page, "count => RR.cy().nodes().length > count", len(before))
    Canvas(page, lin.url).settled()
    after = page.evaluate("() => RR.positions()")
    still = [id_ for id_, at in before.items() if abs(at["x"] - after[id_]["x"]) + abs(at["y"] - after[id_]["y"]) > 0.5]
    assert not still, "what was placed does not move"

    page.evaluate("ids => RR.select(ids)", members[:2])
    page.keyboard.press("p")
    until(page, "() => RR.isLit()")
    page.keyboard.press("Escape")

    page.click("#why-body [data-why-light], #why-body .why-line >> nth=0")
    tab(page, "Decide")
    page.wait_for_selector("#decide-members input")
    label(page)
    shown = until(
        page, "() => { const n = document.querySelector('.mantine-Notification-root'); return n && n.innerText }"
    )
    assert "label" in shown.lower()

    zhou = signed_in("zhou")
    second = zhou.go("/labels")
    second.wait_for_selector("#labels-waiting .ag-row")
    second.click("#labels-waiting .ag-row >> nth=0")
    second.click("button:has-text('Confirm')")
    until(second, "() => !document.querySelector('#labels-waiting .ag-center-cols-container .ag-row')")
    assert confirmed(workbench, by="zhou") == 1

    updates = told(workbench, ring_id)
    assert updates, "the ring was found anew for what they decided"
    with page.expect_download() as coming:
        export(page, "svg")
    picture = tmp_path / "ring.svg"
    coming.value.save_as(picture)
    assert "<svg" in picture.read_text(encoding="utf-8")[:300]


MOST_TABS = 90


class Keys:
    """Who has no mouse: he presses keys, and sees where he is."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for each in keys:
            self.page.keyboard.press(each)

    def at(self, selector: str) -> bool:
        return bool(self.page.evaluate("what => !!document.activeElement.closest(what)", selector))

    def to(self, selector: str, *, way: str = "Tab") -> None:
        """Goes on until it stands there; what has the focus is seen."""
        for _ in range(MOST_TABS):
            self.press(way)
            if self.at(selector):
                return
        raise AssertionError(f"no way to {selector} by {way}; at {self.page.evaluate(HERE)}")

    def choose(self, field: str, text: str) -> None:
        self.to(f"#{field}")
        self.press("ArrowDown")
        self.page.wait_for_selector("[role=option]:visible")
        for _ in range(40):
            if self.page.locator("[role=option][data-combobox-selected]", has_text=text).count():
                return self.press("Enter")
            self.press("ArrowDown")
        raise AssertionError(f"{text} is not among the choices of {field}")


HERE = "() => document.activeElement.outerHTML.slice(0, 200)"


def test_a_morning_in_chinese_without_a_mouse(signed_in: SignIn, workbench: Workbench) -> None:
    workbench.services.people.set_language(person("sun"), "zh")
    visitor = signed_in("")
    page, keys = visitor.go("/login?lang=zh"), Keys(visitor.page)
    page.locator("#name:focus").wait_for()
    page.keyboard.type("sun")
    keys.to("#password")
    page.keyboard.type(PASSWORDS["sun"][2])
    keys.press("Enter")
    page.wait_for_selector("#page > *")

    keys.to(".rr-rail-item[href='/queue']")
    keys.press("Enter")
    page.wait_for_selector("#queue .ag-row")
    keys.press("n")
    page.wait_for_url("**/ring/*")
    graph(page)
    Canvas(page, visitor.url).settled()
    assert page.inner_text("#inv-tabs [role=tab] >> nth=0") == "原因"

    keys.to("#cy")
    count = page.evaluate("() => RR.cy().nodes().length")
    keys.press("ArrowRight", "e")
    until(page, "count => RR.cy().nodes().length > count || document.querySelector('dialog[open]')", count)
    keys.press("Escape")

    keys.to("summary.why-line")
    keys.press("Enter")
    until(page, "() => RR.isLit()")
    keys.press("Escape")

    keys.press("/")
    assert keys.at("#search")
    found = page.evaluate("() => RR.cy().nodes('[type = \"Application\"]')[0].id().split('~')[1]")
    page.keyboard.type(found)
    page.wait_for_selector("#find [role=option]")
    keys.press("Shift+Enter")
    until(page, "name => RR.selected().join().includes(name)", found)

    decided(page, keys)
    keys.to(".rr-who", way="Shift+Tab")
    keys.press("Enter")
    page.wait_for_selector("[role=menu]")
    keys.to("[role=menuitem][href='/logout']", way="ArrowDown")
    keys.press("Enter")
    page.wait_for_url("**/login")


def decided(page: Page, keys: Keys) -> None:
    """The first member: nothing is found against him."""
    keys.to("#inv-tabs [role=tab]")
    keys.press("ArrowRight")
    page.wait_for_selector("#decide-members input")
    keys.to("#decide-members input")
    keys.press("Space")
    keys.to(".decide-chips input")
    keys.press("Space")
    keys.to(".decide-chips input[value=INSUFFICIENT]", way="ArrowDown")
    keys.press("Space")
    keys.to("#decide-note")
    page.keyboard.type("电话核实,暂无结论")
    keys.to("#decide-submit")
    keys.press("Enter")
    page.locator(".mantine-Notification-root", has_text="标注").first.wait_for()


def label(page: Page) -> None:
    """Fraud on papers, of the first member: a second person is needed."""
    page.click("#decide-members label >> nth=0")
    page.click(".decide-chips label:has-text('Confirmed fraud')")
    choose(page, "decide-typology", "T01")
    choose(page, "decide-evidence", "E2")
    page.fill("#decide-note", "the borrower says that he was paid for it")
    page.click("#decide-submit")


def export(page: Page, name: str) -> None:
    page.click("button[aria-label^='Export']")
    page.click(f"[data-export={name}]")


def confirmed(workbench: Workbench, *, by: str) -> int:
    from workbench.casebook import labels  # noqa: PLC0415

    with workbench.services.office.casebook.reading() as db:
        return sum(said.label.second_author == by for said in labels.since(db, 0))


def told(workbench: Workbench, ring_id: str) -> list[Any]:
    from sqlalchemy import select  # noqa: PLC0415

    from workbench.casebook.case_tables import ring_updates  # noqa: PLC0415

    with workbench.services.office.casebook.reading() as db:
        return list(db.execute(select(ring_updates).where(ring_updates.c.ring_id == ring_id)))
