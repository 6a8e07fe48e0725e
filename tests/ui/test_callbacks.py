"""Every callback posted by hand: by nobody, by a page that is not ours, by who may, and by the auditor, who may not.

A new callback is among them as soon as a page registers it; `held.py` wants to know what its components could hold.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from dash import Dash
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.ui.conftest import person
from tests.ui.held import closed, held
from tests.ui.posting import OURS, PATH, callbacks, post, signed_in
from workbench.casebook import audit, tables
from workbench.casebook.audit import Asked
from workbench.services.all import Services

READING = {"audit", "visits", "sessions"}
"""Tables that are written while somebody only looks."""

OWN = {"saved": "owner", "users": "name", "case_mentions": "user"}
"""Tables in which everybody has rows of his own, and whose."""

FOR_ALL = {"search", "denied", "language.changed", "sign_in.refused", "saved.added", "saved.renamed", "saved.removed"}
"""What stands on record of everybody, the auditor included."""

ACTS = {
    "case.assigned", "case.closed", "case.deadline", "case.item", "case.note", "case.removed", "case.reopened",
    "case.snoozed", "case.status", "case.taken", "case.tick", "dealers.export", "evidence.exported", "export.csv",
    "export.graphml", "export.svg", "label.confirmed", "label.proposed", "label.rejected", "labels.exported",
    "link.innocent", "reveal", "ring.role", "user.added", "user.role", "vehicles.export",
}  # fmt: skip
"""What screens can do that not everybody may. Each is done here by somebody who may."""

Done = Mapping[str, set[str]]
"""Of each callback, what stood on record after it."""


@pytest.fixture(autouse=True)
def no_fault(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What is refused is refused with a word; anything else would be a fault of ours."""
    with caplog.at_level(logging.WARNING, "ringroad"):
        yield
    faults = [each for when in ("setup", "call") for each in caplog.get_records(when) if each.levelno >= logging.ERROR]
    assert not [(each.getMessage(), each.exc_text) for each in faults]


def test_nobody_gets_an_answer(app: Dash, client: FlaskClient) -> None:
    for output in callbacks(app):
        answer = client.post(PATH, json={"output": output}, headers=OURS)
        assert (answer.status_code, set(answer.json or {})) == (401, {"error"}), output


def test_no_page_but_ours_gets_one(app: Dash, client: FlaskClient, services: Services) -> None:
    headers = signed_in(client, services, "zhou")
    for output in callbacks(app):
        for wrong in (OURS, headers | {"Sec-Fetch-Site": "cross-site"}, headers | {"X-CSRF-Token": "x"}):
            assert client.post(PATH, json={"output": output}, headers=wrong).status_code == 403, output


@pytest.fixture(scope="module")
def done(app: Dash, client: FlaskClient, services: Services) -> Done:
    """By a senior, and by a manager what a senior may not."""
    found: dict[str, set[str]] = {}
    for name in ("zhou", "wang"):
        headers = signed_in(client, services, name)
        before, telling = -1, dict[str, Any]()
        for output, spec in callbacks(app).items():
            if found.get(output, {"denied"}) != {"denied"}:
                continue
            if newest(services) != before:
                telling = held(services, person(name))
            known, before = fitting(services, spec, telling), newest(services)
            answer = post(client, output, spec, known, headers)
            assert answer.status_code in (200, 204), (output, answer.text[:300])
            found[output] = {each.action for each in since(services, before)}
    return found


def test_who_may_does_it_and_it_is_on_record(done: Done) -> None:
    """Or the next test would mean nothing."""
    assert set().union(*done.values()) - FOR_ALL == ACTS


def test_an_auditor_changes_nothing(app: Dash, client: FlaskClient, services: Services, done: Done) -> None:
    headers, telling = signed_in(client, services, "he"), held(services, person("he"))
    known = {output: fitting(services, spec, telling) for output, spec in callbacks(app).items()}
    before, at = content(services, "he"), newest(services)
    for output, spec in callbacks(app).items():
        answer = post(client, output, spec, known[output], headers)
        assert answer.status_code in (200, 204), (output, answer.text[:300])
        denied = [each for each in since(services, at) if each.action == "denied"]
        assert denied or not done[output] & ACTS, f"{output} is no act to the auditor"
        at = newest(services)
    after = content(services, "he")
    assert {name: rows ^ after[name] for name, rows in before.items() if rows != after[name]} == {}


def fitting(services: Services, spec: Mapping[str, Any], telling: Mapping[str, Any]) -> Mapping[str, Any]:
    """Only a closed case can be opened again."""
    if not any(each["id"] == "case-again-do" for each in spec["inputs"]):
        return telling
    return {**telling, "case.data": closed(services)}


def newest(services: Services) -> int:
    with services.office.casebook.reading() as db:
        return max((each.id for each in audit.newest(db, Asked(), start=0, limit=1)), default=0)


def since(services: Services, number: int) -> list[audit.Entry]:
    with services.office.casebook.reading() as db:
        return [each for each in audit.newest(db, Asked(), start=0, limit=30) if each.id > number]


def content(services: Services, name: str) -> dict[str, set[str]]:
    """All that the casebook holds, but for what is somebody's own."""
    found = {}
    with services.office.casebook.reading() as db:
        for table in tables.metadata.sorted_tables:
            if table.name in READING:
                continue
            asked = select(table)
            if table.name in OWN:
                asked = asked.where(table.c[OWN[table.name]] != name)
            found[table.name] = {repr(row) for row in db.execute(asked)}
    return found
