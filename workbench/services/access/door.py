"""Who signs in, and what a session is worth.

A refused sign-in says the same and takes as long whatever the reason, so that nobody learns which names exist.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from graph.errors import NotAllowed, NotAuthenticated, StoreBusy, StoreError
from graph.keyring import Keyring
from workbench.casebook import audit, people
from workbench.casebook.people import User
from workbench.instance import keyring
from workbench.services.access import passwords, second_factor
from workbench.services.access.roster import Roster, person
from workbench.services.office import Office
from workbench.services.permissions import Person

FREE_TRIES = 3
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=2), timedelta(minutes=5)
AT_THE_DOOR = 4
"""More at once in one process are sent away: whoever tries many passwords shall not hold up those who work."""

REFUSAL_SECONDS = 0.6
"""Longer than any reason for a refusal takes to find."""

REFUSED = "name, password or code is wrong, or it is too soon after wrong ones: wait a few minutes and try again"
OVER = "your session is over; sign in again"


class PasswordDue(NotAllowed):
    """Signed in with a password that somebody else knows: nothing is open but the choice of another one."""


class Opened(NamedTuple):
    """`token` is the cookie, kept nowhere; every request that changes something shows `csrf` as well."""

    token: str
    csrf: str
    person: Person


class Session(NamedTuple):
    person: Person
    csrf: str


@dataclass(frozen=True)
class Tried:
    """What a try to sign in is measured against; read and counted before the password is looked at."""

    user: User | None = field(repr=False)
    early: bool


class Door(Roster):
    """`pause` waits out a refusal; tests do not."""

    def __init__(self, office: Office, *, pause: Callable[[float], None] = time.sleep) -> None:
        super().__init__(office)
        self._pause = pause
        self._places = threading.BoundedSemaphore(AT_THE_DOOR)

    # Signing in --------------------------------------------------------------------------------------------

    def sign_in(self, name: str, password: str, code: str | None = None) -> Opened:
        """Raises NotAuthenticated, the same for every reason; StoreBusy when too many try at once."""
        if not self._places.acquire(blocking=False):
            raise StoreBusy("too many people sign in at once; try again in a moment")
        try:
            return self._signed_in(name, password, code)
        finally:
            self._places.release()

    def _signed_in(self, name: str, password: str, code: str | None) -> Opened:
        begun = time.monotonic()
        tried = self._count_try(name.strip().lower())
        right = passwords.right(password, tried.user.password_hash if tried.user else None)
        opened = self._settled(tried, right, password, code or "")
        if opened is None:
            self._pause(max(0.0, REFUSAL_SECONDS - (time.monotonic() - begun)))
            raise NotAuthenticated(REFUSED)
        return opened

    def _count_try(self, name: str) -> Tried:
        """As failed, until it is known better: many tries at once are many tries."""
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            user = people.get(db, name)
            if user is None or (user.waits_until is not None and now < user.waits_until):
                return Tried(user, early=user is not None)
            failures = user.failures + 1
            over = min(failures - FREE_TRIES, 16)
            wait = min(FIRST_WAIT * 2**over, LONGEST_WAIT) if over >= 0 else timedelta()
            people.change(db, name, failures=failures, waits_until=now + wait if wait else None)
            return Tried(user, early=False)

    def _settled(self, tried: Tried, right: bool, password: str, code: str) -> Opened | None:
        if tried.user is None:
            self._refused("", "unknown")
            return None
        name, now = tried.user.name, self._office.clock()
        fresh = passwords.hashed(passwords.normalised(password)) if right and _outdated(tried.user) else None
        with self._office.casebook.writing() as db:
            user = people.known(db, name)  # again: it may have been disabled, or a code taken, meanwhile
            because = self._trouble(user, tried, right, code)
            if because:
                _refuse(db, name, because, now)
                return None
            values = {"failures": 0, "waits_until": None, "totp_counter": self._counter(user, code)}
            people.change(db, name, **values | ({"password_hash": fresh} if fresh else {}))
            return self._open(db, user, {"second_factor": user.second_factor})

    def _trouble(self, user: User, tried: Tried, right: bool, code: str) -> str:
        if tried.early:
            return "early"
        if not right or tried.user is None or user.password_hash != tried.user.password_hash:
            return "password"
        if user.disabled_at is not None:
            return "disabled"
        if user.second_factor and self._counter(user, code) is None:
            return "code"
        return ""

    def _counter(self, user: User, code: str) -> int | None:
        if user.totp_sealed is None or user.totp_counter is None:
            return None
        now = self._office.clock()
        return second_factor.taken(
            code, user.name, user.totp_sealed, last=user.totp_counter, now=now, keyring=self._keyring
        )

    def _refused(self, name: str, because: str) -> None:
        with self._office.casebook.writing() as db:
            _refuse(db, name, because, self._office.clock())

    def open_session(self, name: str) -> Opened:
        """Without a password, for tests and scripts on this machine; on record as such."""
        with self._office.casebook.writing() as db:
            return self._open(db, people.known(db, name), {"by": "machine"})

    def _open(self, db: Connection, user: User, detail: dict[str, object]) -> Opened:
        now, token, csrf = self._office.clock(), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        who = person(user)
        people.begin(db, user.name, token, csrf, now=now)
        audit.write(db, who, "sign_in", user.name, now=now, detail=detail)
        return Opened(token, csrf, who)

    # A session ---------------------------------------------------------------------------------------------

    def session(self, token: str, *, active: bool = True) -> Session:
        """Raises NotAuthenticated; PasswordDue while a new password must be chosen first. What a screen asks by itself
        (not `active`) keeps no session alive."""
        kept = self._living(token, active=active)
        if kept.user.must_change:
            raise PasswordDue("choose a password of your own first")
        return Session(person(kept.user), kept.csrf)

    def due(self, token: str) -> Session:
        """The other way round, for the page that asks for the new password: raises NotAllowed for a session that is
        open already."""
        kept = self._living(token)
        if not kept.user.must_change:
            raise NotAllowed("change your password on your own page, where the present one is asked for")
        return Session(person(kept.user), kept.csrf)

    def _living(self, token: str, *, active: bool = True) -> people.Session:
        now = self._office.clock()
        with self._office.casebook.reading() as db:
            kept = people.session(db, token) if token else None
        if kept is None or not kept.lives(now):
            raise NotAuthenticated(OVER)
        if active and now - kept.seen_at >= people.SEEN_EVERY:
            try:
                with self._office.casebook.writing() as db:
                    people.seen(db, token, now=now)
            except StoreError:  # the next request says it
                pass
        return kept

    def sign_out(self, token: str) -> None:
        """Whatever the session was worth."""
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            kept = people.session(db, token)
            if kept is None or kept.ended_at is not None:
                return
            people.end(db, token, now=now)
            audit.write(db, person(kept.user), "sign_out", kept.user.name, now=now)

    @property
    def _keyring(self) -> Keyring:
        return keyring(self._office.settings)


def _outdated(user: User) -> bool:
    return passwords.outdated(user.password_hash)


def _refuse(db: Connection, name: str, because: str, now: datetime) -> None:
    """A name that is none may be a password in the wrong field: it is not kept."""
    subject = name or "an unknown name"
    audit.append(db, audit.NOBODY, audit.DOOR, "sign_in.refused", subject, now=now, detail={"because": because})
