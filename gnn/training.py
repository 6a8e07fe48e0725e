"""Training on what was known on a day: targets from hindsight, main and auxiliaries, fusion, calibration, threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from sklearn.metrics import average_precision_score, roc_auc_score

from gnn.book import Book, Events, Floats, as_decided, aside_from, month_starts, open_book
from gnn.calibrate import Calibration, expected_calibration_error
from gnn.features.assemble import Features, features, hindsight
from gnn.features.catalogue import model_names
from gnn.labels import NEGLIGIBLE, Learned, Observed, Progress, Targets, fraud_rate, learn, observed
from gnn.models.boosted import Boosted
from gnn.models.fusion import fuse
from gnn.models.hetero_sage import HeteroSage
from gnn.models.isolation import Isolation
from gnn.ringrank import Known, Night, RingRank
from gnn.ringrank import learn as learn_rank
from gnn.rules import Settings
from gnn.rules.columns import Peers, decision_columns
from gnn.scorer import Scorer, prior_links
from graph.errors import InputError
from graph.overrides import Placed
from graph.records import DAY
from graph.rings import examine
from graph.snapshot import Snapshot

VALIDATION_DAYS = 60
ALERT_SHARE = 0.01
ROUNDS = 300
PEER_COLUMNS = ("amount", "automatic", "product", "price_to_income", "price_over_market")
RING_WINDOW_DAYS = 120
RING_NIGHTS = 10
DAYS_BETWEEN = 15
SOFT_RATE = 2.0
"""What the graph network and the rank of rings learn from: degrees that sum to so many times the fraud there is."""

LEAST_VALIDATION = 3.0
"""Sum of degrees of fraud in the validation months below which nothing is chosen by them."""

Split = tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]
"""Which targets train, and which stop the training."""


@dataclass(frozen=True)
class Prepared:
    """What all scores as of any day start from: the decision-time book and its features, and the rules' columns.

    `snapshot` is without the links that people found innocent, `overrides` are what they decided about single things.
    """

    snapshot: Snapshot
    events: Events
    book: Book
    seen: Features
    rule_columns: Mapping[str, npt.NDArray[Any]]
    overrides: Sequence[Placed] = ()

    @cached_property
    def later(self) -> Book:
        """With what exists only after funding, for looking back from a night."""
        return later_book(self.snapshot, self.events, self.overrides)

    def at(self, night: int) -> Features:
        """What can be known on a night of everybody known by then."""
        return hindsight(self.later, night=night)


@dataclass(frozen=True)
class Trained:
    """`metrics` are of the validation months, by a scorer that had not seen them; `notes` what the user should know."""

    scorer: Scorer
    metrics: Mapping[str, float]
    notes: tuple[str, ...]
    targets: Targets | None = None


def later_book(snapshot: Snapshot, events: Events, overrides: Sequence[Placed] = ()) -> Book:
    """With what exists only after funding."""
    book = open_book(snapshot, events, post_loan=True)
    return as_decided(book.with_aside(aside_from(book, month_starts(book))), overrides)


def hindsight_of(scorer: Scorer, later: Book, night: int) -> Floats:
    """Per application the degree of fraud by what is known that night; 0 without a model, and for who came later."""
    degree = np.zeros(len(later))
    if scorer.hindsight is not None:
        seen = hindsight(later, night=night)
        degree[seen.rows] = scorer.hindsight.degree(seen)
    return degree


def prepare(
    snapshot: Snapshot, events: Events, *, overrides: Sequence[Placed] = (), progress: Progress = lambda *_: None
) -> Prepared:
    """Decision-time features of every application in the snapshot, each as of its own moment."""
    progress("book", 0, 3)
    book = open_book(snapshot, events)
    progress("infrastructure", 1, 3)
    book = as_decided(book.with_aside(aside_from(book, month_starts(book))), overrides)
    progress("features", 2, 3)
    seen = features(book)
    told = {name: seen[name] for name in PEER_COLUMNS}
    rules = decision_columns(book, seen.rows, told, Peers.fit(book, told))
    progress("features", 3, 3)
    return Prepared(snapshot, events, book, seen, rules, overrides)


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
    return Course(ready, until, settings, seed, threads, names or model_names_of(ready.seen), progress).run()


@dataclass(frozen=True)
class Course:
    """One training: on what, until when, with which features."""

    ready: Prepared
    until: int
    settings: Settings
    seed: int
    threads: int
    names: tuple[str, ...]
    progress: Progress

    def run(self) -> Trained:
        book, seen = self.ready.book, self.ready.seen
        known = np.flatnonzero(book.as_of <= self.until)
        if len(known) < 2:
            raise InputError("fewer than two applications were known by that day; train until a later one")
        self.progress("isolation", 0, 1)
        isolation = Isolation.fit(seen.only(self.names)[known], seed=self.seed)
        alone = Scorer(names=self.names, isolation=isolation, settings=self.settings, review_from=1.0)
        said = observed(book, at=self.until)
        try:
            learned = learn(
                self.ready.later, self.ready.at(self.until), said,
                seed=self.seed, threads=self.threads, progress=self.progress,
            )  # fmt: skip
        except InputError as error:
            scores = alone.score(seen, book, known, self.ready.rule_columns).score
            return Trained(replace(alone, review_from=_threshold(scores)), {}, (f"no model was trained: {error}",))
        chosen, metrics, notes = self._validated(alone, learned.targets, said)
        self.progress("main", 0, 1)
        main = self._main(learned.targets)
        ring_rank, figures = self._ring_rank(learned)
        scorer = replace(chosen, main=main, hindsight=learned.hindsight, ring_rank=ring_rank)
        return Trained(scorer, metrics | figures, notes, learned.targets)

    def _main(self, targets: Targets) -> Boosted:
        return fit_main(self.ready.seen, targets, self.names, seed=self.seed, threads=self.threads)

    def _validated(
        self, alone: Scorer, targets: Targets, said: Observed
    ) -> tuple[Scorer, dict[str, float], tuple[str, ...]]:
        """Auxiliaries, fusion, calibration and threshold, by a main model that has not seen the validation months."""
        book, seen = self.ready.book, self.ready.seen
        late = book.submitted[targets.rows] >= self.until - VALIDATION_DAYS * DAY
        likely = targets.at_rate(fraud_rate(said))
        held = likely.among(late)
        at, fraud, weight = held.doubled()
        enough = min(held.degree.sum(), likely.among(~late).degree.sum()) >= LEAST_VALIDATION
        if not enough or not fraud.any() or fraud.all():
            note = f"the last {VALIDATION_DAYS} days hold too little fraud: no auxiliaries, and a rough calibration"
            return self._roughly(alone, likely), {}, (note,)
        self.progress("validation", 0, 3)
        main = self._main(targets.among(~late))
        self.progress("graph network", 1, 3)
        network = targets.at_rate(SOFT_RATE * fraud_rate(said))
        sage = self._sage(network, likely, late)
        self.progress("fusion", 2, 3)
        scorer = replace(alone, main=main, sage=sage)
        told = scorer.score(seen, book, held.rows, self.ready.rule_columns)
        fusion = fuse(
            told.main[at], {name: each[at] for name, each in told.auxiliaries.items()}, fraud, weight, seed=self.seed
        )
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
            sage=self._sage_again(network, sage.fitted_.best) if sage and "gnn" in fusion.weights else None,
            fusion=fusion,
            calibration=calibration,
            review_from=_threshold(score),
        )
        return chosen, metrics, ()

    def _roughly(self, alone: Scorer, likely: Targets) -> Scorer:
        """Calibrated by the very rows it learns from: the rate is right, and more cannot be had."""
        raw = self._main(likely).score(self.ready.seen.only(self.names)[likely.rows])
        at, fraud, weight = likely.doubled()
        calibration = Calibration.fit(raw[at], fraud, weight)
        return replace(alone, calibration=calibration, review_from=_threshold(calibration(raw)))

    def _sage(self, targets: Targets, likely: Targets, late: npt.NDArray[np.bool_]) -> HeteroSage | None:
        """Stopped by the validation months. None where there is nothing to learn from or to stop by."""
        degree = np.where(late, likely.degree >= 0.5, _noticed(targets.degree))
        try:
            return self._fit_sage(HeteroSage(), replace(targets, degree=degree), (~late, late))
        except InputError:
            return None

    def _sage_again(self, targets: Targets, epochs: int) -> HeteroSage:
        """On all months for as many epochs as were best: the latest rings are those that go on."""
        every = np.ones(len(targets.rows), dtype=bool)
        whole = replace(targets, degree=_noticed(targets.degree))
        return self._fit_sage(HeteroSage(epochs=epochs, patience=epochs), whole, (every, every))

    def _fit_sage(self, model: HeteroSage, targets: Targets, split: Split) -> HeteroSage:
        size, rows = len(self.ready.book), targets.rows
        degree, weight = np.zeros(size), np.zeros(size)
        degree[rows], weight[rows] = targets.degree, targets.weight
        train, validation = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
        train[rows[split[0]]], validation[rows[split[1]]] = True, True
        links = prior_links(self.ready.book, self.ready.seen)
        return model.fit(
            self.ready.seen.only(self.names), links, degree, weight, train=train, validation=validation, seed=self.seed
        )

    def _ring_rank(self, learned: Learned) -> tuple[RingRank, dict[str, float]]:
        """From the candidates of earlier nights, their members judged by models that did not learn from them."""
        later, target = self.ready.later, np.zeros(len(self.ready.book))
        rate = SOFT_RATE * fraud_rate(observed(self.ready.book, at=self.until))
        target[learned.targets.rows] = learned.targets.at_rate(rate).degree
        first = int(later.submitted.min()) + RING_WINDOW_DAYS * DAY // 2
        when = [
            night
            for night in range(self.until - RING_NIGHTS * DAYS_BETWEEN * DAY, self.until + 1, DAYS_BETWEEN * DAY)
            if night >= first
        ]
        nights = []
        for number, night in enumerate(when):
            self.progress("ring rank", number, len(when))
            seen = self.ready.at(night)
            degree = np.zeros(len(later))
            degree[seen.rows] = learned.cross.degree(seen, later.person)
            examined = examine(self.ready.snapshot, as_of=night, window_days=RING_WINDOW_DAYS, risk=degree)
            nights.append(Night(examined, Known(degree, later.labels.known(night)), target))
        return learn_rank(nights, seed=self.seed, threads=self.threads)


def model_names_of(seen: Features) -> tuple[str, ...]:
    allowed = set(model_names())
    return tuple(name for name in seen.names if name in allowed)


def untrained(ready: Prepared, *, settings: Settings, seed: int = 7) -> Scorer:
    """Rules and an isolation forest over everything there is: what can be said without any label."""
    names = model_names_of(ready.seen)
    isolation = Isolation.fit(ready.seen.only(names), seed=seed)
    alone = Scorer(names=names, isolation=isolation, settings=settings, review_from=1.0)
    scores = alone.score(ready.seen, ready.book, None, ready.rule_columns).score
    return replace(alone, review_from=_threshold(scores))


def fit_main(seen: Features, targets: Targets, names: tuple[str, ...], *, seed: int, threads: int = 1) -> Boosted:
    """XGBoost on these features and targets, as the main model is trained."""
    at, fraud, weight = targets.doubled()
    model = Boosted(max_depth=5, colsample_bytree=0.4, min_child_weight=5.0, rounds=ROUNDS, seed=seed, threads=threads)
    return model.fit(seen.only(names)[targets.rows[at]], fraud, weight=weight, names=names)


def _noticed(degree: Floats) -> Floats:
    return np.where(degree > NEGLIGIBLE, degree, 0.0)


def _threshold(score: Floats) -> float:
    """The score that the most suspicious hundredth reaches."""
    return float(np.quantile(score, 1 - ALERT_SHARE)) if len(score) else 1.0
