"""Neighbourhood columns against networkx and plain loops; nobody's own label or value in what is said of the others."""

from __future__ import annotations

from collections.abc import Callable

import networkx as nx
import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import csr_array

from gnn.neighbours import (
    Flags,
    Floats,
    clustering,
    core_number,
    known_fraud,
    means,
    pagerank,
    position,
    rich,
    spectral,
)

SIZE, NAMES = 40, ("amount", "age")
PRIOR = 0.2187  # no round number: sums with it are rounded


def drawn(seed: int) -> tuple[csr_array, nx.Graph[int]]:
    """Hubs, leaves, and two nodes alone."""
    graph = nx.barabasi_albert_graph(SIZE - 2, 2, seed=seed)
    graph.add_edges_from([(0, 1), (1, 2), (0, 2), (SIZE - 3, 0)])
    graph.add_nodes_from([SIZE - 2, SIZE - 1])
    return csr_array(nx.to_scipy_sparse_array(graph, nodelist=range(SIZE), dtype=np.dtype(float))), graph


GRAPH, PEER = drawn(3)
RNG = np.random.default_rng(5)
X: Floats = np.where(RNG.random((SIZE, 2)) < 0.2, np.nan, RNG.normal(size=(SIZE, 2)))
FRAUD = RNG.random(SIZE) < 0.4
KNOWN = RNG.random(SIZE) < 0.6


def neighbours(node: int) -> list[int]:
    return list(PEER[node])


def beyond(node: int) -> list[list[int]]:
    """For each neighbour its other neighbours."""
    return [[far for far in PEER[near] if far != node] for near in PEER[node]]


def column(name: str) -> npt.NDArray[np.float32]:
    table = rich(GRAPH, X, NAMES)
    return table.x[:, table.names.index(name)]


def over(nodes: list[int], said: Callable[[Floats], float]) -> float:
    stated = X[nodes, 0]
    stated = stated[~np.isnan(stated)]
    return said(stated) if len(stated) else np.nan


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("amount", lambda node: X[node, 0]),
        ("mean of neighbours' amount", lambda node: over(neighbours(node), np.mean)),
        (
            "mean at two hops of amount",
            lambda node: np.nanmean([over(each, np.mean) for each in beyond(node)] or [np.nan]),
        ),
        ("above neighbours' amount", lambda node: X[node, 0] - over(neighbours(node), np.mean)),
        ("spread of neighbours' amount", lambda node: over(neighbours(node), np.std)),
        ("largest of neighbours' amount", lambda node: over(neighbours(node), np.max)),
        ("degree", lambda node: PEER.degree[node]),
        ("log degree", lambda node: np.log1p(PEER.degree[node])),
        (
            "mean degree of neighbours",
            lambda node: np.mean([float(PEER.degree[other]) for other in PEER[node]] or [np.nan]),
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
def test_columns_are_what_a_plain_loop_says(name: str, said: Callable[[int], float]) -> None:
    np.testing.assert_allclose(column(name), [said(node) for node in range(SIZE)], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("ours", "peer"),
    [(core_number, nx.core_number), (clustering, nx.clustering), (pagerank, nx.pagerank)],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_positions_agree_with_networkx(
    ours: Callable[[csr_array], Floats], peer: Callable[[nx.Graph[int]], dict[int, float]], seed: int
) -> None:
    graph, same = drawn(seed)
    expected = peer(same)
    np.testing.assert_allclose(ours(graph), [expected[node] for node in range(SIZE)], rtol=1e-3)


def test_nothing_is_infinite() -> None:
    """A walk away from the only neighbour leaves a residue of the subtraction, and no count to divide it by."""
    pair = csr_array(np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]]))
    near, far = means(pair, np.array([[0.1], [0.3], [0.7]]))
    np.testing.assert_equal(near, [[0.3], [0.1], [np.nan]])
    np.testing.assert_equal(far, np.full((3, 1), np.nan))
    for table in (rich(GRAPH, X, NAMES), known_fraud(GRAPH, FRAUD, KNOWN, prior=PRIOR)):
        assert not np.isinf(table.x).any()
        assert table.x.dtype == np.float32


@pytest.mark.parametrize("node", range(SIZE))
def test_the_own_label_is_never_used(node: int) -> None:
    """Flipped or forgotten, the node's own columns keep their bits; those of its neighbours do not."""
    known, flipped, forgotten = KNOWN.copy(), FRAUD.copy(), KNOWN.copy()
    known[node], flipped[node], forgotten[node] = True, not FRAUD[node], False
    before = around(FRAUD, known)
    for after in (around(flipped, known), around(FRAUD, forgotten)):
        np.testing.assert_array_equal(after[node], before[node])
        assert all((after[other] != before[other]).any() for other in PEER[node])


def around(fraud: Flags, known: Flags) -> Floats:
    """The label columns, and their means before rounding to float32 hides the last bits."""
    label = np.where(known, fraud, np.nan)[:, None]
    shares = means(GRAPH, label, prior=PRIOR, smoothing=5.0)
    return np.hstack([known_fraud(GRAPH, fraud, known, prior=PRIOR).x, *shares])


def test_only_known_labels_are_used() -> None:
    believed = np.where(KNOWN, FRAUD, ~FRAUD)
    one, other = (known_fraud(GRAPH, fraud, KNOWN, prior=PRIOR).x for fraud in (FRAUD, believed))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("smoothing", [0.5, 5.0])
def test_shares_are_drawn_to_the_prior(smoothing: float) -> None:
    table = known_fraud(GRAPH, FRAUD, KNOWN, prior=PRIOR, smoothing=smoothing)

    def share(nodes: list[int]) -> float:
        known = [each for each in nodes if KNOWN[each]]
        return float((FRAUD[known].sum() + PRIOR * smoothing) / (len(known) + smoothing))

    near, far = (table.x[:, table.names.index(f"known fraud {where}")] for where in ("among neighbours", "at two hops"))
    np.testing.assert_allclose(near, [share(neighbours(node)) for node in range(SIZE)], rtol=1e-6)
    joined = range(SIZE - 2)
    np.testing.assert_allclose(far[joined], [np.mean([*map(share, beyond(node))]) for node in joined], rtol=1e-6)
    assert np.isnan(far[SIZE - 2 :]).all()


def test_a_coordinate_is_the_mean_of_the_neighbours_shrunk_by_its_eigenvalue() -> None:
    together = GRAPH[: SIZE - 2, : SIZE - 2]
    at = spectral(together, 6).x.astype(np.float64)
    scale = 1 / np.sqrt(together.sum(axis=0))
    largest = np.linalg.eigvalsh(together.toarray() * scale * scale[:, None])[:-7:-1]
    near, _ = means(together, at)
    np.testing.assert_allclose(near, largest * at, atol=1e-5)
    np.testing.assert_allclose(at[:, 0], 1 / np.sqrt(together.sum() / (SIZE - 2)), rtol=1e-5)
    assert (at[np.abs(at).argmax(axis=0), range(6)] > 0).all()
    np.testing.assert_array_equal(at, spectral(together, 6).x)


def test_names_are_distinct_and_one_for_each_column() -> None:
    table = rich(GRAPH, X, NAMES).beside(known_fraud(GRAPH, FRAUD, KNOWN, prior=PRIOR))
    assert len(set(table.names)) == len(table.names) == table.x.shape[1]
    np.testing.assert_array_equal(table.x[:, table.names.index("degree")], position(GRAPH).x[:, 0])
