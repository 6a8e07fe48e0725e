"""Groups are what brute force and another library say, and do not depend on the order of the links."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict

import igraph  # type: ignore[import-untyped]
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from graph.communities import Links, adjacency, components, leiden, linkage
from graph.communities import quality as quality_of
from graph.records import Ints

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


def planted(size: int = 4000, group: int = 10, chance: float = 2.0) -> Links:
    """Sparse groups of ten among as many links by chance; a fifth of the nodes has no link."""
    rng = np.random.default_rng(11)
    busy = rng.permutation(size)[: size * 4 // 5]
    first, second = np.triu_indices(group, 1)
    together = busy.reshape(-1, group)
    pairs = np.stack([together[:, first].ravel(), together[:, second].ravel()])
    pairs = pairs[:, rng.random(pairs.shape[1]) < 0.5]
    pairs = np.sort(np.concatenate([pairs, rng.choice(busy, (2, int(size * chance / 2)))], axis=1), axis=0)
    key = np.unique((pairs[0] * size + pairs[1])[pairs[0] != pairs[1]])
    return Links(size, key // size, key % size, rng.integers(200, 2000, len(key)))


def connected(found: Ints, of: Links) -> bool:
    """Whether the links inside communities hold each of them together."""
    inside = found[of.first] == found[of.second]
    kept = Links(of.size, of.first[inside], of.second[inside], of.weight[inside])
    return bool(components(kept).max(initial=-1) == found.max(initial=-1))


def only(of: Links, chosen: np.ndarray) -> Links:
    return Links(of.size, of.first[chosen], of.second[chosen], of.weight[chosen])


def renamed(of: Links, seed: int, resolution: int) -> Ints:
    """The communities of the same graph when its nodes have other numbers."""
    order = np.random.default_rng(seed).permutation(of.size)
    return leiden(Links(of.size, order[of.first], order[of.second], of.weight), resolution=resolution)[order]


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
    found = leiden(links(size, pairs), resolution=resolution).tolist()
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
    found = leiden(links(size, pairs), resolution=100).tolist()
    assert quality(found, pairs, 100) == best(size, pairs, 100)


def test_two_cliques_joined_by_a_link_are_two() -> None:
    pairs = clique(range(6), 800) | clique(range(6, 12), 800) | {(5, 6): 800}
    assert len(groups(components(links(12, pairs)))) == 1
    assert groups(leiden(links(12, pairs), resolution=100)) == {frozenset(range(6)), frozenset(range(6, 12))}


@pytest.mark.parametrize("size", [0, 1, 4])
def test_without_links_everybody_is_alone(size: int) -> None:
    assert len(groups(components(links(size, {})))) == len(groups(leiden(links(size, {}), resolution=100))) == size


def test_the_order_of_links_changes_nothing() -> None:
    chance = random.Random(3)
    pairs = {pair: chance.randint(1, 900) for pair in itertools.combinations(range(40), 2) if chance.random() < 0.15}
    whole = leiden(links(40, pairs), resolution=100)
    for _ in range(5):
        listed = list(pairs.items())
        chance.shuffle(listed)
        turned = {(pair[::-1] if chance.random() < 0.5 else pair): weight for pair, weight in listed}
        assert leiden(links(40, turned), resolution=100).tolist() == whole.tolist()


@settings(max_examples=100, deadline=None)
@given(graph=graphs(12), resolution=st.sampled_from([1, 100, 700]), drawn=st.data())
def test_communities_are_connected_whatever_they_start_from(
    graph: tuple[int, Pairs], resolution: int, drawn: st.DataObject
) -> None:
    size, pairs = graph
    start = drawn.draw(st.lists(st.integers(-1, 3), min_size=size, max_size=size))
    of = links(size, pairs)
    assert connected(leiden(of, resolution=resolution), of)
    warm = leiden(of, resolution=resolution, start=np.array(start))
    assert connected(warm, of)
    assert quality(warm.tolist(), pairs, resolution) >= 0


@settings(max_examples=60, deadline=None)
@given(graph=graphs(12), drawn=st.data())
def test_communities_stay_connected_when_links_are_lost(graph: tuple[int, Pairs], drawn: st.DataObject) -> None:
    """Both ends of what is gone are touched: a community that it held together falls apart."""
    size, pairs = graph
    gone = set(drawn.draw(st.lists(st.sampled_from(sorted(pairs)), unique=True))) if pairs else set()
    left = links(size, {pair: weight for pair, weight in pairs.items() if pair not in gone})
    touched = np.array(sorted({node for pair in gone for node in pair}), dtype=np.int64)
    found = leiden(left, resolution=100, start=leiden(links(size, pairs), resolution=100), touched=touched)
    assert connected(found, left)


def test_two_cliques_with_one_label_are_told_apart() -> None:
    """No node gains by leaving alone: only refinement sees that nothing joins the halves."""
    pairs = clique(range(4), 800) | clique(range(4, 8), 800)
    found = leiden(links(8, pairs), resolution=100, start=np.zeros(8, dtype=np.int64))
    assert groups(found) == {frozenset(range(4)), frozenset(range(4, 8))}


def test_a_community_falls_apart_with_the_link_that_held_it() -> None:
    pairs = clique(range(4), 800) | clique(range(4, 8), 800)
    start = leiden(links(8, pairs | {(3, 4): 5000}), resolution=100)
    assert start.tolist() == [0] * 8
    found = leiden(links(8, pairs), resolution=100, start=start, touched=np.array([3, 4]))
    assert groups(found) == {frozenset(range(4)), frozenset(range(4, 8))}


@pytest.mark.parametrize(("weight", "joined"), [(600, True), (300, False)])
def test_a_new_pair_joins_a_settled_community_only_as_a_whole(weight: int, joined: bool) -> None:
    """Each prefers the other; together they gain 2 × weight and pay 100 for each of eight pairs."""
    pairs = clique(range(4), 800) | {(4, 5): 900, (3, 4): weight, (2, 5): weight}
    start = np.array([0, 0, 0, 0, -1, -1])
    found = leiden(links(6, pairs), resolution=100, start=start, touched=np.array([4, 5]))
    assert found.tolist() == ([0] * 6 if joined else [0, 0, 0, 0, 1, 1])


@settings(max_examples=60, deadline=None)
@given(graph=graphs(9), drawn=st.data())
def test_quality_counts_the_pairs_of_nodes_of_any_size(graph: tuple[int, Pairs], drawn: st.DataObject) -> None:
    size, pairs = graph
    label = drawn.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    of = adjacency(links(size, pairs))
    assert quality_of(of, np.array(label), 70) == quality(label, pairs, 70)
    sizes = drawn.draw(st.lists(st.integers(1, 4), min_size=size, max_size=size))
    within = [sizes[a] * sizes[b] for a, b in itertools.combinations(range(size), 2) if label[a] == label[b]]
    weight = quality(label, pairs, 0)
    assert quality_of(of, np.array(label), 70, size=np.array(sizes)) == weight - 70 * sum(within)


def test_a_node_of_size_three_counts_as_three() -> None:
    pairs = {(0, 1): 250}
    assert leiden(links(2, pairs), resolution=100).tolist() == [0, 0]
    assert leiden(links(2, pairs), resolution=100, size=np.array([3, 1])).tolist() == [0, 1]


@pytest.mark.parametrize("resolution", [20, 50, 100, 200])
def test_as_good_as_igraph(resolution: int) -> None:
    """In quality, and as close to igraph's as igraph with another seed is, or nearly."""
    of = planted()
    peer = igraph.Graph(of.size, np.stack([of.first, of.second], axis=1).tolist())
    theirs = []
    for seed in (1, 2):
        random.seed(seed)
        found = peer.community_leiden("CPM", weights=of.weight.tolist(), resolution=resolution, n_iterations=10)
        theirs.append(np.array(found.membership))
    ours, graph = leiden(of, resolution=resolution), adjacency(of)
    assert quality_of(graph, ours, resolution) >= 0.995 * quality_of(graph, theirs[0], resolution)
    assert adjusted_rand_score(ours, theirs[0]) > adjusted_rand_score(theirs[1], theirs[0]) - 0.05
    assert connected(ours, of)


@pytest.mark.parametrize("equal", [False, True])
def test_neither_order_nor_ends_nor_halves_of_links_matter(equal: bool) -> None:
    """With equal weights many gains tie, and what is met first decides."""
    of, rng = planted(), np.random.default_rng(2)
    if equal:
        of = Links(of.size, of.first, of.second, np.full_like(of.weight, 1000))
    whole = leiden(of, resolution=100)
    order = rng.permutation(len(of.first))
    turned = rng.random(len(order)) < 0.5
    ends = [np.where(turned, one, other)[order] for one, other in ((of.first, of.second), (of.second, of.first))]
    assert leiden(Links(of.size, ends[0], ends[1], of.weight[order]), resolution=100).tolist() == whole.tolist()
    half = of.weight // 2
    twice = Links(of.size, np.tile(of.first, 2), np.tile(of.second, 2), np.concatenate([half, of.weight - half]))
    assert leiden(twice, resolution=100).tolist() == whole.tolist()


def test_a_graph_serves_several_resolutions() -> None:
    of = planted()
    graph = adjacency(of)
    for resolution in (20, 200, 20):
        assert leiden(graph, resolution=resolution).tolist() == leiden(of, resolution=resolution).tolist()


def test_labels_are_numbered_in_the_order_of_their_first_nodes() -> None:
    label = leiden(planted(), resolution=100)
    _, first = np.unique(label, return_index=True)
    assert first.tolist() == sorted(first.tolist())


def test_a_warm_start_with_all_touched_is_as_good_as_a_cold_one() -> None:
    of = planted()
    graph, every = adjacency(of), np.arange(of.size)
    cold = leiden(graph, resolution=100)
    warm = leiden(graph, resolution=100, start=leiden(graph, resolution=20), touched=every)
    assert quality_of(graph, warm, 100) >= 0.995 * quality_of(graph, cold, 100)
    assert quality_of(graph, leiden(graph, resolution=100, start=cold, touched=every), 100) >= quality_of(
        graph, cold, 100
    )


def test_nothing_touched_changes_nothing() -> None:
    graph = adjacency(planted())
    start = leiden(graph, resolution=100)
    assert leiden(graph, resolution=100, start=start, touched=np.zeros(0, dtype=np.int64)).tolist() == start.tolist()


@pytest.mark.parametrize("neighbours", [False, True])
@pytest.mark.parametrize("resolution", [50, 100, 200])
def test_one_new_node_in_a_hundred(resolution: int, neighbours: bool) -> None:
    """Nearly as good as from scratch, and no further from it than another numbering of the nodes would be."""
    of = planted()
    late = np.random.default_rng(4).random(of.size) < 0.01
    new = late[of.first] | late[of.second]
    start = leiden(only(of, ~new), resolution=resolution)
    start[late] = -1
    touched = np.union1d(of.first[new], of.second[new]) if neighbours else np.flatnonzero(late)
    graph = adjacency(of)
    found = leiden(graph, resolution=resolution, start=start, touched=touched)
    full = leiden(graph, resolution=resolution)
    stale = quality_of(graph, start, resolution)
    assert quality_of(graph, found, resolution) >= 0.995 * quality_of(graph, full, resolution) > stale
    other = min(adjusted_rand_score(full, renamed(of, seed, resolution)) for seed in (5, 6))
    assert adjusted_rand_score(found, full) >= other - 0.02


@pytest.mark.parametrize(
    ("of", "given", "complaint"),
    [
        (links(2, {(0, 1): 0}), {"resolution": 100}, "weighs 0"),
        (links(2, {(0, 1): 5}), {"resolution": 0}, "resolution 0"),
        (links(2, {(0, 1): 5}), {"resolution": 1, "touched": np.array([0])}, "`start`"),
        (links(2, {(0, 1): 5}), {"resolution": 1, "start": np.array([0])}, "`start` has 1 entries"),
        (links(2, {(0, 1): 5}), {"resolution": 1, "size": np.array([1, 0])}, "size 0"),
    ],
)
def test_what_cannot_be_is_refused(of: Links, given: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        leiden(of, **given)  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(graph=graphs(12))
def test_linkage_is_the_components_of_what_is_strong_enough(graph: tuple[int, Pairs]) -> None:
    size, pairs = graph
    of, thresholds = links(size, pairs), [500, 1500, 1, 500]
    for threshold, label in zip(thresholds, linkage(of, thresholds), strict=True):
        assert label.tolist() == components(only(of, of.weight >= threshold)).tolist()
