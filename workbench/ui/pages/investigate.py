"""A ring or an application: queue at the left, its graph in the middle, what is known and what to do at the right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.services.subject import Subject
from workbench.ui import ids
from workbench.ui.aria import aria
from workbench.ui.callbacks import canvas_ask, canvas_open
from workbench.ui.components import (
    case_panel,
    decision,
    entity_panel,
    entity_table,
    export_menu,
    fresh,
    graph_canvas,
    passport,
    queue_grid,
    views,
    why,
)
from workbench.ui.i18n import t
from workbench.ui.pages.page import Page


class Panel(NamedTuple):
    """`module` has `panel(services, who, subject)` and `register(app, services)`."""

    name: str
    title: Callable[[], str]
    module: ModuleType


PANELS: tuple[Panel, ...] = (
    Panel("why", lambda: t("Why"), why),
    Panel("decide", lambda: t("Decide"), decision),
    Panel("entity", lambda: t("Entity"), entity_panel),
    Panel("history", lambda: t("History"), passport),
    Panel("case", lambda: t("Case"), case_panel),
)  # fmt: skip

TOOLS: tuple[ModuleType, ...] = (fresh, views, entity_table, export_menu)
"""Modules with `tools()`, components for the right end of the bar over the graph, and `register(app, services)`."""

STORES = (ids.SUBJECT, ids.AS_OF, ids.SELECTED, ids.HIGHLIGHT, ids.CHANGED, ids.FOCUS)
"""Empty when a page comes: the browser names the subject to the panels once its graph is drawn (`RR.drawn`)."""


def layout(services: Services, who: Person, match: Mapping[str, str]) -> Any:
    subject = Subject(match["kind"], match["name"])
    named = {"kind": subject.kind, "name": subject.name}
    opened, head, title = canvas_open.answer(services, {"subject": named})
    return html.Div(
        className="inv",
        children=[
            *(dcc.Store(id=each) for each in STORES),
            html.Aside(queue_grid.compact(services, who), className="inv-queue", **aria(label=t("Queue"))),
            graph_canvas.canvas(
                opened,
                title,
                more_tools=[each for one in TOOLS for each in one.tools()],
                above=passport.as_of_bar(services, who, subject),
                below=entity_table.table(who),
            ),
            html.Aside(_side(services, who, subject, head), className="inv-side", **aria(label=t("What is known"))),
        ],
    )


def _side(services: Services, who: Person, subject: Subject, head: Any) -> list[Any]:
    tabs = [dmc.TabsTab(one.title(), value=one.name) for one in PANELS]
    panels = [dmc.TabsPanel(one.module.panel(services, who, subject), value=one.name) for one in PANELS]
    return [
        html.Div(head, id="inv-head"),
        dmc.Tabs(
            [dmc.TabsList(tabs, className="inv-tabs-list"), *panels],
            id="inv-tabs",
            value=PANELS[0].name,
            className="inv-tabs",
        ),
    ]


def register(app: Dash, services: Services) -> None:
    for each in (canvas_open, canvas_ask, queue_grid, *(one.module for one in PANELS), *TOOLS):
        each.register(app, services)


PAGE = Page(
    path=re.compile(r"/(?P<kind>ring|application)/(?P<name>[\w.:-]{1,255})"),
    title="Investigate",
    act=Act.READ,
    layout=layout,
    register=register,
    href="/queue",
)
