"""Who wants to be told what: subscriptions, each with its author, and their secrets.

A secret is derived from the key file and a salt in the row, so that it is kept nowhere: it is shown when it is made,
and whoever reads the casebook cannot sign. After a rotation the secret before signs as well for a day, as receivers of
Standard Webhooks expect.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, Row, func, insert, select, update

from graph.errors import InputError, NodeNotFound
from graph.keyring import KEY_BYTES, KeyFileError, Keyring
from workbench.casebook.tables import webhook_deliveries, webhooks
from workbench.webhooks.addresses import Policy, Target

KINDS = (
    "ring.born", "ring.grew", "label.confirmed", "model.degraded", "model.candidate", "loan.alert", "security.bulk",
)  # fmt: skip
TEST = "webhook.test"
"""Told to one subscription when somebody asks for it; nobody subscribes to it."""

MOST = 50
"""Every event is kept once for each of them, and sent by one process."""

BOTH_SIGN = timedelta(days=1)
"""So long after a rotation the secret before is still good: a receiver changes it when it can."""

LABEL = b"ringroad webhook secret v1"


@dataclass(frozen=True)
class Hook:
    """A subscription. Its salts are no secrets, yet of no use to a reader."""

    id: int
    url: str
    kinds: tuple[str, ...]
    author: str
    created_at: datetime
    rotated_at: datetime | None
    rotated_by: str | None
    ended_at: datetime | None
    ended_by: str | None
    salt: str = field(repr=False)
    salt_before: str | None = field(repr=False)

    @classmethod
    def of(cls, row: Row[Any]) -> Hook:
        values = {name: getattr(row, name) for name in cls.__dataclass_fields__}
        return cls(**values | {"kinds": tuple(row.kinds)})

    def shown(self) -> dict[str, Any]:
        """For a screen or an answer."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__ if not name.startswith("salt")}

    def keys(self, keyring: Keyring, *, now: datetime) -> tuple[bytes, ...]:
        """Those that sign now, the newest first. Raises KeyFileError when the key file does not hold theirs."""
        salts = [self.salt]
        if self.salt_before and self.rotated_at and now < self.rotated_at + BOTH_SIGN:
            salts.append(self.salt_before)
        return tuple(_key(keyring, each) for each in salts)


@dataclass(frozen=True)
class Made:
    """A subscription and its new secret, which is never shown again."""

    hook: Hook
    secret: str = field(repr=False)


def add(
    db: Connection, url: str, kinds: Sequence[str], *, keyring: Keyring, policy: Policy, author: str, now: datetime
) -> Made:
    """Told from `now` on. Judges the form of the address; `addresses.check` asks for what it leads to as well."""
    Target.of(url, policy)
    unknown = [each for each in kinds if each not in KINDS]
    if unknown or not kinds:
        raise InputError(f"{', '.join(unknown) or 'nothing'} is never told; choose from {', '.join(KINDS)}")
    alive = db.execute(select(webhooks.c.id, webhooks.c.url).where(webhooks.c.ended_at.is_(None))).all()
    if len(alive) >= MOST:
        raise InputError(f"there are {MOST} webhooks, which is the most; end one first: ringroad webhooks end ID")
    if same := [row.id for row in alive if row.url == url]:
        raise InputError(f"webhook {same[0]} tells this address already; end it first, or choose another address")
    number = (db.execute(select(func.max(webhooks.c.id))).scalar() or 0) + 1
    wanted = [each for each in KINDS if each in kinds]
    values = {"id": number, "url": url, "kinds": wanted, "salt": _salt(keyring), "author": _name(author)}
    db.execute(insert(webhooks).values(values | {"created_at": now}))
    return _made(db, number, keyring)


def listed(db: Connection) -> Sequence[Hook]:
    """All, ended ones too, in the order in which they were made."""
    return [Hook.of(row) for row in db.execute(select(webhooks).order_by(webhooks.c.id))]


def get(db: Connection, number: int) -> Hook:
    row = db.execute(select(webhooks).where(webhooks.c.id == number)).one_or_none()
    if row is None:
        raise NodeNotFound(f"there is no webhook {number}; `ringroad webhooks list` shows them")
    return Hook.of(row)


def rotate(db: Connection, number: int, *, keyring: Keyring, author: str, now: datetime, at_once: bool = False) -> Made:
    """A new secret; the one before signs as well for a day, unless it leaked and ends `at_once`."""
    before = _alive(db, number)
    values = {
        "salt": _salt(keyring),
        "salt_before": None if at_once else before.salt,
        "rotated_at": now,
        "rotated_by": _name(author),
    }
    db.execute(update(webhooks).where(webhooks.c.id == number).values(values))
    return _made(db, number, keyring)


def end(db: Connection, number: int, *, author: str, now: datetime) -> None:
    """It stays on record; what was not delivered yet never is."""
    _alive(db, number)
    db.execute(update(webhooks).where(webhooks.c.id == number).values(ended_at=now, ended_by=_name(author)))
    waiting = (webhook_deliveries.c.webhook_id == number, webhook_deliveries.c.next_at.is_not(None))
    over = {"next_at": None, "leased_until": None, "last_trouble": "the webhook ended"}
    db.execute(update(webhook_deliveries).where(*waiting).values(over))


def _alive(db: Connection, number: int) -> Hook:
    hook = get(db, number)
    if hook.ended_at is not None:
        raise InputError(f"webhook {number} ended on {hook.ended_at:%Y-%m-%d}; add a new one")
    return hook


def _made(db: Connection, number: int, keyring: Keyring) -> Made:
    hook = get(db, number)
    return Made(hook, "whsec_" + base64.b64encode(_key(keyring, hook.salt)).decode())


def _name(author: str) -> str:
    if not author.strip() or len(author) > 255:
        raise InputError("say who, in 1 to 255 characters")
    return author.strip()


# Secrets -----------------------------------------------------------------------------------------------


def _salt(keyring: Keyring) -> str:
    """Names the version of the sealing key: those stay when keys are rotated, index keys do not."""
    return f"{keyring.keys.current_seal}.{secrets.token_hex(24)}"


def _key(keyring: Keyring, salt: str) -> bytes:
    version = int(salt.partition(".")[0])
    if version not in keyring.keys.seal:
        keyring.reload()
    if version not in keyring.keys.seal:
        raise KeyFileError(f"the key file does not hold seal version {version}; put back the copy that does")
    return HKDF(SHA256(), KEY_BYTES, salt.encode(), LABEL).derive(keyring.keys.seal[version])
