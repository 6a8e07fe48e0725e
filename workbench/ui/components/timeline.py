"""The strip under the graph: when its links happened. A part of it can be chosen; the rest is hidden then."""

from __future__ import annotations

from dash import html

from workbench.ui.aria import aria
from workbench.ui.i18n import t


def timeline() -> html.Div:
    """Filled by `assets/canvas-40-filter.js`."""
    return html.Div(
        className="canvas-times",
        children=[
            html.Div(
                className="canvas-times-head",
                children=[
                    html.Span(t("Activity over time"), className="rr-h"),
                    html.Span(id="canvas-time-said", className="rr-soft rr-small rr-num", **aria(live="polite")),
                ],
            ),
            html.Div(id="canvas-time", className="canvas-time", role="group", **aria(label=t("Choose a time"))),
        ],
    )
