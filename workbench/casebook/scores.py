"""The newest score of each application, whoever told it: `ringroad score`, or the score service."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, select, true
from sqlalchemy.dialects import postgresql

from workbench.casebook.case_tables import application_scores

BATCH, SERVICE = "batch", "service"
"""Where a score comes from."""

PASS = "pass"  # noqa: S105 - a decision

TOGETHER = 5_000
ROWS = 1_000
"""PostgreSQL takes so many in one statement: its driver would send each row by itself."""

SOME = 500
"""SQLite takes a limited number of parameters."""


@dataclass(frozen=True)
class Score:
    """`as_of`: what was known by then counted. `score` is None where strong rules decided alone, or nothing could
    score it."""

    application_id: str
    as_of: datetime
    score: float | None
    decision: str
    reasons: tuple[str, ...]
    ring_id: str
    model_version: str
    source: str
    recorded_at: datetime

    @property
    def calls(self) -> bool:
        """Somebody is to look."""
        return self.decision != PASS


COLUMNS = tuple(each.name for each in fields(Score))


def record(db: Connection, scores: Iterable[Score]) -> None:
    """Of two of one application the one with the later `as_of` stays, of equals the one that is told now.

    `db` is of `Casebook.writing`. 300,000 take 2 s on SQLite: its rows are written as its columns hold them.
    """
    told = iter(scores)
    while some := list(islice(told, TOGETHER)):
        if db.dialect.name == "sqlite":
            db.exec_driver_sql(_UPSERT, [_row(each) for each in some])
            continue
        for at in range(0, len(some), ROWS):
            newest = {each.application_id: each for each in sorted(some[at : at + ROWS], key=lambda one: one.as_of)}
            statement = postgresql.insert(application_scores).values([_values(each) for each in newest.values()])
            db.execute(
                statement.on_conflict_do_update(
                    index_elements=["application_id"],
                    set_={name: statement.excluded[name] for name in COLUMNS[1:]},
                    where=statement.excluded.as_of >= application_scores.c.as_of,
                )
            )


_UPSERT = (
    f"INSERT INTO application_scores ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
    f" ON CONFLICT (application_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in COLUMNS[1:])}"
    " WHERE excluded.as_of >= application_scores.as_of"
)


def _row(one: Score) -> tuple[object, ...]:
    return (
        one.application_id, _stored(one.as_of), one.score, one.decision, json.dumps(one.reasons), one.ring_id,
        one.model_version, one.source, _stored(one.recorded_at),
    )  # fmt: skip


def _stored(at: datetime) -> str:
    """As SQLAlchemy keeps a time in SQLite."""
    return at.astimezone(UTC).isoformat(" ", "microseconds")[:26]


def _values(one: Score) -> dict[str, object]:
    return vars(one) | {"reasons": list(one.reasons)}


def newest(db: Connection, application_ids: Iterable[str]) -> dict[str, Score]:
    """By application; those that were never scored are not in it."""
    names, found = list(application_ids), dict[str, Score]()
    for at in range(0, len(names), SOME):
        which = application_scores.c.application_id.in_(names[at : at + SOME])
        found |= {each.application_id: each for each in _read(db, which)}
    return found


def listed(db: Connection) -> list[Score]:
    """Of all applications that were ever scored."""
    return list(_read(db, true()))


def _read(db: Connection, which: Any) -> Iterator[Score]:
    for row in db.execute(select(application_scores).where(which)):
        told: dict[str, Any] = {name: getattr(row, name) for name in COLUMNS}
        yield Score(**told | {"reasons": tuple(row.reasons)})
