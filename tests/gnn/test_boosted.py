"""Boosted: one row scores as many do, nothing scores past the best round, and what is saved comes back to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score

from gnn.models.boosted import Boosted, Features, Labels
from graph.errors import InputError, ModelRefused

NAMES = ("amount", "shared_devices", "term", "age")


def drawn(seed: int, rows: int = 400) -> tuple[Features, npt.NDArray[np.bool_]]:
    """Fraud is where many devices are shared, mostly; a tenth of the values are missing."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, len(NAMES))).astype(np.float32)
    y = x[:, 1] + rng.normal(size=rows) > 1
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, y


X, Y = drawn(1)
LATER_X, LATER_Y = drawn(2)


@pytest.fixture(scope="module")
def model() -> Boosted:
    return Boosted(patience=10).fit(X, Y, names=NAMES, validation=(LATER_X, LATER_Y, None))


def log_odds(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.log(probability / (1 - probability))


def test_it_learns_with_missing_values(model: Boosted) -> None:
    scores = model.score(LATER_X)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()
    assert average_precision_score(LATER_Y, scores) > 2 * LATER_Y.mean()


def test_a_row_alone_scores_the_bits_it_scores_among_others(model: Boosted) -> None:
    alone = np.concatenate([model.score(X[at : at + 1]) for at in range(50)])
    assert (alone == model.score(X)[:50]).all()


def test_contributions_sum_to_the_log_odds_of_the_score(model: Boosted) -> None:
    parts = model.contributions(X)
    assert parts.shape == (len(X), len(NAMES) + 1)
    assert np.ptp(parts[:, -1]) == 0
    np.testing.assert_allclose(parts.sum(axis=1), log_odds(model.score(X)), atol=1e-5)
    assert np.abs(parts[:, :-1]).mean(axis=0).argmax() == NAMES.index("shared_devices")


def test_the_rounds_after_the_best_one_are_gone(model: Boosted) -> None:
    rounds = model.booster_.num_boosted_rounds()
    assert rounds < model.rounds
    short = Boosted(rounds=rounds).fit(X, Y, names=NAMES)
    assert (short.score(LATER_X) == model.score(LATER_X)).all()
    assert (short.contributions(LATER_X) == model.contributions(LATER_X)).all()
    patient = Boosted(patience=model.patience + 1).fit(X, Y, names=NAMES, validation=(LATER_X, LATER_Y, None))
    assert patient.booster_.num_boosted_rounds() == rounds


def test_the_same_seed_gives_the_same_trees_and_another_does_not() -> None:
    first, again, other = (Boosted(rounds=5, seed=seed).fit(X, Y, names=NAMES).score(X) for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()


def test_rows_without_weight_do_not_count() -> None:
    doubtful = np.arange(len(X)) % 2 == 0
    y = np.where(doubtful, ~Y, Y)
    weighted = Boosted(rounds=20).fit(X, y, names=NAMES, weight=np.where(doubtful, 0.0, 1.0)).score(X)
    misled = Boosted(rounds=20).fit(X, y, names=NAMES).score(X)
    assert weighted[Y].mean() - weighted[~Y].mean() > 2 * (misled[Y].mean() - misled[~Y].mean())


def test_what_is_saved_comes_back_to_the_bit(model: Boosted, tmp_path: Path) -> None:
    model.save(tmp_path / "new")
    back = Boosted.load(tmp_path / "new")
    assert back == model
    assert back.names_ == list(NAMES)
    assert (back.score(X) == model.score(X)).all()
    assert (back.contributions(X) == model.contributions(X)).all()


@pytest.mark.parametrize("name", ["boosted.ubj", "boosted.json"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "one bit"])
def test_a_damaged_model_is_refused_and_says_what_to_do(model: Boosted, tmp_path: Path, name: str, damage: str) -> None:
    model.save(tmp_path)
    file = tmp_path / name
    whole = bytearray(file.read_bytes())
    file.unlink()
    if damage == "one bit":
        whole[len(whole) * 3 // 4] ^= 1
    if damage != "missing":
        file.write_bytes(bytes(whole[: {"empty": 0, "cut": len(whole) * 7 // 10}.get(damage, len(whole))]))
    with pytest.raises(ModelRefused, match="train"):
        Boosted.load(tmp_path)


@pytest.mark.parametrize("only", [True, False])
def test_labels_of_one_class_are_refused(only: bool) -> None:
    one: Labels = np.full(len(X), only)
    with pytest.raises(InputError, match=r"training labels .* take a longer period"):
        Boosted().fit(X, one, names=NAMES)
    with pytest.raises(InputError, match="validation labels"):
        Boosted().fit(X, Y, names=NAMES, validation=(X, one, None))
