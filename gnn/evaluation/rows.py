"""Measures of row scores: arrays of one value per application in, figures out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnn.evaluation.chance import Share, wilson
from gnn.evaluation.ranking import Bools, Floats, Ints, Ranking, ratio

BENIGN = {
    "B01": "families",
    "B02": "company switchboards",
    "B03": "dealer tablets",
    "B04": "shop WiFi, carrier NAT",
    "B05": "fleets",
    "B06": "rental communities, dormitories",
    "B07": "star salespeople",
    "B08": "recycled phone numbers",
    "B09": "rate shopping",
    "B10": "re-applications",
    "B11": "group purchases",
    "B12": "village and clan buying",
    "B13": "agents' and driving schools' phones",
    "B14": "shared family cards",
    "B15": "name collisions",
    "B16": "default values",
}
"""Honest patterns that look like rings (domain.md §2.3)."""

PLAIN = "none of these"


def average_precision(score: Floats, is_fraud: Bools) -> float:
    """PR-AUC; nan without fraud."""
    return float(Ranking.of(score, is_fraud).steps().average_precision()[0])


def roc_auc(score: Floats, is_fraud: Bools) -> float:
    """nan when there is only one class."""
    return float(Ranking.of(score, is_fraud).steps().roc_auc()[0])


def brier(score: Floats, is_fraud: Bools) -> float:
    """Mean squared distance of a probability from what happened."""
    return float(np.mean((score - is_fraud) ** 2)) if len(score) else np.nan


@dataclass(frozen=True)
class Bin:
    """Applications of similar score: the mean score, and the share that was fraud."""

    expected: float
    seen: Share


def calibration(score: Floats, is_fraud: Bools, bins: int = 10) -> tuple[Bin, ...]:
    """By decile of score; equal scores are never parted, so there may be fewer bins."""
    if not len(score):
        return ()
    at = np.searchsorted(np.unique(np.quantile(score, np.arange(1, bins) / bins)), score, side="left")
    parts = [at == each for each in np.unique(at)]
    return tuple(Bin(float(score[own].mean()), wilson(int(is_fraud[own].sum()), int(own.sum()))) for own in parts)


def ece(bins: tuple[Bin, ...]) -> float:
    """Expected calibration error: mean distance of score and share, each bin by its size."""
    return float(
        ratio(
            sum(each.seen.of * abs(each.expected - each.seen.value) for each in bins),
            sum(each.seen.of for each in bins),
        )
    )


def alerted(score: Floats, rate: float) -> Floats:
    """Per application the chance to be among the `rate` highest: 1, 0, or a share where equal scores meet the limit."""
    ranking = Ranking.of(score, np.ones(len(score), dtype=np.bool_))
    chance = np.zeros(len(score))
    lengths = np.diff(np.append(ranking.step, len(score)))
    chance[ranking.order] = np.repeat(ranking.steps().alerted(rate)[0], lengths)
    return chance


def recall_ceilings(is_fraud: Bools, amount: Floats, rate: float) -> tuple[float, float]:
    """The recall that a perfect ranking reaches at `rate`: by count, and by money if it put the dearest first."""
    frauds, budget = int(is_fraud.sum()), rate * len(is_fraud)
    if not frauds:
        return np.nan, np.nan
    dearest = np.concatenate([[0.0], np.cumsum(np.sort(amount[is_fraud])[::-1])])
    money = ratio(np.interp(min(budget, frauds), np.arange(frauds + 1), dearest), dearest[-1])
    return min(1.0, budget / frauds), float(money)


def false_positives_per_hit(chance: Floats, is_fraud: Bools) -> float:
    """FP : TP, the false alarms that an investigator reads for one fraud; infinite if there is no hit."""
    return float(ratio(chance[~is_fraud].sum(), chance[is_fraud].sum(), empty=np.inf))


def precision_at(score: Floats, is_fraud: Bools, day: Ints, most: int) -> tuple[float, float, float]:
    """Precision, its ceiling and its lift over the base rate: of the `most` highest scores of a day, mean over days."""
    steps = Ranking.of(score, is_fraud, day).steps()
    precision = float(steps.daily_precision(most)[0])
    return precision, float(steps.daily_ceiling(most)[0]), float(ratio(precision * len(day), is_fraud.sum()))


def recall_at(score: Floats, is_fraud: Bools, rate: float, amount: Floats | None = None) -> float:
    """Share of the fraud (of its money, with `amount`) among the `rate` highest scores."""
    ranking = Ranking.of(score, is_fraud)
    worth = None if amount is None else ranking.of_fraud(amount)
    return float(ranking.steps().recall(rate, worth)[0])


@dataclass(frozen=True)
class LookAlike:
    """Honest applications of one kind; `lift` is how often they are alerted, against all honest ones."""

    kind: str
    name: str
    applications: int
    false_alarms: float
    share: float
    """Of all false alarms."""
    lift: float


def look_alikes(chance: Floats, is_fraud: Bools, benign_kind: npt.NDArray[np.object_]) -> tuple[LookAlike, ...]:
    """Whom the false alarms hit, by benign kind; those of no kind last."""
    honest = ~is_fraud
    kinds, at = np.unique(benign_kind[honest].astype(str), return_inverse=True)
    rows = np.bincount(at, minlength=len(kinds))
    alarms = np.bincount(at, weights=chance[honest], minlength=len(kinds))
    share = ratio(alarms, alarms.sum())
    lift = ratio(ratio(alarms, rows), ratio(alarms.sum(), rows.sum()))
    found = [
        LookAlike(
            kind, BENIGN.get(kind, kind) or PLAIN, int(rows[i]), float(alarms[i]), float(share[i]), float(lift[i])
        )
        for i, kind in enumerate(kinds)
    ]
    return tuple(sorted(found, key=lambda each: (not each.kind, -each.false_alarms)))


def investigators(day: Ints, rate: float = 0.01) -> int:
    """K of precision@K/day: what the desk can read, `rate` of the applications of a mean day."""
    return max(1, round(rate * len(day) / max(1, len(np.unique(day)))))
