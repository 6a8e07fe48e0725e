"""Who may use the workbench: for managers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from re import compile as pattern
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update

from graph.errors import RingroadError
from workbench.casebook.people import User
from workbench.services.access.roster import Given
from workbench.services.all import Services
from workbench.services.permissions import Act, Person, Role
from workbench.ui import guard
from workbench.ui.components import user_dialogs
from workbench.ui.components.menu import menu
from workbench.ui.components.user_dialogs import (
    ACT,
    ACT_DO,
    ACT_NAME,
    ACT_ROLE,
    ACT_SAYS,
    ACT_TROUBLE,
    ADD,
    AS,
    ASKED,
    GIVEN,
    GIVEN_SAYS,
    HIDDEN,
    NAME,
    NEW,
    OPEN,
    SHOWN,
    SPEAKS,
    TABLE,
    TROUBLE,
)
from workbench.ui.i18n import LANGUAGES, day, errors, t
from workbench.ui.icons import PAGES as GLYPHS
from workbench.ui.pages.page import Page
from workbench.ui.toasts import tell
from workbench.ui.viewmodel.people import initials, role
from workbench.ui.viewmodel.users import handed, words

COLOURS = {Role.INVESTIGATOR: "blue", Role.SENIOR: "grape", Role.MANAGER: "indigo", Role.AUDITOR: "teal"}


def layout(services: Services, who: Person, _match: Mapping[str, str]) -> Any:
    return html.Div(
        className="rr-inside us",
        children=[
            html.Div(
                className="rr-title",
                children=[
                    html.H1(t("Users")),
                    html.Div(className="rr-grow"),
                    dmc.Button(t("Add a user"), id=OPEN, size="sm"),
                ],
            ),
            html.Div(id=TABLE, className="rr-panel us-panel", children=table(services, who)),
            dcc.Store(id=ASKED),
            user_dialogs.new(),
            user_dialogs.act(),
            user_dialogs.given(),
        ],
    )


def table(services: Services, who: Person) -> html.Table:
    head: list[Any] = [
        t("User name"),
        t("Role"),
        t("Access"),
        t("Second factor"),
        t("Language"),
        t("Since"),
        t("Made by"),
        html.Span(t("Acts"), className="us-unseen"),
    ]
    found = services.people.listed(who)
    return html.Table(
        className="us-table",
        children=[
            html.Thead(html.Tr([html.Th(each, scope="col") for each in head])),
            html.Tbody([_row(each, who) for each in _ordered(found)]),
        ],
    )


def _ordered(found: Sequence[User]) -> list[User]:
    return sorted(found, key=lambda each: (each.disabled_at is not None, each.name))


def _row(user: User, who: Person) -> html.Tr:
    avatar = dmc.Avatar(
        initials(user.display_name), size=30, radius="xl", color=COLOURS[Role(user.role)], className="us-dark"
    )
    names = html.Div([html.Div(user.display_name, className="us-shown"), html.Div(user.name, className="us-name")])
    return html.Tr(
        className="us-off" if user.disabled_at else "",
        children=[
            html.Td(html.Div([avatar, names], className="us-who")),
            html.Td(
                dmc.Badge(role(Role(user.role)), color=COLOURS[Role(user.role)], variant="light", className="us-dark")
            ),
            html.Td(_state(user)),
            html.Td(t("yes") if user.second_factor else t("no"), className="" if user.second_factor else "rr-soft"),
            html.Td(LANGUAGES[user.language]),
            html.Td(day(user.created_at), className="rr-num"),
            html.Td(user.created_by, className="rr-soft"),
            html.Td(_menu(user) if user.name != who.name else html.Span(t("you"), className="rr-soft")),
        ],
    )


def _state(user: User) -> html.Span:
    if user.disabled_at is not None:
        return html.Span(t("disabled since {day}", day=day(user.disabled_at)), className="us-state us-bad")
    if user.must_change:
        return html.Span(t("must choose a password"), className="us-state us-wait")
    return html.Span(t("may sign in"), className="us-state us-good")


def _menu(user: User) -> dmc.Menu:
    acts = {"role": t("Give another role…"), "rename": t("Rename…"), "password": t("New one-time password…")}
    if user.second_factor:
        acts["factor"] = t("Drop the second factor…")
    acts |= {"enable": t("Let sign in again…")} if user.disabled_at else {"disable": t("Disable…")}
    items = [
        dmc.MenuItem(
            said, id={"t": "users-do", "act": act, "name": user.name}, className="us-danger" if act == "disable" else ""
        )
        for act, said in acts.items()
    ]
    return menu("⋯", items, label=t("What to do with {name}", name=user.display_name), css="us-more")


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(NEW, "opened"), Output(NAME, "value"), Output(SHOWN, "value"), Output(TROUBLE, "children"),
        Input(OPEN, "n_clicks"), prevent_initial_call=True,
    )  # fmt: skip
    def opened(_clicks: int) -> tuple[Any, ...]:
        return True, "", "", ""

    @app.callback(
        Output(NEW, "opened", allow_duplicate=True), Output(TROUBLE, "children", allow_duplicate=True),
        Output(TABLE, "children"), Output(GIVEN, "opened"), Output(GIVEN_SAYS, "children"),
        Input(ADD, "n_clicks"), Input(SHOWN, "n_submit"),
        State(NAME, "value"), State(SHOWN, "value"), State(AS, "value"), State(SPEAKS, "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def add(_clicks: int, _submit: int, name: str, shown: str, as_: str, speaks: str) -> tuple[Any, ...]:
        who = guard.person()
        try:
            given = services.people.add(who, name or "", shown or "", as_, speaks)
        except RingroadError as error:
            guard.denied(error)
            return no_update, errors.told(error.message), no_update, no_update, no_update
        return False, "", table(services, who), True, handed(given)

    _register_acts(app, services)


def _register_acts(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ASKED, "data"), Output(ACT, "opened"), Output(ACT, "title"), Output(ACT_SAYS, "children"),
        Output(ACT_ROLE, "style"), Output(ACT_ROLE, "value"), Output(ACT_NAME, "style"), Output(ACT_NAME, "value"),
        Output(ACT_DO, "children"), Output(ACT_DO, "color"), Output(ACT_TROUBLE, "children"),
        Input({"t": "users-do", "act": ALL, "name": ALL}, "n_clicks"), prevent_initial_call=True,
    )  # fmt: skip
    def ask(_clicks: list[int | None]) -> tuple[Any, ...]:
        if not ctx.triggered_id or not ctx.triggered[0]["value"]:
            return (no_update,) * 11
        act, name = str(ctx.triggered_id["act"]), str(ctx.triggered_id["name"])
        user = next(each for each in services.people.listed(guard.person()) if each.name == name)
        title, says, button = words(act, user)
        return (
            {"act": act, "name": name}, True, title, says,
            {} if act == "role" else HIDDEN, user.role, {} if act == "rename" else HIDDEN, user.display_name,
            button, "red" if act == "disable" else "blue", "",
        )  # fmt: skip

    @app.callback(
        Output(ACT, "opened", allow_duplicate=True), Output(ACT_TROUBLE, "children", allow_duplicate=True),
        Output(TABLE, "children", allow_duplicate=True), Output(GIVEN, "opened", allow_duplicate=True),
        Output(GIVEN_SAYS, "children", allow_duplicate=True),
        Input(ACT_DO, "n_clicks"), State(ASKED, "data"), State(ACT_ROLE, "value"), State(ACT_NAME, "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def do(_clicks: int, asked: dict[str, str] | None, as_: str, shown: str) -> tuple[Any, ...]:
        if not asked:
            return (no_update,) * 5
        who = guard.person()
        try:
            given = perform(services, who, asked["act"], asked["name"], as_=as_, shown=shown or "")
        except RingroadError as error:
            guard.denied(error)
            return no_update, errors.told(error.message), no_update, no_update, no_update
        if given is None:
            tell(t("Done, and on record."))
            return False, "", table(services, who), no_update, no_update
        return False, "", table(services, who), True, handed(given)


def perform(services: Services, who: Person, act: str, name: str, *, as_: str, shown: str) -> Given | None:
    people = services.people
    if act == "password":
        return people.reset_password(who, name)
    {
        "role": lambda: people.set_role(who, name, as_),
        "rename": lambda: people.rename(who, name, shown),
        "factor": lambda: people.drop_second_factor(who, name),
        "disable": lambda: people.disable(who, name),
        "enable": lambda: people.enable(who, name),
    }[act]()
    return None


PAGE = Page(pattern("/users"), "Users", Act.USERS, layout, register, rail=GLYPHS["users"], href="/users")
