"""How a ring grew: applications as they came, and what each run made of them."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from workbench.services.lenses.passport import Grown, Life, Point
from workbench.services.lenses.passport_events import CHINA
from workbench.ui.i18n import day, money, number, t
from workbench.ui.viewmodel.plots import BLUE, GREY, RED, apart, dates, figure

HEIGHT = 132
MARGIN = {"l": 6, "r": 10, "t": 16, "b": 2}


def growth(life: Life) -> go.Figure:
    """Applications and their money one after another; dots are runs, with the size they found."""
    shown = figure(margin=MARGIN, height=HEIGHT, hovermode="closest")
    grown = list(life.grown)
    if grown:
        end = max([grown[-1].at, *(one.at for one in life.points)])
        grown.append(Grown(end, grown[-1].applications, grown[-1].amount))
    days = [one.at.astimezone(CHINA) for one in grown]
    shown.add_scatter(
        x=days, y=[one.applications for one in grown], mode="lines", fill="tozeroy",
        line={"color": BLUE, "width": 1.6, "shape": "hv"}, fillcolor="rgba(24,100,171,.12)",
        customdata=[
            t("{day}: {count} applications, {money}", day=day(one.at), count=number(one.applications),
              money=money(one.amount))
            for one in grown
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    if life.points:
        shown.add_scatter(
            x=[one.at.astimezone(CHINA) for one in life.points], y=[one.size for one in life.points], mode="markers",
            marker={"size": 8, "color": [RED if one.update else GREY for one in life.points],
                    "line": {"color": "#fff", "width": 1.5}},
            customdata=[_told(one) for one in life.points], hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    shown.add_annotation(
        text=t("applications, and sizes that runs found"), x=0, y=1, xref="paper", yref="paper", showarrow=False,
        xanchor="left", yanchor="bottom", font={"size": 11, "color": GREY},
    )  # fmt: skip
    shown.update_yaxes(nticks=4, tickformat="d", rangemode="tozero")
    shown.update_xaxes(nticks=5, **dates())
    return shown


def runs(points: Sequence[Point]) -> go.Figure:
    """Score and savable money from run to run, evenly spaced: a month without a run is no gap."""
    shown = figure(margin=MARGIN | {"r": 62}, height=HEIGHT)
    names = [f"{at + 1}" for at in range(len(points))]
    most = max((one.exposure for one in points), default=0.0) or 1.0
    lines = (
        ([one.exposure / most for one in points], GREY, t("at stake"), money(points[-1].exposure)),
        ([one.savable / most for one in points], BLUE, t("savable"), money(points[-1].savable)),
        ([one.score for one in points], RED, t("score"), f"{points[-1].score:.2f}"),
    )
    for (values, colour, name, last), y in zip(lines, apart([each[0][-1] for each in lines], 0.34), strict=True):
        shown.add_scatter(
            x=names, y=values, mode="lines+markers", line={"color": colour, "width": 1.8}, marker={"size": 5},
            customdata=[_told(one) for one in points], hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
        shown.add_annotation(
            x=names[-1], y=y, text=f"{name}<br>{last}", showarrow=False, xanchor="left", xshift=7,
            align="left", font={"size": 10.5, "color": colour},
        )  # fmt: skip
    shown.update_yaxes(showticklabels=False, rangemode="tozero")
    shown.update_xaxes(
        tickvals=[names[0], names[-1]], ticktext=[day(points[0].at), day(points[-1].at)], type="category"
    )
    return shown


def _told(one: Point) -> str:
    return t(
        "{day}: {count} applications, {money} at stake, score {score}",
        day=day(one.at), count=number(one.size), money=money(one.exposure), score=f"{one.score:.2f}",
    )  # fmt: skip
