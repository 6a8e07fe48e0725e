"""The why panel, the decide panel and the page of labels: as functions in both languages, and once in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import plotly
import pytest

from gnn.dispositions import DISPOSITIONS
from graph.errors import InputError, NodeNotFound, NotAllowed
from graph.ontology import EDGES
from tests.ui.conftest import SignIn, person
from workbench.casebook.labels import LEVELS, SOURCES, Label, Said
from workbench.labelfile import STATES
from workbench.services.all import Services
from workbench.services.feedback.finding import Changed, Facts
from workbench.services.feedback.labelling import Verdict
from workbench.services.feedback.rescoring import Rescored
from workbench.services.reasons.desks import PREPARING
from workbench.services.reasons.explaining import Explained
from workbench.services.reasons.reasons import ApplicationWhy
from workbench.services.reasons.verify import OF_RELATION
from workbench.services.subject import Subject
from workbench.ui import guard
from workbench.ui.callbacks import (
    feedback_form,
    feedback_inbox,
    feedback_label,
    feedback_marks,
    feedback_members,
    feedback_roles,
    why_show,
    why_similar,
    why_without,
)
from workbench.ui.callbacks.feedback_marks import Given
from workbench.ui.components import bulk_label, confirm_grid, decision, why
from workbench.ui.components.marks import ASIDE, END_LINK, HERE, LEAD
from workbench.ui.components.why_application import application
from workbench.ui.components.why_parts import Lights
from workbench.ui.i18n import language
from workbench.ui.pages import labels
from workbench.ui.viewmodel import moved, verdict_words, why_words


@pytest.fixture(params=["en", "zh"])
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    with guard.acting(person("lin")):
        token = language.set(request.param)
        yield request.param
        language.reset(token)


@pytest.fixture(scope="module")
def ring(services: Services) -> dict[str, Any]:
    return dict(services.rings.list(person("lin"))[0])


def said(component: Any) -> str:
    """All that a component says, as it goes to the browser."""
    return json.dumps(component, cls=plotly.utils.PlotlyJSONEncoder, ensure_ascii=False)


def words(component: Any) -> str:
    """What is read, without ids and classes."""
    return " ".join(re.findall(r'"children": "([^"]*)"|"label": "([^"]*)"', said(component)).__str__().split())


# Why -----------------------------------------------------------------------------------------------------


def test_why_a_ring(services: Services, ring: dict[str, Any], spoken: str) -> None:
    body, lights, whole, todo = why_show.shown(services, Subject("ring", ring["ring_id"]), None)
    text = said(body)
    assert whole
    assert todo is not None
    keys = set(re.findall(r'"data-why-lit": "(\w+)"', text))
    assert keys == set(lights)
    assert all(each["nodes"] for each in lights.values())
    assert ("设备" in text) if spoken == "zh" else ("Device" in text), spoken
    if spoken == "zh":
        assert not re.search(r"[a-z]{5,} [a-z]{4,}", words(body)), words(body)


def test_why_as_of_an_earlier_time(services: Services, ring: dict[str, Any], spoken: str) -> None:
    body, *_ = why_show.shown(services, Subject("ring", ring["ring_id"]), "2020-01-01T00:00:00+00:00")
    assert "rr-empty" in said(body)


def test_why_an_application(services: Services, ring: dict[str, Any], spoken: str) -> None:
    name = ring["application_ids"][0]
    services.reasons.of_application(person("lin"), name, patience=120)
    body, lights, whole, todo = why_show.shown(services, Subject("application", name), None)
    text = said(body)
    assert (whole, "RC" in text, ring["ring_id"] in text) == (True, True, True)
    assert ("Does the deal hold together" if spoken == "en" else "交易一致性") in text
    assert set(re.findall(r'"data-why-lit": "(\w+)"', text)) == set(lights)
    assert todo is not None
    if spoken == "zh":
        assert not re.search(r"[a-z]{5,} [a-z]{4,}", re.sub(r"ringroad \w+", "", words(body))), words(body)


def test_while_the_graph_is_opened_the_panel_says_so(spoken: str) -> None:
    one = Explained("A1", "now", {}, "now", None, None, (), {}, (), PREPARING)
    assert "aria-live" in said(application(ApplicationWhy(one, {}, None, ""), Lights()))


def test_what_is_not_there(services: Services, spoken: str) -> None:
    body, lights, whole, _ = why_show.shown(services, Subject("ring", "R0000000000"), None)
    assert (lights, whole) == ({}, True)
    assert "rr-empty" in said(body)


def test_what_would_take_it_off_the_list(services: Services, ring: dict[str, Any], spoken: str) -> None:
    lights = Lights("w")
    text = said(why_without.shown(services, person("lin"), {"kind": "ring", "name": ring["ring_id"]}, lights))
    assert set(re.findall(r'"data-why-lit": "(\w+)"', text)) == set(lights.told)
    assert "why-answer" in text
    assert "innocent-ask" in text
    seen = said(why_without.shown(services, person("he"), {"kind": "ring", "name": ring["ring_id"]}, Lights("w")))
    assert "innocent-ask" not in seen, "who may only read is offered nothing"


def test_what_a_score_rests_on(services: Services, ring: dict[str, Any], spoken: str) -> None:
    services.reasons.desks.desk(120)
    for name in ring["application_ids"]:
        lights = Lights("w")
        text = said(why_without.shown(services, person("lin"), {"kind": "application", "name": name}, lights))
        assert set(re.findall(r'"data-why-lit": "(\w+)"', text)) == set(lights.told)
        assert "why-answer" in text or "why-note" in text
    gone = why_without.shown(services, person("lin"), {"kind": "application", "name": "APP0"}, Lights("w"))
    assert "why-note" in said(gone)


def test_similar_cases(services: Services, ring: dict[str, Any], spoken: str) -> None:
    subject = Subject("ring", ring["ring_id"])
    assert why_similar.traits(services, subject).size == len(ring["application_ids"])
    assert said(why_similar.listed(services, subject))
    alone = why_similar.traits(services, Subject("application", ring["application_ids"][0]))
    assert all(code.startswith("RC") for code in alone.shared)


def test_panels_are_made_at_once(services: Services, ring: dict[str, Any], spoken: str) -> None:
    subject = Subject("ring", ring["ring_id"])
    assert "why-body" in said(why.panel(services, person("lin"), subject))
    assert "decide-members" in said(decision.panel(services, person("lin"), subject))
    assert '"hidden": true' in said(decision.panel(services, person("he"), subject))


def test_there_are_words_for_everything(spoken: str) -> None:
    carrying = {name for name, edge in EDGES.items() if edge.weight}
    assert carrying <= set(why_words.HELD)
    assert carrying <= set(OF_RELATION)
    assert set(STATES) == set(verdict_words.STATE)
    assert (set(LEVELS), set(SOURCES)) == (set(verdict_words.LEVEL), set(verdict_words.SOURCE))
    assert [each["value"] for each in verdict_words.dispositions()] == list(DISPOSITIONS)


@pytest.mark.parametrize(
    ("told", "parts"),
    [
        ("head (a: 1; b (c): 2); device x also in A1", ("head", "a: 1; b (c): 2", "device x also in A1")),
        ("设备(规则R06(40分))", ("设备", "规则R06(40分)", "")),
        ("head", ("head", "", "")),
    ],
)
def test_a_reason_is_read_in_its_parts(told: str, parts: tuple[str, str, str]) -> None:
    assert why_words.parted(told) == parts


# Deciding ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", DISPOSITIONS)
def test_the_form_shows_what_goes_together(label: str, spoken: str) -> None:
    kinds, levels, source, note, options, typology, level = feedback_form.fields(label, "T01", "E2")
    assert (source, note) == ({}, {})
    assert (kinds == {}) == bool(options)
    assert (levels == {}) == (label in ("CONFIRMED_FRAUD", "SUSPECTED"))
    assert (typology == "T01") == (label in ("CONFIRMED_FRAUD", "SUSPECTED"))
    assert (level == "E2") == (levels == {})


def test_the_button_says_for_how_many_and_only_when_it_can() -> None:
    told = {"typology": "T01", "level": "E2", "provisional": False}
    assert feedback_form.sentence("CONFIRMED_FRAUD", count=0, **told)[2]
    assert feedback_form.sentence("CONFIRMED_FRAUD", count=2, **told)[1:] == ("Label 2 applications", False)
    assert "second person" in feedback_form.sentence("CONFIRMED_FRAUD", count=1, **told)[0]
    assert feedback_form.sentence("CONFIRMED_FRAUD", count=1, **told | {"level": ""})[2]
    assert "no model" in feedback_form.sentence("SUSPECTED", count=1, **told | {"provisional": True})[0]


def test_members_with_what_was_said(services: Services, ring: dict[str, Any], spoken: str) -> None:
    who, names = person("lin"), ring["application_ids"]
    verdict = Verdict("INSUFFICIENT", note="<img src=x onerror=alert(1)>")
    services.feedback.propose(who, [names[0]], verdict, request_key=f"why {spoken}")
    body, chosen, lights = feedback_members.shown(services, Subject("ring", ring["ring_id"]), None, [names[1], "X"])
    assert chosen == [names[1]]
    assert len(lights) == len(names)
    assert "<img src=x" in said(body), "text, which the browser shows as it is"
    _, alone, _ = feedback_members.shown(services, Subject("application", names[0]), None, [])
    assert alone == [names[0]]


def test_what_moved(spoken: str) -> None:
    facts = Facts(0.83, 5, 1e5, 0, "T16")
    told = Rescored("label 1", (
        Changed("R1", facts, Facts(0.41, 3, 1e5, 0, "T16"), left=("A", "B")),
        Changed("R2", facts, None, into="R1"), Changed("R3", None, facts), Changed("R4", facts, None),
    ))  # fmt: skip
    one, two, three, more = moved.sentences(told)
    assert {"0.83", "0.41", "2", "3"} <= set(re.findall(r"\d\.\d\d|\d", one))
    assert ("R2" in two, "R1" in two, "R3" in three) == (True, True, True)
    assert "1" in more
    assert moved.sentences(Rescored("x")) != moved.sentences(Rescored("x", note="no rings yet"))
    if spoken == "en":
        assert one == "Ring R1 from 0.83 to 0.41; 2 left, 3 remain."


def test_a_browser_can_send_anything() -> None:
    for wrong in (None, "APP1", [1], [{"a": 1}]):
        with pytest.raises(InputError):
            feedback_label.names(wrong)
    for wrong in (None, [], ["x"], [{"id": "1"}]):
        with pytest.raises(InputError):
            feedback_inbox.numbers(wrong or [])
    with pytest.raises(InputError):
        feedback_marks._edge({"link": ["USED_DEVICE"]})
    with pytest.raises(InputError):
        feedback_marks._end("soon")


# Marks and roles -----------------------------------------------------------------------------------------


@pytest.fixture
def device(ring: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in ring["shared"] if each["relation"] == "USED_DEVICE")


def test_what_can_be_said_of_a_thing(
    services: Services, ring: dict[str, Any], device: dict[str, Any], spoken: str
) -> None:
    asked, about = {"thing": f"Device~{device['key']}"}, Subject("ring", ring["ring_id"])
    what, choices, kinds = feedback_marks.opened(services, person("lin"), asked, about)
    assert device["masked"] in what
    assert device["key"] not in what
    assert [each for each, _ in choices] == [HERE]
    _, choices, kinds = feedback_marks.opened(services, person("zhou"), asked, about)
    assert [each for each, _ in choices] == [HERE, ASIDE, LEAD]
    assert "shop_device" in {each["value"] for each in kinds}
    count = len(set(device["holders"]))
    assert str(count) in feedback_marks.effect_of(services, person("lin"), HERE, asked, about)


def test_a_link_is_marked_and_ended(services: Services, ring: dict[str, Any], device: dict[str, Any]) -> None:
    lin, about = person("lin"), Subject("ring", ring["ring_id"])
    with guard.acting(lin):
        link = ["USED_DEVICE", f"Application~{device['holders'][0]}", f"Device~{device['key']}"]
        given = Given(HERE, "", "the shop's own tablet", "2027-01-31")
        done = feedback_marks.acted(services, lin, {"link": link}, given, about)
        rows = said(feedback_marks.in_force(services, lin, about))
        assert "the shop's own tablet" in rows
        asked = {"end": "link", "id": done.ids[0]}
        what, choices, _ = feedback_marks.opened(services, lin, asked, about)
        assert (choices[0][0], device["masked"] in what) == (END_LINK, True)
        with pytest.raises(NotAllowed):
            feedback_marks.acted(services, person("sun"), asked, Given(END_LINK, "", "no", None), about)
        feedback_marks.acted(services, lin, asked, Given(END_LINK, "", "a mistake", None), about)
        assert feedback_marks.in_force(services, lin, about) is None
        with pytest.raises(InputError, match="ended"):
            feedback_marks.opened(services, lin, asked, about)


def test_a_role_is_said_and_taken_away(services: Services, ring: dict[str, Any]) -> None:
    member = f"Application~{ring['application_ids'][0]}"
    with guard.acting(person("lin")):
        things = feedback_roles.candidates(services, person("lin"), ring["ring_id"], feedback_roles.ANYBODY)
        assert member in {each["value"] for each in things}
        with pytest.raises(InputError, match="rests on"):
            feedback_roles.said(services, ring["ring_id"], member, "organiser", " ")
        feedback_roles.said(services, ring["ring_id"], member, "organiser", "two borrowers name him")
        (played,) = services.rings.ring(person("lin"), ring["ring_id"])["scheme_roles"]
        assert (played["role"], played["author"]) == ("organiser", "lin")
        assert "two borrowers name him" in said(why_show.shown(services, Subject("ring", ring["ring_id"]), None)[0])
        feedback_roles.said(services, ring["ring_id"], member, "none", "it was his brother")
        assert services.rings.ring(person("lin"), ring["ring_id"])["scheme_roles"] == []


# Labels --------------------------------------------------------------------------------------------------


def test_the_page_of_labels(services: Services, ring: dict[str, Any], spoken: str) -> None:
    verdict = Verdict("SUSPECTED", "T16", "E2")
    services.feedback.propose(person("lin"), [ring["application_ids"][2]], verdict, request_key=f"page {spoken}")
    for name in ("lin", "zhou", "wang", "he"):
        with guard.acting(person(name)):
            language.set(spoken)
            text = said(labels.layout(services, person(name), {}))
        assert ("labels-table" in text) == (name in ("wang", "he")), "who is corrected often is for managers"
        assert '"id": "labels-confirm"' in text


def test_who_may_press_what() -> None:
    mine, other = {"id": 1, "mine": True}, {"id": 2, "mine": False}
    lin, zhou = person("lin"), person("zhou")
    assert feedback_inbox.may_press(zhou, []) == (True, True)
    assert feedback_inbox.may_press(zhou, [other]) == (False, False)
    assert feedback_inbox.may_press(zhou, [mine, other]) == (True, False)
    assert feedback_inbox.may_press(lin, [other]) == (True, True)
    assert feedback_inbox.may_press(lin, [mine]) == (True, False)


def test_the_second_person(services: Services, ring: dict[str, Any]) -> None:
    lin, zhou, one = person("lin"), person("zhou"), ring["application_ids"][1]
    with guard.acting(zhou):
        done = services.feedback.propose(lin, [one], Verdict("CONFIRMED_FRAUD", "T16", "E2"), request_key="second")
        (row,) = [each for each in feedback_inbox.left(services) if each["id"] == done.ids[0]]
        assert (row["application"], row["ring"], row["mine"]) == (one, ring["ring_id"], False)
        assert feedback_inbox.counted(services) == "1"
        assert "1 label confirmed." in feedback_inbox.confirmed(services, zhou, [row["id"]])
        assert "confirmed" in feedback_inbox.confirmed(services, zhou, [row["id"]]), "pressed twice, told once"
        assert feedback_inbox.counted(services) == ""
        newest = confirm_grid.all_rows(services.feedback.newest(zhou))[0]
        assert (newest["author"], newest["second"], newest["key"]) == ("lin", "zhou", str(newest["id"]))


def test_no_such_label(services: Services) -> None:
    with guard.acting(person("zhou")), pytest.raises(NodeNotFound):
        feedback_inbox.confirmed(services, person("zhou"), [9999])


def test_labels_of_chosen_cases(services: Services, spoken: str) -> None:
    assert bulk_label.bulk(services, person("he")) == []
    assert "bulk-decide-label" in said(bulk_label.bulk(services, person("lin")))
    assert (bulk_label.count({"seen": {"1": 2}, "all": False}), bulk_label.count({"all": True, "count": 7})) == (1, 7)


def test_history_is_told_with_the_newest_first(spoken: str) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    first = Said(1, Label("A", "CONFIRMED_FRAUD", "review", "final", "lin", typology="T01", evidence_level="E2"), at)
    then = Said(2, Label("A", "CLEARED_BENIGN", "review", "final", "sun", note="payslip seen", supersedes=1), at)
    newest, oldest = verdict_words.history([first, then])
    assert ("payslip seen" in newest, "lin" in oldest) == (True, True)
    assert verdict_words.badge([first])[0].endswith("待复核" if spoken == "zh" else "waits")
    assert verdict_words.badge([]) == ("", "gray")


# In a browser --------------------------------------------------------------------------------------------


def test_lines_light_the_graph_under_pointer_and_keyboard(signed_in: SignIn, services: Services) -> None:
    other = services.rings.list(person("lin"))[-1]  # nobody decided anything about it
    page = signed_in("lin").go(f"/ring/{other['ring_id']}")
    page.wait_for_selector("#why-body summary.why-line", timeout=60_000)
    lit = "() => { const cy = window.RR && RR.cy && RR.cy(); return cy ? cy.edges('.lit').length : -1 }"
    _until(page, f"() => ({lit})() === 0")
    page.hover("#why-body summary.why-line >> nth=0")
    _until(page, f"() => ({lit})() > 0")
    page.mouse.move(200, 400)
    _until(page, f"() => ({lit})() === 0")
    page.focus("#why-body summary.why-line >> nth=1")
    page.keyboard.press("Enter")
    _until(page, f"() => ({lit})() > 0")
    assert page.evaluate("() => document.activeElement.parentElement.open")
    page.keyboard.press("Escape")
    _until(page, f"() => ({lit})() === 0")


def _until(page: Any, text: str) -> None:
    for _ in range(150):
        if page.evaluate(text):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"never so: {text}")
