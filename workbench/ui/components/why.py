"""The why panel: why this is suspicious, why it may be innocent, what would change it, and what was like it.

It is made by the server once for each subject; what its lines light is known to the browser, so that the pointer and
the keyboard light it without asking (`assets/why.js`).
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.services.subject import Subject
from workbench.ui.aria import aria
from workbench.ui.callbacks import why_show, why_similar, why_without
from workbench.ui.clientside import clientside
from workbench.ui.i18n import t

BODY, LIGHTS, TICK, FOLDS, SINK = why_show.BODY, why_show.LIGHTS, why_show.TICK, why_similar.FOLDS, "why-sink"


def panel(_services: Services, _who: Person, _subject: Subject) -> Any:
    """Filled when it is on the screen; what takes long is asked for by who wants it."""
    return html.Div(
        id="why-panel",
        className="why",
        children=[
            dcc.Store(id=LIGHTS),
            dcc.Store(id=why_without.LIGHTS),
            dcc.Store(id=SINK),
            dcc.Interval(id=TICK, interval=1_000, disabled=True),
            html.Div(id=BODY, children=_waiting(), **aria(live="polite", busy="true")),
            _folds(),
        ],
    )


def _waiting() -> list[Any]:
    return [
        html.Div(className="rr-section", children=[dmc.Skeleton(height=height, mb=10) for height in (56, 14, 14)]),
        html.Div(className="rr-section", children=[dmc.Skeleton(height=18, mb=10) for _ in range(5)]),
    ]


def _folds() -> Any:
    """What is worked out when somebody opens it."""
    items = [
        (why_without.NAME, t("Which few links it rests on"), why_without.placeholder()),
        ("todo", t("What to do next"), html.Div(id=why_show.TODO)),
        ("similar", t("Similar past cases"), why_similar.placeholder()),
    ]
    return dmc.Accordion(
        id=FOLDS,
        className="why-folds",
        multiple=True,
        value=[],
        variant="default",
        children=[
            dmc.AccordionItem([dmc.AccordionControl(each[1]), dmc.AccordionPanel(each[2])], value=each[0])
            for each in items
        ],
    )


def register(app: Dash, services: Services) -> None:
    for each in (why_show, why_without, why_similar):
        each.register(app, services)
    clientside(app, "why.keep", Output(SINK, "data"), Input(LIGHTS, "data"))
    clientside(
        app, "why.keep", Output(SINK, "data", allow_duplicate=True), Input(why_without.LIGHTS, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
