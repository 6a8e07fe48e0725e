"""Closing a case and opening it again: outcome, reason, and a word for each item that was not done."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update

from graph.errors import RingroadError
from workbench.casebook.cases import OUTCOMES
from workbench.services.all import Services
from workbench.services.cases.checklists import Standing
from workbench.ui import guard, ids
from workbench.ui.callbacks.case_common import done, modal, number_of, seen_of
from workbench.ui.components.case_actions import CLOSE, REOPEN
from workbench.ui.i18n import errors, language, t
from workbench.ui.viewmodel import case_words as words

MODAL, OUTCOME, REASON, MISSING, DO = (
    "case-close-modal",
    "case-outcome",
    "case-close-why",
    "case-missing",
    "case-close-do",
)
TROUBLE = "case-close-no"
INSTEAD = {"t": "case-instead", "item": ALL}
AGAIN, AGAIN_WHY, AGAIN_DO, AGAIN_NO = "case-again-modal", "case-again-why", "case-again-do", "case-again-no"


def dialog() -> Any:
    return html.Div([_closing(), _again()])


def _closing() -> Any:
    return modal(
        MODAL, t("Close the case"),
        dmc.RadioGroup(
            id=OUTCOME, label=t("What came out"), value=None,
            children=dmc.Group([dmc.Radio(words.of(words.OUTCOME, each), value=each) for each in OUTCOMES], mt=4),
        ),
        html.P(t("The outcome of the case labels nobody: members are labelled one by one."), className="cs-by"),
        html.Div(id=MISSING),
        dmc.Textarea(debounce=True, id=REASON, label=t("Reason"), autosize=True, minRows=2, mt=10),
        html.Div(id=TROUBLE, className="cs-trouble", role="alert"),
        dmc.Button(t("Close the case"), id=DO, fullWidth=True, mt=12),
        size=640,
    )  # fmt: skip


def _again() -> Any:
    return modal(
        AGAIN, t("Open the case again"),
        dmc.Textarea(
            debounce=True, id=AGAIN_WHY, label=t("Reason"), autosize=True, minRows=2, **{"data-autofocus": True}
        ),
        html.Div(id=AGAIN_NO, className="cs-trouble", role="alert"),
        dmc.Button(t("Open again"), id=AGAIN_DO, fullWidth=True, mt=12),
    )  # fmt: skip


def missing(told: tuple[Standing, ...]) -> Any:
    """For each item that is open, where to say why."""
    if not told:
        return []
    asked = [
        dmc.TextInput(
            id={"t": "case-instead", "item": each.item.key}, debounce=True, size="xs", mt=6,
            label=each.item.said(language.get()),
            placeholder=t("Not done because…"),
        )
        for each in told
    ]  # fmt: skip
    return html.Div([html.H3(t("Still open: say why each is not done")), *asked], className="cs-missing")


def register(app: Dash, services: Services) -> None:
    _close(app, services)
    _reopen(app, services)


def _close(app: Dash, services: Services) -> None:
    @app.callback(
        Output(MODAL, "opened"),
        Output(OUTCOME, "value"),
        Output(REASON, "value"),
        Output(TROUBLE, "children"),
        Input(CLOSE, "n_clicks"),
        prevent_initial_call=True,
    )
    def opened(clicks: int | None) -> tuple[Any, ...]:
        return (True, None, "", "") if clicks else (no_update,) * 4

    @app.callback(
        Output(MISSING, "children"), Input(OUTCOME, "value"), State(ids.CASE, "data"), prevent_initial_call=True
    )
    def open_items(outcome: str | None, case: dict[str, Any] | None) -> Any:
        if not outcome or not case:
            return []
        return missing(services.closing.missing(guard.person(), number_of(case), outcome))

    @app.callback(
        Output(MODAL, "opened", allow_duplicate=True),
        Output(TROUBLE, "children", allow_duplicate=True),
        Input(DO, "n_clicks"),
        State(OUTCOME, "value"),
        State(REASON, "value"),
        State(INSTEAD, "value"),
        State(ids.CASE, "data"),
        running=[(Output(DO, "loading"), True, False)],
        prevent_initial_call=True,
    )
    def close(
        clicks: int | None, outcome: str | None, reason: str | None, said: list[str | None], case: dict[str, Any] | None
    ) -> tuple[Any, Any]:
        if not clicks:
            return no_update, no_update
        instead = {each["id"]["item"]: text or "" for each, text in zip(ctx.states_list[2], said, strict=True)}
        if not outcome:
            return no_update, t("Say what came out.")
        try:
            services.closing.close(
                guard.person(), number_of(case), outcome=outcome, reason=reason or "", instead=instead,
                seen=seen_of(case),
            )  # fmt: skip
        except RingroadError as error:
            guard.denied(error)
            return no_update, errors.told(error.message)
        done(t("Closed: {outcome}", outcome=words.of(words.OUTCOME, outcome)))
        return False, ""


def _reopen(app: Dash, services: Services) -> None:
    @app.callback(
        Output(AGAIN, "opened"),
        Output(AGAIN_WHY, "value"),
        Output(AGAIN_NO, "children"),
        Input(REOPEN, "n_clicks"),
        prevent_initial_call=True,
    )
    def asked(clicks: int | None) -> tuple[Any, ...]:
        return (True, "", "") if clicks else (no_update,) * 3

    @app.callback(
        Output(AGAIN, "opened", allow_duplicate=True),
        Output(AGAIN_NO, "children", allow_duplicate=True),
        Input(AGAIN_DO, "n_clicks"),
        State(AGAIN_WHY, "value"),
        State(ids.CASE, "data"),
        prevent_initial_call=True,
    )
    def again(clicks: int | None, why: str | None, case: dict[str, Any] | None) -> tuple[Any, Any]:
        if not clicks:
            return no_update, no_update
        try:
            services.cases.reopen(guard.person(), {number_of(case): seen_of(case)}, why or "")
        except RingroadError as error:
            guard.denied(error)
            return no_update, errors.told(error.message)
        done(t("Open again"))
        return False, ""
