"""Training on what was known on a day: targets from hindsight, main and auxiliaries, fusion, calibration, threshold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from gnn.book import Book, Events, Floats, aside_from, month_starts, open_book
from gnn.calibrate import Calibration, expected_calibration_error
from gnn.features.assemble import Features, features, hindsight
from gnn.features.catalogue import model_names
from gnn.labels import Observed, Progress, Targets, learn, observed
from gnn.models.boosted import Boosted
from gnn.models.fusion import fuse
from gnn.models.hetero_sage import HeteroSage
from gnn.models.isolation import Isolation
from gnn.rules import Settings
from gnn.scorer import Scorer, prior_links
from graph.errors import InputError
from graph.records import DAY
from graph.snapshot import Snapshot

VALIDATION_DAYS = 60
ALERT_SHARE = 0.01
ROUNDS = 300
LEAST_VALIDATION = 5.0
"""Sum of degrees of fraud in the validation months below which nothing is chosen by them."""


@dataclass(frozen=True)
class Prepared:
    """What all scores as of any day start from: the decision-time book and its features, and the rules' columns."""

    snapshot: Snapshot
    events: Events
    book: Book
    seen: Features
    rule_columns: Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Trained:
    """`metrics` are of the validation months, by a scorer that had not seen them; `notes` what the user should know."""

    scorer: Scorer
    metrics: Mapping[str, float]
    notes: tuple[str, ...]
    targets: Targets | None = None


def prepare(snapshot: Snapshot, events: Events, *, progress: Progress = lambda *_: None) -> Prepared:
    """Decision-time features of every application in the snapshot, each as of its own moment."""
    progress("book", 0, 3)
    book = open_book(snapshot, events)
    progress("infrastructure", 1, 3)
    book = book.with_aside(aside_from(book, month_starts(book)))
    progress("features", 2, 3)
    seen = features(book)
    progress("features", 3, 3)
    return Prepared(snapshot, events, book, seen, {})


def at_night(ready: Prepared, night: int) -> tuple[Book, Features]:
    """Everything known on a night of everybody known by then."""
    book = open_book(ready.snapshot, ready.events, post_loan=True)
    book = book.with_aside(aside_from(book, [each for each in month_starts(book).tolist() if each <= night]))
    return book, hindsight(book, night=night)


def train(
    ready: Prepared,
    *,
    until: int,
    settings: Settings,
    seed: int = 7,
    threads: int = 1,
    names: tuple[str, ...] | None = None,
    progress: Progress = lambda *_: None,
) -> Trained:
    """On applications and labels known by `until` (milliseconds). Without enough labels: rules and isolation alone."""
    book, seen = ready.book, ready.seen
    names = names or model_names_of(seen)
    known = np.flatnonzero(book.as_of <= until)
    if len(known) < 2:
        raise InputError("fewer than two applications were known by that day; train until a later one")
    progress("isolation", 0, 1)
    isolation = Isolation.fit(seen.only(names)[known], seed=seed)
    alone = Scorer(names=names, isolation=isolation, settings=settings, review_from=1.0)
    said = observed(book, at=until)
    try:
        night_book, night = at_night(ready, until)
        targets, hindsight_model = learn(night_book, night, said, seed=seed, threads=threads, progress=progress)
    except InputError as error:
        scores = alone.score(seen, book, known, ready.rule_columns).score
        return Trained(replace(alone, review_from=_threshold(scores)), {}, (f"no model was trained: {error}",))
    chosen, metrics, notes = _validated(ready, alone, targets, said, until, seed, threads, progress)
    progress("main", 0, 1)
    main = _main(seen, targets, names, seed, threads)
    return Trained(replace(chosen, main=main, hindsight=hindsight_model), metrics, notes, targets)


def model_names_of(seen: Features) -> tuple[str, ...]:
    allowed = set(model_names())
    return tuple(name for name in seen.names if name in allowed)


def _main(seen: Features, targets: Targets, names: tuple[str, ...], seed: int, threads: int) -> Boosted:
    at, fraud, weight = targets.doubled()
    model = Boosted(max_depth=5, colsample_bytree=0.4, min_child_weight=5.0, rounds=ROUNDS, seed=seed, threads=threads)
    return model.fit(seen.only(names)[targets.rows[at]], fraud, weight=weight, names=names)


def _validated(
    ready: Prepared,
    alone: Scorer,
    targets: Targets,
    said: Observed,
    until: int,
    seed: int,
    threads: int,
    progress: Progress,
) -> tuple[Scorer, dict[str, float], tuple[str, ...]]:
    """Auxiliaries, fusion, calibration and threshold, by a main model that has not seen the validation months."""
    book, seen = ready.book, ready.seen
    late = book.submitted[targets.rows] >= until - VALIDATION_DAYS * DAY
    held = targets.among(late)
    if held.degree.sum() < LEAST_VALIDATION or targets.among(~late).degree.sum() < LEAST_VALIDATION:
        note = f"the last {VALIDATION_DAYS} days hold too little fraud to choose by: no auxiliaries, not calibrated"
        return alone, {}, (note,)
    progress("validation", 0, 3)
    main = _main(seen, targets.among(~late), alone.names, seed, threads)
    progress("graph network", 1, 3)
    sage = _sage(ready, alone.names, targets, late, seed)
    progress("fusion", 2, 3)
    scorer = replace(alone, main=main, sage=sage)
    told = scorer.score(seen, book, held.rows, ready.rule_columns)
    at, fraud, weight = held.doubled()
    fusion = fuse(told.main[at], {name: each[at] for name, each in told.auxiliaries.items()}, fraud, weight, seed=seed)
    raw = expit(fusion.margin(told.main, told.auxiliaries))
    calibration = Calibration.fit(raw[at], fraud, weight)
    score = calibration(raw)
    metrics = {
        "pr_auc": float(average_precision_score(fraud, score[at], sample_weight=weight)),
        "roc_auc": float(roc_auc_score(fraud, score[at], sample_weight=weight)),
        "ece": float(expected_calibration_error(score[at], fraud, weight)),
        "fraud_known": float(said.fraud[held.rows].sum()),
    }
    chosen = replace(
        alone,
        sage=sage if "gnn" in fusion.weights else None,
        fusion=fusion,
        calibration=calibration,
        review_from=_threshold(score),
    )
    return chosen, metrics, ()


def _sage(
    ready: Prepared, names: tuple[str, ...], targets: Targets, late: npt.NDArray[np.bool_], seed: int
) -> HeteroSage | None:
    """None where the network has nothing to learn from or to stop by."""
    size = len(ready.book)
    degree, weight = np.zeros(size), np.zeros(size)
    train, validation = np.zeros(size, bool), np.zeros(size, bool)
    rows = targets.rows
    degree[rows] = np.where(late, targets.degree >= 0.5, np.where(targets.degree > 0.02, targets.degree, 0.0))
    weight[rows], train[rows[~late]], validation[rows[late]] = targets.weight, True, True
    try:
        return HeteroSage().fit(
            ready.seen.only(names),
            prior_links(ready.book, ready.seen),
            degree,
            weight,
            train=train,
            validation=validation,
            seed=seed,
        )
    except InputError:
        return None


def _threshold(score: Floats) -> float:
    """The score that the most suspicious hundredth reaches."""
    return float(np.quantile(score, 1 - ALERT_SHARE)) if len(score) else 1.0
