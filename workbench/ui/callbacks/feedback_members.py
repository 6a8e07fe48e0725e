"""Whom a label is about: the members of the ring, each with what was said of it, or the one application."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html, no_update

from graph.errors import RingroadError
from workbench.casebook.labels import Said
from workbench.services.all import Services
from workbench.services.subject import RING, Subject
from workbench.ui import guard, ids
from workbench.ui.aria import data
from workbench.ui.callbacks.feedback_form import CHOSEN
from workbench.ui.clientside import clientside
from workbench.ui.components import why_parts as parts
from workbench.ui.components.why_parts import Lights
from workbench.ui.i18n import errors, t
from workbench.ui.viewmodel import verdict_words

BODY, LIGHTS, ALL, CANVAS = "decide-members", "decide-lights", "decide-all", "decide-canvas"


def head(subject: Subject) -> html.Div:
    if subject.kind != RING:
        return html.Div(html.H2(t("Whom is it about?"), className="rr-h"), className="why-head")
    return html.Div(
        className="why-head",
        children=[
            html.H2(t("Whom is it about?"), className="rr-h"),
            html.Span(
                [
                    html.Button(t("All"), id=ALL, className="why-action", type="button"),
                    html.Button(t("As on the canvas"), id=CANVAS, className="why-action", type="button"),
                ]
            ),
        ],
    )


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"),
        Output(CHOSEN, "value"),
        Output(LIGHTS, "data"),
        Input(ids.SUBJECT, "data"),
        Input(ids.CHANGED, "data"),
        Input(ids.AS_OF, "data"),
        State(CHOSEN, "value"),
        prevent_initial_call=True,
    )
    def members(subject: Any, _changed: Any, as_of: str | None, chosen: list[str] | None) -> Any:
        if not subject:
            return no_update, no_update, no_update
        kept = () if ctx.triggered_id == ids.SUBJECT else chosen or ()
        return shown(services, Subject(subject["kind"], subject["name"]), as_of, kept)

    clientside(
        app, "decide.all", Output(CHOSEN, "value", allow_duplicate=True), Input(ALL, "n_clicks"),
        State(CHOSEN, "value"), State(LIGHTS, "data"), prevent_initial_call=True,
    )  # fmt: skip
    clientside(
        app, "decide.selected", Output(CHOSEN, "value", allow_duplicate=True), Input(CANVAS, "n_clicks"),
        State(ids.SELECTED, "data"), State(LIGHTS, "data"), prevent_initial_call=True,
    )  # fmt: skip


def shown(
    services: Services, subject: Subject, as_of: str | None, chosen: Sequence[str]
) -> tuple[Any, list[str], dict[str, Any]]:
    who = guard.person()
    try:
        names = _members(services, subject, as_of)
    except RingroadError as error:
        return parts.note(errors.told(error.message)), [], {}
    said, lights = services.feedback.said(who, names), Lights("m")
    kept = [each for each in chosen if each in names] if subject.kind == RING else names
    rows = [_member(each, said.get(each, ()), lights) for each in names]
    return html.Div(rows, className="decide-members"), kept, lights.told


def _members(services: Services, subject: Subject, as_of: str | None) -> list[str]:
    if subject.kind != RING:
        return [subject.name]
    at = datetime.fromisoformat(as_of) if as_of else None
    return list(services.rings.members(guard.person(), subject.name, at))


def _member(name: str, said: Sequence[Said], lights: Lights) -> html.Div:
    text, colour = verdict_words.badge(said)
    key = lights.add([f"Application~{name}"], [])
    told = verdict_words.history(said)
    return html.Div(
        className="decide-member",
        children=[
            dmc.Checkbox(value=name, label=html.Span(name, className="rr-num"), size="xs", radius="sm"),
            html.Details(
                [
                    html.Summary(parts.badge(text, colour)),
                    html.Ul([html.Li(each) for each in told], className="decide-history"),
                ],
                className="decide-said",
            )
            if text
            else None,
        ],
        **data(why_lit=key),
    )
