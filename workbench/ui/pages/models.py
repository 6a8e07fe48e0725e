"""Whether models and the score service are well; where models on trial disagree with what was answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from re import compile as pattern
from typing import Any

import dash_ag_grid as dag
from dash import dcc, html
from plotly.graph_objects import Figure

from workbench.online.watching import Watched
from workbench.services.all import Services
from workbench.services.health import BINS, Answers, Difference, Health, Version
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria
from workbench.ui.components.grid_words import usual
from workbench.ui.components.queue_grid import theme
from workbench.ui.i18n import day, number, share, t, when
from workbench.ui.icons import PAGES as GLYPHS
from workbench.ui.pages.page import Page
from workbench.ui.viewmodel.plots import BLUE, CONFIG, figure

METRICS = {"pr_auc": "PR-AUC", "roc_auc": "ROC-AUC", "ece": "ECE"}


def layout(services: Services, who: Person, _match: Mapping[str, str]) -> Any:
    found = services.health.health(who)
    return html.Div(
        className="rr-inside ov",
        children=[
            html.Div(className="rr-title", children=[html.H1(t("Models and service"))]),
            _tiles(found),
            html.Div(
                className="ov-grid",
                children=[
                    _card(t("Versions"), _versions(found.versions), "ov-wide"),
                    _card(t("Scores of the newest answers"), _scores(found.answers)),
                    _card(t("Where models on trial disagree"), _differences(found.differences), "md-all"),
                ],
            ),
        ],
    )


def _tiles(found: Health) -> Any:
    told = found.answers
    graph = when(found.graph_at) if found.graph_at else t("none yet")
    shift = told.shift
    return html.Div(
        className="ov-tiles md-tiles",
        children=[
            _tile(
                t("Graph that scores are read from"),
                graph,
                t("too old: nobody is passed") if found.stale else t("fresh enough") if found.graph_at else "",
                warn=found.stale,
            ),
            _tile(
                t("Not in the store yet"),
                number(found.behind),
                t("entries that the service was told"),
            ),
            _tile(
                t("Strategy in force"),
                t("no. {number}", number=found.strategy.id) if found.strategy.id else t("as shipped"),
                _strategy(found),
            ),
            _tile(
                t("Degraded answers"),
                number(sum(told.degraded.values())),
                ", ".join(sorted(told.degraded)) or t("of the newest {count}", count=number(told.number)),
                warn=bool(told.degraded),
            ),
            _tile(
                t("Shift of scores (PSI)"),
                f"{shift.psi:.2f}" if shift else "–",
                t("beyond what is usual")
                if shift and shift.shifted
                else t("as usual")
                if shift
                else t("too few answers"),
                warn=bool(shift and shift.shifted),
            ),
        ],
    )


def _shifted(shift: Watched | None) -> str:
    if shift is None:
        return t("too few answers")
    return t("beyond what is usual") if shift.shifted else t("as usual")


def _strategy(found: Health) -> str:
    strategy = found.strategy.strategy
    if strategy.challenger is not None:
        return t("a challenger decides {share}", share=share(strategy.challenger.share))
    return t("strong rules may decline") if strategy.decline else t("rules only ask for a review")


def _tile(name: str, value: str, below: str, *, warn: bool = False) -> Any:
    return html.Div(
        className="rr-panel ov-tile" + (" ov-warn" if warn else ""),
        children=[
            html.Div(name, className="ov-name"),
            html.Div(value, className="ov-value rr-num"),
            html.Div(below, className="ov-below"),
        ],
    )


def _card(title: str, inside: Any, more: str = "") -> Any:
    return html.Section(
        className=f"rr-panel ov-card {more}", children=[html.H2(title, className="rr-h"), inside], **aria(label=title)
    )


def _nothing(text: str) -> Any:
    return html.Div(text, className="ov-nothing")


def _versions(versions: Sequence[Version]) -> Any:
    if not versions:
        return _nothing(t("No model yet: rules and an isolation forest speak. Train one: ringroad train"))
    head = [t("Version"), t("Role"), t("Trained until"), *METRICS.values(), t("Trouble")]
    rows = [
        html.Tr(
            [
                html.Td(each.version, className="rr-num"),
                html.Td(_role(each.role)),
                html.Td(day(each.trained_until) if each.trained_until else ""),
                *(html.Td(_metric(each, name), className="rr-num") for name in METRICS),
                html.Td(each.trouble),
            ]
        )
        for each in reversed(versions)
    ]
    return html.Table(
        className="ov-table", children=[html.Thead(html.Tr([html.Th(each) for each in head])), html.Tbody(rows)]
    )


def _metric(version: Version, name: str) -> str:
    return f"{version.metrics[name]:.3f}" if name in version.metrics else ""


def _role(role: str) -> str:
    return {"champion": t("serves"), "shadow": t("listens"), "": ""}.get(role, role)


def _scores(told: Answers) -> Any:
    if not told.number:
        return _nothing(t("The score service has not answered anybody yet."))
    counts = " · ".join(f"{_decision(name)} {number(count)}" for name, count in sorted(told.decisions.items()))
    plot = dcc.Graph(figure=_histogram(told), config=CONFIG, style={"height": 190})
    since = t("up to {when}", when=when(told.newest)) if told.newest else ""
    return html.Div([html.Div(f"{counts} · {since}", className="rr-soft rr-small"), plot])


def _decision(name: str) -> str:
    return {
        "pass": t("Pass"), "review": t("Review"), "decline": t("Decline"), "unscored": t("Unscored")
    }.get(name, name)  # fmt: skip


def _histogram(told: Answers) -> Figure:
    shown = figure(height=190, bargap=0.1)
    shown.add_bar(
        x=[(at + 0.5) / BINS for at in range(BINS)],
        y=list(told.scores),
        marker={"color": BLUE},
        hovertemplate="%{x:.2f}: %{y}<extra></extra>",
    )
    shown.update_layout(xaxis={"range": [0, 1], "tickvals": [0, 0.25, 0.5, 0.75, 1]})
    return shown


def _differences(differences: Sequence[Difference]) -> Any:
    if not differences:
        return _nothing(t("No model is on trial. Put one beside the one that serves: ringroad models shadow VERSION"))
    moved = sum(each.decision != each.other_decision for each in differences)
    said = t(
        "{moved} of the newest {count} would have been decided otherwise", moved=number(moved), count=len(differences)
    )
    columns = [
        {"field": "at", "headerName": t("When"), "width": 150},
        {"field": "application", "headerName": t("Application"), "width": 170},
        {"field": "answered", "headerName": t("Answered by"), "flex": 1},
        {"field": "decision", "headerName": t("Decision"), "width": 130},
        {"field": "score", "headerName": t("Score"), "width": 90, "type": "rightAligned"},
        {"field": "other", "headerName": t("On trial"), "flex": 1},
        {"field": "other_decision", "headerName": t("Its decision"), "width": 130},
        {"field": "other_score", "headerName": t("Its score"), "width": 90, "type": "rightAligned"},
    ]
    return html.Div(
        [
            html.Div(said, className="rr-soft rr-small"),
            dag.AgGrid(
                id="model-differences",
                rowData=[_row(each) for each in differences],
                columnDefs=columns,
                defaultColDef={"sortable": True, "resizable": True},
                dashGridOptions={
                    "theme": theme(),
                    "rowHeight": 32,
                    "headerHeight": 34,
                    "animateRows": False,
                    **usual(),
                },
                style={"height": 320, "marginTop": 8},
            ),
        ]
    )


def _row(one: Difference) -> dict[str, str]:
    return {
        "at": when(one.at),
        "application": one.application_id,
        "answered": one.answered_by,
        "decision": _decision(one.decision),
        "score": "" if one.score is None else f"{one.score:.3f}",
        "other": one.version,
        "other_decision": _decision(one.other_decision),
        "other_score": "" if one.other_score is None else f"{one.other_score:.3f}",
    }


PAGE = Page(
    path=pattern(r"/models"), title="Models", act=Act.READ, layout=layout, rail=GLYPHS["models"], href="/models"
)
