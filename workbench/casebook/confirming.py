"""Labels that wait for a second person, and whose labels others correct unusually often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from gnn.dispositions import POSITIVE
from workbench.casebook.labels import FINAL, ON_PAPERS, Said, of_rows
from workbench.casebook.tables import labels

LEAST_LABELS, LEAST_FLIPPED = 5, 3
OFTEN = 2.0
"""Corrected at more than so many times the rate of all others is unusual."""


def waiting(db: Connection) -> list[Said]:
    """Fraud on papers that one person says and nobody superseded; it counts as suspected until a second one confirms.
    The oldest first."""
    superseded = select(labels.c.supersedes).where(labels.c.supersedes.is_not(None))
    query = select(labels).where(
        labels.c.label == POSITIVE,
        labels.c.maturity == FINAL,
        labels.c.evidence_level.in_(ON_PAPERS),
        labels.c.second_author == "",
        labels.c.id.not_in(superseded),
    )
    return of_rows(db.execute(query.order_by(labels.c.known_at, labels.c.id)))


def count_waiting(db: Connection) -> int:
    return len(waiting(db))


def of_many(db: Connection, application_ids: Iterable[str]) -> dict[str, list[Said]]:
    """Everything ever said of each of these, in order; those of whom nobody said anything are not in it."""
    found: dict[str, list[Said]] = {}
    names = list(application_ids)
    for at in range(0, len(names), 500):  # SQLite takes a limited number of parameters
        some = labels.c.application_id.in_(names[at : at + 500])
        for each in of_rows(db.execute(select(labels).where(some).order_by(labels.c.id))):
            found.setdefault(each.label.application_id, []).append(each)
    return found


def standing(said: Sequence[Said]) -> Said | None:
    """Of one application what holds now: the newest that nothing superseded."""
    ended = {each.label.supersedes for each in said}
    return next((each for each in reversed(said) if each.id not in ended), None)


class Flips(NamedTuple):
    """Of `told` labels of one person others said something else later about `flipped`, and rejected `rejected`."""

    author: str
    told: int
    flipped: int
    others_rate: float
    unusual: bool

    @property
    def rate(self) -> float:
        return self.flipped / self.told if self.told else 0.0


@dataclass(frozen=True)
class _Counts:
    told: Counter[str]
    flipped: Counter[str]

    def of(self, author: str) -> Flips:
        told, flipped = self.told[author], self.flipped[author]
        others = self.told.total() - told
        rate = (self.flipped.total() - flipped) / others if others else 0.0
        enough = told >= LEAST_LABELS and flipped >= LEAST_FLIPPED
        return Flips(author, told, flipped, rate, enough and flipped / told > OFTEN * max(rate, 1 / (others + 1)))


def flips(db: Connection, *, since: datetime) -> list[Flips]:
    """By author of the labels told since then, the most often corrected first.

    A label is flipped where another person superseded it by another disposition; who corrects himself, and who is
    confirmed, is not.
    """
    older, newer = labels.alias("older"), labels.alias("newer")
    told = select(labels.c.author, func.count()).where(labels.c.known_at >= since).group_by(labels.c.author)
    other = select(older.c.author, func.count()).join(newer, newer.c.supersedes == older.c.id)
    other = other.where(
        older.c.known_at >= since,
        newer.c.label != older.c.label,
        newer.c.author != older.c.author,
    )
    counts = _Counts(
        _counted(db, told),
        _counted(db, other.group_by(older.c.author)),
    )
    every = [counts.of(author) for author in counts.told]
    return sorted(every, key=lambda each: (not each.unusual, -each.rate, -each.told, each.author))


def _counted(db: Connection, query: Any) -> Counter[str]:
    return Counter({row[0]: row[1] for row in db.execute(query)})
