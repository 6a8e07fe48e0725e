"""Who is looked at: a ring or an application in five lines, at the head of the panels."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from workbench.casebook.cases import Case
from workbench.services.canvas.graph_shapes import Shown
from workbench.services.canvas.investigate import Opened
from workbench.ui.aria import aria
from workbench.ui.i18n import day, money, number, t
from workbench.ui.viewmodel import case_words

STATE = "inv-state"

HIGH, MIDDLE = 0.6, 0.35
"""Scores from which a ring is drawn red, and orange."""


def header(opened: Opened, *, now: datetime) -> html.Header:
    ring, case = opened.ring, opened.case
    score = _score(opened) if ring is None else None if ring.get("not_yet") else ring["score"]
    return html.Header(
        className="inv-head",
        children=[
            _gauge(score),
            html.Div(
                className="inv-head-text",
                children=[
                    html.H1([opened.subject.name, html.Span(state(case), id=STATE)]),
                    html.Div(_kind(opened), className="inv-head-kind"),
                    html.Dl(_figures(opened, now), className="inv-figures"),
                ],
            ),
        ],
    )


def title(opened: Opened) -> list[Any]:
    """For the bar over the graph; what it is stands there where there is room."""
    kind = _kind(opened)
    return [opened.subject.name, *([html.Span(f" · {kind}")] if kind else [])]


def _kind(opened: Opened) -> str:
    if opened.ring is None:
        return t("Single application")
    kind = case_words.typology(opened.ring["typology"])
    return f"{kind} · {t('not a ring then')}" if opened.ring.get("not_yet") else kind


def _gauge(score: float | None) -> Any:
    if score is None:
        return html.Div("–", className="inv-gauge-none", **aria(label=t("Not scored")))
    colour = "red.8" if score >= HIGH else "orange.7" if score >= MIDDLE else "yellow.7"
    return dmc.RingProgress(
        size=68,
        thickness=7,
        roundCaps=True,
        sections=[{"value": max(2, round(score * 100)), "color": colour}],
        label=html.Div(f"{score:.2f}", className="inv-gauge rr-num"),
        **aria(label=t("Score {score}", score=f"{score:.2f}")),
    )


def state(case: Case | None) -> list[Any]:
    """How the work on it stands, and what joined since."""
    if case is None:
        return []
    closed = [t("Closed"), case_words.of(case_words.OUTCOME, case.outcome)] if case.closed else []
    said = ": ".join(each for each in closed if each) or case_words.of(case_words.STATUS, case.status)
    badge = html.Span(said, className="inv-badge inv-badge-closed" if case.closed else "inv-badge")
    grown = html.Span(t("{count} joined", count=case.grown), className="inv-badge inv-badge-grown")
    return [dcc.Link(badge, href=f"/case/{case.id}", title=case.name), *([grown] if case.grown else [])]


def _figures(opened: Opened, now: datetime) -> list[Any]:
    ring = opened.ring
    if ring is None:
        told = _of_application(opened)
    elif ring.get("not_yet"):
        told = [(t("Applications then"), number(sum(each.member for each in opened.picture.nodes)))]
    else:
        told = [
            (t("Applications"), number(ring["size"])),
            (t("At stake"), money(ring["exposure"])),
            (t("Still savable"), money(ring["undisbursed"])),
            (t("Last joined"), _ago(ring, now)),
        ]
    return [html.Div([html.Dt(name), html.Dd(value, className="rr-num")]) for name, value in told if value]


def _ago(ring: Mapping[str, Any], now: datetime) -> str:
    last = datetime.fromisoformat(f"{ring['last_seen']}T00:00+08:00")
    days = (now - last).days
    return t("{count} days ago", count=days) if 0 <= days <= 60 else day(last)


def _of_application(opened: Opened) -> list[tuple[str, str]]:
    own = _own(opened)
    if own is None:
        return []
    told = own.properties
    amount, down, decided = told.get("amount"), told.get("down_payment"), told.get("decision")
    return [
        (t("Amount"), money(float(amount)) if amount is not None else ""),
        (t("Down payment"), money(float(down)) if down is not None else ""),
        (t("Decision"), _decided(str(decided)) if decided else t("open")),
        (t("Paid out"), _when(told.get("funded_at"))),
    ]


def _decided(code: str) -> str:
    words = {"approve": t("approved"), "decline": t("declined"), "withdrawn": t("withdrawn")}
    return words.get(code, code)


def _when(millis: Any) -> str:
    return day(datetime.fromtimestamp(millis / 1000).astimezone()) if millis else t("not yet")


def _score(opened: Opened) -> float | None:
    own = _own(opened)
    return None if own is None else own.score


def _own(opened: Opened) -> Shown | None:
    return next((each for each in opened.picture.nodes if each.member), None)
