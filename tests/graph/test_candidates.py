"""Groups are found from every view, grown by context, measured rightly, scored in order and chosen apart."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from graph.candidates import GROWTH, LARGEST_COMPONENT, Groups, candidates
from graph.choice import HALF_SCORE, LEAST_SCORE, choose, score
from graph.communities import Links
from graph.measure import Measured, Members, Rows, measure
from graph.records import DAY

Pairs = dict[tuple[int, int], int]
NOTHING: Pairs = {}


def links(size: int, pairs: Pairs) -> Links:
    first, second = ([pair[at] for pair in pairs] for at in (0, 1))
    return Links(size, *(np.array(each, dtype=np.int64) for each in (first, second, list(pairs.values()))))


def found(size: int, pairs: Pairs, ties: Pairs = NOTHING) -> set[tuple[int, ...]]:
    groups = candidates(links(size, pairs), links(size, ties))
    listed = [tuple(each.tolist()) for each in groups]
    assert len(listed) == len(set(listed)), "each group once"
    assert all(list(each) == sorted(set(each)) and len(each) >= 3 for each in listed)
    return set(listed)


def clique(nodes: range, weight: int) -> Pairs:
    return dict.fromkeys(itertools.combinations(nodes, 2), weight)


def chain(nodes: range, weight: int) -> Pairs:
    return dict.fromkeys(itertools.pairwise(nodes), weight)


def test_a_chain_of_pairs_is_a_candidate() -> None:
    """Nobody is linked with more than two others; communities tear such a path apart."""
    assert tuple(range(20)) in found(30, chain(range(20), 700))


def test_a_long_chain_is_cut_not_lost() -> None:
    pieces = found(LARGEST_COMPONENT * 3, chain(range(LARGEST_COMPONENT * 2), 700))
    assert pieces
    assert set().union(*pieces) == set(range(LARGEST_COMPONENT * 2))


def test_two_rings_glued_by_a_link_are_candidates_apart_and_together() -> None:
    pairs = clique(range(6), 1500) | clique(range(6, 12), 1500) | {(5, 6): 700}
    assert {tuple(range(6)), tuple(range(6, 12)), tuple(range(12))} <= found(12, pairs)


def test_a_pair_grows_by_its_context_closest_first() -> None:
    ties = {(1, 2): 900, (1, 3): 500, (0, 3): 100, (0, 4): 50, (5, 6): 900}
    groups = found(9, {(0, 1): 1000}, ties)
    assert {(0, 1, 2), (0, 1, 2, 3)} <= groups
    assert (0, 1, 3) not in groups, "the closest comes first"
    assert not any({0, 5} <= set(each) for each in groups), "5 is tied to none of them"


def test_growth_is_bounded() -> None:
    ties = {(0, outsider): 100 for outsider in range(2, 40)}
    grown = [len(each) - 2 for each in found(40, {(0, 1): 1000}, ties) if {0, 1} <= set(each) and len(each) < 20]
    assert set(grown) >= set(GROWTH)


def test_nothing_and_the_order_of_links_change_nothing() -> None:
    assert found(0, {}) == set()
    assert found(5, {}) == set()
    pairs = clique(range(5), 900) | chain(range(4, 12), 650) | {(7, 20): 1200, (20, 21): 400}
    ties = chain(range(9, 30), 300)
    expected = [each.tolist() for each in candidates(links(40, pairs), links(40, ties))]
    turned = dict(reversed(pairs.items())), dict(reversed(ties.items()))
    assert [each.tolist() for each in candidates(links(40, turned[0]), links(40, turned[1]))] == expected


# Measures ----------------------------------------------------------------------------------------------


def groups_of(*members: tuple[int, ...]) -> Groups:
    sizes = np.array([len(each) for each in members])
    every = [one for each in members for one in each]
    return Groups(np.append(0, np.cumsum(sizes, dtype=np.int64)), np.array(every, dtype=np.int64))


def rows(size: int, pairs: Pairs, strands: int = 1, strand: int = 0) -> Rows:
    first, second = (np.array([pair[at] for pair in pairs], dtype=np.int64) for at in (0, 1))
    values = np.zeros((len(pairs), strands), dtype=np.int64)
    values[:, strand] = list(pairs.values())
    return Rows.of(size, first, second, values)


def members(size: int) -> Members:
    one = np.ones(size, dtype=np.int64)
    return Members(one, np.arange(size) * 10, np.arange(size) * DAY, np.arange(size) * DAY, np.array([1, 1, 2, 2, -1]))


def test_measures() -> None:
    told = measure(
        groups_of((0, 1, 2), (1, 3, 4)),
        rows(5, {(0, 1): 1000, (1, 2): 500, (2, 3): 70}, strands=2, strand=1),
        rows(5, {(0, 2): 300, (0, 4): 40}),
        members(5),
    )
    assert told.inside.tolist() == [[0, 1500], [0, 0]]
    assert told.leaving.tolist() == [70, 1570]
    assert told.tied.tolist() == [300, 0]
    assert told.linked.tolist() == [3, 0]
    assert told.people.tolist() == told.applications.tolist() == [3, 3]
    assert told.points.tolist() == [10, pytest.approx(80 / 3)]
    assert told.days.tolist() == [2, 3]
    assert told.top_dealer.tolist() == [2, 1]


def test_no_groups_at_all() -> None:
    told = measure(groups_of(), rows(5, {}), rows(5, {}), members(5))
    assert len(score(told, average=0.0, factor=np.ones(0))) == 0


# Score and choice --------------------------------------------------------------------------------------


def one(**changed: object) -> Measured:
    """Three people of whom each pair shares one thing of weight 2250."""
    plain = Measured(
        inside=np.array([[6750, 0]]), leaving=np.array([0]), tied=np.array([0]), linked=np.array([3]),
        people=np.array([3]), applications=np.array([3]), points=np.array([10.0]), days=np.array([1.0]),
        top_dealer=np.array([3]),
    )  # fmt: skip
    return replace(plain, **{name: np.array([value]) for name, value in changed.items()})  # type: ignore[arg-type]


def of(told: Measured, *, average: float = 10.0, factor: float = 1.0) -> float:
    return float(score(told, average=average, factor=np.array([factor]))[0])


def test_the_unit_of_the_score() -> None:
    assert HALF_SCORE == 6750 / 1000 / 3
    assert of(one()) == 0.5


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"inside": [3375, 3375]}, {}),
        ({}, {"leaving": 5000}),
        ({"tied": 4000}, {}),
        ({}, {"linked": 2}),
        ({"points": 30.0}, {}),
        ({}, {"people": 6}),
        ({}, {"inside": [3000, 0]}),
    ],
)
def test_what_raises_a_score(better: dict[str, object], worse: dict[str, object]) -> None:
    """Two strands, a closed group, context, all linked, odd members, few to share it, and more that is shared."""
    assert of(one(**better)) > of(one(**worse))


def test_doubts_lower_a_score_and_nothing_shared_scores_nothing() -> None:
    assert of(one(), factor=0.3) < of(one())
    assert of(one(inside=[0, 0], tied=90_000, linked=0)) == 0


def test_oddness_is_bounded() -> None:
    assert of(one(points=1000.0)) == of(one(points=500.0))
    assert of(one(points=0.0), average=1000.0) > 0


def test_the_best_that_share_nobody() -> None:
    groups = groups_of((0, 1, 2), (2, 3, 4), (3, 4, 5), (6, 7, 8), (9, 10, 11))
    scores = np.array([0.8, 0.9, 0.7, 0.6, LEAST_SCORE - 0.01])
    assert choose(groups, scores, parties=12).tolist() == [1, 3]
    assert choose(groups, np.array([0.8, 0.7, 0.6, 0.6, 0.5]), parties=12).tolist() == [0, 2, 3, 4]


def test_of_equals_the_larger_and_then_the_earlier_is_chosen() -> None:
    groups = groups_of((4, 5, 6), (0, 1, 2), (1, 2, 3, 7))
    assert choose(groups, np.array([0.6, 0.6, 0.6]), parties=8).tolist() == [2, 0]
