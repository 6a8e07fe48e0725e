"""Small pictures as SVG, by a few lines of our own. Their letters are Latin and digits only: whatever may be Chinese
stands in the legend, which every renderer sets in its own fonts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from workbench.reports.document import Picture

INK, SOFT, RULE, BLUE, AMBER, RED = "#17212b", "#5b6672", "#d5dbe1", "#0b6e8f", "#d99a1c", "#c2410c"
SERIES = (BLUE, AMBER, RED, "#6b7fd7")
FONT = "Liberation Sans, DejaVu Sans, Noto Sans, sans-serif"
WIDTH, HEIGHT = 760.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 10.0, 12.0, 26.0


def bars(labels: Sequence[str], stacks: Sequence[Sequence[float]], names: Sequence[str], *, alt: str) -> Picture:
    """A column for each label, parts upon each other in the order of `names`."""
    total = [sum(each[at] for each in stacks) for at in range(len(labels))]
    if not any(total):
        return Picture("", alt)
    top, step = _nice(max(total), least=1.0), (WIDTH - LEFT - RIGHT) / len(labels)
    drawn = []
    for at in range(len(labels)):
        low = 0.0
        for part, colour in zip(stacks, SERIES, strict=False):
            high = low + part[at]
            y, tall = _y(high, top), _y(low, top) - _y(high, top)
            if tall > 0:
                x = LEFT + at * step + step * 0.14
                drawn.append(
                    f'<rect x="{x:.1f}" y="{y:.1f}" width="{step * 0.72:.1f}" height="{tall:.1f}" fill="{colour}"/>'
                )
            low = high
    return Picture(_svg(alt, top, _under(labels, step), drawn, least=1.0), alt, legend=_legend(names))


def lines(labels: Sequence[str], series: Sequence[Sequence[float]], names: Sequence[str], *, alt: str,
    percent: bool = False,
) -> Picture:  # fmt: skip
    """NaN where there is no point."""
    known = [value for each in series for value in each if math.isfinite(value)]
    if not known or max(known) <= 0:
        return Picture("", alt)
    top, step = _nice(max(known)), (WIDTH - LEFT - RIGHT) / len(labels)
    drawn = []
    for each, colour in zip(series, SERIES, strict=False):
        points = [(LEFT + (at + 0.5) * step, _y(value, top)) for at, value in enumerate(each) if math.isfinite(value)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        drawn.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.2"/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>' for x, y in points]
    return Picture(_svg(alt, top, _under(labels, step), drawn, percent=percent), alt, legend=_legend(names))


def funnel(
    points: Sequence[tuple[float, float, str]], bands: Sequence[tuple[float, float, float, float, float]], *,
    middle: float, alt: str, names: Sequence[str],
) -> Picture:  # fmt: skip
    """`points` (number, share, mark), shares against how many stand behind them; `bands` (number, low and high at 95 %,
    low and high at 99.8 %). Who lies outside of the outer ones is red and has its mark beside."""
    if not points:
        return Picture("", alt)
    most = max(each[0] for each in points) * 1.06
    inside = [band for band in bands if 0 < band[0] <= most]
    top = _nice(min(1.0, max([each[1] for each in points] + [band[4] for band in inside[len(inside) // 6 :]])))

    def x(number: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * number / most

    drawn = [_level(middle, top)]
    for at, colour, dash in ((1, AMBER, "4 3"), (2, AMBER, "4 3"), (3, RED, ""), (4, RED, "")):
        path = "L".join(f"{x(band[0]):.1f} {_y(min(band[at], top), top):.1f}" for band in inside)
        drawn.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-dasharray="{dash}" stroke-width="1.3"/>')
    for number, share, mark in points:
        out = bool(mark)
        where = f'cx="{x(number):.1f}" cy="{_y(min(share, top), top):.1f}"'
        drawn.append(f'<circle {where} r="{4 if out else 3}" fill="{RED if out else BLUE}"/>')
        if out:
            drawn.append(_text(x(number) - 7, _y(min(share, top), top) + 3, mark, anchor="end", fill=INK))
    under = [_text(x(number), HEIGHT - 8, f"{number:,.0f}") for number in _ticks(most)]
    colours = (BLUE, RED, SOFT, AMBER, RED)
    return Picture(_svg(alt, top, under, drawn, percent=True), alt, legend=tuple(zip(colours, names, strict=False)))


def _ticks(most: float) -> list[float]:
    step = _step(most)
    return [step * at for at in range(6) if step * at <= most]


def _level(value: float, top: float) -> str:
    y = _y(value, top)
    return f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{SOFT}" stroke-width="1.2"/>'


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _nice(value: float, least: float = 0.0) -> float:
    """Five or fewer steps of 1, 2, 2.5 or 5 times a power of ten, the fewest that hold it."""
    return _step(value, least) * math.ceil(value / _step(value, least) - 1e-9)


def _step(value: float, least: float = 0.0) -> float:
    power = 10.0 ** math.floor(math.log10(value / 5))
    fitting = (power * each for each in (1, 2, 2.5, 5, 10) if power * each * 5 >= value * (1 - 1e-9))
    return max(least, next(fitting))


def _under(labels: Sequence[str], step: float) -> list[str]:
    """As many labels as there is room for; the last one always."""
    every = max(1, math.ceil(46 / step))
    last = len(labels) - 1
    return [
        _text(LEFT + (at + 0.5) * step, HEIGHT - 8, label)
        for at, label in enumerate(labels)
        if (last - at) % every == 0
    ]


def _svg(alt: str, top: float, under: Sequence[str], drawn: Sequence[str], *, percent: bool = False, least: float = 0.0
) -> str:  # fmt: skip
    grid = []
    step = _step(top, least)
    for value in (step * at for at in range(math.floor(top / step + 1e-9) + 1)):
        y = _y(value, top)
        grid.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{RULE}" stroke-width="0.8"/>')
        grid.append(_text(LEFT - 6, y + 3.5, _short(value, percent=percent), anchor="end"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" width="{WIDTH:.0f}" '
        f'height="{HEIGHT:.0f}" role="img" aria-label="{escape(alt)}" font-family="{FONT}" font-size="10.5">'
        f"{''.join(grid)}{''.join(drawn)}{''.join(under)}</svg>"
    )


def _short(value: float, *, percent: bool) -> str:
    if percent:
        return f"{value * 100:.3g}%"
    for unit, name in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


def _text(x: float, y: float, text: str, *, anchor: str = "middle", fill: str = SOFT) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{escape(text)}</text>'


def _legend(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple(zip(SERIES, names, strict=False)) if len(names) > 1 else ()
