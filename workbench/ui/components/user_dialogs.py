"""The dialogs of the users' page: a new user, something to do to one, a password to hand over."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html

from workbench.services.permissions import Role
from workbench.ui.i18n import LANGUAGES, t
from workbench.ui.viewmodel.people import role

TABLE, OPEN, ADD = "users-table", "users-open", "users-add"
NEW, NAME, SHOWN, AS, SPEAKS, TROUBLE = (
    "users-new", "users-name", "users-shown", "users-as", "users-speaks", "users-trouble",
)  # fmt: skip
ASKED, ACT, ACT_SAYS, ACT_ROLE, ACT_NAME, ACT_DO, ACT_TROUBLE = (
    "users-asked", "users-act", "users-act-says", "users-act-role", "users-act-name", "users-act-do",
    "users-act-trouble",
)  # fmt: skip
GIVEN, GIVEN_SAYS = "users-given", "users-given-says"
HIDDEN: dict[str, Any] = {"display": "none"}


def _roles() -> list[dict[str, str]]:
    return [{"value": each, "label": role(each)} for each in Role]


def new() -> dmc.Modal:
    speaks = [{"value": code, "label": name} for code, name in LANGUAGES.items()]
    return dmc.Modal(
        id=NEW, title=t("Add a user"), centered=True,
        children=html.Div(
            className="us-form",
            children=[
                dmc.TextInput(id=NAME, debounce=True, label=t("Name to sign in with"),
                              description=t("a–z, 0–9, . _ and -"),
                              required=True, **{"data-autofocus": True}),
                dmc.TextInput(id=SHOWN, debounce=True, label=t("Name that others see"), required=True),
                dmc.Select(id=AS, label=t("Role"), data=_roles(), value=Role.INVESTIGATOR, allowDeselect=False),
                dmc.Select(id=SPEAKS, label=t("Language"), data=speaks, value="zh", allowDeselect=False),
                html.Div(id=TROUBLE, className="us-trouble", role="alert"),
                dmc.Button(t("Add the user"), id=ADD, fullWidth=True, mt=4),
            ],
        ),
    )  # fmt: skip


def act() -> dmc.Modal:
    return dmc.Modal(
        id=ACT, centered=True,
        children=html.Div(
            className="us-form",
            children=[
                html.Div(id=ACT_SAYS),
                dmc.Select(id=ACT_ROLE, label=t("Role"), data=_roles(), allowDeselect=False, style=HIDDEN),
                dmc.TextInput(id=ACT_NAME, debounce=True, label=t("Name that others see"), style=HIDDEN),
                html.Div(id=ACT_TROUBLE, className="us-trouble", role="alert"),
                dmc.Button("", id=ACT_DO, fullWidth=True, mt=4),
            ],
        ),
    )  # fmt: skip


def given() -> dmc.Modal:
    return dmc.Modal(
        id=GIVEN,
        title=t("A password to hand over"),
        centered=True,
        children=html.Div(id=GIVEN_SAYS),
    )
