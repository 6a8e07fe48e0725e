"""How well predicted clusters find the planted rings (domain.md §5.3).

python -m benchmarks.ring_metrics PORTFOLIO rings.csv --window 120 [--as-of 2025-10-01]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

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


def covered(groups: pd.DataFrame, truth: pd.DataFrame) -> set[str]:
    """Rings that some group holds well enough for a hit; groups (application_id, cluster) may overlap."""
    mine = groups.loc[groups["cluster"].isin(groups["cluster"][groups["application_id"].isin(truth["application_id"])])]
    both = truth.merge(mine, on="application_id").groupby(["ring_id", "cluster"]).size().reset_index(name="overlap")
    least = np.maximum(LEAST_OVERLAP, LEAST_SHARE * both["ring_id"].map(truth.groupby("ring_id").size()))
    purity = both["overlap"] / both["cluster"].map(mine.groupby("cluster").size())
    return set(both["ring_id"][(both["overlap"] >= least) & (purity >= LEAST_PURITY)])


def fitting(clusters: pd.DataFrame, most: float) -> pd.DataFrame:
    """The first clusters, numbered by rank, with no more than `most` applications together.

    One that alone is larger is passed over: a list that begins with a giant is not judged empty.
    """
    rank, sizes = np.unique(clusters["cluster"], return_counts=True)
    rank, sizes = rank[sizes <= most], sizes[sizes <= most]
    return clusters[clusters["cluster"].isin(rank[np.cumsum(sizes) <= most])]


def kinds_at_top(clusters: pd.DataFrame, members: pd.DataFrame, top: int = 20) -> dict[str, int]:
    """What the first clusters are in truth: `fraud` when half of one is, else the honest kind of 40 % of it, or `none`.

    `members` is truth_members.csv as text; clusters are numbered by rank.
    """
    first = clusters[clusters["cluster"] <= top].merge(
        members[["application_id", "is_fraud", "benign_kind"]], on="application_id"
    )
    counts: dict[str, int] = {}
    for _, own in first.groupby("cluster"):
        kinds = own.loc[own["is_fraud"] != "1", "benign_kind"].value_counts()
        honest = str(kinds.index[0]) if len(kinds) and kinds.iloc[0] >= 0.4 * len(own) else "none"
        name = "fraud" if (own["is_fraud"] == "1").mean() >= LEAST_PURITY else honest
        counts[name] = counts.get(name, 0) + 1
    return counts


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


def planted(truth: pd.DataFrame, *, since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
    """Fraudulent members (application_id, ring_id) who applied in the window, of rings of three or more people there.

    `truth` is truth_members.csv as text.
    """
    submitted = pd.to_datetime(truth["submitted_at"], utc=True)
    members = truth[truth["ring_id"].notna() & (truth["is_fraud"] == "1") & submitted.between(since, until)]
    people = members.groupby("ring_id")["applicant_id"].transform("nunique")
    return members.loc[people >= LEAST_OVERLAP, ["application_id", "ring_id"]]


def at_top(rings: pd.DataFrame, truth: pd.DataFrame, tops: Sequence[int]) -> pd.DataFrame:
    """Of the first so many rings of a list (rank, application_ids): precision and recall, each with its interval."""
    listed = rings.assign(application_id=rings["application_ids"].str.split(";")).explode("application_id")
    listed = listed.rename(columns={"rank": "cluster"})[["application_id", "cluster"]]
    rows = []
    for top in tops:
        first = listed[listed["cluster"] <= top]
        found = match_rings(first, truth)
        rows.append({"top": top, "precision": str(ring_precision(found, first)), "recall": str(ring_recall(found))})
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portfolio", type=Path, help="folder of `ringroad generate`")
    parser.add_argument("rings", type=Path, help="rings.csv of `ringroad rings`")
    parser.add_argument("--window", type=int, default=120, help="days, as given to `ringroad rings`")
    parser.add_argument("--as-of", type=lambda text: pd.Timestamp(text, tz="Asia/Shanghai"))
    options = parser.parse_args()
    submitted = pd.read_csv(options.portfolio / "input" / "applications.csv", usecols=["submitted_at"])["submitted_at"]
    until = options.as_of or pd.to_datetime(submitted, utc=True, format="mixed").max()
    truth = pd.read_csv(options.portfolio / "truth" / "truth_members.csv", dtype=str)
    rings = pd.read_csv(options.rings)
    inside = planted(truth, since=until - pd.Timedelta(days=options.window), until=until)
    sys.stdout.write(at_top(rings, inside, (10, 20, 50, len(rings))).to_string(index=False) + "\n")


if __name__ == "__main__":
    main()
