"""What speaks for an application: features that lower its score, and what the score would be without a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gnn.book import Floats
from gnn.explain import CODES, Text, Values, entry, says, without
from gnn.scorer import Scorer, log_odds

LEAST = 0.05
"""A smaller share of all that lowers the score says nothing."""


@dataclass(frozen=True)
class Favour:
    """A feature that lowers the score, by so much in log-odds (positive), and what it says; also by not being there."""

    feature: str
    strength: float
    says: Text


def favours(contributions: Floats, values: Values, names: Sequence[str], *, most: int) -> tuple[Favour, ...]:
    """Of one application, the strongest first. `contributions` of shape (features + 1,), the base last."""
    parts = contributions[:-1]
    lowered = float(-parts[parts < 0].sum())
    order = np.argsort(parts, kind="stable")[:most].tolist()
    return tuple(
        Favour(names[at], float(-parts[at]), says(entry(names[at]), float(values[at])))
        for at in order
        if parts[at] < 0 and -parts[at] >= LEAST * lowered and np.isfinite(values[at])
    )


def scores_without(
    scorer: Scorer, values: Values, names: Sequence[str], added: Mapping[str, float], codes: Sequence[str]
) -> dict[str, float]:
    """Per reason code the calibrated score that the same application has where that reason's features are those of one
    that shares nothing and is ordinary; what auxiliaries add stays. Empty without a main model.

    `values` of shape (features,).
    """
    if scorer.main is None or not codes:
        return {}
    asked = [code for code in codes if code in CODES]
    changed = np.stack([without(values, names, code) for code in asked])
    margin = log_odds(scorer.main.score(changed)) + sum(added.values())
    scores = scorer.calibration(1 / (1 + np.exp(-margin)))
    return {code: float(score) for code, score in zip(asked, scores, strict=True)}
