"""One dealer: its rates, weeks, rings and people, and what suspending it would cut."""

from __future__ import annotations

from collections.abc import Mapping
from re import compile as pattern
from typing import Any

from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui.callbacks import dealers_open
from workbench.ui.callbacks.dealers_open import AS_OF, BODY, CODE, TICK
from workbench.ui.components.lens_parts import TICK_MS, back, day_picker
from workbench.ui.i18n import t
from workbench.ui.pages.page import Page


def layout(services: Services, who: Person, match: Mapping[str, str]) -> Any:
    code = match["code"]
    shown, whole = dealers_open.body(services, who, code, None)
    return html.Div(
        className="rr-inside lens",
        children=[
            html.Div([back("/dealers", t("All dealers")), html.Div(className="rr-grow"), day_picker(AS_OF)],
                     className="lens-top"),
            html.Div(shown, id=BODY),
            dcc.Interval(id=TICK, interval=TICK_MS, disabled=whole),
            dcc.Store(id=CODE, data=code),
        ],
    )  # fmt: skip


def register(app: Dash, services: Services) -> None:
    dealers_open.register(app, services)


PAGE = Page(pattern(r"/dealer/(?P<code>[\w.:-]{1,255})"), "Dealer", Act.READ, layout, register, href="/dealers")
