"""What a network is trained and judged by, and how that went; without torch, so that scoring need not import it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from gnn.priors import Singles
from graph.errors import InputError
from graph.records import Ints

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Examples:
    """Rows with a label and what each counts; the weights sum to 1."""

    rows: Ints
    fraud: Singles
    weight: Singles

    @classmethod
    def of(cls, y: npt.NDArray[np.generic], weight: Floats, among: Flags, name: str) -> Self:
        """Those of `among` whose weight is above 0. Raises InputError where they are all of one class."""
        rows = np.flatnonzero(among & (weight > 0)).astype(np.int64)
        if (fraud := int(np.count_nonzero(y[rows]))) in (0, len(rows)):
            raise InputError(
                f"the {name} labels are all of one class ({fraud} of {len(rows)} are fraud); "
                "take a longer period or wait for more labels to mature, so that both classes occur"
            )
        return cls(rows, y[rows].astype(np.float32), (weight[rows] / weight[rows].sum()).astype(np.float32))

    @property
    def rate(self) -> float:
        return float(self.fraud @ self.weight)


@dataclass(frozen=True)
class Fitted:
    """How training went: `best` is the epoch whose weights were kept, `auprc` and the rest are its validation.

    `expected` and `observed` are the mean score and the share of fraud there, weighted, before any calibration.
    """

    epochs: int
    best: int
    auprc: float
    expected: float
    observed: float
