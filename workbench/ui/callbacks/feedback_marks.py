"""Marks a link or a thing from the canvas or a line, shows what is in force on a ring, and ends it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, NamedTuple

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update

from graph.errors import InputError, RingroadError
from graph.opinions import Innocent, links
from graph.records import NodeRef
from workbench.services.all import Services
from workbench.services.feedback.marks import LINK, Done, Mark, Said, kinds, ref_of
from workbench.services.permissions import Act, Person
from workbench.services.subject import RING, Subject
from workbench.ui import guard, ids
from workbench.ui.callbacks.feedback_label import changed
from workbench.ui.components import marks as dialog
from workbench.ui.components import why_parts as parts
from workbench.ui.components.marks import ASIDE, END_LINK, END_THING, HERE, LEAD
from workbench.ui.i18n import CHINA, day, errors, t
from workbench.ui.toasts import tell
from workbench.ui.viewmodel import moved, sentences

LIST = "decide-marks"

Asked = Mapping[str, Any]
"""{"link": [relation, source id, target id]}, {"thing": element id} or {"end": "link" | "thing", "id": number}."""


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(dialog.MODAL, "opened"),
        Output(dialog.WHAT, "children"),
        Output(dialog.CHOICE, "children"),
        Output(dialog.CHOICE, "value"),
        Output(dialog.KIND, "data"),
        Output(dialog.KIND, "value"),
        Output(dialog.REASON, "value"),
        Output(dialog.UNTIL, "value"),
        Output(dialog.TROUBLE, "children"),
        Input(dialog.ASK, "data"),
        State(ids.SUBJECT, "data"),
        prevent_initial_call=True,
    )
    def ask(asked: Asked | None, subject: Any) -> tuple[Any, ...]:
        if not asked:
            return (no_update,) * 9
        what, choices, options = opened(services, guard.person(), asked, _subject(subject))
        radios = html.Div([dmc.Radio(label=text, value=value, size="xs", my=5) for value, text in choices])
        return True, what, radios, choices[0][0] if choices else None, options, None, "", dialog.usual_end(), ""

    @app.callback(
        Output(dialog.KIND_BOX, "style"),
        Output(dialog.UNTIL_BOX, "style"),
        Output(dialog.EFFECT, "children"),
        Input(dialog.CHOICE, "value"),
        State(dialog.ASK, "data"),
        State(ids.SUBJECT, "data"),
    )
    def effect(choice: str | None, asked: Asked | None, subject: Any) -> tuple[Any, Any, Any]:
        hidden = {"display": "none"}
        told = effect_of(services, guard.person(), choice or "", asked, _subject(subject)) if asked else ""
        ending = choice in (END_LINK, END_THING)
        return {} if choice == ASIDE else hidden, hidden if ending else {}, told

    @app.callback(
        Output(dialog.MODAL, "opened", allow_duplicate=True),
        Output(dialog.TROUBLE, "children", allow_duplicate=True),
        Input(dialog.DO, "n_clicks"),
        State(dialog.ASK, "data"),
        State(dialog.CHOICE, "value"),
        State(dialog.KIND, "value"),
        State(dialog.REASON, "value"),
        State(dialog.UNTIL, "value"),
        State(ids.SUBJECT, "data"),
        running=[(Output(dialog.DO, "loading"), True, False)],
        prevent_initial_call=True,
    )
    def act(clicks: int | None, asked: Any, *said: Any) -> Any:
        if not clicks or not asked:
            return no_update, no_update
        choice, kind, reason, until, subject = said
        given = Given(str(choice or ""), str(kind or ""), str(reason or ""), until)
        try:
            done = acted(services, guard.person(), asked, given, _subject(subject))
        except RingroadError as error:
            guard.denied(error)
            return True, errors.told(error.message)
        tell(" ".join([t("On record."), *moved.sentences(done.changes)]))
        changed(f"mark {done.ids[0]}")
        return False, ""

    @app.callback(
        Output(LIST, "children"),
        Input(ids.SUBJECT, "data"),
        Input(ids.CHANGED, "data"),
        prevent_initial_call=True,
    )
    def listed(subject: Any, _changed: Any) -> Any:
        about = _subject(subject)
        return no_update if about is None else in_force(services, guard.person(), about)

    @app.callback(
        Output(dialog.ASK, "data", allow_duplicate=True),
        Input({"t": "mark-end", "what": ALL, "id": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def end(clicks: list[int | None]) -> Any:
        if not any(clicks) or not isinstance(ctx.triggered_id, dict):
            return no_update
        return {"end": ctx.triggered_id["what"], "id": ctx.triggered_id["id"], "ts": sum(each or 0 for each in clicks)}


def _subject(told: Any) -> Subject | None:
    return Subject(told["kind"], told["name"]) if told else None


# What can be said ------------------------------------------------------------------------------------------


def opened(
    services: Services, who: Person, asked: Asked, about: Subject | None
) -> tuple[Any, list[tuple[str, str]], list[dict[str, str]]]:
    """What the dialog is about, what can be said of it, and what a thing can be."""
    if "end" in asked:
        mark = _mark(services, who, asked)
        choice = (END_LINK if mark.what == LINK else END_THING, t("It no longer holds: let it count again"))
        return _words_of(mark), [choice], []
    if "link" in asked:
        edge = _edge(asked)
        return _of_link(services, edge), [(HERE, t("This link is innocent"))], []
    ref = ref_of(str(asked["thing"]))
    choices = []
    if about is not None and about.kind == RING:
        choices.append((HERE, t("Its links in this ring are innocent")))
    if who.may(Act.OVERRIDE):
        choices += [
            (ASIDE, t("Many hold it by nature: set it aside everywhere")),
            (LEAD, t("It is a lead after all, although it was set aside")),
        ]
    options = [{"value": each, "label": sentences.kind(each)} for each in kinds(ref.type)]
    return _named(services, ref), choices, options


def effect_of(services: Services, who: Person, choice: str, asked: Asked, about: Subject | None) -> Any:
    """How many links it is about, before it is done."""
    if choice == HERE and "thing" in asked and about is not None:
        count = len(_here(services, who, asked, about))
        said = t("{count} links of this ring will no longer count; the ring is found anew at once.", count=count)
        return " ".join(filter(None, (said, _would_score(services, who, ref_of(str(asked["thing"])), about))))
    if choice == HERE:
        return t("This link will no longer count; the ring is found anew at once.")
    if choice == ASIDE:
        return t("It links nobody any more, here and elsewhere; all its rings are found anew at once.")
    if choice == LEAD:
        return t("It links its holders again, here and elsewhere; all its rings are found anew at once.")
    return ""


def _would_score(services: Services, who: Person, ref: NodeRef, about: Subject) -> str:
    """What is left of the ring without the thing, where that can be tried."""
    try:
        found = services.counterfactuals.of_ring(who, about.name)
    except RingroadError:
        return ""
    alone = (found.alone or {}).get((ref.type, ref.key))
    if alone is None:
        return ""
    return t("It would score {left} instead of {score}.", left=f"{alone:.2f}", score=f"{found.score:.2f}")


class Given(NamedTuple):
    """As the dialog has it."""

    choice: str
    kind: str
    reason: str
    until: Any


def acted(services: Services, who: Person, asked: Asked, given: Given, about: Subject | None) -> Done:
    if given.choice == END_LINK:
        return services.marks.end_innocent(who, int(asked["id"]), given.reason)
    if given.choice == END_THING:
        return services.marks.end_override(who, int(asked["id"]), given.reason)
    end = _end(given.until)
    if given.choice == HERE:
        edges = [_edge(asked)] if "link" in asked else _here(services, who, asked, about)
        return services.marks.mark_innocent(who, edges, reason=given.reason, until=end)
    if given.choice in (ASIDE, LEAD):
        said = Said(given.choice == ASIDE, given.kind, given.reason, end)
        return services.marks.override(who, ref_of(str(asked["thing"])), said)
    raise InputError("choose what it is")


def _end(until: Any) -> datetime:
    """The last minute of that day in China."""
    try:
        return datetime.combine(datetime.fromisoformat(str(until)).date(), time(23, 59), CHINA)
    except ValueError:
        raise InputError("choose until when it holds") from None


def _edge(asked: Asked) -> Innocent:
    try:
        relation, source, target = asked["link"]
    except (TypeError, ValueError):
        raise InputError("this is no link; pick one on the canvas") from None
    return Innocent(str(relation), ref_of(str(source)).key, ref_of(str(target)).key)


def _here(services: Services, who: Person, asked: Asked, about: Subject | None) -> list[Innocent]:
    if about is None or about.kind != RING:
        raise InputError("open the ring first; then its links can be marked")
    members = services.rings.members(who, about.name)
    return services.marks.edges_within(who, ref_of(str(asked["thing"])), members)


def _mark(services: Services, who: Person, asked: Asked) -> Mark:
    found = [each for each in services.marks.in_force(who) if (each.what, each.id) == (asked["end"], int(asked["id"]))]
    if not found:
        raise InputError("this mark has ended already; look again")
    return found[0]


# Words -----------------------------------------------------------------------------------------------------


def _named(services: Services, ref: NodeRef) -> str:
    return sentences.typed(ref.type, services.marks.masked(ref))


def _of_link(services: Services, edge: Innocent) -> str:
    if not links(edge.relation):
        raise InputError("this link carries nothing; there is nothing to set right")
    source, target = edge.ends
    return f"{_named(services, source)} — {sentences.relation(edge.relation)} — {_named(services, target)}"


def _words_of(mark: Mark) -> str:
    ends = [sentences.typed(end.partition("~")[0], told) for end, told in zip(mark.ends, mark.masked, strict=True)]
    if mark.what == LINK:
        return f"{ends[0]} — {sentences.relation(mark.relation)} — {ends[1]}"
    return f"{ends[0]}: {_is(mark)}"


def _is(mark: Mark) -> str:
    if not mark.infrastructure:
        return t("a lead after all")
    return sentences.kind(mark.kind) if mark.kind else t("set aside by hand")


def in_force(services: Services, who: Person, about: Subject) -> Any:
    """Marks on what this ring or application holds."""
    found = services.marks.around(who, about)
    if not found:
        return None
    return parts.section(t("Marks in force here"), *[_row(each, who) for each in found])


def _row(mark: Mark, who: Person) -> html.Div:
    own = mark.what == LINK and mark.author == who.name
    end = (
        html.Button(
            t("End it"), id={"t": "mark-end", "what": mark.what, "id": mark.id}, className="why-action", type="button"
        )
        if own or who.may(Act.OVERRIDE)
        else None
    )
    until = t("by {author} until {day}", author=mark.author, day=day(mark.until))
    kind = t("innocent") if mark.what == LINK else _is(mark)
    return html.Div(
        className="why-role",
        children=[
            html.Div([parts.badge(kind, "teal"), html.Span(_words_of(mark), className="mark-name"), end],
                     className="why-role-head"),
            html.Div(f"{mark.reason} · {until}", className="why-detail"),
        ],
    )  # fmt: skip
