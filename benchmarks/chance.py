"""Models as large as a night would train, graph network and all, that know nothing: `python -m benchmarks.chance HOME`.

What a score costs does not depend on what was learned, and a training admits a network only where it helps. The
models are made of HOME's applications, or of those of another home (`--of`), are promoted in HOME's registry, and HOME
is given a graph for scores with them.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gnn.labels import Targets
from gnn.manifest import Training
from gnn.models.fusion import Fusion
from gnn.models.hetero_sage import HeteroSage
from gnn.models.isolation import Isolation
from gnn.registry import By
from gnn.rules import read_settings
from gnn.scorer import Scorer, prior_links
from gnn.training import Prepared, fit_main, model_names_of
from graph.records import from_millis
from workbench import scoring
from workbench.instance import Instance, open_graph
from workbench.online import images
from workbench.online.settings import ServiceSettings

LEARNED_FROM = 60_000
"""Rows that the models are made of: more would only take longer."""

WEIGHTS = {"isolation": 0.1, "gnn": 0.1, "rules": 0.1}


def chance(ready: Prepared, until: int) -> Scorer:
    """As many trees, kinds and layers as a training leaves behind; trees of noise are the deepest."""
    names, book = model_names_of(ready.seen), ready.book
    x, dice = ready.seen.only(names), np.random.default_rng(7)
    known = np.flatnonzero(book.as_of <= until)[:LEARNED_FROM]
    degree = (dice.random(len(book)) < 0.1).astype(np.float64)
    train, validation = np.zeros((2, len(book)), dtype=bool)
    train[known[::2]], validation[known[1::2]] = True, True
    targets = Targets(known, degree[known], np.ones(len(known)))
    sage = HeteroSage(epochs=2).fit(
        x, prior_links(book, ready.seen), degree > 0, np.ones(len(book)), train=train, validation=validation, seed=7
    )
    return Scorer(
        names=names,
        isolation=Isolation.fit(x[known], seed=7),
        settings=read_settings(),
        review_from=0.5,
        main=fit_main(ready.seen, targets, names, seed=7, threads=1),
        sage=sage,
        fusion=Fusion(WEIGHTS),
    )


def made_of(home: Path) -> tuple[Scorer, datetime, datetime]:
    """The models, and the days of the first and the last application that they are made of."""
    settings = ServiceSettings.read({"RINGROAD_HOME": str(home)}).base
    with open_graph(settings, None) as store:
        ready = scoring.prepare(Instance(settings, store, None))
    until = int(ready.book.as_of.max())
    return chance(ready, until), from_millis(int(ready.book.submitted.min())), from_millis(until)


def serve(home: Path, scorer: Scorer, first: datetime, last: datetime) -> None:
    """The scorer is HOME's champion, and stands in its graph for scores."""
    settings = ServiceSettings.read({"RINGROAD_HOME": str(home)})
    training = Training(
        features_hash=scoring.features_hash(),
        trained_from=first,
        trained_until=last,
        labels_until=last,
        metrics={},
        at_least={},
        at_most={},
        latency_ms=scoring.LATENCY_MS,
        parameters={"auxiliaries": dict(scorer.fusion.weights), "features": len(scorer.names)},
        seed=7,
    )
    models, by = scoring.registry(settings.base), By("benchmark", "models of chance", datetime.now(UTC))
    models.promote(models.publish(scorer.save, training, by), by, features_hash=scoring.features_hash())
    images.refresh(settings, lambda name, done, total: print(f"{name} {done:,}/{total:,}", flush=True))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chance", description=__doc__)
    parser.add_argument("home", type=Path, help="a home that may be written to")
    parser.add_argument("--of", type=Path, help="the home whose applications the models are made of; default: HOME")
    given = parser.parse_args()
    serve(given.home, *made_of(given.of or given.home))


if __name__ == "__main__":
    main()
