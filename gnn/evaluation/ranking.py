"""Rows in falling order of score, and what that order is worth.

A bootstrap sorts once: `Ranking.steps` sums rows into few steps, for one weighting of the rows or for
all draws at a time, and each measure of `Steps` gives one value, or one per draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Times = npt.NDArray[np.int16]
"""How often each draw took each row (draws × rows)."""

CELLS = 4_000_000
"""Draws × rows that are summed at a time."""


@dataclass(frozen=True)
class Ranking:
    """Rows from the highest score down, day after day if days were given.

    Rows of one score are one step: their order means nothing, so a budget that ends inside a step
    takes the same share of each of its rows. Neighbouring steps without fraud are one step too, which
    changes no measure.
    """

    order: Ints
    step: Ints
    """Where in `order` each step begins."""
    day: Ints
    """Which step begins each day."""
    fraud: Ints
    """Where in `order` the frauds stand."""

    @classmethod
    def of(cls, score: Floats, is_fraud: Bools, day: Ints | None = None) -> Ranking:
        if not np.isfinite(score).all():
            raise ValueError(f"{(~np.isfinite(score)).sum()} of {len(score)} scores are no numbers; score every row")
        days = np.zeros(len(score), dtype=np.int64) if day is None else day
        order = np.lexsort((-score, days))
        new_day = _changes(days[order])
        tie = np.flatnonzero(_changes(score[order]) | new_day)
        fraud = np.logical_or.reduceat(is_fraud[order], tie) if len(tie) else np.zeros(0, dtype=np.bool_)
        after_fraud = np.concatenate([[True], fraud[:-1]])[: len(fraud)]
        step = tie[fraud | after_fraud | new_day[tie]]
        return cls(order, step, np.flatnonzero(new_day[step]), np.flatnonzero(is_fraud[order]))

    def steps(self, times: Times | None = None) -> Steps:
        """The rows as they are, or as each draw took them."""
        every = np.ones((1, len(self.order)), dtype=np.int16) if times is None else times
        blocks = np.array_split(every, max(1, -(-every.size // CELLS)))
        fraud = self.of_fraud(np.ones(len(self.order)), times)
        return Steps(np.concatenate([self._sums(block) for block in blocks]) - fraud, fraud, self.day)

    def of_fraud(self, values: Floats | Bools, times: Times | None = None) -> Floats:
        """Sums per step of what `values` says of each fraud, such as its amount (draws × steps)."""
        rows = self.order[self.fraud]
        weighed = values[None, rows] if times is None else times[:, rows] * values[rows]
        sums = np.zeros((len(weighed), len(self.step)))
        at = np.searchsorted(self.step, self.fraud, side="right") - 1
        begin = np.flatnonzero(_changes(at))
        if len(begin):
            sums[:, at[begin]] = np.add.reduceat(weighed, begin, axis=1, dtype=np.float64)
        return sums

    def _sums(self, times: Times) -> Floats:
        if not len(self.step):
            return np.zeros((len(times), 0))
        return np.asarray(np.add.reduceat(times[:, self.order], self.step, axis=1, dtype=np.float64))


@dataclass(frozen=True)
class Steps:
    """A ranking from the top down: honest rows and frauds (draws × steps). Each measure gives one value per draw."""

    honest: Floats
    fraud: Floats
    day: Ints

    @cached_property
    def rows(self) -> Floats:
        return self.honest + self.fraud

    @cached_property
    def seen(self) -> Floats:
        return np.cumsum(self.rows, axis=1)

    def average_precision(self) -> Floats:
        """PR-AUC as the step-wise sum (no interpolation); nan without fraud."""
        precision = ratio(np.cumsum(self.fraud, axis=1), self.seen, empty=0.0)
        return ratio((self.fraud * precision).sum(axis=1), self.fraud.sum(axis=1))

    def roc_auc(self) -> Floats:
        """Chance that a fraud stands above an honest row, ties half; nan when there is only one class."""
        above = np.cumsum(self.honest, axis=1) - self.honest / 2
        return 1.0 - ratio((self.fraud * above).sum(axis=1), self.fraud.sum(axis=1) * self.honest.sum(axis=1))

    def alerted(self, rate: float) -> Floats:
        """Per step the share of its rows among the `rate` of all rows with the highest scores."""
        return self._within(rate * self.rows.sum(axis=1, keepdims=True) - (self.seen - self.rows))

    def recall(self, rate: float, worth: Floats | None = None) -> Floats:
        """Share of the fraud among those; of its `worth` per step, if given."""
        worth = self.fraud if worth is None else worth
        return ratio((self.alerted(rate) * worth).sum(axis=1), worth.sum(axis=1))

    def daily_precision(self, most: int) -> Floats:
        """Mean over days of the share of fraud among the first `most` rows of a day."""
        taken = self._within(most - self._seen_that_day())
        hits, alerts = self._by_day(taken * self.fraud), self._by_day(taken * self.rows)
        return ratio(ratio(hits, alerts, empty=0.0).sum(axis=1), (alerts > 0).sum(axis=1))

    def daily_ceiling(self, most: int) -> Floats:
        """What `daily_precision` cannot exceed: on most days there are fewer frauds than alerts."""
        rows = self._by_day(self.rows)
        best = np.minimum(1.0, ratio(self._by_day(self.fraud), np.minimum(rows, most), empty=0.0))
        return ratio(best.sum(axis=1), (rows > 0).sum(axis=1))

    def _within(self, room: Floats) -> Floats:
        return ratio(np.clip(room, 0.0, self.rows), self.rows, empty=0.0)

    def _seen_that_day(self) -> Floats:
        before = self.seen - self.rows
        return before - np.repeat(before[:, self.day], np.diff(np.append(self.day, before.shape[1])), axis=1)

    def _by_day(self, values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values, self.day, axis=1)) if len(self.day) else values


def ratio(above: npt.ArrayLike, below: npt.ArrayLike, empty: float = np.nan) -> Floats:
    """above / below, and `empty` where there is nothing below."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64))
    return np.asarray(np.divide(above, below, out=np.full(above.shape, empty), where=below != 0))


def _changes(values: npt.NDArray[np.generic]) -> Bools:
    """Whether a value differs from the one before it; the first does."""
    return np.concatenate([[True], values[1:] != values[:-1]])[: len(values)]
