"""Scores of applications one by one: all models of a version over a desk, with the graph network's embeddings kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from gnn.book import Book
from gnn.features.assemble import Features
from gnn.files import ApplicationFile
from gnn.models.hetero_sage import HeteroSage
from gnn.online import Desk
from gnn.priors import PriorLinks
from gnn.room import grown
from gnn.rules import evaluate
from gnn.rules.columns import Peers, decision_columns
from gnn.scorer import Scorer, Scores, log_odds, prior_links
from gnn.walk import KINDS, Links

PEERS_READ = ("amount", "product", "price_to_income")


class Assessed(NamedTuple):
    """`rule_columns` are what the rules read besides the features."""

    row: int
    seen: Features
    scores: Scores
    rule_columns: Mapping[str, npt.NDArray[Any]]


class Assessor:
    """A desk and the models that score what arrives there; one thread, as the desk."""

    def __init__(self, desk: Desk, scorer: Scorer, seen: Features, peers: Peers | None = None) -> None:
        """`seen` are the features of the book that the desk was opened on."""
        self.desk, self.scorer, self.peers = desk, scorer, peers
        number = {name: at for at, name in enumerate(seen.names)}
        self._places = np.array([number[name] for name in scorer.names], dtype=np.int64)
        self._embeddings: npt.NDArray[np.float32] | None = None
        if scorer.sage is not None:
            layers = scorer.sage.embed(seen.only(scorer.names), prior_links(desk.book, seen))
            self._embeddings = np.ascontiguousarray(layers.transpose(1, 0, 2))

    def assess(self, file: ApplicationFile) -> Assessed:
        """The file arrives and is scored by everything told before it. Raises InputError where it is there already."""
        row = self.desk.arrive(file)
        seen, scorer, book = self.desk.features_of(row), self.scorer, self.desk.book
        by_name = dict(zip(seen.names, seen.values.T, strict=True))
        columns: Mapping[str, npt.NDArray[Any]] = {}
        if self.peers is not None:
            columns = decision_columns(book, seen.rows, by_name, self.peers)
        told = evaluate(by_name | dict(columns), scorer.settings)
        x = seen.values[:, self._places]
        auxiliaries = scorer.alone(x, told)
        if scorer.sage is not None:
            auxiliaries["gnn"] = log_odds(np.array([self._hear(scorer.sage, book, row, x[0], seen.links)]))
        return Assessed(row, seen, scorer.fused(seen.rows, x, auxiliaries, told), columns)

    def _hear(self, sage: HeteroSage, book: Book, row: int, x: npt.NDArray[np.float32], links: Links) -> float:
        assert self._embeddings is not None  # noqa: S101 - made with the network
        self._embeddings = grown(self._embeddings, row + 1, 0)
        score, own = sage.one(x, links_into(book, row, links), self._embeddings.transpose(1, 0, 2))
        self._embeddings[row] = own
        return score


def links_into(book: Book, row: int, links: Links) -> PriorLinks:
    """Those of one row, as `prior_links` gives them for all."""
    slots = np.flatnonzero(links.row[row] >= 0)
    source, mask = links.row[row, slots].astype(np.int64), links.kinds[row, slots]
    carried = (mask[:, None] >> np.arange(len(KINDS))) & 1 == 1
    at, kind = np.nonzero(carried)
    weight = (links.weight[row, slots] / np.maximum(carried.sum(axis=1), 1))[at]
    source = source[at]
    when = np.full(len(source), book.as_of[row])
    told = book.labels
    known = (told.fraud_from[source] <= when) & (told.fraud_until[source] > when)
    return PriorLinks(
        KINDS, source, np.full(len(source), row), kind, np.maximum(weight, 1e-6).astype(np.float32),
        known.astype(np.float32),
    )  # fmt: skip
