"""Whether the model that answers still sees the applications that it knew: scores of now beside its first ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import orjson

from gnn.evaluation.monitor import SHIFTED, psi
from workbench.journal import Journal

LOOKED_AT = 20_000
ENOUGH = 1_000
"""Scores on each side below which a shift says nothing."""

COMPARED = 2_000


class Watched(NamedTuple):
    """Of the version that answered last; `shifted` is beyond what is customary (PSI > .25)."""

    version: str
    psi: float
    before: int
    now: int

    @property
    def shifted(self) -> bool:
        return self.psi > SHIFTED


def watched(journal: Journal) -> Watched | None:
    """None while there are too few answers of one version."""
    told = [orjson.loads(each) for each in journal.latest_answers(LOOKED_AT)]
    if not told:
        return None
    version = str(told[-1]["model_version"])
    scores = np.array(
        [each["score"] for each in told if each["model_version"] == version and each["score"] is not None]
    )
    side = min(COMPARED, len(scores) // 2)
    if side < ENOUGH:
        return None
    return Watched(version, psi(scores[:side], scores[-side:]), side, side)
