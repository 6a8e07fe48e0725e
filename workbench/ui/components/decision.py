"""What somebody decides: labels for one or several applications, and what is said of links and things."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.services.subject import RING, Subject
from workbench.ui.aria import aria, data
from workbench.ui.callbacks import feedback_form, feedback_label, feedback_marks, feedback_members, feedback_roles
from workbench.ui.callbacks.feedback_form import (
    CHOSEN,
    EVIDENCE,
    HINT,
    KEY,
    LABEL,
    MATURITY,
    NOTE,
    SOURCE,
    SUBMIT,
    TYPOLOGY,
)
from workbench.ui.clientside import clientside
from workbench.ui.components import marks, why_parts
from workbench.ui.i18n import t
from workbench.ui.viewmodel import verdict_words


def panel(_services: Services, who: Person, subject: Subject) -> Any:
    """Who may only read sees what was said, and no form."""
    may = who.may(Act.WORK)
    return html.Div(
        id="decide",
        className="why decide",
        children=[
            dcc.Store(id=KEY, data=feedback_label.new_key()),
            dcc.Store(id=feedback_members.LIGHTS),
            dcc.Store(id="decide-sink"),
            html.Div(
                className="rr-section",
                children=[
                    feedback_members.head(subject),
                    dmc.CheckboxGroup(
                        id=CHOSEN,
                        value=[],
                        children=html.Div(id=feedback_members.BODY, children=dmc.Skeleton(height=60)),
                        **aria(label=t("Whom is it about?")),
                    ),
                ],
            ),
            None if may else why_parts.note(t("You see everything here and change nothing."), "decide-readonly"),
            html.Div(form(), hidden=not may),
            _as_a_whole() if subject.kind == RING else None,
            html.Div(id=feedback_marks.LIST),
            marks.dialogs(who),
        ],
    )


def form(prefix: str = "") -> html.Section:
    """`prefix` of its ids, where it stands in another place, too."""
    return html.Section(
        className="rr-section decide-form",
        children=[
            html.H2(t("What did you find out?"), className="rr-h"),
            dmc.ChipGroup(
                id=prefix + LABEL,
                multiple=False,
                deselectable=True,
                children=html.Div(
                    [
                        dmc.Chip(each["label"], value=each["value"], size="xs", variant="light")
                        for each in verdict_words.dispositions()
                    ],
                    className="decide-chips",
                ),
            ),
            html.Div(id=f"{prefix}decide-fields", className="decide-fields", children=_fields(prefix)),
            html.Div(verdict_words.hint("", "", provisional=False), id=prefix + HINT, className="why-note",
                     **aria(live="polite")),
            dmc.Button(t("Label"), id=prefix + SUBMIT, fullWidth=True, disabled=True, size="sm"),
        ],
        **aria(label=t("Label")),
    )  # fmt: skip


def _fields(prefix: str) -> list[Any]:
    hidden = {"display": "none"}
    return [
        html.Div(
            dmc.Select(
                id=prefix + TYPOLOGY, label=t("Kind"), data=[], searchable=True, clearable=True, size="xs",
                nothingFoundMessage=t("No such kind"), comboboxProps={"withinPortal": True},
            ),
            id=f"{prefix}{TYPOLOGY}-box", style=hidden,
        ),
        html.Div(
            dmc.Select(
                id=prefix + EVIDENCE, label=t("Evidence"), data=verdict_words.levels(), size="xs", clearable=True
            ),
            id=f"{prefix}{EVIDENCE}-box", style=hidden,
        ),
        html.Div(
            dmc.Select(id=prefix + SOURCE, label=t("Who found out"), data=verdict_words.sources(), value="review",
                       size="xs", allowDeselect=False),
            id=f"{prefix}{SOURCE}-box", style=hidden,
        ),
        html.Div(
            [
                dmc.Textarea(id=prefix + NOTE, label=t("Note"), placeholder=t("What it rests on; no identifiers"),
                             debounce=True, autosize=True, minRows=2, maxRows=6, size="xs"),
                dmc.Switch(id=prefix + MATURITY, label=t("Provisional: not sure yet"), size="xs", mt=8),
            ],
            id=f"{prefix}{NOTE}-box", style=hidden,
        ),
    ]  # fmt: skip


def _as_a_whole() -> html.Section:
    """A confirmed ring does not label every member: a bystander stays unlabelled."""
    return html.Section(
        className="rr-section",
        children=[
            html.H2(t("The ring as a whole"), className="rr-h"),
            html.Div(
                t("It is decided apart from its members, when its case is closed: somebody in it may know nothing."),
                className="why-note",
            ),
            html.Button(t("To the case"), className="why-action", type="button", **data(why_tab="case")),
        ],
    )


def register(app: Dash, services: Services) -> None:
    for each in (feedback_form, feedback_members, feedback_label, feedback_marks, feedback_roles):
        each.register(app, services)
    clientside(app, "why.keep", Output("decide-sink", "data"), Input(feedback_members.LIGHTS, "data"))
