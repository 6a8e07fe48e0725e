"""Groups are what brute force and another library say, and do not depend on the order of the links."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.communities import Links, components, cpm

Pairs = dict[tuple[int, int], int]


def links(size: int, pairs: Pairs) -> Links:
    listed = list(pairs.items())
    columns = ([a for (a, _), _ in listed], [b for (_, b), _ in listed], [weight for _, weight in listed])
    return Links(size, *(np.array(each, dtype=np.int64) for each in columns))


def groups(label: np.ndarray) -> set[frozenset[int]]:
    found = defaultdict(set)
    for node, each in enumerate(label.tolist()):
        found[each].add(node)
    return {frozenset(each) for each in found.values()}


def quality(label: list[int], pairs: Pairs, resolution: int) -> int:
    sizes = [label.count(each) for each in set(label)]
    return sum(w for (a, b), w in pairs.items() if label[a] == label[b]) - sum(
        resolution * n * (n - 1) // 2 for n in sizes
    )


def best(size: int, pairs: Pairs, resolution: int) -> int:
    """The greatest quality over all partitions."""
    return max(quality(list(each), pairs, resolution) for each in itertools.product(range(size), repeat=size))


def clique(nodes: range, weight: int) -> Pairs:
    return dict.fromkeys(itertools.combinations(nodes, 2), weight)


@st.composite
def graphs(draw: st.DrawFn, most: int) -> tuple[int, Pairs]:
    size = draw(st.integers(1, most))
    every = list(itertools.combinations(range(size), 2))
    chosen = draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    return size, {pair: draw(st.integers(1, 2000)) for pair in chosen}


@settings(max_examples=60, deadline=None)
@given(graph=graphs(12))
def test_components_are_those_of_networkx(graph: tuple[int, Pairs]) -> None:
    size, pairs = graph
    other = nx.Graph(list(pairs))
    other.add_nodes_from(range(size))
    assert groups(components(links(size, pairs))) == {frozenset(each) for each in nx.connected_components(other)}


@settings(max_examples=40, deadline=None)
@given(graph=graphs(5), resolution=st.sampled_from([50, 100, 500]))
def test_communities_are_never_worse_than_none(graph: tuple[int, Pairs], resolution: int) -> None:
    """Local moving may stop below the optimum, never below leaving everybody alone."""
    size, pairs = graph
    found = cpm(links(size, pairs), resolution=resolution).tolist()
    assert 0 <= quality(found, pairs, resolution) <= best(size, pairs, resolution)


@pytest.mark.parametrize(
    ("size", "pairs"),
    [
        (6, clique(range(3), 800) | clique(range(3, 6), 800) | {(2, 3): 300}),
        (5, clique(range(5), 101)),
        (5, clique(range(5), 99)),
        (6, {(0, 1): 900, (1, 2): 900, (2, 3): 900, (3, 4): 900, (4, 5): 900}),
        (6, clique(range(4), 500) | {(4, 5): 90}),
    ],
)
def test_communities_of_plain_graphs_are_the_best_there_are(size: int, pairs: Pairs) -> None:
    found = cpm(links(size, pairs), resolution=100).tolist()
    assert quality(found, pairs, 100) == best(size, pairs, 100)


def test_two_cliques_joined_by_a_link_are_two() -> None:
    pairs = clique(range(6), 800) | clique(range(6, 12), 800) | {(5, 6): 800}
    assert len(groups(components(links(12, pairs)))) == 1
    assert groups(cpm(links(12, pairs), resolution=100)) == {frozenset(range(6)), frozenset(range(6, 12))}


@pytest.mark.parametrize("size", [0, 1, 4])
def test_without_links_everybody_is_alone(size: int) -> None:
    assert len(groups(components(links(size, {})))) == len(groups(cpm(links(size, {}), resolution=100))) == size


def test_the_order_of_links_changes_nothing() -> None:
    chance = random.Random(3)
    pairs = {pair: chance.randint(1, 900) for pair in itertools.combinations(range(40), 2) if chance.random() < 0.15}
    whole = cpm(links(40, pairs), resolution=100)
    for _ in range(5):
        listed = list(pairs.items())
        chance.shuffle(listed)
        turned = {(pair[::-1] if chance.random() < 0.5 else pair): weight for pair, weight in listed}
        assert cpm(links(40, turned), resolution=100).tolist() == whole.tolist()
