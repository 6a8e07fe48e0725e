"""The case at the right of the investigate page: how it stands, what comes next, the last notes."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.services.subject import APPLICATION, RING, Subject
from workbench.ui import guard, ids
from workbench.ui.aria import aria
from workbench.ui.callbacks import case_close, case_evidence, case_tick, case_work
from workbench.ui.callbacks.case_common import PANEL, changed, done
from workbench.ui.callbacks.case_refresh import (
    FILES,
    HEAD,
    KINDS,
    LINE,
    LIST,
    LOG,
    MEMBERS,
    NEXT,
    NOTES,
    PARTS,
    SUMMARY,
    boxes,
    drawn,
    store,
)
from workbench.ui.components import notes, subject_header
from workbench.ui.components.case_parts import card
from workbench.ui.i18n import t

BODY, OPEN = "case-panel", "case-panel-open"


def panel(_services: Services, _who: Person, _subject: Subject) -> Any:
    """Filled for the subject that is on the canvas; what is written there stays until that is another one."""
    return html.Div(
        className="cs-panel",
        children=[
            dcc.Store(id=ids.CASE),
            dcc.Store(id=ids.CASE_CHANGED),
            html.Div(_waiting(), id=BODY, **aria(live="polite")),
            case_tick.dialog(), case_close.dialog(), case_work.dialog(), case_evidence.dialog(),
        ],
    )  # fmt: skip


def _waiting() -> list[Any]:
    empty: dict[str, Any] = {name: [] for name in PARTS}
    return [dmc.Skeleton(height=90, m=14), _unseen(boxes(empty), PARTS)]


def _unseen(part: dict[str, Any], names: tuple[str, ...]) -> Any:
    """Parts that the panel does not show: who fills them must find them."""
    return html.Div([*(part[name] for name in names), html.Div(id=KINDS)], hidden=True)


def filled(services: Services, who: Person, subject: Subject) -> tuple[Any, dict[str, Any] | None]:
    """What the panel holds, and what the page knows of the case."""
    case = services.casefiles.of_subject(who, subject)
    if case is None:
        return _nothing(services, who, subject), None
    file = services.casefiles.file(who, case.id)
    part = boxes(drawn(services, who, file, PANEL))
    composer = notes.composer(services.casefiles.colleagues(who), may=file.may_note)
    return [
        part[HEAD],
        part[NEXT],
        card(t("What is it about"), part[SUMMARY]),
        card(t("Checklist"), part[LIST]),
        card(t("Notes"), composer, part[NOTES]),
        html.Div(
            dcc.Link(t("The whole case file"), href=f"/case/{case.id}", className="rr-link"), className="rr-section"
        ),
        _unseen(part, (FILES, MEMBERS, LINE, LOG)),
    ], store(file, PANEL)


def _nothing(services: Services, who: Person, subject: Subject) -> Any:
    may = who.may(Act.WORK)
    return [
        html.Div(
            className="rr-empty",
            children=[
                html.H2(t("No case yet")),
                html.P(t("A case keeps notes, files and the checklist, and who works on it.")),
                *_in_ring(services, who, subject),
                *([dmc.Button(t("Open a case"), id=OPEN, size="xs", mt=6)] if may else []),
            ],
        ),
        _unseen(boxes({name: [] for name in PARTS}), PARTS),
    ]


def _in_ring(services: Services, who: Person, subject: Subject) -> list[Any]:
    """Where the work goes on: an application of a ring is looked at with it."""
    ring = services.rings.of_applications(who).get(subject.name, "") if subject.kind == APPLICATION else ""
    case = services.casefiles.of_subject(who, Subject(RING, ring)) if ring else None
    if case is None:
        return []
    return [dcc.Link(t("It stands in ring {ring}, case {case}", ring=ring, case=case.name), href=f"/case/{case.id}")]


def register(app: Dash, services: Services) -> None:
    @app.callback(Output(BODY, "children"), Output(ids.CASE, "data", allow_duplicate=True), Input(ids.SUBJECT, "data"),
                  prevent_initial_call=True)  # fmt: skip
    def fill(subject: dict[str, str] | None) -> Any:
        if not subject:
            return no_update, no_update
        return filled(services, guard.person(), Subject(subject["kind"], subject["name"]))

    @app.callback(Output(subject_header.STATE, "children"), Input(ids.CASE, "data"), prevent_initial_call=True)
    def head(case: dict[str, Any] | None) -> Any:
        if not case or case.get("where") != PANEL:
            return no_update
        subject = Subject(str(case.get("kind")), str(case.get("subject")))
        return subject_header.state(services.casefiles.of_subject(guard.person(), subject))

    @app.callback(Input(ids.CHANGED, "data"), State(ids.CASE, "data"), prevent_initial_call=True)
    def follow(told: Any, case: dict[str, Any] | None) -> None:
        if told and case and case.get("where") == PANEL:
            changed()

    @app.callback(
        Output(BODY, "children", allow_duplicate=True),
        Output(ids.CASE, "data", allow_duplicate=True),
        Input(OPEN, "n_clicks"),
        State(ids.SUBJECT, "data"),
        prevent_initial_call=True,
    )
    def begin(clicks: int | None, subject: dict[str, str] | None) -> Any:
        if not clicks or not subject:
            return no_update, no_update
        who, about = guard.person(), Subject(subject["kind"], subject["name"])
        services.cases.for_subject(who, about, open=True)
        done(t("The case is open"))
        return filled(services, who, about)
