"""The legend: types that are on the canvas with how many there are, each a switch; and what the borders mean."""

from __future__ import annotations

from typing import Any

from dash import html

from graph.ontology import NODES
from workbench.ui import theme
from workbench.ui.aria import aria, data
from workbench.ui.i18n import t
from workbench.ui.viewmodel import sentences


def legend() -> html.Div:
    marks = html.Button(
        t("Marks"),
        type="button",
        className="canvas-legend-marks",
        **data(rr="marks"),
        **aria(expanded="false", controls="canvas-marks"),
    )
    return html.Div(
        className="canvas-legend",
        children=[
            html.Div(
                [*(_item(name) for name in NODES), marks],
                className="canvas-legend-items",
                role="group",
                **aria(label=t("Types: press to hide or show")),
            ),
            html.Div(id="canvas-marks", className="canvas-marks", hidden=True, children=_marks()),
        ],
    )


def _item(name: str) -> html.Button:
    return html.Button(
        type="button",
        className="canvas-legend-item",
        hidden=True,
        title=t("Press to hide; with Shift to see only these"),
        **data(type=name),
        **aria(pressed="true"),
        children=[
            html.Span(
                html.Img(src=theme.glyph(name), alt="", width=11, height=11),
                className=f"canvas-swatch canvas-shape-{theme.SHAPES.get(name, 'ellipse')}",
                style={"background": theme.colour(name)},
            ),
            html.Span(sentences.node_type(name), className="canvas-legend-name"),
            html.Span("", className="canvas-count"),
        ],
    )


def _marks() -> list[Any]:
    told = [
        ("score", t("The thicker and redder, the higher the score")),
        ("fraud", t("Fraud, labelled")),
        ("suspected", t("Suspected, labelled")),
        ("legit", t("Cleared")),
        ("infra", t("Held by many by nature: no lead")),
        ("fresh", t("New since your last visit")),
        ("pin", t("Pinned")),
        ("strong", t("Strong link")),
        ("innocent", t("Link marked innocent")),
        ("alike", t("Not the same, but taken for it")),
    ]
    return [
        html.Div([html.Span(className=f"canvas-mark canvas-mark-{name}", **aria(hidden="true")), html.Span(says)])
        for name, says in told
    ]
