"""One's own account: language, password, second factor."""

from __future__ import annotations

from collections.abc import Mapping
from re import compile as pattern
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update

from graph.errors import RingroadError
from workbench.services.access.passwords import SHORTEST
from workbench.services.access.second_factor import Secret
from workbench.services.all import Services
from workbench.services.permissions import WORDS, Act, Person
from workbench.ui import guard, ids
from workbench.ui.aria import aria
from workbench.ui.i18n import LANGUAGES, errors, language, t
from workbench.ui.pages.page import Page
from workbench.ui.toasts import tell
from workbench.ui.viewmodel.people import initials, may, role

SPEAKS = "me-speaks"
PRESENT, NEW, AGAIN, CHANGE, TROUBLE = "me-present", "me-new", "me-again", "me-change", "me-trouble"
FACTOR, FACTOR_PRESENT, FACTOR_SET, FACTOR_END, FACTOR_TROUBLE = (
    "me-factor", "me-factor-present", "me-factor-set", "me-factor-end", "me-factor-trouble",
)  # fmt: skip
CODE, CONFIRM, SECRET = "me-code", "me-confirm", "me-secret"
HIDDEN: dict[str, Any] = {"display": "none"}


def layout(services: Services, who: Person, _match: Mapping[str, str]) -> Any:
    return html.Div(
        className="rr-inside me",
        children=[
            html.Div(className="rr-title", children=[html.H1(t("My account"))]),
            html.Div(className="me-grid", children=[_profile(who), _password(), _factor(services, who)]),
        ],
    )


def _card(title: str, *inside: Any) -> html.Section:
    return html.Section(
        className="rr-panel me-card", children=[html.H2(title), *inside], **aria(label=title)
    )  # fmt: skip


def _profile(who: Person) -> html.Section:
    allowed = [html.Li(may(act)) for act in WORDS if who.may(act)]
    return _card(
        who.display_name,
        html.Div(
            [
                dmc.Avatar(initials(who.display_name), size=44, radius="xl", color="blue", className="us-dark"),
                html.Div([html.Div(role(who.role), className="me-role"), html.Div(who.name, className="rr-soft")]),
            ],
            className="me-who",
        ),
        html.H3(t("You may")),
        html.Ul(allowed, className="me-may"),
        html.H3(t("Language")),
        dmc.SegmentedControl(
            id=SPEAKS,
            value=language.get(),
            data=[{"value": code, "label": name} for code, name in LANGUAGES.items()],
        ),
    )


def _password() -> html.Section:
    rule = t("At least {count} characters. A sentence is easy to remember and hard to guess.", count=SHORTEST)
    return _card(
        t("Password"),
        html.Div(
            className="us-form",
            children=[
                dmc.PasswordInput(
                    id=PRESENT, debounce=True, label=t("Present password"), autoComplete="current-password"
                ),
                dmc.PasswordInput(
                    id=NEW, debounce=True, label=t("New password"), description=rule, autoComplete="new-password"
                ),
                dmc.PasswordInput(id=AGAIN, debounce=True, label=t("Once more"), autoComplete="new-password"),
                html.Div(id=TROUBLE, className="us-trouble", role="alert"),
                dmc.Button(t("Change the password"), id=CHANGE, mt=4),
                html.P(t("Sessions on other machines end."), className="rr-soft rr-small"),
            ],
        ),
    )


def _factor(services: Services, who: Person) -> html.Section:
    return _card(t("Second factor"), html.Div(id=FACTOR, children=factor(services, who)))


def factor(services: Services, who: Person) -> list[Any]:
    on = services.people.account(who).second_factor
    state = t("On: a code is asked for at every sign-in.") if on else t("Off: the password alone opens the door.")
    return [
        html.P(state, className="me-on" if on else "rr-soft"),
        html.Div(
            className="us-form",
            children=[
                dmc.PasswordInput(id=FACTOR_PRESENT, debounce=True, label=t("Present password"),
                                  autoComplete="current-password"),
                html.Div(id=FACTOR_TROUBLE, className="us-trouble", role="alert"),
                dmc.Button(t("Set it up"), id=FACTOR_SET, mt=4, style=HIDDEN if on else {}),
                dmc.Button(t("Turn it off"), id=FACTOR_END, mt=4, color="red", variant="light",
                           style={} if on else HIDDEN),
                html.Div(
                    id=SECRET,
                    style=HIDDEN,
                    children=[
                        html.Div(id=f"{SECRET}-shown"),
                        dmc.TextInput(id=CODE, debounce=True, label=t("Code that the app shows"),
                                      inputProps={"inputMode": "numeric"}),
                        dmc.Button(t("Turn it on"), id=CONFIRM, mt=12, fullWidth=True),
                    ],
                ),
            ],
        ),
    ]  # fmt: skip


def shown(secret: Secret) -> list[Any]:
    plain = " ".join(secret.plain[at : at + 4] for at in range(0, len(secret.plain), 4))
    return [
        html.P(t("Open the authenticator app on your phone, add an account by typing, and give it this key:")),
        html.Div(plain, className="us-password me-key"),
        html.P(
            [
                t("Name: Ringroad. Kind: time-based, 6 digits, SHA-1, 30 seconds."),
                " ",
                html.A(t("An app on this machine may take it from this link"), href=secret.uri),
            ],
            className="rr-soft rr-small",
        ),
    ]


def register(app: Dash, services: Services) -> None:
    @app.callback(Output(ids.RELOAD, "data", allow_duplicate=True), Input(SPEAKS, "value"), prevent_initial_call=True)
    def speak(code: str) -> Any:
        if code == language.get():
            return no_update
        services.people.set_language(guard.person(), code)
        return code

    @app.callback(
        Output(PRESENT, "value"), Output(NEW, "value"), Output(AGAIN, "value"), Output(TROUBLE, "children"),
        Input(CHANGE, "n_clicks"), State(PRESENT, "value"), State(NEW, "value"), State(AGAIN, "value"),
        running=[(Output(CHANGE, "disabled"), True, False)], prevent_initial_call=True,
    )  # fmt: skip
    def change(_clicks: int, present: str, new: str, again: str) -> tuple[Any, ...]:
        if (new or "") != (again or ""):
            return no_update, no_update, no_update, t("The two are not the same.")
        try:
            opened = services.people.change_password(guard.person(), present or "", new or "")
        except RingroadError as error:
            return no_update, no_update, no_update, errors.told(error.message)
        guard.renew(opened)
        tell(t("The password is changed."))
        return "", "", "", ""

    _register_factor(app, services)


def _register_factor(app: Dash, services: Services) -> None:
    @app.callback(
        Output(f"{SECRET}-shown", "children"), Output(SECRET, "style"), Output(FACTOR_SET, "style"),
        Output(FACTOR_TROUBLE, "children"), Output(FACTOR_PRESENT, "value"),
        Input(FACTOR_SET, "n_clicks"), State(FACTOR_PRESENT, "value"), prevent_initial_call=True,
    )  # fmt: skip
    def offer(clicks: int | None, present: str) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 5
        try:
            secret = services.people.offer_second_factor(guard.person(), present or "")
        except RingroadError as error:
            return no_update, no_update, no_update, errors.told(error.message), no_update
        return shown(secret), {}, HIDDEN, "", ""

    @app.callback(
        Output(FACTOR, "children"), Output(FACTOR_TROUBLE, "children", allow_duplicate=True),
        Input(CONFIRM, "n_clicks"), State(CODE, "value"), prevent_initial_call=True,
    )  # fmt: skip
    def confirm(clicks: int | None, code: str) -> tuple[Any, ...]:
        return _done(clicks, lambda who: services.people.confirm_second_factor(who, code or ""))

    @app.callback(
        Output(FACTOR, "children", allow_duplicate=True), Output(FACTOR_TROUBLE, "children", allow_duplicate=True),
        Input(FACTOR_END, "n_clicks"), State(FACTOR_PRESENT, "value"), prevent_initial_call=True,
    )  # fmt: skip
    def end(clicks: int | None, present: str) -> tuple[Any, ...]:
        return _done(clicks, lambda who: services.people.end_second_factor(who, present or ""))

    def _done(clicks: int | None, act: Any) -> tuple[Any, ...]:
        if not clicks:
            return no_update, no_update
        who = guard.person()
        try:
            act(who)
        except RingroadError as error:
            return no_update, errors.told(error.message)
        tell(t("Done, and on record."))
        return factor(services, who), no_update


PAGE = Page(pattern("/me"), "My account", Act.READ, layout, register)
