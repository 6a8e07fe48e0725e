"""What the alerts save, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from gnn.evaluation.ranking import Bools, Floats


@dataclass(frozen=True)
class Costs:
    """RMB and shares, all assumptions (domain.md §5.3, §5.4): a user puts his own here."""

    loss_given_fraud: float = 0.6
    review: float = 80.0
    """A review of one alert."""
    lost_margin: float = 3_000.0
    """An honest customer who was declined."""
    delay: float = 50.0
    """An honest customer who had to wait."""
    stopped: float = 0.92
    """Share of alerted fraud that the review recognises."""
    cleared: float = 0.97
    """Share of honest alerts that the review clears; the others are declined."""


@dataclass(frozen=True)
class Balance:
    """RMB; `net` is what was stopped and recovered less the three costs."""

    rate: float
    alerts: float
    stopped: float
    recovered: float
    reviews: float
    declined: float
    delayed: float
    net: float


@dataclass(frozen=True)
class Swing:
    """`net` with one constant halved and with half as much again."""

    constant: str
    low: float
    high: float


def balance(chance: Floats, is_fraud: Bools, amount: Floats, costs: Costs, *, recovered: float = 0.0) -> Balance:
    """Of alerts at application time; `recovered` is what alerts after the payout brought back."""
    alerts, alarms = float(chance.sum()), float(chance[~is_fraud].sum())
    stopped = float((chance * amount)[is_fraud].sum()) * costs.stopped * costs.loss_given_fraud
    reviews = alerts * costs.review
    declined = alarms * (1 - costs.cleared) * costs.lost_margin
    delayed = alarms * costs.cleared * costs.delay
    rate = alerts / len(chance) if len(chance) else np.nan
    net = stopped + recovered - reviews - declined - delayed
    return Balance(rate, alerts, stopped, recovered, reviews, declined, delayed, net)


SWUNG = ("loss_given_fraud", "review", "lost_margin", "delay")


def sensitivity(
    chance: Floats, is_fraud: Bools, amount: Floats, costs: Costs, *, recovered: float = 0.0
) -> tuple[Swing, ...]:
    """`net` when one constant at a time is 50 % lower or higher; the widest swing first."""
    swings = []
    for name in (each.name for each in fields(costs) if each.name in SWUNG):
        nets = [
            balance(
                chance, is_fraud, amount, replace(costs, **{name: getattr(costs, name) * by}), recovered=recovered
            ).net
            for by in (0.5, 1.5)
        ]
        swings.append(Swing(name, min(nets), max(nets)))
    return tuple(sorted(swings, key=lambda each: each.low - each.high))
