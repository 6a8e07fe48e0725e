"""Codes of an authenticator app (RFC 6238: SHA-1, six digits, half a minute), and how their secret is kept.

The secret is sealed by the key file and bound to the user's name, so that whoever reads or writes the casebook can
neither make codes nor give somebody else's secret to a user.
"""

from __future__ import annotations

import base64
import os
from datetime import datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.hotp import HOTP
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from graph.keyring import Keyring

KIND, ISSUER = "totp", "Ringroad"
DIGITS, STEP = 6, 30
SECRET_BYTES = 20
DRIFT = 1
"""Steps that a phone's clock may be wrong by."""


class Secret(NamedTuple):
    """For the app: `uri` behind a link, `plain` to type."""

    uri: str
    plain: str


def make(name: str, keyring: Keyring) -> tuple[Secret, bytes]:
    """A new secret, and the same sealed."""
    raw = os.urandom(SECRET_BYTES)
    plain = base64.b32encode(raw).decode()
    uri = TOTP(raw, DIGITS, SHA1(), STEP).get_provisioning_uri(name, ISSUER)  # noqa: S303 - what the apps speak
    return Secret(uri, plain), keyring.seal(KIND, [name], [plain])[0]


def taken(code: str, name: str, sealed: bytes, *, last: int, now: datetime, keyring: Keyring) -> int | None:
    """The counter that a right code stands for; None for a wrong one, and for one not newer than the `last` taken."""
    digits = "".join(code.split()).encode(errors="replace")
    if len(digits) != DIGITS:
        return None
    hotp = HOTP(base64.b32decode(keyring.unseal(KIND, name, sealed)), DIGITS, SHA1())  # noqa: S303
    here = int(now.timestamp()) // STEP
    found = None
    for counter in range(here - DRIFT, here + DRIFT + 1):
        try:
            hotp.verify(digits, counter)
        except InvalidToken:
            continue
        if counter > last:
            found = counter
    return found
