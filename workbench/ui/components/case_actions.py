"""The first line of a case: what it is, how it stands, and what can be done with it now."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from workbench.casebook.cases import MERGED
from workbench.services.cases.casefile import File
from workbench.services.permissions import Act, Person
from workbench.ui.callbacks.case_common import PANEL
from workbench.ui.components.case_parts import badges, subject_link
from workbench.ui.i18n import t
from workbench.ui.viewmodel import case_words as words

TAKE, MENU, CLOSE, REOPEN = "case-take", "case-menu", "case-close", "case-reopen"
STATUS = "case-status"
DEADLINE, SNOOZE, ASSIGN = "case-deadline", "case-snooze", "case-assign"
PACK = "case-pack-open"


def head(file: File, who: Person, where: str) -> Any:
    case = file.case
    name = html.H1(case.name) if where != PANEL else html.H2(dcc.Link(case.name, href=f"/case/{case.id}"))
    title = [name, *badges(case, file.now)]
    if where != PANEL:
        title.append(subject_link(case))
    return html.Div([*title, html.Div(className="rr-grow"), html.Div(actions(file, who), className="cs-acts")],
                    className="cs-head")  # fmt: skip


def actions(file: File, who: Person) -> list[Any]:
    case, shown = file.case, list[Any]()
    if not file.may_work:
        return shown
    if case.closed:
        if case.outcome != MERGED:
            shown.append(_button(t("Open again…"), REOPEN))
    else:
        if case.assignee != who.name:
            shown.append(_button(t("Take it"), TAKE, variant="filled"))
        shown += [_menu(file, who), _button(t("Close…"), CLOSE)]
    if who.may(Act.EXPORT):
        shown.append(_button(t("Evidence pack…"), PACK))
    return shown


def _menu(file: File, who: Person) -> Any:
    items = [
        _item(words.of(words.STATUS, each), {"t": STATUS, "to": each}, disabled=file.case.status == each)
        for each in ("open", "working", "waiting")
    ]
    items += [html.Hr(), _item(t("Deadline…"), DEADLINE), _item(t("Snooze…"), SNOOZE)]
    if who.may(Act.ASSIGN) or file.case.assignee == who.name:
        items.append(_item(t("Assign…"), ASSIGN))
    return html.Details([html.Summary(t("Work")), html.Div(items)], className="cs-menu", id=MENU)


def _item(text: str, id: Any, *, disabled: bool = False) -> Any:  # noqa: A002 - Dash's own word
    return html.Button(text, id=id, disabled=disabled)


def _button(text: str, id: str, *, variant: str = "default") -> Any:  # noqa: A002 - Dash's own word
    return dmc.Button(text, id=id, size="xs", variant=variant)
