"""One thing in full, at the right of the graph: what it is, what leads from it, what is said of it, what can be done.

The chosen node decides (SELECTED); of several the one chosen last. Buttons act through `assets/entity.js`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.services.canvas.graph_shapes import element_id
from workbench.services.find.entities import Entity
from workbench.services.permissions import Person
from workbench.services.subject import Subject
from workbench.ui.aria import aria, data
from workbench.ui.callbacks import find_entity
from workbench.ui.components import entity_actions, entity_words
from workbench.ui.i18n import number, t
from workbench.ui.theme import colour, glyph
from workbench.ui.viewmodel import case_words, elements, properties, sentences

BODY = find_entity.BODY


def panel(_services: Services, _who: Person, _subject: Subject) -> Any:
    return html.Div(
        className="ent",
        children=[
            *(dcc.Store(id=each) for each in find_entity.STORES),
            html.Div(id=BODY, className="ent-body", children=nothing(), **aria(live="polite")),
        ],
    )


def register(app: Dash, services: Services) -> None:
    find_entity.register(app, services, shown=entity, nothing=nothing)


def nothing(why: str = "") -> html.Div:
    return html.Div(
        className="rr-empty ent-none",
        children=[
            html.H2(why or t("Nothing is chosen")),
            html.P(t("Press a node of the graph, or a line of the table under it, to see all that is known of it.")),
        ],
    )


def entity(who: Person, one: Entity, *, others: int = 0) -> list[Any]:
    """`others` are chosen besides."""
    return [
        _head(one, others),
        entity_actions.actions(who, one),
        _counts(one),
        _rings(one),
        *([_model(one)] if one.score else []),
        *entity_words.said(one),
        _properties(one),
    ]


def section(title: str, *inside: Any) -> html.Section:
    return html.Section([html.H2(title, className="rr-h"), *inside], className="rr-section", **aria(label=title))


def _head(one: Entity, others: int) -> html.Header:
    shown, type_ = one.shown, one.ref.type
    title, *role = elements.label(shown).split("\n")
    below = [sentences.node_type(type_), *([shown.masked] if shown.masked and shown.masked != title else [])]
    return html.Header(
        className="rr-section ent-head",
        children=[
            html.Span(
                html.Img(src=glyph(type_), alt="", width=20, height=20),
                className="ent-glyph",
                style={"background": colour(type_)},
            ),
            html.Div(
                className="ent-name",
                children=[
                    html.H2(title),
                    html.Div(" · ".join(below), className="rr-soft rr-small"),
                    html.Div(_badges(one, role), className="ent-badges"),
                    html.Div(t("and {count} more chosen", count=others), className="rr-soft rr-small")
                    if others
                    else None,
                ],
            ),
        ],
    )


def _badges(one: Entity, role: Sequence[str]) -> list[Any]:
    shown = one.shown
    states = {
        "fraud": ("red", t("Labelled as fraud")),
        "suspected": ("orange", t("Labelled as suspected")),
        "legit": ("green", t("Cleared")),
    }
    told = [states[shown.label]] if shown.label in states else []
    told += [("grape", each) for each in role]
    if shown.infrastructure:
        told.append(("gray", t("No lead: {kind}", kind=sentences.kind(shown.infrastructure))))
    return [dmc.Badge(text, size="sm", variant="light", color=tone, tt="none") for tone, text in told]


def _counts(one: Entity) -> Any:
    """Neighbours by kind, each a button that brings them."""
    if not one.counts:
        return section(t("Neighbours"), html.P(t("Nothing leads from it."), className="rr-soft rr-small"))
    chips = [
        html.Button(
            [
                html.Span(className="rr-dot", style={"background": colour(each.type)}),
                html.Span(sentences.node_type(each.type)),
                html.B(number(each.total), className="rr-num"),
                html.Span(sentences.relation(each.relation), className="ent-relation"),
            ],
            type="button",
            className="ent-chip",
            **data(ent="expand", id=element_id(one.ref), type=each.type, relation=each.relation),
            **aria(
                label=t(
                    "Bring neighbours: {type}, {relation}, {count}", type=sentences.node_type(each.type),
                    relation=sentences.relation(each.relation), count=number(each.total),
                )
            ),
        )
        for each in one.counts
    ]  # fmt: skip
    return section(t("Neighbours"), html.Div(chips, className="ent-chips"))


def _rings(one: Entity) -> Any:
    if not one.rings:
        count = len(one.applications)
        said = t("In no ring; {count} applications looked at, the newest first", count=number(count))
        return section(t("Rings"), html.P(said if count else t("In no ring"), className="rr-soft rr-small"))
    rows = [
        dcc.Link(
            [
                html.Span(held.ring_id, className="ent-ring-name"),
                html.Span(t("{count} applications", count=held.size), className="rr-soft"),
                html.B(f"{held.score:.2f}", className="ent-score rr-num"),
            ],
            href=f"/ring/{held.ring_id}",
            className="ent-ring",
        )
        for held in one.rings
    ]
    more = t("and {count} more rings", count=number(one.more_rings))
    return section(t("Rings"), *rows, html.P(more, className="rr-soft rr-small") if one.more_rings else None)


def _model(one: Entity) -> Any:
    score = one.score
    assert score is not None  # noqa: S101 - asked only with one
    figure = t("Score {score}", score=f"{score.score:.2f}") if score.score is not None else t("No score")
    lines = [(figure, case_words.of(case_words.DECISION, score.decision))]
    return section(t("Score"), _list(lines))


def _properties(one: Entity) -> Any:
    lines = [*entity_words.times(one), *properties.lines(one.shown)]
    return section(t("What is known"), _list(lines))


def _list(lines: Sequence[tuple[str, str]]) -> html.Dl:
    return html.Dl([part for name, value in lines for part in (html.Dt(name), html.Dd(value))], className="ent-list")
