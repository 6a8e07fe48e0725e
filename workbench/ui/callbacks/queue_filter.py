"""Filters of the queue: all controls make one question; what there is to choose is counted under it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State

from workbench.casebook.queue_query import Query
from workbench.services.all import Services
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside
from workbench.ui.components import queue_bar as bar
from workbench.ui.components import queue_filters as filters

CONTROLS = (
    (bar.TAB, "value"), (bar.KIND, "value"), (bar.TEXT, "value"), (bar.ASSIGNEE, "value"), (bar.SCORE, "value"),
    (bar.SAVABLE, "value"), (bar.FRESH, "checked"), ("queue-ordered", "data"),
)  # fmt: skip


def register(app: Dash, services: Services) -> None:
    lists = [(f"queue-{name}", "value") for name in filters.CHOICES]
    clientside(
        app, "queue.compose", Output(ids.QUEUE_ASKED, "data"), *(Input(*each) for each in (*CONTROLS, *lists)),
        prevent_initial_call=True,
    )  # fmt: skip
    clientside(app, "queue.ordered", Output("queue-ordered", "data"), Input(bar.ORDER, "value"),
               State("queue-ordered", "data"), prevent_initial_call=True)  # fmt: skip
    clientside(
        app, "queue.apply",
        *(Output(*each, allow_duplicate=True) for each in (*CONTROLS, (bar.ORDER, "value"), *lists)),
        Input("queue-apply", "data"), prevent_initial_call=True,
    )  # fmt: skip
    clientside(app, "queue.cleared", Output("queue-apply", "data", allow_duplicate=True),
               Input(bar.CLEAR, "n_clicks"), prevent_initial_call=True)  # fmt: skip
    clientside(app, "queue.mounted", Output("queue-apply", "data"), Input("queue-mounted", "data"))

    @app.callback(
        Output(bar.TAB, "data"),
        *(Output(f"queue-{name}-choices", "children") for name in filters.CHOICES),
        *(Output(f"queue-{name}-chip", "children") for name in filters.CHOICES),
        Output("queue-more-chip", "children"),
        Output(bar.CLEAR, "hidden"),
        Input(ids.QUEUE_ASKED, "data"),
        Input(ids.QUEUE_CHANGED, "data"),
    )
    def counted(asked: Mapping[str, Any] | None, _changed: Any) -> list[Any]:
        return told(services, Query.of_json(asked or {}))


def told(services: Services, asked: Query) -> list[Any]:
    who = guard.person()
    facets = services.queue.facets(who, asked)
    chosen = {name: getattr(asked, name) for name in filters.CHOICES}
    return [
        bar.tabs(services.queue.summary(who)),
        *(filters.choices(name, facets[name], values) for name, values in chosen.items()),
        *(filters.chip(name, values) for name, values in chosen.items()),
        filters.more_chip(asked),
        not asked.filters,
    ]
