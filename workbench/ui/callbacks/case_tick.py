"""The checklist: tick, say why something is not done, add an item of one's own."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from graph.errors import RingroadError
from workbench.casebook.casefile import DONE, NOT_DONE, OPEN
from workbench.services.all import Services
from workbench.ui import guard, ids
from workbench.ui.aria import aria
from workbench.ui.callbacks.case_common import changed, done, modal, number_of
from workbench.ui.i18n import errors, t

TICK = {"t": "case-tick", "item": ALL, "before": ALL}
SKIP = {"t": "case-skip", "item": ALL, "before": ALL}
MODAL, ASKED, WHY, SAY, TROUBLE = "case-skip-modal", "case-skip-asked", "case-skip-why", "case-skip-say", "case-skip-no"
ITEM, ADD = "case-item-text", "case-item-add"


def dialog() -> Any:
    return modal(
        MODAL, t("Why is this not done?"),
        dcc.Store(id=ASKED),
        dmc.Textarea(debounce=True, id=WHY, label=t("Reason"), autosize=True, minRows=2,
                     description=t("It stands in the case and in the audit log."), **{"data-autofocus": True}),
        html.Div(id=TROUBLE, className="cs-trouble", role="alert"),
        dmc.Button(t("Put on record"), id=SAY, fullWidth=True, mt=12),
    )  # fmt: skip


def adder() -> Any:
    return html.Div(
        [
            dmc.TextInput(id=ITEM, debounce=True, placeholder=t("An item of your own"), size="xs",
                          **aria(label=t("New item of the checklist"))),
            dmc.Button(t("Add"), id=ADD, size="xs", variant="default"),
        ],
        className="cs-row",
    )  # fmt: skip


def register(app: Dash, services: Services) -> None:
    @app.callback(Input(TICK, "n_clicks"), State(ids.CASE, "data"), prevent_initial_call=True)
    def tick(_clicks: list[int | None], case: dict[str, Any] | None) -> None:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            return  # the list was drawn, nobody clicked
        one = ctx.triggered_id
        state = OPEN if one["before"] in (DONE, NOT_DONE) else DONE
        services.casefiles.tick(guard.person(), number_of(case), one["item"], state, before=one["before"])
        changed()

    @app.callback(
        Output(MODAL, "opened"),
        Output(ASKED, "data"),
        Output(WHY, "value"),
        Output(TROUBLE, "children"),
        Input(SKIP, "n_clicks"),
        prevent_initial_call=True,
    )
    def ask(_clicks: list[int | None]) -> tuple[Any, ...]:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            return (no_update,) * 4
        return True, {"item": ctx.triggered_id["item"], "before": ctx.triggered_id["before"]}, "", ""

    @app.callback(
        Output(MODAL, "opened", allow_duplicate=True),
        Output(TROUBLE, "children", allow_duplicate=True),
        Input(SAY, "n_clicks"),
        State(ASKED, "data"),
        State(WHY, "value"),
        State(ids.CASE, "data"),
        prevent_initial_call=True,
    )
    def say(clicks: int | None, one: dict[str, str] | None, why: str | None, case: dict[str, Any] | None) -> Any:
        if not clicks or not one:
            return no_update, no_update
        try:
            services.casefiles.tick(
                guard.person(), number_of(case), one["item"], NOT_DONE, before=one["before"], because=why or ""
            )
        except RingroadError as error:
            guard.denied(error)
            return no_update, errors.told(error.message)
        changed()
        return False, ""

    @app.callback(
        Output(ITEM, "value"),
        Input(ADD, "n_clicks"),
        Input(ITEM, "n_submit"),
        State(ITEM, "value"),
        State(ids.CASE, "data"),
        prevent_initial_call=True,
    )
    def add(clicks: int | None, entered: int | None, text: str | None, case: dict[str, Any] | None) -> Any:
        if not (clicks or entered) or not (text or "").strip():
            return no_update
        services.casefiles.add_item(guard.person(), number_of(case), text or "")
        done(t("Added to the checklist"))
        return ""
