"""What an application may teach: labels as of a day, degrees by hindsight, level over the months."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnn.labels import Observed, Targets, _level, _sharpened, as_labelled, degree, fraud_rate


def observed(fraud: list[bool], age: list[float], evidence: float = 1.0, cleared: list[bool] | None = None) -> Observed:
    said = np.array(fraud)
    return Observed(
        fraud=said,
        evidence=np.where(said, evidence, 0.0),
        cleared=np.array(cleared or [False] * len(fraud)),
        age=np.array(age),
        known=np.array(age) >= 0,
    )


def test_each_row_counts_once_however_it_is_shared() -> None:
    targets = Targets(np.arange(3), np.array([0.0, 0.25, 1.0]), np.array([1.0, 0.5, 2.0]))
    at, fraud, weight = targets.doubled()
    assert np.bincount(at, weights=weight).tolist() == [1.0, 0.5, 2.0]
    assert np.bincount(at[fraud], weights=weight[fraud], minlength=3).tolist() == [0.0, 0.125, 2.0]


def test_a_negligible_degree_is_honest() -> None:
    at, fraud, weight = Targets(np.arange(1), np.array([0.01]), np.ones(1)).doubled()
    assert (at.tolist(), fraud.tolist(), weight.tolist()) == ([0], [False], [1.0])


@given(
    st.lists(st.floats(0.01, 0.99), min_size=3, max_size=40),
    st.floats(0.05, 0.5),
)
def test_sharpening_keeps_the_order_and_meets_the_sum_where_it_can(values: list[float], share: float) -> None:
    degrees = np.array(values)
    sharp = _sharpened(degrees, share * len(degrees))
    order = np.argsort(degrees, kind="stable")
    assert (np.diff(sharp[order]) >= 0).all()
    reachable = (degrees**8.0).sum() < share * len(degrees) < (degrees**0.3).sum()
    if reachable:
        assert sharp.sum() == pytest.approx(share * len(degrees), rel=1e-3)


def test_certainties_stay_certain() -> None:
    assert _sharpened(np.array([0.0, 1.0, 0.5]), 1.2)[:2].tolist() == [0.0, 1.0]


def test_young_months_look_neither_better_nor_worse() -> None:
    rng = np.random.default_rng(0)
    age = rng.uniform(0, 240, 4000)
    seen = rng.beta(0.3, 6, 4000) * np.clip(age / 120, 0.2, 1)  # less is seen of the latest
    level = _level(seen, age)
    young, old = level[age < 30].mean(), level[age >= 60].mean()
    assert seen[age < 30].mean() < 0.5 * seen[age >= 60].mean()
    assert young == pytest.approx(old, rel=0.1)


def test_probabilities_are_taught_at_the_rate_that_mature_months_show() -> None:
    targets = Targets(np.arange(1000), np.random.default_rng(1).beta(0.2, 2, 1000), np.full(1000, 0.3))
    told = targets.at_rate(0.02)
    assert told.degree.sum() == pytest.approx(20, rel=0.01)
    assert (told.weight == 1).all()


def test_the_rate_of_fraud_counts_what_nobody_finds() -> None:
    said = observed([True] * 20 + [False] * 980, [200.0] * 1000)
    assert fraud_rate(said) == pytest.approx(0.02 / 0.775)


def test_young_silence_teaches_nothing_by_labels_alone() -> None:
    said = observed([False, False, True, False], [10.0, 200.0, 10.0, 10.0], cleared=[False, False, False, True])
    targets = as_labelled(said)
    assert targets.weight.tolist() == [0.0, 1.0, 1.0, 1.0]
    assert targets.degree.tolist() == [0.0, 0.0, 1.0, 0.0]


def test_a_day_does_not_know_what_came_later() -> None:
    assert as_labelled(observed([False, False], [200.0, -5.0])).rows.tolist() == [0]


def test_weak_evidence_counts_half() -> None:
    assert as_labelled(observed([True], [100.0], evidence=0.5)).degree.tolist() == [0.5]


def test_degrees_run_from_none_to_full() -> None:
    assert degree(np.array([0.0, 0.2, 0.4, 0.9]), 0.4).tolist() == pytest.approx([0.0, 0.5**0.8, 1.0, 1.0])
