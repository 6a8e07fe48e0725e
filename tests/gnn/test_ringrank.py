"""Rings by what is known of their members: learned from earlier nights, silent where that does not pay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gnn.ringrank import NAMES, Known, Night, RingRank, columns, learn, worth
from graph.candidates import Groups
from graph.measure import Measured
from graph.rings import Examined
from graph.signs import Signs

PEOPLE, SIZE, GROUPS = 400, 5, 60


class Window:
    """What of a projection is read here: every application is a person of its own."""

    size = PEOPLE
    window = np.arange(PEOPLE)
    party = np.arange(PEOPLE)


def night(seed: int, *, telling: bool) -> Night:
    """Sixty groups of five, a quarter of them rings; the unlearned scores say nothing, the degrees do if `telling`."""
    rng = np.random.default_rng(seed)
    ring = rng.random(GROUPS) < 0.25
    member = rng.permutation(PEOPLE)[: GROUPS * SIZE]
    groups = Groups(np.arange(GROUPS + 1) * SIZE, member)
    target = np.zeros(PEOPLE)
    target[member] = np.repeat(ring, SIZE)
    degree = np.clip(0.6 * target + rng.normal(0, 0.1, PEOPLE), 0, 1) if telling else rng.random(PEOPLE)
    sizes = np.full(GROUPS, SIZE)
    measured = Measured(
        inside=rng.integers(500, 3000, (GROUPS, 3)), leaving=rng.integers(0, 500, GROUPS),
        tied=np.zeros(GROUPS, np.int64), linked=sizes, people=sizes, applications=sizes,
        points=rng.random(GROUPS) * 20, days=rng.random(GROUPS) * 40, top_dealer=rng.integers(1, SIZE, GROUPS),
    )  # fmt: skip
    projection: Any = Window()
    signs = Signs(np.zeros((PEOPLE, 9), dtype=bool), np.zeros(PEOPLE, dtype=np.int64))
    scores = rng.uniform(0.36, 0.9, GROUPS)
    examined = Examined(projection, signs, groups, measured, np.zeros((GROUPS, 7), dtype=bool), scores, 5.0)
    return Night(examined, Known(degree, np.zeros(PEOPLE, dtype=bool)), target)


@pytest.fixture(scope="module")
def nights() -> list[Night]:
    return [night(seed, telling=True) for seed in range(8)]


@pytest.fixture(autouse=True)
def room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gnn.ringrank.BUDGET", 0.1)


def test_what_is_known_of_members_puts_rings_first(nights: list[Night]) -> None:
    rank, figures = learn(nights, seed=1)
    assert rank.model is not None
    assert figures["ring_fraud_caught"] > 1.5 * figures["ring_fraud_caught_unlearned"]
    later = night(99, telling=True)
    assert later.target is not None
    scores = rank.scores(later)
    rings = later.target[later.examined.groups.member].reshape(GROUPS, SIZE)[:, 0] == 1
    assert scores[rings].min() > np.median(scores[~rings])
    assert ((scores >= 0) & (scores < 1)).all()


def test_what_does_not_pay_stays_silent() -> None:
    rank, figures = learn([night(seed, telling=False) for seed in range(5)], seed=1)
    pays = figures["ring_fraud_caught"] > figures["ring_fraud_caught_unlearned"]
    assert (rank.model is not None) == pays
    plain = night(5, telling=False)
    assert (RingRank().scores(plain) == plain.examined.scores).all()


def test_without_rings_to_learn_from_the_unlearned_order_stands(nights: list[Night]) -> None:
    nothing = [replace(each, target=np.zeros(PEOPLE)) for each in nights]
    rank, figures = learn(nothing, seed=1)
    assert rank.model is None
    assert figures == {}


def test_every_column_has_its_name(nights: list[Night]) -> None:
    table = columns(nights[0])
    assert table.shape == (GROUPS, len(NAMES))
    assert np.isfinite(table).all()


def test_a_larger_group_as_pure_is_worth_more(nights: list[Night]) -> None:
    examined = nights[0].examined
    wider = replace(examined, measured=replace(examined.measured, people=examined.measured.people * 3))
    pure = np.full(GROUPS, 0.5)
    assert (worth(pure, wider) > worth(pure, examined)).all()
    assert (worth(pure * 1.5, examined) > worth(pure, examined)).all()
