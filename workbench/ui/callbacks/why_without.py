"""What would take a ring off the list: the fewest shared things, each lit and with what to verify."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, ctx, html, no_update

from graph.errors import RingroadError
from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.services.reasons import verify
from workbench.services.reasons.counterfactual import Carrier, RingRests, ScoreRests
from workbench.services.reasons.ring_lines import Thing
from workbench.services.subject import RING
from workbench.ui import guard, ids
from workbench.ui.components import marks
from workbench.ui.components import why_parts as parts
from workbench.ui.components.why_parts import Lights
from workbench.ui.i18n import errors, t
from workbench.ui.viewmodel import sentences, why_words

BODY, LIGHTS, FOLDS = "why-without", "why-without-lights", "why-folds"
NAME = "without"
"""Of its fold."""

PATIENCE = 3.0
"""Seconds for the graph for scores, where it is just being opened."""


def placeholder() -> html.Div:
    return html.Div(id=BODY, className="why-without", children=working())


def working() -> html.Div:
    return html.Div(
        className="why-working",
        role="status",
        children=[
            dmc.Progress(value=100, animated=True, size="sm"),
            html.Div(t("Trying what is left without each link…"), className="why-note"),
        ],
    )


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"),
        Output(LIGHTS, "data"),
        Input(FOLDS, "value"),
        Input(ids.SUBJECT, "data"),
        Input(ids.CHANGED, "data"),
        running=[(Output(BODY, "className"), "why-without why-busy", "why-without")],
        prevent_initial_call=True,
    )
    def without(opened: list[str] | None, subject: Any, _changed: Any) -> Any:
        if NAME not in (opened or ()) or not subject:
            return working() if ctx.triggered_id != FOLDS else no_update, no_update
        lights = Lights("w")
        return shown(services, guard.person(), subject, lights), lights.told

    @app.callback(
        Output(marks.ASK, "data", allow_duplicate=True),
        Input({"t": "innocent-ask", "in": ALL, "id": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def innocent(clicks: list[int | None]) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update
        return {"thing": ctx.triggered_id["id"], "ts": sum(each or 0 for each in clicks)}


def shown(services: Services, who: Person, subject: Any, lights: Lights) -> Any:
    name = str(subject["name"])
    try:
        if subject["kind"] == RING:
            return _of_ring(services, who, services.counterfactuals.of_ring(who, name), lights)
        return _of_score(services.counterfactuals.of_application(who, name, patience=PATIENCE), lights)
    except RingroadError as error:
        guard.denied(error)
        return parts.note(errors.told(error.message))


def _of_ring(services: Services, who: Person, found: RingRests, lights: Lights) -> Any:
    if found.note:
        return parts.note(errors.told(found.note))
    if not found.things:
        return parts.note(t("It scores too little already to be listed."))
    may = who.may(Act.WORK)
    return html.Div(
        [
            html.P(sentence(found), className="why-answer"),
            *[_thing(each, lights, may=may) for each in found.things],
            _alone(found, services.rings.ring(who, found.ring_id)["shared"]),
        ]
    )


def _of_score(found: ScoreRests, lights: Lights) -> Any:
    if found.note:
        return parts.note(errors.told(found.note))
    if not found.things and not found.codes:
        return parts.note(t("Nobody would have to look at it as it is."))
    return html.Div(
        [
            html.P(score_sentence(found), className="why-answer"),
            *[_carrier(each, lights) for each in found.things],
            _rules_stay(found),
        ]
    )


def score_sentence(found: ScoreRests) -> str:
    """What the score would be, and what besides links would have to be ordinary for it."""
    figures = {"score": _figure(found.score), "left": _figure(found.left), "below": _figure(found.below)}
    what = " ".join(filter(None, (_links(len(found.things)), _codes(found.codes))))
    if not found.enough:
        return t("Without {what} it still scores {left} of {score}: more speaks against it.", what=what, **figures)
    told = t("Without {what} it scores {left} instead of {score}.", what=what, **figures)
    return f"{told} {t('A person looks from {score} on.', score=figures['below'])}"


def _figure(score: float) -> str:
    """A person looks at one score in a hundred, so what decides may be small."""
    return f"{score:.2f}" if score >= 0.1 else f"{score:.3f}"


def _links(count: int) -> str:
    if not count:
        return ""
    return t("this link") if count == 1 else t("these {count} links", count=count)


def _codes(codes: Sequence[str]) -> str:
    return t("and what speaks as {codes}", codes=", ".join(codes)) if codes else ""


def _carrier(one: Carrier, lights: Lights) -> Any:
    return parts.line(
        sentences.typed(one.type, one.masked),
        t("{what}; also in {names}", what=why_words.of(why_words.HELD, one.relation), names=", ".join(one.earlier)),
        key=lights.add(one.nodes, one.edges),
        inside=[parts.checks(why_words.all_of(verify.OF_RELATION.get(one.relation, ())))],
        opened=True,
    )


def _rules_stay(found: ScoreRests) -> Any:
    """A rule that holds asks for a person whatever the score is."""
    if found.advice in ("", "pass"):
        return None
    return parts.note(t("Rules would ask for a person all the same."), "why-bad")


def sentence(found: RingRests) -> str:
    """What follows when these prove harmless."""
    what = _links(len(found.things))
    left, below = f"{found.left:.2f}", f"{found.below:.2f}"
    if not found.enough:
        return t("No few links carry it: without {what} it still scores {left} of {score}.",
                 what=what, left=left, score=f"{found.score:.2f}")  # fmt: skip
    if not found.left_members:
        return t("Without {what} nothing is left of it.", what=what)
    return t(
        "Without {what} it falls from {score} to {left}: below {below}, from which rings are listed.",
        what=what, score=f"{found.score:.2f}", left=left, below=below,
    )  # fmt: skip


def _thing(one: Thing, lights: Lights, *, may: bool) -> Any:
    element = f"{one.type}~{one.key}"
    return parts.line(
        why_words.thing(one),
        t("{what}: {people} people", what=why_words.of(why_words.HELD, one.relation), people=one.people),
        key=lights.add(one.nodes, one.edges),
        inside=[
            parts.checks(why_words.all_of(verify.OF_RELATION.get(one.relation, ()))),
            parts.innocent_button(element, NAME) if may else None,
        ],
        opened=True,
    )


def _alone(found: RingRests, shared: Sequence[Mapping[str, Any]]) -> Any:
    """What the score would be without each single thing, the greatest effect first."""
    if not found.alone:
        return None
    names = {(one["type"], one["key"]): sentences.typed(one["type"], one["masked"]) for one in shared}
    rows = sorted(found.alone.items(), key=lambda each: each[1])
    figures = [
        each
        for thing, score in rows
        for each in (html.Dt(names.get(thing, "")), html.Dd(f"{score:.2f}", className="rr-num"))
    ]
    return html.Details(
        className="why-fold why-help",
        children=[
            html.Summary(t("The score without each single one"), className="why-more"),
            html.Dl(figures, className="why-figures"),
        ],
    )
