"""Labels all applications of the cases that are chosen in the queue: the same form, in a dialog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from graph.errors import RingroadError
from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui import guard, ids
from workbench.ui.callbacks import feedback_form as form
from workbench.ui.callbacks.feedback_label import new_key, sentence, verdict
from workbench.ui.callbacks.queue_act import selection
from workbench.ui.components import decision
from workbench.ui.i18n import errors, t
from workbench.ui.toasts import tell

PREFIX = "bulk-"
OPEN, MODAL, KEY, TROUBLE, ABOUT = (f"{PREFIX}label-{each}" for each in ("open", "modal", "key", "trouble", "about"))


def bulk(_services: Services, who: Person) -> list[Any]:
    """For the bar over the queue."""
    if not who.may(Act.WORK):
        return []
    return [
        html.Button(t("Label…"), id=OPEN, className="q-chip", type="button"),
        dmc.Modal(
            id=MODAL,
            title=t("Label all applications of these cases"),
            centered=True,
            size=460,
            children=[
                dcc.Store(id=KEY, data=new_key()),
                html.Div(
                    t("Of a ring all that are in it now. Look at each: somebody in it may know nothing."),
                    className="why-note",
                ),
                decision.form(PREFIX),
                html.Div(id=TROUBLE, className="mark-trouble", role="alert"),
            ],
        ),
    ]


def count(chosen: Mapping[str, Any]) -> int:
    """Of cases; how many applications they hold is known when they are labelled."""
    return int(chosen.get("count") or len(chosen.get("seen") or ()))


def button(cases: int) -> str:
    return t("Label those of 1 case") if cases == 1 else t("Label those of {count} cases", count=cases)


def register(app: Dash, services: Services) -> None:
    form.fill(app, PREFIX, Input(ids.QUEUE_CHOSEN, "data"), count, button)

    @app.callback(
        Output(MODAL, "opened"),
        Output(TROUBLE, "children"),
        Input(OPEN, "n_clicks"),
        prevent_initial_call=True,
    )
    def ask(clicks: int | None) -> tuple[Any, Any]:
        return (True, "") if clicks else (no_update, no_update)

    @app.callback(
        Output(MODAL, "opened", allow_duplicate=True),
        Output(TROUBLE, "children", allow_duplicate=True),
        Output(KEY, "data"),
        Output(ids.QUEUE_CHANGED, "data", allow_duplicate=True),
        Input(PREFIX + form.SUBMIT, "n_clicks"),
        State(KEY, "data"),
        State(ids.QUEUE_CHOSEN, "data"),
        State(PREFIX + form.LABEL, "value"),
        State(PREFIX + form.TYPOLOGY, "value"),
        State(PREFIX + form.EVIDENCE, "value"),
        State(PREFIX + form.SOURCE, "value"),
        State(PREFIX + form.MATURITY, "checked"),
        State(PREFIX + form.NOTE, "value"),
        running=[(Output(PREFIX + form.SUBMIT, "loading"), True, False)],
        prevent_initial_call=True,
    )
    def label(clicks: int | None, key: str, chosen: Any, *said: Any) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 4
        try:
            done = services.feedback.propose_on_cases(
                guard.person(), selection(chosen), verdict(*said), request_key=key
            )
        except RingroadError as error:
            guard.denied(error)
            return True, errors.told(error.message), no_update, no_update
        tell(sentence(done))
        return False, "", new_key(), done.ids[-1]
