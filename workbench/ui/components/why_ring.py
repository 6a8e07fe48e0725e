"""Why a ring: what carries it, what its members show, and why it may be innocent after all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import html

from graph.lookalikes import LOOK_ALIKES
from workbench.services.cases.typologies import INNOCENT, name, steps
from workbench.services.reasons import verify
from workbench.services.reasons.reasons import RingWhy
from workbench.services.reasons.ring_lines import SHARED, SIGN, Line, Thing
from workbench.ui.components import why_parts as parts
from workbench.ui.components.why_parts import Lights
from workbench.ui.i18n import day, language, money, share, t, when
from workbench.ui.viewmodel import sentences, why_words
from workbench.ui.viewmodel.case_words import typology

MOST_THINGS = 8


def ring(why: RingWhy, lights: Lights, *, may: bool) -> list[Any]:
    """`may`: who looks may say something of it."""
    told = why.ring
    against = [each for each in why.lines if each.kind == SHARED]
    besides = [each for each in why.lines if each.kind != SHARED]
    return [
        _head(why),
        parts.section(t("What links them"), *[_shared(each, lights, may=may) for each in against], _meaning()),
        parts.section(t("What is odd about them"), *[_odd(each, lights) for each in besides]),
        roles(told, lights, may=may),
        innocent(why),
    ]


def _head(why: RingWhy) -> html.Div:
    told = why.ring
    updated = told.get("updated")
    return html.Div(
        className="rr-section why-summary",
        children=[
            html.Div(
                className="why-about",
                children=[
                    html.P(sentences.headline(told["because"]), className="why-because"),
                    html.P(money_of(told), className="rr-small"),
                    html.P(standing(why), className="rr-soft rr-small"),
                    _updated(updated) if updated else None,
                ],
            ),
        ],
    )


def _updated(updated: Mapping[str, Any]) -> html.P:
    at, cause = when(datetime.fromisoformat(updated["at"])), why_words.cause(updated["cause"])
    return html.P(t("Found anew on {at}, after {cause}", at=at, cause=cause), className="why-updated rr-small")


def standing(why: RingWhy) -> str:
    """What the score means: its place, and what became of those as high."""
    place = why.place
    said = why_words.rank(place.above, place.all)
    known = place.fraud + place.innocent
    if not known:
        return t("{rank}; none that scored as high was decided yet", rank=said)
    return t(
        "{rank}; of {known} decided that scored as high, {fraud} were fraud", rank=said, known=known, fraud=place.fraud
    )


def _meaning() -> html.Details:
    return html.Details(
        className="why-fold why-help",
        children=[
            html.Summary(t("What do the bars mean?"), className="why-more"),
            html.P(
                t(
                    "The share that this kind carries of all that links these people. Rarer things, stronger kinds and "
                    "closer days count more. The score also counts signs, how closed the group is, and doubts."
                ),
                className="rr-small rr-soft",
            ),
        ],
    )


def _shared(one: Line, lights: Lights, *, may: bool) -> Any:
    strongest = one.strength or 0.0
    things: list[Any] = [_one(each, lights, may=may) for each in one.things[:MOST_THINGS]]
    left = len(one.things) - MOST_THINGS
    if left > 0:
        things.append(html.Span(t("and {count} more", count=left), className="rr-soft rr-small"))
    return parts.line(
        why_words.title(one),
        why_words.detail(one),
        key=lights.add(one.nodes, one.edges),
        part=strongest,
        figure=share(strongest),
        inside=[
            html.Div(things, className="why-things"),
            parts.checks(why_words.all_of(verify.OF_RELATION.get(one.name, ()))),
        ],
    )


def _one(thing: Thing, lights: Lights, *, may: bool) -> html.Div:
    element = f"{thing.type}~{thing.key}"
    text = t("{thing}: {people} people", thing=why_words.thing(thing), people=thing.people)
    button = parts.lit_button(text, lights.add(thing.nodes, thing.edges), focus=element)
    return html.Div([button, parts.innocent_button(element, "why") if may else None], className="why-one")


def _odd(one: Line, lights: Lights) -> Any:
    asked = verify.OF_SIGN.get(one.name, ()) if one.kind == SIGN else verify.OF_RELATION.get(one.name, ())
    part = one.of["count"] / max(one.of["all"], 1) if one.kind == SIGN else None
    return parts.line(
        why_words.title(one),
        why_words.detail(one),
        key=lights.add(one.nodes, one.edges),
        part=part,
        figure="" if part is None else share(part),
        inside=[inside] if (inside := parts.checks(why_words.all_of(asked))) else (),
    )


# Roles -----------------------------------------------------------------------------------------------------


def roles(told: Mapping[str, Any], lights: Lights, *, may: bool) -> html.Section:
    played = told.get("scheme_roles", ())
    edit = html.Button(
        t("Say who plays a role"), id={"t": "role-ask", "id": "new"}, className="why-action", type="button"
    )
    if not played:
        return parts.section(
            t("Who plays which role"), parts.note(t("The graph suggests nobody.")), tools=edit if may else None
        )
    return parts.section(
        t("Who plays which role"), *[_role(each, lights, may=may) for each in played], tools=edit if may else None
    )


def _role(one: Mapping[str, Any], lights: Lights, *, may: bool) -> Any:
    element = f"{one['type']}~{one['key']}"
    who = sentences.typed(one["type"], one["who"])
    source = (
        t("said by {author} on {day}", author=one["author"], day=day(datetime.fromisoformat(one["at"])))
        if one["author"]
        else t("suggested by the graph")
    )
    because = sentences.said(one["because"]) if not one["author"] else one["because"]
    change = html.Button(t("Change"), id={"t": "role-ask", "id": element}, className="why-action", type="button")
    return html.Div(
        className="why-role",
        children=[
            html.Div(
                [
                    parts.badge(sentences.of(sentences.ROLES, one["role"]), "violet" if one["author"] else "gray"),
                    parts.lit_button(who, lights.add([element], []), focus=element),
                    change if may else None,
                ],
                className="why-role-head",
            ),
            html.Div(f"{because} · {source}" if because else source, className="why-detail"),
        ],
    )


# Innocence -------------------------------------------------------------------------------------------------


def innocent(why: RingWhy) -> html.Section:
    found: list[Any] = [_doubt(each) for each in why.doubts]
    if not found:
        found.append(parts.note(t("It looks like none of the innocent groups that are known.")))
    if why.cleared:
        found.append(parts.note(t("{count} of its applications were cleared before.", count=why.cleared), "why-good"))
    if why.unshared:
        found.append(
            html.Div(
                className="why-missing",
                children=[
                    html.Div(t("Missing evidence: they share"), className="why-small"),
                    html.Ul([html.Li(why_words.of(why_words.UNSHARED, each)) for each in why.unshared]),
                ],
            )
        )
    return parts.section(t("Why this may be innocent"), *found, more="why-innocent")


def _doubt(one: str) -> Any:
    codes = [f"{code} {name(code, language.get())}" for code in verify.ALIKE.get(one, ()) if code in INNOCENT]
    words = next(each.words for each in LOOK_ALIKES if each.name == one)
    said = sentences.said(words)
    return parts.line(
        said[:1].upper() + said[1:],
        " · ".join(codes),
        key="",
        inside=[parts.checks(why_words.all_of(verify.CLEARED_BY.get(one, ())), title=t("What would clear it"))],
    )


def knowledge(code: str) -> Any:
    """What an investigator does about this kind of fraud."""
    return parts.checks(list(steps(code, language.get())), title=typology(code) or typology("T08"))


def money_of(told: Mapping[str, Any]) -> str:
    return t(
        "{exposure} at stake, {savable} not paid out yet", exposure=money(told["exposure"]),
        savable=money(told["undisbursed"]),
    )  # fmt: skip
