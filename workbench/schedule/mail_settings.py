"""Where letters go out: the lender's mail server, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from graph.errors import InputError
from workbench.schedule.settings import ADDRESS

STARTTLS, TLS, PLAIN = "starttls", "tls", "plain"
PORTS = {STARTTLS: 587, TLS: 465, PLAIN: 25}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class MailSettings:
    """`most`: bytes of the files that one letter carries."""

    host: str
    port: int
    security: str
    sender: str
    user: str = ""
    password: str = field(default="", repr=False)
    most: int = 10 * MEGABYTE

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> MailSettings | None:
        """None where no server is named. Raises InputError with the setting and what it takes."""
        host = environ.get("RINGROAD_SMTP_HOST", "").strip()
        if not host:
            return None
        security = environ.get("RINGROAD_SMTP_SECURITY", "").strip().lower() or STARTTLS
        if security not in PORTS:
            raise InputError(f"RINGROAD_SMTP_SECURITY={security[:20]!r} is none of {', '.join(PORTS)}")
        if security == PLAIN and host not in LOOPBACK:
            raise InputError("RINGROAD_SMTP_SECURITY=plain is for a server on this machine only; use starttls or tls")
        sender = environ.get("RINGROAD_SMTP_FROM", "").strip()
        if not ADDRESS.fullmatch(sender):
            raise InputError("RINGROAD_SMTP_FROM is no mail address; write the one that letters come from")
        user, password = environ.get("RINGROAD_SMTP_USER", "").strip(), _password(environ)
        if bool(user) != bool(password):
            raise InputError("RINGROAD_SMTP_USER and its password belong together; set both or neither")
        port = _number(environ, "RINGROAD_SMTP_PORT", PORTS[security], 65_535)
        most = _number(environ, "RINGROAD_SMTP_MAX_MB", 10, 100) * MEGABYTE
        return cls(host, port, security, sender, user, password, most)


def _password(environ: Mapping[str, str]) -> str:
    """Of a file where one is named: who lists processes sees the environment."""
    place = environ.get("RINGROAD_SMTP_PASSWORD_FILE", "").strip()
    if not place:
        return environ.get("RINGROAD_SMTP_PASSWORD", "")
    try:
        return Path(place).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            "RINGROAD_SMTP_PASSWORD_FILE cannot be read; name a text file with the password alone"
        ) from None


def _number(environ: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise InputError(f"{name}={text[:20]!r} is no whole number from 1 to {most:,}")
    return int(text)
