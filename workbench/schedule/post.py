"""Handing one letter to the mail server, within time limits, and saying exactly how that ended.

What the server says in words is never repeated: it may hold the address.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum

from workbench.schedule.mail_settings import STARTTLS, TLS, MailSettings

SECONDS = 10.0
"""To connect, and between two signs of life."""

TOTAL_SECONDS = 60.0
"""For one letter, however slowly the server goes on."""


class Ended(StrEnum):
    """`uncertain`: it went out, and the server did not say whether it took it."""

    SENT = "sent"
    LATER = "later"
    NEVER = "never"
    UNCERTAIN = "uncertain"
    TAKEN = "taken"


@dataclass(frozen=True)
class Outcome:
    """`reached`: the server answers, so that other letters may go."""

    ended: Ended
    trouble: str = ""
    reached: bool = True


Leaving = Callable[[], bool]
"""Called right before the letter leaves; False: it must not, somebody else has it."""


def hand_over(
    letter: EmailMessage, recipient: str, there: MailSettings, leaving: Leaving, *, total: float = TOTAL_SECONDS
) -> Outcome:
    try:
        with _connected(there, total) as server:
            if refused := _addressed(server, there.sender, recipient):
                return refused
            content = letter.as_bytes()
            if not leaving():
                return Outcome(Ended.TAKEN, "another process sends it")
            return _left(server, content)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(Ended.LATER, _unreached(error), reached=False)


def _unreached(error: OSError | smtplib.SMTPException) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the mail server refuses user or password ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server has no TLS, or no way to sign in"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the mail server has no certificate that this machine trusts"
    return f"the mail server does not answer ({_kind(error)})"


class _Server(smtplib.SMTP):
    """Not connected yet when it is made, so that the time limit holds for connecting, too. It calls itself by the
    sender's domain: this machine's name is nobody's business."""

    def __init__(self, there: MailSettings) -> None:
        super().__init__(local_hostname=there.sender.partition("@")[2], timeout=SECONDS)
        self._host, self._tls = there.host, there.security == TLS
        self._context = ssl.create_default_context()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((host, port), timeout)
        return self._context.wrap_socket(plain, server_hostname=host) if self._tls else plain

    def secure(self) -> None:
        self.starttls(context=self._context)


@contextmanager
def _connected(there: MailSettings, total: float) -> Iterator[_Server]:
    """The connection is cut when the time is over: a server may say one byte every nine seconds."""
    server = _Server(there)
    end = threading.Timer(total, lambda: _cut(server))
    end.daemon = True
    end.start()
    try:
        code, _ = server.connect(there.host, there.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, b"")
        if there.security == STARTTLS:
            server.secure()
        server.ehlo_or_helo_if_needed()
        if there.user:
            server.login(there.user, there.password)
        yield server
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
    finally:
        end.cancel()
        server.close()


def _cut(server: smtplib.SMTP) -> None:
    if server.sock is not None:
        with suppress(OSError):
            server.sock.shutdown(socket.SHUT_RDWR)


def _addressed(server: smtplib.SMTP, sender: str, recipient: str) -> Outcome | None:
    """A sender that is refused is a mistake of the settings, which somebody mends."""
    code, _ = server.mail(sender)
    if code != 250:
        return Outcome(Ended.LATER, f"the mail server refuses RINGROAD_SMTP_FROM ({code})", reached=False)
    code, _ = server.rcpt(recipient)
    if code not in (250, 251):
        return Outcome(_no(code), f"the mail server refuses the recipient ({code})")
    return None


def _left(server: smtplib.SMTP, content: bytes) -> Outcome:
    try:
        code, _ = server.data(content)
    except smtplib.SMTPDataError as error:  # it did not want to hear it
        return Outcome(_no(error.smtp_code), f"the mail server refuses the letter ({error.smtp_code})")
    except (OSError, smtplib.SMTPException) as error:
        trouble = f"the mail server went silent while it went out ({_kind(error)}); it may have arrived"
        return Outcome(Ended.UNCERTAIN, trouble, reached=False)
    if code == 250:
        return Outcome(Ended.SENT)
    return Outcome(_no(code), f"the mail server refuses the letter ({code})")


def _no(code: int) -> Ended:
    """5 at the beginning is for good."""
    return Ended.NEVER if 500 <= code < 600 else Ended.LATER


def _kind(error: Exception) -> str:
    """smtplib says the same of a server that says nothing in time as of one that hangs up."""
    if isinstance(error, TimeoutError | smtplib.SMTPServerDisconnected):
        return "silence"
    return "refused" if isinstance(error, ConnectionRefusedError) else type(error).__name__
