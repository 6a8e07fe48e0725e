"""Moves the slider over the canvas: the browser does. The server says again which stops there are when some are new."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, no_update

from workbench.services.all import Services
from workbench.services.subject import Subject
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside
from workbench.ui.components import as_of_bar


def register(app: Dash, services: Services) -> None:
    clientside(
        app,
        "passport.move",
        Output("asof-slider", "value"),
        Output("asof-slider", "max"),
        Output("asof-slider", "disabled"),
        Output(ids.AS_OF, "data"),
        Output("asof-said", "children"),
        Output("asof-now", "hidden"),
        Output("asof", "className"),
        Input("asof-slider", "value"),
        Input(ids.AS_OF_JUMP, "data"),
        Input(ids.AS_OF_STOPS, "data"),
        State(ids.AS_OF, "data"),
    )

    @app.callback(
        Output(ids.AS_OF_STOPS, "data"),
        Output("asof-ticks", "children"),
        Input(ids.CHANGED, "data"),
        Input(ids.SUBJECT, "data"),
        prevent_initial_call=True,
    )
    def again(_changed: Any, named: Any) -> Any:
        """Somebody decided something, or another ring stands in the place of this one."""
        if not named:
            return no_update, no_update
        subject = Subject(named["kind"], named["name"])
        stops = services.passport.stops(guard.person(), subject)
        return as_of_bar.told(subject, stops), as_of_bar.ticks(stops)
