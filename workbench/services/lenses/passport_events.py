"""What happened to a ring or an application, from wherever it was written down: runs, labels, decisions, cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, select

from graph.lineage import Kind
from graph.records import Ints, from_millis, node_ids
from graph.snapshot import Snapshot
from workbench.casebook.case_tables import case_entries, cases, ring_updates
from workbench.casebook.lineages import History
from workbench.casebook.tables import labels, ring_runs
from workbench.services.subject import Subject

CHINA = timezone(timedelta(hours=8))
SOME = 500
"""SQLite takes a limited number of parameters."""

OF_A_CASE = ("opened", "reopened", "closed", "status", "assigned", "taken", "merged")


@dataclass(frozen=True)
class Happening:
    """`at` is when it became known: a run's time, a label's, a decision's. `kind` is one of `graph.lineage.Kind`, or
    update, label, outcome, decided, funded, submitted, case. `words` are codes that a screen puts into words.

    `applications` are those it is about, `other` another ring.
    """

    at: datetime
    kind: str
    applications: tuple[str, ...] = ()
    other: str = ""
    author: str = ""
    words: tuple[str, ...] = ()
    counts: tuple[tuple[str, int], ...] = field(default=())

    @property
    def count(self) -> int:
        return len(self.applications)


def of_lineage(history: History | None) -> Iterator[Happening]:
    """Of a merge both rings tell; here the one that goes on says so."""
    if history is None:
        return
    for event in history.events:
        other = event.other or ""
        if event.kind is Kind.MERGE and event.ring_id != history.ring_id:
            yield Happening(event.as_of, "took_in", event.application_ids, event.ring_id)
        else:
            yield Happening(event.as_of, event.kind.value, event.application_ids, other)


def of_updates(db: Connection, ring_id: str, before: Iterable[str]) -> Iterator[Happening]:
    """Rings found anew because somebody decided something; `before` are the members the last run gave it."""
    members = set(before)
    rows = select(ring_updates).where(ring_updates.c.ring_id == ring_id).order_by(ring_updates.c.id)
    for row in db.execute(rows):
        fresh = set(row.content.get("application_ids", ()))
        counts = (("joined", len(fresh - members)), ("left", len(members - fresh)))
        yield Happening(row.at, "update", tuple(sorted(fresh ^ members)), "", row.author, (row.cause,), counts)
        members = fresh


def of_labels(db: Connection, names: Sequence[str]) -> Iterator[Happening]:
    """What was said at the workbench."""
    for at in range(0, len(names), SOME):
        rows = select(labels).where(labels.c.application_id.in_(names[at : at + SOME])).order_by(labels.c.id)
        for row in db.execute(rows):
            yield Happening(
                row.known_at, "label", (row.application_id,), "", row.author,
                tuple(each for each in (row.label, row.typology, row.evidence_level, row.maturity) if each),
            )  # fmt: skip


def of_outcomes(told: pa.Table | None, names: Sequence[str]) -> Iterator[Happening]:
    """What the lender's own table of outcomes says."""
    if told is None or not names:
        return
    owners = dict(zip(node_ids("Application", names).tolist(), names, strict=True))
    mine = told.filter(pc.is_in(told["owner"], pa.array(list(owners), type=pa.int64())))
    for one in mine.to_pylist():
        words = tuple(one[name] for name in ("label", "typology", "evidence_level", "source") if one.get(name))
        yield Happening(from_millis(one["known_at"]), "outcome", (owners[one["owner"]],), words=words)


def of_decisions(snapshot: Snapshot, rows: Ints) -> Iterator[Happening]:
    """Submitted, decided, paid out; each application by itself."""
    wanted = ["key", "submitted_at", "known_at", "decided_at", "funded_at", "decision"]
    for one in snapshot.nodes["Application"].table.select(wanted).take(rows).to_pylist():
        name = (one["key"],)
        yield Happening(from_millis(max(one["submitted_at"] or 0, one["known_at"])), "submitted", name)
        if one["decided_at"]:
            yield Happening(from_millis(one["decided_at"]), "decided", name, words=(one["decision"] or "",))
        if one["funded_at"]:
            yield Happening(from_millis(one["funded_at"]), "funded", name)


def of_cases(db: Connection, subject: Subject) -> Iterator[Happening]:
    rows = select(case_entries).join(cases, cases.c.id == case_entries.c.case_id)
    mine = rows.where(
        cases.c.kind == subject.kind, cases.c.subject == subject.name, case_entries.c.kind.in_(OF_A_CASE)
    ).order_by(case_entries.c.id)
    for row in db.execute(mine):
        said = [row.content.get(name) for name in ("status", "outcome", "assignee", "to")]
        words = (f"C{row.case_id}", row.kind, *(str(each) for each in said if each))
        yield Happening(row.at, "case", author=row.author, words=words)


def runs(db: Connection) -> list[datetime]:
    """When recorded runs were as of."""
    return list(db.execute(select(ring_runs.c.as_of).order_by(ring_runs.c.id)).scalars())


def rows_of(snapshot: Snapshot, names: Sequence[str]) -> Ints:
    """Indices of the applications that the graph holds."""
    at = snapshot.nodes["Application"].index_of(node_ids("Application", names))
    return np.asarray(at[at >= 0], dtype=np.int64)


BY_DAY = ("submitted", "decided", "funded", "label", "outcome")


def by_day(told: Iterable[Happening]) -> list[Happening]:
    """In order of time; of what happens to single applications, one entry a day and kind (and author)."""
    single: list[Happening] = []
    groups: dict[tuple[Any, ...], list[Happening]] = {}
    for one in told:
        if one.kind in BY_DAY:
            day = one.at.astimezone(CHINA).date()
            groups.setdefault((day, one.kind, one.author), []).append(one)
        else:
            single.append(one)
    return sorted([*single, *map(_together, groups.values())], key=lambda one: (one.at, one.kind, one.other))


def _together(some: Sequence[Happening]) -> Happening:
    """At the time of the last of them."""
    last = max(some, key=lambda one: one.at)
    names = tuple(dict.fromkeys(name for one in some for name in one.applications))
    counts = Counter(one.words[0] for one in some if one.words)
    words = last.words if len(some) == 1 else ()
    return Happening(last.at, last.kind, names, "", last.author, words, tuple(sorted(counts.items())))
