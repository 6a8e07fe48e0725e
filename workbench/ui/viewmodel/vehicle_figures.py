"""A car's life as lanes over one time: what happened when, and when it was known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import plotly.graph_objects as go

from workbench.services.lenses.vehicle_life import LANES, Fact, Life, Loan
from workbench.ui.i18n import CHINA, t, when
from workbench.ui.viewmodel import case_words
from workbench.ui.viewmodel.plots import BLUE, GREEN, GREY, INK, RED, SOFT, dates, figure
from workbench.ui.viewmodel.vehicle_words import KINDS, fact
from workbench.ui.viewmodel.vehicle_words import LANES as LANE_WORDS

HIGH = 58
"""Pixels of a lane."""

EARLY = timedelta(days=30)
"""What happens to a car so soon after the payout is what R21 and R22 look for."""

LEVELS = (14, -15, 25)
"""Pixels over the lane's middle where labels stand: the next level when there is no room beside the one before."""

NARROW, WIDE = 0.0062, 0.011
"""Of the width: a letter, and a Chinese one."""

LINE = {"color": "#edf0f3", "width": 1}


def life(told: Life) -> go.Figure:
    start, end = _span(told)
    shown = figure(margin={"l": 8, "r": 14, "t": 22, "b": 4}, height=HIGH * len(LANES) + 40, hovermode="closest")
    for at in range(len(LANES) + 1):
        shown.add_shape(type="line", xref="paper", x0=0, x1=1, y0=at - 0.5, y1=at - 0.5, line=LINE, layer="below")
    for number, loan in enumerate(told.loans):
        _loan(shown, loan, told.today, number)
    _insured(shown, told)
    _reports(shown, told)
    for at, lane in enumerate(LANES):
        _facts(shown, [one for one in told.facts if one.lane == lane], _y(at), end - start)
    _now(shown, told.today)
    shown.update_xaxes(range=[_local(start), _local(end)], showgrid=True, gridcolor="#f3f5f7", side="top", **dates())
    shown.update_yaxes(
        range=[-0.5, len(LANES) - 0.5], tickvals=[_y(at) for at in range(len(LANES))], showgrid=False,
        ticktext=[f"<b>{case_words.of(LANE_WORDS, lane)}</b>" for lane in LANES], tickfont={"size": 12, "color": SOFT},
    )  # fmt: skip
    return shown


def _y(lane: int) -> float:
    return len(LANES) - 1 - lane


def _local(at: datetime) -> datetime:
    """China's time without a zone: the axis shows what people there would say."""
    return at.astimezone(CHINA).replace(tzinfo=None)


def _span(told: Life) -> tuple[datetime, datetime]:
    times = [each for one in told.facts for each in (one.at, one.known_at)] + [told.today]
    pad = max((max(times) - min(times)) * 0.03, timedelta(days=2))
    return min(times) - pad, max(times) + pad


def _bar(shown: go.Figure, y: float, begin: datetime, end: datetime, colour: str, *, opacity: float = 0.28) -> None:
    shown.add_shape(type="rect", x0=_local(begin), x1=_local(end), y0=y - 0.13, y1=y + 0.13, fillcolor=colour,
                    opacity=opacity, line={"width": 0}, layer="below")  # fmt: skip


def _loan(shown: go.Figure, loan: Loan, today: datetime, number: int) -> None:
    """From the payout on, red from the first instalment missed; before, a thin line. Two loans lie side by side."""
    y = _y(LANES.index("loan")) - 0.2 * (number % 3)
    if loan.funded_at is None:
        return
    _bar(shown, y, loan.funded_at, loan.missed_from or today, BLUE)
    if loan.missed_from:
        _bar(shown, y, loan.missed_from, today, RED, opacity=0.4)
    shown.add_shape(type="rect", x0=_local(loan.funded_at), x1=_local(min(loan.funded_at + EARLY, today)), yref="paper",
                    y0=0, y1=1, fillcolor="#fff3d6", opacity=0.55, line={"width": 0}, layer="below")  # fmt: skip
    if not number:
        shown.add_annotation(
            x=_local(loan.funded_at), yref="paper", y=0, text=t("30 days from the payout"), showarrow=False,
            xanchor="left", yanchor="bottom", xshift=3, font={"size": 10, "color": "#7a4b00"},
        )  # fmt: skip


def _insured(shown: go.Figure, told: Life) -> None:
    begin: datetime | None = None
    y = _y(LANES.index("insurance"))
    for one in told.facts:
        if one.kind == "insured":
            begin = begin or one.at
        elif one.kind == "policy_cancelled" and begin is not None:
            _bar(shown, y, begin, one.at, GREEN)
            begin = None
    if begin is not None:
        _bar(shown, y, begin, told.today, GREEN)


def _reports(shown: go.Figure, told: Life) -> None:
    """Every report as a tick; red since the last one, where the rules call the car silent."""
    if not told.stops:
        return
    y = _y(LANES.index("gps"))
    _bar(shown, y, told.stops[0].at, told.stops[-1].at, GREEN)
    if "silent" in told.row.signs:
        _bar(shown, y, told.stops[-1].at, told.today, RED, opacity=0.3)
        shown.add_annotation(x=_local(told.today), y=y, text=t("silent"), showarrow=False, xanchor="right", yshift=13,
                             font={"size": 11, "color": RED})  # fmt: skip
    shown.add_scatter(
        x=[_local(one.at) for one in told.stops], y=[y] * len(told.stops), mode="markers",
        marker={"symbol": "line-ns", "size": 9, "line": {"width": 1.2, "color": GREEN}},
        customdata=[f"{when(one.at)} · {one.place} · {one.km:.0f} km" for one in told.stops],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip


def _facts(shown: go.Figure, facts: Sequence[Fact], y: float, whole: timedelta) -> None:
    """A dot when it happened, a tick when it was known, and a line between."""
    for one in facts:
        if one.known_at > one.at:
            shown.add_shape(type="line", x0=_local(one.at), x1=_local(one.known_at), y0=y, y1=y,
                            line={"color": GREY, "width": 1, "dash": "dot"})  # fmt: skip
    late = [one for one in facts if one.known_at > one.at]
    for some, y_, symbol, size in ((late, y, "line-ns", 10), (list(facts), y, "circle", 11)):
        known = symbol != "circle"
        shown.add_scatter(
            x=[_local(one.known_at if known else one.at) for one in some], y=[y_] * len(some), mode="markers",
            marker={"symbol": symbol, "size": size, "color": [_colour(one) for one in some],
                    "line": {"width": 1.5, "color": [GREY] * len(some) if known else "#fff"}},
            customdata=[_said(one) for one in some], hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    ends = [-1.0] * len(LEVELS)
    for one in facts:
        if one.kind in ("first_report", "last_report"):
            continue
        text, at = case_words.of(KINDS, one.kind), (one.at - facts[0].at) / whole
        level = next((free for free, end in enumerate(ends) if end < at), len(LEVELS) - 1)
        ends[level] = at + sum(WIDE if ord(each) > 255 else NARROW for each in text)
        shown.add_annotation(
            x=_local(one.at), y=y, text=text, showarrow=False, xanchor="left", xshift=-4, yshift=LEVELS[level],
            font={"size": 10.5, "color": RED if one.grave else INK},
        )  # fmt: skip


def _colour(one: Fact) -> str:
    return RED if one.grave else BLUE if one.lane == "loan" else INK


def _said(one: Fact) -> str:
    text = f"<b>{fact(one)}</b><br>" + t("happened {time}", time=when(one.at))
    if one.known_at > one.at:
        text += "<br>" + t("known {time}", time=when(one.known_at))
    return text + (f"<br>{one.application}" if one.application else "")


def _now(shown: go.Figure, today: datetime) -> None:
    shown.add_shape(type="line", x0=_local(today), x1=_local(today), yref="paper", y0=0, y1=1,
                    line={"color": GREY, "width": 1, "dash": "dash"})  # fmt: skip
