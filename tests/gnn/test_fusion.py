"""An auxiliary enters by what it does for the validation months, and never speaks against suspicion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score

from gnn.models.fusion import Fusion, fuse

Floats = npt.NDArray[np.float64]


@pytest.fixture
def fraud() -> npt.NDArray[np.bool_]:
    return np.random.default_rng(3).random(6000) < 0.02


def opinion(fraud: npt.NDArray[np.bool_], seed: int, strength: float) -> Floats:
    return np.random.default_rng(seed).normal(size=len(fraud)) + strength * fraud - 4.0


def test_a_second_independent_opinion_enters_and_raises_precision(fraud: npt.NDArray[np.bool_]) -> None:
    main, other = opinion(fraud, 0, 2.0), opinion(fraud, 1, 2.0)
    fusion = fuse(main, {"gnn": other}, fraud, np.ones(len(fraud)), seed=1)
    assert fusion.weights["gnn"] > 0
    fused = fusion.margin(main, {"gnn": other})
    assert average_precision_score(fraud, fused) > 1.1 * average_precision_score(fraud, main)
    before, after = fusion.gains["gnn"]
    assert before == pytest.approx(average_precision_score(fraud, main))
    assert after == pytest.approx(average_precision_score(fraud, fused))


def test_noise_and_the_opposite_stay_out(fraud: npt.NDArray[np.bool_]) -> None:
    main = opinion(fraud, 0, 3.0)
    noise, opposite = opinion(fraud, 2, 0.0), -opinion(fraud, 1, 3.0)
    fusion = fuse(main, {"noise": noise, "opposite": opposite}, fraud, np.ones(len(fraud)), seed=1)
    assert fusion.weights == {}
    assert set(fusion.gains) == {"noise", "opposite"}


def test_of_one_class_nothing_is_chosen() -> None:
    nobody = np.zeros(50, dtype=bool)
    assert fuse(np.zeros(50), {"gnn": np.ones(50)}, nobody, np.ones(50), seed=1) == Fusion()


def test_what_says_nothing_adds_nothing() -> None:
    added = Fusion({"rules": 0.6}).added({"rules": np.array([1.0, np.nan])})
    assert added["rules"].tolist() == [0.6, 0.0]


def test_the_same_seed_chooses_the_same(fraud: npt.NDArray[np.bool_]) -> None:
    main, other = opinion(fraud, 0, 2.0), opinion(fraud, 1, 1.0)
    one, again = (fuse(main, {"gnn": other}, fraud, np.ones(len(fraud)), seed=5) for _ in range(2))
    assert one == again
