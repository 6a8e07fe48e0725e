"""One identifier in the clear: asks why, shows it for half a minute, and masks it again.

Opened from anywhere by writing `ids.REVEAL`: {"type", "key", "masked", "ts"}.
"""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from graph.errors import RingroadError
from graph.ontology import NODES
from workbench.services.all import Services
from workbench.services.permissions import Act
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside
from workbench.ui.i18n import errors, language, t

MODAL, WHAT, FORM, REASON, ASK = "reveal-modal", "reveal-what", "reveal-form", "reveal-reason", "reveal-ask"
TROUBLE, VALUE, LEFT, HIDDEN = "reveal-trouble", "reveal-value", "reveal-left", "reveal-hidden"
WORDS = "reveal-words"


def dialog() -> Any:
    """Once in the frame of all pages."""
    return html.Div(
        [
            dcc.Store(id=ids.REVEAL),
            dcc.Store(id=HIDDEN),
            dcc.Store(id=WORDS, data=[t("Hidden again in {seconds} s", seconds="{}"), t("Masked again.")]),
            dmc.Modal(
                id=MODAL,
                title=t("Show an identifier"),
                centered=True,
                size=440,
                children=[
                    html.Div(id=WHAT, className="rv-what"),
                    html.Div(id=VALUE, className="rv-value", role="status"),
                    html.Div(id=LEFT, className="rv-left"),
                    html.Div(id=FORM, className="rv-form", children=_form()),
                    html.Div(id=TROUBLE, className="rv-trouble", role="alert"),
                ],
            ),
        ]
    )


def _form() -> list[Any]:
    return [
        dmc.Textarea(
            id=REASON,
            debounce=True,
            label=t("Why do you need to see it?"),
            description=t("It goes into the audit log with your name, before anything is shown."),
            placeholder=t("Compare with the number on the payslip"),
            autosize=True,
            minRows=2,
            maxRows=5,
            **{"data-autofocus": True},
        ),
        dmc.Button(t("Put on record and show"), id=ASK, fullWidth=True, mt=12),
    ]


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(MODAL, "opened"),
        Output(WHAT, "children"),
        Output(REASON, "value"),
        Output(FORM, "style"),
        Output(TROUBLE, "children"),
        Output(VALUE, "children"),
        Output(LEFT, "children"),
        Input(ids.REVEAL, "data"),
        prevent_initial_call=True,
    )
    def opened(asked: dict[str, Any] | None) -> tuple[Any, ...]:
        if not asked:
            return (no_update,) * 7
        may = guard.person().may(Act.REVEAL)
        style = {} if may else {"display": "none"}
        trouble = "" if may else t("Your role sees identifiers masked; ask a senior investigator.")
        return True, what(asked), "", style, trouble, "", ""

    @app.callback(
        Output(VALUE, "children", allow_duplicate=True),
        Output(FORM, "style", allow_duplicate=True),
        Output(TROUBLE, "children", allow_duplicate=True),
        Input(ASK, "n_clicks"),
        State(ids.REVEAL, "data"),
        State(REASON, "value"),
        running=[(Output(ASK, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def ask(_clicks: int, asked: dict[str, Any] | None, reason: str | None) -> tuple[Any, ...]:
        if not asked:
            return (no_update,) * 3
        try:
            value = services.reveals.reveal(guard.person(), str(asked["type"]), str(asked["key"]), reason or "")
        except RingroadError as error:
            guard.denied(error)
            return "", no_update, errors.told(error.message)
        return value, {"display": "none"}, ""

    clientside(app, "reveal.count", Output(HIDDEN, "data"), Input(VALUE, "children"), State(WORDS, "data"))
    clientside(app, "reveal.closed", Output(HIDDEN, "data", allow_duplicate=True), Input(MODAL, "opened"),
               prevent_initial_call=True)  # fmt: skip


def what(asked: dict[str, Any]) -> list[Any]:
    kind = NODES.get(str(asked.get("type")))
    name = "" if kind is None else kind.zh if language.get() == "zh" else kind.en
    return [html.Span(name, className="rr-soft"), html.Span(str(asked.get("masked") or ""), className="rv-masked")]
