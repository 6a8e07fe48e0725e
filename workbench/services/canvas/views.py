"""How a canvas was left: what one arranged is there again when one comes back. Named views are in `saved.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.casebook import lastviews
from workbench.services.cases.saved import checked_view
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.subject import Subject


class LastViews:
    """Everybody's own; nobody else sees it. It is no act on a case, so that the log has none of it."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def last(self, who: Person, subject: Subject) -> Mapping[str, Any] | None:
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            return lastviews.last(db, who.name, _key(subject))

    def remember(self, who: Person, subject: Subject, content: Mapping[str, Any]) -> None:
        """`content` as a named view has it. Raises InputError."""
        who.require(Act.READ)
        told = checked_view(content)
        with self._office.casebook.writing() as db:
            lastviews.remember(db, who.name, _key(subject), told, now=self._office.clock())

    def forget(self, who: Person, subject: Subject) -> None:
        who.require(Act.READ)
        with self._office.casebook.writing() as db:
            lastviews.forget(db, who.name, _key(subject))


def _key(subject: Subject) -> str:
    return f"{subject.kind}/{subject.name}"
