"""Scores of applications as of a time, with what is known of those applications by then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from graph.records import DAY, Ints, from_millis, node_ids, to_millis
from workbench.casebook.case_tables import application_scores
from workbench.reports.ground import EIGHT_HOURS, Ground

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scored:
    """One row for each application whose newest score was made as of some time up to then: the casebook keeps no older
    ones. `row` is its place in the graph (-1: not there), `at` when what it saw was known, `score` NaN for none."""

    row: Ints
    at: Ints
    score: Floats
    decision: npt.NDArray[np.str_]
    reasons: Sequence[Sequence[str]]
    version: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def day(self) -> Ints:
        """Days of China since 1970."""
        return np.asarray((self.at + EIGHT_HOURS) // DAY)

    def only(self, kept: Flags) -> Scored:
        where = np.flatnonzero(kept)
        reasons = [self.reasons[at] for at in where.tolist()]
        return Scored(
            self.row[where], self.at[where], self.score[where], self.decision[where], reasons, self.version[where]
        )

    def decisions(self) -> Counter[str]:
        return Counter(self.decision.tolist())


def scored(db: Connection, ground: Ground, *, since: int) -> Scored:
    """`since` in milliseconds."""
    rows = db.execute(
        select(application_scores)
        .where(application_scores.c.as_of >= from_millis(since), application_scores.c.as_of <= ground.asked.as_of)
        .order_by(application_scores.c.as_of, application_scores.c.application_id)
    ).all()
    ids = node_ids("Application", [row.application_id for row in rows])
    return Scored(
        row=ground.facts.snapshot.nodes["Application"].index_of(ids) if rows else np.zeros(0, dtype=np.int64),
        at=np.array([to_millis(row.as_of) for row in rows], dtype=np.int64),
        score=np.array([np.nan if row.score is None else row.score for row in rows], dtype=np.float64),
        decision=np.array([row.decision for row in rows], dtype=np.str_),
        reasons=[tuple(row.reasons) for row in rows],
        version=np.array([row.model_version for row in rows], dtype=np.str_),
    )
