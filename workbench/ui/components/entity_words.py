"""What people and the last run say of a thing, in sentences, and when it was seen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dash import html

from graph.records import from_millis
from workbench.services.find.entities import Entity
from workbench.ui.aria import aria
from workbench.ui.i18n import day, number, t
from workbench.ui.viewmodel import sentences


def times(one: Entity) -> list[tuple[str, str]]:
    told = [(t("Known since"), _day(one.shown.known_at))]
    if one.first is not None and one.last is not None:
        told += [(t("First seen"), _day(one.first)), (t("Last seen"), _day(one.last))]
    return told


def said(one: Entity) -> list[Any]:
    """Sections; none where nobody said anything."""
    told = [*_infrastructure(one), *_harmless(one)]
    if not told:
        return []
    title = t("What was said of it")
    return [html.Section([html.H2(title, className="rr-h"), *told], className="rr-section", **aria(label=title))]


def _infrastructure(one: Entity) -> list[Any]:
    word, kind = one.override, sentences.kind(one.shown.infrastructure) if one.shown.infrastructure else ""
    if word is not None:
        head = t("Infrastructure: {kind}", kind=kind) if word.override.infrastructure else t("A lead after all")
        return [_line(head, word.override.reason, _who(word.author, word.created_at, word.override.until))]
    if not kind:
        return []
    reason = t("Recognised by the last run: {count} links lead to it, and sharing it says nothing by itself.",
               count=number(one.shown.links))  # fmt: skip
    return [_line(t("Infrastructure: {kind}", kind=kind), reason, "")]


def _harmless(one: Entity) -> list[Any]:
    return [
        _line(
            t("Innocent link: {relation}", relation=sentences.relation(each.link.relation)),
            each.reason,
            _who(each.author, each.created_at, each.until),
        )
        for each in one.harmless
    ]


def _who(author: str, since: datetime, until: datetime) -> str:
    return t("{author}, {since}; until {until}", author=author, since=day(since), until=day(until))


def _line(head: str, reason: str, who: str) -> html.Div:
    parts = [html.Div(head, className="ent-said-head"), html.Div(reason)]
    return html.Div([*parts, html.Div(who, className="rr-soft rr-small")] if who else parts, className="ent-said")


def _day(millis: int) -> str:
    return day(from_millis(millis)) if millis > 0 else t("always")
