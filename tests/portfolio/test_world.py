"""Base rates, ring sizes, arrivals, look-alike quotas, label delays, drift (domain.md §4.3-4.7)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from tests.portfolio.conftest import Made, made

YEAR_START = pd.Timestamp("2025-01-01", tz="+08:00")


def moments(texts: pd.Series) -> pd.Series:
    return pd.to_datetime(texts, format="ISO8601")


@pytest.mark.parametrize(("mode", "rate"), [("seed_calibrated", 0.0018), ("default", 0.008), ("stress", 0.015)])
def test_the_base_rate_is_the_mode(tmp_path: Path, mode: str, rate: float) -> None:
    portfolio = made(tmp_path / "out", "tiny", 7, mode)
    fraud = (portfolio.truth("truth_members")["is_fraud"] == "1").sum()
    assert abs(fraud / len(portfolio.table("applications")) - rate) <= 0.0005


def test_most_fraud_comes_from_rings_of_the_planned_sizes(small: Made) -> None:
    members = small.truth("truth_members").query("is_fraud == '1'")
    assert 0.55 <= members["ring_id"].notna().mean() <= 0.72
    sizes = small.truth("truth_rings")["size"].astype(int)
    assert sizes.min() >= 3
    assert 5 <= sizes.median() <= 10  # one draw; the pooled test below is the sharp one


@pytest.mark.evaluate
def test_pooled_ring_sizes(pooled: list[Made]) -> None:
    sizes = pd.concat([each.truth("truth_rings")["size"].astype(int) for each in pooled])
    assert 6 <= sizes.median() <= 8
    assert 18 <= sizes.quantile(0.95) <= 30


@pytest.mark.evaluate
def test_rings_arrive_evenly_over_the_calendar(pooled: list[Made]) -> None:
    starts = pd.concat([moments(each.truth("truth_rings")["planned_start"]) for each in pooled])
    days = (starts - YEAR_START).dt.total_seconds() / 86_400
    assert kstest(days / (365 - 20), "uniform").pvalue > 0.01
    ends = pd.concat([moments(each.truth("truth_rings")["end"]) for each in pooled])
    cut = YEAR_START + pd.Timedelta(days=273)
    assert ((starts < cut) & (ends > cut)).sum() >= 5


def test_look_alikes_are_there_in_numbers(small: Made) -> None:
    entities = small.truth("truth_entities")
    named = entities["cluster_id"].str.rsplit("-", n=1).str[0]
    clusters = entities.assign(cluster=named).groupby("cluster")["cluster_id"].nunique()
    quotas = {"household": 3000, "fleet": 25, "urban_village": 55, "switchboard": 350, "recycled": 200, "shop": 390,
              "nat": 900, "star_contact": 40, "group_buy": 30}  # fmt: skip
    for name, quota in quotas.items():
        assert clusters[name] >= quota * 0.95, name
    members = small.truth("truth_members").query("is_fraud == '0'")
    by_kind = members["benign_kind"].value_counts()
    assert 500 <= by_kind["B05"] <= 900
    assert by_kind["B01"] >= 7_500
    sizes = members.groupby("cluster_id")["applicant_id"].nunique()
    assert (sizes >= 4).sum() + 900 >= 10 * len(small.truth("truth_rings"))
    shopped = (
        small.table("bureau_inquiries")
        .query("dealer_token.notna()")
        .groupby("vin_token")["institution_token"]
        .nunique()
    )
    assert 10_000 <= (shopped >= 3).sum() <= 16_000


def test_recycled_numbers_rest_before_they_are_issued_again(small: Made) -> None:
    phones = small.table("phones")
    twice = phones[phones["phone"].duplicated(keep=False)].sort_values(["phone", "valid_from"])
    first, second = twice.iloc[::2], twice.iloc[1::2]
    assert (first["phone"].to_numpy() == second["phone"].to_numpy()).all()
    gap = moments(second["valid_from"]).to_numpy() - moments(first["valid_to"]).to_numpy()
    assert (gap >= np.timedelta64(90, "D")).mean() >= 0.9


def test_labels_come_late_and_in_part_never(small: Made) -> None:
    fraud = small.truth("truth_members").query("is_fraud == '1'")
    share = fraud["discovery"].value_counts(normalize=True)
    assert 0.15 <= share["review"] <= 0.26
    assert 0.28 <= share["epd"] <= 0.42
    assert 0.15 <= share["never"] <= 0.26
    days = (moments(fraud["label_known_at"]) - moments(fraud["submitted_at"])).dt.total_seconds() / 86_400
    median = days.groupby(fraud["discovery"]).median()
    assert 2 <= median["review"] <= 5
    assert 58 <= median["fpd"] <= 80
    assert 145 <= median["epd"] <= 185
    assert 230 <= median["police"] <= 370


def test_outcomes_hold_nothing_the_truth_does_not_explain(small: Made) -> None:
    outcomes, members = small.table("outcomes"), small.truth("truth_members")
    fraud = set(members.query("is_fraud == '1'")["application_id"])
    positive = outcomes.query("label == 'CONFIRMED_FRAUD'")
    wrong = ~positive["application_id"].isin(fraud)
    assert 0.0 < wrong.mean() < 0.08
    known = moments(positive["reported_at"])
    assert (known < YEAR_START + pd.Timedelta(days=365)).all()
    later = outcomes[outcomes["supersedes"].notna()]
    assert set(later["supersedes"]) <= set(outcomes["outcome_id"])
    assert outcomes["outcome_id"].is_unique


def test_declined_applications_have_no_performance(small: Made) -> None:
    apps = small.table("applications")
    unfunded = set(apps[apps["funded_at"].isna()]["application_id"])
    assert not unfunded & set(small.table("repayments")["application_id"])
    released = small.truth("would_have")["released_control"].astype(int).mean()
    assert 0.01 <= released <= 0.02
    assert (small.table("staff_actions")["action"] == "random_release").sum() > 500


def test_late_rings_share_only_money_and_cars(small: Made) -> None:
    rings = small.truth("truth_rings")
    late = rings[rings["drift"] == "1"]
    assert set(late["typology"]) <= {"T26"}
    assert (moments(late["planned_start"]) >= YEAR_START + pd.Timedelta(days=273)).all()
    held = small.truth("truth_entities")
    shared = set(held[held["cluster_id"].isin(late["ring_id"])]["kind"])
    assert shared <= {"account", "party"}


def test_bystanders_are_innocent(small: Made) -> None:
    near = small.truth("truth_members").query("role == 'bystander'")
    assert len(near) >= 5
    assert (near["is_fraud"] == "0").all()
    assert near["ring_id"].notna().all()
