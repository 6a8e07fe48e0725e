"""The compiled trees: XGBoost's own bits, whatever the rows hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xgboost

from gnn.models.boosted import Boosted
from gnn.models.forest import Forest

NAMES = tuple("abcdefgh")


def drawn(
    seed: int, rows: int
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """Columns of all sizes, some of whole numbers, with gaps and what is not finite."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, len(NAMES))) * 10.0 ** rng.integers(-4, 9, size=len(NAMES))
    x[:, ::3] = rng.poisson(2, size=x[:, ::3].shape)
    y = x[:, 0] + rng.normal(size=rows) > 3
    x[rng.random(x.shape) < 0.15] = np.nan
    x[rng.random(x.shape) < 0.01] = -0.0
    return x.astype(np.float32), y


@pytest.mark.parametrize(("seed", "depth", "rounds"), [(1, 1, 3), (2, 6, 300), (3, 9, 120)])
def test_scores_are_the_bits_of_xgboost(tmp_path: Path, seed: int, depth: int, rounds: int) -> None:
    x, y = drawn(seed, 3000)
    model = Boosted(max_depth=depth, rounds=rounds, learning_rate=0.3, reg_lambda=0.1).fit(x, y, names=NAMES)
    others, _ = drawn(seed + 10, 20_000)
    others[::7] = others[::7] * np.float32(1e9)
    model.save(tmp_path)
    for each in (model, Boosted.load(tmp_path)):
        assert Forest.of(each.booster_) is not None
        plain = np.asarray(each.booster_.inplace_predict(others), dtype=np.float64)
        np.testing.assert_array_equal(each.score(others), plain)
        assert len(np.unique(plain)) > 2


def test_a_threshold_belongs_to_the_right(tmp_path: Path) -> None:
    x, y = drawn(4, 2000)
    model = Boosted(rounds=20).fit(x, y, names=NAMES)
    forest = Forest.of(model.booster_)
    assert forest is not None
    inner = np.flatnonzero(forest.left >= 0)
    rows = np.zeros((len(inner), len(NAMES)), dtype=np.float32)
    rows[np.arange(len(inner)), forest.feature[inner]] = forest.value[inner]
    np.testing.assert_array_equal(model.score(rows), model.booster_.inplace_predict(rows).astype(np.float64))


def test_a_model_that_is_trained_again_scores_by_its_new_trees() -> None:
    x, y = drawn(5, 1000)
    model = Boosted(rounds=10).fit(x, y, names=NAMES)
    before = model.score(x)
    model.fit(x, ~y, names=NAMES)
    assert (model.score(x) != before).any()


def test_rows_of_another_width_are_refused_by_xgboost_itself() -> None:
    x, y = drawn(6, 1000)
    model = Boosted(rounds=5).fit(x, y, names=NAMES)
    with pytest.raises(ValueError, match="Feature shape mismatch"):
        model.score(x[:, :5])


@pytest.mark.parametrize("more", [{"objective": "reg:squarederror"}, {"booster": "dart", "rate_drop": 0.5}])
def test_a_model_of_another_kind_is_left_to_xgboost(more: dict[str, object]) -> None:
    x, y = drawn(7, 500)
    booster = xgboost.train({"objective": "binary:logistic"} | more, xgboost.DMatrix(x, label=y), num_boost_round=3)
    assert Forest.of(booster) is None
