"""Dealers, vehicles and the history of a ring on the screen: as functions, and once in a browser."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from axe_playwright_python.sync_playwright import Axe
from dash import dcc
from dash.development.base_component import Component
from playwright.sync_api import Page, expect
from plotly.utils import PlotlyJSONEncoder

from graph.errors import InputError, NotAllowed
from graph.settings import Settings
from tests.ui.conftest import SignIn, person
from workbench.services.all import Services
from workbench.services.lenses.dealer_rows import Asked
from workbench.services.lenses.vehicles import AskedCars
from workbench.services.office import Office
from workbench.services.subject import RING, Subject
from workbench.ui import guard
from workbench.ui.callbacks import (
    dealers_list,
    dealers_open,
    passport_difference,
    passport_show,
    vehicles_list,
    vehicles_open,
)
from workbench.ui.components import lens_parts
from workbench.ui.components.as_of_bar import as_of_bar
from workbench.ui.i18n import LANGUAGES, language
from workbench.ui.viewmodel.plots import apart

HE = person("he")
SAFE = {"bar", "scatter"}
"""Traces that need no `eval`, which the content security policy forbids: those drawn by WebGL do."""


@pytest.fixture(scope="module")
def gathered(services: Services) -> Services:
    services.dealers.list(HE, Asked(), start=0, end=1)
    services.vehicles.list(HE, AskedCars(), start=0, end=1)
    return services


@pytest.fixture(params=list(LANGUAGES))
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    token = language.set(request.param)
    yield request.param
    language.reset(token)


def parts(shown: Any) -> Iterator[Any]:
    """The component and all within it."""
    yield shown
    if isinstance(shown, Component):
        yield from shown._traverse()


def figures(shown: Any) -> list[go.Figure]:
    return [one.figure for one in parts(shown) if isinstance(one, dcc.Graph)]


def sent(shown: Any) -> str:
    """What reaches the browser."""
    return json.dumps(shown, cls=PlotlyJSONEncoder, ensure_ascii=False)


def ring_of(services: Services) -> str:
    return str(services.rings.list(HE)[0]["ring_id"])


# Pages ---------------------------------------------------------------------------------------------------


def test_a_dealer_is_drawn_without_eval(gathered: Services, spoken: str) -> None:
    code = gathered.dealers.list(HE, Asked(only="rings"), start=0, end=1).rows[0].code
    shown, whole = dealers_open.body(gathered, HE, code, None)
    assert whole
    drawn = figures(shown)
    assert len(drawn) == 3
    assert {trace.type for each in drawn for trace in each.data} <= SAFE
    assert ("若暂停合作" in sent(shown)) == (spoken == "zh")


def test_a_vehicle_is_drawn_masked(gathered: Services, spoken: str) -> None:
    one = gathered.vehicles.list(HE, AskedCars(sign="passed_on"), start=0, end=1).rows[0]
    shown, whole = vehicles_open.body(gathered, HE, one.token, None)
    assert whole
    (drawn,) = figures(shown)
    assert {trace.type for trace in drawn.data} <= SAFE
    text = sent(shown)
    assert one.masked in text
    vault = gathered.office.vault
    assert vault.reveal("vin", one.token) not in text
    life = gathered.vehicles.life(HE, one.token)
    assert life.loans[0].applicant in text
    assert "*" in life.loans[0].applicant
    assert all(trace.x is not None for trace in drawn.data)


def test_the_life_line_says_both_clocks(gathered: Services) -> None:
    one = gathered.vehicles.list(HE, AskedCars(sign="passed_on"), start=0, end=1).rows[0]
    shown, _ = vehicles_open.body(gathered, HE, one.token, None)
    said = [text for trace in figures(shown)[0].data for text in trace.customdata or ()]
    (transfer,) = (text for text in set(said) if text.startswith("<b>transferred"))
    assert "happened" in transfer
    assert "known" in transfer


def test_a_ring_shows_its_life(gathered: Services, spoken: str) -> None:
    with guard.acting(replace(HE, language=spoken)):
        shown = passport_show.shown(gathered, Subject(RING, ring_of(gathered)))
    assert ("首次发现" in sent(shown)) == (spoken == "zh")
    assert {trace.type for each in figures(shown) for trace in each.data} <= SAFE
    assert "data-asof" in sent(shown)


def test_of_what_never_was_the_panel_says_so(gathered: Services) -> None:
    with guard.acting(HE):
        shown = passport_show.shown(gathered, Subject(RING, "R0000000000"))
        told, lights = passport_difference.shown(gathered, Subject(RING, "R0000000000"), "2025-05-01T00:00:00+08:00")
    assert "rr-empty" in sent(shown)
    assert lights == {}
    assert "R0000000000" in sent(told)


def test_the_difference_lights_what_is_new(gathered: Services) -> None:
    subject = Subject(RING, ring_of(gathered))
    first = gathered.passport.stops(HE, subject)[0]
    with guard.acting(HE):
        shown, lights = passport_difference.shown(gathered, subject, first.at.isoformat())
        hint, nothing = passport_difference.shown(gathered, subject, None)
    keys = {part.to_plotly_json()["props"].get("data-pp-lit") for part in parts(shown) if isinstance(part, Component)}
    assert keys - {None} == set(lights)
    assert all(each["nodes"] for each in lights.values())
    assert all(edge[1].split("~")[0][0].isupper() for each in lights.values() for edge in each["edges"])
    assert nothing == {}
    assert "slider" in sent(hint)


def test_the_slider_stops_where_the_service_says(gathered: Services) -> None:
    subject = Subject(RING, ring_of(gathered))
    stops = gathered.passport.stops(HE, subject)
    text = sent(as_of_bar(gathered, HE, subject))
    assert text.count("asof-tick ") == len(stops)
    assert all(one.at.isoformat() in text for one in stops)


def test_an_empty_store_says_so_once(tmp_path: Path) -> None:
    """What cannot be gathered is told in the page's place, and nobody asks again and again."""
    with Office(Settings.read({"RINGROAD_HOME": str(tmp_path)})) as office, guard.acting(replace(HE, language="zh")):
        empty = Services(office)
        for body in (dealers_list.body, vehicles_list.body):
            until = time.monotonic() + 20
            shown, done = body(empty, HE, None)
            while not done and time.monotonic() < until:
                time.sleep(0.05)
                shown, done = body(empty, HE, None)
            assert done
            assert "尚无数据" in sent(shown)


def test_who_is_not_there_is_told_in_the_language(gathered: Services) -> None:
    with guard.acting(replace(HE, language="zh")):
        for shown, done in (
            dealers_open.body(gathered, HE, "D-none", None),
            vehicles_open.body(gathered, HE, "0" * 32, None),
        ):
            assert done
            assert "没有这" in sent(shown)


# Lists ---------------------------------------------------------------------------------------------------


def test_rows_of_dealers_are_said_in_the_language(gathered: Services, spoken: str) -> None:
    asked = {"startRow": 0, "endRow": 20, "sortModel": [{"colId": "year", "sort": "asc"}]}
    answer, said = dealers_list.answer(gathered, HE, asked, {"only": "rings"}, None)
    assert answer["rowCount"] == len(answer["rowData"])
    years = [int(row["year"]["text"].replace(",", "")) for row in answer["rowData"]]
    assert years == sorted(years)
    assert {row["href"] for row in answer["rowData"]} == {f"/dealer/{row['code']}" for row in answer["rowData"]}
    assert ("家经销商" in said) == (spoken == "zh")
    for row in answer["rowData"]:
        assert 0 <= row["fraud"]["low"] <= row["fraud"]["mean"] <= row["fraud"]["high"] <= 1


def test_nobody_gets_more_than_a_block(gathered: Services) -> None:
    asked = {"startRow": 0, "endRow": 10_000_000, "sortModel": []}
    answer, _ = vehicles_list.answer(gathered, HE, asked, {"sign": "every"}, None)
    assert len(answer["rowData"]) == lens_parts.BLOCK < answer["rowCount"]


def test_what_a_browser_sends_is_not_believed(gathered: Services) -> None:
    asked = {"startRow": 0, "endRow": 5, "sortModel": [{"colId": "__class__", "sort": "x"}]}
    answer, _ = dealers_list.answer(gathered, HE, asked, {"only": "x", "region": "99"}, None)
    assert answer["rowCount"] == 0
    with pytest.raises(InputError):
        lens_parts.as_of("yesterday")
    with pytest.raises(NotAllowed):
        gathered.dealers.export(HE, Asked())


def test_a_day_stands_for_its_end_in_china() -> None:
    at = lens_parts.as_of("2025-05-01")
    assert at is not None
    assert at.astimezone(UTC) == datetime(2025, 5, 1, 16, tzinfo=UTC) - timedelta(milliseconds=1)
    assert lens_parts.as_of(None) is None


def test_labels_beside_lines_do_not_cover_each_other() -> None:
    for values in ([0.0, 0.0, 0.0], [0.5, 0.52, 0.1], [1.0], []):
        moved = apart(values, 0.2)
        order = sorted(moved)
        assert all(b - a >= 0.2 - 1e-9 for a, b in pairwise(order))
        assert sorted(range(len(values)), key=lambda at: (values[at], moved[at])) == sorted(
            range(len(values)), key=lambda at: moved[at]
        )


# In a browser --------------------------------------------------------------------------------------------


def test_from_a_dealer_to_a_ring_as_it_stood(signed_in: SignIn, gathered: Services) -> None:
    """Nothing that the browser does breaks the policy or leaves the machine: the fixture watches."""
    visitor = signed_in("lin")
    page = visitor.go("/dealers")
    page.wait_for_selector(".lens-grid a.lens-link")
    code = gathered.dealers.list(HE, Asked(only="rings"), start=0, end=1).rows[0].code
    page.fill("#dealers-text", code)
    expect(page.locator(".lens-grid a.lens-link")).to_have_count(1)
    page.click(".lens-grid a.lens-link")
    page.wait_for_selector(".lens-card .main-svg >> nth=2")
    assert page.url.endswith(f"/dealer/{code}")
    page.click(".lens-table a[href^='/ring/']")
    page.wait_for_selector("#asof")
    page.click("[role=tab][value=history], [role=tab]:has-text('History')")
    expect(page.locator("#canvas-title")).not_to_be_empty()
    page.click("[data-asof=prev]")
    page.wait_for_selector(".asof-past")
    page.wait_for_selector(".pp-difference .pp-table")
    expect(page.locator("#asof-now")).to_be_visible()
    _accessible(page, "#asof", "#passport")
    page.focus("#asof-slider [role=slider]")
    page.keyboard.press("Home")
    expect(page.locator("#asof-slider [role=slider]")).to_have_attribute("aria-valuenow", "0")
    page.click("#asof-now")
    page.wait_for_selector(".pp-hint")
    expect(page.locator(".asof-past")).to_have_count(0)
    page.click("[data-asof=prev]")
    page.wait_for_selector(".asof-past")
    here = page.url.rpartition("/")[2]
    other = next(one["ring_id"] for one in gathered.rings.list(HE) if one["ring_id"] != here)
    page.evaluate("name => window.dash_clientside.set_props('subject', {data: {kind: 'ring', name: name}})", other)
    expect(page.locator(".asof-tick")).to_have_count(len(gathered.passport.stops(HE, Subject(RING, other))))
    expect(page.locator(".asof-past")).to_have_count(0)


def test_a_vehicle_from_its_list(signed_in: SignIn, gathered: Services) -> None:
    visitor = signed_in("he", language="zh")
    page = visitor.go("/vehicles")
    page.wait_for_selector(".lens-grid a.lens-link")
    assert page.locator("#vehicles-csv").count() == 0, "auditors take nothing out"
    page.click(".lens-signs label:has-text('早期过户')")
    total = gathered.vehicles.list(HE, AskedCars(sign="passed_on"), start=0, end=1).total
    expect(page.locator("#vehicles-told")).to_have_text(re.compile(rf"^{total} "))
    page.click(".lens-grid a.lens-link >> nth=0")
    page.wait_for_selector(".lens-card .main-svg")


def _accessible(page: Page, *inside: str) -> None:
    """Nothing serious in these parts of the page: of whole pages as they are at first `test_axe.py` sees to that."""
    found = Axe().run(page, context={"include": [[each] for each in inside]}).response["violations"]
    serious = [(one["id"], [node["html"][:160] for node in one["nodes"][:3]]) for one in found
               if one["impact"] in ("serious", "critical")]  # fmt: skip
    assert not serious, serious
