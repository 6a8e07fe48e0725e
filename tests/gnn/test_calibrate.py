"""Calibration: what is said happens as often as it is said, and no ranking ever changes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from gnn.calibrate import FEW, Calibration, Floats, expected_calibration_error

GRID = np.linspace(0, 1, 1_001)


def drawn(rows: int, truth: Calibration, seed: int = 1) -> tuple[Floats, Floats]:
    """Scores whose true probability is `truth` of them."""
    draw = np.random.default_rng(seed)
    scores = draw.beta(0.6, 3, rows)
    return scores, (draw.random(rows) < truth(scores)).astype(np.float64)


PLATT = Calibration("platt", 1.8, 1.8, -1.0)
BETA = Calibration("beta", 0.3, 3.0, -2.0)


@pytest.mark.parametrize("truth", [PLATT, BETA, Calibration("shift", c=-1.5)])
def test_what_is_said_happens_as_often(truth: Calibration) -> None:
    scores, labels = drawn(20_000, truth)
    later, happened = drawn(20_000, truth, seed=2)
    found = Calibration.fit(scores, labels)
    assert np.abs(found(GRID[10:-10]) - truth(GRID[10:-10])).max() < 0.03
    assert expected_calibration_error(later, happened) > 0.03
    assert expected_calibration_error(found(later), happened) < 0.01


def test_the_kind_is_chosen_by_what_was_left_out() -> None:
    """Beta curves where Platt cannot follow; neither is taken when chance alone speaks for it."""
    assert Calibration.fit(*drawn(10_000, BETA)).kind == "beta"
    assert Calibration.fit(*drawn(4_000, PLATT)).kind == "platt"
    assert Calibration.fit(*drawn(4_000, Calibration("shift", c=-1.5))).kind == "shift"


def test_rows_of_little_weight_do_not_choose_the_kind() -> None:
    (some, few), (others, many) = drawn(1_500, Calibration("shift", c=-1.5), 2), drawn(6_000, BETA, 52)
    rows, weights = (np.r_[some, others], np.r_[few, many]), np.repeat([1, 1e-4], [1_500, 6_000])
    assert Calibration.fit(*rows, weights).kind == "shift"
    assert Calibration.fit(*rows).kind == "beta"


def test_platt_is_scikit_learns_logistic_regression_on_log_odds() -> None:
    scores, labels = drawn(20_000, PLATT)
    weights = np.where(labels == 1, 0.5, 2.0)
    by = Calibration.fit(scores, labels, weights)
    regression = LogisticRegression(C=1e9).fit(logit(scores)[:, None], labels, weights)
    assert by.kind == "platt"
    assert by.a == by.b == pytest.approx(regression.coef_[0, 0], rel=0.01)
    assert by.c == pytest.approx(regression.intercept_[0], abs=0.02)


def test_weights_count_like_repeated_rows() -> None:
    scores, labels = drawn(4_000, PLATT)
    weights = np.where(labels == 1, 5, np.random.default_rng(3).integers(0, 3, len(scores)))
    weighted = Calibration.fit(scores, labels, weights)
    repeated = Calibration.fit(np.repeat(scores, weights), np.repeat(labels, weights))
    np.testing.assert_allclose(weighted(GRID), repeated(GRID), atol=0.03)
    assert abs(Calibration.fit(scores, labels)(GRID) - weighted(GRID)).max() > 0.2
    np.testing.assert_allclose(weighted(GRID), Calibration.fit(scores, labels, weights * 1e-6)(GRID), rtol=1e-6)


@pytest.mark.parametrize("positives", [0, 1, FEW - 1])
def test_few_positives_teach_the_base_rate_only(positives: int) -> None:
    scores = np.random.default_rng(1).beta(1, 3, 2_000)
    labels = np.zeros(2_000)
    labels[:positives] = 1
    weights = np.where(np.arange(2_000) < 10, 300, 0.5)
    for label in (labels, 1 - labels):
        for weight in (None, weights):
            by, rate = Calibration.fit(scores, label, weight), np.average(label, weights=weight)
            assert (by.kind, by.a, by.b) == ("shift", 1, 1)
            assert np.average(by(scores), weights=weight) == pytest.approx((2_000 * rate + 0.5) / 2_001)


def test_rows_of_no_weight_are_no_positives() -> None:
    scores, labels = drawn(2_000, PLATT)
    weights = np.where(np.cumsum(labels) < FEW, 1.0, labels == 0)
    assert Calibration.fit(scores, labels).kind != "shift"
    assert Calibration.fit(scores, labels, weights).kind == "shift"


def test_without_labels_scores_stay_as_they_are() -> None:
    for by in (Calibration.fit([], []), Calibration.fit([0.3], [1], [0])):
        assert by.kind == "none"
        np.testing.assert_allclose(by(GRID[1:-1]), GRID[1:-1])


def test_classes_that_do_not_overlap_give_finite_slopes() -> None:
    by = Calibration.fit(np.r_[np.full(50, 0.2), np.full(50, 0.8)], np.repeat([0, 1], 50))
    assert by(0.2) < 0.05
    assert by(0.8) > 0.95
    assert by.a < 5


def test_a_score_that_misleads_is_drawn_to_the_base_rate() -> None:
    scores, labels = drawn(5_000, PLATT)
    by = Calibration.fit(1 - scores, labels)
    assert np.abs(by(GRID[10:-10]) - labels.mean()).max() < 0.05
    assert (np.diff(by(GRID)) > 0).all()


SLOPES = st.floats(1e-3, 50)


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=2, max_size=20, unique=True).map(sorted),
    st.builds(Calibration, st.just("beta"), SLOPES, SLOPES, st.floats(-40, 40)),
)
def test_no_ranking_changes_and_nothing_is_certain(scores: list[float], by: Calibration) -> None:
    told = by(scores)
    assert (np.diff(told) >= 0).all()
    assert ((told > 0) & (told < 1)).all()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(0, 1), st.floats(0, 1e6)), min_size=0, max_size=12),
    st.integers(1, 40),
)
def test_whatever_is_fitted_keeps_the_ranking(rows: list[tuple[float, int, float]], times: int) -> None:
    scores, labels, weights = np.array(rows * times).reshape(-1, 3).T
    by = Calibration.fit(scores, labels, weights)
    told = by(GRID)
    assert (np.diff(told) >= 0).all()
    assert ((told > 0) & (told < 1)).all()
    assert len(np.unique(told)) > 1


def test_nan_stays_nan() -> None:
    assert np.isnan(PLATT([np.nan, 0.5])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("scores", "labels", "weights"),
    [
        ([0.1, 0.2], [0], None),
        ([0.1, 0.2], [0, 1], [1]),
        ([0.1, 0.2], [0, 2], None),
        ([0.1, np.nan], [0, 1], None),
        ([0.1, 0.2], [0, np.nan], None),
        ([0.1, 0.2], [0, 1], [1, -1]),
        ([0.1, 0.2], [0, 1], [1, np.inf]),
    ],
)
def test_rows_that_make_no_sense_are_refused(
    scores: list[float], labels: list[float], weights: list[float] | None
) -> None:
    with pytest.raises(ValueError, match=r"give one for each|is no number|below 0"):
        Calibration.fit(scores, labels, weights)


def test_what_was_written_comes_back() -> None:
    by = Calibration.fit(*drawn(2_000, BETA))
    assert Calibration.from_json(json.loads(json.dumps(by.as_json()))) == by


@pytest.mark.parametrize("change", [{"a": 0}, {"b": -1}, {"c": float("nan")}, {"a": float("inf")}])
def test_a_map_that_would_change_the_ranking_cannot_be_made(change: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="would change the ranking"):
        Calibration.from_json(PLATT.as_json() | change)


def test_the_calibration_error_is_what_it_says() -> None:
    told = np.repeat([0.1, 0.3], 50)
    happened = np.zeros(100)
    happened[:10] = 1  # .2 where .1 was said, 0 where .3 was said
    assert expected_calibration_error(told, happened) == pytest.approx((0.1 + 0.3) / 2)
    assert expected_calibration_error(told, happened, np.repeat([3, 1], 50)) == pytest.approx(0.1 * 0.75 + 0.3 * 0.25)
    assert np.isnan(expected_calibration_error([], []))


def test_the_calibration_error_has_ten_bins_of_equal_weight() -> None:
    """Within a bin too high and too low cancel out; across bins they add up."""
    told = np.linspace(0.01, 1, 100)
    happened = (np.arange(100) % 10 < 5).astype(float)
    off = [abs(told[at : at + 10].mean() - 0.5) for at in range(0, 100, 10)]
    assert expected_calibration_error(told, happened) == pytest.approx(np.mean(off))
    assert expected_calibration_error(told, happened, bins=1) == pytest.approx(abs(told.mean() - 0.5))


def test_the_calibration_error_counts_a_weight_like_repeated_rows() -> None:
    told, draw = np.linspace(0.4, 0.6, 200), np.random.default_rng(1)
    happened, weights = draw.integers(0, 2, 200), draw.integers(0, 9, 200)
    assert expected_calibration_error(told, happened, weights) == pytest.approx(
        expected_calibration_error(np.repeat(told, weights), np.repeat(happened, weights))
    )


def test_equal_probabilities_share_a_bin_whatever_their_order() -> None:
    told, happened = np.full(1_000, 0.5), np.repeat([0.0, 1.0], 500)
    assert expected_calibration_error(told, happened) == 0
    rows = np.random.default_rng(1).permutation(1_000)
    mixed = expit(np.round(np.random.default_rng(2).normal(size=1_000)))
    assert expected_calibration_error(mixed, happened) == pytest.approx(
        expected_calibration_error(mixed[rows], happened[rows])
    )
