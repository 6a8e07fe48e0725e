"""The door and the dialog that shows an identifier, in a real browser."""

from __future__ import annotations

import pytest

from tests.ui.conftest import PASSWORDS, SignIn, Workbench, person
from workbench.casebook import audit
from workbench.casebook.audit import Asked
from workbench.services.permissions import Role

PHONE = "+8613900001111"


@pytest.fixture(scope="module")
def token(workbench: Workbench) -> str:
    vault = workbench.services.office.vault
    made = vault.token("phone", PHONE)
    vault.keep("phone", [made], vault.seal("phone", [made], [PHONE]))
    return made


def test_from_a_link_in_a_mail_to_the_page_and_out(signed_in: SignIn) -> None:
    visitor = signed_in("")
    visitor.watch.allow.append("401")
    page = visitor.go("/me")
    assert page.url.endswith("/login?next=/me")
    page.fill("#name", "lin")
    page.fill("#password", "wrong")
    page.press("#password", "Enter")
    page.wait_for_selector("[role=alert]")
    assert page.input_value("#name") == "lin"
    page.fill("#password", PASSWORDS["lin"][2])
    page.press("#password", "Enter")
    page.wait_for_selector("text=My account")
    assert page.url.endswith("/me")
    assert page.evaluate("document.cookie").startswith("ringroad-csrf=")  # the session's own cookie is not among them

    page.goto(f"data:text/html,<a href='{visitor.url}/me'>the case</a>")  # another site: no cookie comes along
    page.click("a")
    page.wait_for_selector("#me-change")

    page.context.clear_cookies()
    page.fill("#me-new", "x")
    page.click("#me-change")  # the session is over meanwhile
    page.wait_for_url("**/login?next=%2Fme")


def test_an_identifier_is_shown_for_a_reason_only(signed_in: SignIn, workbench: Workbench, token: str) -> None:
    page = signed_in("zhou").page

    def ask() -> None:
        asked = {"type": "Phone", "key": token, "masked": "+86 139****1111", "ts": page.evaluate("Date.now()")}
        page.evaluate("asked => window.dash_clientside.set_props('reveal', {data: asked})", asked)
        page.wait_for_selector("#reveal-reason", state="visible")

    ask()
    page.fill("#reveal-reason", "no")
    page.click("#reveal-ask")
    page.wait_for_selector("text=Say in a few words")
    page.fill("#reveal-reason", "compare with the payslip")
    page.click("#reveal-ask")
    page.wait_for_selector(f"text={PHONE}")
    page.keyboard.press("Escape")
    page.wait_for_selector("#reveal-value", state="detached")
    ask()
    assert PHONE not in page.content()
    with workbench.services.office.casebook.reading() as db:
        (entry,) = audit.newest(db, Asked(action="reveal"), start=0, limit=9)
    assert (entry.actor, entry.reason) == ("zhou", "compare with the payslip")


def test_who_may_not_see_it_is_told_whom_to_ask(signed_in: SignIn, token: str) -> None:
    page = signed_in("lin").page
    asked = {"type": "Phone", "key": token, "masked": "+86 139****1111"}
    page.evaluate("asked => window.dash_clientside.set_props('reveal', {data: asked})", asked)
    page.wait_for_selector("text=ask a senior investigator")
    assert not page.is_visible("#reveal-ask")
    assert person("lin").role is Role.INVESTIGATOR
