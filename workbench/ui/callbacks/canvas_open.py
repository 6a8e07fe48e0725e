"""Opens what SUBJECT names, as of AS_OF, and reads it again when CHANGED says that somebody decided something.

The browser writes one request (it alone knows what was added by hand), the server answers with the whole picture. A
page comes with its first picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from graph.errors import InputError, RingroadError
from graph.records import to_millis
from workbench.services.all import Services
from workbench.services.canvas.graph_shapes import element_id, refs_of
from workbench.services.canvas.investigate import CAP, Opened
from workbench.services.canvas.visits import Fresh
from workbench.services.subject import Subject
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside
from workbench.ui.components import subject_header
from workbench.ui.i18n import errors
from workbench.ui.viewmodel.elements import elements

SINK = "canvas-sink"


def register(app: Dash, services: Services) -> None:
    clientside(
        app,
        "canvas.wish",
        Output(ids.OPEN_REQ, "data"),
        Input(ids.SUBJECT, "data"),
        Input(ids.AS_OF, "data"),
        Input(ids.CHANGED, "data"),
        State(ids.OPENED, "data"),
    )
    clientside(app, "canvas.opened", Output("canvas-drawn", "data"), Input(ids.OPENED, "data"))

    @app.callback(
        Output(ids.OPENED, "data"),
        Output("inv-head", "children"),
        Output("canvas-title", "children"),
        Input(ids.OPEN_REQ, "data"),
        prevent_initial_call=True,
    )
    def opened(asked: Any) -> Any:
        return answer(services, asked) if asked else (no_update, no_update, no_update)


def answer(services: Services, asked: Mapping[str, Any]) -> tuple[dict[str, Any], Any, Any]:
    """The picture, the head of the panels and a title. What cannot be opened says why in its place."""
    who = guard.person()
    subject = Subject(str(asked["subject"].get("kind")), str(asked["subject"].get("name")))
    also = refs_of(asked.get("also") or (), most=CAP)
    try:
        found = services.investigate.open_subject(who, subject, as_of=moment(asked.get("as_of")), also=also)
    except RingroadError as error:
        guard.denied(error)
        why = errors.told(error.message)
        return _failed(asked, why), html.Header(html.H1(subject.name), className="inv-head"), subject.name
    head = subject_header.header(found, now=services.office.clock())
    fresh = Fresh() if asked.get("as_of") else services.visits.look(who, subject)
    anew = not asked.get("again") and not asked.get("as_of")
    view = services.last_views.last(who, subject) if anew else None
    return payload(found, asked, fresh) | {"view": view}, head, subject_header.title(found)


def payload(found: Opened, asked: Mapping[str, Any], fresh: Fresh) -> dict[str, Any]:
    drawn = {element_id(one.ref) for one in found.picture.nodes}
    return {
        "subject": {"kind": found.subject.kind, "name": found.subject.name},
        "as_of": asked.get("as_of"),
        "seen": None if fresh.since is None else to_millis(fresh.since),
        "elements": elements(found.picture, seen=fresh.since, joined=fresh.joined, as_of=found.as_of),
        "extra": [each for each in asked.get("also") or () if each in drawn],
        "left": dict(found.picture.left),
        "cut": dict(found.picture.cut),
        "ts": asked.get("ts"),
    }


def _failed(asked: Mapping[str, Any], why: str) -> dict[str, Any]:
    told = {"elements": [], "extra": [], "left": {}, "cut": {}, "error": why}
    return {"subject": asked["subject"], "as_of": asked.get("as_of"), "ts": asked.get("ts")} | told


def moment(text: object) -> datetime | None:
    """ISO text, or milliseconds since 1970; None for now. Raises InputError."""
    if text is None or text == "":
        return None
    try:
        if isinstance(text, int | float):
            return datetime.fromtimestamp(text / 1000, UTC)
        at = datetime.fromisoformat(str(text))
    except (ValueError, OverflowError, OSError):
        raise InputError("this is no time; move the slider, or choose a day") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
