"""What a score means: how many score as high, and what became of those that did."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import func, select

from gnn.dispositions import CLEARED, POSITIVE
from graph.errors import RingroadError
from workbench.casebook.case_tables import application_scores, cases
from workbench.casebook.tables import labels
from workbench.services.office import Office

log = logging.getLogger("ringroad.ui")

PATIENCE_SECONDS = 0.15
LASTS_SECONDS = 600.0
"""Shares of a portfolio hardly move in ten minutes."""

FRAUD, INNOCENT = "confirmed_fraud", "false_positive"
"""Outcomes of a closed case."""

OUTCOMES = "outcomes"
"""The lender's own table, which a store may hold."""


@dataclass(frozen=True)
class Place:
    """Of `all` that were scored, `above` score higher. Of those as high or higher, `fraud` turned out so and
    `innocent` did not; of the others nothing is known."""

    above: int
    all: int
    fraud: int
    innocent: int

    @property
    def share_above(self) -> float:
        return self.above / self.all if self.all else 0.0


@dataclass(frozen=True)
class _Scored:
    """Descending; `fraud` and `innocent` count those up to and with each place."""

    falling: npt.NDArray[np.float64]
    fraud: npt.NDArray[np.int64]
    innocent: npt.NDArray[np.int64]
    stamp: Any
    read_at: float

    def place(self, score: float) -> Place:
        begin, end = (int(np.searchsorted(-self.falling, -score, side=side)) for side in ("left", "right"))
        known = (int(each[end - 1]) if end else 0 for each in (self.fraud, self.innocent))
        return Place(begin, len(self.falling), *known)


class Standings:
    """What takes long is counted beside whoever asks: a million scores take seconds."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._lock = threading.Lock()
        self._scored: _Scored | None = None
        self._counting: threading.Thread | None = None

    @property
    def counting(self) -> bool:
        """Whether it is not known yet, but soon."""
        return self._scored is None and self._counting is not None and self._counting.is_alive()

    def of_application(self, score: float | None) -> Place | None:
        """None where nothing was scored in this casebook, and while it is counted the first time."""
        if score is None:
            return None
        scored = self._read()
        return scored.place(score) if scored is not None and len(scored.falling) else None

    def of_ring(self, score: float, rings: Collection[float]) -> Place:
        """Among the scores of the rings that are listed, and of the cases of rings that were closed."""
        with self.office.casebook.reading() as db:
            decided = select(cases.c.outcome, func.count()).where(
                cases.c.kind == "ring", cases.c.status == "closed", cases.c.score >= score
            )
            count = {row[0]: row[1] for row in db.execute(decided.group_by(cases.c.outcome))}
        above = sum(each > score for each in rings)
        return Place(above, len(rings), int(count.get(FRAUD, 0)), int(count.get(INNOCENT, 0)))

    def _read(self) -> _Scored | None:
        """What was counted last; counted anew beside it after a while."""
        with self._lock:
            kept, counting = self._scored, self._counting
            old = kept is None or not len(kept.falling) or time.monotonic() - kept.read_at > LASTS_SECONDS
            if old and (counting is None or not counting.is_alive()):
                counting = self._counting = threading.Thread(target=self._count, name="standing", daemon=True)
                counting.start()
        if counting is not None and (kept is None or not len(kept.falling)):
            counting.join(PATIENCE_SECONDS)
        return self._scored

    def _count(self) -> None:
        try:
            self._scored = self._fresh(self._scored)
        except RingroadError as error:
            log.warning("standing of scores: %s", error.message)

    def _fresh(self, before: _Scored | None) -> _Scored:
        known = application_scores.c
        with self.office.casebook.reading() as db:
            stamp = tuple(db.execute(select(func.count(), func.max(known.recorded_at))).one())
            stamp += tuple(db.execute(select(func.max(labels.c.id))).one())
            if before is not None and before.stamp == stamp:
                return _Scored(before.falling, before.fraud, before.innocent, stamp, time.monotonic())
            rows = db.execute(select(known.application_id, known.score).where(known.score.is_not(None))).all()
            names, scores = [row[0] for row in rows], [row[1] for row in rows]
            said = {row[0]: row[1] for row in db.execute(_newest_labels())}
        said = self._lenders() | said if names else said
        falling = np.array(scores, dtype=np.float64)
        order = np.argsort(-falling, kind="stable")
        told = [said.get(names[at], "") for at in order.tolist()]
        fraud = np.cumsum([each == POSITIVE for each in told], dtype=np.int64)
        innocent = np.cumsum([each in CLEARED for each in told], dtype=np.int64)
        return _Scored(falling[order], fraud, innocent, stamp, time.monotonic())

    def _lenders(self) -> dict[str, str]:
        """What the lender's own outcomes last said, by application."""
        store = self.office.store
        if OUTCOMES not in store.event_kinds() or (told := store.events(OUTCOMES)) is None:
            return {}
        nodes = self.office.snapshot().nodes["Application"]
        rows = nodes.index_of(told["owner"].to_numpy())
        there = np.flatnonzero(rows >= 0)
        names = nodes.table["key"].take(rows[there]).to_pylist()
        return dict(zip(names, told["label"].take(there).to_pylist(), strict=True))


def _newest_labels() -> Any:
    """(application, label) in order, so that the newest comes last."""
    return select(labels.c.application_id, labels.c.label).order_by(labels.c.id)
