"""Which candidates are rings, learned from the candidates of earlier nights and what is now known of their members.

`graph/` weighs candidates by what can be said in words; this adds what the scores know of the members. It is a second
opinion with a gate: on the last nights before training it must place more fraud within the same number of
applications than the unlearned order does, or it stays silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gnn.book import Floats
from gnn.models.boosted import Boosted
from graph.choice import choose
from graph.lookalikes import LOOK_ALIKES, factors
from graph.projection import UNIT
from graph.records import Ints
from graph.rings import Examined

NAMES = (
    "people", "applications", "days", "linked_share", "dealer_share", "inside", "tied", "closed", "strands", "points",
    "unlearned", "factor", *(f"doubt_{each.name}" for each in LOOK_ALIKES),
    "risk_mean", "risk_median", "risk_most", "risk_least", "risky_share", "known_fraud",
)  # fmt: skip
RISKY = 0.3
SMALL = 6.0
"""A group of so many is worth half of a large one as pure: else the purest three of a ring would stand for it."""

HALF = 0.00743
"""Scores .5; .004, which scores .35, is the least worth an investigator's look (`choice.py`)."""

BUDGET = 0.01


@dataclass(frozen=True)
class Known:
    """Per application on a night: `degree` of fraud by hindsight, labelled as fraud or not."""

    degree: Floats
    fraud: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Night:
    """One night's candidates and what was known of their members; `target` per application is what is known now."""

    examined: Examined
    known: Known
    target: Floats | None = None


@dataclass(frozen=True)
class RingRank:
    """Without a `model` the unlearned score stands."""

    model: Boosted | None = None

    def scores(self, night: Night) -> Floats:
        """Per candidate, 0 to 1."""
        if self.model is None or not len(night.examined.groups):
            return night.examined.scores
        return worth(purity(self.model, night), night.examined)

    def rescored(self, night: Night) -> Examined:
        return replace(night.examined, scores=self.scores(night))


def learn(nights: Sequence[Night], *, seed: int, threads: int = 1) -> tuple[RingRank, dict[str, float]]:
    """The nights in order; the last quarter decides whether what the others taught is used."""
    split = max(1, (3 * len(nights)) // 4)
    told, held = nights[:split], nights[split:]
    first = _fit(told, seed, threads)
    if first is None or not held:
        return RingRank(), {}
    learned = sum(_caught(RingRank(first).scores(night), night) for night in held)
    plain = sum(_caught(night.examined.scores, night) for night in held)
    figures = {"ring_fraud_caught": learned, "ring_fraud_caught_unlearned": plain}
    if learned <= plain:
        return RingRank(), figures
    return RingRank(_fit(nights, seed, threads)), figures


def _fit(nights: Sequence[Night], seed: int, threads: int) -> Boosted | None:
    x = np.concatenate([columns(night) for night in nights])
    pure = np.concatenate([_mean(_per_party(night, night.target), night) for night in nights])  # type: ignore[arg-type]
    fraud = np.concatenate([np.zeros(len(x), bool), np.ones(len(x), bool)])
    weight = np.concatenate([1 - pure, pure])
    if not (pure > 0.5).sum() >= 5:
        return None
    model = Boosted(max_depth=3, rounds=150, min_child_weight=10.0, colsample_bytree=0.6, seed=seed, threads=threads)
    kept = weight > 0
    return model.fit(np.concatenate([x, x])[kept], fraud[kept], weight=weight[kept], names=NAMES)


def purity(model: Boosted, night: Night) -> Floats:
    """The share of each candidate's people that is expected to be fraud."""
    return model.score(columns(night))


def worth(pure: Floats, examined: Examined) -> Floats:
    """How pure, how large, and how much of a ring in what can be said in words.

    The words count twice: hindsight knows members, not which of several groups around them is the ring.
    """
    people = examined.measured.people
    x = examined.scores**2 * pure * people / (people + SMALL)
    return np.asarray(np.round(x / (x + HALF), 4))


def columns(night: Night) -> npt.NDArray[np.float32]:
    """One row per candidate, in the order of `NAMES`."""
    examined, measured = night.examined, night.examined.measured
    people = np.maximum(measured.people, 1)
    inside = measured.inside / UNIT
    total = inside.sum(axis=1)
    part = inside / np.maximum(total, 1e-9)[:, None]
    strands = np.exp(-(part * np.log(np.maximum(part, 1e-9))).sum(axis=1))
    degree = _per_party(night, night.known.degree)
    fraud = _per_party(night, night.known.fraud.astype(np.float64))
    start, member = examined.groups.start[:-1], examined.groups.member

    def total_of(values: Floats) -> Floats:
        return np.asarray(np.add.reduceat(values[member], start))

    return np.stack(
        [
            measured.people, measured.applications, measured.days, measured.linked / people,
            measured.top_dealer / people, total / people, measured.tied / UNIT / people,
            total / np.maximum(total + measured.leaving / UNIT, 1e-9), strands,
            measured.points - examined.average, examined.scores, factors(examined.looks_like),
            *examined.looks_like.T.astype(np.float64), total_of(degree) / people, _median(degree, examined),
            np.maximum.reduceat(degree[member], start), np.minimum.reduceat(degree[member], start),
            total_of((degree >= RISKY).astype(np.float64)) / people,
            total_of(fraud) / people,
        ],
        axis=1,
    ).astype(np.float32)  # fmt: skip


def _median(values: Floats, examined: Examined) -> Floats:
    number, member = examined.groups.number, examined.groups.member
    order = np.lexsort((values[member], number))
    return np.asarray(values[member][order][examined.groups.start[:-1] + examined.groups.sizes // 2])


def _per_party(night: Night, values: Floats) -> Floats:
    """The greatest of a person's applications in the window."""
    projection = night.examined.projection
    most = np.zeros(projection.size)
    np.maximum.at(most, projection.party[projection.window], values[projection.window])
    return most


def _mean(values: Floats, night: Night) -> Floats:
    groups = night.examined.groups
    return np.add.reduceat(values[groups.member], groups.start[:-1]) / np.maximum(groups.sizes, 1)


def _caught(scores: Floats, night: Night) -> float:
    """Degrees of fraud among the first hundredth of the window's applications, by the order of these scores."""
    examined = night.examined
    best: Ints = choose(examined.groups, scores, parties=examined.projection.size)
    sizes = examined.measured.applications[best]
    fits = np.cumsum(sizes) <= BUDGET * len(examined.projection.window)
    target = _mean(_per_party(night, night.target), night) * examined.groups.sizes  # type: ignore[arg-type]
    return float(target[best][fits].sum())
