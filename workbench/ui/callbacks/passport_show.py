"""Fills the history panel: of another subject, or after somebody decided something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, dcc, html, no_update

from graph.errors import RingroadError
from workbench.services.all import Services
from workbench.services.lenses.passport import Life, Relative
from workbench.services.lenses.passport_events import Happening
from workbench.services.subject import RING, Subject
from workbench.ui import guard, ids
from workbench.ui.aria import aria
from workbench.ui.i18n import day, errors, number, t, when
from workbench.ui.viewmodel import passport_figures, passport_words
from workbench.ui.viewmodel.plots import plot

BODY = "passport-body"
FIRST = 60
"""So many of the newest happenings are shown at once; the others unfold."""


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"), Input(ids.SUBJECT, "data"), Input(ids.CHANGED, "data"), prevent_initial_call=True
    )
    def show(subject: Any, _changed: Any) -> Any:
        return shown(services, Subject(subject["kind"], subject["name"])) if subject else no_update


def shown(services: Services, subject: Subject) -> Any:
    try:
        life = services.passport.life(guard.person(), subject)
    except RingroadError as error:
        guard.denied(error)
        return html.Div(className="rr-empty", children=[html.H2(t("No history")), html.P(errors.told(error.message))])
    return [_standing(life), _growth(life), *_family(life.family), _timeline(life.happenings)]


def _standing(life: Life) -> Any:
    if life.subject.kind != RING:
        return None
    said = {
        "alive": t("Known since {day}", day=day(life.born_at)) if life.born_at else "",
        "dead": t("No ring any more"),
        "merged": t("Part of another ring now"),
    }.get(life.status, t("Not recorded by a run yet"))
    seen = sum(not one.update for one in life.points)
    runs = t("seen by {count} runs", count=number(seen)) if seen != 1 else t("seen by one run")
    parts = [html.Strong(said), *([html.Span(runs, className="rr-soft")] if seen else [])]
    return html.Div(className="rr-section pp-standing", children=parts)


def _growth(life: Life) -> Any:
    if not life.grown:
        return None
    name = t("How it grew") if life.subject.kind == RING else t("In time")
    said = t("From {first} on, {count} applications", first=day(life.grown[0].at), count=number(len(life.grown)))
    figures = [plot(passport_figures.growth(life), said=said)] if len(life.grown) > 1 else []
    if len(life.points) > 1:
        figures.append(plot(passport_figures.runs(life.points), said=t("Score and money from run to run")))
    return _section(name, *figures) if figures else None


def _family(family: Sequence[Relative]) -> list[Any]:
    if not family:
        return []
    return [
        _section(
            t("Where it comes from, and what became of it"),
            html.Ul([_relative(one) for one in family], className="pp-family"),
        )
    ]


def _relative(one: Relative) -> Any:
    name: Any = one.ring_id
    if one.status == "alive":
        name = dcc.Link(one.ring_id, href=f"/ring/{one.ring_id}")
    said = f"{passport_words.relative(one)} · {day(one.at)}"
    status = html.Span(passport_words.status(one.status), className="pp-status")
    return html.Li([html.Span(name, className="pp-ring rr-num"), status, html.Div(said, className="rr-soft rr-small")])


def _timeline(happenings: Sequence[Happening]) -> Any:
    newest = list(happenings)[::-1]
    listed: list[Any] = [html.Ol(className="pp-line", children=[_happening(one) for one in newest[:FIRST]])]
    if newest[FIRST:]:
        rest = html.Ol(className="pp-line", children=[_happening(one) for one in newest[FIRST:]])
        more = t("{count} earlier ones", count=number(len(newest) - FIRST))
        listed.append(html.Details([html.Summary(more, className="pp-more"), rest]))
    return _section(t("Life"), *(listed if newest else [html.P(t("Nothing has happened yet."), className="rr-soft")]))


def _happening(one: Happening) -> html.Li:
    more = passport_words.detail(one)
    moment, title = when(one.at), passport_words.title(one)
    ask = t("Draw the graph as of {time}", time=moment)
    jump: dict[str, Any] = {"data-asof": one.at.isoformat(), "data-said": f"{moment} · {title}"}
    link = [dcc.Link(one.other, href=f"/ring/{one.other}")] if one.other else []
    return html.Li(
        className=f"pp-{passport_words.TONES[one.kind]}",
        children=[
            html.Button(moment, className="pp-when rr-num", type="button", title=ask, **jump, **aria(label=ask)),
            html.Div(_linked(title, one.other, link), className="pp-what"),
            *([html.Div(more, className="rr-soft rr-small pp-more-said")] if more else []),
        ],
    )


def _linked(title: str, other: str, link: Sequence[Any]) -> list[Any]:
    """The other ring's name in the sentence leads to it."""
    if not other or other not in title:
        return [title]
    before, _, after = title.partition(other)
    return [before, *link, after]


def _section(title: str, *inside: Any) -> html.Section:
    return html.Section(
        className="rr-section", children=[html.H2(title, className="rr-h"), *inside], **aria(label=title)
    )
