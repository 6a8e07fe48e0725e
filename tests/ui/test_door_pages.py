"""Users, audit log and one's own account, as a browser asks for them: every callback may be posted by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from dash import Dash
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from graph.errors import InputError
from tests.workbench.door import Clock, cheap, opened, user
from workbench.casebook import audit
from workbench.casebook.audit import Asked
from workbench.services.access.people import People
from workbench.services.all import Services
from workbench.services.permissions import Operator, Person, Role
from workbench.ui import guard
from workbench.ui.app import create_app
from workbench.ui.pages import audit as audit_page
from workbench.ui.pages import me, users

__all__ = ["cheap"]

PASSWORD, OTHER = "quiet-harbour-lantern-19", "orchard-sparrow-tuesday-4"
NAMES = {"lin": Role.INVESTIGATOR, "zhou": Role.SENIOR, "wang": Role.MANAGER, "he": Role.AUDITOR}


@pytest.fixture
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with opened(tmp_path_factory.mktemp("pages") / "home", Clock()) as office:
        made = Services(office)
        made.people = People(office, pause=lambda _: None)
        for name, role in NAMES.items():
            user(office, name, role)
        yield made


@pytest.fixture
def app(services: Services) -> Dash:
    return create_app(services)


Post = Callable[..., TestResponse]


@pytest.fixture
def post(app: Dash, services: Services) -> Post:
    """`post("wang", "users-table.children", {"users-name.value": "sun"}, "users-add.n_clicks")`: as that person, the
    callback of that trigger whose output that is, with these properties."""

    def asked(name: str, output: str, values: dict[str, Any], trigger: str, client: FlaskClient | None = None) -> Any:
        client = client or app.server.test_client()
        made = services.people.open_session(name)
        client.set_cookie("ringroad", made.token)
        client.get("/_dash-dependencies")
        (key, found), *_ = [
            (each, what) for each, what in app.callback_map.items()
            if output in each and any(f"{one['id']}.{one['property']}" == trigger for one in what["inputs"])
        ]  # fmt: skip

        def told(one: dict[str, str]) -> dict[str, Any]:
            return one | {"value": values.get(f"{one['id']}.{one['property']}")}

        outputs = [dict(zip(("id", "property"), each.rsplit(".", 1), strict=True)) for each in _outputs(key)]
        body = {
            "output": key, "outputs": outputs if key.startswith("..") else outputs[0], "changedPropIds": [trigger],
            "inputs": [told(each) for each in found["inputs"]], "state": [told(each) for each in found["state"]],
        }  # fmt: skip
        headers = {"Sec-Fetch-Site": "same-origin", "X-CSRF-Token": made.csrf}
        return client.post("/_dash-update-component", json=body, headers=headers)

    return asked


def _outputs(key: str) -> list[str]:
    return key.strip(".").split("...")


def log(services: Services, action: str) -> list[audit.Entry]:
    with services.office.casebook.reading() as db:
        return list(audit.each(db, Asked(action=action)))


NEW = {
    "users-name.value": "sun",
    "users-shown.value": "Sun Hao",
    "users-as.value": "manager",
    "users-speaks.value": "zh",
    "users-add.n_clicks": 1,
}


# Users ---------------------------------------------------------------------------------------------------


def test_a_manager_adds_a_user_who_is_shown_the_password_once(post: Post, services: Services) -> None:
    answer = post("wang", "users-table.children", NEW, "users-add.n_clicks").json["response"]
    shown = json.dumps(answer["users-given-says"])
    given = next(each for each in shown.split('"') if each.count("-") == 3 and len(each) == 19)
    assert "sun" in json.dumps(answer["users-table"])
    assert given not in json.dumps(answer["users-table"])
    opened_ = services.people.sign_in("sun", given)
    assert services.people.due(opened_.token).person.role is Role.MANAGER


@pytest.mark.parametrize("name", ["lin", "zhou", "he"])
def test_nobody_else_does_by_posting_the_callback(post: Post, services: Services, name: str) -> None:
    before = len(log(services, "user.added"))
    answer = post(name, "users-table.children", NEW, "users-add.n_clicks").json["response"]
    assert "may not change users" in answer["users-trouble"]["children"]
    assert len(log(services, "user.added")) == before
    assert log(services, "denied")[-1].actor == name
    acted = {
        "users-asked.data": {"act": "disable", "name": "zhou" if name != "zhou" else "lin"},
        "users-act-do.n_clicks": 1,
    }
    post(name, "users-table.children", acted, "users-act-do.n_clicks")
    assert log(services, "user.disabled") == []


@pytest.mark.parametrize(
    ("act", "action"),
    [
        ("role", "user.role"),
        ("rename", "user.renamed"),
        ("password", "user.password_reset"),
        ("disable", "user.disabled"),
    ],
)
def test_what_the_menu_offers_is_done(post: Post, services: Services, act: str, action: str) -> None:
    values = {"users-asked.data": {"act": act, "name": "lin"}, "users-act-do.n_clicks": 1,
              "users-act-role.value": "senior", "users-act-name.value": "Lin Yue"}  # fmt: skip
    answer = post("wang", "users-table.children", values, "users-act-do.n_clicks").json["response"]
    assert answer["users-act"]["opened"] is False
    assert ("users-given" in answer) == (act == "password")
    assert [each.subject for each in log(services, action)] == ["lin"]


def test_every_act_has_its_words(services: Services) -> None:
    with guard.acting(Person("wang", "Wang", Role.MANAGER)):
        found = services.people.listed(guard.person())[0]
        for act in ("role", "rename", "password", "factor", "disable", "enable"):
            assert all(users.words(act, found))


# The log -------------------------------------------------------------------------------------------------


def test_the_grid_is_filled_a_block_at_a_time(post: Post, services: Services) -> None:
    with services.office.casebook.writing() as db:
        for at in range(30):
            who = Person("zhou", "Zhou", Role.SENIOR)
            audit.write(db, who, "case.closed", f"C{at}", now=services.office.clock(), reason="=1+1")
    values = {"audit-grid.getRowsRequest": {"startRow": 10, "endRow": 20}, "audit-asked.data": {"action": "case"}}
    answer = post("he", "audit-grid.getRowsResponse", values, "audit-grid.getRowsRequest").json["response"]
    response = answer["audit-grid"]["getRowsResponse"]
    assert (response["rowCount"], [each["subject"] for each in response["rowData"]]) == (
        30,
        [f"C{n}" for n in range(19, 9, -1)],
    )
    assert response["rowData"][0]["role"] == "Senior investigator"
    values = {"audit-csv.n_clicks": 1, "audit-asked.data": {"action": "case"}}
    told = post("he", "audit-saved.data", values, "audit-csv.n_clicks").json["response"]["audit-saved"]["data"]
    assert told["content"].count("'=1+1") == 30


@pytest.mark.parametrize("name", ["lin", "zhou", "wang"])
def test_the_log_is_for_auditors(post: Post, services: Services, name: str) -> None:
    before = len(log(services, "audit"))
    for output, trigger in (
        ("audit-grid.getRowsResponse", "audit-grid.getRowsRequest"), ("audit-status.children", "audit-verify.n_clicks"),
        ("audit-saved.data", "audit-anchor.n_clicks"), ("audit-saved.data", "audit-csv.n_clicks"),
        ("audit-saved.data", "audit-jsonl.n_clicks"),
    ):  # fmt: skip
        values = {trigger: {"startRow": 0, "endRow": 5} if "Rows" in trigger else 1}
        answer = post(name, output, values, trigger)
        assert "may not read the audit log" in answer.text
        assert "sideUpdate" in answer.json
    assert len(log(services, "audit")) == before
    assert len(log(services, "denied")) >= 5


def test_the_state_says_what_was_found_last(post: Post, services: Services) -> None:
    he = Person("he", "He", Role.AUDITOR)
    with guard.acting(he):
        assert "Not verified yet" in str(audit_page.status(services.audit.last_verified(he)))
    services.people.open_session("he")
    head = services.audit.anchor(he)
    content = json.dumps({"id": head.id, "hash": head.hash, "at": head.at.isoformat()})

    values = {"audit-anchored.value": content, "audit-check.n_clicks": 1}
    answer = post("he", "audit-status.children", values, "audit-check.n_clicks")
    assert "is the one that was anchored" in answer.text
    values["audit-anchored.value"] = content.replace(head.hash[:8], "0" * 8)
    answer = post("he", "audit-status.children", values, "audit-check.n_clicks")
    assert f"Row {head.id} is not as it was written" in answer.text


@pytest.mark.parametrize("pasted", [None, "", "x", "{}", '{"id": 1, "hash": "x", "at": "2026-01-01T00:00:00"}'])
def test_what_is_no_anchor_is_said_so(post: Post, pasted: str | None) -> None:
    values = {"audit-anchored.value": pasted, "audit-check.n_clicks": 1}
    answer = post("he", "audit-status.children", values, "audit-check.n_clicks").json["response"]
    assert "no anchor" in answer["audit-trouble"]["children"]
    assert "audit-status" not in answer


def test_days_are_those_of_china_and_whole() -> None:
    asked = audit_page.asked_for({"since": "2026-03-01", "until": "2026-03-02", "actor": " lin "})
    assert (asked.since, asked.until, asked.actor) == (
        datetime(2026, 2, 28, 16, tzinfo=UTC), datetime(2026, 3, 2, 16, tzinfo=UTC), "lin",
    )  # fmt: skip
    assert audit_page.asked_for(None) == Asked()
    with pytest.raises(InputError):
        audit_page.asked_for({"since": "yesterday"})


# One's own -----------------------------------------------------------------------------------------------


def test_a_changed_password_gives_a_new_session_at_once(post: Post, services: Services, app: Dash) -> None:
    client = app.server.test_client()
    values = {"me-change.n_clicks": 1, "me-present.value": PASSWORD, "me-new.value": OTHER, "me-again.value": OTHER}
    answer = post("lin", "me-trouble.children", values, "me-change.n_clicks", client)
    assert answer.json["response"]["me-present"]["value"] == ""
    assert {each.partition("=")[0] for each in answer.headers.getlist("Set-Cookie")} == {"ringroad", "ringroad-csrf"}
    assert client.get("/_dash-layout").status_code == 200
    services.people.sign_in("lin", OTHER)


def test_a_password_that_is_wrong_or_weak_changes_nothing(post: Post, services: Services) -> None:
    for present, new, again in ((PASSWORD, OTHER, OTHER + "x"), ("wrong", OTHER, OTHER), (PASSWORD, "short", "short")):
        values = {"me-present.value": present, "me-new.value": new, "me-again.value": again, "me-change.n_clicks": 1}
        answer = post("lin", "me-trouble.children", values, "me-change.n_clicks")
        assert answer.json["response"]["me-trouble"]["children"]
    services.people.sign_in("lin", PASSWORD)


def test_the_key_of_a_second_factor_is_shown_and_a_link(post: Post, services: Services) -> None:
    values = {"me-factor-set.n_clicks": 1, "me-factor-present.value": PASSWORD}
    answer = post("lin", "me-secret.style", values, "me-factor-set.n_clicks")
    assert re.search("otpauth://totp/Ringroad(:|%3A)lin", str(answer.json))
    values = {"me-confirm.n_clicks": 1, "me-code.value": "000000"}
    answer = post("lin", "me-factor.children", values, "me-confirm.n_clicks")
    assert "This code is wrong" in answer.text
    assert not services.people.account(Person("lin", "Lin", Role.INVESTIGATOR)).second_factor


def test_everybody_sees_what_the_role_allows(services: Services) -> None:
    for name, role in NAMES.items():
        who = Person(name, name.title(), role)
        with guard.acting(who):
            shown = str(me.layout(services, who, {}))
        assert ("see an identifier" in shown) == (role is Role.SENIOR)
        assert ("read the audit log" in shown) == (role is Role.AUDITOR)


def test_pages_ask_for_their_right(services: Services) -> None:
    operator = Operator("root")
    assert users.PAGE.act in {each for each in users.Act if operator.may(each)}
    for page, role in ((users.PAGE, Role.MANAGER), (audit_page.PAGE, Role.AUDITOR)):
        assert [each for each in Role if Person("x", "X", each).may(page.act)] == [role]
