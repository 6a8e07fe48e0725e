"""Our trees on a public graph with published figures: `python -m benchmarks.tolokers [--masks 10]`.

Tolokers: workers of a crowdsourcing platform linked by tasks they shared, 21.8 % of them banned; ten official splits
into training, validation and test. The graph and everybody's features are given, as in the published figures; labels
are seen in training only, and the validation labels decide when XGBoost stops. Test labels are for the table.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import average_precision_score, roc_auc_score

from gnn.models.boosted import Boosted
from gnn.neighbours import Columns, Flags, Floats, known_fraud, rich, spectral

FILE = Path(__file__).parent / "data" / "tolokers.npz"
MASKS = 10
FIGURES = ("AUROC", "AUPRC", "Rec@K")
OTHERS = {
    "GraphSAGE, default": (80.4, 48.1, 48.8),
    "BWGNN, default": (81.9, 53.9, 51.6),
    "XGBGraph (x, mean, mean²), default": (83.1, 54.8, 53.2),
    "Polynormer-r, RFGraph, GAAP (best published, one each)": (85.91, 58.2, 56.1),
}

FORESTS = {"n_estimators": 300, "min_samples_leaf": 2}


@dataclass(frozen=True)
class Tolokers:
    """`training`, `validation` and `test` are flags of shape (masks, workers)."""

    graph: csr_array
    x: Floats
    names: tuple[str, ...]
    banned: Flags
    training: Flags
    validation: Flags
    test: Flags

    @classmethod
    def read(cls) -> Self:
        with np.load(FILE) as file:
            x, ends = file["node_features"].astype(np.float64), file["edges"]
            return cls(
                graph=linked(len(x), *ends.T),
                x=x,
                names=tuple(f"feature {each}" for each in range(x.shape[1])),
                banned=file["node_labels"] == 1,
                training=file["train_masks"],
                validation=file["val_masks"],
                test=file["test_masks"],
            )

    @cached_property
    def own(self) -> Columns:
        return Columns.of(self.names, self.x)

    @cached_property
    def rich(self) -> Columns:
        return rich(self.graph, self.x, self.names)

    @cached_property
    def spectral(self) -> Columns:
        return spectral(self.graph, 32)

    def labels(self, mask: int) -> Columns:
        known = self.training[mask]
        return known_fraud(self.graph, self.banned, known, prior=float(self.banned[known].mean()))

    def shuffled(self) -> Tolokers:
        """Who is linked to whom is chance; degrees stay, but for links that were drawn twice or to oneself."""
        ends = np.random.default_rng(7).permutation(np.repeat(np.arange(len(self.x)), np.diff(self.graph.indptr)))
        return replace(self, graph=linked(len(self.x), *ends.reshape(2, -1)))


def linked(size: int, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> csr_array:
    apart = first != second
    ends = np.concatenate([first[apart], second[apart]]), np.concatenate([second[apart], first[apart]])
    graph = csr_array((np.ones(len(ends[0])), ends), shape=(size, size))
    graph.data[:] = 1
    return graph


def scores(workers: Tolokers, shuffled: Tolokers, mask: int, threads: int) -> Iterator[tuple[str, Floats]]:
    """Each model with its scores of all workers; what a model learns from is the training part alone."""
    banned, training, validation = workers.banned, workers.training[mask], workers.validation[mask]

    def boosted(columns: Columns) -> Floats:
        watched = columns.x[validation], banned[validation], None
        model = Boosted(threads=threads)
        model.fit(columns.x[training], banned[training], names=columns.names, validation=watched)
        return model.score(columns.x)

    labelled = workers.rich.beside(workers.labels(mask))
    yield "XGBoost, no graph", boosted(workers.own)
    yield "XGBoost, rich, labels, links shuffled", boosted(shuffled.rich.beside(shuffled.labels(mask)))
    yield "XGBoost, rich", boosted(workers.rich)
    for columns, what in ((labelled, "rich, labels"), (labelled.beside(workers.spectral), "rich, labels, spectral")):
        one = boosted(columns)
        yield f"XGBoost, {what}", one
        yield f"rank mean with forests, {what}", rank_mean(one, *forests(columns, banned, training, threads))


def forests(columns: Columns, banned: Flags, training: Flags, threads: int) -> Iterator[Floats]:
    for forest in (
        RandomForestClassifier(max_features=0.2, n_jobs=threads, random_state=7, **FORESTS),
        ExtraTreesClassifier(max_features=0.3, n_jobs=threads, random_state=7, **FORESTS),
    ):
        yield forest.fit(columns.x[training], banned[training]).predict_proba(columns.x)[:, 1]


def rank_mean(*members: Floats) -> Floats:
    """Scores of different kinds of trees are not on one scale; their ranks are."""
    ranks: Floats = rankdata(members, axis=1).mean(axis=0)
    return ranks


def judged(banned: Flags, score: Floats) -> Floats:
    """As FIGURES; K is the number of the banned, so that recall and precision at K are the same."""
    top = np.argsort(-score, kind="stable")[: banned.sum()]
    return np.array([roc_auc_score(banned, score), average_precision_score(banned, score), banned[top].mean()])


def measure(masks: int = MASKS, *, part: str = "test", threads: int = 1) -> dict[str, Floats]:
    """Per model an array of shape (masks, FIGURES), in percent."""
    workers = Tolokers.read()
    shuffled = workers.shuffled()
    found: dict[str, list[Floats]] = {}
    for mask in range(masks):
        chosen = getattr(workers, part)[mask]
        for model, score in scores(workers, shuffled, mask, threads):
            found.setdefault(model, []).append(100 * judged(workers.banned[chosen], score[chosen]))
    return {model: np.array(rows) for model, rows in found.items()}


def markdown(measured: dict[str, Floats]) -> str:
    rows = [(model, *(f"{value:.1f}" for value in values)) for model, values in OTHERS.items()]
    for model, values in measured.items():
        cells = zip(values.mean(axis=0), values.std(axis=0), strict=True)
        rows.append((model, *(f"{mean:.2f} ± {spread:.2f}" for mean, spread in cells)))
    lines = [("model", *FIGURES), ("---", *["--:"] * len(FIGURES)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tolokers", description=__doc__)
    parser.add_argument("--masks", type=int, default=MASKS, help=f"of the official splits (default {MASKS})")
    parser.add_argument("--part", default="test", choices=["test", "validation"], help="for choices: validation")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    print(markdown(measure(given.masks, part=given.part, threads=given.threads)))


if __name__ == "__main__":
    main()
