"""The queue's page: what it asks, what it shows, and by keyboard in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from dash import Dash
from flask.testing import FlaskClient
from playwright.sync_api import expect

from graph.errors import InputError, NodeNotFound
from tests.ui.conftest import PASSWORDS, SignIn, person
from tests.ui.posting import callbacks, post
from tests.ui.posting import signed_in as signed
from workbench.casebook import cases
from workbench.casebook.cases import BY_HAND, FOUND, Case, Finding
from workbench.casebook.queue import Row
from workbench.casebook.queue_query import TABS, Query
from workbench.services.all import Services
from workbench.services.cases.case_acts import Done
from workbench.services.permissions import Person
from workbench.services.subject import Subject
from workbench.ui import guard
from workbench.ui.callbacks import queue_act, queue_filter, queue_rows, queue_saved, queue_strip, queue_watch
from workbench.ui.components import queue_filters, queue_grid
from workbench.ui.i18n import LANGUAGES
from workbench.ui.pages import queue as page
from workbench.ui.viewmodel.queue_rows import row, span
from workbench.ui.viewmodel.regions import region

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
OURS, EVIL = "D-ours", "<img src=x onerror=alert(1)>"
"""Dealers of the cases of these tests: the home may have others."""

CALL = re.compile(r"(themeQuartz\.withParams|queueGrid\.\w+)\([^()]*(\([^()]*\)[^()]*)*\)")

LIN, ZHOU, HE = (person(name) for name in ("lin", "zhou", "he"))


def finding(name: str, **more: Any) -> Finding:
    told: dict[str, Any] = {
        "kind": "ring", "subject": name, "score": 0.5, "size": 4, "exposure": 4e5, "savable": 1e5, "typology": "T08",
        "because": "b", "reasons": (), "dealer": OURS, "region": "320100", "first_seen": NOW, "last_seen": NOW,
    }  # fmt: skip
    return Finding(**told | more)


@pytest.fixture(scope="module", autouse=True)
def seeded(services: Services) -> None:
    found = [finding(f"RQ{at:03}", savable=1e9 - 1e6 * at) for at in range(130)]
    alone = finding("APPQ1", kind="application", typology="", reasons=("RC08", "RC01"), dealer=EVIL, savable=2e9)
    with services.office.casebook.writing() as db:
        cases.open_all(db, [*found, alone], because=FOUND, now=services.office.clock())


@pytest.fixture(params=list(LANGUAGES))
def lin(request: pytest.FixtureRequest) -> Iterator[Person]:
    who = Person("lin", "Lin Yue", LIN.role, request.param)
    with guard.acting(who):
        yield who


def texts(component: Any) -> str:
    return json.dumps(component.to_plotly_json(), default=lambda one: one.to_plotly_json(), ensure_ascii=False)


# What is asked -------------------------------------------------------------------------------------------


def test_an_address_asks_what_it_says() -> None:
    asked = page.asked_for("?tab=mine&typology=T01,T08&score_from=0.5&new=true&order=age&backwards=true&text=a%20b")
    assert asked == Query(
        "mine", typology=("T01", "T08"), score_from=0.5, new=True, order="age", backwards=True, text="a b"
    )


@pytest.mark.parametrize(
    "query", ["?tab=gone", "?nothing=1", "?score_from=x", "?typology=" + "x" * 80, "?%00=1", "?limit=9"]
)
def test_an_address_that_is_none_asks_for_all(query: str) -> None:
    assert page.asked_for(query) == Query()


def test_the_heads_of_the_grid_say_the_order() -> None:
    def asked(name: str, way: str) -> tuple[str, bool]:
        query = queue_rows.wanted({"sortModel": [{"colId": name, "sort": way}]}, {"order": "age"})
        return query.order, query.backwards

    assert [asked("score", "desc"), asked("score", "asc")] == [("score", False), ("score", True)]
    assert [asked("funding", "asc"), asked("deadline", "desc")] == [("funding", False), ("deadline", True)]
    assert asked("id; drop table cases", "asc") == ("age", False)


def test_a_block_is_bounded() -> None:
    assert queue_rows.wanted({"startRow": -5, "endRow": 10**9}, {}).limit == 500
    assert queue_rows.wanted({"startRow": 200, "endRow": 300}, None).offset == 200
    with pytest.raises(InputError):
        queue_rows.wanted({}, {"tab": "<script>"})


# What is shown -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lin", "zhou", "wang", "he"])
def test_the_page_is_there_for_everybody_and_acts_for_those_who_may(services: Services, name: str) -> None:
    for language in LANGUAGES:
        who = Person(name, PASSWORDS[name][1], PASSWORDS[name][0], language)
        with guard.acting(who):
            told = texts(page.layout(services, who, {"query": "?typology=T08"}))
            assert texts(queue_grid.compact(services, who)[-1])
    works = name != "he"
    assert ('"queue-next"' in told) == ("queue-do" in told) == ("multiRow" in told) == works
    assert told.count(PASSWORDS["sun"][1]) == (2 if name in ("zhou", "wang") else 1)


def test_what_the_grid_runs_is_a_call_of_ours_and_no_code(services: Services) -> None:
    """Its parser takes calls without eval; a function would be made with one, and the page's policy refuses that."""
    with guard.acting(LIN):
        grids = [queue_grid.grid(Query(), works=True), queue_grid.compact(services, LIN)[-1].children[0]]
    for each in grids:
        heard = [text for some in each.eventListeners.values() for text in some]
        said = [each.dashGridOptions["theme"]["function"], *heard, *getattr(each, "rowClassRules", {}).values()]
        assert all(CALL.fullmatch(text) for text in said)
        assert not any(word in text for text in said for word in ("=>", "function", "new ", "`"))
        assert "dangerously_allow_code" not in each.to_plotly_json()["props"]


def test_a_row_is_plain_text_in_ones_language(lin: Person) -> None:
    case = Case(
        **vars(finding("R1", dealer=EVIL, because=EVIL, pays_out_at=NOW)), id=7, opened_at=NOW - timedelta(days=3),
        grown=2, assignee="lin", deadline=NOW + timedelta(hours=5), locked_by="sun",
        locked_until=NOW + timedelta(minutes=3), ended_at=NOW,
    )  # fmt: skip
    told = row(Row(case, 12, fresh=True), names={"lin": "Lin Yue", "sun": "Sun Hao"}, me="lin", now=NOW)
    assert (told["dealer"], told["href"], told["seen"], told["id"]) == (EVIL, "/ring/R1", 12, "7")
    assert (told["owner"], told["mine"], told["locked"], told["fresh"], told["ended"]) == (
        "Lin Yue",
        True,
        "Sun Hao",
        True,
        True,
    )
    assert (told["grown"], told["score_said"], told["level"]) == ("+2", "0.50", "middle")
    said = [told[name] for name in ("pattern", "age", "deadline", "funding", "status", "region", "savable")]
    assert (
        said
        == {
            "en": ["T08 Ring", "3 d", "5 h", "now", "Open", "Jiangsu", "¥100k"],
            "zh": ["T08 团伙", "3 天", "5 小时", "现在", "待处理", "江苏", "¥10.0万"],
        }[lin.language]
    )
    assert (told["deadline_is"], told["funding_is"], told["town"][-6:]) == ("soon", "past", "320100")


def test_an_application_says_its_first_reason(lin: Person) -> None:
    case = Case(**vars(finding("A1", kind="application", reasons=("RC08", "RC01"))), id=7)
    told = row(Row(case, 1, fresh=False), names={}, me="lin", now=NOW)
    said = {"en": "documents inconsistent or from a shared template (+1)", "zh": "材料不一致或模板雷同（+1）"}
    assert (told["pattern"], told["href"], told["age"]) == (said[lin.language], "/application/A1", "")


def test_what_is_put_off_or_decided_says_so() -> None:
    with guard.acting(LIN):
        snoozed = Case(**vars(finding("R1")), id=7, snoozed_until=NOW + timedelta(days=3))
        closed = Case(
            **vars(finding("R1")), id=7, status="closed", outcome="false_positive", deadline=NOW - timedelta(hours=5)
        )
        told = [row(Row(each, 1, fresh=False), names={}, me="lin", now=NOW) for each in (snoozed, closed)]
    assert [(each["status"], each["status_is"]) for each in told] == [
        ("Till 8 Jan", "snoozed"), ("Innocent after all", "closed"),
    ]  # fmt: skip
    assert told[1]["deadline"] == "5 h over"


@pytest.mark.parametrize(
    ("minutes", "said"), [(-5, "0 min"), (59, "59 min"), (60, "1 h"), (2879, "47 h"), (2880, "2 d")]
)
def test_times_are_short(minutes: int, said: str) -> None:
    with guard.acting(LIN):
        assert span(timedelta(minutes=minutes)) == said


def test_a_region_is_named_by_its_province() -> None:
    with guard.acting(LIN):
        assert [region(each) for each in ("440300", "990000", "", "4403")][:3] == ["Guangdong 440300", "990000", ""]


# Asking services -----------------------------------------------------------------------------------------


def test_rows_come_a_block_at_a_time(services: Services) -> None:
    with guard.acting(LIN):
        told = queue_rows.page(services, LIN, Query(dealer=(OURS,), offset=100))
        short = queue_strip.short(services, LIN, {"startRow": 0, "endRow": 20}, "nonsense")
    assert (told["rowCount"], len(told["rowData"]), told["rowData"][0]["subject"]) == (130, 30, "RQ100")
    assert (len(short["rowData"]), short["rowData"][0]["subject"]) == (20, "APPQ1")


def test_choices_are_counted_and_what_is_chosen_stays(services: Services) -> None:
    with guard.acting(LIN):
        told = queue_filter.told(services, Query(dealer=("D-gone",), kind="ring"))
        assert len(told) == 2 + 2 * len(queue_filters.CHOICES) + 1
        dealers = texts(told[1 + queue_filters.CHOICES.index("dealer")][0])
        assert "D-gone" in dealers
        assert '"children": "0"' in dealers
        assert told[-1] is False
        assert queue_filter.told(services, Query(tab="mine"))[-1] is True


def test_without_rows_it_says_why_for_every_tab() -> None:
    with guard.acting(LIN):
        said = {texts(queue_rows._nothing(Query(tab))) for tab in TABS} | {texts(queue_rows._nothing(Query(text="x")))}
    assert len(said) == len(TABS) + 1


def test_acts_on_what_is_chosen_and_tells_what_was_refused(services: Services) -> None:
    def rows(*names: str) -> dict[str, int]:
        with guard.acting(LIN):
            some = queue_rows.page(services, LIN, Query(dealer=(OURS,), limit=200))["rowData"]
        return {each["id"]: each["seen"] for each in some if each["subject"] in names}

    def act(who: Person, does: str, to: str, chosen: Mapping[str, Any]) -> tuple[str, str]:
        with guard.acting(who):
            return queue_act.done(services, who, {"do": does, "to": to}, chosen)

    assert act(LIN, "assign", "me", {"seen": rows("RQ120", "RQ121")}) == ("Yours now: 2", "done")
    said, kind = act(LIN, "wake", "", {"seen": rows("RQ120", "RQ121")})
    assert kind == "warning"
    assert said.startswith("Woken: 0. Not: C")
    mine = {"all": True, "query": {"text": "RQ12", "assignee": "me"}}
    assert act(LIN, "status", "waiting", mine) == ("Status set: 2", "done")
    assert act(LIN, "assign", "", {"seen": rows("RQ120")})[0] == "Nobody's now: 1"
    assert act(ZHOU, "assign", "lin", {"seen": rows("RQ120")})[0] == "Assigned: 1"


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [
        ({"do": "assign"}, None), ({"do": "assign"}, {"seen": {"x": 1}}), ({"do": "assign"}, {"seen": [1]}),
        ({"do": "close"}, {"seen": {"1": 1}}), ({"do": "wake"}, {"all": True, "query": {"tab": "x"}}),
    ],
)  # fmt: skip
def test_what_is_no_act_is_refused(
    services: Services, asked: Mapping[str, Any], chosen: Mapping[str, Any] | None
) -> None:
    with guard.acting(LIN), pytest.raises(InputError):
        queue_act.done(services, LIN, asked, chosen)


def test_many_refusals_are_counted() -> None:
    with guard.acting(LIN):
        said = queue_act.summed("Woken: 1", Done((1,), tuple((at, f"why {at}") for at in range(5))))
    assert said == "Woken: 1. Not: Why 0; Why 1; Why 2 and 2 more"


def test_what_moved_meanwhile_is_said(services: Services) -> None:
    stamp, _ = services.queue.changes(LIN, 0)
    with guard.acting(LIN):
        assert queue_watch.told(services, LIN, stamp)[1]
        services.cases.set_status(ZHOU, Query(text="RQ110"), "waiting")
        assert queue_watch.told(services, LIN, stamp) == ("1 case has moved · show", False)
        services.cases.set_status(ZHOU, Query(text="RQ11"), "waiting")
        assert queue_watch.told(services, LIN, stamp) == ("10 cases have moved · show", False)


def test_what_moves_while_rows_are_read_is_not_taken_for_seen(
    app: Dash, client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = services.queue.rows

    def slowly(who: Person, query: Query) -> Any:
        found = read(who, query)
        services.cases.set_status(ZHOU, Query(text="RQ113"), "waiting")
        return found

    monkeypatch.setattr(services.queue, "rows", slowly)
    (output,) = (each for each in callbacks(app) if "queue.getRowsResponse" in each)
    known = {"queue.getRowsRequest": {"startRow": 0, "endRow": 100}, "queue-asked.data": {}, "queue-stamp.data": None}
    answer = post(client, output, callbacks(app)[output], known, signed(client, services, "lin")).json
    stamp = answer["response"]["queue-stamp"]["data"]
    with guard.acting(LIN):
        assert queue_watch.told(services, LIN, stamp) == ("1 case has moved · show", False)


def test_ones_own_saved_filters_are_changed_those_of_others_used(services: Services) -> None:
    services.saved.add_filter(ZHOU, "Everybody's", Query(tab="new"), shared=True)
    services.saved.add_filter(LIN, "Mine", Query(tab="mine"))
    with guard.acting(LIN):
        menu, own = (json.dumps([texts(each) for each in some]) for some in queue_saved.lists(services, LIN))
    assert "Everybody" in menu
    assert "queue-manage-open" in menu
    assert "Mine" in own
    assert "Everybody" not in own


# A case by hand ------------------------------------------------------------------------------------------


def test_a_case_is_opened_by_hand_on_what_there_is(services: Services) -> None:
    run = services.office.last_run()
    told = run["rings"][0]
    case = services.cases.for_subject(LIN, Subject("ring", told["ring_id"]), open=True)
    assert case is not None
    assert (case.savable, case.size, case.score) == (told["undisbursed"], told["size"], told["score"])
    assert case.dealer
    inside = {name for ring in run["rings"] for name in ring["application_ids"]}
    names = services.office.snapshot().nodes["Application"].table["key"].to_pylist()
    alone = Subject("application", next(name for name in names if name not in inside))
    assert services.cases.for_subject(HE, alone) is None
    opened = services.cases.for_subject(LIN, alone, open=True)
    assert opened is not None
    assert (opened.opened_because, opened.size) == (BY_HAND, 1)
    assert services.cases.for_subject(LIN, alone, open=True) == opened
    for name in ("ring", "application"):
        with pytest.raises(NodeNotFound):
            services.cases.for_subject(LIN, Subject(name, "NEVER"), open=True)


# In a browser --------------------------------------------------------------------------------------------


def test_through_the_queue_by_keyboard(signed_in: SignIn, services: Services) -> None:
    visitor = signed_in("lin")
    at = visitor.go(f"/queue?dealer={OURS}&kind=ring")
    at.wait_for_selector("#queue a[href='/ring/RQ000']")
    expect(at.locator("#queue-total")).to_have_text("130 cases")
    for key in ("j", "j", "x", "j", "x"):
        at.keyboard.press(key)
    at.wait_for_selector("text=2 cases chosen")
    at.keyboard.press("a")
    at.wait_for_selector("text=Yours now: 2")
    expect(at.locator("#queue .q-mine")).to_have_count(2)
    assert services.queue.rows(LIN, Query(tab="mine", text="RQ00")).total == 2
    at.keyboard.press("s")
    at.wait_for_selector("#queue-snooze-why")
    at.keyboard.type("waits for the bank")
    at.click("#queue-snooze-do")
    at.wait_for_selector("text=Snoozed: 1")
    at.keyboard.press("?")
    at.wait_for_selector("text=take the next case")
    at.keyboard.press("Escape")
    at.wait_for_selector(".mantine-Modal-content", state="detached")
    at.keyboard.press("n")
    at.wait_for_url("**/ring/RQ000")
    assert services.cases.for_subject(LIN, Subject("ring", "RQ000")).locked_by == "lin"  # type: ignore[union-attr]


def test_filters_stand_in_the_address_and_come_back(signed_in: SignIn, services: Services) -> None:
    visitor = signed_in("he")
    at = visitor.go("/queue")
    at.wait_for_selector("#queue .q-link")
    at.fill("#queue-text", "RQ11")
    expect(at.locator("#queue-total")).to_have_text("10 cases")
    assert at.url.endswith("/queue?text=RQ11")
    at.click("#queue .ag-header-cell[col-id=age]")
    at.wait_for_url("**/queue?*order=age")
    at.click("#rail-mine")
    at.wait_for_url("**/mine")
    at.click("#rail-queue")
    expect(at.locator("#queue-total")).to_have_text("10 cases")
    expect(at.locator("#queue-text")).to_have_value("RQ11")
    services.cases.set_status(ZHOU, Query(text="RQ112"), "working")
    at.click("text=1 case has moved")
    expect(at.locator("#queue .q-is-working")).to_have_count(1)
    at.fill("#queue-text", "no such case")
    at.wait_for_selector("text=Nothing matches these filters")


def test_names_of_dealers_are_text_and_the_page_is_accessible(signed_in: SignIn) -> None:
    visitor = signed_in("wang")
    at = visitor.go("/queue")
    at.wait_for_selector("#queue a[href='/application/APPQ1']")
    expect(at.locator("#queue .ag-row[row-index='0'] [col-id=dealer]")).to_have_text(EVIL)
    assert at.query_selector("#queue img") is None
    at.click("#queue .ag-row[row-index='1'] input[type=checkbox]")
    at.wait_for_selector("text=1 case chosen")
    found = Axe().run(at).response["violations"]
    assert [
        (each["id"], each["nodes"][0]["html"][:200]) for each in found if each["impact"] in ("serious", "critical")
    ] == []
