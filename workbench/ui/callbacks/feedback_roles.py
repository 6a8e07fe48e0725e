"""Says who plays which role in a ring, or that somebody plays none."""

from __future__ import annotations

from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update

from graph.errors import InputError, RingroadError
from workbench.casebook import roles
from workbench.services.all import Services
from workbench.services.feedback.marks import ref_of
from workbench.services.permissions import Act, Person
from workbench.services.subject import RING
from workbench.ui import guard, ids
from workbench.ui.callbacks.feedback_label import changed
from workbench.ui.components import marks as dialog
from workbench.ui.i18n import errors, t
from workbench.ui.toasts import tell
from workbench.ui.viewmodel import sentences

ANYBODY = "new"
"""Asked for nobody in particular: the dialog lets choose."""


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(dialog.ROLE_ASK, "data", allow_duplicate=True),
        Input({"t": "role-ask", "id": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def pressed(clicks: list[int | None]) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update
        return {"id": ctx.triggered_id["id"], "ts": sum(each or 0 for each in clicks)}

    @app.callback(
        Output(dialog.ROLE_MODAL, "opened"),
        Output(dialog.ROLE_THING, "data"),
        Output(dialog.ROLE_THING, "value"),
        Output(dialog.ROLE_CHOICE, "value"),
        Output(dialog.ROLE_REASON, "value"),
        Output(dialog.ROLE_TROUBLE, "children"),
        Input(dialog.ROLE_ASK, "data"),
        State(ids.SUBJECT, "data"),
        State(ids.SELECTED, "data"),
        prevent_initial_call=True,
    )
    def ask(asked: Any, subject: Any, selected: list[str] | None) -> tuple[Any, ...]:
        if not asked or not subject or subject["kind"] != RING:
            return (no_update,) * 6
        who = guard.person()
        who.require(Act.WORK)
        things = candidates(services, who, str(subject["name"]), asked["id"])
        chosen = asked["id"] if asked["id"] != ANYBODY else next(iter(selected or ()), None)
        known = {each["value"] for each in things}
        return True, things, chosen if chosen in known else None, None, "", ""

    @app.callback(
        Output(dialog.ROLE_MODAL, "opened", allow_duplicate=True),
        Output(dialog.ROLE_TROUBLE, "children", allow_duplicate=True),
        Input(dialog.ROLE_DO, "n_clicks"),
        State(dialog.ROLE_THING, "value"),
        State(dialog.ROLE_CHOICE, "value"),
        State(dialog.ROLE_REASON, "value"),
        State(ids.SUBJECT, "data"),
        running=[(Output(dialog.ROLE_DO, "loading"), True, False)],
        prevent_initial_call=True,
    )
    def act(clicks: int | None, thing: Any, role: Any, reason: Any, subject: Any) -> tuple[Any, str]:
        if not clicks or not subject:
            return no_update, ""
        try:
            said(services, str(subject["name"]), thing, role, reason or "")
        except RingroadError as error:
            guard.denied(error)
            return True, errors.told(error.message)
        tell(t("On record; the canvas shows it."))
        changed("role")
        return False, ""


def said(services: Services, ring_id: str, thing: Any, role: Any, reason: str) -> None:
    if not thing or not role:
        raise InputError("choose who, and which role")
    if not reason.strip():
        raise InputError("state what it rests on; whoever reads it was not there")
    told = roles.NONE if role == dialog.NOBODY else str(role)
    services.rings.assign_role(guard.person(), ring_id, ref_of(str(thing)), told, reason=reason)


def candidates(services: Services, who: Person, ring_id: str, asked: str) -> list[dict[str, str]]:
    """What the ring holds, by masked names: applications, what they share, who was given a role, what was picked."""
    ring = services.rings.ring(who, ring_id)
    found = {f"Application~{each}": sentences.typed("Application", each) for each in ring["application_ids"]}
    found |= {f"{each['type']}~{each['key']}": sentences.typed(each["type"], each["masked"]) for each in ring["shared"]}
    played = ring["scheme_roles"]
    found |= {f"{each['type']}~{each['key']}": sentences.typed(each["type"], each["who"]) for each in played}
    if asked != ANYBODY and asked not in found:
        ref = ref_of(asked)
        found[asked] = sentences.typed(ref.type, services.marks.masked(ref))
    return [{"value": value, "label": text} for value, text in found.items()]
