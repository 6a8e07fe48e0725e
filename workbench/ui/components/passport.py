"""The history panel: where a ring comes from, how it grew, what happened to it, and what changed since a time."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.services.subject import Subject
from workbench.ui.aria import aria
from workbench.ui.callbacks import passport_difference, passport_move, passport_show
from workbench.ui.components.as_of_bar import as_of_bar

__all__ = ["as_of_bar", "panel", "register"]


def panel(_services: Services, _who: Person, _subject: Subject) -> Any:
    """Filled when it is on the screen."""
    return html.Div(
        id="passport",
        className="pp",
        children=[
            dcc.Store(id=passport_difference.LIGHTS),
            dcc.Store(id="passport-sink"),
            html.Div(id=passport_difference.BODY, **aria(live="polite")),
            html.Div(id=passport_show.BODY, children=_waiting()),
        ],
    )


def _waiting() -> Any:
    return html.Div(
        className="rr-section", children=[dmc.Skeleton(height=height, mb=10) for height in (110, 14, 14, 14)]
    )


def register(app: Dash, services: Services) -> None:
    for each in (passport_show, passport_difference, passport_move):
        each.register(app, services)
