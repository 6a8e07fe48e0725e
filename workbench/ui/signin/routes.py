"""`/login`, `/login/password` and `/logout`: forms that work without any script."""

from __future__ import annotations

import hmac
import secrets
from functools import partial
from pathlib import Path
from urllib.parse import quote

from flask import Flask, Response, redirect, render_template_string, request
from werkzeug.wrappers import Response as Answer

from graph.errors import NotAllowed, NotAuthenticated, RingroadError
from workbench.services.access.door import PasswordDue, Session
from workbench.services.access.passwords import SHORTEST
from workbench.services.all import Services
from workbench.ui import guard, i18n
from workbench.ui.cookies import Cookies
from workbench.ui.i18n import t

HERE = Path(__file__).parent


def add(server: Flask, services: Services, cookies: Cookies) -> None:
    door = _Door(services, cookies)
    server.add_url_rule("/login", "login", door.sign_in, methods=["GET", "POST"])
    server.add_url_rule("/login/password", "login_password", door.choose_password, methods=["GET", "POST"])
    server.add_url_rule("/logout", "logout", door.sign_out, methods=["GET"])
    for name, kind in (("style.css", "text/css"), ("again.js", "text/javascript")):
        content = (HERE / name).read_text(encoding="utf-8")
        server.add_url_rule(f"/login/{name}", name, partial(_file, content, kind))


def _file(content: str, kind: str) -> Response:
    return Response(content, mimetype=kind, headers={"Cache-Control": "max-age=3600"})


class _Door:
    def __init__(self, services: Services, cookies: Cookies) -> None:
        self._people, self._cookies = services.people, cookies

    def sign_in(self) -> Answer:
        onward = guard.same_site_path(request.args.get("next", "")) or "/"
        if request.method == "GET":
            return self._already(onward) or self._form("", onward)
        if trouble := self._forged():
            return self._form(trouble, onward, 403)
        told = request.form
        try:
            opened = self._people.sign_in(told.get("name", ""), told.get("password", ""), told.get("code", ""))
        except NotAuthenticated:
            return self._form(_refused(), onward, 401, name=told.get("name", "")[:32])
        except RingroadError as error:
            return self._form(error.message, onward, error.status, name=told.get("name", "")[:32])
        if before := self._cookies.token():  # of who sat here before
            self._people.sign_out(before)
        answer = redirect(onward, 303)
        self._cookies.give(answer, opened)
        return answer

    def choose_password(self) -> Answer:
        try:
            session = self._people.due(self._cookies.token())
        except (NotAuthenticated, NotAllowed):
            return redirect("/login", 303)
        i18n.language.set(session.person.language)
        if request.method == "GET":
            return self._choice("", session)
        if trouble := self._forged() or self._differ():
            return self._choice(trouble, session, 403)
        try:
            opened = self._people.choose_password(self._cookies.token(), request.form.get("new", ""))
        except RingroadError as error:
            return self._choice(error.message, session, error.status)
        answer = redirect("/", 303)
        self._cookies.give(answer, opened)
        return answer

    def sign_out(self) -> Answer:
        """A link is enough: other sites' links carry no cookie of ours."""
        self._people.sign_out(self._cookies.token())
        answer = redirect("/login", 303)
        self._cookies.forget(answer)
        return answer

    # Inside.

    def _already(self, onward: str) -> Answer | None:
        try:
            self._people.session(self._cookies.token())
        except PasswordDue:
            return redirect("/login/password", 303)
        except NotAuthenticated:
            return None
        return redirect(onward, 303)

    def _forged(self) -> str:
        """The form must have been ours, and filled in where it was opened."""
        kept, sent = request.cookies.get(self._cookies.form, ""), request.form.get("form", "")
        if kept and guard.from_here(self._cookies) and hmac.compare_digest(kept.encode(), sent.encode()):
            return ""
        return t("This form is too old, or the browser keeps no cookies. Try again.")

    def _differ(self) -> str:
        same = request.form.get("new", "") == request.form.get("again", "")
        return "" if same else t("The two are not the same.")

    def _form(self, trouble: str, onward: str, status: int = 200, *, name: str = "") -> Answer:
        query = f"?next={quote(onward, safe='/')}" if onward != "/" else ""
        words = {
            "title": t("Sign in"), "name_label": t("User name"), "password_label": t("Password"),
            "code_label": t("Code of your second factor"), "optional": t("if you have one"), "button": t("Sign in"),
        }  # fmt: skip
        return self._page("signin.html", trouble, status, words, action=f"/login{query}", name=name)

    def _choice(self, trouble: str, session: Session, status: int = 200) -> Answer:
        words = {
            "title": t("Choose a password"), "new_label": t("New password"), "again_label": t("Once more"),
            "button": t("Keep it and go on"), "leave": t("Sign out"),
            "why": t("{name}, your password was given to you by somebody else. Choose one that only you know.",
                     name=session.person.display_name),
            "rule": t("At least {count} characters. A sentence is easy to remember and hard to guess.", count=SHORTEST),
        }  # fmt: skip
        return self._page("password.html", trouble, status, words, action="/login/password", name=session.person.name)

    def _page(
        self, template: str, trouble: str, status: int, words: dict[str, str], *, action: str, name: str
    ) -> Answer:
        form = request.cookies.get(self._cookies.form) or secrets.token_urlsafe(32)  # one for all tabs
        other = next(code for code in i18n.LANGUAGES if code != i18n.language.get())
        joint = "&" if "?" in action else "?"
        onward = guard.same_site_path(request.args.get("next", "")) or "/"
        spoken = request.args.get("lang", "") if request.path == "/login" else ""
        if spoken in i18n.LANGUAGES:
            action += f"{joint}lang={spoken}"
        frame = {
            "lang": i18n.language.get(), "trouble": trouble, "action": action, "form": form, "name": name,
            "tagline": t("Find organised fraud rings, and say why."),
            "notice": t("Everything done here is on record."),
            "other": i18n.LANGUAGES[other], "other_code": other, "other_href": _in(action, other),
            "signed_by": "" if status != 200 or template != "signin.html" else self._cookies.csrf, "onward": onward,
        }  # fmt: skip
        page = (HERE / "frame.html").read_text(encoding="utf-8")
        inside = (HERE / template).read_text(encoding="utf-8")
        text = render_template_string(page.replace("<!-- inside -->", inside), **words | frame)
        response = Response(text, status, mimetype="text/html")
        self._cookies.set(response, self._cookies.form, form)
        return response


def _in(action: str, language: str) -> str:
    path, _, query = action.partition("?")
    kept = [each for each in query.split("&") if each and not each.startswith("lang=")]
    return f"{path}?{'&'.join([*kept, f'lang={language}'])}"


def _refused() -> str:
    return t("Name, password or code is wrong, or it is too soon after wrong ones: wait a few minutes and try again.")
