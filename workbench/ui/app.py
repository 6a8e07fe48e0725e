"""The Dash application: pages, errors as toasts, headers. Everything it knows comes from `services`."""

from __future__ import annotations

import logging
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, set_props
from flask import jsonify

from graph.errors import RingroadError
from workbench.services.all import Services
from workbench.ui import guard, ids, shell
from workbench.ui.components import reveal
from workbench.ui.i18n import errors, t
from workbench.ui.pages import PAGES
from workbench.ui.pages.page import Page

log = logging.getLogger("ringroad.ui")

SHOWN_MS = 6_000


def create_app(services: Services) -> Dash:
    """Ready to be served as `create_app(services).server`. Nothing it sends makes a browser ask another machine."""
    app = Dash(
        "workbench.ui",
        title="Ringroad",
        update_title="",
        suppress_callback_exceptions=True,
        compress=False,
        serve_locally=True,
        on_error=_told,
        enable_mcp=False,
    )
    app.layout = _layout
    _route(app, services)
    shell.register(app, services)
    reveal.register(app, services)
    for page in PAGES:
        page.register(app, services)
    guard.install(app.server, services)
    guard.security_headers(app.server, app.csp_hashes())
    app.server.add_url_rule("/healthz", "healthz", lambda: jsonify(status="ok"))
    return app


def _layout() -> Any:
    return shell.frame(guard.person())


def _route(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.PAGE, "children"),
        Output("rail-here", "data"),
        Output("document-title", "data"),
        Input(ids.URL, "pathname"),
        State(ids.URL, "search"),
    )
    def page(path: str, query: str | None) -> tuple[Any, str, str]:
        for each in PAGES:
            found = each.path.fullmatch(path or "/")
            if found:
                match = {name: text for name, text in found.groupdict().items() if text is not None}
                content = _shown(each, services, match | {"query": query or ""})
                return content, each.href, f"{t(each.title)} · Ringroad"
        return _nothing(t("There is no such page"), t("Perhaps the link is old.")), "", "Ringroad"


def _shown(page: Page, services: Services, match: dict[str, str]) -> Any:
    """A page that cannot be shown says why in its place, rather than in a toast over an empty screen."""
    who = guard.person()
    try:
        who.require(page.act)
        return page.layout(services, who, match)
    except RingroadError as error:
        guard.denied(error)
        return _nothing(t(page.title), errors.told(error.message))
    except Exception:  # a blank page would tell nobody anything
        log.exception("page %s failed", page.title)
        return _nothing(t(page.title), t("Something went wrong on our side; it is in the log. Try again."))


def _nothing(title: str, why: str) -> html.Div:
    return html.Div(
        className="rr-empty",
        children=[html.H1(title), html.P(why), dcc.Link(t("To the queue"), href="/queue", className="rr-link")],
    )


def _told(error: Exception) -> None:
    """What a person can be told in one line is told; anything else is ours, and only the log has it."""
    guard.denied(error)
    if isinstance(error, RingroadError):
        said, kind = errors.told(error.message), "warning"
    else:
        log.error("callback failed: %s", type(error).__name__, exc_info=error)
        said, kind = t("Something went wrong on our side; it is in the log. Try again."), "error"
    set_props(ids.TOAST, {"sendNotifications": [shell.toast(said, kind=kind, lasts=SHOWN_MS)]})
