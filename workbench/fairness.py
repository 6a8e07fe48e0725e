"""What a strategy would hand to people, by product and by the dealers' province, beside what is handed to them now.

A strategy that looks harder at some groups than at others may be right, and must be seen: a group whose share is not
within 0.8 and 1.25 times that of all others is pointed out (domain.md §5.3). Only the scores' limits are compared;
what other rules would find is known when they have been asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gnn.evaluation.monitor import disparities
from workbench.casebook.scores import Score
from workbench.casebook.strategies import Strategy
from workbench.casebook.strategy_overrides import chosen

if TYPE_CHECKING:
    from graph.snapshot import Snapshot

FEWEST = 30
"""Scored applications of a group below which its share says nothing."""

Texts = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """Applications as they were scored last, of equal length; `score` is NaN where nothing scored them."""

    score: Floats
    passed: npt.NDArray[np.bool_]
    province: Texts
    product: Texts


@dataclass(frozen=True)
class Share:
    """Of a group's applications those that people look at `now`, and `then`; `ratio` is then's to all others'."""

    what: str
    group: str
    number: int
    now: float
    then: float
    ratio: float
    outside: bool


def shares(told: Scored, now: Strategy, then: Strategy, *, model: float) -> tuple[Share, ...]:
    """`model` is the limit of the model that serves. The groups that would be looked at the most come first."""
    before, after = (_limits(told, each, model) for each in (now, then))
    by_rules = ~told.passed & ~(told.score >= before)
    looked, looks = (by_rules | (told.score >= each) for each in (before, after))
    found = [
        Share(what, each.group, int((group == each.group).sum()), float(looked[group == each.group].mean()),
              each.alerts.value, each.alert_ratio, each.outside)
        for what, group in (("product", told.product), ("province", told.province))
        for each in disparities(looks, np.zeros(len(looks), dtype=bool), group)
        if (group == each.group).sum() >= FEWEST
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda each: (each.what, -each.then, each.group)))


def _limits(told: Scored, strategy: Strategy, model: float) -> Floats:
    general = model if strategy.review_from is None else strategy.review_from
    limits = np.full(len(told.score), general)
    for province, product in set(zip(told.province, told.product, strict=True)):
        override = chosen(strategy.overrides, province, product)
        if override is not None and override.review_from is not None:
            limits[(told.province == province) & (told.product == product)] = override.review_from
    return limits


def scored(snapshot: Snapshot, told: Sequence[Score]) -> Scored:
    """With what the graph says of them; those that it does not hold are left out."""
    from graph.incidence import dealers  # noqa: PLC0415 - numba takes long to import
    from graph.records import node_ids  # noqa: PLC0415

    nodes = snapshot.nodes["Application"]
    at = nodes.index_of(node_ids("Application", [each.application_id for each in told]))
    kept = np.flatnonzero(at >= 0)
    dealer = dealers(snapshot, as_of=int(nodes.known_at.max(initial=0)))[at[kept]]
    region = np.array([*snapshot.nodes["Dealer"].table["region"].to_pylist(), None], dtype=object)[dealer]
    product = nodes.table["product"].take(at[kept]).to_pylist()
    return Scored(
        np.array([np.nan if told[one].score is None else told[one].score for one in kept.tolist()]),
        np.array([told[one].decision == "pass" for one in kept.tolist()], dtype=bool),
        np.array([str(each or "")[:2] for each in region], dtype=object),
        np.array([str(each or "") for each in product], dtype=object),
    )
