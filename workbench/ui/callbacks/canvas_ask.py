"""Every gesture that needs the server writes one request; the answer is a delta that the browser merges.

One input for all gestures: of two inputs Dash drops the older answer, and an expansion would be lost in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dash import Dash, Input, Output, no_update

from graph.errors import InputError
from graph.records import NodeRef
from workbench.services.all import Services
from workbench.services.canvas.graph_expand import RISK, USUAL, Wish
from workbench.services.canvas.graph_shapes import edge_id, element_id, ref_of, refs_of
from workbench.services.canvas.investigate import CAP
from workbench.services.permissions import Person
from workbench.ui import guard, ids
from workbench.ui.callbacks.canvas_open import SINK, moment
from workbench.ui.clientside import clientside
from workbench.ui.viewmodel.elements import count, elements

Asked = Mapping[str, Any]

SHOWN = 4 * CAP
"""Nodes that a canvas may say it shows: folded ones count."""


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.DELTA, "data"),
        Input(ids.EXPAND_REQ, "data"),
        running=[(Output("canvas-working", "data"), True, False)],
        prevent_initial_call=True,
    )
    def asked(told: Any) -> Any:
        return answer(services, told) if told else no_update

    quiet = {"prevent_initial_call": True}
    clientside(app, "canvas.answered", Output(SINK, "data", allow_duplicate=True), Input(ids.DELTA, "data"), **quiet)
    clientside(
        app, "canvas.working", Output(SINK, "data", allow_duplicate=True), Input("canvas-working", "data"), **quiet
    )
    clientside(app, "canvas.light", Output(SINK, "data", allow_duplicate=True), Input(ids.HIGHLIGHT, "data"), **quiet)
    clientside(app, "canvas.focus", Output(SINK, "data", allow_duplicate=True), Input(ids.FOCUS, "data"), **quiet)


def answer(services: Services, told: Asked) -> dict[str, Any]:
    """Raises InputError for a request that no script of ours sends."""
    act = ACTS.get(str(told.get("op")))
    if act is None:
        raise InputError("the canvas asks for something that there is not; reload the page")
    made = act(services, guard.person(), told)
    return made | {"op": told["op"], "sequence": told.get("sequence")}


def _expand(services: Services, who: Person, told: Asked) -> dict[str, Any]:
    ref = ref_of(told.get("id"))
    found = services.investigate.expand(who, ref, wish(told), **_here(told))
    return {
        "anchor": element_id(ref),
        "elements": elements(found.picture),
        "counts": [count(one) for one in found.counts],
        "matching": found.matching,
        "weighed": found.weighed,
        "guarded": found.guarded,
    }


def _counts(services: Services, who: Person, told: Asked) -> dict[str, Any]:
    every = services.investigate.counts(who, ref_of(told.get("id")), as_of=moment(told.get("as_of")))
    return {"anchor": told["id"], "elements": [], "counts": [count(one) for one in every]}


def _add(services: Services, who: Person, told: Asked) -> dict[str, Any]:
    found = services.investigate.add(who, refs_of(told.get("ids") or (), most=CAP), **_here(told))
    return {"elements": elements(found)}


def _path(services: Services, who: Person, told: Asked) -> dict[str, Any]:
    a, b = ref_of(told.get("a")), ref_of(told.get("b"))
    way = services.investigate.path(who, a, b, **_here(told))
    return {
        "anchor": element_id(a),
        "elements": elements(way.picture),
        "nodes": [element_id(each) for each in way.nodes],
        "edges": [edge_id(each) for each in way.ties],
        "gave_up": way.gave_up,
    }


ACTS: Mapping[str, Callable[[Services, Person, Asked], dict[str, Any]]] = {
    "expand": _expand,
    "counts": _counts,
    "add": _add,
    "path": _path,
}


def wish(told: Asked) -> Wish:
    """What of the neighbours is asked for. Raises InputError for what no list offers."""
    cap = told.get("cap")
    return Wish(
        types=_names(told.get("types")),
        relations=_names(told.get("relations")),
        since=moment(told.get("since")),
        until=moment(told.get("until")),
        rank=str(told.get("rank") or RISK),
        cap=cap if isinstance(cap, int) else USUAL,
    )


def _names(told: object) -> list[str] | None:
    if told is None:
        return None
    if not isinstance(told, list):
        raise InputError("kinds come as a list")
    return [str(each) for each in told]


def _here(told: Asked) -> dict[str, Any]:
    """As of when, what is shown, and in which ring."""
    known: list[NodeRef] = refs_of(told.get("known") or (), most=SHOWN)
    return {"as_of": moment(told.get("as_of")), "known": known, "ring": str(told.get("ring") or "")}
