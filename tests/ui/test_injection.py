"""Markup in whatever others write, from the name of an employer to a colleague's note: text, wherever it is shown."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from graph.errors import RingroadError
from graph.records import Edge, Node, NodeRef, batch_of, to_millis
from tests.ui.conftest import SignIn, Workbench, person
from tests.ui.test_canvas_browser import Canvas
from tests.workbench.door import Clock, opened
from tests.workbench.town import ID, RING, SEEN, build, ref
from workbench.casebook import cases, people
from workbench.casebook.queue_query import Query
from workbench.services.all import Services
from workbench.services.evidence.pack_request import SECTIONS
from workbench.services.feedback.labelling import Verdict
from workbench.services.office import Office
from workbench.services.subject import Subject
from workbench.ui import guard
from workbench.ui.callbacks.case_evidence import wanted
from workbench.ui.i18n import LANGUAGES
from workbench.ui.packs.written import written

EVIL = '"><img src=x onerror="window.xss=1">'
RAN = "[window.xss, document.querySelectorAll('img[src=x], svg img, script:not([src]):not([id])').length]"
CASE, DEALER = 1042, "D-X"


@pytest.fixture(scope="module")
def ui_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not the trained one: a handful of facts, some of them sly."""
    home = tmp_path_factory.mktemp("sly") / "home"
    with opened(home, Clock()) as office:
        build(office)
        _sly(office)
    return home


def _sly(office: Office) -> None:
    at, first = to_millis(SEEN), NodeRef("Application", "APP0001")
    things = [NodeRef("Employer", EVIL), NodeRef("Dealer", DEALER)]
    nodes = [Node(each, at, "", {"name": EVIL}) for each in things]
    links = [Edge("WORKS_AT", ref(office, "Person", ID), things[0], at, at, "sly"),
             Edge("SOLD_BY", first, things[1], at, at, "sly")]  # fmt: skip
    office.store.write(batch_of("sly", nodes, links))
    told = json.loads(office.settings.rings_file.read_text())
    told["rings"][0] |= {"because": EVIL}
    told["rings"][0]["shared"][0]["masked"] = EVIL
    office.settings.rings_file.write_text(json.dumps(told))
    with office.casebook.writing() as db:
        cases.change(db, CASE, because=EVIL, dealer=EVIL)


@pytest.fixture(scope="module")
def sly(services: Services) -> Services:
    """People write the like, too, and one is called so."""
    lin, zhou, ring = person("lin"), person("zhou"), Subject("ring", RING)
    with services.office.casebook.writing() as db:
        people.change(db, "zhou", display_name=EVIL)
    services.casefiles.note(zhou, CASE, f"@lin {EVIL}")
    services.casefiles.add_item(lin, CASE, EVIL)
    services.feedback.propose(zhou, ["APP0001"], Verdict("CONFIRMED_FRAUD", "T01", "E2", note=EVIL), request_key="sly")
    services.rings.assign_role(lin, RING, NodeRef("Application", "APP0001"), "organiser", reason=EVIL)
    services.saved.add_filter(lin, EVIL, Query(), shared=True)
    services.saved.add_view(lin, ring, EVIL, {"nodes": [], "positions": {}}, shared=True)
    with suppress(RingroadError):
        services.attachments.attach(lin, CASE, f"{EVIL}.txt", EVIL.encode())
    return services


def nothing_ran(page: Page, where: str) -> None:
    assert page.evaluate(RAN) == [None, 0], where


def test_on_no_page(signed_in: SignIn, sly: Services) -> None:
    lin, wang = signed_in("lin"), signed_in("wang")
    for visitor, address, shown in (
        (lin, "/queue", "#queue .q-link"), (lin, f"/case/{CASE}", ".cs-note"), (lin, "/mine", "#page h1"),
        (lin, f"/dealer/{DEALER}", "#page h1"), (lin, "/dealers", "#page h1"),
        (lin, "/labels", "#labels-waiting .ag-row"),
        (wang, "/users", ".us-table"), (wang, "/me", "#page h1"),
    ):  # fmt: skip
        page = visitor.go(address)
        page.locator(shown).first.wait_for()
        page.wait_for_load_state("networkidle")
        if address not in ("/dealers", "/me"):
            expect(page.locator("#page"), address).to_contain_text(EVIL)
        nothing_ran(page, address)
        if address == f"/case/{CASE}":
            for part in (".cs-note .cs-text", ".cs-note .cs-who", ".cs-list", ".cs-because"):
                assert EVIL in " ".join(page.locator(part).all_inner_texts()), f"{part} shows it to the letter"
    page = lin.go("/queue")
    page.locator("#queue .q-link").first.wait_for()
    page.locator(".q-saved, button:has-text('Saved')").first.click()
    page.locator("[role=menuitem]", has_text=EVIL).wait_for()
    nothing_ran(page, "names of filters")


def test_not_on_the_graph_and_not_in_what_leaves(
    signed_in: SignIn, sly: Services, workbench: Workbench, browser: Browser, tmp_path: Path
) -> None:
    page = signed_in("lin").page
    canvas = Canvas(page, workbench.url)
    canvas.open(f"/ring/{RING}")
    thing = f"Employer~{EVIL}"
    canvas.js("ids => RR.set('focus', {data: {id: ids, ts: 1}})", thing)
    canvas.until("id => RR.has(id)", thing)
    canvas.settled()
    page.mouse.move(*canvas.at(thing))
    page.wait_for_timeout(400)  # a tooltip comes late
    nothing_ran(page, "hover")
    page.mouse.click(*canvas.at(thing), button="right")
    page.locator(".canvas-menu").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    page.locator(".etab .ag-row", has_text="onerror").first.wait_for()
    for name in ("Decide", "Entity", "History", "Case", "Why"):
        page.click(f"#inv-tabs [role=tab]:has-text('{name}')")
        page.wait_for_load_state("networkidle")
        nothing_ran(page, name)
    page.locator("button[aria-label='Views']").click()
    page.locator(".views-name", has_text="onerror").wait_for()
    page.keyboard.press("Escape")
    canvas.until("document.activeElement.getAttribute('aria-label') === 'Views'")
    page.keyboard.press("/")
    page.keyboard.type(EVIL)
    page.wait_for_load_state("networkidle")
    nothing_ran(page, "what is found")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.click("button[aria-label^='Export']")
    with page.expect_download() as coming:
        page.click("[data-export=svg]")
    coming.value.save_as(tmp_path / "ring.svg")
    assert "onerror" in (tmp_path / "ring.svg").read_text(encoding="utf-8")
    (tmp_path / "pack.html").write_bytes(pack(sly))
    alone = browser.new_page()
    for name in ("ring.svg", "pack.html"):
        alone.goto((tmp_path / name).as_uri())
        nothing_ran(alone, name)
    alone.close()


def pack(services: Services) -> bytes:
    notes = [str(each.id) for each in services.casefiles.file(person("lin"), CASE).entries if each.kind == "note"]
    told = {"recipient": "internal", "sections": SECTIONS["internal"], "language": "en", "why": EVIL, "notes": notes}
    with guard.acting(person("lin")):
        made = services.evidence.pack(person("lin"), CASE, wanted(told, {}, None), languages=LANGUAGES, write=written)
    assert b"onerror" in made.content
    return made.content
