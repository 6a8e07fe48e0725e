"""The cookies of a session: one that no script can read, and one that only our own scripts can."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from workbench.services.access.door import Opened


class Cookies:
    """Over HTTPS with the prefix that no other host and no plain connection can set."""

    def __init__(self, *, https: bool) -> None:
        self.https = https
        prefix = "__Host-" if https else ""
        self.session, self.csrf, self.form = f"{prefix}ringroad", f"{prefix}ringroad-csrf", f"{prefix}ringroad-form"

    def token(self) -> str:
        return request.cookies.get(self.session, "")

    def shown(self) -> bool:
        """Whether the browser sent any of them; on the way from another site it sends none."""
        return any(name in request.cookies for name in (self.session, self.csrf))

    def give(self, response: Response, opened: Opened) -> None:
        self.set(response, self.session, opened.token)
        self.set(response, self.csrf, opened.csrf, readable=True)

    def forget(self, response: Response) -> None:
        for name in (self.session, self.csrf):
            response.delete_cookie(name, path="/", secure=self.https, samesite="Strict")

    def set(self, response: Response, name: str, value: str, *, readable: bool = False) -> None:
        """Until the browser closes; the server knows when it is over before that."""
        response.set_cookie(name, value, path="/", secure=self.https, httponly=not readable, samesite="Strict")
