"""How well predicted clusters find the true rings (domain.md §5.3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from gnn.evaluation.chance import Share, wilson
from gnn.evaluation.ranking import ratio
from gnn.evaluation.rows import BENIGN, PLAIN

LEAST_OVERLAP = 3
LEAST_SHARE = 0.3
LEAST_PURITY = 0.5
SIZES = {"3–5": (3, 5), "6–15": (6, 15), "16–80": (16, 80), "> 80": (81, 10**9)}
CLASSES = ("new", "continuing", "recidivist")
TOP = 20
FRAUD = "fraud"
LOOKS_LIKE = 0.4
"""A cluster is of the honest kind that this share of its applications has."""


@dataclass(frozen=True)
class FoundRing:
    """A true ring, the cluster matched to it ("" if none), and what the match is worth."""

    ring: str
    ring_class: str
    size: int
    cluster: str
    cluster_size: int
    overlap: int
    purity: float
    coverage: float
    hit: bool


@dataclass(frozen=True)
class Part:
    """The recall of some of the rings."""

    name: str
    recall: Share


@dataclass(frozen=True)
class RingEvaluation:
    """Clusters against rings. `purity` and `coverage` are over members: clustered ones that are ring members,
    and ring members that are clustered."""

    rings: tuple[FoundRing, ...]
    clusters: int
    flagged: int
    recall: Share
    precision: Share
    f1: float
    purity: Share
    coverage: Share
    b_cubed_precision: float
    b_cubed_recall: float
    over_merged: int
    """Clusters that hold two members or more of each of several rings."""
    split: int
    """Rings with two members or more in each of several clusters."""
    by_size: tuple[Part, ...]
    by_class: tuple[Part, ...]
    top: tuple[tuple[str, int], ...]
    """What the first clusters are in truth, and how many of each."""


def evaluate_rings(
    clusters: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    ring_class: Mapping[str, str] | None = None,
    benign_kind: Mapping[str, str] | None = None,
    fraud: Collection[str] | None = None,
) -> RingEvaluation:
    """Clusters (application_id, cluster), numbered by rank from 1, against rings (application_id, ring).

    `truth` holds the fraudulent members whom a cluster could hold: those of the window. `ring_class` says
    per ring whether it is new, continuing or recidivist; `benign_kind` per application what it looks like;
    `fraud` are all fraudulent applications, if there are more than the members.
    """
    clusters = clusters[["application_id", "cluster"]].drop_duplicates().astype({"application_id": object})
    truth = truth[["application_id", "ring"]].drop_duplicates().astype({"application_id": object})
    together = _together(clusters, truth)
    found = _match(clusters, truth, together, ring_class or {})
    hits = sum(each.hit for each in found)
    recall, precision = wilson(hits, len(found)), wilson(hits, clusters["cluster"].nunique())
    flagged, members = set(clusters["application_id"]), set(truth["application_id"])
    b_cubed = _b_cubed(together)
    return RingEvaluation(
        rings=found,
        clusters=precision.of,
        flagged=len(flagged),
        recall=recall,
        precision=precision,
        f1=float(ratio(2 * hits, recall.of + precision.of)),
        purity=wilson(len(flagged & members), len(flagged)),
        coverage=wilson(len(flagged & members), len(members)),
        b_cubed_precision=b_cubed[0],
        b_cubed_recall=b_cubed[1],
        over_merged=_several(together, "cluster"),
        split=_several(together, "ring"),
        by_size=tuple(
            _part(name, [each for each in found if low <= each.size <= high]) for name, (low, high) in SIZES.items()
        ),
        by_class=tuple(_part(name, [each for each in found if each.ring_class == name]) for name in CLASSES),
        top=_kinds_at_top(clusters, members | set(fraud or ()), benign_kind or {}),
    )


def _together(clusters: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Per ring and cluster that meet: how many applications they share, and the size of each."""
    both = (
        truth.merge(clusters, on="application_id").groupby(["ring", "cluster"]).size().rename("overlap").reset_index()
    )
    both["size"] = both["ring"].map(truth.groupby("ring").size())
    both["volume"] = both["cluster"].map(clusters.groupby("cluster").size())
    return both


def _match(
    clusters: pd.DataFrame, truth: pd.DataFrame, together: pd.DataFrame, ring_class: Mapping[str, str]
) -> tuple[FoundRing, ...]:
    """Pair rings and clusters one to one so that the total overlap is largest; of equal totals, the purest."""
    sizes, volumes = truth.groupby("ring").size(), clusters.groupby("cluster").size()
    pairs = {}
    if len(together):
        rings, ring_at = np.unique(together["ring"], return_inverse=True)
        names, cluster_at = np.unique(together["cluster"], return_inverse=True)
        overlap, purity = np.zeros((2, len(rings), len(names)))
        overlap[ring_at, cluster_at] = together["overlap"]
        purity[ring_at, cluster_at] = together["overlap"] / together["volume"]
        for row, column in zip(*linear_sum_assignment(overlap + purity / (len(rings) + 1), maximize=True), strict=True):
            if overlap[row, column]:
                pairs[rings[row]] = names[column], int(overlap[row, column])
    found = []
    for ring, size in sizes.items():
        cluster, shared = pairs.get(ring, ("", 0))
        volume = int(volumes.get(cluster, 0))
        pure = shared / volume if volume else 0.0
        hit = shared >= max(LEAST_OVERLAP, LEAST_SHARE * size) and pure >= LEAST_PURITY
        kind = ring_class.get(str(ring), "")
        found.append(FoundRing(str(ring), kind, int(size), str(cluster), volume, shared, pure, shared / size, hit))
    return tuple(found)


def _part(name: str, rings: list[FoundRing]) -> Part:
    return Part(name, wilson(sum(each.hit for each in rings), len(rings)))


def _b_cubed(together: pd.DataFrame) -> tuple[float, float]:
    """Precision and recall, mean over the ring members that are in a cluster."""
    members, squares = together["overlap"].sum(), together["overlap"] ** 2
    return tuple(float(ratio((squares / together[of]).sum(), members)) for of in ("volume", "size"))  # type: ignore[return-value]


def _several(together: pd.DataFrame, of: str) -> int:
    """How many of `of` (cluster or ring) meet several of the other with two members or more."""
    return int((together[together["overlap"] >= 2].groupby(of).size() >= 2).sum())


def _kinds_at_top(clusters: pd.DataFrame, fraud: set[str], kinds: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """Fraud if half of a cluster is, else the honest kind of enough of it."""
    counts: dict[str, int] = {}
    for _, own in clusters[clusters["cluster"] <= TOP].groupby("cluster")["application_id"]:
        looks = own[~own.isin(fraud)].map(kinds).replace("", None).value_counts()
        alike = len(looks) > 0 and looks.iloc[0] >= LOOKS_LIKE * len(own)
        honest = BENIGN.get(str(looks.index[0]), str(looks.index[0])) if alike else PLAIN
        name = FRAUD if own.isin(fraud).mean() >= LEAST_PURITY else honest
        counts[name] = counts.get(name, 0) + 1
    return tuple(sorted(counts.items(), key=lambda each: (each[0] != FRAUD, -each[1], each[0])))
