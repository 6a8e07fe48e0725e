"""Says what changed from the time that the slider stands at until now, and lights it on the canvas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dash import Dash, Input, Output, html, no_update

from graph.errors import RingroadError
from graph.records import NodeRef
from workbench.services.all import Services
from workbench.services.canvas.difference import Difference, Thing
from workbench.services.canvas.graph_shapes import Ends, element_id
from workbench.services.subject import Subject
from workbench.ui import guard, ids
from workbench.ui.aria import aria, data
from workbench.ui.callbacks.canvas_open import moment
from workbench.ui.clientside import clientside
from workbench.ui.i18n import errors, number, t, when
from workbench.ui.viewmodel import passport_words, sentences

BODY, LIGHTS = "passport-difference", "passport-lights"
FIRST = 12

Lights = dict[str, dict[str, Any]]


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"),
        Output(LIGHTS, "data"),
        Input(ids.SUBJECT, "data"),
        Input(ids.AS_OF, "data"),
        Input(ids.CHANGED, "data"),
        prevent_initial_call=True,
    )
    def show(subject: Any, as_of: Any, _changed: Any) -> Any:
        if not subject:
            return no_update, no_update
        return shown(services, Subject(subject["kind"], subject["name"]), as_of)

    clientside(app, "passport.keep", Output("passport-sink", "data"), Input(LIGHTS, "data"))


def shown(services: Services, subject: Subject, as_of: object) -> tuple[Any, Lights]:
    at = moment(as_of)
    if at is None:
        return _hint(), {}
    try:
        told = services.passport.difference(guard.person(), subject, at)
    except RingroadError as error:
        guard.denied(error)
        return html.Div(className="rr-section rr-soft", children=errors.told(error.message)), {}
    lights: Lights = {}
    parts = [_table(told), _links(told, lights), _things(told.things, lights)]
    names = [
        (t("Joined since"), told.joined, "joined"),
        (t("Left since"), told.left, "left"),
    ]
    parts += [_members(name, members, key, lights) for name, members, key in names if members]
    title = t("Since {time}", time=when(told.as_of))
    lines = html.P(" ".join(passport_words.summary(told)), className="pp-summary")
    return html.Section(
        className="rr-section pp-difference",
        children=[html.H2(title, className="rr-h"), lines, *parts],
        **aria(label=title),
    ), lights


def _hint() -> Any:
    said = t("Move the slider above the graph to a run or a decision: the graph is drawn as it stood then.")
    return html.P([said, " ", t("What has changed since stands here.")], className="rr-section pp-hint")


def _table(told: Difference) -> Any:
    head = html.Tr([html.Th(), html.Th(t("then"), scope="col"), html.Th(t("now"), scope="col")])
    rows = [
        html.Tr([html.Th(name, scope="row"), html.Td(then), html.Td(now)], className="pp-moved" if then != now else "")
        for name, then, now in passport_words.moved(told)
    ]
    return html.Table([html.Thead(head), html.Tbody(rows)], className="pp-table rr-num")


def _links(told: Difference, lights: Lights) -> Any:
    """New links by relation; under the pointer those are lit."""
    if not told.links:
        return None
    chips = [
        _lit(
            f"{sentences.relation(name)} {number(count)}", _edges(ends for ends in told.ties if ends[0] == name), lights
        )
        for name, count in told.links.items()
    ]
    return html.Div([html.H3(t("New links")), html.Div(chips, className="pp-chips")])


def _edges(ties: Iterable[Ends]) -> dict[str, Any]:
    kept = list(ties)
    ends: Sequence[NodeRef] = [end for one in kept for end in one[1:3]]
    return {
        "nodes": [element_id(end) for end in dict.fromkeys(ends)],
        "edges": [[relation, element_id(source), element_id(target)] for relation, source, target, _ in kept],
    }


def _things(things: Sequence[Thing], lights: Lights) -> Any:
    """What more people hold now than then."""
    if not things:
        return None
    chips = [
        _lit(
            f"{sentences.typed(one.ref.type, one.masked)} {number(one.then)} → {number(one.now)}",
            {"nodes": [element_id(one.ref)], "edges": []},
            lights,
        )
        for one in things[:FIRST]
    ]
    more = t("and {count} more", count=number(len(things) - FIRST)) if things[FIRST:] else ""
    return html.Div([html.H3(t("Shared by more people")), html.Div([*chips, more], className="pp-chips")])


def _members(name: str, members: Sequence[str], key: str, lights: Lights) -> Any:
    chips = [
        _lit(each, {"nodes": [element_id(NodeRef("Application", each))], "edges": []}, lights)
        for each in members[:FIRST]
    ]
    more = t("and {count} more", count=number(len(members) - FIRST)) if members[FIRST:] else ""
    return html.Div([html.H3(name), html.Div([*chips, more], className=f"pp-chips pp-{key}")])


def _lit(text: str, what: dict[str, Any], lights: Lights) -> html.Button:
    key = f"d{len(lights)}"
    lights[key] = what
    return html.Button(text, className="pp-chip", type="button", **data(pp_lit=key))
