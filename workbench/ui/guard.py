"""Who is asking, before anything is answered: deny by default, for pages, layouts, callbacks and assets alike.

A session is a cookie that only the browser's own requests from our own pages carry. Whatever changes something shows
as well where it comes from (Sec-Fetch-Site, or Origin) and the session's token, which only our own scripts can read.
"""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import quote, urlsplit

from flask import Flask, g, has_request_context, jsonify, redirect, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from graph.errors import InputError, NotAllowed, NotAuthenticated, RingroadError
from workbench.services.access.door import Opened, PasswordDue
from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui import i18n
from workbench.ui.cookies import Cookies
from workbench.ui.headers import security_headers

__all__ = ["acting", "denied", "install", "person", "renew", "same_site_path", "security_headers"]

log = logging.getLogger("ringroad.ui")

HTTPS = "RINGROAD_UI_HTTPS"
OPEN = frozenset({"/login", "/login/style.css", "/login/again.js", "/healthz"})
HALF_OPEN = frozenset({"/login/password", "/logout"})
"""Asks for a session itself: one that must choose a password first, or one to end."""
NO_PAGES = ("//", "/_", "/assets", "/login", "/logout")

MEGABYTE = 1_000_000
LARGEST, LARGEST_UPLOAD, LARGEST_FORM = MEGABYTE, 12 * MEGABYTE, 8_000
UPLOADS = frozenset({"/_dash-update-component"})
FILE = b'"property":"contents"'
"""dcc.Upload sends a file in its callback, a third larger than it is."""

ATTACHMENTS = "/attachment/"
"""Takes a file as it is, one for each request (callbacks/case_files.py)."""

IDLE_HEADER = "X-Ringroad-Idle"
"""Our own scripts set it on what they ask by themselves while nobody touches the screen: it keeps no session alive."""

_acting: ContextVar[Person | None] = ContextVar("acting", default=None)


def install(server: Flask, services: Services, *, https: bool | None = None) -> None:
    """Before everything that Dash does with a request, its own set-up included."""
    from workbench.ui.signin import routes  # noqa: PLC0415 - it asks for us

    cookies = Cookies(https=_switch(os.environ, HTTPS) if https is None else https)
    server.extensions["ringroad"] = (services, cookies)
    routes.add(server, services, cookies)

    def first() -> Response | None:
        i18n.language.set(_language())
        answer = _refused(services, cookies)
        if answer is not None or request.path not in OPEN | HALF_OPEN:
            return answer
        return server.make_response(server.dispatch_request())  # past Dash, which would make somebody's layout

    server.before_request_funcs.setdefault(None, []).insert(0, first)
    server.register_error_handler(RingroadError, _told)
    server.register_error_handler(RequestEntityTooLarge, lambda _: _plain("this is too large to send", 413))


def person() -> Person:
    """Who is signed in. Raises NotAuthenticated."""
    found = g.get("person") if has_request_context() else None
    found = found or _acting.get()
    if not isinstance(found, Person):
        raise NotAuthenticated("nobody is signed in")
    return found


@contextmanager
def acting(who: Person) -> Iterator[None]:
    """For tests of callbacks as plain functions: as if that person had asked."""
    before, spoken = _acting.set(who), i18n.language.set(who.language)
    try:
        yield
    finally:
        _acting.reset(before)
        i18n.language.reset(spoken)


def denied(error: Exception) -> None:
    """Put on record that somebody asked for what he may not do; other errors are none of that."""
    if isinstance(error, NotAllowed) and has_request_context() and isinstance(g.get("person"), Person):
        try:
            _installed()[0].audit.denied(person(), error)
        except RingroadError as trouble:  # nobody gets more for that
            log.warning("a denial could not be put on record: %s", trouble.message)


def renew(opened: Opened) -> None:
    """In a callback that ended all sessions of its caller: the new one goes with the answer."""
    from dash import ctx  # noqa: PLC0415

    _installed()[1].give(ctx.response, opened)


# What is refused -----------------------------------------------------------------------------------------


def _refused(services: Services, cookies: Cookies) -> Response | None:
    request.max_content_length = _largest(request.path)
    if request.path in OPEN | HALF_OPEN:
        return None
    try:
        signed = services.people.session(cookies.token(), active=IDLE_HEADER not in request.headers)
    except NotAuthenticated as error:
        return _to_sign_in(cookies, error)
    except PasswordDue as error:
        return redirect("/login/password", 303) if _is_page() else _plain(error.message, error.status)
    g.person, g.csrf = signed.person, signed.csrf
    i18n.language.set(signed.person.language)
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    if forged := _forged(cookies, signed.csrf):
        return forged
    _too_large()
    return None


def _too_large() -> None:
    """Only a file may be larger than what a screen sends."""
    if request.path.startswith(ATTACHMENTS):
        return
    size = request.content_length
    if size is None:  # in pieces: what is read ends at the limit
        size = len(request.get_data())
        if size >= _largest(request.path):
            raise RequestEntityTooLarge
    if size > LARGEST and FILE not in request.get_data():
        raise RequestEntityTooLarge


def _forged(cookies: Cookies, csrf: str) -> Response | None:
    shown = request.headers.get("X-CSRF-Token", "")
    if from_here(cookies) and hmac.compare_digest(shown.encode(), csrf.encode()):
        return None
    return _plain("this request did not come from our own page; load the page anew", 403)


def from_here(cookies: Cookies) -> bool:
    """Whether the request was made by a page of ours. Old browsers do not say by which site, but by which origin."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(request.headers.get("Origin", ""))
    schemes = ("https",) if cookies.https else ("http", "https")
    return origin.scheme in schemes and origin.netloc == request.host


def _to_sign_in(cookies: Cookies, error: NotAuthenticated) -> Response:
    if not _is_page():
        return _plain(error.message, error.status)
    path = same_site_path(request.full_path.removesuffix("?"))
    response = redirect(f"/login?next={quote(path, safe='/')}" if path not in ("", "/") else "/login", 303)
    if cookies.shown():  # it is over: without them the page does not take us for signed in
        cookies.forget(response)
    return response


def _is_page() -> bool:
    """What a person opens, and not what a page asks for by itself."""
    data = request.path.startswith(("/_", "/assets/")) or request.method not in ("GET", "HEAD")
    return not data and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"


def same_site_path(address: str) -> str:
    """Path and query of an address of ours; "" for one that leads elsewhere, or to no page."""
    if not address.isprintable() or "\\" in address:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    ours = (parts.scheme in ("http", "https") and parts.netloc == request.host) or not (parts.scheme or parts.netloc)
    if not ours or not parts.path.startswith("/") or parts.path.startswith(NO_PAGES):
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _largest(path: str) -> int:
    if path.startswith("/login"):
        return LARGEST_FORM
    return LARGEST_UPLOAD if path in UPLOADS or path.startswith(ATTACHMENTS) else LARGEST


def _told(error: RingroadError) -> Response:
    denied(error)
    return _plain(error.message, error.status)


def _plain(message: str, status: int) -> Response:
    response = jsonify(error=message)
    response.status_code = status
    return response


def _language() -> str:
    """Of who is not signed in: chosen on the sign-in page, or the browser's."""
    asked = request.args.get("lang", "") if request.path.startswith("/login") else ""
    best = request.accept_languages.best_match(list(i18n.LANGUAGES), i18n.DEFAULT)
    return asked if asked in i18n.LANGUAGES else str(best)


def _installed() -> tuple[Services, Cookies]:
    from flask import current_app  # noqa: PLC0415

    found: tuple[Services, Cookies] = current_app.extensions["ringroad"]
    return found


def _switch(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "").strip().lower()
    if value not in ("", "0", "1"):
        raise InputError(f"{name}={value[:20]!r} is neither 1 nor 0")
    return value == "1"
