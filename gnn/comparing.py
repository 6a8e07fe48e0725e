"""Every way of scoring on the same applications, each trained on what was known at the cut (domain.md §5.2).

All trees have the main model's settings. Those without the graph are trained on the observed labels, and again on the
targets from hindsight: hindsight itself looks at the graph, so the second is no lender without one, but it parts what
the targets bring from what the features bring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from gnn.baselines.clusters import clustered
from gnn.baselines.propagation import propagated
from gnn.baselines.shuffled import shuffled_features
from gnn.book import Floats
from gnn.features.assemble import Features
from gnn.features.catalogue import count_names, no_graph_names
from gnn.labels import LEAST_WEIGHT, MATURE_DAYS, NEGLIGIBLE, Targets, observed
from gnn.models.hetero_sage import HeteroSage
from gnn.priors import PriorLinks, Singles
from gnn.scorer import Scores, log_odds, prior_links
from gnn.training import VALIDATION_DAYS, Prepared, Trained, fit_main
from graph.records import DAY, Ints

RANDOM, AMOUNT, RULES, ISOLATION = "random", "amount-sorted", "rules only", "isolation forest"
PROPAGATION, CLUSTERS, GNN = "label propagation", "Leiden clusters + cluster score", "GNN alone"
NO_GRAPH, NO_GRAPH_HINDSIGHT = "XGBoost, no graph", "XGBoost, no graph, hindsight targets"
COUNTS, COUNTS_HINDSIGHT = "XGBoost + as-of counts", "XGBoost + as-of counts, hindsight targets"
GRAPH, MAIN = "XGBoost + graph, observed labels", "XGBoost + graph, hindsight targets (main)"
MAIN_GNN, FUSION, SHUFFLED = "main + GNN", "fusion", "main, edges shuffled"

UNTRAINED = (RANDOM, AMOUNT, RULES, ISOLATION, PROPAGATION, CLUSTERS)
TREES = (NO_GRAPH, NO_GRAPH_HINDSIGHT, COUNTS, COUNTS_HINDSIGHT, GRAPH, MAIN)
NETWORKS = (GNN, MAIN_GNN)
METHODS = (*UNTRAINED[:3], *TREES, *UNTRAINED[3:], *NETWORKS, FUSION, SHUFFLED)
"""In the order of the table; the last is the ablation of the edges."""

PROBABILITIES = (*TREES, GNN, FUSION)
SLOW = (*NETWORKS, SHUFFLED)
"""Minutes each."""

Progress = Callable[[str, int, int], None]
Flags = npt.NDArray[np.bool_]


def compared(
    ready: Prepared,
    trained: Trained,
    *,
    until: int,
    rows: Ints,
    methods: tuple[str, ...] = METHODS,
    seed: int = 7,
    threads: int = 1,
    progress: Progress = lambda *_: None,
) -> dict[str, Floats]:
    """One score per row and method, the higher the more suspicious; `rows` are the test applications.

    `trained` until the same day. Where it has no model for want of labels, only what needs none is there.
    """
    able = UNTRAINED if trained.scorer.main is None or trained.targets is None else METHODS
    chosen = [name for name in METHODS if name in methods and name in able]
    bench, scores = _Bench(ready, trained, until, rows, seed, threads), {}
    for done, name in enumerate(chosen):
        progress(name, done, len(chosen))
        scores[name] = np.asarray(bench.score(name), dtype=np.float64)
    return scores


def plain_targets(ready: Prepared, until: int) -> Targets:
    """The labels as they stand: who is not labelled is honest, the less surely the younger the application."""
    said = observed(ready.book, at=until)
    rows = np.flatnonzero(said.known)
    fraud, sure = said.fraud[rows], said.fraud[rows] | said.cleared[rows]
    return Targets(
        rows,
        fraud.astype(np.float64),
        np.where(sure, 1.0, np.clip(said.age[rows] / MATURE_DAYS, LEAST_WEIGHT, 1.0)),
    )


@dataclass(frozen=True)
class _Bench:
    ready: Prepared
    trained: Trained
    until: int
    rows: Ints
    seed: int
    threads: int

    def score(self, name: str) -> Floats:
        if name in TREES and name != MAIN:
            names, targets = self._trees()[name]
            return self.grown(self.ready.seen, names, targets)
        ways: Mapping[str, Callable[[], Floats]] = {
            RANDOM: lambda: np.random.default_rng(self.seed).random(len(self.rows)),
            AMOUNT: lambda: np.nan_to_num(self.ready.seen["amount"][self.rows]),
            RULES: lambda: self.told.rules.points,
            ISOLATION: lambda: self.trained.scorer.isolation.score(self._columns(self.rows)),
            PROPAGATION: lambda: propagated(self.ready.book, self._links, self.rows),
            CLUSTERS: lambda: clustered(self.ready.book, self.ready.seen.links, self.rows),
            MAIN: lambda: expit(self.told.main),
            GNN: lambda: self.network,
            MAIN_GNN: lambda: self.told.main + log_odds(self.network),
            FUSION: lambda: self.told.score,
            SHUFFLED: self._shuffled,
        }
        return ways[name]()

    @cached_property
    def told(self) -> Scores:
        return self.trained.scorer.score(self.ready.seen, self.ready.book, self.rows, self.ready.rule_columns)

    @cached_property
    def hindsight(self) -> Targets:
        assert self.trained.targets is not None  # noqa: S101 - `compared` asks for nothing that needs them otherwise
        return self.trained.targets

    def _trees(self) -> dict[str, tuple[tuple[str, ...], Targets]]:
        plain = plain_targets(self.ready, self.until)
        return {
            NO_GRAPH: (no_graph_names(), plain),
            NO_GRAPH_HINDSIGHT: (no_graph_names(), self.hindsight),
            COUNTS: (count_names(), plain),
            COUNTS_HINDSIGHT: (count_names(), self.hindsight),
            GRAPH: (self.trained.scorer.names, plain),
        }

    def grown(self, seen: Features, names: tuple[str, ...], targets: Targets) -> Floats:
        """By a model with the main model's settings, of these columns and targets."""
        model = fit_main(seen, targets, names, seed=self.seed, threads=self.threads)
        return model.score(seen.only(names)[self.rows])

    def _shuffled(self) -> Floats:
        mixed = shuffled_features(self.ready.book, self.ready.seen, seed=self.seed)
        return self.grown(mixed, self.trained.scorer.names, self.hindsight)

    def _columns(self, rows: Ints) -> Singles:
        return self.ready.seen.only(self.trained.scorer.names)[rows]

    @cached_property
    def _links(self) -> PriorLinks:
        return prior_links(self.ready.book, self.ready.seen)

    @cached_property
    def network(self) -> Floats:
        """Of the scorer's network, or of one trained here where fusion left it out."""
        x = self.ready.seen.only(self.trained.scorer.names)
        sage = self.trained.scorer.sage or self._fitted(x)
        return sage.score(x, self._links)[self.rows]

    def _fitted(self, x: Singles) -> HeteroSage:
        """As in training: the last months before the cut say after how many epochs to stop, then on all months."""
        targets, size = self.hindsight, len(self.ready.book)
        late = self.ready.book.submitted[targets.rows] >= self.until - VALIDATION_DAYS * DAY
        noticed = np.where(targets.degree > NEGLIGIBLE, targets.degree, 0.0)

        def fit(model: HeteroSage, degree: Floats, train: Flags, validation: Flags) -> HeteroSage:
            columns = [np.zeros(size), np.zeros(size), np.zeros(size, bool), np.zeros(size, bool)]
            for column, value in zip(columns, (degree, targets.weight, train, validation), strict=True):
                column[targets.rows] = value
            return model.fit(
                x, self._links, columns[0], columns[1], train=columns[2], validation=columns[3], seed=self.seed
            )

        best = fit(HeteroSage(), np.where(late, targets.degree >= 0.5, noticed), ~late, late).fitted_.best
        every = np.ones(len(late), dtype=bool)
        return fit(HeteroSage(epochs=best, patience=best), noticed, every, every)
