"""How well predicted clusters find the planted rings (domain.md §5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

LEAST_OVERLAP = 3
LEAST_SHARE = 0.3
LEAST_PURITY = 0.5


@dataclass(frozen=True)
class Interval:
    """A share with its Wilson interval; `of` is what it was counted on."""

    hits: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        return self.hits / self.of if self.of else float("nan")

    def __str__(self) -> str:
        return f"{self.hits}/{self.of} = {self.share:.2f} [{self.low:.2f}, {self.high:.2f}]"


def wilson(hits: int, of: int, z: float = 1.96) -> Interval:
    if of == 0:
        return Interval(0, 0, 0.0, 1.0)
    share, spread = hits / of, z * z / of
    centre = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / of + spread / (4 * of)) / (1 + spread)
    return Interval(hits, of, max(0.0, centre - half), min(1.0, centre + half))


def match_rings(clusters: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """One row per ring of `truth` (application_id, ring_id): the cluster matched to it, overlap, purity, hit.

    Clusters (application_id, cluster) and rings are paired one to one so that the total
    overlap is largest; a hit shares at least max(3, 30 % of the ring) and is half pure.
    """
    size = truth.groupby("ring_id")["application_id"].nunique()
    volume = clusters.groupby("cluster")["application_id"].nunique()
    both = truth.merge(clusters, on="application_id").groupby(["ring_id", "cluster"]).size().reset_index(name="overlap")
    found = pd.DataFrame({"ring_id": size.index, "size": size.to_numpy()})
    if both.empty:
        return found.assign(cluster=None, overlap=0, purity=0.0, hit=False)
    rings, ring_at = np.unique(both["ring_id"], return_inverse=True)
    names, cluster_at = np.unique(both["cluster"], return_inverse=True)
    overlap = np.zeros((len(rings), len(names)))
    overlap[ring_at, cluster_at] = both["overlap"]
    row, column = linear_sum_assignment(-overlap)
    paired = pd.DataFrame(
        {"ring_id": rings[row], "cluster": names[column], "overlap": overlap[row, column].astype(int)}
    )
    paired = paired[paired["overlap"] > 0]
    found = found.merge(paired, on="ring_id", how="left")
    found["overlap"] = found["overlap"].fillna(0).astype(int)
    found["purity"] = found["overlap"] / found["cluster"].map(volume).fillna(1)
    enough = found["overlap"] >= np.maximum(LEAST_OVERLAP, LEAST_SHARE * found["size"])
    return found.assign(hit=enough & (found["purity"] >= LEAST_PURITY))


def ring_recall(found: pd.DataFrame) -> Interval:
    return wilson(int(found["hit"].sum()), len(found))


def ring_precision(found: pd.DataFrame, clusters: pd.DataFrame) -> Interval:
    return wilson(int(found["hit"].sum()), clusters["cluster"].nunique())


def member_rates(clusters: pd.DataFrame, fraud: set[str]) -> tuple[float, float]:
    """Precision and recall of the flagged applications."""
    flagged = set(clusters["application_id"])
    hits = len(flagged & fraud)
    return hits / max(len(flagged), 1), hits / max(len(fraud), 1)


def b_cubed(clusters: pd.DataFrame, truth: pd.DataFrame) -> tuple[float, float]:
    """B-cubed precision and recall over the ring members that were clustered."""
    both = truth.merge(clusters, on="application_id")
    together = both.groupby(["ring_id", "cluster"]).size().reset_index(name="n")
    together["volume"] = together["cluster"].map(clusters.groupby("cluster").size())
    together["size"] = together["ring_id"].map(truth.groupby("ring_id").size())
    weight = together["n"].sum() or 1
    precision = float((together["n"] ** 2 / together["volume"]).sum() / weight)
    return precision, float((together["n"] ** 2 / together["size"]).sum() / weight)


def over_merged(clusters: pd.DataFrame, truth: pd.DataFrame) -> int:
    """Clusters that hold at least two members of at least two rings."""
    held = truth.merge(clusters, on="application_id").groupby(["cluster", "ring_id"]).size()
    return int((held[held >= 2].groupby(level="cluster").size() >= 2).sum())


def split(clusters: pd.DataFrame, truth: pd.DataFrame) -> int:
    """Rings with at least two members in at least two clusters."""
    held = truth.merge(clusters, on="application_id").groupby(["ring_id", "cluster"]).size()
    return int((held[held >= 2].groupby(level="ring_id").size() >= 2).sum())
