"""Taking a case, how its work stands, until when, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update

from graph.errors import InputError, RingroadError
from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui import guard, ids
from workbench.ui.callbacks.case_common import done, modal, number_of, seen_of
from workbench.ui.components.case_actions import ASSIGN, DEADLINE, SNOOZE, STATUS, TAKE
from workbench.ui.i18n import CHINA, errors, t
from workbench.ui.viewmodel import case_words as words

DATE, REASON, WHO = "case-work-date", "case-work-reason", "case-work-who"


def dialog() -> Any:
    return html.Div(
        [
            _modal(DEADLINE, t("Deadline"), _time(DEADLINE, t("To be settled by"), clearable=True), t("Save")),
            _modal(SNOOZE, t("Snooze"), _time(SNOOZE, t("Out of sight until")), t("Snooze"), _reason(SNOOZE)),
            _modal(ASSIGN, t("Assign"), dmc.Select(id=WHO, label=t("To whom"), data=[], searchable=True), t("Assign")),
        ]
    )


def _modal(name: str, title: str, field: Any, act: str, *more: Any) -> Any:
    return modal(
        f"{name}-modal", title,
        field, *more, html.Div(id=f"{name}-no", className="cs-trouble", role="alert"),
        dmc.Button(act, id=f"{name}-do", fullWidth=True, mt=12),
        size=400,
    )  # fmt: skip


def _time(name: str, label: str, *, clearable: bool = False) -> Any:
    return dmc.DateTimePicker(
        id=f"{name}-date", label=label, valueFormat="YYYY-MM-DD HH:mm", clearable=clearable,
        placeholder=t("Day and time"), popoverProps={"withRoles": False},
        ariaLabels={"previousMonth": t("Month before"), "nextMonth": t("Month after"),
                    "monthLevelControl": t("Choose the month"), "yearLevelControl": t("Choose the year")},
        submitButtonProps={"aria-label": t("Take this time")}, clearButtonProps={"aria-label": t("No time")},
    )  # fmt: skip


def _reason(name: str) -> Any:
    return dmc.Textarea(debounce=True, id=f"{name}-reason", label=t("Reason"), autosize=True, minRows=2, mt=8)


def moment(text: str | None) -> datetime | None:
    """Of a picker, which knows no zone: China's time."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=CHINA)
    except ValueError:
        raise InputError("this is no time; choose one from the calendar") from None


def register(app: Dash, services: Services) -> None:
    _quick(app, services)
    _opening(app, services)

    def on(name: str, *fields: State) -> Callable[[Callable[..., str]], None]:
        """Registers what a dialog's button does: its answer is told, a refusal stands in the dialog."""

        def registered(act: Callable[..., str]) -> None:
            @app.callback(
                Output(f"{name}-modal", "opened", allow_duplicate=True),
                Output(f"{name}-no", "children", allow_duplicate=True),
                Input(f"{name}-do", "n_clicks"),
                State(ids.CASE, "data"),
                *fields,
                prevent_initial_call=True,
            )
            def said(clicks: int | None, case: dict[str, Any] | None, *values: Any) -> tuple[Any, Any]:
                if not clicks:
                    return no_update, no_update
                try:
                    done(act(guard.person(), {number_of(case): seen_of(case)}, *values))
                except RingroadError as error:
                    guard.denied(error)
                    return no_update, errors.told(error.message)
                return False, ""

        return registered

    @on(DEADLINE, State(f"{DEADLINE}-date", "value"))
    def deadline(who: Person, chosen: dict[int, int], at: str | None) -> str:
        services.cases.set_deadline(who, chosen, moment(at))
        return t("Deadline set") if at else t("No deadline any more")

    @on(SNOOZE, State(f"{SNOOZE}-date", "value"), State(f"{SNOOZE}-reason", "value"))
    def snooze(who: Person, chosen: dict[int, int], at: str | None, why: str | None) -> str:
        until = moment(at)
        if until is None:
            raise InputError("choose until when")
        services.cases.snooze(who, chosen, until, why or "")
        return t("Snoozed")

    @on(ASSIGN, State(WHO, "value"))
    def assign(who: Person, chosen: dict[int, int], name: str | None) -> str:
        services.cases.assign(who, chosen, "" if name in (None, NOBODY) else str(name))
        return t("Assigned")


NOBODY = "-"


def _quick(app: Dash, services: Services) -> None:
    @app.callback(Input(TAKE, "n_clicks"), State(ids.CASE, "data"), prevent_initial_call=True)
    def take(clicks: int | None, case: dict[str, Any] | None) -> None:
        if clicks:
            services.cases.take(guard.person(), number_of(case))
            done(t("It is yours"))

    @app.callback(Input({"t": STATUS, "to": ALL}, "n_clicks"), State(ids.CASE, "data"), prevent_initial_call=True)
    def status(_clicks: list[int | None], case: dict[str, Any] | None) -> None:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            return
        to = str(ctx.triggered_id["to"])
        services.cases.set_status(guard.person(), {number_of(case): seen_of(case)}, to)
        done(words.of(words.STATUS, to))


def _opening(app: Dash, services: Services) -> None:
    @app.callback(
        Output(f"{DEADLINE}-modal", "opened"),
        Output(f"{DEADLINE}-date", "value"),
        Output(f"{DEADLINE}-no", "children"),
        Input(DEADLINE, "n_clicks"),
        State(ids.CASE, "data"),
        prevent_initial_call=True,
    )
    def deadline(clicks: int | None, case: dict[str, Any] | None) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 3
        at = services.cases.get(guard.person(), number_of(case)).deadline
        return True, f"{at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}" if at else None, ""

    @app.callback(
        Output(f"{SNOOZE}-modal", "opened"),
        Output(f"{SNOOZE}-date", "value"),
        Output(f"{SNOOZE}-reason", "value"),
        Output(f"{SNOOZE}-no", "children"),
        Input(SNOOZE, "n_clicks"),
        prevent_initial_call=True,
    )
    def snooze(clicks: int | None) -> tuple[Any, ...]:
        return (True, None, "", "") if clicks else (no_update,) * 4

    @app.callback(
        Output(f"{ASSIGN}-modal", "opened"),
        Output(WHO, "data"),
        Output(WHO, "value"),
        Output(f"{ASSIGN}-no", "children"),
        Input(ASSIGN, "n_clicks"),
        State(ids.CASE, "data"),
        prevent_initial_call=True,
    )
    def assign(clicks: int | None, case: dict[str, Any] | None) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 4
        who = guard.person()
        owner = services.cases.get(who, number_of(case)).assignee
        people = services.casefiles.workers(who) if who.may(Act.ASSIGN) else []
        nobody = [{"value": NOBODY, "label": t("Nobody: back to the queue")}]
        shown = [{"value": name, "label": f"{said} @{name}"} for name, said in people]
        return True, nobody + shown, owner or NOBODY, ""
