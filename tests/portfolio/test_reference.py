"""Naive methods fail, one good step helps (domain.md §4.8)."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmarks.reference import DAY, NAIVE, WINDOW, Portfolio, infrastructure_pruned, naive, read_portfolio
from benchmarks.ring_metrics import match_rings, member_rates, ring_recall, wilson
from tests.portfolio.conftest import Made

REPORT_DAYS = (275, 365)


def fraud_of(made: Made) -> set[str]:
    return set(made.truth("truth_members").query("is_fraud == '1'")["application_id"])


def rings_in_window(made: Made, portfolio: Portfolio, as_of: pd.Timestamp) -> pd.DataFrame:
    """Ring members who applied in the window, of rings with at least four applicants there."""
    members = made.truth("truth_members").query("is_fraud == '1' and ring_id.notna()")[
        ["application_id", "ring_id", "applicant_id"]
    ]
    members = members.merge(portfolio.applications[["application_id", "moment"]])
    inside = members[(members["moment"] <= as_of) & (members["moment"] > as_of - WINDOW * DAY)]
    return inside[inside.groupby("ring_id")["applicant_id"].transform("nunique") >= 4]


def judged(made: Made, portfolio: Portfolio, day: int) -> tuple[float, pd.DataFrame, pd.DataFrame]:
    """Method H as of a day: share of the window's applications flagged, ring matches, clusters."""
    as_of = portfolio.applications["moment"].min().normalize() + day * DAY
    clusters = infrastructure_pruned(portfolio, as_of=as_of)
    moment = portfolio.applications["moment"]
    window = ((moment <= as_of) & (moment > as_of - WINDOW * DAY)).sum()
    return len(clusters) / window, match_rings(clusters, rings_in_window(made, portfolio, as_of)), clusters


@pytest.fixture(scope="module")
def linked(small: Made) -> Portfolio:
    return read_portfolio(small.folder / "input")


@pytest.mark.parametrize("method", sorted(NAIVE))
def test_a_naive_component_is_no_ring(small: Made, linked: Portfolio, method: str) -> None:
    clusters = naive(linked, method)
    precision, _ = member_rates(clusters, fraud_of(small))
    assert precision < 0.05
    largest = clusters.groupby("cluster").size().max() / 60_000
    assert largest > {"A": 0.95, "B": 0.75, "C": 0.5, "D": 0.3}[method]


def test_infrastructure_removed_makes_rings_findable(small: Made, linked: Portfolio) -> None:
    flagged, found, clusters = judged(small, linked, 275)
    assert flagged <= 0.045  # one draw; pooled below: 0.03
    assert ring_recall(found).share >= 0.4
    largest = clusters.groupby("cluster").size().nlargest(20).index
    kinds = clusters[clusters["cluster"].isin(largest)].merge(
        small.truth("truth_members")[["application_id", "benign_kind"]], how="left"
    )
    fleets = (kinds["benign_kind"] == "B05").groupby(kinds["cluster"]).mean() > 0.5
    assert fleets.sum() >= 6  # at least 30 % of the top 20


@pytest.mark.evaluate
def test_solvable_when_pooled(pooled: list[Made]) -> None:
    read = [(made, read_portfolio(made.folder / "input")) for made in pooled]
    results = [judged(made, portfolio, day) for made, portfolio in read for day in REPORT_DAYS]
    recall = wilson(sum(int(found["hit"].sum()) for _, found, _ in results), sum(len(found) for _, found, _ in results))
    assert recall.share >= 0.5
    assert sum(flagged for flagged, _, _ in results) / len(results) <= 0.03


@pytest.mark.evaluate
def test_naive_fails_when_pooled(pooled: list[Made]) -> None:
    for made in pooled:
        portfolio = read_portfolio(made.folder / "input")
        for method in sorted(NAIVE):
            assert member_rates(naive(portfolio, method), fraud_of(made))[0] < 0.05


def test_matching_is_one_to_one_and_needs_purity() -> None:
    truth = pd.DataFrame({"application_id": list("abcdefgh"), "ring_id": ["r1"] * 4 + ["r2"] * 4})
    clusters = pd.DataFrame({"application_id": list("abcdefghxyz"), "cluster": ["c1"] * 3 + ["c2"] * 8})
    found = match_rings(clusters, truth).set_index("ring_id")
    assert found.loc["r1", "cluster"] == "c1"
    assert bool(found.loc["r1", "hit"])
    assert found.loc["r2", "overlap"] == 4
    assert bool(found.loc["r2", "hit"])  # 4 of 8: just half pure
    diluted = pd.concat([clusters, pd.DataFrame({"application_id": ["w"], "cluster": ["c2"]})])
    assert not match_rings(diluted, truth).set_index("ring_id").loc["r2", "hit"]
