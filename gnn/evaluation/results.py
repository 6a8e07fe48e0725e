"""What `evaluate_rows` finds: plain figures that go into report.json as they are."""

from __future__ import annotations

from dataclasses import dataclass

from gnn.evaluation.chance import Estimate
from gnn.evaluation.money import Balance, Costs, Swing
from gnn.evaluation.rows import Bin, LookAlike


@dataclass(frozen=True)
class AtRate:
    """The `rate` of applications with the highest scores."""

    rate: float
    recall: Estimate
    ceiling: float
    amount_recall: Estimate
    amount_ceiling: float
    precision: float
    false_per_hit: float


@dataclass(frozen=True)
class AtK:
    """The `k` highest scores of each day, mean over days; `lift` is precision over the base rate."""

    k: int
    precision: Estimate
    ceiling: float
    lift: float


@dataclass(frozen=True)
class Month:
    """Recall within the alerts of the whole period: no month has a limit of its own."""

    month: str
    applications: int
    frauds: int
    pr_auc: float
    recall: float


@dataclass(frozen=True)
class RingClass:
    """Fraud of one class of rings: for its PR-AUC other fraud is set aside, for its recall the alerts stay the same."""

    name: str
    frauds: int
    rings: int
    pr_auc: Estimate
    recall: Estimate


@dataclass(frozen=True)
class Curve:
    rate: tuple[float, ...]
    """Share of applications alerted."""
    recall: tuple[float, ...]
    precision: tuple[float, ...]


@dataclass(frozen=True)
class Method:
    """Every figure of one score; `lift` is its PR-AUC over that of `RowEvaluation.against`, draw by draw.

    Brier, ECE and calibration are those of a probability: nan and empty for any other score.
    """

    name: str
    pr_auc: Estimate
    lift: Estimate
    roc_auc: Estimate
    brier: float
    ece: float
    calibration: tuple[Bin, ...]
    at_k: AtK
    at_rates: tuple[AtRate, ...]
    curve: Curve
    months: tuple[Month, ...]
    classes: tuple[RingClass, ...]
    look_alikes: tuple[LookAlike, ...]
    money: tuple[Balance, ...]
    sensitivity: tuple[Swing, ...]


@dataclass(frozen=True)
class RowEvaluation:
    """`unknown` applications had no label and count nowhere; `main` is the method of the headline."""

    applications: int
    unknown: int
    frauds: int
    base_rate: float
    rings: int
    days: int
    amount: float
    fraud_amount: float
    first: str
    last: str
    draws: int
    costs: Costs
    against: str
    main: str
    methods: tuple[Method, ...]

    def method(self, name: str) -> Method:
        return next(each for each in self.methods if each.name == name)
