"""What stands on the graph as GraphML, made by the server from the ids that the browser names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, no_update

from workbench.services.all import Services
from workbench.services.canvas.exports import GRAPH, MOST
from workbench.services.canvas.graph_shapes import refs_of
from workbench.services.subject import Subject
from workbench.ui import downloads, guard
from workbench.ui.callbacks.canvas_open import moment
from workbench.ui.viewmodel import exported

REQUEST, DOWNLOAD = "export-graph-req", "export-graph-file"
STORES = (REQUEST,)


def register(app: Dash, services: Services) -> None:
    @app.callback(Output(DOWNLOAD, "data"), Input(REQUEST, "data"), prevent_initial_call=True)
    def wanted(asked: Any) -> Any:
        return file(services, asked) if asked else no_update


def file(services: Services, asked: Mapping[str, Any]) -> Any:
    subject = asked.get("subject") or {}
    about = Subject(str(subject.get("kind")), str(subject.get("name")))
    refs = refs_of(asked.get("ids") or (), most=MOST + 1)
    taken = services.exports.graph(guard.person(), about, refs, as_of=moment(asked.get("as_of")))
    return downloads.file(exported.graphml(taken), exported.file_name(taken.stamp, GRAPH))
