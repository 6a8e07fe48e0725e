"""Vehicles with something odd: financed twice, passed on, uninsured, silent, or standing where others fell silent."""

from __future__ import annotations

from collections.abc import Mapping
from re import compile as pattern
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria
from workbench.ui.callbacks import vehicles_list
from workbench.ui.callbacks.vehicles_list import AS_OF, ASKED, BODY, CSV, SAVED, SINK, TEXT, TICK, TOLD
from workbench.ui.components.lens_parts import TICK_MS, day_picker
from workbench.ui.i18n import t
from workbench.ui.icons import PAGES as GLYPHS
from workbench.ui.pages.page import Page


def layout(services: Services, who: Person, _match: Mapping[str, str]) -> Any:
    body, whole = vehicles_list.body(services, who, None)
    export = dmc.Button(t("Export as CSV"), id=CSV, size="xs", variant="default")
    hint = t("Model, application or end of the VIN")
    return html.Div(
        className="lens lens-list",
        children=[
            html.Div(
                className="rr-title",
                children=[
                    html.H1(t("Vehicles")),
                    html.Span(id=TOLD, className="rr-soft", **aria(live="polite")),
                    html.Div(className="rr-grow"),
                    dmc.TextInput(id=TEXT, size="xs", w=260, debounce=300, placeholder=hint, **aria(label=hint)),
                    day_picker(AS_OF),
                    *([export] if who.may(Act.EXPORT) else []),
                ],
            ),
            html.Div(body, id=BODY, className="lens-fill"),
            dcc.Interval(id=TICK, interval=TICK_MS, disabled=whole),
            dcc.Store(id=ASKED, data={}),
            dcc.Store(id=SINK),
            dcc.Download(id=SAVED),
        ],
    )


def register(app: Dash, services: Services) -> None:
    vehicles_list.register(app, services)


PAGE = Page(pattern("/vehicles"), "Vehicles", Act.READ, layout, register, rail=GLYPHS["vehicles"], href="/vehicles")
