"""Similar past cases, looked for when somebody opens them."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from graph.ontology import EDGES
from workbench.services.all import Services
from workbench.services.reasons.similar import PARTS, Alike, Traits, traits_of_ring
from workbench.services.subject import APPLICATION, RING, Subject
from workbench.ui import guard, ids
from workbench.ui.components import why_parts as parts
from workbench.ui.i18n import day, money, share, t
from workbench.ui.viewmodel import case_words, sentences, why_words

BODY, FOLDS = "why-similar", "why-folds"


def placeholder() -> html.Div:
    return html.Div(id=BODY, children=dmc.Skeleton(height=48))


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"),
        Input(FOLDS, "value"),
        Input(ids.SUBJECT, "data"),
        Input(ids.CHANGED, "data"),
        State(BODY, "children"),
        prevent_initial_call=True,
    )
    def similar(opened: list[str] | None, subject: Any, _changed: Any, _now: Any) -> Any:
        if "similar" not in (opened or ()) or not subject:
            return no_update
        return listed(services, Subject(subject["kind"], subject["name"]))


def listed(services: Services, subject: Subject) -> Any:
    who = guard.person()
    found = services.similar.to(who, traits(services, subject), but=subject.name)
    if not found:
        return parts.note(t("No closed case is like this one yet."))
    return html.Div(className="why-alike", children=[_one(each) for each in found])


def traits(services: Services, subject: Subject) -> Traits:
    """What is compared; where it was sold is known of what has a case."""
    who = guard.person()
    case = services.cases.for_subject(who, subject)
    dealer, region = ("", "") if case is None else (case.dealer, case.region)
    if subject.kind == RING:
        return traits_of_ring(services.rings.ring(who, subject.name), dealer=dealer, region=region)
    answer = services.reasons.of_application(who, subject.name).explained.told
    codes = answer.get("codes") or [each["code"] for each in answer.get("reasons", ())]
    return Traits(APPLICATION, "", dict.fromkeys(codes, 1.0), 1, 1, dealer, region)


def _one(each: Alike) -> html.Div:
    outcome = case_words.of(case_words.OUTCOME, each.outcome)
    colour = {"confirmed_fraud": "red", "false_positive": "teal", "valuable": "orange"}.get(each.outcome, "gray")
    common = [sentences.relation(name) if name in EDGES else name for name in each.common]
    return html.Div(
        className="why-case",
        children=[
            html.Div(
                [
                    dcc.Link(f"C{each.case_id}", href=f"/case/{each.case_id}", className="rr-link"),
                    parts.badge(outcome, colour),
                    html.Span(t("{share} alike", share=share(each.likeness)), className="why-figure rr-num"),
                ],
                className="why-role-head",
            ),
            html.Div(_about(each), className="why-detail"),
            html.Div(t("Both share: {names}", names=", ".join(common)), className="why-detail") if common else None,
            html.Div(each.reason, className="why-quote") if each.reason else None,
            html.Details(
                [html.Summary(t("Why is it alike?"), className="why-more"), _parts(each)], className="why-fold why-help"
            ),
        ],
    )


def _about(each: Alike) -> str:
    size = t("{count} applications", count=each.size) if each.kind == RING else each.subject
    closed = t("closed {day}", day=day(each.closed_at)) if each.closed_at else ""
    kind = case_words.typology(each.typology)
    return " · ".join(filter(None, (kind, size, money(each.exposure), closed)))


def _parts(each: Alike) -> Any:
    told = {why_words.of(why_words.PARTS, name): share(each.parts[name]) for name in PARTS}
    return parts.figures(told)
