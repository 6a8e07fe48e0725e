"""What is new on a ring or an application since somebody last looked at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from workbench.casebook import visits
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.subject import RING, Subject


@dataclass(frozen=True)
class Fresh:
    """`since`: the last visit, None for the first, when nothing is new because all is. What became known after it is
    new, and `joined`, which belong to the ring only since then."""

    since: datetime | None = None
    joined: frozenset[str] = field(default_factory=frozenset)


class Visits:
    def __init__(self, office: Office) -> None:
        self._office = office

    def look(self, who: Person, subject: Subject) -> Fresh:
        """Asked each time that a subject is opened; looking again within half an hour is the same visit."""
        who.require(Act.READ)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            since = visits.look(db, who.name, f"{subject.kind}/{subject.name}", now)
            if since is None:
                return Fresh()
            joined = visits.joined_since(db, subject.name, since) if subject.kind == RING else frozenset()
        return Fresh(since, joined)
