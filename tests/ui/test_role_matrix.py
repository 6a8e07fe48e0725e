"""Every page for every role: shown to whom `permissions.py` lets; refused to others, by what the page asks, too."""

from __future__ import annotations

from typing import Any

import pytest
from dash import Dash
from flask.testing import FlaskClient

from graph.errors import NotAllowed
from tests.ui.addresses import addresses, layout
from tests.ui.conftest import PASSWORDS, person
from tests.ui.posting import body, callbacks, signed_in
from workbench.services.all import Services
from workbench.services.permissions import MAY, WORDS, Act, Role
from workbench.ui import guard
from workbench.ui.pages import PAGES

NAMES = {PASSWORDS[name][0]: name for name in ("lin", "zhou", "wang", "he")}
SOME = {"Users": {Role.MANAGER}, "Audit log": {Role.AUDITOR}}
"""Pages that not everybody sees."""


def test_who_sees_what_is_what_we_think() -> None:
    assert set(NAMES) == set(Role)
    assert {page.title: set(MAY[page.act]) for page in PAGES if page.act is not Act.READ} == SOME
    assert MAY[Act.READ] == set(Role)


@pytest.mark.parametrize("role", Role)
def test_each_page_is_shown_or_refused_in_its_place(
    app: Dash, client: FlaskClient, services: Services, role: Role
) -> None:
    headers, who = signed_in(client, services, NAMES[role]), person(NAMES[role])
    output, spec = next(each for each in callbacks(app).items() if "..page.children." in each[0])
    for page, address in addresses(services):
        told = body(output, spec, {"url.pathname": address, "url.search": ""})
        answer = client.post("/_dash-update-component", json=told, headers=headers)
        shown = answer.text
        assert answer.status_code == 200, address
        refused = f"may not {WORDS[page.act]}" in shown
        assert refused != who.may(page.act), (role, address)
        if refused:
            with guard.acting(who), pytest.raises(NotAllowed):
                layout(page, services, who, address)
        else:
            assert "Something went wrong" not in shown, address


@pytest.mark.parametrize("role", Role)
def test_the_rail_offers_what_one_may_see(client: FlaskClient, services: Services, role: Role) -> None:
    signed_in(client, services, NAMES[role])
    assert links(client.get("/_dash-layout").json) == {
        page.href for page in PAGES if page.rail and role in MAY[page.act]
    }


def links(shown: Any) -> set[str]:
    """Of the rail."""
    if isinstance(shown, list):
        return set().union(*map(links, shown))
    if not isinstance(shown, dict):
        return set()
    props = shown.get("props", {})
    own = {props["href"]} if str(props.get("className")) == "rr-rail-item" else set()
    return own | links(props.get("children"))


def test_nobody_is_sent_to_the_door(client: FlaskClient, services: Services) -> None:
    client.delete_cookie("ringroad")
    for _, address in addresses(services):
        answer = client.get(address, headers={"Sec-Fetch-Mode": "navigate"})
        assert answer.status_code == 303, address
        assert answer.headers["Location"].startswith("/login"), address
