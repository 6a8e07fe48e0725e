"""Filters of the queue and views of a canvas that somebody gave a name, for himself or for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graph.errors import InputError
from workbench.casebook import audit, saved
from workbench.casebook.queue_query import Query
from workbench.casebook.saved import FILTER, VIEW, Saved
from workbench.services.office import Office
from workbench.services.permissions import Act, Person
from workbench.services.subject import Subject

VIEWS = {"nodes": list, "positions": dict, "hidden": list, "pinned": list, "filters": dict, "zoom": dict, "as_of": str}
"""What a view may hold, and of which type: element ids and numbers, no text of a node."""

NEEDED = ("nodes", "positions")


class SavedThings:
    def __init__(self, office: Office) -> None:
        self._office = office

    def add_filter(self, who: Person, name: str, asked: Query, *, shared: bool = False) -> int:
        return self._add(who, FILTER, "", name, asked.as_json(), shared=shared)

    def filters(self, who: Person) -> Sequence[Saved]:
        return self._listed(who, FILTER, "")

    def query(self, who: Person, number: int) -> Query:
        """What a saved filter asks for. Raises NodeNotFound, InputError."""
        found = self.get(who, number)
        if found.kind != FILTER:
            raise InputError("this is no filter")
        return Query.of_json(found.content)

    def add_view(
        self, who: Person, subject: Subject, name: str, content: Mapping[str, Any], *, shared: bool = False
    ) -> int:
        """`content` as in `VIEWS`; `nodes` and `positions` must be there."""
        return self._add(who, VIEW, f"{subject.kind}/{subject.name}", name, checked_view(content), shared=shared)

    def views(self, who: Person, subject: Subject) -> Sequence[Saved]:
        return self._listed(who, VIEW, f"{subject.kind}/{subject.name}")

    def get(self, who: Person, number: int) -> Saved:
        """His own, or a shared one."""
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            return saved.get(db, who.name, number)

    def rename(self, who: Person, number: int, name: str) -> Saved:
        """His own."""
        who.require(Act.READ)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            before = saved.get(db, who.name, number)
            found = saved.rename(db, who.name, number, name)
            detail = {"kind": found.kind, "from": before.name, "to": found.name}
            audit.write(db, who, "saved.renamed", _about(found), now=now, detail=detail)
            return found

    def remove(self, who: Person, number: int) -> None:
        """His own."""
        who.require(Act.READ)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            found = saved.remove(db, who.name, number)
            audit.write(
                db, who, "saved.removed", _about(found), now=now, detail={"kind": found.kind, "name": found.name}
            )

    def _add(self, who: Person, kind: str, subject: str, name: str, content: Mapping[str, Any], *, shared: bool) -> int:
        who.require(Act.READ)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            number = saved.add(
                db, owner=who.name, kind=kind, subject=subject, name=name, shared=shared, content=content, now=now
            )
            found = saved.get(db, who.name, number)
            detail = {"kind": kind, "name": found.name, "shared": shared}
            audit.write(db, who, "saved.added", _about(found), now=now, detail=detail)
            return number

    def _listed(self, who: Person, kind: str, subject: str) -> Sequence[Saved]:
        who.require(Act.READ)
        with self._office.casebook.reading() as db:
            return saved.listed(db, who.name, kind, subject)


def _about(found: Saved) -> str:
    return found.subject or f"{found.kind}/{found.id}"


def checked_view(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises InputError for what is no view."""
    if missing := [name for name in NEEDED if name not in content]:
        raise InputError(f"a view needs {' and '.join(missing)}")
    for name, value in content.items():
        if name not in VIEWS:
            raise InputError(f"a view holds nothing called {str(name)[:24]!r}")
        if not isinstance(value, VIEWS[name]):
            raise InputError(f"{name} of a view is no {VIEWS[name].__name__}")
    if not all(isinstance(each, str) and len(each) <= 400 for each in content["nodes"]):
        raise InputError("nodes of a view are element ids")
    return content
