"""How somebody leaves a graph is kept a moment after he moved something."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, no_update

from graph.errors import InputError
from workbench.services.all import Services
from workbench.services.subject import Subject
from workbench.ui import guard
from workbench.ui.clientside import clientside

REQUEST, ANSWER, SINK = "views-last-req", "views-last-answer", "views-last-sink"
STORES = (REQUEST, ANSWER, SINK)


def register(app: Dash, services: Services) -> None:
    @app.callback(Output(ANSWER, "data"), Input(REQUEST, "data"), prevent_initial_call=True)
    def left(asked: Any) -> Any:
        return remember(services, asked) if asked else no_update

    clientside(app, "views.remembered", Output(SINK, "data"), Input(ANSWER, "data"), prevent_initial_call=True)


def remember(services: Services, asked: Mapping[str, Any]) -> dict[str, Any]:
    """A graph that is too large is no fault of who looks at it: he is told once, and nothing is in his way."""
    told = asked.get("subject") or {}
    subject = Subject(str(told.get("kind")), str(told.get("name")))
    try:
        services.last_views.remember(guard.person(), subject, asked.get("content") or {})
    except InputError:
        return {"kept": False, "ts": asked.get("ts")}
    return {"kept": True, "ts": asked.get("ts")}
