"""All dealers: which lose more than their region, share more than they should, or sell more than they did."""

from __future__ import annotations

from collections.abc import Mapping
from re import compile as pattern
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria
from workbench.ui.callbacks import dealers_list
from workbench.ui.callbacks.dealers_list import AS_OF, ASKED, BODY, CSV, KIND, ONLY, REGION, SAVED, SINK, TEXT, TICK
from workbench.ui.components.lens_parts import TICK_MS, day_picker
from workbench.ui.i18n import t
from workbench.ui.icons import PAGES as GLYPHS
from workbench.ui.pages.page import Page
from workbench.ui.viewmodel.dealer_words import KINDS
from workbench.ui.viewmodel.regions import PROVINCES, province


def layout(services: Services, who: Person, _match: Mapping[str, str]) -> Any:
    export = dmc.Button(t("Export as CSV"), id=CSV, size="xs", variant="default")
    body, whole = dealers_list.body(services, who, None)
    return html.Div(
        className="lens lens-list",
        children=[
            html.Div(
                className="rr-title",
                children=[
                    html.H1(t("Dealers")),
                    html.Span(id="dealers-told", className="rr-soft", **aria(live="polite")),
                    html.Div(className="rr-grow"),
                    day_picker(AS_OF),
                    *([export] if who.may(Act.EXPORT) else []),
                ],
            ),
            _filters(),
            html.Div(id=BODY, className="lens-body", children=body),
            dcc.Interval(id=TICK, interval=TICK_MS, disabled=whole),
            dcc.Store(id=ASKED, data={}),
            dcc.Store(id=SINK),
            dcc.Download(id=SAVED),
        ],
    )


def _filters() -> html.Div:
    regions = [{"value": code, "label": province(code)} for code in PROVINCES]
    kinds = [{"value": code, "label": name()} for code, name in KINDS.items()]
    only = [
        {"value": "", "label": t("All")},
        {"value": "alert", "label": t("Alerts")},
        {"value": "jump", "label": t("Volume jumps")},
        {"value": "rings", "label": t("In rings")},
    ]
    return html.Div(
        className="lens-bar",
        children=[
            dmc.TextInput(id=TEXT, size="xs", w=240, debounce=300, placeholder=t("Name or number"),
                          **aria(label=t("Name or number"))),
            dmc.Select(id=REGION, data=regions, size="xs", w=170, clearable=True, searchable=True,
                       placeholder=t("All regions"), **aria(label=t("Region"))),
            dmc.Select(id=KIND, data=kinds, size="xs", w=170, clearable=True, placeholder=t("All types"),
                       **aria(label=t("Type of dealer"))),
            dmc.SegmentedControl(id=ONLY, data=only, value="", size="xs"),
            html.Div(className="rr-grow"),
            html.Span(className="lens-key lens-key-mean", children=t("share, shrunk")),
            html.Span(className="lens-key lens-key-range", children=t("95 % of what it may be")),
            html.Span(className="lens-key lens-key-peers", children=t("what peers have")),
        ],
    )  # fmt: skip


def register(app: Dash, services: Services) -> None:
    dealers_list.register(app, services)


PAGE = Page(pattern("/dealers"), "Dealers", Act.READ, layout, register, rail=GLYPHS["dealers"], href="/dealers")
