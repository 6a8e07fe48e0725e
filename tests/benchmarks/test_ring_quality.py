"""What the benchmark of rings counts, on lists small enough to count by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmarks.reference import Portfolio, by_suspicion, naive, seen_from
from benchmarks.ring_metrics import covered, fitting, kinds_at_top
from benchmarks.ring_speed import alike
from graph.rings import Ring
from graph.sentences import Shared


def rows(**clusters: str) -> pd.DataFrame:
    """`c1="abc"`: applications a, b and c are cluster 1."""
    pairs = [(each, int(name[1:])) for name, own in clusters.items() for each in own]
    return pd.DataFrame(pairs, columns=["application_id", "cluster"])


def truth(**rings: str) -> pd.DataFrame:
    pairs = [(each, name) for name, own in rings.items() for each in own]
    return pd.DataFrame(pairs, columns=["application_id", "ring_id"])


def test_a_ring_is_covered_by_one_group_that_would_be_a_hit() -> None:
    rings = truth(r1="abcd", r2="efgh")
    assert covered(rows(c1="abc", c2="abcde"), rings) == {"r1"}
    assert covered(rows(c1="abcxyz"), rings) == {"r1"}  # 3 of 6: just half pure
    assert covered(rows(c1="abcwxyz"), rings) == set()
    assert covered(rows(c1="ab", c2="cd"), rings) == set()  # neither alone holds three
    assert covered(rows(c1="abcdefgh"), rings) == {"r1", "r2"}


def test_thirty_per_cent_of_a_large_ring_is_enough() -> None:
    ring = truth(r1="abcdefghijklmn")
    assert covered(rows(c1="abcd"), ring) == set()
    assert covered(rows(c1="abcde"), ring) == {"r1"}


@pytest.mark.parametrize(("most", "kept"), [(2, set()), (3, {2}), (6, {2}), (7, {2, 3}), (99, {1, 2, 3})])
def test_what_fits_is_the_beginning_of_the_list_without_giants(most: float, kept: set[int]) -> None:
    clusters = rows(c3="wxyz", c1="abcdefgh", c2="tuv")
    assert set(fitting(clusters, most)["cluster"]) == kept


def test_a_group_is_named_after_what_it_mostly_is() -> None:
    members = pd.DataFrame({
        "application_id": list("abcdefghij"),
        "is_fraud": ["1", "1", *"00000000"],
        "benign_kind": [None, None, "B05", "B05", "B05", None, None, "B01", None, None],
    })  # fmt: skip
    clusters = rows(c1="abc", c2="acde", c3="fgh", c4="hij", c21="cde")
    assert kinds_at_top(clusters, members) == {"fraud": 1, "B05": 1, "none": 2}
    assert kinds_at_top(clusters, members, top=1) == {"fraud": 1}


def portfolio() -> Portfolio:
    """Five share a device, the first a year before the others; two share a phone that was known only in autumn."""
    spring, autumn, before = (pd.Timestamp(day) for day in ("2025-04-01", "2025-10-01", "2024-04-01"))
    apps = pd.DataFrame({
        "application_id": list("abcde"), "node": [0, 1, 3, 5, 7], "dealer_id": list("xxxxy"),
        "moment": [before, spring, spring, spring, spring],
    })  # fmt: skip
    links = pd.DataFrame({
        "node": [0, 1, 3, 5, 7, 3, 7], "kind": ["device"] * 5 + ["phone"] * 2, "entity": [0, 0, 0, 0, 0, 1, 1],
        "moment": [before, *[spring] * 6], "known_at": [before, *[spring] * 4, autumn, autumn],
        "dealer": [*"xxxxyxy"],
    })  # fmt: skip
    return Portfolio(apps, links)


def test_naive_methods_see_the_window_and_nothing_known_later() -> None:
    seen = seen_from(portfolio(), as_of=pd.Timestamp("2025-05-01"))
    assert seen.applications["application_id"].tolist() == list("bcde")
    assert seen.applications["node"].tolist() == [0, 1, 2, 3]
    assert seen.links["node"].tolist() == [0, 1, 2, 3]
    assert sorted(naive(seen, "D")["application_id"]) == list("bcde")


def test_naive_groups_stand_by_dealer_kinds_and_size() -> None:
    seen = seen_from(portfolio(), as_of=pd.Timestamp("2025-05-01"))
    ranked = by_suspicion(seen, rows(c8="ce", c9="bc"))
    assert ranked.set_index("application_id")["cluster"].to_dict()["b"] == 1  # both at x, the others at x and y
    assert set(ranked["cluster"]) == {1, 2}


def ring(members: str) -> Ring:
    shared = Shared("Device", "USES_DEVICE", "k", "k", tuple(members), len(members))
    return Ring(members, 1, 0.5, tuple(members), "2025-01-01", "2025-01-02", 0.0, 0.0, "T01", "a device", (shared,))


def test_two_runs_are_alike_by_members() -> None:
    one, other = [ring("abc"), ring("defg")], [ring("abc"), ring("defh"), ring("xyz")]
    assert alike(one, one) == {"ari": 1.0, "same": 1.0, "jaccard": 1.0, "extra": 0, "rings": 2}
    found = alike(one, other)
    assert found["same"] == pytest.approx(1 / 3)
    assert found["jaccard"] == pytest.approx(2 / 3)  # defg and defh share 3 of 5
    assert 0 < found["ari"] < 1
    assert (found["extra"], alike(other, one)["extra"]) == (0, 1)
    assert alike([ring("abc")], [ring("abc"), ring("defg")])["ari"] < 0.7  # who is not listed is in no ring, not in one
