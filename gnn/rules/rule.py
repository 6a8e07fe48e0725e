"""What a rule is: one question to the columns of an application, with what it counts and what to do about a yes.

Not stated is NaN, and NaN answers every question with no.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

Columns = Mapping[str, npt.NDArray[np.floating[Any]]]
"""Float columns of equal length by name: those of `gnn/features` and of `columns.py`, `night_columns.py`."""

Flags = npt.NDArray[np.bool_]
Thresholds = Mapping[str, float]
"""A rule's own thresholds by name, as `settings.yaml` says them; a tuple where the threshold is `many`."""


class Strength(StrEnum):
    """STRONG can decline or block by itself; REVIEW only ever asks for a person; WEAK adds its points to others'."""

    STRONG = "strong"
    REVIEW = "review"
    WEAK = "weak"


class Stage(StrEnum):
    """When its columns can be had: at the decision, after a night's run, or a night about the dealer."""

    DECISION = "decision"
    NIGHT = "night"
    DEALER = "dealer"


class Cluster(StrEnum):
    """Which detector it belongs to; each application has points per cluster."""

    IDENTITY = "identity"
    DOCUMENT = "document"
    RING = "ring"
    CHANNEL = "channel"
    BEHAVIOUR = "behaviour"


@dataclass(frozen=True)
class Threshold:
    """A number a lender can set, from `low` to `high`; `many` of them where it is a list."""

    name: str
    unit: str
    low: float
    high: float
    whole: bool = False
    many: bool = False


def people(name: str = "people", low: int = 2) -> Threshold:
    return Threshold(name, "people", low, 1000, whole=True)


def count(name: str, unit: str, low: int = 1) -> Threshold:
    return Threshold(name, unit, low, 1000, whole=True)


def days(name: str = "days") -> Threshold:
    return Threshold(name, "days", 0, 3650)


def months(name: str = "months") -> Threshold:
    return Threshold(name, "months", 0, 600)


def share(name: str) -> Threshold:
    return Threshold(name, "share", 0, 1)


def times(name: str = "times") -> Threshold:
    return Threshold(name, "times", 0, 100)


class Rule(ABC):
    """One rule of the catalogue (domain.md §2.4); a subclass's docstring is what users read.

    `points` count for a weak rule; those of the others say what they weigh in a cluster's score.
    `exempts` are those of the columns it `reads` that can only excuse: unsaid, they excuse nobody.
    Of the columns in `either` one that is stated is enough to ask.
    `reason` is the reason code, `advice_zh` and `advice_en` what the investigator does.
    """

    code: ClassVar[str]
    strength: ClassVar[Strength]
    points: ClassVar[int]
    stage: ClassVar[Stage] = Stage.DECISION
    cluster: ClassVar[Cluster]
    reads: ClassVar[tuple[str, ...]]
    exempts: ClassVar[tuple[str, ...]] = ()
    either: ClassVar[tuple[str, ...]] = ()
    thresholds: ClassVar[tuple[Threshold, ...]] = ()
    reason: ClassVar[str]
    typologies: ClassVar[tuple[str, ...]]
    zh: ClassVar[str]
    en: ClassVar[str]
    advice_zh: ClassVar[str]
    advice_en: ClassVar[str]

    @abstractmethod
    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        """For all rows at once; reads the columns in `reads` and nothing else."""

    @property
    def says(self) -> str:
        """One sentence for users."""
        return inspect.cleandoc(type(self).__doc__ or "")
