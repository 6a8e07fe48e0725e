"""The short form of the queue beside an investigation: what comes next, the one that is open marked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State

from workbench.casebook.queue_query import ALL, MINE, NEW
from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui import guard, ids
from workbench.ui.callbacks.queue_rows import page, wanted
from workbench.ui.clientside import clientside
from workbench.ui.i18n import number

STRIP, TAB, COUNT, EMPTY, SINK = (f"queue-strip{name}" for name in ("", "-tab", "-count", "-empty", "-sink"))


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(STRIP, "getRowsResponse"),
        Output(COUNT, "children"),
        Output(EMPTY, "hidden"),
        Input(STRIP, "getRowsRequest"),
        State(TAB, "value"),
        prevent_initial_call=True,
    )
    def rows(request: Mapping[str, Any], tab: str) -> tuple[Any, ...]:
        told = short(services, guard.person(), request, tab)
        return told, number(told["rowCount"]), told["rowCount"] > 0

    clientside(
        app, "strip.again", Output(SINK, "data"), Input(TAB, "value"), Input(ids.CHANGED, "data"),
        Input(ids.SUBJECT, "data"), Input(ids.CASE_CHANGED, "data"),
    )  # fmt: skip


def short(services: Services, who: Person, request: Mapping[str, Any], tab: str) -> dict[str, Any]:
    return page(services, who, replace(wanted(request, {}), tab=tab if tab in (ALL, NEW, MINE) else ALL))
