"""The isolation forest: scikit-learn's scores, without scikit-learn's wait."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from gnn.models.isolation import RANKS, Floats, Isolation
from graph.errors import InputError, ModelRefused


def portfolio(rows: int = 600, seed: int = 3) -> Floats:
    """12 features of many kinds: continuous, counted, constant, unknown to nobody, some, everybody."""
    draw = np.random.default_rng(seed)
    known = draw.normal(size=(rows, 12))
    known[:, 3] = draw.poisson(2, rows)
    known[:, 4] = 7
    known[:, 5] *= 1e8
    known[draw.random((rows, 12)) < 0.1] = np.nan
    known[:, 6] = np.nan
    return known


@pytest.fixture(scope="module")
def forest() -> Isolation:
    return Isolation.fit(portfolio(), seed=5)


def reference(train: Floats, asked: Floats, seed: int) -> Floats:
    """scikit-learn by its public face."""
    rows = train.astype(np.float32)
    medians = [0 if np.isnan(each).all() else np.nanmedian(each) for each in rows.T]
    forest = IsolationForest(n_estimators=50, max_samples=min(256, len(rows)), random_state=seed, n_jobs=1)
    filled = [np.where(np.isnan(each), medians, each).astype(np.float32) for each in (rows, asked)]
    scores: Floats = -forest.fit(filled[0]).score_samples(filled[1])
    return scores


@pytest.mark.parametrize("rows", [2, 3, 100, 600])
def test_scores_are_those_of_scikit_learn(rows: int) -> None:
    train, asked = portfolio(rows), portfolio(300, seed=9)
    scores = Isolation.fit(train, seed=5, trees=50).score(asked)
    np.testing.assert_allclose(scores, reference(train, asked, 5), rtol=0, atol=1e-6)
    assert np.all((scores > 0) & (scores < 1))


def test_a_row_alone_scores_as_among_others_bit_for_bit(forest: Isolation) -> None:
    rows = portfolio(300, seed=4)
    alone = np.concatenate([forest.score(row[None]) for row in rows])
    assert alone.tobytes() == forest.score(rows).tobytes()
    assert forest.score(rows[::-1]).tobytes() == alone[::-1].tobytes()


def test_the_unlike_score_higher_and_rank_above_all(forest: Isolation) -> None:
    ordinary, unlike = np.zeros((1, 12)), np.full((1, 12), 50.0)
    assert forest.score(ordinary)[0] < 0.5 < forest.score(unlike)[0]
    assert forest.percentile(ordinary)[0] < 10
    assert forest.percentile(unlike)[0] > 99


def test_percentiles_are_shares_of_the_training_rows(forest: Isolation) -> None:
    train = portfolio()
    scores, percentiles = forest.score(train), forest.percentile(train)
    shares = np.array([(scores < each).mean() + (scores == each).mean() / 2 for each in scores]) * 100
    np.testing.assert_allclose(percentiles, shares, atol=100 / len(train))
    assert np.array_equal(np.argsort(scores, kind="stable"), np.argsort(percentiles, kind="stable"))
    assert forest.rank(np.array([0.0, 1.0])).tolist() == [0, 100]


def test_rows_that_are_all_alike_stand_in_the_middle() -> None:
    forest = Isolation.fit(np.ones((50, 3)), seed=1, trees=5)
    assert forest.percentile(np.ones((2, 3))).tolist() == [50, 50]


@pytest.mark.parametrize("unknown", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_unknown_takes_the_median_of_the_training_rows(forest: Isolation, unknown: float) -> None:
    row = portfolio(50, seed=8)[7:8]
    row[0, :3] = unknown
    filled = row.copy()
    filled[0, :3] = forest.trees.medians[:3]
    assert forest.score(row).tobytes() == forest.score(filled).tobytes()
    assert np.array_equal(row[0, :3], np.full(3, unknown), equal_nan=True)


def test_training_twice_gives_the_same_forest_and_another_seed_another() -> None:
    one, again, other = (Isolation.fit(portfolio(), seed=seed, trees=20) for seed in (1, 1, 2))
    assert [np.asarray(each).tobytes() for each in one.trees] == [np.asarray(each).tobytes() for each in again.trees]
    assert one.score(portfolio()).tobytes() != other.score(portfolio()).tobytes()


def test_what_was_saved_comes_back(forest: Isolation, tmp_path: Path) -> None:
    forest.save(tmp_path / "isolation.npz")
    again = Isolation.load(tmp_path / "isolation.npz")
    assert again.percentile(portfolio()).tobytes() == forest.percentile(portfolio()).tobytes()
    assert [np.asarray(each).dtype for each in again.trees] == [np.asarray(each).dtype for each in forest.trees]
    forest.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "isolation.npz").read_bytes()


@pytest.mark.parametrize(
    ("name", "place", "value"),
    [
        ("left", 0, 0),  # for ever
        ("right", 0, 10**6),  # out of the arrays
        ("right", 0, -1),
        ("feature", 0, 12),
        ("feature", 0, -1),
        ("roots", 1, -1),
        ("roots", 1, 10**6),
    ],
)
def test_trees_that_cannot_be_walked_are_refused(
    forest: Isolation, tmp_path: Path, name: str, place: int, value: int
) -> None:
    column = getattr(forest.trees, name).copy()
    column[place] = value
    Isolation(forest.trees._replace(**{name: column}), forest.ranks).save(tmp_path / "isolation.npz")
    with pytest.raises(ModelRefused, match="damaged isolation forest"):
        Isolation.load(tmp_path / "isolation.npz")


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("path", np.zeros(3)),
        ("medians", np.zeros((12, 1), dtype=np.float32)),
        ("threshold", np.zeros(1, dtype=np.int8)),
        ("longest", 0.0),
        ("roots", np.zeros(200)),
    ],
)
def test_arrays_of_another_shape_are_refused(forest: Isolation, tmp_path: Path, name: str, column: Any) -> None:
    Isolation(forest.trees._replace(**{name: column}), forest.ranks).save(tmp_path / "isolation.npz")
    with pytest.raises(ModelRefused, match="damaged isolation forest"):
        Isolation.load(tmp_path / "isolation.npz")


def test_files_that_hold_something_else_are_refused(forest: Isolation, tmp_path: Path) -> None:
    path = tmp_path / "isolation.npz"
    forest.save(path)
    whole = path.read_bytes()
    np.savez(tmp_path / "hidden.npz", **forest.trees._asdict() | {"left": np.array([print], dtype=object)})
    hidden = (tmp_path / "hidden.npz").read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2], b"{}", hidden):
        path.write_bytes(content)
        with pytest.raises(ModelRefused, match="holds no isolation forest"):
            Isolation.load(path)
    Isolation(forest.trees, np.zeros(RANKS - 1)).save(path)
    with pytest.raises(ModelRefused, match="damaged"):
        Isolation.load(path)
    with pytest.raises(ModelRefused, match="FileNotFoundError"):
        Isolation.load(tmp_path / "none.npz")


def test_rows_of_another_width_and_too_few_rows_are_told(forest: Isolation) -> None:
    with pytest.raises(ModelRefused, match="takes 12 features, not"):
        forest.score(np.zeros((1, 11)))
    with pytest.raises(ModelRefused, match="takes 12 features, not"):
        forest.score(np.zeros(12))
    with pytest.raises(InputError, match="at least two applications"):
        Isolation.fit(np.zeros((1, 12)), seed=1)
