"""All rules asked at once: who is hit, the points, what they advise, and which rules could not be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from gnn.rules.catalogue import BY_CODE, RULES
from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength
from gnn.rules.settings import Settings

Floats = npt.NDArray[np.float64]

PASS, REVIEW, DECLINE = range(3)
ADVICE = ("pass", "review", "decline")
CLUSTERS = tuple(Cluster)
ALL_STAGES = tuple(Stage)


class Asked(NamedTuple):
    """Whether a rule could be asked of anybody, and if not, why."""

    code: str
    asked: bool
    why: str


@dataclass(frozen=True, eq=False)
class Verdicts:
    """`hits[i, j]`: rule `codes[j]` holds for row i. `points` are of all rules, `weak` of the weak ones alone.

    `advice` is 0 pass, 1 review, 2 decline, by strong hits and by `weak`; a REVIEW rule never adds to a decline.
    `clusters[i, k]` are the points of cluster `CLUSTERS[k]`. `silent` are rules without a column they read.
    """

    codes: tuple[str, ...]
    hits: Flags
    points: Floats
    weak: Floats
    advice: npt.NDArray[np.int8]
    clusters: Floats
    silent: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.hits)

    def only(self, row: int) -> Verdicts:
        """Those of one row alone."""
        one = slice(row, row + 1)
        return Verdicts(
            self.codes,
            self.hits[one],
            self.points[one],
            self.weak[one],
            self.advice[one],
            self.clusters[one],
            self.silent,
        )

    def of(self, row: int) -> tuple[Rule, ...]:
        """The rules that hold for a row: the strong ones first, then by points."""
        hit = [BY_CODE[self.codes[at]] for at in np.flatnonzero(self.hits[row]).tolist()]
        order = {each: at for at, each in enumerate((Strength.STRONG, Strength.REVIEW, Strength.WEAK))}
        return tuple(sorted(hit, key=lambda rule: (order[rule.strength], -rule.points, rule.code)))

    def advises(self, row: int) -> str:
        return ADVICE[self.advice[row]]


def evaluate(columns: Columns, settings: Settings, *, stages: Sequence[Stage] = (Stage.DECISION,)) -> Verdicts:
    """Of all rows. A rule without one of its columns is silent: it holds for nobody.

    At night, "decline" of a loan that is paid out means an alert: block what is not yet paid, and look at it today.
    """
    rules, weights = _weighed(tuple(stages), settings)
    size = len(next(iter(columns.values()))) if len(columns) else 0
    hits, silent = np.zeros((len(rules), size), dtype=bool), []
    thresholds = settings.thresholds
    for at, rule in enumerate(rules):
        try:
            hits[at] = rule.holds(columns, thresholds[rule.code])
        except KeyError:
            if all(name in columns for name in rule.reads):
                raise
            silent.append(rule.code)
    summed = weights @ hits
    advice = (summed[1] >= settings.review) | (summed[3] > 0)
    advice = np.where((summed[1] >= settings.decline) | (summed[2] > 0), DECLINE, advice)
    return Verdicts(
        codes=tuple([rule.code for rule in rules]),
        hits=hits.T,
        points=summed[0],
        weak=summed[1],
        advice=advice.astype(np.int8),
        clusters=summed[4:].T,
        silent=tuple(silent),
    )


def coverage(columns: Columns, settings: Settings, *, stages: Sequence[Stage] = ALL_STAGES) -> tuple[Asked, ...]:
    """Every rule of the stages: whether it could be asked of anybody here, or what was missing."""
    told = {name: bool(np.isfinite(columns[name]).any()) for rule in RULES for name in rule.reads if name in columns}
    return tuple(
        Asked(rule.code, not why, why)
        for rule in RULES
        if rule.stage in stages
        for why in (_why_not(rule, settings, told),)
    )


def _why_not(rule: Rule, settings: Settings, told: dict[str, bool]) -> str:
    if rule.code not in settings.active:
        return "switched off in the settings"
    absent = [name for name in rule.reads if name not in told]
    if absent:
        return f"no column {', '.join(absent)}"
    enough = rule.exempts + (rule.either if any(told[name] for name in rule.either) else ())
    unsaid = [name for name in rule.reads if not told[name] and name not in enough]
    return f"{', '.join(unsaid)} not stated for anybody" if unsaid else ""


@lru_cache(maxsize=16)
def _weighed(stages: tuple[Stage, ...], settings: Settings) -> tuple[tuple[Rule, ...], Floats]:
    """The rules to ask, and per sum what each adds: points, weak points, strong hits, review hits, each cluster."""
    rules = tuple(rule for rule in RULES if rule.stage in stages and rule.code in settings.active)
    weights = np.zeros((4 + len(CLUSTERS), len(rules)))
    for at, rule in enumerate(rules):
        points = settings.points[rule.code]
        weights[0, at] = points
        weights[1, at] = points if rule.strength is Strength.WEAK else 0
        weights[2, at] = rule.strength is Strength.STRONG
        weights[3, at] = rule.strength is Strength.REVIEW
        weights[4 + CLUSTERS.index(rule.cluster), at] = points
    return rules, weights
