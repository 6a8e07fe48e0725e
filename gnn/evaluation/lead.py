"""Detection lead: how much of a ring had already happened when it was first flagged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gnn.evaluation.ranking import ratio


@dataclass(frozen=True)
class Spread:
    mean: float
    median: float
    p90: float

    @classmethod
    def of(cls, values: pd.Series[float]) -> Spread:
        known = values.dropna().to_numpy(dtype=np.float64)
        if not len(known):
            return cls(np.nan, np.nan, np.nan)
        return cls(float(known.mean()), float(np.median(known)), float(np.percentile(known, 90)))


@dataclass(frozen=True)
class Lead:
    """Over rings. A ring that was never flagged counts with its full size, and not for the days to its flag."""

    rings: int
    flagged: int
    approved: Spread
    """Applications approved before the first flag."""
    funded: Spread
    preventable: float
    """Share of the money paid out to the rings that was paid at their first flag or later."""
    days: Spread
    """From a ring's first application to its first flag."""


def first_flags(members: pd.DataFrame, flags: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """Per ring (application_id, ring) when the first of its members was flagged (application_id, flagged_at)."""
    first = flags.groupby("application_id")["flagged_at"].min()
    return members["application_id"].map(first).groupby(members["ring"]).min().dropna()


def detection_lead(members: pd.DataFrame, flagged_at: pd.Series[pd.Timestamp]) -> Lead:
    """Of members (ring, submitted_at, approved_at, funded_at, amount; NaT: never), and each ring's first flag."""
    flagged_at = flagged_at.astype(members["submitted_at"].dtype)
    flag = members["ring"].map(flagged_at)
    missed, paid = flag.isna(), members["funded_at"].notna()
    per_ring = members.assign(
        approved=(members["approved_at"] < flag) | missed,
        funded=(members["funded_at"] < flag) | missed,
    ).groupby("ring")
    first = per_ring["submitted_at"].min()
    days = (flagged_at.reindex(first.index) - first).dt.total_seconds() / 86_400
    later = paid & (members["funded_at"] >= flag)
    return Lead(
        rings=per_ring.ngroups,
        flagged=int(days.notna().sum()),
        approved=Spread.of(per_ring["approved"].sum()),
        funded=Spread.of(per_ring["funded"].sum()),
        preventable=float(ratio(members["amount"][later].sum(), members["amount"][paid].sum())),
        days=Spread.of(days),
    )
