"""What stands over the grid of the queue beside its filters: tabs, order, what to do with the rows that are chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from workbench.casebook.cases import OPEN, WAITING, WORKING
from workbench.casebook.queue_query import ORDERS, TABS, Query
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria
from workbench.ui.components.menu import menu
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel.case_words import STATUS, of
from workbench.ui.viewmodel.queue_rows import order_title, tab_title

TAB, KIND, TEXT, ASSIGNEE, SCORE, SAVABLE, FRESH, ORDER = (
    f"queue-{name}" for name in ("tab", "kind", "text", "assignee", "score", "savable", "fresh", "order")
)
TOTAL, BULK, SAID, CLEAR, NEXT, HELP, SAVED = (
    f"queue-{name}" for name in ("total", "bulk", "said", "clear", "next", "help", "saved")
)
NEWER, STAMP = "queue-newer", "queue-stamp"
"""The word that others have moved cases since the newest entry of what is shown."""
ALL_MATCHING, DESELECT, SAVED_LIST, SAVE_NEW = (
    "queue-all-matching",
    "queue-deselect",
    "queue-saved-list",
    "queue-save-new",
)
PRESSED = {"component": "button", "type": "button", "className": "q-chip", "w": "auto"}
"""The box that Mantine puts round what opens something is the button itself (`menu.py`)."""


# At the top ------------------------------------------------------------------------------------------------


def top(asked: Query, counts: Mapping[str, int], who: Person) -> html.Div:
    return html.Div(
        className="q-top",
        children=[
            html.H1(t("Queue")),
            dmc.SegmentedControl(id=TAB, value=asked.tab, size="xs", data=tabs(counts), **aria(label=t("Which cases"))),
            html.Div(className="rr-grow"),
            dmc.Menu(
                [
                    dmc.MenuTarget([t("Saved filters"), caret()], boxWrapperProps=PRESSED),
                    dmc.MenuDropdown([], id=SAVED_LIST, miw=240),
                ],
                position="bottom-end",
                withinPortal=True,
                keepMounted=True,
            ),
            html.Button(
                "?", id=HELP + "-open", className="q-chip", type="button", **aria(label=t("Keys of the queue"))
            ),
            *([_next()] if who.may(Act.WORK) else []),
        ],
    )


def tabs(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"label": f"{tab_title(tab)} {number(counts[tab])}", "value": tab} for tab in TABS]


def _next() -> dmc.Button:
    return dmc.Button([t("Take next"), dmc.Kbd("N", size="xs", ml=8)], id=NEXT, size="compact-sm", h=30)


def caret() -> html.Span:
    return html.Span(className="q-caret", **aria(hidden="true"))


# Order, and what to do with what is chosen -----------------------------------------------------------------


def line(asked: Query, who: Person, colleagues: Sequence[Person], extra: Sequence[Any]) -> html.Div:
    """`extra` are controls of others for the rows that are chosen."""
    return html.Div(
        className="q-line",
        children=[
            html.Div(
                className="q-order",
                children=[
                    html.Span(t("First"), className="rr-soft rr-small"),
                    dmc.SegmentedControl(
                        id=ORDER, value=asked.order, size="xs",
                        data=[{"label": order_title(each), "value": each} for each in ORDERS],
                        **aria(label=t("Which cases come first")),
                    ),
                ],
            ),
            html.Span(id=TOTAL, className="q-total"),
            html.Button(id=NEWER, className="q-newer", type="button", hidden=True),
            html.Div(_bulk(who, colleagues, extra), id=BULK, className="q-bulk", role="toolbar",
                     **aria(label=t("What to do with the cases that are chosen"))),
        ],
    )  # fmt: skip


def _bulk(who: Person, colleagues: Sequence[Person], extra: Sequence[Any]) -> list[Any]:
    chosen = [
        html.B(id=SAID),
        html.Button(id=ALL_MATCHING, className="q-link-button", type="button"),
        html.Button(t("Deselect"), id=DESELECT, className="q-link-button", type="button"),
        html.Div(className="rr-grow"),
    ]
    if not who.may(Act.WORK):
        return chosen
    return [
        *chosen,
        _menu(t("Assign"), [(t("To me"), "assign", "me"), (t("To nobody"), "assign", ""), *_others(who, colleagues)]),
        _menu(t("Status"), [(of(STATUS, each), "status", each) for each in (OPEN, WORKING, WAITING)]),
        _act(t("Snooze…"), "snooze"),
        _act(t("Wake"), "wake"),
        *extra,
    ]


def _others(who: Person, colleagues: Sequence[Person]) -> list[tuple[str, str, str]]:
    if not who.may(Act.ASSIGN):
        return []
    return [
        (each.display_name, "assign", each.name) for each in colleagues if each.may(Act.WORK) and each.name != who.name
    ]


def _menu(label: str, items: Sequence[tuple[str, str, str]]) -> dmc.Menu:
    told = [dmc.MenuItem(words, id=act_id(act, to)) for words, act, to in items]
    return menu([label, caret()], told, css="q-chip")


def _act(label: str, act: str) -> html.Button:
    return html.Button(label, id=act_id(act, ""), className="q-chip", type="button")


def act_id(act: str, to: str) -> dict[str, str]:
    return {"t": "queue-do", "act": act, "to": to}
