"""Filters with a name: used, saved, renamed, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from graph.errors import RingroadError
from workbench.casebook.queue_query import Query
from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui import guard, ids
from workbench.ui.components import queue_bar as bar
from workbench.ui.components import queue_dialogs as dialogs
from workbench.ui.i18n import errors, t
from workbench.ui.toasts import tell

SAVED_AT = "queue-saved-at"
"""Millis: the list changed."""


def register(app: Dash, services: Services) -> None:
    _using(app, services)
    _saving(app, services)
    _managing(app, services)


def _using(app: Dash, services: Services) -> None:
    @app.callback(
        Output(bar.SAVED_LIST, "children"),
        Output(dialogs.MANAGE_LIST, "children"),
        Input(SAVED_AT, "data"),
    )
    def listed(_at: Any) -> tuple[Any, Any]:
        return lists(services, guard.person())

    @app.callback(
        Output("queue-apply", "data", allow_duplicate=True),
        Input({"t": "queue-use", "id": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def use(clicks: list[int | None]) -> Any:
        if not any(clicks):
            return no_update
        return {"query": services.saved.query(guard.person(), _id()).as_json(), "ts": ctx.triggered[0]["value"]}


def _saving(app: Dash, services: Services) -> None:
    @app.callback(
        Output(dialogs.SAVE, "opened"),
        Output(dialogs.SAVE_NO, "children", allow_duplicate=True),
        Input("queue-save-open", "n_clicks"),
        prevent_initial_call=True,
    )
    def open_(clicks: int | None) -> tuple[Any, Any]:
        return (True, "") if clicks else (no_update, no_update)

    @app.callback(
        Output(dialogs.SAVE, "opened", allow_duplicate=True),
        Output(dialogs.SAVE_NO, "children"),
        Output(dialogs.SAVE_NAME, "value"),
        Output(SAVED_AT, "data"),
        Input(dialogs.SAVE_DO, "n_clicks"),
        State(dialogs.SAVE_NAME, "value"),
        State(dialogs.SAVE_SHARED, "checked"),
        State(ids.QUEUE_ASKED, "data"),
        prevent_initial_call=True,
    )
    def save(clicks: int | None, name: str | None, shared: bool | None, asked: Mapping[str, Any] | None) -> Any:
        if not clicks:
            return no_update, no_update, no_update, no_update
        try:
            query = Query.of_json(asked or {})
            services.saved.add_filter(guard.person(), name or "", query, shared=bool(shared))
        except RingroadError as error:
            guard.denied(error)
            return True, errors.told(error.message), no_update, no_update
        tell(t("Saved"))
        return False, "", "", clicks


def _managing(app: Dash, services: Services) -> None:
    @app.callback(Output(dialogs.MANAGE, "opened"), Input("queue-manage-open", "n_clicks"), prevent_initial_call=True)
    def open_(clicks: int | None) -> Any:
        return True if clicks else no_update

    @app.callback(
        Output(SAVED_AT, "data", allow_duplicate=True),
        Input({"t": "queue-remove", "id": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def remove(clicks: list[int | None]) -> Any:
        if not any(clicks):
            return no_update
        services.saved.remove(guard.person(), _id())
        tell(t("Deleted"))
        return [ctx.triggered[0]["value"], _id()]

    @app.callback(
        Output(SAVED_AT, "data", allow_duplicate=True),
        Input({"t": "queue-rename", "id": ALL}, "value"),
        prevent_initial_call=True,
    )
    def rename(_names: list[str | None]) -> Any:
        if not isinstance(ctx.triggered_id, dict):
            return no_update
        name, number = str(ctx.triggered[0]["value"] or ""), _id()
        if services.saved.get(guard.person(), number).name == name:
            return no_update  # the list was drawn
        services.saved.rename(guard.person(), number, name)
        tell(t("Saved"))
        return [name, number]


def _id() -> int:
    return int(ctx.triggered_id["id"])


def lists(services: Services, who: Person) -> tuple[Any, Any]:
    """Of the menu, and of one's own to be changed."""
    found = services.saved.filters(who)
    return dialogs.saved_items(found, who.name), dialogs.managed([each for each in found if each.owner == who.name])
