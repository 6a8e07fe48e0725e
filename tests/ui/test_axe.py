"""Every page and dialog under axe-core, and what opens over pages: nothing serious. A new page is looked at, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dash_mantine_components as dmc
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Request, expect

from tests.ui.addresses import addresses, layout
from tests.ui.conftest import SignIn, Visitor, Workbench, person
from workbench.services.all import Services
from workbench.ui import guard
from workbench.ui.pages.page import Page as Kind

LOOKING = ("zhou", "wang", "he")
"""A page is looked at by the first of them who may see it: what he may do on it is shown, too."""

PRESSED = {"users-act": (".us-more", "[role=menuitem]")}


AXE = "([inside]) => axe.run(inside || document, {resultTypes: ['violations'], preload: false, iframes: false})"
GO = "to => { history.pushState({}, '', to); window.dispatchEvent(new CustomEvent('_dashprivate_pushstate')); }"
QUIET_MS = 200


class Looking:
    """Somebody who walks from page to page, as one does, without loading everything anew."""

    def __init__(self, visitor: Visitor) -> None:
        self.page, self.url, self.found, self._asked = visitor.page, visitor.url, list[str](), set[Request]()
        self.page.add_init_script(Axe().axe_script)
        self.page.on("request", self._asks)
        for name in ("requestfinished", "requestfailed"):
            self.page.on(name, self._answered)  # type: ignore[call-overload]

    def _asks(self, one: Request) -> None:
        self._asked.add(one)

    def _answered(self, one: Request) -> None:
        self._asked.discard(one)

    def go(self, address: str) -> None:
        """Until everything is there that a page asks for by itself."""
        if self.page.url.startswith(self.url):
            self.page.evaluate(GO, address)
        else:
            self.page.goto(self.url + address)
            self.page.wait_for_selector("#page > *")
        self.still()

    def still(self) -> None:
        quiet = 0
        while quiet < QUIET_MS:
            self.page.wait_for_timeout(50)
            quiet = 0 if self._asked else quiet + 50

    def look(self, where: str, inside: str = "") -> None:
        """At all of it, or within what `inside` selects. Again where a grid was still being drawn."""
        if self._serious(where, inside):
            self.still()
            self.found += self._serious(where, inside)

    def _serious(self, where: str, inside: str) -> list[str]:
        return [
            f"{where}: {each['id']}: {node['html'][:160]} {node['failureSummary'][-160:]}"
            for each in self.page.evaluate(AXE, [inside])["violations"]
            for node in each["nodes"][:3]
            if each["impact"] in ("serious", "critical")
        ]


def entered(signed_in: SignIn, workbench: Workbench, name: str, language: str) -> Looking:
    """Signed in without the form, which another test fills in."""
    workbench.services.people.set_language(person(name), language)
    visitor, made = signed_in(""), workbench.services.people.open_session(name)
    kept = {"ringroad": made.token, "ringroad-csrf": made.csrf}
    visitor.page.context.add_cookies([{"name": each, "value": kept[each], "url": workbench.url} for each in kept])
    return Looking(visitor)


def test_pages_and_their_dialogs(signed_in: SignIn, workbench: Workbench) -> None:
    visitors, known = dict[str, Looking](), set[str]()
    for kind, address in addresses(workbench.services):
        name = next(each for each in LOOKING if person(each).may(kind.act))
        if name not in visitors:
            visitors[name] = entered(signed_in, workbench, name, ("en", "zh")[len(visitors) % 2])
        one = visitors[name]
        one.go(address)
        one.look(address)
        if kind.title not in known:
            tabs(one, address)
        dialogs = dialogs_of(workbench.services, kind, address, name) | ({"reveal-modal"} if address == "/" else set())
        for dialog in sorted(dialogs - known):
            within(one, dialog)
        known |= dialogs | {kind.title}
    assert not (found := [each for one in visitors.values() for each in one.found]), "\n".join(found)


def tabs(one: Looking, address: str) -> None:
    """What stands behind those that are not in front."""
    all_ = one.page.locator("#inv-tabs [role=tab]")
    for at in range(1, all_.count()):
        all_.nth(at).click()
        one.still()
        one.look(f"{address}, {all_.nth(at).inner_text()}", "#inv-tabs")


def dialogs_of(services: Services, kind: Kind, address: str, name: str) -> set[str]:
    with guard.acting(person(name)):
        shown = layout(kind, services, person(name), address)
    return {each.id for each in parts(shown) if isinstance(each, dmc.Modal)}


def within(one: Looking, dialog: str) -> None:
    """Opened as its callback would; what is written into it when it is asked for, as a person would."""
    shown, content = "([id, opened]) => window.dash_clientside.set_props(id, {opened})", ".mantine-Modal-content"
    if dialog in PRESSED:
        for each in PRESSED[dialog]:
            one.page.locator(each).locator("visible=true").first.click()
    else:
        one.page.evaluate(shown, [dialog, True])
    one.page.wait_for_selector(content)
    one.look(dialog, content)
    one.page.evaluate(shown, [dialog, False])
    one.page.wait_for_selector(content, state="detached")


def parts(shown: Any) -> Iterator[Any]:
    """The component and all within it."""
    for each in shown if isinstance(shown, list | tuple) else [shown]:
        yield each
        yield from parts(getattr(each, "children", None) or ())


def test_what_opens_over_a_page(signed_in: SignIn, workbench: Workbench) -> None:
    ring = workbench.services.office.last_run()["rings"][0]["ring_id"]
    one = entered(signed_in, workbench, "lin", "en")
    one.go(f"/ring/{ring}")
    keys = one.page.keyboard

    def look(where: str, inside: str) -> None:
        one.page.locator(inside).first.wait_for()
        one.look(where, inside)
        keys.press("Escape")

    keys.press("/")
    keys.type(ring)
    one.page.locator("#find [role=option]").first.wait_for()
    look("search", "#find")
    keys.press("Escape")
    for name, button in {
        "account": ".rr-who", "export": "button[aria-label^='Export']", "views": "button[aria-label='Views']",
    }.items():  # fmt: skip
        one.page.click(button)
        over = one.page.locator("[role=menu], .mantine-Popover-dropdown").locator("visible=true")
        over.first.wait_for()
        one.look(name, f"{button}, [role=menu], .mantine-Popover-dropdown")
        keys.press("Escape")
        expect(over).to_have_count(0)
    one.page.locator("#cy").focus()
    one.page.evaluate("RR.select([RR.cy().nodes('[type = \"Dealer\"]').max(n => n.data('links')).ele.id()])")
    keys.press("ContextMenu")
    look("menu of a thing", ".canvas-menu")
    keys.press("?")
    look("keys of the canvas", "dialog[open]")
    one.page.evaluate("RR.filterFor(RR.selected()[0])")
    look("what to expand", "dialog[open]")
    keys.press("t")
    look("table", ".etab-grid")
    one.page.evaluate("RR.set('find-open', {data: {id: 'Device~' + '0'.repeat(32), ts: 1}})")
    look("toast", ".mantine-Notification-root")
    assert not one.found, "\n".join(one.found)


def test_the_door(signed_in: SignIn, workbench: Workbench) -> None:
    visitor = signed_in("")
    visitor.watch.allow.append("401")
    one = Looking(visitor)
    one.page.goto(f"{workbench.url}/login")
    one.look("/login")
    one.page.fill("#name", "lin")
    one.page.fill("#password", "wrong")
    one.page.press("#password", "Enter")
    one.page.wait_for_selector("[role=alert]")
    one.look("/login refused")
    assert not one.found, "\n".join(one.found)
