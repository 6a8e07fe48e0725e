"""Contributions from tables are XGBoost's own, whatever the trees look like."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost
from scipy.special import expit

from gnn.models.boosted import Boosted
from gnn.models.leafshap import DEEPEST, LeafShap


def portfolio(rows: int, columns: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(seed)
    x = chance.normal(size=(rows, columns)).astype(np.float32)
    x[:, 1::3] = np.round(x[:, 1::3])  # many equal values, so that rows stand on thresholds
    x[chance.random(x.shape) < 0.2] = np.nan
    y = np.nan_to_num(x[:, 0] + x[:, 1] * x[:, 2]) + chance.normal(size=rows) > 1
    return x, y


def theirs(model: Boosted, x: np.ndarray) -> np.ndarray:
    rows = xgboost.DMatrix(x, feature_names=model.names_)
    return np.asarray(model.booster_.predict(rows, pred_contribs=True), dtype=np.float64)


@pytest.mark.parametrize(("depth", "rounds"), [(1, 20), (3, 5), (6, 40), (8, 10)])
def test_they_are_what_xgboost_gives(depth: int, rounds: int) -> None:
    x, y = portfolio(1500, 9, seed=depth)
    model = Boosted(max_depth=depth, rounds=rounds, min_child_weight=0.1).fit(x, y, names=[f"f{n}" for n in range(9)])
    assert LeafShap.of(model.booster_) is not None
    given = model.contributions(x[:300])
    assert given == pytest.approx(theirs(model, x[:300]), abs=1e-5)
    assert expit(given.sum(axis=1)) == pytest.approx(model.score(x[:300]), abs=1e-6)


def test_a_row_alone_gives_the_bits_it_gives_among_others() -> None:
    x, y = portfolio(800, 6, seed=3)
    model = Boosted(rounds=30).fit(x, y, names=[f"f{n}" for n in range(6)])
    assert (model.contributions(x[5:6]) == model.contributions(x)[5]).all()


def test_a_stump_without_any_split_says_nothing_but_the_base() -> None:
    x, y = portfolio(200, 3, seed=5)
    model = Boosted(rounds=2, min_child_weight=1e6).fit(x, y, names=["a", "b", "c"])
    given = model.contributions(x[:4])
    assert not given[:, :-1].any()
    assert given == pytest.approx(theirs(model, x[:4]), abs=1e-6)


def test_a_deeper_path_than_a_table_holds_is_left_to_xgboost() -> None:
    x, y = portfolio(4000, 40, seed=7)
    names = [f"f{n}" for n in range(40)]
    model = Boosted(max_depth=DEEPEST + 6, rounds=3, min_child_weight=0.0, reg_lambda=0.0).fit(x, y, names=names)
    assert LeafShap.of(model.booster_) is None
    assert (model.contributions(x[:5]) == theirs(model, x[:5])).all()
