"""Labels: what waits for a second person, all that was said, and whose labels others corrected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from workbench.labelfile import CSV, PARQUET
from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria
from workbench.ui.callbacks import feedback_inbox
from workbench.ui.components import confirm_grid as grid
from workbench.ui.i18n import t
from workbench.ui.icons import PAGES as GLYPHS
from workbench.ui.pages.page import Page


def layout(services: Services, who: Person, _match: Mapping[str, str]) -> Any:
    waiting, now = services.feedback.waiting(who), services.office.clock()
    sees_people = who.may(Act.USERS) or who.may(Act.AUDIT)
    tabs = [
        ("waiting", t("Waiting for a second person"), _waiting(who, grid.waiting_grid(waiting, now))),
        ("all", t("All labels"), html.Div(grid.all_grid(services.feedback.newest(who)), className="labels-grid")),
    ]
    if sees_people:
        tabs.append(("people", t("Corrections"), grid.people(services.feedback.flips(who))))
    return html.Div(
        className="rr-inside labels",
        children=[
            html.Div([html.H1(t("Labels")), html.Div(className="rr-grow"), *_export(who)], className="rr-title"),
            dmc.Tabs(
                [
                    dmc.TabsList([dmc.TabsTab(title, value=name) for name, title, _ in tabs]),
                    *(dmc.TabsPanel(inside, value=name, className="labels-panel") for name, _, inside in tabs),
                ],
                value="waiting",
                className="labels-tabs",
            ),
            grid.dialog(),
            dcc.Download(id=feedback_inbox.FILE),
        ],
    )


def _waiting(who: Person, table: Any) -> list[Any]:
    return [grid.bar(who), html.Div(table, className="labels-grid")]


def _export(who: Person) -> list[Any]:
    shown = {} if who.may(Act.EXPORT) else {"display": "none"}
    return [
        dmc.SegmentedControl(
            id=feedback_inbox.FORM, data=[{"value": CSV, "label": "CSV"}, {"value": PARQUET, "label": "Parquet"}],
            value=CSV, size="xs", style=shown, **aria(label=t("Format")),
        ),
        dmc.Button(t("Export all labels"), id=feedback_inbox.EXPORT, size="xs", variant="default", style=shown),
    ]  # fmt: skip


PAGE = Page(
    path=re.compile("/labels"),
    title="Labels",
    act=Act.READ,
    layout=layout,
    register=feedback_inbox.register,
    rail=GLYPHS["labels"],
    href="/labels",
)
