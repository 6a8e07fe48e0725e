"""Fills the why panel: of another subject, as of another time, or after somebody decided something."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from graph.errors import RingroadError
from workbench.services.all import Services
from workbench.services.permissions import Act
from workbench.services.reasons.desks import PREPARING
from workbench.services.subject import RING, Subject
from workbench.ui import guard, ids
from workbench.ui.components.why_application import application, steps
from workbench.ui.components.why_parts import Lights
from workbench.ui.components.why_ring import knowledge, ring
from workbench.ui.i18n import errors, t

BODY, LIGHTS, TICK, TODO = "why-body", "why-lights", "why-tick", "why-todo"

Filled = tuple[Any, dict[str, Any], bool, Any]


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"),
        Output(LIGHTS, "data"),
        Output(TICK, "disabled"),
        Output(TODO, "children"),
        Input(ids.SUBJECT, "data"),
        Input(ids.AS_OF, "data"),
        Input(ids.CHANGED, "data"),
        Input(TICK, "n_intervals"),
        State(LIGHTS, "data"),
        prevent_initial_call=True,
    )
    def show(subject: Any, as_of: Any, _changed: Any, _ticks: Any, _lights: Any) -> Any:
        if not subject:
            return no_update, no_update, True, no_update
        return shown(services, Subject(subject["kind"], subject["name"]), as_of)


def shown(services: Services, subject: Subject, as_of: str | None) -> Filled:
    """What the panel holds, what its lines light, whether nothing more is to come, and what to do next."""
    lights, who = Lights(), guard.person()
    try:
        if subject.kind == RING:
            moment = datetime.fromisoformat(as_of) if as_of else None
            found = services.reasons.of_ring(who, subject.name, moment)
            body = ring(found, lights, may=who.may(Act.WORK))
            return body, lights.told, True, knowledge(found.ring["typology"])
        why = services.reasons.of_application(who, subject.name)
        return application(why, lights), lights.told, why.explained.desk != PREPARING, steps(why)
    except RingroadError as error:
        guard.denied(error)
        return nothing(errors.told(error.message)), {}, True, None


def nothing(why: str) -> html.Div:
    return html.Div(className="rr-empty", children=[html.H2(t("Nothing to explain")), html.P(why)])
