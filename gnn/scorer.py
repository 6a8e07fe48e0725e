"""The models of one version together: from features to a calibrated score with what every part of it added."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from gnn.book import Book, Floats
from gnn.calibrate import Calibration
from gnn.features.assemble import Features
from gnn.labels import Hindsight
from gnn.models.boosted import Boosted
from gnn.models.fusion import Fusion
from gnn.models.hetero_sage import HeteroSage
from gnn.models.isolation import Isolation
from gnn.priors import PriorLinks
from gnn.ringrank import RingRank
from gnn.rules import Settings, Verdicts, evaluate
from gnn.walk import KINDS
from graph.errors import ModelRefused
from graph.records import Ints

CARD, ISOLATION = "scorer.json", "isolation.npz"
EDGE = 1e-6


@dataclass(frozen=True)
class Scores:
    """Per row of the features: `score` is calibrated, 0 to 1; `main` and `added` are log-odds before calibration;
    NaN where there is no model, and then `score` ranks by rules and isolation and promises no probability."""

    rows: Ints
    score: Floats
    main: Floats
    added: Mapping[str, Floats]
    auxiliaries: Mapping[str, Floats]
    rules: Verdicts
    review_from: float

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, place: int) -> Scores:
        """One of them alone."""
        one = slice(place, place + 1)
        added, auxiliaries = (
            {name: each[one] for name, each in told.items()} for told in (self.added, self.auxiliaries)
        )
        return Scores(
            self.rows[one],
            self.score[one],
            self.main[one],
            added,
            auxiliaries,
            self.rules.only(place),
            self.review_from,
        )


@dataclass(frozen=True)
class Scorer:
    """`names` are the main model's features in order. Without labels there is no `main`: rules and the isolation
    forest then speak alone. `review_from` is the score from which a person looks."""

    names: tuple[str, ...]
    isolation: Isolation
    settings: Settings
    review_from: float
    main: Boosted | None = None
    sage: HeteroSage | None = None
    fusion: Fusion = field(default_factory=Fusion)
    calibration: Calibration = field(default_factory=lambda: Calibration("none"))
    hindsight: Hindsight | None = None
    ring_rank: RingRank = field(default_factory=RingRank)

    def score(
        self,
        seen: Features,
        book: Book,
        rows: Ints | None = None,
        columns: Mapping[str, npt.NDArray[Any]] | None = None,
    ) -> Scores:
        """Of `rows` of the features (default: all). `columns` are what the rules read besides the features."""
        at = np.arange(len(seen.rows)) if rows is None else rows
        x = seen.only(self.names)[at]
        told = evaluate(_columns(seen, at, columns or {}), self.settings)
        auxiliaries = self.alone(x, told)
        if self.sage is not None:
            auxiliaries["gnn"] = self._heard(seen, book)[at]
        return self.fused(seen.rows[at], x, auxiliaries, told)

    def alone(self, x: npt.NDArray[np.float32], told: Verdicts) -> dict[str, Floats]:
        """The auxiliaries that need nothing but the rows themselves."""
        return {
            "isolation": -np.log(np.maximum(1 - self.isolation.percentile(x) / 100, 1e-4)),
            "rules": told.points / 50.0,
        }

    def fused(
        self, rows: Ints, x: npt.NDArray[np.float32], auxiliaries: Mapping[str, Floats], told: Verdicts
    ) -> Scores:
        """`x` are the columns `names` of these rows."""
        if self.main is None:
            rank = expit(auxiliaries["isolation"] / 2 - 4 + told.points / 25)
            return Scores(rows, rank, np.full(len(rows), np.nan), {}, auxiliaries, told, self.review_from)
        main = log_odds(self.main.score(x))
        added = self.fusion.added(auxiliaries)
        score = self.calibration(expit(main + sum(added.values(), np.zeros(len(rows)))))
        return Scores(rows, score, main, added, auxiliaries, told, self.review_from)

    def _heard(self, seen: Features, book: Book) -> Floats:
        assert self.sage is not None  # noqa: S101 - asked for by `auxiliaries` only
        return log_odds(self.sage.score(seen.only(self.names), prior_links(book, seen)))

    # On disk -----------------------------------------------------------------------------------------------

    def save(self, folder: Path) -> None:
        """Plain files without pickle, ready for the registry."""
        self.isolation.save(folder / ISOLATION)
        card: dict[str, Any] = {
            "names": self.names,
            "review_from": self.review_from,
            "fusion": {"weights": dict(self.fusion.weights), "gains": dict(self.fusion.gains)},
            "calibration": self.calibration.as_json(),
            "parts": [],
        }
        if self.main is not None:
            self.main.save(folder, "main")
            card["parts"].append("main")
        if self.sage is not None:
            self.sage.save(folder)
            card["parts"].append("sage")
        if self.hindsight is not None:
            self.hindsight.model.save(folder, "hindsight")
            card["parts"].append("hindsight")
            card["share"] = self.hindsight.share
        if self.ring_rank.model is not None:
            self.ring_rank.model.save(folder, "ringrank")
            card["parts"].append("ringrank")
        (folder / CARD).write_text(json.dumps(card, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, settings: Settings) -> Scorer:
        """Raises ModelRefused for a folder that holds no complete scorer."""
        try:
            card = json.loads((folder / CARD).read_text(encoding="utf-8"))
            parts, fusion = set(card["parts"]), card["fusion"]
            gains = {name: (float(one), float(other)) for name, (one, other) in fusion["gains"].items()}
            return cls(
                names=tuple(card["names"]),
                isolation=Isolation.load(folder / ISOLATION),
                settings=settings,
                review_from=float(card["review_from"]),
                main=Boosted.load(folder, "main") if "main" in parts else None,
                sage=HeteroSage.load(folder) if "sage" in parts else None,
                fusion=Fusion(fusion["weights"], gains),
                ring_rank=RingRank(Boosted.load(folder, "ringrank") if "ringrank" in parts else None),
                calibration=Calibration.from_json(card["calibration"]),
                hindsight=Hindsight(Boosted.load(folder, "hindsight"), float(card["share"]))
                if "hindsight" in parts
                else None,
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelRefused(
                f"{folder.name} holds no complete model ({type(error).__name__}); train again"
            ) from error


def log_odds(probability: Floats) -> Floats:
    return np.asarray(logit(np.clip(probability, EDGE, 1 - EDGE)))


def prior_links(book: Book, seen: Features) -> PriorLinks:
    """The links of the walk as the graph network reads them: under every kind that carries them, in equal parts."""
    target, slot = np.nonzero(seen.links.row >= 0)
    source, mask = seen.links.row[target, slot].astype(np.int64), seen.links.kinds[target, slot]
    carried = (mask[:, None] >> np.arange(len(KINDS))) & 1 == 1
    at, kind = np.nonzero(carried)
    weight = (seen.links.weight[target, slot] / np.maximum(carried.sum(axis=1), 1))[at]
    known = book.labels.evidence_at(source[at], book.as_of[target[at]]) > 0
    return PriorLinks(
        KINDS, source[at], target[at], kind, np.maximum(weight, 1e-6).astype(np.float32), known.astype(np.float32)
    )


def _columns(seen: Features, at: Ints, more: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    values = seen.values[at]
    return {name: values[:, number] for number, name in enumerate(seen.names)} | {
        name: each[at] for name, each in more.items()
    }


def parts(names: Sequence[str]) -> str:
    return ", ".join(names)
