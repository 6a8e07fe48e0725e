"""Mail servers on a loopback port: one that takes letters, and others that do what mail servers do."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from tests.service.conftest import free_port
from workbench.schedule.mail_settings import MailSettings

SENDER = "ringroad@lender.example"


@dataclass
class Office:
    """`answers` by command; "die" cuts the connection. What it took stands in `letters`, by recipient."""

    answers: dict[str, str] = field(default_factory=dict)
    letters: list[tuple[str, EmailMessage]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def settings(self) -> MailSettings:
        return MailSettings("127.0.0.1", self.port, "plain", SENDER)

    async def handle_MAIL(  # noqa: N802 - as the server calls them
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith(("250", "die")):
            letter: Any = message_from_bytes(envelope.content, policy=default)
            self.letters += [(each, letter) for each in envelope.rcpt_tos]
            self.raw.append(envelope.content)
        if answer == "die":
            server.transport.abort()
        return answer


@contextmanager
def opened(**answers: str) -> Iterator[Office]:
    """Answers by command, such as RCPT="550 no"."""
    office = Office(answers, port=free_port())
    controller = Controller(office, hostname="127.0.0.1", port=office.port)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


@contextmanager
def secured(context: ssl.SSLContext, *, at_once: bool) -> Iterator[Office]:
    """TLS from the first byte, or after STARTTLS."""
    office = Office(port=free_port())
    how: dict[str, Any] = {"ssl_context": context} if at_once else {"tls_context": context, "require_starttls": True}
    controller = Controller(office, hostname="127.0.0.1", port=office.port, **how)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


@contextmanager
def silent(*, one_byte_every: float = 0.0) -> Iterator[Office]:
    """Takes connections and says nothing, or says it so slowly that it never ends."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)

        def serve() -> None:
            open_: list[socket.socket] = []
            while not over.wait(one_byte_every or 0.05):
                with suppress(TimeoutError):
                    open_.append(server.accept()[0])
                for each in open_ if one_byte_every else ():
                    try:
                        each.send(b"2")
                    except OSError:
                        continue
            for each in open_:
                each.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Office(port=server.getsockname()[1])
        finally:
            over.set()
            thread.join()
