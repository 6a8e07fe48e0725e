"""The middle of the investigate page: tools, the graph, and what lies over it. Everything on it works in the browser;
`assets/canvas-00-core.js` says what other scripts may do with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dash_cytoscape as cyto
from dash import dcc, html

from workbench.ui import ids, theme
from workbench.ui.aria import aria, data
from workbench.ui.components import legend, timeline
from workbench.ui.i18n import t
from workbench.ui.icons import icon
from workbench.ui.viewmodel.canvas_words import words

cyto.load_extra_layouts()

TOOLS = {
    "fit": "M4 9V4h5 M15 4h5v5 M20 15v5h-5 M9 20H4v-5",
    "undo": "M9 14L4 9l5-5 M4 9h10a6 6 0 0 1 0 12h-3",
    "redo": "M15 14l5-5-5-5 M20 9H10a6 6 0 0 0 0 12h3",
    "path": "M6 19a2 2 0 1 0 0-4a2 2 0 0 0 0 4z M18 9a2 2 0 1 0 0-4a2 2 0 0 0 0 4z M8 16c5-1 2-8 8-9",
    "fold": "M7 8l5-5 5 5 M7 16l5 5 5-5 M4 12h16",
    "box": "M4 4h3 M11 4h3 M18 4h2v2 M20 10v3 M20 17v3h-3 M13 20h-3 M6 20H4v-2 M4 14v-3 M4 7V4",
    "help": "M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2 M12 18h.01",
    "queue": "M4 5h16v14H4z M9 5v14",
}
ERASED = "M5 5l14 14 M19 5L5 19"


def canvas(
    opened: Mapping[str, Any], title: Any, *, more_tools: Sequence[Any] = (), above: Any = None, below: Any = None
) -> html.Section:
    """`opened` is the first picture (`callbacks/canvas_open.py`). `more_tools` stand at the right end of the bar,
    `above` between the bar and the graph, `below` at the foot."""
    return html.Section(
        className="inv-mid",
        **aria(label=t("Relationship graph")),
        children=[
            _tools(title, more_tools),
            above,
            html.Div(className="canvas-box", children=[_graph(), *_over()]),
            legend.legend(),
            timeline.timeline(),
            below,
            _filter(),
            _help(),
            *_stores(opened),
        ],
    )


def _graph() -> cyto.Cytoscape:
    return cyto.Cytoscape(
        id=ids.CANVAS,
        elements=[],
        stylesheet=theme.stylesheet(),
        layout={"name": "preset"},
        autoRefreshLayout=False,
        boxSelectionEnabled=True,
        minZoom=0.08,
        maxZoom=4,
        wheelSensitivity=0.3,
        style={"position": "absolute", "inset": 0},
    )


def _stores(opened: Mapping[str, Any]) -> list[Any]:
    return [
        dcc.Store(id=ids.OPENED, data=dict(opened)),
        *(dcc.Store(id=each) for each in (ids.OPEN_REQ, ids.EXPAND_REQ, ids.DELTA)),
        *(dcc.Store(id=each) for each in ("canvas-working", "canvas-drawn", "canvas-sink")),
        html.Div(id="canvas-words", hidden=True, **data(words=json.dumps(words(), ensure_ascii=False))),
    ]


# The bar -------------------------------------------------------------------------------------------------


def _tools(title: Any, more: Sequence[Any]) -> html.Div:
    return html.Div(
        className="canvas-tools",
        role="toolbar",
        **aria(label=t("Tools of the graph")),
        children=[
            _tool("queue", t("Show or hide the queue"), "["),
            html.Span(title, id="canvas-title", className="canvas-title"),
            html.Span(className="rr-grow"),
            html.Select(
                id="canvas-layout",
                className="canvas-select",
                **aria(label=t("Layout")),
                children=[html.Option(text, value=name) for name, text in _layouts().items()],
            ),
            _tool("fit", t("Fit into view"), "F"),
            _tool("undo", t("Undo"), "Z", id="canvas-undo", disabled=True),
            _tool("redo", t("Redo"), "Y", id="canvas-redo", disabled=True),
            _tool("path", t("Path between two"), "P"),
            _tool("fold", t("Fold or unfold leaves"), "L"),
            _tool("box", t("Choose by a box"), "B", pressed="false"),
            *more,
            _tool("help", t("Keys and gestures"), "?"),
        ],
    )


def _layouts() -> dict[str, str]:
    return {
        "fcose": t("Organic"),
        "dagre": t("Layered"),
        "klay": t("Compact"),
        "concentric": t("Concentric"),
    }


def _tool(act: str, says: str, key: str, *, pressed: str | None = None, **more: Any) -> html.Button:
    said = {"label": says, "keyshortcuts": key} | ({"pressed": pressed} if pressed else {})
    return html.Button(
        icon(TOOLS[act], 17),
        type="button",
        className="canvas-tool",
        title=f"{says} ({key})",
        **data(rr=act),
        **aria(**said),
        **more,
    )


# Over the graph ------------------------------------------------------------------------------------------


def _over() -> list[Any]:
    return [
        html.Div(
            className="canvas-corner",
            children=[
                html.Div(id=ids.GRAPH_STATUS, className="canvas-status", role="status", **aria(live="polite")),
                html.Div(id="canvas-left", className="canvas-status canvas-left", hidden=True),
                html.Button(
                    [icon(ERASED, 11), t("Filters off")],
                    id="canvas-unfilter",
                    type="button",
                    hidden=True,
                    className="canvas-status canvas-unfilter",
                    **data(rr="unfilter"),
                ),
            ],
        ),
        html.Div(id="canvas-said", className="canvas-said canvas-quiet", role="status", **aria(live="polite")),
        html.Div(id="canvas-bar", className="canvas-bar", hidden=True, **aria(label=t("Neighbours by kind"))),
        html.Div(id="canvas-card", className="canvas-card", hidden=True, **aria(hidden="true")),
        html.Div(
            id="canvas-empty",
            className="rr-empty canvas-empty",
            hidden=True,
            children=[html.H2(t("Nothing to draw")), html.P(), dcc.Link(t("To the queue"), href="/queue")],
        ),
    ]


# What asks before ----------------------------------------------------------------------------------------


def _filter() -> Any:
    return html.Dialog(
        id="canvas-filter",
        className="canvas-dialog",
        **aria(labelledby="canvas-filter-title"),
        children=html.Form(
            method="dialog",
            children=[
                html.H2(id="canvas-filter-title"),
                html.P(
                    t("This would flood the canvas, and what so many share says little. Choose what to bring."),
                    className="canvas-guard",
                    hidden=True,
                ),
                html.Div(className="canvas-kinds", role="group", **aria(label=t("Kinds"))),
                html.Div(
                    className="canvas-fields",
                    children=[
                        _choice("period", t("When"), {
                            "0": t("Any time"), "30": t("Last 30 days"), "90": t("Last 90 days"),
                            "365": t("Last 365 days"), "brush": t("As in the time brush"),
                        }),
                        _choice("rank", t("First"), {
                            "risk": t("The riskiest"), "recent": t("The newest"), "oldest": t("The oldest"),
                            "most_connected": t("Most connected"), "least_connected": t("Least connected"),
                        }),
                        _choice("cap", t("At most"), {each: each for each in ("20", "50", "100", "200")}),
                    ],
                ),
                html.Div(
                    className="canvas-answers",
                    children=[
                        html.Button(t("Cancel"), type="submit", value="", formNoValidate=True,
                                    className="canvas-button"),
                        html.Button(t("Bring them"), type="submit", value="expand",
                                    className="canvas-button canvas-primary"),
                    ],
                ),
            ],
        ),
    )  # fmt: skip


def _choice(name: str, says: str, options: dict[str, str]) -> html.Label:
    made = [html.Option(text, value=value) for value, text in options.items()]
    return html.Label([html.Span(says), html.Select(made, name=name, className="canvas-select")])


def _help() -> Any:
    rows = [
        ("F", t("Fit into view")), ("Z · Y", t("Undo, redo")), ("E", t("Expand what is chosen")),
        ("P", t("Path between two that are chosen")), ("L", t("Fold or unfold leaves")), ("Del", t("Take from view")),
        ("+ · −", t("Closer, farther")), ("A · I", t("Choose all, invert the choice")), ("B", t("Choose by a box")),
        ("[", t("Show or hide the queue")), ("/", t("Search")), ("Esc", t("Let go: light, choice, message")),
        (t("Arrows on the graph"), t("Choose the next node that way")),
        (t("Two taps"), t("Expand")), (t("Drag"), t("Move and pin")), (t("Shift and drag"), t("Choose by a box")),
        (t("Right button"), t("Menu of a node, a link or the canvas")),
        (t("Shift and a type in the legend"), t("Only this type")), (t("Drag over the times"), t("Only that time")),
    ]  # fmt: skip
    return html.Dialog(
        id="canvas-help",
        className="canvas-dialog",
        **aria(label=t("Keys and gestures")),
        children=html.Form(
            method="dialog",
            children=[
                html.H2(t("Keys and gestures")),
                html.Dl(className="canvas-keys", children=[
                    part for key, says in rows for part in (html.Dt(html.Kbd(key)), html.Dd(says))
                ]),
                html.Div(html.Button(t("Close"), type="submit", className="canvas-button"), className="canvas-answers"),
            ],
        ),
    )  # fmt: skip
