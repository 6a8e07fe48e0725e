"""The chosen node is told in full; again when time or opinions move."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State

from graph.errors import NodeNotFound
from workbench.services.all import Services
from workbench.services.canvas.graph_shapes import refs_of
from workbench.services.subject import RING
from workbench.ui import guard, ids
from workbench.ui.callbacks.canvas_open import moment
from workbench.ui.clientside import clientside
from workbench.ui.i18n import errors

BODY = "entity-body"
STORES = ("entity-sink",)
MANY = 500


def register(app: Dash, services: Services, *, shown: Callable[..., list[Any]], nothing: Callable[..., Any]) -> None:
    """`shown` and `nothing` draw."""

    @app.callback(
        Output(BODY, "children"),
        Input(ids.SELECTED, "data"),
        Input(ids.AS_OF, "data"),
        Input(ids.CHANGED, "data"),
        State(ids.SUBJECT, "data"),
        prevent_initial_call=True,
    )
    def chosen(selected: Sequence[str] | None, as_of: Any, _changed: Any, subject: Mapping[str, str] | None) -> Any:
        refs = refs_of(selected or (), most=MANY)
        if not refs:
            return nothing()
        ring = subject["name"] if subject and subject.get("kind") == RING else ""
        who = guard.person()
        try:
            one = services.entities.entity(who, refs[-1], as_of=moment(as_of), ring=ring)
        except NodeNotFound as error:
            return nothing(errors.told(error.message))
        return shown(who, one, others=len(refs) - 1)

    clientside(
        app,
        "entity.drawn",
        Output(STORES[0], "data"),
        Input(BODY, "children"),
        prevent_initial_call=True,
    )
