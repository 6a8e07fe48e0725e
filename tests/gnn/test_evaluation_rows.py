"""Measures of row scores: scikit-learn's values where it has them, the definitions of domain.md §5.3 where not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from gnn.evaluation.chance import Estimate, resample, wilson
from gnn.evaluation.comparison import evaluate_rows
from gnn.evaluation.money import Costs, balance, sensitivity
from gnn.evaluation.monitor import disparities, psi
from gnn.evaluation.ranking import Ranking
from gnn.evaluation.results import RowEvaluation
from gnn.evaluation.rows import (
    alerted,
    average_precision,
    brier,
    calibration,
    ece,
    false_positives_per_hit,
    investigators,
    look_alikes,
    precision_at,
    recall_at,
    recall_ceilings,
    roc_auc,
)

ROWS = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 3)), min_size=2, max_size=40).filter(
    lambda rows: len({fraud for _, fraud, _ in rows}) == 2
)
SCORE = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
FRAUD = np.array([1, 0, 1, 0, 0, 0, 0, 0, 0, 0], dtype=bool)


def frame(rows: int = 2_000, rings: int = 8, seed: int = 3) -> tuple[pd.DataFrame, np.ndarray]:
    """Applications of three months, rings of ten and forty single frauds, and a score that sees some of it."""
    rng = np.random.default_rng(seed)
    fraud = np.arange(rows) < 10 * rings + 40
    ring = np.where(np.arange(rows) < 10 * rings, np.arange(rows) // 10, -1)
    when = pd.Timestamp("2025-10-01", tz="Asia/Shanghai") + pd.to_timedelta(rng.integers(0, 92, rows), "D")
    made = pd.DataFrame({
        "application_id": [f"A{each}" for each in range(rows)],
        "submitted_at": when,
        "amount": rng.lognormal(11, 0.5, rows),
        "is_fraud": fraud,
        "ring": ring,
        "ring_class": np.select([ring < 0, ring < 4, ring < 6], ["", "new", "continuing"], "recidivist"),
        "benign_kind": np.where(fraud, "", rng.choice(["", "B01", "B05"], rows)),
        "month": when.strftime("%Y-%m"),
    })  # fmt: skip
    return made, 1 / (1 + np.exp(3 - rng.normal(size=rows) - 2 * fraud))


@pytest.fixture(scope="module")
def evaluated() -> RowEvaluation:
    made, score = frame()
    chance = np.random.default_rng(0).random(len(made))
    return evaluate_rows(made, {"random": chance, "main": score}, against="random", main="main", draws=50)


# A ranking -----------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_a_ranking_is_worth_what_scikit_learn_says_with_ties_and_weights(rows: list[tuple[int, bool, int]]) -> None:
    score, fraud, weight = (np.array(column) for column in zip(*rows, strict=True))
    ranking = Ranking.of(score.astype(float), fraud)
    assert ranking.steps().average_precision()[0] == pytest.approx(average_precision_score(fraud, score))
    assert ranking.steps().roc_auc()[0] == pytest.approx(roc_auc_score(fraud, score))
    if len(set(fraud[weight > 0])) < 2:
        return
    drawn = ranking.steps(np.stack([weight, np.ones_like(weight)]).astype(np.int16))
    expected = [average_precision_score(fraud, score, sample_weight=each) for each in (weight, None)]
    assert drawn.average_precision() == pytest.approx(expected)
    expected = [roc_auc_score(fraud, score, sample_weight=each) for each in (weight, None)]
    assert drawn.roc_auc() == pytest.approx(expected)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.randoms())
def test_the_order_of_the_rows_changes_nothing(rows: list[tuple[int, bool, int]], random: object) -> None:
    mixed = rows.copy()
    random.shuffle(mixed)  # type: ignore[attr-defined]
    values = []
    for each in (rows, mixed):
        score, fraud, day = (np.array(column) for column in zip(*each, strict=True))
        values.append(
            [average_precision(score, fraud), recall_at(score, fraud, 0.2), *precision_at(score, fraud, day, 2)]
        )
    assert values[0] == pytest.approx(values[1])


def test_alerts_that_end_in_a_tie_take_a_share_of_each_of_its_rows() -> None:
    assert alerted(np.array([2.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), 0.3).tolist() == [
        1.0, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0, 0,
    ]  # fmt: skip


def test_recall_by_count_and_by_money_with_their_ceilings() -> None:
    amount = np.where(SCORE == 0.9, 300.0, 100.0)
    assert recall_at(SCORE, FRAUD, 0.1) == 0.5
    assert recall_at(SCORE, FRAUD, 0.1, amount) == 0.75
    assert recall_ceilings(FRAUD, amount, 0.1) == (0.5, 0.75)
    assert recall_ceilings(FRAUD, amount, 0.5) == (1.0, 1.0)
    assert false_positives_per_hit(alerted(SCORE, 0.5), FRAUD) == 1.5


def test_precision_a_day_is_a_mean_over_days_and_has_a_ceiling_and_a_lift() -> None:
    day = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    fraud = FRAUD | (SCORE == 0.3)
    precision, ceiling, lift = precision_at(SCORE, fraud, day, 2)
    assert (precision, ceiling) == (0.5, 0.75)  # one hit of two on each day; two frauds and one could be had
    assert lift == pytest.approx(0.5 / 0.3)
    assert investigators(np.repeat(np.arange(3), 5_000)) == 50


def test_calibration_never_parts_equal_scores_and_ece_weighs_bins_by_size() -> None:
    bins = calibration(np.repeat([0.1, 0.5], [90, 10]), np.arange(100) % 10 == 0)
    assert [(each.expected, each.seen.hits, each.seen.of) for each in bins] == [
        (pytest.approx(0.1), 9, 90), (pytest.approx(0.5), 1, 10),
    ]  # fmt: skip
    assert ece(bins) == pytest.approx(0.1 * 0.4)
    assert brier(SCORE, FRAUD) == pytest.approx(brier_score_loss(FRAUD, SCORE))


def test_false_alarms_are_counted_by_benign_kind() -> None:
    kind = np.array(["", "B05", "", "B05", "B01", "B01", "", "", "", ""], dtype=object)
    first, *_, last = look_alikes(alerted(SCORE, 0.5), FRAUD, kind)
    assert (first.kind, first.name, first.applications, first.false_alarms) == ("B05", "fleets", 2, 2.0)
    assert (first.share, first.lift) == (pytest.approx(2 / 3), pytest.approx(1.0 / (3 / 8)))
    assert (last.kind, last.name, last.applications, last.false_alarms) == ("", "none of these", 4, 0.0)


def test_a_measure_that_does_not_exist_is_nan_and_a_score_that_is_none_is_refused() -> None:
    honest = np.zeros(10, dtype=bool)
    assert np.isnan([average_precision(SCORE, honest), roc_auc(SCORE, honest), roc_auc(SCORE, ~honest)]).all()
    assert np.isnan(
        [average_precision(SCORE[:0], honest[:0]), *precision_at(SCORE[:0], honest[:0], honest[:0] * 1, 5)]
    ).all()
    assert (calibration(SCORE[:0], honest[:0]), len(alerted(SCORE[:0], 0.1))) == ((), 0)
    with pytest.raises(ValueError, match="1 of 10 scores are no numbers"):
        average_precision(np.where(SCORE == 0.9, np.nan, SCORE), FRAUD)


# Chance --------------------------------------------------------------------------------------------------


def test_wilson_interval_of_a_known_case() -> None:
    found = wilson(8, 10)
    assert (found.low, found.high) == (pytest.approx(0.490, abs=1e-3), pytest.approx(0.943, abs=1e-3))
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    assert wilson(0, 10).low == 0.0


def test_a_draw_takes_rings_whole_and_keeps_the_number_of_units() -> None:
    fraud = np.repeat([True, False], [30, 70])
    ring = np.concatenate([np.repeat([7, 9], 10), np.full(80, -1)])
    times = resample(fraud, ring, draws=300, seed=1)
    assert (times[:, :10] == times[:, :1]).all()
    assert (times[:, 10:20] == times[:, 10:11]).all()
    assert (times[:, 20:30].std(axis=1) > 0).any()
    units = times[:, 0] + times[:, 10] + times[:, 20:30].sum(axis=1)
    assert (units == 12).all()
    assert (times[:, 30:].sum(axis=1) == 70).all()
    assert (times == resample(fraud, ring, draws=300, seed=1)).all()
    assert (times != resample(fraud, ring, draws=300, seed=2)).any()


def test_an_honest_member_of_a_ring_is_drawn_as_a_row() -> None:
    fraud, ring = np.array([True, True, False, False]), np.array([0, 0, 0, -1])
    assert (resample(fraud, ring, draws=100, seed=0)[:, 2] != 1).any()


def test_rings_make_the_interval_wider_than_rows_do() -> None:
    fraud = np.arange(2_000) < 100
    score = np.random.default_rng(2).normal(size=2_000) + 3 * (np.arange(2_000) < 50)  # five of ten rings are seen
    ranking = Ranking.of(score, fraud)

    def width(ring: np.ndarray) -> float:
        drawn = ranking.steps(resample(fraud, ring, draws=200, seed=0))
        found = Estimate.by(lambda steps: steps.recall(0.05), ranking.steps(), drawn)
        assert found.low < found.value < found.high
        return found.high - found.low

    by_row, by_ring = width(np.full(2_000, -1)), width(np.where(fraud, np.arange(2_000) // 10, -1))
    assert by_ring > 2 * by_row


# Money, drift, groups ------------------------------------------------------------------------------------


def test_what_is_saved_is_stopped_fraud_less_reviews_and_honest_customers() -> None:
    costs = Costs(stopped=1.0, cleared=0.5)
    made = balance(alerted(SCORE, 0.4), FRAUD, np.full(10, 100_000.0), costs, recovered=10.0)
    assert (made.alerts, made.stopped) == (4.0, 120_000.0)
    assert (made.reviews, made.declined, made.delayed) == (320.0, 3_000.0, 50.0)
    assert made.net == 120_000 + 10 - 320 - 3_000 - 50
    widest, *rest = sensitivity(alerted(SCORE, 0.4), FRAUD, np.full(10, 100_000.0), costs)
    assert (widest.constant, widest.high - widest.low) == ("loss_given_fraud", pytest.approx(120_000.0))
    assert {each.constant for each in rest} == {"review", "lost_margin", "delay"}


def test_psi_sees_a_shift_and_a_new_gap_but_no_new_draw() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(size=20_000)
    assert psi(before, rng.normal(size=20_000)) < 0.01
    assert psi(before, rng.normal(1, 1, size=20_000)) > 0.25
    assert psi(before, np.where(rng.random(20_000) < 0.3, np.nan, before)) > 0.25
    gap = rng.random(20_000) < 0.3
    assert psi(np.where(gap, np.nan, before), np.where(gap, -9.0, before)) > 0.25  # missing is not low
    assert psi(np.zeros(100), np.zeros(50)) == 0.0
    shares = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    expected = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()
    assert psi(np.repeat([0.0, 1.0], [50, 50]), np.repeat([0.0, 1.0], [25, 75]), bins=2) == pytest.approx(expected)


def test_a_group_that_is_alerted_more_than_others_is_pointed_out() -> None:
    group = np.repeat(["a", "b"], 100).astype(object)
    fair = np.arange(200) % 10 == 0
    unfair = fair | (np.arange(200) < 30)
    honest = np.zeros(200, dtype=bool)
    assert [each.outside for each in disparities(fair, honest, group)] == [False, False]
    first, second = disparities(unfair, honest, group)
    assert (first.outside, first.alert_ratio) == (True, pytest.approx(3.7))
    assert second.alert_ratio == pytest.approx(1 / 3.7)
    cleared = disparities(unfair, np.arange(200) < 30, group)[0]
    assert cleared.false_alarm_ratio == pytest.approx(1.0)  # the extra alerts were fraud


# All methods ---------------------------------------------------------------------------------------------


def test_the_comparison_counts_what_the_frame_holds(evaluated: RowEvaluation) -> None:
    made, score = frame()
    assert (evaluated.applications, evaluated.frauds, evaluated.rings) == (2_000, 120, 8)
    assert (evaluated.base_rate, evaluated.first, evaluated.last) == (0.06, "2025-10-01", "2025-12-31")
    assert [each.name for each in evaluated.methods] == ["random", "main"]
    main, random = evaluated.method("main"), evaluated.method("random")
    assert main.pr_auc.value == pytest.approx(average_precision_score(made["is_fraud"], score))
    assert main.lift.value == pytest.approx(main.pr_auc.value / random.pr_auc.value)
    assert (random.lift.low, random.lift.high) == (1.0, 1.0)
    assert main.pr_auc.low < main.pr_auc.value < main.pr_auc.high
    assert sum(each.frauds for each in main.months) == 120
    at = main.at_rates[1]
    assert at.recall.value == pytest.approx(recall_at(score, made["is_fraud"].to_numpy(), 0.01))
    assert at.precision == pytest.approx(at.recall.value * 120 / 20)
    assert at.recall.value <= at.ceiling == pytest.approx(1 / 6)


def test_classes_of_rings_stand_apart_and_new_with_continuing_is_the_headline(evaluated: RowEvaluation) -> None:
    made, score = frame()
    classes = {each.name: each for each in evaluated.method("main").classes}
    assert [(each.name, each.frauds, each.rings) for each in classes.values()] == [
        ("new + continuing", 60, 6), ("new", 40, 4), ("continuing", 20, 2), ("recidivist", 20, 2),
        ("outside rings", 40, 0),
    ]  # fmt: skip
    kept = (made["ring_class"] == "new") | ~made["is_fraud"]
    expected = average_precision_score(made["is_fraud"][kept], score[kept.to_numpy()])
    assert classes["new"].pr_auc.value == pytest.approx(expected)


def test_rows_without_a_label_are_left_out_and_counted(evaluated: RowEvaluation) -> None:
    made, score = frame()
    unknown = pd.concat([made, made.assign(is_fraud=None)], ignore_index=True)
    found = evaluate_rows(unknown, {"main": np.concatenate([score, 1 - score])}, against="main", main="main", draws=5)
    assert (found.applications, found.unknown) == (2_000, 2_000)
    assert found.method("main").pr_auc.value == evaluated.method("main").pr_auc.value


def test_times_in_milliseconds_and_rings_by_name_give_the_same(evaluated: RowEvaluation) -> None:
    made, score = frame()
    other = made.assign(
        submitted_at=made["submitted_at"].astype("datetime64[ms, UTC]").astype("int64"),
        ring=made["ring"].map(lambda each: None if each < 0 else f"ring-{each:02d}"),
    )
    found = evaluate_rows(other, {"main": score}, against="main", main="main", draws=50)
    assert found.method("main") == replace(evaluated.method("main"), lift=found.method("main").lift)


def test_a_score_that_is_no_probability_is_not_calibrated() -> None:
    made, score = frame()
    found = evaluate_rows(made, {"points": 100 * score, "main": score}, against="main", main="main", draws=5)
    points, main = found.methods
    assert points.calibration == ()
    assert np.isnan([points.ece, points.brier]).all()
    assert main.ece < 0.2
    assert main.calibration[-1].seen.hits > 0


def test_an_empty_period_and_one_without_fraud_have_no_measures() -> None:
    made, score = frame()
    empty = evaluate_rows(made[:0], {"main": score[:0]}, against="main", main="main", draws=5)
    assert (empty.applications, empty.first) == (0, "")
    honest = evaluate_rows(made.assign(is_fraud=False), {"main": score}, against="main", main="main", draws=5)
    for each in (empty, honest):
        assert np.isnan(each.method("main").pr_auc.value)


def test_a_wrong_name_and_a_wrong_length_are_refused() -> None:
    made, score = frame()
    with pytest.raises(ValueError, match="no method 'gone' among main"):
        evaluate_rows(made, {"main": score}, against="gone", main="main")
    with pytest.raises(ValueError, match="main: 1999 scores for 2000 applications"):
        evaluate_rows(made, {"main": score[1:]}, against="main", main="main")
