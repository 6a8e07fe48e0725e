"""What is done with the cases that are chosen, from the bar over the grid or by a key; and the next case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from graph.errors import InputError, RingroadError
from workbench.casebook.queue_query import Query
from workbench.services.all import Services
from workbench.services.cases.case_acts import Done, Selection
from workbench.services.permissions import Person
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside
from workbench.ui.components import queue_bar as bar
from workbench.ui.components import queue_dialogs as dialogs
from workbench.ui.i18n import errors, number, t
from workbench.ui.toasts import tell

ACT, TAKE, SNOOZING, EVERY = "queue-act", "queue-take", "queue-snoozing", "queue-every"
TOLD = 3
"""So many refusals are told one by one."""


def register(app: Dash, services: Services) -> None:
    _choosing(app)

    @app.callback(
        Output(ids.QUEUE_CHANGED, "data"),
        Output(SNOOZING, "data"),
        Output(dialogs.SNOOZE, "opened"),
        Input(ACT, "data"),
        State(ids.QUEUE_CHOSEN, "data"),
        prevent_initial_call=True,
    )
    def act(asked: Mapping[str, Any] | None, chosen: Mapping[str, Any] | None) -> tuple[Any, ...]:
        if not asked:
            return no_update, no_update, no_update
        meant = {"seen": asked["seen"]} if asked.get("seen") else chosen
        if asked.get("do") == "snooze":
            return no_update, meant, True
        said, kind = done(services, guard.person(), asked, meant)
        tell(said, kind=kind)
        return asked.get("ts"), no_update, no_update

    @app.callback(
        Output(ids.QUEUE_CHANGED, "data", allow_duplicate=True),
        Output(dialogs.SNOOZE, "opened", allow_duplicate=True),
        Output(dialogs.SNOOZE_NO, "children"),
        Output(dialogs.SNOOZE_WHY, "value"),
        Input(dialogs.SNOOZE_DO, "n_clicks"),
        State(SNOOZING, "data"),
        State(dialogs.SNOOZE_DAYS, "value"),
        State(dialogs.SNOOZE_WHY, "value"),
        prevent_initial_call=True,
    )
    def snooze(clicks: int | None, meant: Mapping[str, Any] | None, days: str, why: str | None) -> tuple[Any, ...]:
        if not clicks:
            return no_update, no_update, no_update, no_update
        until = services.office.clock() + timedelta(days=_days(days))
        try:
            found = services.cases.snooze(guard.person(), selection(meant), until, why or "")
        except RingroadError as error:
            guard.denied(error)
            return no_update, True, errors.told(error.message), no_update
        tell(summed(t("Snoozed: {count}", count=number(len(found.done))), found), kind=_kind(found))
        return ctx.triggered[0]["value"], False, "", ""

    @app.callback(
        Output(ids.URL, "href", allow_duplicate=True),
        Input(TAKE, "data"),
        State(ids.QUEUE_ASKED, "data"),
        prevent_initial_call=True,
    )
    def take(asked: Any, query: Mapping[str, Any] | None) -> Any:
        return next_(services, guard.person(), Query.of_json(query or {})) if asked else no_update


def _choosing(app: Dash) -> None:
    clientside(
        app, "queue.chosen", Output(ids.QUEUE_CHOSEN, "data"), Output(bar.BULK, "className"),
        Output(bar.SAID, "children"), Output(bar.ALL_MATCHING, "hidden"), Output(bar.ALL_MATCHING, "children"),
        Input(ids.QUEUE, "selectedRows"), Input(EVERY, "data"), Input(ids.QUEUE_ASKED, "data"),
        Input("queue-number", "data"),
    )  # fmt: skip
    clientside(app, "queue.all", Output(EVERY, "data"), Input(bar.ALL_MATCHING, "n_clicks"), prevent_initial_call=True)
    clientside(
        app, "queue.unall", Output(EVERY, "data", allow_duplicate=True), Input(ids.QUEUE, "selectedRows"),
        Input(ids.QUEUE_ASKED, "data"), State(EVERY, "data"), prevent_initial_call=True,
    )  # fmt: skip
    clientside(app, "queue.deselect", Output("queue-sink", "data", allow_duplicate=True),
               Input(bar.DESELECT, "n_clicks"), prevent_initial_call=True)  # fmt: skip
    clientside(
        app, "queue.act", Output(ACT, "data"), Input({"t": "queue-do", "act": ALL, "to": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )  # fmt: skip
    clientside(app, "queue.take", Output(TAKE, "data"), Input(bar.NEXT, "n_clicks"), prevent_initial_call=True)
    clientside(app, "queue.help", Output(bar.HELP, "opened"), Input(bar.HELP + "-open", "n_clicks"),
               prevent_initial_call=True)  # fmt: skip


# What is done --------------------------------------------------------------------------------------------


def selection(chosen: Mapping[str, Any] | None) -> Selection:
    """Raises InputError for what names no case."""
    if not chosen:
        raise InputError("no case is chosen; tick some rows")
    if chosen.get("all"):
        return Query.of_json(chosen.get("query") or {})
    try:
        return {int(number_): int(seen) for number_, seen in chosen["seen"].items()}
    except (KeyError, AttributeError, TypeError, ValueError):
        raise InputError("no case is chosen; tick some rows") from None


def done(
    services: Services, who: Person, asked: Mapping[str, Any], chosen: Mapping[str, Any] | None
) -> tuple[str, str]:
    """What to say of it, and how. A refusal of the only case that is meant is raised."""
    does, to, some = str(asked.get("do")), str(asked.get("to") or ""), selection(chosen)
    if does == "assign":
        found = services.cases.assign(who, some, who.name if to == "me" else to)
        said = {"me": t("Yours now: {count}", count=number(len(found.done))),
                "": t("Nobody's now: {count}", count=number(len(found.done)))}.get(
            to, t("Assigned: {count}", count=number(len(found.done))))  # fmt: skip
    elif does == "status":
        found = services.cases.set_status(who, some, to)
        said = t("Status set: {count}", count=number(len(found.done)))
    elif does == "wake":
        found = services.cases.wake(who, some)
        said = t("Woken: {count}", count=number(len(found.done)))
    else:
        raise InputError("this cannot be done with cases")
    return summed(said, found), _kind(found)


def summed(said: str, found: Done) -> str:
    if not found.refused:
        return said
    why = "; ".join(errors.told(why) for _, why in found.refused[:TOLD])
    more = len(found.refused) - TOLD
    rest = t(" and {count} more", count=number(more)) if more > 0 else ""
    return f"{said}. " + t("Not: {why}", why=why) + rest


def _kind(found: Done) -> str:
    return "warning" if found.refused else "done"


def _days(text: str) -> int:
    if text not in {str(each) for each in dialogs.DAYS}:
        raise InputError("snooze until a time to come")
    return int(text)


def next_(services: Services, who: Person, asked: Query) -> Any:
    """Where the next case leads; where there is none, that is said."""
    taken = services.cases.take_next(who, asked)
    if taken is None:
        tell(t("Nothing is left to take under these filters."), kind="warning")
        return no_update
    tell(t("{case} is yours, and locked for 20 minutes", case=taken.name))
    return f"/{taken.kind}/{taken.subject}"
