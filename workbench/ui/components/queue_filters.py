"""The filters over the grid of the queue; what there is to choose comes with its number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from workbench.casebook.cases import APPLICATION, RING
from workbench.casebook.queue_query import ME, NOBODY, Query
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria
from workbench.ui.components.queue_bar import ASSIGNEE, CLEAR, FRESH, KIND, PRESSED, SAVABLE, SCORE, TEXT, caret
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel import case_words
from workbench.ui.viewmodel.case_words import typology
from workbench.ui.viewmodel.regions import region

CHOICES = ("status", "typology", "region", "dealer")
"""Columns of which several values may be chosen."""


def choice_title(name: str) -> str:
    return {"status": t("Status"), "typology": t("Pattern"), "region": t("Region"), "dealer": t("Dealer")}[name]


def said(name: str, code: str) -> str:
    """A value of one of `CHOICES` as people say it."""
    if name == "status":
        return case_words.of(case_words.STATUS, code)
    return {"typology": typology, "region": region}.get(name, str)(code) or t("none")


def filters(asked: Query, colleagues: Sequence[Person], who: Person) -> html.Div:
    return html.Div(
        className="q-filters",
        children=[
            dmc.TextInput(
                id=TEXT, value=asked.text, size="xs", w=190, radius="xl", debounce=300, inputProps={"maxLength": 64},
                placeholder=t("Number, ring or dealer"), **aria(label=t("Search in the queue")),
            ),
            dmc.SegmentedControl(
                id=KIND, value=asked.kind, size="xs", radius="xl",
                data=[{"label": label, "value": value} for label, value in (
                    (t("Both"), ""), (t("Rings"), RING), (t("Applications"), APPLICATION),
                )],
                **aria(label=t("Rings or applications")),
            ),
            dmc.Select(
                id=ASSIGNEE, value=asked.assignee or None, size="xs", w=150, radius="xl", clearable=True,
                placeholder=t("Owner"), data=owners(colleagues, who), **aria(label=t("Owner")),
            ),
            *(_choice(name, getattr(asked, name)) for name in CHOICES),
            _more(asked),
            html.Button(t("Clear"), id=CLEAR, className="q-link-button", type="button", hidden=not asked.filters),
        ],
    )  # fmt: skip


def owners(colleagues: Sequence[Person], who: Person) -> list[dict[str, str]]:
    told = [{"label": t("Me"), "value": ME}, {"label": t("Nobody"), "value": NOBODY}]
    return told + [
        {"label": each.display_name, "value": each.name}
        for each in colleagues
        if each.may(Act.WORK) and each.name != who.name
    ]


def _choice(name: str, values: Sequence[str]) -> dmc.Popover:
    return dmc.Popover(
        position="bottom-start", shadow="md", withinPortal=True, trapFocus=True, keepMounted=True,
        children=[
            dmc.PopoverTarget(html.Span(chip(name, values), id=f"queue-{name}-chip"), boxWrapperProps=PRESSED),
            dmc.PopoverDropdown(
                dmc.CheckboxGroup(
                    id=f"queue-{name}", value=list(values),
                    children=html.Div(id=f"queue-{name}-choices", className="q-choices"),
                    **aria(label=choice_title(name)),
                )
            ),
        ],
    )  # fmt: skip


def chip(name: str, values: Sequence[str]) -> html.Span:
    if not values:
        return _chip(choice_title(name), on=False)
    first = said(name, values[0]) if len(values) == 1 else number(len(values))
    return _chip(f"{choice_title(name)}: {first}", on=True)


def _chip(text: str, *, on: bool) -> html.Span:
    """One that filters looks so, through the class of what is in it."""
    return html.Span([text, caret()], className="q-on" if on else "q-off")


def choices(name: str, counted: Sequence[tuple[str, int]], chosen: Sequence[str]) -> list[Any]:
    """Those chosen stay, though none may be left of them."""
    there = dict(counted)
    every = [*(each for each in chosen if each not in there), *there]
    if not every:
        return [html.Span(t("Nothing to choose"), className="rr-soft rr-small")]
    return [
        dmc.Checkbox(
            value=code, size="xs", radius="sm",
            label=html.Span([html.Span(said(name, code)), html.Span(number(there.get(code, 0)))], className="q-choice"),
        )
        for code in every
    ]  # fmt: skip


def _more(asked: Query) -> dmc.Popover:
    return dmc.Popover(
        position="bottom-start", shadow="md", withinPortal=True, trapFocus=True, keepMounted=True,
        children=[
            dmc.PopoverTarget(html.Span(more_chip(asked), id="queue-more-chip"), boxWrapperProps=PRESSED),
            dmc.PopoverDropdown(
                dmc.Stack(
                    gap=10, w=220,
                    children=[
                        dmc.NumberInput(
                            id=SCORE, label=t("Score from"), size="xs", min=0, max=1, step=0.05, decimalScale=2,
                            value=asked.score_from or "", debounce=300,
                        ),
                        dmc.NumberInput(
                            id=SAVABLE, label=t("Savable from (thousand RMB)"), size="xs", min=0, step=50,
                            value=asked.savable_from / 1000 or "", debounce=300,
                        ),
                        dmc.Checkbox(
                            id=FRESH, label=t("New since my last visit"), size="xs", radius="sm", checked=asked.new,
                        ),
                    ],
                )
            ),
        ],
    )  # fmt: skip


def more_chip(asked: Query) -> html.Span:
    return _chip(t("Score and money"), on=bool(asked.score_from or asked.savable_from or asked.new))
