"""What surrounds every page: header, rail, toasts, and the address."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui import guard, ids
from workbench.ui.aria import aria
from workbench.ui.clientside import clientside
from workbench.ui.components import reveal, search_box
from workbench.ui.components.menu import menu
from workbench.ui.i18n import LANGUAGES, language, t
from workbench.ui.icons import icon
from workbench.ui.pages import PAGES
from workbench.ui.toasts import toast
from workbench.ui.viewmodel.people import initials, role

__all__ = ["frame", "register", "role", "toast"]


def _theme() -> dict[str, Any]:
    """Spoken in one's language: each dialog and each note has a button without a word to close it."""
    close = {"closeButtonProps": aria(label=t("Close"))}
    return {
        "primaryColor": "blue",
        "primaryShade": 8,  # the first of blue on which small white text reaches 4.5:1
        "fontFamily": "var(--rr-font)",
        "fontFamilyMonospace": "var(--rr-mono)",
        "defaultRadius": "md",
        "cursorType": "pointer",
        "respectReducedMotion": True,
        "components": {
            "Modal": {"defaultProps": close | {"transitionProps": {"duration": 0}}},  # no key is lost
            "Notification": {"defaultProps": close},
            "Menu": {"defaultProps": {"withInitialFocusPlaceholder": False}},  # a menu holds items, nothing else
        },
    }


def frame(who: Person) -> Any:
    """The whole document body; `PAGE` is filled by the address."""
    return dmc.MantineProvider(
        theme=_theme(),
        forceColorScheme="light",
        children=dmc.DatesProvider(
            settings={"locale": "zh-cn" if language.get() == "zh" else "en", "firstDayOfWeek": 1},
            children=html.Div(
                className="rr",
                lang=language.get(),
                children=[
                    dcc.Location(id=ids.URL, refresh="callback-nav"),
                    dcc.Store(id="rail-here"),
                    dcc.Store(id="document-title"),
                    dcc.Store(id="shell-sink"),
                    dcc.Store(id=ids.RELOAD),
                    html.A(t("To the content"), href=f"#{ids.PAGE}", className="rr-skip"),
                    _header(who),
                    _rail(who),
                    html.Main(id=ids.PAGE, className="rr-page", tabIndex=-1),
                    reveal.dialog(),
                    dmc.NotificationContainer(id=ids.TOAST, position="bottom-right", limit=4),
                ],
            ),
        ),
    )


def register(app: Dash, services: Services) -> None:
    search_box.register(app, services)
    clientside(
        app,
        "shell.here",
        Output("shell-sink", "data"),
        Input("rail-here", "data"),
        Input("document-title", "data"),
    )

    clientside(app, "shell.reload", Output("shell-sink", "data", allow_duplicate=True), Input(ids.RELOAD, "data"),
               prevent_initial_call=True)  # fmt: skip

    @app.callback(Output(ids.RELOAD, "data"), Input(ids.LANGUAGE, "n_clicks"), prevent_initial_call=True)
    def switch(_clicks: int) -> str:
        services.people.set_language(guard.person(), _other())
        return _other()


def _other() -> str:
    return next(code for code in LANGUAGES if code != language.get())


def _header(who: Person) -> html.Header:
    return html.Header(
        className="rr-head",
        children=[
            dcc.Link([html.Span(className="rr-logo"), "Ringroad"], href="/", className="rr-brand"),
            html.Div(search_box.box(), id="search-slot", className="rr-search"),
            html.Div(className="rr-grow"),
            dmc.Badge(t("Masked"), color="teal.3", variant="outline", size="sm", className="rr-masked"),
            html.Button(
                LANGUAGES[_other()], id=ids.LANGUAGE, className="rr-language", **aria(label=LANGUAGES[_other()])
            ),
            _menu(who),
        ],
    )


def _menu(who: Person) -> dmc.Menu:
    shown = [
        dmc.Avatar(initials(who.display_name), size=28, radius="xl", color="blue.8", variant="filled"),
        html.Span(f"{who.display_name} · {role(who.role)}"),
    ]
    items = [
        dmc.MenuItem(t("My account"), href="/me"),
        dmc.MenuItem(t("Sign out"), href="/logout", refresh=True),
    ]
    return menu(shown, items, label=t("Account of {name}", name=who.display_name), css="rr-who")


def _rail(who: Person) -> html.Nav:
    shown = [page for page in PAGES if page.rail and who.may(page.act)]
    return html.Nav(
        className="rr-rail",
        **aria(label=t("Pages")),
        children=[
            dcc.Link(
                [
                    icon(page.rail),
                    html.Span(t(page.title)),
                    html.Span(id=f"{_rail_id(page.href)}-count", className="rr-rail-count"),
                ],
                href=page.href,
                className="rr-rail-item",
                id=_rail_id(page.href),
            )
            for page in shown
        ],
    )


def _rail_id(href: str) -> str:
    return f"rail-{href.strip('/') or 'overview'}"
