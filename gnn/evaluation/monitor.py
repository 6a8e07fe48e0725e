"""Whether scores moved (PSI), and whether alerts fall on some groups more than on others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gnn.evaluation.chance import Share, wilson
from gnn.evaluation.ranking import Bools, Floats, ratio

SHIFTED = 0.25
"""A PSI above is pointed out."""

FAIR = (0.8, 1.25)
"""A disparity ratio outside is pointed out."""


def psi(reference: Floats, current: Floats, bins: int = 10) -> float:
    """Population stability index over the quantiles of `reference`; customary: < .1 stable, > .25 shifted.

    Missing values are a bin of their own. An empty bin counts half a row, else one rare value would be infinite.
    """
    known = reference[~np.isnan(reference)]
    if not len(reference) or not len(current):
        return np.nan
    edges = np.unique(np.quantile(known, np.arange(1, bins) / bins)) if len(known) else np.zeros(0)
    before, now = (
        np.bincount(np.where(np.isnan(each), len(edges) + 1, np.searchsorted(edges, each)), minlength=len(edges) + 2)
        for each in (reference, current)
    )
    used = (before + now) > 0
    shares = [np.maximum(each[used], 0.5) / each.sum() for each in (before, now)]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())


@dataclass(frozen=True)
class Disparity:
    """One group against all others: how often it is alerted, and how often although honest."""

    group: str
    alerts: Share
    false_alarms: Share
    alert_ratio: float
    false_alarm_ratio: float
    outside: bool
    """One of the ratios is not within `FAIR`."""


def disparities(alert: Bools, is_fraud: Bools, group: npt.NDArray[np.object_]) -> tuple[Disparity, ...]:
    """Monitoring only: a group is no feature."""
    names = group.astype(str)
    return tuple(_against_others(str(name), alert, is_fraud, names == name) for name in np.unique(names))


def _against_others(name: str, alert: Bools, is_fraud: Bools, own: Bools) -> Disparity:
    def both(rows: Bools) -> tuple[Share, float]:
        mine = wilson(int(alert[rows & own].sum()), int((rows & own).sum()))
        others = ratio(alert[rows & ~own].sum(), (rows & ~own).sum())
        return mine, float(ratio(mine.value, others))

    alerts, alert_ratio = both(np.ones(len(alert), dtype=np.bool_))
    false_alarms, false_alarm_ratio = both(~is_fraud)
    outside = any(each < FAIR[0] or each > FAIR[1] for each in (alert_ratio, false_alarm_ratio))
    return Disparity(name, alerts, false_alarms, alert_ratio, false_alarm_ratio, outside)
