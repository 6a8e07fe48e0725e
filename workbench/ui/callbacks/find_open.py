"""A thing that has no page of its own opens the ring, or else the application, that holds it."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, no_update

from workbench.services.all import Services
from workbench.services.canvas.graph_shapes import ref_of
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside
from workbench.ui.i18n import t
from workbench.ui.toasts import tell


def register(app: Dash, services: Services) -> None:
    @app.callback(Output("find-home", "data"), Input(ids.FIND_OPEN, "data"), prevent_initial_call=True)
    def opened(asked: Any) -> Any:
        return where(services, asked["id"]) if asked else no_update

    sink = Output("find-sink", "data", allow_duplicate=True)
    clientside(app, "find.go", sink, Input("find-home", "data"), prevent_initial_call=True)


def where(services: Services, element: str) -> Any:
    """The address, and what to bring into view there."""
    home = services.search.home(guard.person(), ref_of(element))
    if home is None:
        tell(t("No application leads to this; there is nothing to open."), kind="warning")
        return no_update
    return {"kind": home.kind, "name": home.name, "href": home.href, "focus": element}
