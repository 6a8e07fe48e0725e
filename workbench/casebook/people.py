"""Users and their sessions as rows. Who may change them, and what a password must be: `services/access/people.py`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from graph.errors import InputError, NodeNotFound
from workbench.casebook.people_tables import sessions, users
from workbench.casebook.words import stated

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
KEPT = timedelta(days=7)
"""A session's row stays so long after its end; the audit log keeps who signed in when."""

SEEN_EVERY = timedelta(minutes=1)
NAME = re.compile(r"[a-z][a-z0-9._-]{0,31}")


@dataclass(frozen=True)
class User:
    name: str
    display_name: str
    role: str
    language: str
    must_change: int
    failures: int
    waits_until: datetime | None
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    disabled_by: str | None
    totp_counter: int | None
    totp_sealed: bytes | None = field(repr=False)
    password_hash: str = field(repr=False)

    @property
    def second_factor(self) -> bool:
        """A secret that no code was taken from yet waits to be confirmed, and protects nothing."""
        return self.totp_sealed is not None and self.totp_counter is not None


@dataclass(frozen=True)
class Session:
    user: User
    csrf: str = field(repr=False)
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    def lives(self, at: datetime) -> bool:
        over = self.ended_at is not None or self.user.disabled_at is not None
        return not over and at < self.expires_at and at - self.seen_at < IDLE


# Users ---------------------------------------------------------------------------------------------------


def get(db: Connection, name: str) -> User | None:
    row = db.execute(select(users).where(users.c.name == name)).one_or_none()
    return None if row is None else _user(row)


def known(db: Connection, name: str) -> User:
    user = get(db, name)
    if user is None:
        raise NodeNotFound(f"there is no user {name[:32]!r}; `ringroad users list` shows them")
    return user


def listed(db: Connection) -> Sequence[User]:
    """Disabled ones too, by name."""
    return [_user(row) for row in db.execute(select(users).order_by(users.c.name))]


def add(
    db: Connection, *, name: str, display_name: str, role: str, language: str, password_hash: str, author: str,
    now: datetime,
) -> User:  # fmt: skip
    """Whoever knows the password besides the user made it: it must be changed."""
    if not NAME.fullmatch(name):
        raise InputError("a user's name takes 1 to 32 of a-z, 0-9, . _ and -, a letter first")
    if get(db, name) is not None:
        raise InputError(f"there is a user {name} already; choose another name")
    values = {
        "name": name, "display_name": stated("display name", display_name, 64), "role": role, "language": language,
        "password_hash": password_hash, "must_change": 1, "failures": 0, "created_at": now, "created_by": author,
    }  # fmt: skip
    db.execute(insert(users).values(values))
    return known(db, name)


def change(db: Connection, name: str, **values: Any) -> None:
    db.execute(update(users).where(users.c.name == name).values(values))


# Sessions ------------------------------------------------------------------------------------------------


def digest(token: str) -> str:
    """What is kept of a token: enough for 256 random bits."""
    return hashlib.sha256(token.encode(errors="backslashreplace")).hexdigest()


def begin(db: Connection, name: str, token: str, csrf: str, *, now: datetime) -> None:
    """Old rows go on the way."""
    db.execute(delete(sessions).where(sessions.c.expires_at < now - KEPT))
    values = {"digest": digest(token), "user": name, "csrf": csrf, "created_at": now, "seen_at": now}
    db.execute(insert(sessions).values(values | {"expires_at": now + LONGEST}))


def session(db: Connection, token: str) -> Session | None:
    """Whatever became of it."""
    both = (
        select(sessions, users).join(users, sessions.c.user == users.c.name).where(sessions.c.digest == digest(token))
    )
    row = db.execute(both).one_or_none()
    if row is None:
        return None
    told = row._mapping
    user = User(**{each.name: told[users.c[each.name]] for each in fields(User)})
    return Session(user, row.csrf, row.seen_at, row.expires_at, row.ended_at)


def seen(db: Connection, token: str, *, now: datetime) -> None:
    db.execute(update(sessions).where(sessions.c.digest == digest(token)).values(seen_at=now))


def end(db: Connection, token: str, *, now: datetime) -> None:
    _end(db, sessions.c.digest == digest(token), now)


def end_all(db: Connection, name: str, *, now: datetime) -> None:
    """Of a user, on every machine."""
    _end(db, sessions.c.user == name, now)


def _end(db: Connection, which: Any, now: datetime) -> None:
    db.execute(update(sessions).where(which, sessions.c.ended_at.is_(None)).values(ended_at=now))


def _user(row: Row[Any]) -> User:
    return User(**{each.name: getattr(row, each.name) for each in fields(User)})
