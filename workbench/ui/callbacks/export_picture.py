"""Before the browser draws a picture that leaves, the log has who takes it; the answer brings the line at its foot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, no_update

from graph.errors import InputError
from workbench.services.all import Services
from workbench.services.subject import Subject
from workbench.ui import guard
from workbench.ui.callbacks.canvas_open import moment
from workbench.ui.clientside import clientside
from workbench.ui.viewmodel import exported

REQUEST, PERMIT, SINK = "export-picture-req", "export-picture-permit", "export-sink"
STORES = (REQUEST, PERMIT, SINK)


def register(app: Dash, services: Services) -> None:
    @app.callback(Output(PERMIT, "data"), Input(REQUEST, "data"), prevent_initial_call=True)
    def wanted(asked: Any) -> Any:
        return permit(services, asked) if asked else no_update

    clientside(app, "exports.draw", Output(SINK, "data"), Input(PERMIT, "data"), prevent_initial_call=True)


def permit(services: Services, asked: Mapping[str, Any]) -> dict[str, Any]:
    subject, kind = asked.get("subject") or {}, str(asked.get("kind"))
    about = Subject(str(subject.get("kind")), str(subject.get("name")))
    nodes, edges = (_count(asked.get(each)) for each in ("nodes", "edges"))
    stamp = services.exports.picture(
        guard.person(), about, kind, nodes=nodes, edges=edges, as_of=moment(asked.get("as_of"))
    )
    foot, name = exported.footer(stamp), exported.file_name(stamp, kind)
    return {"kind": kind, "footer": foot, "name": name, "subject": about.name, "ts": asked.get("ts")}


def _count(told: object) -> int:
    if not isinstance(told, int) or isinstance(told, bool):
        raise InputError("the canvas asks for something that there is not; reload the page")
    return told
