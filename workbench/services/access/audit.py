"""The audit log for who may read it, and the record of what was denied."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any, NamedTuple

from graph.errors import InputError, NotAllowed
from workbench.casebook import audit
from workbench.casebook.audit import Anchor, Asked, Entry, Verdict
from workbench.cells import as_csv
from workbench.instance import written
from workbench.services.office import Office
from workbench.services.permissions import Act, Person

COLUMNS = ("id", "at", "actor", "role", "action", "subject", "detail", "reason", "before", "hash")
MOST_ROWS = 200
ONE_LOOK = timedelta(minutes=10)
MOST_EXPORTED = 100_000


class Page(NamedTuple):
    entries: list[Entry]
    number: int


class AuditLog:
    def __init__(self, office: Office) -> None:
        self._office = office

    def denied(self, who: Person, error: NotAllowed) -> None:
        """That somebody asked for what the role does not allow."""
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            audit.write(db, who, "denied", who.name, now=now, detail={"said": error.message[:200]})

    def read(self, who: Person, asked: Asked, *, start: int, limit: int) -> Page:
        """The newest first. A look from the first row on is on record; what is read after it within minutes, as one
        scrolls, belongs to that look."""
        who.require(Act.AUDIT)
        limit = min(max(limit, 1), MOST_ROWS)
        if start <= 0 or not self._looked(who, asked):
            self._recorded(who, "audit.read", asked)
        with self._office.casebook.reading() as db:
            return Page(audit.newest(db, asked, start=max(start, 0), limit=limit), audit.count(db, asked))

    def verify(self, who: Person, anchor: Anchor | None = None) -> Verdict:
        """Reads all of it: seconds for a million rows."""
        who.require(Act.AUDIT)
        with self._office.casebook.reading() as db:
            verdict = audit.verify(db, anchor)
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            found = {"rows": verdict.rows, "bad": verdict.bad, "anchor": anchor.id if anchor else None}
            audit.write(db, who, "audit.verified", "audit", now=now, detail=found)
        return verdict

    def last_verified(self, who: Person) -> Entry | None:
        """What was found when somebody verified it last."""
        who.require(Act.AUDIT)
        with self._office.casebook.reading() as db:
            found = audit.newest(db, Asked(action="audit.verified", exactly=True), start=0, limit=1)
        return found[0] if found else None

    def anchor(self, who: Person) -> Anchor:
        """What to keep elsewhere."""
        who.require(Act.AUDIT)
        with self._office.casebook.reading() as db:
            head = audit.head(db)
        if head is None:
            raise InputError("the audit log is empty; there is nothing to anchor yet")
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            audit.write(db, who, "audit.anchored", "audit", now=now, detail={"id": head.id})
        return head

    def export(self, who: Person, asked: Asked) -> list[Entry]:
        """The oldest first. Refused beyond so many rows: what is silently cut is taken for all."""
        who.require(Act.AUDIT)
        with self._office.casebook.reading() as db:
            number = audit.count(db, asked)
            if number > MOST_EXPORTED:
                raise InputError(
                    f"{number:,} entries; ask for {MOST_EXPORTED:,} at most, or use `ringroad audit export`"
                )
        self._recorded(who, "audit.exported", asked)
        with self._office.casebook.reading() as db:
            return list(audit.each(db, asked))

    def _looked(self, who: Person, asked: Asked) -> bool:
        own = Asked(actor=who.name, action="audit.read", since=self._office.clock() - ONE_LOOK, exactly=True)
        with self._office.casebook.reading() as db:
            return any(each.detail == _told(asked) for each in audit.newest(db, own, start=0, limit=50))

    def _recorded(self, who: Person, action: str, asked: Asked) -> None:
        now = self._office.clock()
        with self._office.casebook.writing() as db:
            audit.write(db, who, action, "audit", now=now, detail=_told(asked))


def _told(asked: Asked) -> dict[str, Any]:
    told: dict[str, Any] = written({name: value for name, value in asdict(asked).items() if value})
    return told


def csv_text(entries: Iterable[Entry]) -> str:
    """No cell of it is taken for a formula."""
    rows = ([each[name] for name in COLUMNS] for each in map(_flat, entries))
    return as_csv(COLUMNS, rows)


def jsonl_text(entries: Iterable[Entry]) -> str:
    return "".join(json.dumps(written(asdict(each)), ensure_ascii=False) + "\n" for each in entries)


def _flat(entry: Entry) -> dict[str, Any]:
    content: dict[str, Any] = written(asdict(entry))
    return content | {"detail": json.dumps(content["detail"], ensure_ascii=False, sort_keys=True)}
