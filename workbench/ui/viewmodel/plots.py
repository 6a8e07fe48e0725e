"""How every plot looks: quiet axes, our letters, no tool bar, nothing that asks another machine."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html

from workbench.ui.aria import aria
from workbench.ui.i18n import language

INK, SOFT, LINE = "#1f2933", "#5b6672", "#e9ecef"
BLUE, RED, AMBER, GREEN, GREY = "#1864ab", "#c92a2a", "#e8890c", "#2b8a3e", "#868e96"

FONT = 'Inter, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif'
CONFIG: Any = {"displayModeBar": False, "responsive": True, "displaylogo": False, "showTips": False}
"""Of every dcc.Graph."""


def figure(**layout: Any) -> go.Figure:
    """An empty figure in the house style; `layout` goes over it."""
    axis = {"gridcolor": LINE, "zeroline": False, "linecolor": LINE, "tickfont": {"color": SOFT, "size": 11},
            "fixedrange": True, "title": None}  # fmt: skip
    style = {
        "template": None,
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "showlegend": False,
        "xaxis": axis | {"showgrid": False, "automargin": True},
        "yaxis": axis | {"automargin": True, "rangemode": "tozero"},
        "hoverlabel": {"bgcolor": "#fff", "bordercolor": "#ced4da", "font": {"family": FONT, "size": 12, "color": INK}},
        "dragmode": False,
        "modebar": {"remove": ["all"]},
    }
    shown = go.Figure(layout=style)
    shown.update_layout(**layout)
    return shown


def dates() -> dict[str, Any]:
    """Of an axis of days: `shown.update_xaxes(**dates())`. Plotly knows the names of months in English only, so that
    in Chinese they are numbers."""
    if language.get() != "zh":
        return {}
    day, month = {"dtickrange": [None, "M1"], "value": "%m-%d\n%Y"}, {"dtickrange": ["M1", "M12"], "value": "%Y-%m"}
    return {"tickformatstops": [day, month, {"dtickrange": ["M12", None], "value": "%Y"}]}


def plot(shown: go.Figure, *, said: str, height: int | None = None, **more: Any) -> html.Div:
    """The figure on a page. `said` is what who cannot see it is told: what it shows, in a sentence."""
    size = {"height": height or shown.layout.height or 220}
    return html.Div(
        dcc.Graph(figure=shown, config=CONFIG, style=size, responsive=True, **more), role="img", **aria(label=said)
    )


def apart(values: Sequence[float], least: float) -> list[float]:
    """The values moved so far from each other, in their order, that labels beside them can be read."""
    order = sorted(range(len(values)), key=lambda at: values[at])
    moved = list(values)
    for before, at in pairwise(order):
        moved[at] = max(moved[at], moved[before] + least)
    shift = sum(moved[at] - values[at] for at in order) / max(len(order), 1)
    return [each - shift for each in moved]
