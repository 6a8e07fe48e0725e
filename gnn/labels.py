"""What is known to be fraud, what is not yet known, and how much each application may teach.

Most fraud is never labelled, or months later (domain.md §4.4), so an application without a label is no honest one. A
second model, the `hindsight` model, looks at it from the day of training: what its borrower paid, where the car went,
who came after it and what was confirmed of them. Trained on what is labelled and asked out of fold, it says of the
others how likely they are to be fraud, and the decision model learns from that degree instead of from silence
(positive-unlabelled learning, Elkan & Noto 2008, with privileged information, Vapnik & Vashist 2009).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gnn.book import Book, Floats
from gnn.features.assemble import Features
from gnn.features.catalogue import model_names
from gnn.models.boosted import Boosted
from graph.errors import InputError
from graph.records import DAY, Ints

MATURE_DAYS = 60
"""Younger ones without a label teach the hindsight model nothing: what would tell has not had time to happen."""

FULLY_MATURE_DAYS = 180
LEAST_WEIGHT = 0.3
"""What a fresh application counts as an honest one, where hindsight sees nothing against it."""

NEVER_LABELLED = 0.225
"""Of all fraud, what no one ever labels (domain.md §4.4: 20 to 25 %)."""

BAND_DAYS, LAST_BAND = 30, 8
LEAST_POWER, MOST_POWER = 0.1, 12.0
SOFTER, SOFTEST = 5.0, 0.15
"""Degrees are raised to so many times the mean that hindsight gives, but to no more than a mean of `SOFTEST`."""

LEAST_LIMIT = 0.05
"""A mean degree above it, and above `SOFTER` times the fraud there is, says that hindsight has not learned enough to
tell people apart: it is brought down to that."""

FOLDS = 4
LEAST_POSITIVES = 10
NEGLIGIBLE = 0.02

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Observed:
    """Per application on a day: labelled as fraud (`evidence` 1 or .5), cleared, and its age in days; before that
    day only those in `known`."""

    fraud: npt.NDArray[np.bool_]
    evidence: Floats
    cleared: npt.NDArray[np.bool_]
    age: Floats
    known: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Targets:
    """What `rows` teach: `degree` of fraud (0 to 1) and `weight` of the row."""

    rows: Ints
    degree: Floats
    weight: Floats

    def among(self, kept: npt.NDArray[np.bool_]) -> Targets:
        return Targets(self.rows[kept], self.degree[kept], self.weight[kept])

    def at_rate(self, rate: float) -> Targets:
        """Degrees sharpened so that they sum to this share of the rows, every row counting the same: for
        probabilities. (Above it they teach better which come first.)"""
        return Targets(self.rows, _sharpened(self.degree, rate * len(self.rows)), np.ones(len(self.rows)))

    def doubled(self) -> tuple[Ints, npt.NDArray[np.bool_], Floats]:
        """Each row as an honest one, and those with a degree once more as fraud, in shares of their weight.

        Returns positions in `rows`, class and weight.
        """
        twice = np.flatnonzero(self.degree > NEGLIGIBLE)
        at = np.concatenate([np.arange(len(self.rows)), twice])
        honest = self.weight * (1 - np.where(self.degree > NEGLIGIBLE, self.degree, 0.0))
        fraud = np.concatenate([np.zeros(len(self.rows), bool), np.ones(len(twice), bool)])
        weight = np.concatenate([honest, (self.degree * self.weight)[twice]])
        kept = weight > 0
        return at[kept], fraud[kept], weight[kept]


def observed(book: Book, *, at: int) -> Observed:
    told = book.labels
    fraud = told.known(at)
    return Observed(
        fraud=fraud,
        evidence=np.where(fraud, told.evidence, 0.0),
        cleared=(told.cleared_from <= at) & ~fraud,
        age=(at - book.submitted) / DAY,
        known=book.as_of <= at,
    )


def fraud_rate(said: Observed) -> float:
    """The share of fraud among applications: that of labelled ones among those old enough, and what nobody finds."""
    old = said.known & (said.age >= FULLY_MATURE_DAYS)
    if (said.fraud & old).sum() < LEAST_POSITIVES:
        old = said.known
    return float(said.fraud[old].mean()) / (1 - NEVER_LABELLED) if old.any() else 0.0


def as_labelled(said: Observed) -> Targets:
    """What the labels alone teach: the ordinary way, to compare with. Young ones without a label teach nothing."""
    rows = np.flatnonzero(said.known)
    return Targets(rows, said.evidence[rows], np.where(said.fraud[rows], 1.0, _hindsight_weight(said, rows)))


@dataclass(frozen=True)
class Hindsight:
    """A model of what is labelled as fraud sooner or later, and `share`: what it gives to those that were."""

    model: Boosted
    share: float

    def degree(self, seen: Features) -> Floats:
        """How far each row is to be taken as fraud: its score against that of labelled fraud."""
        return degree(self.model.score(seen.only(self.model.names_)), self.share)


@dataclass(frozen=True)
class CrossFitted:
    """The models of the folds: each judges the people whom it did not learn from, also as of earlier nights."""

    models: tuple[Boosted, ...]
    folds: Ints
    share: float

    def score(self, seen: Features, person: Ints) -> Floats:
        score, fold = np.zeros(len(seen.rows)), self.folds[person[seen.rows]]
        for number, model in enumerate(self.models):
            mine = fold == number
            score[mine] = model.score(seen.only(model.names_)[mine])
        return score

    def degree(self, seen: Features, person: Ints) -> Floats:
        return degree(self.score(seen, person), self.share)


@dataclass(frozen=True)
class Learned:
    targets: Targets
    hindsight: Hindsight
    cross: CrossFitted


def degree(score: Floats, share: float) -> Floats:
    return np.clip(score / max(share, 1e-9), 0.0, 1.0) ** POWER


POWER = 0.8
"""Out of fold the likely ones score too low, since those of their ring stand in the same folds."""


def learn(
    book: Book, seen: Features, said: Observed, *, seed: int, threads: int = 1, progress: Progress = lambda *_: None
) -> Learned:
    """What all applications known that day teach the decision model, and the hindsight model for later nights.

    Raises InputError when too few are labelled as fraud to learn anything from.
    """
    rows = seen.rows
    fraud = said.fraud[rows]
    if (count := int(fraud.sum())) < LEAST_POSITIVES:
        raise InputError(
            f"{count} applications are labelled CONFIRMED_FRAUD before that day; a model needs {LEAST_POSITIVES} or "
            "more in the table outcomes. Rules, rings and the isolation forest work without"
        )
    allowed = set(model_names(night=True))
    names = [name for name in seen.names if name in allowed]
    columns, weight = seen.only(names), _hindsight_weight(said, rows)

    def fit(weight: Floats) -> Boosted:
        taught = weight > 0
        model = Boosted(max_depth=4, colsample_bytree=0.4, min_child_weight=5.0, rounds=150, seed=seed, threads=threads)
        return model.fit(columns[taught], fraud[taught], weight=weight[taught], names=names)

    folds = _folds(book.person, seed)
    fold, models = folds[book.person[rows]], []
    for number in range(FOLDS):
        progress("hindsight", number, FOLDS + 1)
        models.append(fit(np.where(fold == number, 0.0, weight)))
    progress("hindsight", FOLDS, FOLDS + 1)
    cross = CrossFitted(tuple(models), folds, 1.0)
    score = cross.score(seen, book.person)
    share = float(score[fraud].mean())
    whole = fit(weight)
    guessed = np.where(said.cleared[rows], 0.0, degree(score, share))
    guessed *= min(1.0, max(LEAST_LIMIT, SOFTER * fraud_rate(said)) / max(float(guessed.mean()), 1e-9))
    taken = np.where(fraud, np.maximum(np.sqrt(said.evidence[rows]), guessed), guessed)
    taken = _level(taken, said.age[rows])
    counted = np.clip(said.age[rows] / MATURE_DAYS, LEAST_WEIGHT, 1.0)
    targets = Targets(rows, taken, np.where(fraud | said.cleared[rows], 1.0, counted))
    return Learned(targets, Hindsight(whole, share), replace(cross, share=share))


def _folds(person: Ints, seed: int) -> Ints:
    """Per person a fold, drawn in the order of first applications: how people are numbered hangs on the vault's key."""
    who, first = np.unique(person, return_index=True)
    folds = np.zeros(int(person.max()) + 1, dtype=np.int64)
    folds[who] = np.random.default_rng(seed).integers(0, FOLDS, len(person))[first]
    return folds


def _level(taken: Floats, age: Floats) -> Floats:
    """The same mean degree for every month: how much is seen of the latest must not look like more or less fraud.

    The mean is above the rate of fraud: what teaches best is who is more suspicious than whom, far down the list.
    """
    band = np.clip(age // BAND_DAYS, 0, LAST_BAND).astype(np.int64)
    old = age >= MATURE_DAYS
    rate = float(taken[old].mean()) if old.any() else float(taken.mean())
    rate = max(rate, min(SOFTER * rate, SOFTEST))
    level = taken.copy()
    for each in np.unique(band):
        mine = band == each
        level[mine] = _sharpened(taken[mine], rate * int(mine.sum()))
    return level


def _sharpened(degree: Floats, total: float) -> Floats:
    """Raised to the power that makes them sum to `total`, as far as a power can: 0 and 1 stay."""
    low, high = np.log(LEAST_POWER), np.log(MOST_POWER)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if float((degree ** np.exp(middle)).sum()) > total else (low, middle)
    return np.asarray(degree ** np.exp((low + high) / 2))


def _hindsight_weight(said: Observed, rows: Ints) -> Floats:
    age = said.age[rows]
    silent = np.where(age >= MATURE_DAYS, np.clip(age / FULLY_MATURE_DAYS, 0, 1), 0.0)
    return np.where(said.fraud[rows], said.evidence[rows], np.where(said.cleared[rows], 1.0, silent))
