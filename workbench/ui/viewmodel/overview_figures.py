"""Plots of the overview: what came, what is at stake, where it gathers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from workbench.services.overview import CHINA, Heat, Overview
from workbench.ui.i18n import day, money, number, t
from workbench.ui.viewmodel.plots import AMBER, BLUE, GREY, RED, apart, figure
from workbench.ui.viewmodel.regions import province

MARGIN = {"l": 8, "r": 8, "t": 6, "b": 4}


def alerts(found: Overview) -> go.Figure:
    """One bar a day, what was declined below what goes to review; days without any are there, too."""
    days = sorted({at for at, _, _ in found.alerts})
    every = [days[0] + timedelta(days=at) for at in range((days[-1] - days[0]).days + 1)] if days else []
    told = {(at, decision): count for at, decision, count in found.alerts}
    shown = figure(margin=MARGIN, barmode="stack", bargap=0.25, height=190)
    for decision, name, colour in (("decline", t("Decline"), RED), ("review", t("Review"), AMBER)):
        counts = [told.get((at, decision), 0) for at in every]
        shown.add_bar(
            x=[at.date() for at in every],
            y=counts,
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            customdata=[f"{day(at)} · {name} {number(count)}" for at, count in zip(every, counts, strict=True)],
            hovertemplate="%{customdata}<extra></extra>",
        )
    shown.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.14, "x": 1, "xanchor": "right"},
        xaxis={"tickformat": "%m-%d"},
        yaxis={"tickformat": "d", "rangemode": "tozero", "dtick": 1 if max(told.values(), default=0) < 5 else None},
    )
    return shown


def at_stake(found: Overview) -> go.Figure:
    """Money open in rings at each run, and the part of it that can still be saved."""
    days = [as_of.astimezone(CHINA).date() for as_of, *_ in found.runs]
    shown = figure(margin=MARGIN | {"r": 74}, height=190)
    lines = (
        ([exposure for _, _, exposure, _ in found.runs], t("At stake"), GREY, "rgba(134,142,150,.16)"),
        ([savable for _, _, _, savable in found.runs], t("Savable"), BLUE, "rgba(24,100,171,.20)"),
    )
    for values, name, colour, fill in lines:
        shown.add_scatter(
            x=days,
            y=values,
            mode="lines+markers",
            line={"color": colour, "width": 2, "shape": "hv"},
            marker={"size": 5},
            fill="tozeroy",
            fillcolor=fill,
            name=name,
            customdata=[f"{name} {money(value)}" for value in values],
            hovertemplate="%{customdata}<extra></extra>",
        )
    if days:
        _named_at_end(shown, days[-1], [(values, name, colour) for values, name, colour, _ in lines])
    months = (days[-1] - days[0]).days // 30 if days else 0
    shown.update_layout(
        xaxis={"tickformat": "%Y-%m", "dtick": f"M{1 + months // 6}"},
        yaxis={"rangemode": "tozero", "showticklabels": False},
        hovermode="x",
    )
    return shown


def _named_at_end(shown: go.Figure, last: date, lines: Sequence[tuple[Sequence[float], str, str]]) -> None:
    """Each line's name beside its last value, none over another."""
    highest = max(max(values) for values, *_ in lines)
    places = apart([values[-1] for values, *_ in lines], 0.24 * highest)
    lift = max(0.0, -min(places))  # none below the axis
    for (values, name, colour), at in zip(lines, places, strict=True):
        shown.add_annotation(
            x=last,
            y=at + lift,
            text=f"{name}<br>{money(values[-1])}",
            showarrow=False,
            xanchor="left",
            xshift=8,
            yshift=12,
            align="left",
            font={"color": colour, "size": 11.5},
        )


def heat(found: Overview) -> go.Figure:
    """Regions, and in them dealers, as large as the money at stake; the darker, the higher their cases score."""
    ids, labels, parents, sizes, scores, said = _tree(found)
    shown = figure(margin={"l": 0, "r": 0, "t": 0, "b": 0}, height=330)
    shown.add_treemap(
        ids=ids,
        labels=labels,
        parents=parents,
        values=sizes,
        branchvalues="total",
        marker={
            "colors": [_warm(score) for score in scores],
            "line": {"width": 1.5, "color": "#fff"},
            "cornerradius": 4,
        },
        customdata=said,
        hovertemplate="%{customdata}<extra></extra>",
        texttemplate="<b>%{label}</b><br>%{customdata}",
        textposition="top left",
        textfont={"size": 12},
        tiling={"pad": 3},
        pathbar={"visible": False},
        root={"color": "rgba(0,0,0,0)"},
        maxdepth=3,
    )
    shown.update_layout(uniformtext={"minsize": 10, "mode": "hide"})
    return shown


FORM = re.compile(r"(汽车)?(销售|贸易|服务|租赁)*(有限|股份|责任)*公司$")
"""The form of a company, at the end of its name."""

WARM = ((0.0, (231, 237, 243)), (0.5, (246, 196, 138)), (1.0, (224, 104, 92)))
"""From no score to the highest; dark letters can be read on all of it."""


def _warm(score: float) -> str:
    at = min(max(score, 0.0), 1.0)
    low, high = next(pair for pair in pairwise(WARM) if at <= pair[1][0])
    part = (at - low[0]) / (high[0] - low[0])
    return "rgb({},{},{})".format(*(round(a + part * (b - a)) for a, b in zip(low[1], high[1], strict=True)))


ALL = "all"

Tree = tuple[list[str], list[str], list[str], list[float], list[float], list[str]]


def _tree(found: Overview) -> Tree:
    """(ids, labels, parents, money, scores, texts): a region's money is the sum of its dealers'."""
    regions: dict[str, list[Heat]] = {}
    for one in found.heat:
        regions.setdefault(one.region[:2], []).append(one)
    tree: Tree = ([], [], [], [], [], [])
    if found.heat:
        _add(tree, ALL, t("All regions"), "", *_together(found.heat))
    for region, inside in regions.items():
        name = province(region) if region else t("no region")
        _add(tree, f"region {region}", name, ALL, *_together(inside))
        for one in inside:
            _add(tree, one.dealer, _short(one.name), f"region {region}", one.exposure, one.score, one.cases)
    return tree


def _together(some: Sequence[Heat]) -> tuple[float, float, int]:
    """(money, mean score, cases)."""
    count = sum(one.cases for one in some)
    return sum(one.exposure for one in some), sum(one.score * one.cases for one in some) / count, count


def _short(name: str) -> str:
    """What tells a dealer from others: 上海市德邦汽车销售服务有限公司 is 上海市德邦."""
    return FORM.sub("", name) or name


def _add(tree: Tree, *node_and_cases: str | float) -> None:
    """id, label, parent, money, score, number of cases."""
    *node, cases = node_and_cases
    stake = money(float(node[3]))
    text = (
        t("{money} · 1 case", money=stake)
        if cases == 1
        else t("{money} · {count} cases", money=stake, count=number(float(cases)))
    )
    columns: tuple[list[Any], ...] = tree
    for column, value in zip(columns, (*node, text), strict=True):
        column.append(value)
