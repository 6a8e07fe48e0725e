"""The table of what is in view, as a file that the server makes: only it knows that everything in it is masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, no_update

from workbench.services.all import Services
from workbench.services.canvas.exports import MOST
from workbench.services.canvas.graph_shapes import refs_of
from workbench.services.subject import Subject
from workbench.ui import downloads, guard
from workbench.ui.callbacks.canvas_open import moment
from workbench.ui.viewmodel import exported

REQUEST, DOWNLOAD = "export-table-req", "export-table-file"
STORES = (REQUEST,)
MAKE = {"csv": exported.csv, "xlsx": exported.xlsx}


def register(app: Dash, services: Services) -> None:
    @app.callback(Output(DOWNLOAD, "data"), Input(REQUEST, "data"), prevent_initial_call=True)
    def wanted(asked: Any) -> Any:
        return file(services, asked) if asked else no_update


def file(services: Services, asked: Mapping[str, Any]) -> Any:
    kind, subject = str(asked.get("kind")), asked.get("subject") or {}
    about = Subject(str(subject.get("kind")), str(subject.get("name")))
    refs = refs_of(asked.get("ids") or (), most=MOST + 1)
    taken = services.exports.table(guard.person(), about, kind, refs, as_of=moment(asked.get("as_of")))
    return downloads.file(MAKE[kind](taken), exported.file_name(taken.stamp, kind))
