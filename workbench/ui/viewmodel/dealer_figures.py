"""Plots of a dealer: its weeks beside what is usual for it, its rates beside its peers', and how they went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import plotly.graph_objects as go

from workbench.services.lenses.dealer_rows import DealerRow, Estimate
from workbench.services.lenses.dealers import Trend
from workbench.services.lenses.shrinkage import JUMP
from workbench.ui.i18n import CHINA, day, number, t
from workbench.ui.viewmodel.dealer_words import percent, said
from workbench.ui.viewmodel.plots import BLUE, GREY, INK, RED, apart, dates, figure

MARGIN = {"l": 8, "r": 12, "t": 18, "b": 4}
BAR, LIGHT = "#a5c7ee", "#dfe5ea"


def weeks(told: Sequence[tuple[datetime, int, float, float]]) -> go.Figure:
    """Applications a week; red where the week jumped, a line for what is usual."""
    shown = figure(margin=MARGIN, height=220, bargap=0.2)
    ends = [end.astimezone(CHINA).date() for end, *_ in told]
    shown.add_bar(
        x=ends, y=[count for _, count, _, _ in told],
        marker={"color": [RED if z >= JUMP else BAR for *_, z in told], "line": {"width": 0}},
        customdata=[_week(*one) for one in told], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    shown.add_scatter(
        x=ends, y=[None if math.isnan(usual) else usual for _, _, usual, _ in told], mode="lines",
        line={"color": INK, "width": 1.4}, hoverinfo="skip",
    )  # fmt: skip
    for end, count, _, z in told:
        if z >= JUMP:
            shown.add_annotation(x=end.astimezone(CHINA).date(), y=count, text=f"{z:+.1f}σ", showarrow=False,
                                 yshift=9, font={"size": 11, "color": RED})  # fmt: skip
    if told and not math.isnan(told[-1][2]):
        shown.add_annotation(x=ends[-1], y=told[-1][2], text=t("usual"), showarrow=False, xanchor="right", yshift=10,
                             font={"size": 11, "color": INK})  # fmt: skip
    shown.update_xaxes(**dates())
    shown.update_yaxes(tickformat="d", nticks=5)
    return shown


def _week(end: datetime, count: int, usual: float, z: float) -> str:
    text = t("week until {day}: {count} applications", day=day(end), count=number(count))
    if math.isnan(usual):
        return text
    return text + "<br>" + t("usual {usual}, {z}σ", usual=number(usual, 1), z=f"{z:+.1f}")


def rates(row: DealerRow) -> go.Figure:
    """Fraud, early default and sharing: the interval of the dealer, and a mark for its peers; each on its own scale."""
    kinds: Sequence[tuple[str, Estimate]] = (
        (t("Linked to others"), row.shared), (t("Early default"), row.early), (t("Fraud"), row.fraud),
    )  # fmt: skip
    shown = figure(margin={"l": 8, "r": 8, "t": 6, "b": 4}, height=188)
    for at, (name, one) in enumerate(kinds):
        top = max(one.high, one.expected) * 1.25
        colour = RED if one.surely_more else BLUE
        shown.add_shape(type="line", x0=0, x1=1, y0=at, y1=at, line={"color": LIGHT, "width": 6}, layer="below")
        shown.add_shape(type="line", x0=one.low / top, x1=one.high / top, y0=at, y1=at,
                        line={"color": colour, "width": 6}, opacity=0.35, layer="below")  # fmt: skip
        shown.add_shape(type="line", x0=one.expected / top, x1=one.expected / top, y0=at - 0.2, y1=at + 0.2,
                        line={"color": INK, "width": 2})  # fmt: skip
        shown.add_scatter(
            x=[one.mean / top], y=[at], mode="markers",
            marker={"size": 13, "color": colour, "line": {"color": "#fff", "width": 2}},
            customdata=[said(one)], hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
        shown.add_annotation(x=0, y=at, text=f"<b>{name}</b>", showarrow=False, xanchor="left", yshift=19,
                             font={"size": 12})  # fmt: skip
        text = t("{mean} · peers {expected} · {times}×", mean=percent(one.mean), expected=percent(one.expected),
                 times=number(one.times, 1))  # fmt: skip
        shown.add_annotation(x=1, y=at, text=text, showarrow=False, xanchor="right", yshift=19,
                             font={"size": 11.5, "color": colour})  # fmt: skip
    shown.update_xaxes(visible=False, range=[-0.01, 1.01])
    shown.update_yaxes(visible=False, range=[-0.4, 2.65])
    return shown


def trend(told: Sequence[Trend]) -> go.Figure:
    """Share of fraud of half-years, the dealer's against its region's."""
    shown = figure(margin=MARGIN | {"r": 112}, height=188)
    if not told:
        return shown
    months = [one.at.astimezone(CHINA).date() for one in told]
    lines = (
        ([one.region for one in told], GREY, t("region"), 1.6),
        ([one.fraud for one in told], RED, t("this dealer"), 2.4),
    )
    top = max(max(values) for values, *_ in lines) or 1.0
    for (values, colour, name, width), y in zip(lines, apart([each[0][-1] for each in lines], top * 0.13), strict=True):
        shown.add_scatter(
            x=months, y=values, mode="lines", line={"color": colour, "width": width},
            customdata=[
                t("half a year until {day}: {share} ({name})", day=day(one.at), share=percent(value), name=name)
                for one, value in zip(told, values, strict=True)
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
        shown.add_annotation(x=months[-1], y=y, text=f"{name} {percent(values[-1])}", showarrow=False, yanchor="bottom",
                             xanchor="left", xshift=8, align="left", font={"size": 11.5, "color": colour})  # fmt: skip
    shown.update_xaxes(range=[months[0], months[-1]], **dates())
    shown.update_yaxes(tickformat=".0%" if top > 0.02 else ".1%", nticks=4)
    return shown
