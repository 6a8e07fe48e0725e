"""Everybody who uses the workbench: the door, the roster, and what each may change of his own."""

from __future__ import annotations

import hmac

from graph.errors import InputError, NotAllowed, NotAuthenticated
from workbench.casebook import audit, people
from workbench.casebook.people import User
from workbench.services.access import passwords, second_factor
from workbench.services.access.door import OVER, Door, Opened
from workbench.services.access.roster import person, spoken
from workbench.services.access.second_factor import Secret
from workbench.services.permissions import Person


class People(Door):
    def choose_password(self, token: str, new: str) -> Opened:
        """In place of a given one. A new session; all of before end."""
        self.due(token)
        kept = self._living(token)
        if passwords.right(new, kept.user.password_hash):
            raise InputError("this is the password that was given to you; choose one that nobody else knows")
        return self._with_password(kept.user, new)

    def change_password(self, who: Person, present: str, new: str) -> Opened:
        """A new session; all of before end, on every machine."""
        user = self._confirmed(who, present)
        if hmac.compare_digest(passwords.normalised(present).encode(), passwords.normalised(new).encode()):
            raise InputError("this is your present password; choose another one")
        return self._with_password(user, new)

    def _with_password(self, user: User, new: str) -> Opened:
        kept, now = passwords.hashed(passwords.checked(new, name=user.name)), self._office.clock()
        with self._office.casebook.writing() as db:
            if people.known(db, user.name).password_hash != user.password_hash:
                raise NotAuthenticated(OVER)
            people.change(db, user.name, password_hash=kept, must_change=0, failures=0, waits_until=None)
            people.end_all(db, user.name, now=now)
            audit.write(db, person(user), "password.changed", user.name, now=now)
            return self._open(db, user, {"by": "password.changed"})

    def set_language(self, who: Person, language: str) -> None:
        language, now = spoken(language), self._office.clock()
        with self._office.casebook.writing() as db:
            people.change(db, people.known(db, who.name).name, language=language)
            audit.write(db, who, "language.changed", who.name, now=now, detail={"to": language})

    def account(self, who: Person) -> User:
        with self._office.casebook.reading() as db:
            return people.known(db, who.name)

    def offer_second_factor(self, who: Person, present: str) -> Secret:
        """Shown once. It protects nothing before a code of it was given to `confirm_second_factor`."""
        user = self._confirmed(who, present)
        if user.second_factor:
            raise InputError("there is a second factor already; turn it off first")
        secret, sealed = second_factor.make(who.name, self._keyring)
        with self._office.casebook.writing() as db:
            people.change(db, who.name, totp_sealed=sealed, totp_counter=None)
        return secret

    def confirm_second_factor(self, who: Person, code: str) -> None:
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            user = people.known(db, who.name)
            if user.totp_sealed is None or user.second_factor:
                raise InputError("no second factor waits to be confirmed; begin again")
            counter = second_factor.taken(code, who.name, user.totp_sealed, last=-1, now=now, keyring=self._keyring)
            if counter is None:
                raise InputError("this code is wrong; see that the clocks of both machines are right, and try the next")
            people.change(db, who.name, totp_counter=counter)
            audit.write(db, who, "second_factor.on", who.name, now=now)

    def end_second_factor(self, who: Person, present: str) -> None:
        user, now = self._confirmed(who, present), self._office.clock()
        if user.totp_sealed is None:
            raise InputError("there is no second factor to turn off")
        with self._office.casebook.writing() as db:
            people.change(db, who.name, totp_sealed=None, totp_counter=None)
            audit.write(db, who, "second_factor.off", who.name, now=now)

    def _confirmed(self, who: Person, present: str) -> User:
        """Somebody at a machine that was left alone does not know it; wrong tries count as at the door."""
        tried = self._count_try(who.name)
        right = passwords.right(present, tried.user.password_hash if tried.user else None)
        if tried.user is None or tried.early or not right:
            self._refused(who.name, "early" if tried.early else "password")
            raise NotAllowed("the present password is wrong, or it is too soon after wrong ones; wait a few minutes")
        with self._office.casebook.writing() as db:
            people.change(db, who.name, failures=0, waits_until=None)
        return tried.user
