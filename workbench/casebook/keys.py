"""API keys: `kid.secret`. The secret is shown once; the casebook holds its SHA-256, enough for 256 random bits.

Moving to a new key takes no outage: an owner may have two that live. Make the second, move over, revoke the first.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from graph.errors import InputError, NodeNotFound, NotAllowed, NotAuthenticated, RingroadError, StoreError
from workbench.casebook.opening import Casebook
from workbench.casebook.tables import api_keys
from workbench.casebook.words import stated

SCOPES = ("score", "events", "rings:read", "labels:write", "decisions:read", "metrics", "webhooks")
LASTS = timedelta(days=365)
LONGEST = timedelta(days=3650)
AT_ONCE = 2
MOST_PER_SECOND = 10_000.0

EVERY_SECONDS = 3.0
"""A revoked key opens nothing after so long, while the casebook can be read."""

UNKNOWN = "this API key is unknown, revoked or wrong; ask for one: ringroad keys create"
NOBODY = "0" * 64


@dataclass(frozen=True)
class Key:
    """Who may do what, how often. Never its secret."""

    kid: str
    owner: str
    scopes: tuple[str, ...]
    per_second: float
    author: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_by: str | None

    def lives(self, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at


class Made(NamedTuple):
    """`presented`: what the owner sends. Nobody can show it again."""

    key: Key
    presented: str


# Telling -------------------------------------------------------------------------------------------------


def create(
    db: Connection,
    *,
    owner: str,
    scopes: Iterable[str],
    per_second: float,
    author: str,
    now: datetime,
    lasts: timedelta = LASTS,
) -> Made:
    """Refused beside two that live of the same owner. `db` is of `Casebook.writing`."""
    owner, scopes = stated("owner", owner, 64), _scopes(scopes)
    if not 0 < per_second <= MOST_PER_SECOND:
        raise InputError(f"per_second is {per_second:g}; it takes requests a second, up to {MOST_PER_SECOND:g}")
    if not timedelta() < lasts <= LONGEST:
        raise InputError(f"a key lasts 1 to {LONGEST.days} days, not {lasts.days}")
    living = [each.kid for each in listed(db) if each.owner == owner and each.lives(now)]
    if len(living) >= AT_ONCE:
        raise InputError(f"{owner} has {len(living)} keys ({', '.join(living)}); revoke one: ringroad keys revoke KID")
    kid, secret = f"rr{secrets.token_hex(6)}", secrets.token_urlsafe(32)
    key = Key(kid, owner, scopes, float(per_second), stated("author", author, 255), now, now + lasts, None, None)
    row = vars(key) | {"scopes": list(scopes), "secret_sha256": _sha256(secret)}
    db.execute(insert(api_keys).values(**row))
    return Made(key, f"{kid}.{secret}")


def revoke(db: Connection, kid: str, *, author: str, now: datetime) -> None:
    row = db.execute(select(api_keys).where(api_keys.c.kid == kid)).one_or_none()
    if row is None:
        raise NodeNotFound(f"there is no API key {kid[:16]!r}; `ringroad keys list` shows them")
    if row.revoked_at is not None:
        raise InputError(f"API key {kid} was revoked before; `ringroad keys list --all` says when")
    ended = {"revoked_at": now, "revoked_by": stated("author", author, 255)}
    db.execute(update(api_keys).where(api_keys.c.kid == kid).values(**ended))


def listed(db: Connection) -> Sequence[Key]:
    """All, revoked and expired ones too, in the order in which they were made."""
    return [_key(row) for row in db.execute(select(api_keys).order_by(api_keys.c.created_at, api_keys.c.kid))]


# Asking --------------------------------------------------------------------------------------------------


class Ring(NamedTuple):
    """The keys that were not revoked when they were read, each with the digest of its secret."""

    keys: Mapping[str, tuple[Key, str]]
    read_at: float


class Keys:
    """For the service: every check is answered from memory.

    What is older than `every` seconds is read anew beside the calls. While the casebook is down, those last read
    hold; `age` says how long ago that was.
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, tuple[Key, str]]],
        *,
        every: float = EVERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._every, self._clock = read, every, clock
        self._ring: Ring | None = None
        self._asked_at = -float("inf")
        self._reading = threading.Lock()

    @classmethod
    def of(cls, casebook: Casebook) -> Keys:
        """Reads once before it returns; a casebook that is down then is asked again later."""
        keys = cls(lambda: _unrevoked(casebook))
        keys.refresh()
        return keys

    @property
    def age(self) -> float:
        """Seconds since they were last read; infinite when they never were."""
        return float("inf") if self._ring is None else self._clock() - self._ring.read_at

    def refresh(self) -> bool:
        """Read them now; False, and those of before hold, when the casebook does not answer."""
        begun = self._asked_at = self._clock()
        try:
            self._ring = Ring(self._read(), begun)
        except RingroadError:
            return False
        return True

    def check(self, presented: str, scope: str, now: datetime) -> Key:
        """Whose key it is. Raises NotAuthenticated, the same for an unknown key and a wrong secret; NotAllowed for a
        scope it does not have; StoreError when no keys could be read since the start."""
        self._refresh_beside()
        if self._ring is None:
            raise StoreError("the API keys cannot be read; see that the casebook answers (`ringroad doctor`)")
        kid, _, secret = presented[:512].partition(".")
        key, digest = self._ring.keys.get(kid, (None, NOBODY))
        same = hmac.compare_digest(_sha256(secret), digest)  # also for an unknown key: it takes as long
        if key is None or not same:
            raise NotAuthenticated(UNKNOWN)
        if not key.lives(now):
            raise NotAuthenticated(
                f"API key {kid} expired {key.expires_at:%Y-%m-%d}; make another: ringroad keys create"
            )
        if scope not in key.scopes:
            raise NotAllowed(f"API key {kid} may {', '.join(key.scopes)}, not {scope}; ask for a key with that scope")
        return key

    def _refresh_beside(self) -> None:
        """One thread at a time, and no call waits for it."""
        now = self._clock()
        if now - self._asked_at < self._every or not self._reading.acquire(blocking=False):
            return
        self._asked_at = now  # before the thread runs: the next call shall not start another
        try:
            threading.Thread(target=self._refresh_once, daemon=True, name="api-keys").start()
        except RuntimeError:  # no thread to be had: the next call tries again
            self._reading.release()

    def _refresh_once(self) -> None:
        try:
            self.refresh()
        finally:
            self._reading.release()


def _unrevoked(casebook: Casebook) -> dict[str, tuple[Key, str]]:
    with casebook.reading() as db:
        rows = db.execute(select(api_keys).where(api_keys.c.revoked_at.is_(None)))
        return {row.kid: (_key(row), row.secret_sha256) for row in rows}


def _scopes(told: Iterable[str]) -> tuple[str, ...]:
    asked = set(told)
    if unknown := sorted(asked - set(SCOPES)):
        raise InputError(f"scope {unknown[0][:40]!r} is none; there are {', '.join(SCOPES)}")
    if not asked:
        raise InputError(f"a key needs a scope; there are {', '.join(SCOPES)}")
    return tuple(each for each in SCOPES if each in asked)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="backslashreplace")).hexdigest()


def _key(row: Row[Any]) -> Key:
    values = {name: getattr(row, name) for name in Key.__dataclass_fields__ if name != "scopes"}
    return Key(scopes=tuple(row.scopes), **values)
