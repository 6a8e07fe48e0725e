"""What moves cases without anybody's doing: when risk or money is news, how a case opens again or goes on in another.

Nobody is told the same twice. A closed case keeps the figures that it was decided on, so they are what news is compared
with; of a snoozed one its entry has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from workbench.casebook import cases as rows
from workbench.casebook.case_tables import case_entries, cases
from workbench.casebook.cases import CLOSED, FACTS, GREW, MERGED, OPEN, OURSELVES, SOME, Case, Finding

SCORE_UP = 0.1
MONEY_UP, MONEY_SHARE = 50_000.0, 0.25
SIZE_UP, SIZE_SHARE = 2, 0.25
"""What rose is news from so much on: of money and size both the number and the share of what it was."""

NAMED = 20
"""An entry names so many applications."""

Gist = Mapping[str, float]


def material(before: Gist, found: Finding) -> bool:
    """Whether risk or money rose so far above what somebody saw that he should see it again."""
    up = {name: getattr(found, name) - before[name] for name in ("score", "size", "exposure", "savable")}
    return (
        round(up["score"], 6) >= SCORE_UP
        or up["size"] >= max(SIZE_UP, SIZE_SHARE * before["size"])
        or any(up[name] >= max(MONEY_UP, MONEY_SHARE * before[name]) for name in ("exposure", "savable"))
    )


@dataclass
class Synced:
    """How many cases became what."""

    opened: int = 0
    reopened: int = 0
    woken: int = 0
    grew: int = 0
    merged: int = 0
    ended: int = 0


@dataclass
class Changes:
    """Written together: of a run there may be ten thousand."""

    now: datetime
    done: Synced = field(default_factory=Synced)
    changed: dict[int, dict[str, Any]] = field(default_factory=dict)
    entries: list[tuple[int, str, str, Mapping[str, Any]]] = field(default_factory=list)

    def enter(self, case: Case, kind: str, **content: Any) -> None:
        self.entries.append((case.id, kind, "", content))

    def follow(self, case: Case, found: Finding, *, joined: Sequence[str] = (), before: Gist | None = None) -> None:
        """A case that is not closed, with what is known now; `before` of a snoozed one: how it stood then."""
        values = facts(found, unlike=case)
        if case.ended_at is not None:
            values["ended_at"] = None
        if joined:
            values["grown"] = case.grown + len(joined)
            self.enter(case, "grew", count=len(joined), applications=list(joined[:NAMED]))
            self.done.grew += 1
        if before is not None and material(before, found):
            values["snoozed_until"] = None
            self.enter(case, "woke", before=dict(before), facts=rows.gist(vars(found)))
            self.done.woken += 1
        if rows.moved(case, found) or joined:
            values["changed_at"] = self.now
        if values:
            self.changed[case.id] = values

    def reopen(self, case: Case, found: Finding, *, because: str = GREW, joined: Sequence[str] = ()) -> None:
        self.changed[case.id] = facts(found) | again(because, self.now) | {"grown": len(joined)}
        self.enter(
            case, "reopened", because=because, outcome=case.outcome, before=rows.gist(vars(case)),
            facts=rows.gist(vars(found)), count=len(joined), applications=list(joined[:NAMED]),
        )  # fmt: skip
        self.done.reopened += 1

    def write(self, db: Connection) -> None:
        by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for number, values in self.changed.items():
            told = {f"new_{name}": value for name, value in values.items()} | {"of": number}
            by_columns.setdefault(tuple(sorted(values)), []).append(told)
        for names, some in by_columns.items():
            bound: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
            db.execute(update(cases).where(cases.c.id == bindparam("of")).values(bound), some)
        rows.enter_all(db, self.entries, author=OURSELVES, now=self.now)


def facts(found: Finding, unlike: Case | None = None) -> dict[str, Any]:
    """As columns; only those that `unlike` has otherwise."""
    values: dict[str, Any] = {
        name: getattr(found, name) for name in FACTS if unlike is None or getattr(found, name) != getattr(unlike, name)
    }
    return values | ({"reasons": list(found.reasons)} if "reasons" in values else {})


def again(because: str, now: datetime) -> dict[str, Any]:
    """How a case stands that was closed and opens again: nobody's, and nothing decided."""
    return {
        "status": OPEN, "outcome": "", "assignee": "", "closed_at": None, "closed_by": None, "closing_reason": None,
        "snoozed_until": None, "locked_by": "", "locked_until": None, "ended_at": None, "opened_at": now,
        "opened_because": because, "changed_at": now,
    }  # fmt: skip


def merge(db: Connection, case: Case, into: Case, *, now: datetime) -> Case:
    """The work goes on in one place; both say so. What was decided on `into` is open again: it became more."""
    if into.closed:
        rows.change(db, into.id, **again(GREW, now))
        rows.enter_all(db, [(into.id, "reopened", "", {"because": MERGED})], author=OURSELVES, now=now)
        into = rows.get(db, into.id)
    taken: dict[str, Any] = {"changed_at": now}
    if case.assignee and not into.assignee:
        taken |= {"assignee": case.assignee, "status": case.status if into.status == OPEN else into.status}
    if deadlines := [each.deadline for each in (case, into) if each.deadline]:
        taken["deadline"] = min(deadlines)
    rows.change(db, into.id, **taken)
    closing = {"status": CLOSED, "outcome": MERGED, "closed_at": now, "closed_by": OURSELVES, "changed_at": now}
    rows.change(db, case.id, **closing, closing_reason=f"goes on in {into.name}", locked_by="", locked_until=None)
    told: list[tuple[int, str, str, Mapping[str, Any]]] = [
        (case.id, MERGED, "", {"into": into.id, "subject": into.subject}),
        (into.id, "took_in", "", {"case": case.id, "kind": case.kind, "subject": case.subject}),
    ]
    rows.enter_all(db, told, author=OURSELVES, now=now)
    return rows.get(db, into.id)


def when_snoozed(db: Connection, ids: Sequence[int]) -> dict[int, Gist]:
    """Per case how things stood when somebody snoozed it last."""
    found: dict[int, Gist] = {}
    for at in range(0, len(ids), SOME):
        told = select(case_entries.c.case_id, case_entries.c.content).where(
            case_entries.c.case_id.in_(ids[at : at + SOME]), case_entries.c.kind == "snoozed"
        )
        found |= {row.case_id: row.content["facts"] for row in db.execute(told.order_by(case_entries.c.id))}
    return found
