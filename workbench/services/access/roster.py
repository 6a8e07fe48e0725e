"""Who may use the workbench: added, disabled and given roles by a manager, or at the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from graph.errors import InputError, NotAllowed
from workbench.casebook import audit, people
from workbench.casebook.people import User
from workbench.casebook.words import stated
from workbench.services.access import passwords
from workbench.services.office import Office
from workbench.services.permissions import Act, Operator, Person, Role

LANGUAGES = ("en", "zh")
DEMO = "demo"
DEMO_USERS = {
    "lin": ("林 Lin", Role.INVESTIGATOR),
    "zhou": ("周 Zhou", Role.SENIOR),
    "wang": ("王 Wang", Role.MANAGER),
    "he": ("何 He", Role.AUDITOR),
}


class Given(NamedTuple):
    """A password to be told to its user, once; it opens nothing but the choice of another one."""

    name: str
    password: str


class Roster:
    def __init__(self, office: Office) -> None:
        self._office = office

    # Reading.

    def colleagues(self, who: Person) -> list[Person]:
        """Everybody who may sign in, for lists to choose from, by name."""
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            return [person(each) for each in people.listed(db) if each.disabled_at is None]

    def listed(self, who: Person) -> Sequence[User]:
        """Everybody, with what a manager sees of them."""
        who.require(Act.USERS)
        with self._office.casebook.reading() as db:
            return people.listed(db)

    # Acts.

    def add(self, who: Person, name: str, display_name: str, role: str, language: str = "en") -> Given:
        who.require(Act.USERS)
        name, password = name.strip().lower(), passwords.given()
        chosen, language, now = _role(role), spoken(language), self._office.clock()
        kept = passwords.hashed(password)
        with self._office.casebook.writing() as db:
            people.add(
                db, name=name, display_name=display_name, role=chosen, language=language, password_hash=kept,
                author=who.name, now=now,
            )  # fmt: skip
            audit.write(db, who, "user.added", name, now=now, detail={"role": chosen})
        return Given(name, password)

    def set_role(self, who: Person, name: str, role: str) -> None:
        """Ends the user's sessions: nobody goes on working under another role than the one signed in with."""
        who.require(Act.USERS)
        chosen = _role(role)
        _not_oneself(who, name, "role")
        with self._office.casebook.writing() as db:
            user = people.known(db, name)
            if user.role == chosen:
                return
            if chosen is not Role.MANAGER:
                _leaves_a_manager(db, user)
            self._changed(db, who, user, "user.role", {"from": user.role, "to": chosen}, role=chosen)

    def rename(self, who: Person, name: str, display_name: str) -> None:
        who.require(Act.USERS)
        display_name, now = stated("display name", display_name, 64), self._office.clock()
        with self._office.casebook.writing() as db:
            people.known(db, name)
            people.change(db, name, display_name=display_name)
            audit.write(db, who, "user.renamed", name, now=now)

    def disable(self, who: Person, name: str) -> None:
        """The user stays on record; sessions end at once."""
        who.require(Act.USERS)
        _not_oneself(who, name, "account")
        with self._office.casebook.writing() as db:
            user = people.known(db, name)
            if user.disabled_at is not None:
                raise InputError(f"{name} is disabled already")
            _leaves_a_manager(db, user)
            now = self._office.clock()
            self._changed(db, who, user, "user.disabled", {}, disabled_at=now, disabled_by=who.name)

    def enable(self, who: Person, name: str) -> None:
        """With the password of before; give a new one if nobody knows it any more."""
        who.require(Act.USERS)
        with self._office.casebook.writing() as db:
            user = people.known(db, name)
            if user.disabled_at is None:
                raise InputError(f"{name} is not disabled")
            self._changed(db, who, user, "user.enabled", {}, disabled_at=None, disabled_by=None)

    def reset_password(self, who: Person, name: str) -> Given:
        """A new one-time password, after which no wrong try counts any more. A second factor stays."""
        who.require(Act.USERS)
        _not_oneself(who, name, "password; change it on your own page")
        password = passwords.given()
        kept = passwords.hashed(password)
        with self._office.casebook.writing() as db:
            user = people.known(db, name)
            fresh = {"password_hash": kept, "must_change": 1, "failures": 0, "waits_until": None}
            self._changed(db, who, user, "user.password_reset", {}, **fresh)
        return Given(name, password)

    def drop_second_factor(self, who: Person, name: str) -> None:
        """Of somebody who lost the device with it."""
        who.require(Act.USERS)
        _not_oneself(who, name, "second factor; turn it off on your own page")
        with self._office.casebook.writing() as db:
            user = people.known(db, name)
            if user.totp_sealed is None:
                raise InputError(f"{name} has no second factor")
            self._changed(db, who, user, "user.second_factor_dropped", {}, totp_sealed=None, totp_counter=None)

    def demo(self, who: Person) -> list[Given]:
        """Four users to show the workbench with; again, and they have new passwords. Refused beside any other user."""
        who.require(Act.USERS)
        made = [Given(name, passwords.given()) for name in DEMO_USERS]
        kept = {each.name: passwords.hashed(each.password) for each in made}
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            before = {user.name: user for user in people.listed(db)}
            if any(user.created_by != DEMO for user in before.values()):
                raise NotAllowed("this workbench has users of its own; demo users are for an empty one")
            for name, (display_name, role) in DEMO_USERS.items():
                if name not in before:
                    told = {"display_name": display_name, "role": role, "language": LANGUAGES[0]}
                    people.add(db, name=name, password_hash=kept[name], author=DEMO, now=now, **told)
                people.end_all(db, name, now=now)
                fresh = {"must_change": 0, "failures": 0, "waits_until": None, "disabled_at": None, "disabled_by": None}
                factor = {"totp_sealed": None, "totp_counter": None}
                people.change(db, name, password_hash=kept[name], role=role, **fresh, **factor)
                audit.write(db, who, "user.demo", name, now=now, detail={"role": role})
        return made

    def _changed(
        self, db: Connection, who: Person, user: User, action: str, detail: dict[str, str], **values: object
    ) -> None:
        """With every change of what somebody may do, the sessions of before end."""
        now = self._office.clock()
        people.change(db, user.name, **values)
        people.end_all(db, user.name, now=now)
        audit.write(db, who, action, user.name, now=now, detail=detail)


def person(user: User) -> Person:
    return Person(user.name, user.display_name, Role(user.role), user.language)


def spoken(language: str) -> str:
    if language not in LANGUAGES:
        raise InputError(f"language {language[:8]!r} is none here; choose {' or '.join(LANGUAGES)}")
    return language


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise InputError(f"role {role[:32]!r} is none; choose {', '.join(Role)}") from None


def _not_oneself(who: Person, name: str, what: str) -> None:
    """A manager's own rights are another manager's to change."""
    if who.name == name and not isinstance(who, Operator):
        raise NotAllowed(f"this is your own {what}" if ";" in what else f"nobody changes his own {what}")


def _leaves_a_manager(db: Connection, user: User) -> None:
    others = [
        each for each in people.listed(db)
        if each.role == Role.MANAGER and each.disabled_at is None and each.name != user.name
    ]  # fmt: skip
    if user.role == Role.MANAGER and user.disabled_at is None and not others:
        raise InputError(f"{user.name} is the last manager; make another one first")
