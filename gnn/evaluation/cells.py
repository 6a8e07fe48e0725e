"""Figures as they are printed, and tables of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite

from gnn.evaluation.chance import Estimate, Share
from gnn.evaluation.markup import Child, Html, element, joined

NONE = "–"
Cell = str | int | float | Estimate | Share | None
"""Html is a str, and stays markup."""
Form = Callable[[float], str]


def number(value: float) -> str:
    return f"{value:,.3f}" if isfinite(value) else NONE


def whole(value: float) -> str:
    return f"{value:,.0f}" if isfinite(value) else NONE


def one_digit(value: float) -> str:
    return f"{value:,.1f}" if isfinite(value) else NONE


def times(value: float) -> str:
    return f"{value:,.1f}×" if isfinite(value) else NONE


def percent(value: float) -> str:
    """Below 10 % with a second digit: base rates and calibration errors live there."""
    if not isfinite(value):
        return NONE
    shown = f"{100 * value:.{1 if abs(value) >= 0.1 else 2}f}"
    return f"{shown.removesuffix('.0').removesuffix('.00')} %"


def thousands(value: float) -> str:
    return f"{value / 1e3:,.0f} k".replace("-", "−") if isfinite(value) else NONE


def millions(value: float) -> str:
    return f"{value / 1e6:,.1f} m" if isfinite(value) else NONE


def estimate(value: Estimate, form: Form = number) -> Html:
    """With its interval, small."""
    return joined(form(value.value), interval(value.low, value.high, form))


def share(value: Share) -> Html:
    if not value.of:
        return joined(NONE)
    return joined(
        percent(value.value),
        element("small", f"{value.hits:,} of {value.of:,}: {between(value.low, value.high, percent)}"),
    )


def interval(low: float, high: float, form: Form = number) -> Html | None:
    return element("small", between(low, high, form)) if isfinite(low) else None


def between(low: float, high: float, form: Form) -> str:
    """`10.4–22.1 %`: the unit once."""
    first, last = form(low), form(high)
    return f"{first.rstrip(' %×')}–{last}"


def cell(value: Cell) -> Child:
    if isinstance(value, Estimate):
        return estimate(value)
    if isinstance(value, Share):
        return share(value)
    if value is None:
        return NONE
    if isinstance(value, str):
        return value
    return number(value) if isinstance(value, float) else whole(value)


def table(heads: Sequence[Child], rows: Sequence[Sequence[Cell]], *, marked: int | None = None) -> Html:
    """The first column is text, the others are figures; row `marked` stands out."""
    return element(
        "table",
        element("thead", element("tr", [element("th", head, scope="col") for head in heads])),
        element("tbody", [_row(row, marked == at) for at, row in enumerate(rows)]),
    )


def whisker(value: Estimate, widest: float, *, marked: bool = False) -> Html:
    """A dot and its interval on a line from 0 to `widest`."""

    def at(figure: float) -> str:
        return f"{4 + 122 * min(figure / widest, 1.0):.1f}" if isfinite(figure) and widest else "4"

    line = element("line", x1=at(value.low), x2=at(value.high), y1=8, y2=8) if isfinite(value.low) else None
    dot = element("circle", cx=at(value.value), cy=8, r=3.4) if isfinite(value.value) else None
    axis = element("line", x1=4, x2=126, y1=8, y2=8, class_="axis")
    return element("svg", axis, line, dot, viewBox="0 0 130 16", class_="whisker marked" if marked else "whisker")


def bar(part: float) -> Html:
    """A bar of `part` of the width, between 0 and 1."""
    wide = round(100 * min(max(part, 0.0), 1.0), 1) if isfinite(part) else 0
    return element("span", element("i", style=f"width:{wide}%"), class_="bar")


def _row(row: Sequence[Cell], marked: bool) -> Html:
    first, *others = row
    return element(
        "tr",
        element("th", cell(first), scope="row"),
        [element("td", cell(each)) for each in others],
        class_="marked" if marked else None,
    )
