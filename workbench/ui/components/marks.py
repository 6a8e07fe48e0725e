"""Dialogs for what is said of links, things and roles; opened from the canvas, and from the panels."""

from __future__ import annotations

from datetime import datetime, timedelta

import dash_mantine_components as dmc
from dash import dcc, html

from workbench.casebook.roles import ROLES
from workbench.services.feedback.marks import LASTS
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria, data
from workbench.ui.i18n import CHINA, t
from workbench.ui.viewmodel.elements import role

ASK, MODAL, WHAT, CHOICE, KIND, REASON, UNTIL, EFFECT, TROUBLE, DO = (
    f"mark-{each}" for each in ("ask", "modal", "what", "choice", "kind", "reason", "until", "effect", "trouble", "do")
)
KIND_BOX, UNTIL_BOX = "mark-kind-box", "mark-until-box"
ROLE_ASK, ROLE_MODAL, ROLE_WHAT, ROLE_THING, ROLE_CHOICE, ROLE_REASON, ROLE_TROUBLE, ROLE_DO = (
    f"role-{each}" for each in ("store", "modal", "what", "thing", "choice", "reason", "trouble", "do")
)

HERE, ASIDE, LEAD, END_LINK, END_THING = "here", "aside", "lead", "end_link", "end_thing"
"""What can be said: harmless in this ring, infrastructure everywhere, a lead after all, or that a mark ends."""

NOBODY = "none"


def dialogs(who: Person) -> html.Div:
    """Once on a page. The words that the canvas needs for its menu stand in the first element."""
    words = {
        "link": t("Mark this link innocent…"),
        "end": t("End the innocent mark…"),
        "thing": t("Innocent, infrastructure or a lead…"),
        "role": t("Say which role it plays…"),
    }
    may = who.may(Act.WORK)
    return html.Div(
        [
            html.Div(id="mark-words", hidden=True, **data(**words if may else {})),
            dcc.Store(id=ASK),
            dcc.Store(id=ROLE_ASK),
            _mark(who),
            _role(),
        ]
    )


def _mark(who: Person) -> dmc.Modal:
    return dmc.Modal(
        id=MODAL,
        title=t("What is it?"),
        centered=True,
        size=460,
        children=[
            html.Div(id=WHAT, className="mark-what"),
            dmc.RadioGroup(id=CHOICE, children=html.Div(), label=t("What is it?"), size="xs", my=8),
            html.Div(
                dmc.Select(id=KIND, label=t("What is it exactly?"), data=[], clearable=True, size="xs"), id=KIND_BOX
            ),
            dmc.Textarea(
                id=REASON, debounce=True, label=t("Reason"), autosize=True, minRows=2, maxRows=5, size="xs", mt=8,
                description=t("Whoever reads it next year was not there; no identifiers."),
            ),
            html.Div(
                dmc.DatePickerInput(
                    id=UNTIL, label=t("Until"), description=_longest(who), valueFormat="YYYY-MM-DD", size="xs", mt=8,
                    value=usual_end(), minDate=_day(1), maxDate=_day(3650 if who.may(Act.OVERRIDE) else LASTS.days),
                ),
                id=UNTIL_BOX,
            ),
            html.Div(id=EFFECT, className="mark-effect", **aria(live="polite")),
            html.Div(id=TROUBLE, className="mark-trouble", role="alert"),
            dmc.Button(t("Put on record"), id=DO, fullWidth=True, mt=12),
        ],
    )  # fmt: skip


def _longest(who: Person) -> str:
    if who.may(Act.OVERRIDE):
        return t("Then somebody looks again.")
    return t("Half a year at most; then somebody looks again.")


def usual_end() -> str:
    return _day(LASTS.days)


def _day(ahead: int) -> str:
    return (datetime.now(CHINA) + timedelta(days=ahead)).strftime("%Y-%m-%d")


def _role() -> dmc.Modal:
    return dmc.Modal(
        id=ROLE_MODAL,
        title=t("Which role?"),
        centered=True,
        size=420,
        children=[
            html.Div(id=ROLE_WHAT, className="mark-what"),
            dmc.Select(id=ROLE_THING, label=t("Who or what"), data=[], searchable=True, size="xs"),
            dmc.Select(
                id=ROLE_CHOICE, label=t("Role"), size="xs", mt=8,
                data=[*({"value": each, "label": role(each)} for each in ROLES),
                      {"value": NOBODY, "label": t("plays no role")}],
            ),
            dmc.Textarea(
                id=ROLE_REASON, label=t("Reason"), description=t("What it rests on; no identifiers"), autosize=True,
                debounce=True, minRows=2, size="xs", mt=8,
            ),
            html.Div(id=ROLE_TROUBLE, className="mark-trouble", role="alert"),
            dmc.Button(t("Put on record"), id=ROLE_DO, fullWidth=True, mt=12),
        ],
    )  # fmt: skip
