"""Clusters against true rings, and how early rings were flagged."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from gnn.evaluation.lead import detection_lead, first_flags
from gnn.evaluation.rings import RingEvaluation, evaluate_rings

MIDNIGHT = pd.Timestamp("2025-10-01", tz="Asia/Shanghai")


def clusters(*groups: str) -> pd.DataFrame:
    """One group of letters per rank; a letter is an application."""
    rows = [(letter, rank) for rank, group in enumerate(groups, 1) for letter in group]
    return pd.DataFrame(rows, columns=["application_id", "cluster"])


def truth(**rings: str) -> pd.DataFrame:
    rows = [(letter, ring) for ring, group in rings.items() for letter in group]
    return pd.DataFrame(rows, columns=["application_id", "ring"])


def hits(found: RingEvaluation) -> dict[str, bool]:
    return {each.ring: each.hit for each in found.rings}


def test_a_hit_needs_three_members_and_half_of_the_cluster() -> None:
    rings = truth(three="abc", two="defg", impure="hij", clean="mnopq")
    found = evaluate_rings(clusters("abc", "de", "hij1234", "mno123"[:6]), rings)
    assert hits(found) == {"three": True, "two": False, "impure": False, "clean": True}
    assert (found.recall.hits, found.recall.of, found.precision.of) == (2, 4, 4)
    assert found.f1 == pytest.approx(0.5)


def test_a_hit_on_a_large_ring_needs_thirty_percent_of_it() -> None:
    ring = "abcdefghijklmnopqrst"
    assert hits(evaluate_rings(clusters(ring[:5]), truth(R=ring))) == {"R": False}
    assert hits(evaluate_rings(clusters(ring[:6]), truth(R=ring))) == {"R": True}


def test_matching_takes_the_largest_total_overlap_in_any_order() -> None:
    """Greedy would give cluster `abcdef` to the larger ring and leave the other with nothing."""
    parts = ("abcdef123", "456")
    rings = {"one": "abcdef", "two": "123456"}
    for order in permutations(rings):
        found = evaluate_rings(clusters(*parts), truth(**{name: rings[name] for name in order}))
        assert {each.ring: each.overlap for each in found.rings} == {"one": 6, "two": 3}


def test_one_cluster_counts_for_one_ring_and_of_equal_overlaps_the_purer_cluster_counts() -> None:
    both = evaluate_rings(clusters("abcdef"), truth(one="abc", two="def"))
    assert (both.recall.hits, both.over_merged) == (1, 1)
    for parts in (("abc1234567", "defx"), ("defx", "abc1234567")):
        found = evaluate_rings(clusters(*parts), truth(R="abcdef"))
        assert (found.rings[0].cluster_size, found.rings[0].purity, found.split) == (4, 0.75, 1)


def test_purity_coverage_and_b_cubed_of_a_known_case() -> None:
    found = evaluate_rings(clusters("abc1", "d2"), truth(R="abcde"))
    assert (found.purity.hits, found.purity.of) == (4, 6)
    assert (found.coverage.hits, found.coverage.of) == (4, 5)
    assert found.b_cubed_precision == pytest.approx((3 * 3 / 4 + 1 / 2) / 4)
    assert found.b_cubed_recall == pytest.approx((3 * 3 / 5 + 1 / 5) / 4)
    assert found.rings[0].coverage == pytest.approx(3 / 5)


def test_sizes_and_classes_stand_apart() -> None:
    rings = truth(small="abc", medium="defghi", lost="jklm")
    found = evaluate_rings(clusters("abc", "def"), rings, ring_class={"small": "new", "medium": "recidivist"})
    assert {each.name: (each.recall.hits, each.recall.of) for each in found.by_size} == {
        "3–5": (1, 2), "6–15": (1, 1), "16–80": (0, 0), "> 80": (0, 0),
    }  # fmt: skip
    assert {each.name: each.recall.of for each in found.by_class} == {"new": 1, "continuing": 0, "recidivist": 1}


def test_the_first_twenty_clusters_are_named_by_what_they_are() -> None:
    kinds = dict.fromkeys("fghij", "B05") | dict.fromkeys("kl", "B01") | dict.fromkeys("xyz", "")
    parts = clusters("abc1", "fghij", "klmn", "kmno", "xyz", *["?"] * 15, "fghij")
    found = evaluate_rings(parts, truth(R="abc"), benign_kind=kinds)
    assert dict(found.top) == {"fraud": 1, "fleets": 1, "families": 1, "none of these": 17}
    single = evaluate_rings(parts, truth(R="abc"), benign_kind=kinds, fraud=["x", "y"])
    assert dict(single.top)["fraud"] == 2


def test_no_clusters_and_no_rings_are_no_error() -> None:
    none = evaluate_rings(clusters(), truth(R="abc"))
    assert (none.recall.hits, none.recall.of, none.precision.of, none.rings[0].cluster) == (0, 1, 0, "")
    assert evaluate_rings(clusters("abc"), truth()).recall.of == 0
    assert np.isnan(evaluate_rings(clusters(), truth()).b_cubed_precision)


# Lead time -----------------------------------------------------------------------------------------------


def members() -> pd.DataFrame:
    """Two rings; an application on each day, approved at noon, paid out two days later, `b2` never."""
    made = truth(a=("a1", "a2", "a3", "a4"), b=("b1", "b2", "b3"))  # type: ignore[arg-type]
    submitted = MIDNIGHT + pd.to_timedelta([0, 1, 2, 3, 0, 1, 2], "D")
    paid = (submitted + pd.Timedelta(days=2)).to_series().mask((made["application_id"] == "b2").to_numpy())
    return made.assign(
        submitted_at=submitted, approved_at=submitted + pd.Timedelta(hours=12), funded_at=paid.to_numpy(), amount=100.0
    ).astype({"funded_at": "datetime64[ns, Asia/Shanghai]"})


def test_lead_counts_what_had_happened_before_the_first_flag_and_a_missed_ring_in_full() -> None:
    rows = members()
    day = pd.Timedelta(days=1)
    flags = pd.DataFrame(
        {"application_id": ["a3", "a4", "z"], "flagged_at": MIDNIGHT + pd.to_timedelta([2, 3, 0], "D")}
    )
    lead = detection_lead(rows, first_flags(rows, flags))
    assert (lead.rings, lead.flagged) == (2, 1)
    assert (lead.approved.mean, lead.approved.median) == (2.5, 2.5)  # a1 and a2; all three of b
    assert lead.approved.p90 == pytest.approx(2.9)
    assert lead.funded.mean == 1.5  # a1 is paid out at the hour of the flag, too late to count as before
    assert lead.preventable == pytest.approx(4 / 6)
    assert lead.days.mean == 2.0
    later = detection_lead(rows, first_flags(rows, flags.assign(flagged_at=flags["flagged_at"] + day)))
    assert (later.approved.mean, later.preventable) == (3.0, pytest.approx(3 / 6))


def test_nothing_flagged_and_no_rings_are_no_error() -> None:
    rows = members()
    nothing = pd.DataFrame({"application_id": [], "flagged_at": []})
    lead = detection_lead(rows, first_flags(rows, nothing))
    assert (lead.flagged, lead.approved.mean, lead.preventable) == (0, 3.5, 0.0)
    assert np.isnan(lead.days.mean)
    assert evaluate_rings(pd.DataFrame({"application_id": [], "cluster": []}), truth(R="abc")).clusters == 0
    empty = detection_lead(rows[:0], first_flags(rows[:0], nothing))
    assert empty.rings == 0
    assert np.isnan(empty.preventable)
