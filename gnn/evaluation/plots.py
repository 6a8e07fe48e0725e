"""The page's drawings: SVG text that stands in HTML, the same bytes for the same figures."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from gnn.evaluation.markup import Html
from gnn.evaluation.results import Method, RowEvaluation

INK, SOFT, FAINT, ACCENT = "#1f2933", "#6b7280", "#d5d9de", "#0f766e"
OTHERS = ("#b45309", "#7c6aa6")
WIDEST_RATE = 0.05

STYLE: dict[Any, object] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "text.color": SOFT,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.major.width": 0.8,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#eceae4",
    "grid.linewidth": 0.8,
    "lines.solid_capstyle": "round",
}
NOT_FOR_HTML = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<style.*?</style>|font-family: [^;\"]*;?"
    r"| xmlns(:xlink)?=\"[^\"]*\"| (?<=<svg )(width|height)=\"[^\"]*\"|(?<= )id=\"[a-z0-9.]+_\d+\"",
    re.DOTALL,
)


def colours(rows: RowEvaluation) -> dict[str, str]:
    """Of the methods worth a colour: the main one, the one it is held against, and the best two others."""
    rest = [each for each in rows.methods if each.name not in (rows.main, rows.against)]
    best = sorted(rest, key=lambda each: -np.nan_to_num(each.pr_auc.value))[: len(OTHERS)]
    chosen = {rows.against: INK} | {each.name: colour for each, colour in zip(best, OTHERS, strict=False)}
    return chosen | {rows.main: ACCENT}


def precision_recall(rows: RowEvaluation) -> Html:
    def draw(axes: Axes) -> None:
        _each(axes, rows, lambda each: (each.curve.recall, each.curve.precision))
        axes.axhline(rows.base_rate, color=SOFT, linewidth=0.8, linestyle=(0, (2, 3)))
        axes.annotate("base rate", (1, rows.base_rate), (0, 4), textcoords="offset points", ha="right")
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        _percent(axes, "xy")

    return _svg("precision-recall", draw)


def recall_by_rate(rows: RowEvaluation) -> Html:
    """What no ranking can reach is shaded: so many alerts hold only so much fraud."""

    def draw(axes: Axes) -> None:
        rates = np.array([0.0, min(rows.base_rate, WIDEST_RATE), WIDEST_RATE])
        ceiling = np.minimum(1.0, rates / rows.base_rate)
        axes.fill_between(rates, ceiling, 1.0, color="#f1efe9", linewidth=0)
        _each(axes, rows, lambda each: ((0.0, *each.curve.rate), (0.0, *each.curve.recall)))
        axes.set(xlim=(0, WIDEST_RATE), ylim=(0, 1), xlabel="share of applications alerted", ylabel="recall")
        _percent(axes, "xy")

    return _svg("recall-by-rate", draw)


def calibration(rows: RowEvaluation) -> Html:
    """Both axes logarithmic; a bin without fraud stands hollow at the lower edge."""
    shown = {name: colour for name, colour in colours(rows).items() if rows.method(name).calibration}
    low = 1e-4

    def draw(axes: Axes) -> None:
        axes.plot([low, 1], [low, 1], color=FAINT, linewidth=1)
        for name, colour in shown.items():
            bins = rows.method(name).calibration
            expected = np.clip([each.expected for each in bins], low, 1)
            seen = np.clip([each.seen.value for each in bins], low, 1)
            ends = np.clip([(each.seen.low, each.seen.high) for each in bins], low, 1)
            axes.vlines(expected, ends[:, 0], ends[:, 1], color=colour, linewidth=1, alpha=0.45)
            axes.plot(expected, seen, color=colour, linewidth=1, alpha=0.6)
            faces = [colour if each.seen.hits else "#ffffff" for each in bins]
            axes.scatter(expected, seen, c=faces, edgecolors=colour, s=16, zorder=3, clip_on=False)
        axes.set_aspect("equal")
        axes.set(xscale="log", yscale="log", xlim=(low, 1), ylim=(low, 1), xlabel="mean score", ylabel="share of fraud")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(FixedLocator([1e-4, 1e-3, 1e-2, 1e-1, 1]))
            axis.set_minor_locator(NullLocator())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))

    return _svg("calibration", draw)


def by_month(rows: RowEvaluation) -> Html:
    def draw(axes: Axes) -> None:
        names = [each.month for each in rows.methods[0].months]
        _each(axes, rows, lambda each: (range(len(names)), [month.pr_auc for month in each.months]), marker="o")
        axes.set_xticks(range(len(names)), names)
        axes.set(ylabel="PR-AUC", xlim=(-0.4, len(names) - 0.6))
        axes.set_ylim(bottom=0)

    return _svg("months", draw, width=8.4, height=2.7)


def _svg(name: str, draw: Callable[[Axes], None], width: float = 4.6, height: float = 3.5) -> Html:
    """The name seeds the ids inside, so that two drawings on one page do not share them."""
    text = io.StringIO()
    with mpl.rc_context(STYLE | {"svg.hashsalt": name}):
        figure = Figure(figsize=(width, height), layout="constrained")
        figure.patch.set_alpha(0)
        axes = figure.add_subplot()
        axes.patch.set_alpha(0)
        axes.set_axisbelow(True)
        draw(axes)
        figure.savefig(text, format="svg", metadata={"Date": None})
    return Html(NOT_FOR_HTML.sub("", text.getvalue()).strip())


def _each(
    axes: Axes, rows: RowEvaluation, line: Callable[[Method], tuple[Sequence[float], Sequence[float]]], marker: str = ""
) -> None:
    """A line per method, those with a colour on top."""
    coloured = colours(rows)
    for each in rows.methods:
        main = each.name == rows.main
        axes.plot(
            *line(each),
            color=coloured.get(each.name, FAINT),
            linewidth=2.2 if main else 1.3 if each.name in coloured else 0.9,
            zorder=4 if main else 3 if each.name in coloured else 2,
            marker=marker if each.name in coloured else "",
            markersize=5 if main else 3.5,
        )


def _percent(axes: Axes, which: str) -> None:
    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
