"""The queue as somebody sees it: rows, tabs with their numbers, what there is to choose from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from workbench.casebook import queue, visits
from workbench.casebook.queue import Asker, Page
from workbench.casebook.queue_query import Query
from workbench.services.office import Office
from workbench.services.permissions import Act, Person


class Queue:
    def __init__(self, office: Office) -> None:
        self._office = office

    def rows(self, who: Person, asked: Query) -> Page:
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            return queue.page(db, asked, self._asker(db, who))

    def facets(self, who: Person, asked: Query) -> Mapping[str, Sequence[tuple[str, int]]]:
        """Per column its values and how many cases have each, the most first."""
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            return queue.facets(db, asked, self._asker(db, who))

    def summary(self, who: Person) -> Mapping[str, int]:
        """How many cases each tab has."""
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            return queue.counts(db, self._asker(db, who))

    def changes(self, who: Person, after: int) -> tuple[int, int]:
        """The newest entry of any case, and how many cases have moved after entry `after` without his doing."""
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            return queue.changes(db, who.name, after)

    def visit(self, who: Person) -> datetime | None:
        """Notes that somebody looks at the queue: what came since he looked before is new. None the first time."""
        who.require(Act.READ)
        with self._office.casebook.writing() as db:
            return visits.look(db, who.name, queue.QUEUE, self._office.clock())

    def _asker(self, db: Connection, who: Person) -> Asker:
        return Asker(who.name, self._office.clock(), queue.since(db, who.name))
