"""What a case consists of on a screen: pure functions of its file. Nothing here asks anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from dash import dcc, html

from workbench.casebook.casefile import DONE, NOT_DONE, OPEN
from workbench.casebook.cases import RING, Case
from workbench.services.cases.casefile import File
from workbench.services.cases.checklists import Standing
from workbench.services.evidence.pack_facts import Member
from workbench.services.subject import Subject
from workbench.ui.aria import aria
from workbench.ui.i18n import day, language, money, number, t, when
from workbench.ui.packs.timeline import Event
from workbench.ui.viewmodel import case_words as words
from workbench.ui.viewmodel import sentences

STATUS_COLOUR = {"open": "blue", "working": "indigo", "waiting": "yellow", "closed": "gray"}
OUTCOME_COLOUR = {"confirmed_fraud": "red", "valuable": "grape", "false_positive": "green", "no_finding": "gray"}
LABELS = {"fraud": "red", "suspected": "orange", "legit": "green"}
MOST_EVENTS = 60
SOON = timedelta(days=1)


# The head --------------------------------------------------------------------------------------------------


def badges(case: Case, now: datetime) -> list[Any]:
    """Status, and apart from it the outcome; the deadline."""
    shown = [_badge(words.of(words.STATUS, case.status), STATUS_COLOUR.get(case.status, "gray"))]
    if case.outcome:
        shown.append(_badge(words.of(words.OUTCOME, case.outcome), OUTCOME_COLOUR.get(case.outcome, "gray")))
    if case.snoozed(now) and case.snoozed_until:
        shown.append(_badge(t("Snoozed until {day}", day=day(case.snoozed_until)), "gray"))
    if case.ended_at:
        shown.append(_badge(t("The ring ended"), "gray"))
    return [*shown, *due(case, now)]


def due(case: Case, now: datetime) -> list[Any]:
    if case.deadline is None or case.closed:
        return []
    if case.deadline < now:
        return [_badge(t("Overdue since {time}", time=when(case.deadline)), "red", filled=True)]
    colour = "orange" if case.deadline - now < SOON else "gray"
    return [_badge(t("Due {time}", time=when(case.deadline)), colour)]


def _badge(text: str, colour: str, *, filled: bool = False) -> Any:
    """Dark on light: the library's own colours of text are too pale to read."""
    return html.Span(text, className=f"cs-badge cs-{colour}{' cs-filled' if filled else ''}")


def subject_link(case: Case) -> Any:
    said = t("Ring {name}", name=case.subject) if case.kind == RING else t("Application {name}", name=case.subject)
    return dcc.Link(said, href=Subject(case.kind, case.subject).href, className="rr-link")


def summary(file: File) -> list[Any]:
    case = file.case
    pairs = [
        (t("Kind of fraud"), words.typology(case.typology)),
        (t("Score"), number(case.score, 2)),
        (t("Applications"), number(len(file.applications) or case.size)),
        (t("Open amount"), money(case.exposure)),
        (t("Still savable"), money(case.savable)),
        (t("Owner"), file.people.get(case.assignee, case.assignee) or t("Nobody")),
        (t("Opened"), f"{when(case.opened_at)} · {words.of(words.OPENED_BECAUSE, case.opened_because)}"
                      if case.opened_at else ""),
    ]  # fmt: skip
    closed = t("Closed by {name}, {time}: {reason}", name=file.people.get(case.closed_by or "", case.closed_by or ""),
               time=when(case.closed_at), reason=case.closing_reason or "–") if case.closed_at else ""  # fmt: skip
    return [
        *([html.P(sentences.said(case.because), className="cs-because")] if case.because else []),
        html.Dl(
            [part for name, said in pairs if said for part in (html.Dt(name), html.Dd(said))], className="cs-facts"
        ),
        *([html.P(closed, className="cs-closed")] if closed else []),
    ]


def next_step(file: File) -> list[Any]:
    """What comes next, so that nobody has to think about where he was."""
    one = file.next_step
    if file.case.closed:
        return []
    said = one.item.said(language.get()) if one else t("Everything on the checklist is settled: close the case")
    return [html.Div([html.Span(t("Next"), className="cs-next-h"), html.Span(said)], className="cs-next")]


# The checklist ---------------------------------------------------------------------------------------------


def progress(standing: Sequence[Standing]) -> tuple[int, int]:
    return sum(each.state != OPEN for each in standing), len(standing)


def checklist(file: File) -> list[Any]:
    settled, total = progress(file.checklist)
    may = file.may_work and not file.case.closed
    return [
        html.Div(
            className="cs-bar",
            role="progressbar",
            **aria(label=t("Checklist"), valuenow=settled, valuemin=0, valuemax=total),
            children=html.Div(style={"width": f"{100 * settled / total if total else 0:.0f}%"}),
        ),
        html.Ul([_item(each, file, may) for each in file.checklist], className="cs-list"),
    ]


def _item(one: Standing, file: File, may: bool) -> Any:
    said, done = one.item.said(language.get()), one.state == DONE
    box = html.Button(
        id={"t": "case-tick", "item": one.item.key, "before": one.state},
        className=f"cs-box cs-{one.state}", role="checkbox", disabled=not may,
        **aria(checked={DONE: "true", NOT_DONE: "mixed", OPEN: "false"}[one.state], label=said),
    )  # fmt: skip
    hint = f"{one.hint[0]}/{one.hint[1]}" if one.hint and one.hint[1] else ""
    by = f"{file.people.get(one.author, one.author)} · {when(one.at)}" if one.at else ""
    because = t("not done: {because}", because=one.because) if one.state == NOT_DONE else ""
    skip = html.Button(
        t("Not done because…"), id={"t": "case-skip", "item": one.item.key, "before": one.state}, className="cs-quiet",
        **aria(label=t("Say why this is not done: {item}", item=said)),
    )  # fmt: skip
    source = one.item.source if one.item.source not in ("case", "own") else ""
    return html.Li(
        className=f"cs-item{' cs-settled' if done else ''}",
        children=[
            box,
            html.Div(
                [
                    html.Div(
                        [html.Span(said), html.Span(hint, className="cs-hint"), html.Span(source, className="cs-src")]
                    ),
                    html.Div(" · ".join(part for part in (because, by) if part), className="cs-by"),
                ]
            ),
            *([skip] if may and one.state == OPEN else []),
        ],
    )


# Members, timeline, activity -------------------------------------------------------------------------------


def members(told: Sequence[Member], file: File) -> Any:
    if not told:
        return html.P(t("No application is left of it."), className="rr-soft")
    rows = [
        html.Tr(
            [
                html.Td(dcc.Link(each.name, href=f"/application/{each.name}")),
                html.Td(each.applicant),
                html.Td(number(each.score.score, 2) if each.score and each.score.score is not None else "–",
                        className="rr-num cs-right"),
                html.Td(_state(each, file)),
            ]
        )
        for each in told
    ]  # fmt: skip
    heads = [t("Application"), t("Applicant"), t("Score"), t("Label")]
    head = [html.Th(each, scope="col", className="cs-right" if each == heads[2] else "") for each in heads]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)], className="cs-table")
    return scrolled(table, t("Applications"))


def _state(one: Member, file: File) -> Any:
    """What holds: the casebook's word with who confirmed it, or the lender's own outcome."""
    said = one.stands
    if said is not None:
        two = " ✓" if said.label.second_author else ""
        colour = {"CONFIRMED_FRAUD": "red", "SUSPECTED": "orange", "CLEARED_BENIGN": "green"}.get(
            said.label.label, "gray"
        )
        return _badge(words.of(words.DISPOSITION, said.label.label) + two, colour)
    state = next((each for ref, each in file.marks.labels.items() if ref.key == one.name), "")
    return _badge(words.of(words.STATE, state), LABELS[state]) if state else html.Span("–", className="rr-soft")


def timeline(events: Sequence[Event]) -> Any:
    """The newest first."""
    shown = sorted(events, reverse=True)[:MOST_EVENTS]
    if not shown:
        return html.P(t("Nothing happened yet."), className="rr-soft")
    left = len(events) - len(shown)
    more = (
        [html.P(t("{count} earlier ones stand in the evidence pack.", count=left), className="rr-soft")] if left else []
    )
    return scrolled(html.Div([html.Ol([_event(each) for each in shown], className="cs-line"), *more]), t("Timeline"))


def _event(one: Event) -> Any:
    return html.Li(
        [
            html.Span(className=f"cs-dot cs-of-{one.of}", **aria(hidden="true")),
            html.Time(when(one.at), dateTime=one.at.isoformat()),
            html.Span(one.kind, className="cs-what"),
            html.Span(one.text, className="rr-soft"),
        ]
    )


def activity(file: File, kinds: Iterable[str]) -> Any:
    """The newest first."""
    wanted = set(kinds)
    rows = [each for each in reversed(file.entries) if not wanted or each.kind in wanted]
    if not rows:
        return html.P(t("Nothing of this kind yet."), className="rr-soft")
    listed = html.Ol(
        className="cs-log",
        children=[
            html.Li(
                [
                    html.Span(words.of(words.KIND, each.kind), className="cs-what"),
                    html.Span(words.entry(each.kind, each.text, each.content), className="cs-said"),
                    html.Span(f"{file.people.get(each.author, each.author)} · {when(each.at)}", className="cs-by"),
                ]
            )
            for each in rows
        ],
    )
    return scrolled(listed, t("Activity"))


def scrolled(content: Any, name: str) -> Any:
    """As long as it gets: the keyboard reaches it, too."""
    return html.Div(content, className="cs-scroll", tabIndex=0, role="region", **aria(label=name))


def card(title: str, *children: Any, extra: Any = None, name: str = "") -> Any:
    head = html.Div([html.H2(title), html.Div(className="rr-grow"), *([extra] if extra is not None else [])],
                    className="cs-card-h")  # fmt: skip
    return html.Section([head, *children], className=f"rr-panel cs-card {name}".strip())
