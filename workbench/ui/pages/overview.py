"""How the work stands, for a wall screen and for the first look in the morning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from re import compile as pattern
from typing import Any

from dash import dcc, html
from plotly.graph_objects import Figure

from workbench.services.all import Services
from workbench.services.cases.typologies import name
from workbench.services.overview import AGES, Moved, Overview, Tiles
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria
from workbench.ui.i18n import day, language, money, number, share, t
from workbench.ui.icons import PAGES as GLYPHS
from workbench.ui.pages.page import Page
from workbench.ui.viewmodel import overview_figures as figures
from workbench.ui.viewmodel.plots import plot


def layout(services: Services, who: Person, _match: Mapping[str, str]) -> Any:
    found = services.overview.overview(who)
    if found.run_as_of is None and not found.tiles.backlog and not found.alerts:
        return _empty()
    return html.Div(
        className="rr-inside ov ov-wall",
        children=[
            html.Div(className="rr-title", children=[html.H1(t("Overview")), _as_of(found)]),
            _tiles(found.tiles),
            html.Div(
                className="ov-grid",
                children=[
                    _drawn(
                        t("Alerts by day of application"),
                        figures.alerts(found),
                        bool(found.alerts),
                        nothing=t("No score sent anybody to review yet."),
                    ),
                    _drawn(t("Money in rings, run by run"), figures.at_stake(found), bool(found.runs)),
                    _card(t("Backlog by age"), _ages(found.ages), bool(found.tiles.backlog)),
                    _drawn(t("Where it gathers"), figures.heat(found), bool(found.heat), "ov-wide"),
                    _card(
                        t("New and grown rings"),
                        _moved(found.moved),
                        bool(found.moved),
                        nothing=t("The last run found no new ring, and none grew."),
                    ),
                ],
            ),
        ],
    )


def _empty() -> Any:
    return html.Div(
        className="rr-empty",
        style={"minHeight": "70vh"},
        children=[
            html.H1(t("Nothing to look into yet")),
            html.P(t("Load a portfolio, find its rings and score it; then this page shows what is at stake.")),
            html.Code("ringroad load FOLDER && ringroad rings && ringroad score"),
        ],
    )


def _as_of(found: Overview) -> Any:
    if found.run_as_of is None:
        return html.Span(t("no run of rings yet"), className="rr-soft")
    return html.Span(t("rings as of {day}", day=day(found.run_as_of)), className="rr-soft")


def _tiles(told: Tiles) -> Any:
    usual = t("usually {count} a day", count=number(told.usual, 1))
    return html.Div(
        className="ov-tiles",
        children=[
            _tile(t("Alerts today"), number(told.today), usual, href="/queue"),
            _tile(t("Money at stake"), money(told.exposure), _open(told.backlog)),
            _tile(
                t("Still savable"),
                money(told.savable),
                t("{share} of it", share=share(told.savable / told.exposure)) if told.exposure else "",
                strong=True,
            ),
            _tile(
                t("Nobody's yet"),
                number(told.nobodys),
                t("oldest case {days} days", days=number(told.oldest_days)),
                href="/queue",
            ),
            _tile(t("Overdue"), number(told.overdue), t("past their deadline"), warn=told.overdue > 0),
            _tile(t("Closed in 28 days"), number(told.decided), _outcomes(told)),
        ],
    )


def _open(count: int) -> str:
    return t("1 open case") if count == 1 else t("{count} open cases", count=number(count))


def _outcomes(told: Tiles) -> str:
    if not told.decided or told.median_hours is None:
        return t("none closed yet")
    confirmed = share(told.confirmed / told.decided)
    return t("{share} fraud · {hours} h each", share=confirmed, hours=number(told.median_hours))


def _tile(name: str, value: str, below: str, *, href: str = "", strong: bool = False, warn: bool = False) -> Any:
    inside = [
        html.Div(name, className="ov-name"),
        html.Div(value, className="ov-value rr-num"),
        html.Div(below, className="ov-below"),
    ]
    kind = " ov-strong" if strong else " ov-warn" if warn else ""
    if href:
        return dcc.Link(inside, href=href, className=f"rr-panel ov-tile{kind}")
    return html.Div(inside, className=f"rr-panel ov-tile{kind}")


def _card(title: str, inside: Any, told: bool, more: str = "", nothing: str = "") -> Any:
    empty = html.Div(nothing or t("Nothing to show yet."), className="ov-nothing")
    return html.Section(
        className=f"rr-panel ov-card {more}",
        children=[html.H2(title, className="rr-h"), inside if told else empty],
        **aria(label=title),
    )


def _drawn(title: str, figure: Figure, told: bool, more: str = "", nothing: str = "") -> Any:
    return _card(title, plot(figure, said=title), told, more, nothing)


def _ages(ages: Sequence[tuple[int, int]]) -> Any:
    most = max(sum(each) for each in ages) or 1
    names = [
        t("under {to} d", to=AGES[0]),
        *(t("{since}–{to} d", since=since, to=to) for since, to in pairwise(AGES)),
        t("over {since} d", since=AGES[-1]),
    ]
    rows = [
        html.Div(
            className="ov-age",
            children=[
                html.Span(name),
                html.Div(
                    className="ov-bar",
                    children=[
                        html.I(className="ov-has", style={"width": f"{100 * somebodys / most:.1f}%"}),
                        html.I(className="ov-none", style={"width": f"{100 * nobodys / most:.1f}%"}),
                    ],
                ),
                html.Span(number(somebodys + nobodys), className="rr-num"),
            ],
        )
        for name, (somebodys, nobodys) in zip(names, ages, strict=True)
    ]
    legend = html.Div(
        className="ov-legend",
        children=[html.I(className="ov-has"), t("somebody has it"), html.I(className="ov-none"), t("nobody has it")],
    )
    return html.Div([*rows, legend])


def _moved(moved: Sequence[Moved]) -> Any:
    head = [t("Ring"), t("Pattern"), t("Joined"), t("Score"), t("Savable")]
    rows = [
        html.Tr(
            [
                html.Td(dcc.Link(one.ring_id, href=f"/ring/{one.ring_id}")),
                html.Td(name(one.typology, language.get())),
                html.Td(_joined(one), className="rr-num"),
                html.Td(f"{one.score:.2f}", className="rr-num"),
                html.Td(money(one.savable), className="rr-num"),
            ]
        )
        for one in moved
    ]
    return html.Table(
        className="ov-table", children=[html.Thead(html.Tr([html.Th(each) for each in head])), html.Tbody(rows)]
    )


def _joined(one: Moved) -> Any:
    if one.born:
        return [html.Span(t("new"), className="ov-new"), f" {number(one.size)}"]
    return f"+{number(one.joined)}"


PAGE = Page(path=pattern(r"/"), title="Overview", act=Act.READ, layout=layout, rail=GLYPHS["overview"], href="/")
