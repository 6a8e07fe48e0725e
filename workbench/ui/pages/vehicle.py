"""One vehicle's life line, by its token: a VIN never stands in an address."""

from __future__ import annotations

from collections.abc import Mapping
from re import compile as pattern
from typing import Any

from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui.callbacks import vehicles_open
from workbench.ui.callbacks.vehicles_open import AS_OF, BODY, TICK, TOKEN
from workbench.ui.components.lens_parts import TICK_MS, back, day_picker
from workbench.ui.i18n import t
from workbench.ui.pages.page import Page


def layout(services: Services, who: Person, match: Mapping[str, str]) -> Any:
    token = match["token"]
    shown, whole = vehicles_open.body(services, who, token, None)
    return html.Div(
        className="rr-inside lens",
        children=[
            html.Div([back("/vehicles", t("All vehicles")), html.Div(className="rr-grow"), day_picker(AS_OF)],
                     className="lens-top"),
            html.Div(shown, id=BODY),
            dcc.Interval(id=TICK, interval=TICK_MS, disabled=whole),
            dcc.Store(id=TOKEN, data=token),
        ],
    )  # fmt: skip


def register(app: Dash, services: Services) -> None:
    vehicles_open.register(app, services)


PAGE = Page(pattern(r"/vehicle/(?P<token>[0-9a-f]{16,64})"), "Vehicle", Act.READ, layout, register, href="/vehicles")
