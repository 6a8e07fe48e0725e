"""The forms of the score service: strict about JSON, silent about values."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from graph.errors import InputError
from graph.vault import Vault
from loaders.live import Teller, Told, batch_of_told, remedy
from loaders.live.sections import EVENTS, LATER, SECTIONS
from loaders.tables import BY_NAME
from tests.loaders import lender
from tests.loaders.test_live_rows import rows
from workbench.online import samples
from workbench.online.filing import filed
from workbench.online.forms import ApplicationForm, EventForm, Problem, problem_of, problems_of, read_event

NOW = 1_746_000_000_000
CANARY = "13800001111"


@pytest.fixture
def home(tmp_path: Path) -> lender.Home:
    return lender.Home(tmp_path / "home")


def body(**changes: Any) -> bytes:
    return json.dumps(samples.APPLICATION | changes).encode()


def refused(octets: bytes) -> list[Problem]:
    with pytest.raises(ValidationError) as caught:
        ApplicationForm.model_validate_json(octets)
    return problems_of(caught.value)


def with_value(path: str, value: Any) -> bytes:
    changed: Any = copy.deepcopy(samples.APPLICATION)
    at = changed
    *way, last = path.split(".")
    for part in way:
        at = at[int(part)] if part.isdigit() else at[part]
    at[last] = value
    return json.dumps(changed).encode()


def test_the_example_is_told_without_a_finding(home: lender.Home) -> None:
    form = ApplicationForm.model_validate_json(body())
    assert form.said() == samples.APPLICATION
    with home.vault() as vault:
        teller = Teller(vault)
        told = teller.tell(form.said(), now=NOW)
        assert not told.findings
        assert len(told.edges) > 15
        for kind, details in samples.EVENTS.items():
            sent = read_event(json.dumps({"kind": kind, "details": details}).encode())
            assert sent == (kind, details)
            assert not teller.tell_event(kind, details, application_id=form.application_id, now=NOW).findings


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("amount", CANARY, "is no number"),
        ("amount", True, "is no number"),
        ("term_months", 36.5, "is no whole number"),
        ("amount", 1e300, "is too large"),
        ("applicant.phone", int(CANARY), "is no text"),
        ("applicant.name", "名" * 501, "is too long"),
        ("applicant.reserved_phone_match", 1, "is neither true nor false"),
        ("applicant.employer", CANARY, "is no object"),
        ("applicant.birth_date", "07.03.1990", "is no ISO 8601 time or date"),
        ("submitted_at", "yesterday", "is no ISO 8601 time or date"),
        ("submitted_at", "２０２５-03-01", "is no ISO 8601 time or date"),
        ("contacts.1.phone", [CANARY], "is no text"),
        ("contacts", {"0": CANARY}, "is no list"),
        ("contacts", [{}] * 51, "is too long"),
        ("decision", "approve", "is no field here"),
        ("device_events.0.colour", CANARY, "is no field here"),
    ],
)
def test_what_is_no_such_json_is_refused_by_field(path: str, value: Any, problem: str) -> None:
    (found,) = refused(with_value(path, value))
    assert (found.field, found.problem) == (path, problem)
    assert found.remedy


def test_no_error_repeats_what_was_given() -> None:
    """Neither a value nor the name of a field nobody declared, which may be one."""
    names = [name for name in samples.APPLICATION if name != "documents"]
    broken = {name: {CANARY: CANARY} if isinstance(samples.APPLICATION[name], str) else CANARY for name in names}
    found = refused(json.dumps(broken | {CANARY: CANARY, f"phone{CANARY}": 1}).encode())
    assert len(found) == len(names) + 2
    assert CANARY not in repr(found)
    for octets in (
        f'{{"kind": "{CANARY}", "details": {{}}}}',
        f'{{"{CANARY}": 1}}',
        f'{{"kind": {CANARY}',
        f'"{CANARY}"',
    ):
        with pytest.raises(ValidationError) as caught:
            read_event(octets.encode())
        assert CANARY not in repr(problems_of(caught.value))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_are_finite(number: str) -> None:
    (found,) = refused(body().replace(b"103500.0", number.encode()))
    assert found.field == "amount"


def test_an_event_is_of_its_kind() -> None:
    with pytest.raises(ValidationError) as caught:
        read_event(b'{"kind": "decided", "details": {"decision": "approve", "funded_at": "2025-03-01"}}')
    assert {(each.field, each.problem) for each in problems_of(caught.value)} == {
        ("details.decided_at", "is missing"), ("details.funded_at", "is no field here"),
    }  # fmt: skip


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert ApplicationForm.model_validate_json(with_value("term_months", 36.0)).said()["term_months"] == 36


# The schema --------------------------------------------------------------------------------------------


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for form in [schema, *schema["$defs"].values()]:
        for name, field in form.get("properties", {}).items():
            yield f"{form['title']}.{name}", field


def test_every_field_is_described_and_every_declared_column_has_one() -> None:
    schema, events = ApplicationForm.model_json_schema(), TypeAdapter(EventForm).json_schema()
    for name, field in [*properties(schema), *properties({"title": "events", **events})]:
        assert field.get("description"), name
    columns = {name.split(".")[1] for name, _ in properties(schema)}
    later = {name for names in LATER.values() for name in names}
    told = {"applications", *(section.table for section in SECTIONS.values())}
    declared = {column.name for table in told for column in BY_NAME[table].columns}
    later.remove("reviewer_id")  # who called is known, who decides is not
    assert columns - (set(SECTIONS) - declared) == declared - later
    roles = schema["$defs"]["ContactsForm"]["properties"]["role"]
    assert "guarantor" in roles["x-extensible-enum"]
    assert "guarantor" in roles["description"]
    assert "RMB per month" in schema["$defs"]["ApplicantForm"]["properties"]["monthly_income"]["description"]
    assert schema["required"] == ["application_id", "submitted_at"]


@given(st.data())
def test_the_example_of_each_field_fits_it(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(SECTIONS)))
    section = SECTIONS[name]
    schema = ApplicationForm.model_json_schema()["$defs"][f"{name.title().replace('_', '')}Form"]["properties"]
    row = {column: field["examples"][0] for column, field in schema.items() if "examples" in field}
    if section.within:
        sent: dict[str, Any] = {"applicant": {name: row}}
    else:
        sent = {name: [row] if section.many else row}
    head = {"application_id": "A1", "submitted_at": "2025-03-01"}
    assert ApplicationForm.model_validate_json(json.dumps(head | sent)).said() == head | sent


def test_a_finding_names_what_became_of_the_value(home: lender.Home) -> None:
    with home.vault() as vault:
        told = Teller(vault).tell(json.loads(with_value("applicant.phone", "13800138000")), now=NOW)
    (found,) = map(problem_of, told.findings)
    assert found.field == "applicant.phone"
    assert found.problem == "was left out: placeholder"
    assert "filler" in found.remedy


def test_every_kind_of_event_has_a_sample() -> None:
    assert set(samples.EVENTS) == set(EVENTS)


# Whatever is sent ----------------------------------------------------------------------------------------


@st.composite
def anything(draw: st.DrawFn) -> dict[str, Any]:
    """An application of sections that each hold anything which their columns might, short enough for a form."""
    later = {name for names in LATER.values() for name in names}
    sent = draw(row_of("applications", later))
    for name in draw(st.lists(st.sampled_from(sorted(SECTIONS)), unique=True, max_size=5)):
        section = SECTIONS[name]
        row = row_of(section.table, {*section.follows, section.agrees})
        held = sent.setdefault("applicant", {}) if section.within else sent
        held[name] = draw(st.lists(row, max_size=2)) if section.many else held.get(name, {}) | draw(row)
    return sent


def row_of(table: str, without: set[str]) -> st.SearchStrategy[dict[str, Any]]:
    def short(value: Any) -> Any:
        return value[:200] if isinstance(value, str) else value

    return rows(BY_NAME[table]).map(
        lambda row: {name: short(value) for name, value in row.items() if name not in without}
    )


def told_or_refused(sent: dict[str, Any], vault: Vault) -> Told | str:
    """Or why not: the fields that are named."""
    try:
        form = ApplicationForm.model_validate_json(json.dumps(sent))
    except ValidationError as error:
        return ", ".join(f"{each.field}: {each.remedy}" for each in problems_of(error))
    try:
        return Teller(vault).tell(form.said(), now=NOW)
    except InputError as error:
        return error.message


@given(sent=anything())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_is_told_and_filed_or_refused(sent: dict[str, Any], shared_vault: Vault) -> None:
    """And what is told survives its way through bytes, and makes a batch."""
    told = told_or_refused(sent, shared_vault)
    event("refused" if isinstance(told, str) else "told")
    if isinstance(told, str):
        assert re.match("[a-z_0-9.]+: .+", told)
        return
    assert Told.from_bytes(told.to_bytes()) == told
    assert len(batch_of_told([told], "one", "its digest")) == len(told.nodes) + len(told.edges)
    assert filed(told).name == told.application
    assert all(remedy(each.reason).en for each in told.findings)


@pytest.fixture(scope="module")
def shared_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    with lender.Home(tmp_path_factory.mktemp("home")).vault() as vault:
        yield vault
