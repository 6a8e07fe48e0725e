"""What the queue asks before it does something, and what it explains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from workbench.casebook.saved import LONGEST_NAME, Saved
from workbench.services.cases.cases import LONGEST_REASON
from workbench.ui.aria import aria
from workbench.ui.components.queue_bar import HELP
from workbench.ui.i18n import t

SNOOZE, SNOOZE_DAYS, SNOOZE_WHY, SNOOZE_NO, SNOOZE_DO = (
    f"queue-snooze{name}" for name in ("", "-days", "-why", "-no", "-do")
)
SAVE, SAVE_NAME, SAVE_SHARED, SAVE_NO, SAVE_DO = (
    f"queue-save{name}" for name in ("", "-name", "-shared", "-no", "-do")
)
MANAGE, MANAGE_LIST = "queue-manage", "queue-manage-list"
DAYS = (1, 3, 7, 30)


def dialogs(*, works: bool) -> list[Any]:
    return [
        _snooze(),
        _save(),
        dmc.Modal(html.Div(id=MANAGE_LIST), id=MANAGE, title=t("Saved filters"), size=520),
        _help(works=works),
    ]


def _snooze() -> dmc.Modal:
    return dmc.Modal(
        id=SNOOZE, title=t("Snooze"), centered=True, size=400,
        children=[
            dmc.SegmentedControl(
                id=SNOOZE_DAYS, value="3", fullWidth=True, size="xs",
                data=[{"label": t("1 day") if days == 1 else t("{count} days", count=days), "value": str(days)}
                      for days in DAYS],
                **aria(label=t("For how long")),
            ),
            dmc.Textarea(
                id=SNOOZE_WHY, debounce=True, label=t("Reason"), autosize=True, minRows=2, mt=10,
                inputProps={"maxLength": LONGEST_REASON, "data-autofocus": True},
            ),
            html.P(t("It comes back by itself, at once where risk or money rises."), className="rr-soft rr-small"),
            html.Div(id=SNOOZE_NO, className="cs-trouble", role="alert"),
            dmc.Button(t("Snooze"), id=SNOOZE_DO, fullWidth=True, mt=8),
        ],
    )  # fmt: skip


def _save() -> dmc.Modal:
    return dmc.Modal(
        id=SAVE, title=t("Save this filter"), centered=True, size=400,
        children=[
            dmc.TextInput(
                id=SAVE_NAME, debounce=True, label=t("Name"),
                inputProps={"maxLength": LONGEST_NAME, "data-autofocus": True},
            ),
            dmc.Checkbox(id=SAVE_SHARED, label=t("Everybody may use it"), mt=10),
            html.Div(id=SAVE_NO, className="cs-trouble", role="alert"),
            dmc.Button(t("Save"), id=SAVE_DO, fullWidth=True, mt=12),
        ],
    )  # fmt: skip


def saved_items(found: Sequence[Saved], me: str) -> list[Any]:
    """Of the menu."""
    return [
        *(
            dmc.MenuItem(
                each.name,
                id={"t": "queue-use", "id": each.id},
                rightSection=html.Span(_whose(each, me), className="rr-soft rr-small"),
            )
            for each in found
        ),
        *([dmc.MenuDivider()] if found else []),
        dmc.MenuItem(t("Save this filter…"), id="queue-save-open"),
        *(
            [dmc.MenuItem(t("Rename or delete…"), id="queue-manage-open")]
            if any(each.owner == me for each in found)
            else []
        ),
    ]


def _whose(one: Saved, me: str) -> str:
    return one.owner if one.owner != me else t("shared") if one.shared else ""


def managed(found: Sequence[Saved]) -> list[Any]:
    """One's own, each to be renamed or deleted."""
    return [
        html.Div(
            className="q-saved-row",
            children=[
                dmc.TextInput(
                    id={"t": "queue-rename", "id": each.id}, value=each.name, size="xs", style={"flex": 1},
                    inputProps={"maxLength": LONGEST_NAME}, debounce=True,
                    **aria(label=t("Name of {name}", name=each.name)),
                ),
                dmc.Button(t("Delete"), id={"t": "queue-remove", "id": each.id}, size="compact-xs", variant="light",
                           color="red", **aria(label=t("Delete {name}", name=each.name))),
            ],
        )
        for each in found
    ] or [html.P(t("You have saved no filter."), className="rr-soft")]  # fmt: skip


def _help(*, works: bool) -> dmc.Modal:
    doing = (
        (("X",), t("choose the row, or not")),
        (("A",), t("assign to me")),
        (("S",), t("snooze")),
        (("N",), t("take the next case")),
    )
    keys = (
        (("J", "↓"), t("next row")),
        (("K", "↑"), t("row before")),
        (("Enter",), t("open it")),
        *(doing if works else ()),
        (("/",), t("search everything")),
        (("?",), t("these keys")),
    )
    told = [
        part for names, does in keys for part in (html.Dt([dmc.Kbd(each, size="xs") for each in names]), html.Dd(does))
    ]
    return dmc.Modal(
        id=HELP, title=t("Keys of the queue"), size=380, centered=True,
        children=[
            html.Dl(told, className="q-keys"),
            html.P(t("A and S act on the rows with a tick; without any, on the row where one stands."),
                   className="rr-soft rr-small", hidden=not works),
        ],
    )  # fmt: skip
