"""The case on the screen: its routes as any client may ask them, and one morning with it in a browser."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect
from werkzeug.test import TestResponse

from graph.errors import InputError
from tests.ui.conftest import SignIn, Workbench, person
from tests.workbench.door import START, Clock, opened
from tests.workbench.town import RING, build
from workbench.casebook import cases, people
from workbench.services.all import Services
from workbench.services.evidence.pack_seal import verify
from workbench.services.permissions import Person, Role
from workbench.services.subject import Subject
from workbench.ui import guard
from workbench.ui.app import create_app
from workbench.ui.callbacks.case_common import number_of, seen_of
from workbench.ui.callbacks.case_evidence import wanted
from workbench.ui.callbacks.case_refresh import PARTS
from workbench.ui.callbacks.case_work import moment
from workbench.ui.components import case_panel, notes
from workbench.ui.pages import case, mine

CASE = 1042
EVIL = "<img src=x onerror=alert(1)>"
PEOPLE = {
    name: Person(name, name.title(), role)
    for name, role in (("lin", Role.INVESTIGATOR), ("sun", Role.INVESTIGATOR), ("he", Role.AUDITOR))
}


@dataclass
class Desk:
    services: Services
    client: FlaskClient

    def ask(self, who: str, path: str, content: bytes | None = None, *, csrf: bool = True, **more: str) -> TestResponse:
        """GET, or POST with content, as a page of ours would."""
        made = self.services.people.open_session(who)
        self.client.set_cookie("ringroad", made.token)
        headers = {"Sec-Fetch-Site": "same-origin"} | {name.replace("_", "-"): text for name, text in more.items()}
        if content is None:
            return self.client.get(path, headers=headers)
        return self.client.post(path, data=content, headers=headers | ({"X-CSRF-Token": made.csrf} if csrf else {}))

    def attach(self, who: str = "lin", name: str = "a.txt", content: bytes = b"text", **more: Any) -> TestResponse:
        return self.ask(who, f"/attachment/of/{CASE}", content, X_File_Name=name, **more)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("town") / "home"
    with opened(home, Clock()) as office:
        build(office)
        with office.casebook.writing() as db:
            for name, one in PEOPLE.items():
                told = {"display_name": one.display_name, "role": one.role, "language": "en", "password_hash": "none"}
                people.add(db, name=name, author="test", now=START, **told)
                people.change(db, name, must_change=0)
    return home


@pytest.fixture
def desk(built: Path, tmp_path: Path) -> Iterator[Desk]:
    with opened(Path(shutil.copytree(built, tmp_path / "home")), Clock()) as office:
        services = Services(office)
        yield Desk(services, create_app(services).server.test_client())


def text(component: Any) -> str:
    return json.dumps(component, cls=plotly.utils.PlotlyJSONEncoder, ensure_ascii=False)


# Files over their routes ---------------------------------------------------------------------------------


def test_a_file_is_given_as_a_download_that_runs_nothing(desk: Desk) -> None:
    told = desk.attach(name="%E4%BB%98%E6%AC%BE%20%22x%22.txt", content=f"<script>{EVIL}".encode())
    assert told.json == {"said": "Attached 付款 _x_.txt"}
    got = desk.ask("lin", "/attachment/1")
    assert got.data == f"<script>{EVIL}".encode()
    assert got.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E4%BB%98%E6%AC%BE%20_x_.txt"
    assert got.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Cache-Control"] == "no-store"
    assert got.mimetype == "text/plain"


def test_who_may_not_or_is_nobody_gets_no_file(desk: Desk) -> None:
    desk.attach()
    with desk.services.office.casebook.writing() as db:
        cases.change(db, CASE, assignee="lin")
    for who, status in (("sun", 403), ("he", 403), ("lin", 200)):
        assert desk.ask(who, "/attachment/1").status_code == status
    assert desk.ask("lin", "/attachment/7").status_code == 404
    desk.client.delete_cookie("ringroad")
    assert desk.client.get("/attachment/1", headers={"Sec-Fetch-Mode": "cors"}).status_code == 401
    assert desk.client.post(f"/attachment/of/{CASE}", data=b"x").status_code in (302, 303, 401)


def test_a_file_that_no_page_of_ours_sent_is_refused(desk: Desk) -> None:
    assert desk.attach(csrf=False).status_code == 403
    assert not desk.services.casefiles.file(PEOPLE["lin"], CASE).files


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("a.exe", b"MZ", 422), ("a.pdf", b"MZ", 422), ("", b"text", 422), ("%ff.txt", b"text", 422), ("a.txt", b"", 422)],
)
def test_what_is_no_file_of_a_case_is_refused_with_a_word(desk: Desk, name: str, content: bytes, status: int) -> None:
    told = desk.attach(name=name, content=content)
    assert told.status_code == status
    assert told.json
    assert told.json["said"]


def test_large_files_are_taken_up_to_the_limit_and_cost_nothing_beyond(desk: Desk) -> None:
    content = b"%PDF-" + b"x" * (10 * 1024 * 1024 - 5)
    assert desk.attach(name="large.pdf", content=content).status_code == 200
    assert desk.attach(name="larger.pdf", content=content + b"x").status_code == 422
    assert desk.attach(name="huge.pdf", content=content + b"x" * 3_000_000).status_code == 413


# What a browser can send ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [None, {}, {"number": "1042"}, {"number": True}, {"number": None}, {"number": 1.5}])
def test_a_case_that_is_none_is_refused(sent: Any) -> None:
    with pytest.raises(InputError, match="no case is open here"):
        number_of(sent)
    assert seen_of(sent) == 0


def test_what_the_dialog_of_packs_sends_is_read_or_refused() -> None:
    told = {"recipient": "police", "sections": ["summary"], "language": "en", "why": "w", "notes": ["3"],
            "reveals": ["Phone~k"]}  # fmt: skip
    one = wanted(told, {"Phone~k": "asked for"}, {"positions": {"Phone~k": {"x": 1, "y": 2, "pin": 0}}, "as_of": None})
    assert (one.notes, one.places[one.reveals[0].ref], one.reveals[0].reason) == (
        frozenset({3}),
        (1.0, 2.0),
        "asked for",
    )
    assert wanted(told | {"recipient": "internal"}, {}, None).reveals == ()
    for bad in ({"notes": ["x"]}, {"sections": 3}):
        with pytest.raises(InputError, match="cannot be read"):
            wanted(told | bad, {}, None)
    with pytest.raises(InputError, match="cannot be read"):
        wanted(told, {}, {"as_of": "yesterday"})


def test_a_time_of_a_picker_is_chinas() -> None:
    at = moment("2026-11-30 18:00:00")
    assert at is not None
    assert at.isoformat() == "2026-11-30T18:00:00+08:00"
    assert moment(None) is None
    with pytest.raises(InputError, match="no time"):
        moment("soon")


# Layouts -------------------------------------------------------------------------------------------------


def test_pages_show_who_may_what_and_nothing_else(desk: Desk) -> None:
    for name, acts in (("lin", True), ("he", False)):
        with guard.acting(PEOPLE[name]):
            shown = text(case.layout(desk.services, PEOPLE[name], {"number": str(CASE)}))
        assert all(
            (f'"{each}"' in shown) == acts for each in ("case-close", "case-note-save", "case-drop", "case-pack-open")
        )
        assert all(f'"{each}"' in shown for each in PARTS)
        assert RING in shown
        assert "王**" in shown


def test_a_panel_without_a_case_offers_to_open_one_and_leads_to_that_of_the_ring(desk: Desk) -> None:
    with guard.acting(PEOPLE["lin"]):
        body, store = case_panel.filled(desk.services, PEOPLE["lin"], Subject("application", "APP0001"))
        assert store is None
        assert "case-panel-open" in text(body)
        assert "/case/1042" in text(body)
        assert all(f'"{each}"' in text(body) for each in PARTS)
        body, store = case_panel.filled(desk.services, PEOPLE["lin"], Subject("ring", RING))
        assert store is not None
        assert (store["number"], store["where"]) == (CASE, "panel")
    with guard.acting(PEOPLE["he"]):
        assert "case-panel-open" not in text(
            case_panel.filled(desk.services, PEOPLE["he"], Subject("application", "X"))[0]
        )


def test_my_cases_says_what_is_overdue_and_unread(desk: Desk) -> None:
    desk.services.casefiles.note(PEOPLE["lin"], CASE, f"@sun {EVIL}")
    with desk.services.office.casebook.writing() as db:
        cases.change(db, CASE, assignee="sun", deadline=START.replace(year=2025))
    with guard.acting(PEOPLE["sun"]):
        shown = text(mine.layout(desk.services, PEOPLE["sun"], {}))
        assert "1 assigned · 1 overdue · 1 unread" in shown
        case.layout(desk.services, PEOPLE["sun"], {"number": str(CASE)})
        assert "1 unread" not in text(mine.layout(desk.services, PEOPLE["sun"], {}))


def test_words_of_people_stay_text_and_only_names_of_colleagues_stand_out() -> None:
    parts = notes.said(f"@lin. see @home {EVIL} https://example.com", frozenset({"lin"}))
    assert [each if isinstance(each, str) else each.children for each in parts] == [
        "", "@lin.", f" see @home {EVIL} https://example.com",
    ]  # fmt: skip


# In a browser --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def number(workbench: Workbench) -> int:
    """A case of a ring of the portfolio, opened by hand."""
    zhou, services = person("zhou"), workbench.services
    found = services.cases.for_subject(zhou, Subject("ring", services.rings.list(zhou)[0]["ring_id"]), open=True)
    assert found is not None
    return found.id


def said(page: Page, words: str) -> None:
    page.locator(".mantine-Notification-root", has_text=words).first.wait_for()


def test_a_case_from_taking_it_to_its_sealed_pack(signed_in: SignIn, number: int, tmp_path: Path) -> None:
    visitor = signed_in("lin")
    page = visitor.go(f"/case/{number}")
    page.click("#case-take")
    said(page, "It is yours")
    page.focus("#case-note-text")
    page.keyboard.type(f"{EVIL} ask @zho")
    page.keyboard.press("Enter")
    page.keyboard.type("first")
    page.keyboard.press("Control+Enter")
    said(page, "Zhou Min will see it")
    expect(page.locator(".cs-note .cs-text").first).to_have_text(f"{EVIL} ask @zhou first")
    expect(page.locator("#case-note-text")).to_have_value("")
    page.locator(".cs-box.cs-open").first.click()
    page.locator(".cs-box.cs-done").first.wait_for()
    (tmp_path / "slip.pdf").write_bytes(b"%PDF-1.7 slip")
    page.click("#case-drop")
    page.set_input_files("#case-file-input", str(tmp_path / "slip.pdf"))
    said(page, "Attached slip.pdf")
    with page.expect_download() as got:
        page.click(".cs-files a")
    assert got.value.suggested_filename == "slip.pdf"
    _close_and_reopen(page)
    page.click("#case-pack-open")
    page.locator("#case-pack-why").fill("for the committee of the week")
    with page.expect_download() as got:
        page.click("#case-pack-make")
    verdict = verify(Path(got.value.path()).read_bytes())
    assert (verdict.changed, verdict.about["case"]) == ("", f"C{number}")


def _close_and_reopen(page: Page) -> None:
    page.click("#case-close")
    page.get_by_role("radio", name="No finding").click()
    page.locator("#case-close-why").fill("nobody answered")
    page.click("#case-close-do")
    said(page, "Closed: No finding")
    page.click("#case-reopen")
    page.locator("#case-again-why").fill("the letter came back")
    page.click("#case-again-do")
    said(page, "Open again")
    page.locator("#case-close").wait_for()


def test_who_is_named_sees_it_from_everywhere(signed_in: SignIn, number: int, workbench: Workbench) -> None:
    workbench.services.casefiles.note(person("zhou"), number, "@sun 请看一下")
    visitor = signed_in("sun", language="zh")
    page = visitor.go("/mine")
    page.locator("#rail-mine-count", has_text="1").wait_for()
    expect(page.locator(".cs-unread .cs-text")).to_have_text("@sun 请看一下")
    page.click(f".cs-unread a[href='/case/{number}']")
    page.locator("#case-head").wait_for()
    page.go_back()
    page.locator("#rail-mine-count", has_text="1").wait_for(state="detached")
