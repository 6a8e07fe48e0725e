"""Typing in the search box asks the service; the answer names its question, and the browser drops older ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, no_update

from workbench.services.all import Services
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside
from workbench.ui.viewmodel import found


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.SEARCH_ANSWERS, "data"),
        Input(ids.FIND_REQ, "data"),
        running=[(Output("find-working", "data"), True, False)],
        prevent_initial_call=True,
    )
    def search(asked: Any) -> Any:
        return answer(services, asked) if asked else no_update

    sink = Output("find-sink", "data", allow_duplicate=True)
    clientside(app, "find.answered", sink, Input(ids.SEARCH_ANSWERS, "data"), prevent_initial_call=True)
    clientside(app, "find.idle", sink, Input("find-working", "data"), prevent_initial_call=True)


def answer(services: Services, asked: Mapping[str, Any]) -> dict[str, Any]:
    answered = services.search.find(guard.person(), str(asked.get("text") or ""))
    return found.answer(answered, asked.get("sequence"))
