"""CPM communities beside networkx, networkit and igraph: `python -m benchmarks.communities [--size 100000]`.

The graph is what a projection looks like: applications linked by whatever few of them share, most of it by
chance, with sparse rings planted among them. Everything runs on one thread.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import igraph  # type: ignore[import-untyped]
import networkit
import networkx as nx
import numpy as np
from scipy.sparse import coo_array
from sklearn.metrics import adjusted_rand_score

from graph.communities import Links, adjacency, leiden, quality
from graph.projection import UNIT, project
from graph.records import Ints
from graph.snapshot import open_snapshot

DEGREE = 8.75
"""Links that a node has on average."""

RESOLUTION = UNIT // 20
IN_RING = 0.01
RING_SIZES = (4, 16)
RING_DENSITY = 0.25
SHARED_BY = (2, 3, 4, 6, 10)
"""How many share one thing by chance; the more, the less it weighs."""

BUSY = 0.65
"""Share of the applications that share anything by chance."""


@dataclass(frozen=True)
class Run:
    name: str
    find: Callable[[], Ints]
    times: int


def synthetic(size: int, seed: int = 7) -> tuple[Links, list[Ints]]:
    """Links, and the planted rings as node numbers."""
    rng = np.random.default_rng(seed)
    pairs, weights, rings = [], [], []
    order, at = rng.permutation(size), 0
    while at < size * IN_RING:
        rings.append(np.sort(order[at : at + rng.integers(*RING_SIZES)]))
        at += len(rings[-1])
        first, second = np.triu_indices(len(rings[-1]), 1)
        chosen = (rng.random(len(first)) < RING_DENSITY) | (second == first + 1)
        pairs.append(rings[-1][np.stack([first[chosen], second[chosen]])])
        weights.append(rng.integers(UNIT // 4, UNIT, chosen.sum()))
    busy = rng.permutation(size)[: int(size * BUSY)]
    for count in SHARED_BY:
        things = int(size * DEGREE / len(SHARED_BY) / (count * (count - 1)))
        holders = rng.choice(busy, (things, count))
        first, second = np.triu_indices(count, 1)
        pairs.append(np.stack([holders[:, first].ravel(), holders[:, second].ravel()]))
        weights.append(np.repeat(rng.integers(UNIT // 3, UNIT, things) / np.log2(1 + count), len(first)).astype(int))
    first, second = np.sort(np.concatenate(pairs, axis=1), axis=0)
    apart = first != second
    merged = coo_array((np.concatenate(weights)[apart], (first[apart], second[apart])), (size, size))
    merged.sum_duplicates()
    return Links(size, merged.row.astype(np.int64), merged.col.astype(np.int64), merged.data.astype(np.int64)), rings


def of_snapshot(folder: Path) -> Links:
    """What `ringroad rings` would divide on the day of the last application."""
    snapshot = open_snapshot(folder)
    latest = int(snapshot.nodes["Application"].times("submitted_at", as_of=snapshot.as_of).max(initial=0))
    found = project(snapshot, as_of=latest, window_days=120)
    return Links(found.size, found.first, found.second, found.weight)


def recovered(labels: Ints, rings: list[Ints]) -> float:
    """ringJ50: the share of rings that some community covers at a Jaccard index of at least one half."""
    sizes = np.bincount(labels)
    found = 0
    for ring in rings:
        label, shared = np.unique(labels[ring], return_counts=True)
        found += bool((shared / (len(ring) + sizes[label] - shared)).max() >= 0.5)
    return found / max(len(rings), 1)


def by_networkx(links: Links) -> Callable[[], Ints]:
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(links.size))
    graph.add_weighted_edges_from(zip(links.first.tolist(), links.second.tolist(), links.weight.tolist(), strict=True))

    def find() -> Ints:
        labels = np.empty(links.size, dtype=np.int64)
        for number, group in enumerate(nx.community.louvain_communities(graph, weight="weight", seed=7)):
            labels[list(group)] = number
        return labels

    return find


def by_networkit(links: Links, algorithm: type) -> Callable[[], Ints]:
    networkit.setNumberOfThreads(1)
    networkit.setSeed(7, False)
    weights = links.weight.astype(np.float64)
    graph = networkit.GraphFromCoo((weights, (links.first, links.second)), n=links.size, weighted=True)
    return lambda: np.array(algorithm(graph).run().getPartition().getVector())


def by_igraph(links: Links, iterations: int) -> Callable[[], Ints]:
    graph = igraph.Graph(links.size, np.stack([links.first, links.second], axis=1).tolist())
    weights = links.weight.tolist()

    def find() -> Ints:
        random.seed(7)
        found = graph.community_leiden("CPM", weights=weights, resolution=RESOLUTION, n_iterations=iterations)
        return np.array(found.membership)

    return find


def compare(links: Links, rings: list[Ints]) -> None:
    graph = adjacency(links)
    runs = [
        Run("ours, Leiden CPM", lambda: leiden(links, resolution=RESOLUTION), 3),
        Run("networkx Louvain", by_networkx(links), 1),
        Run("networkit PLM", by_networkit(links, networkit.community.PLM), 3),
        Run("networkit ParallelLeiden", by_networkit(links, networkit.community.ParallelLeiden), 3),
        Run("igraph Leiden CPM, 2 iterations", by_igraph(links, 2), 1),
        Run("igraph Leiden CPM, 10 iterations", by_igraph(links, 10), 1),
    ]
    linked = len(graph.linked)
    print(f"{links.size:,} nodes ({linked:,} with links), {len(links.first):,} links, {len(rings)} rings planted")
    print("| | time | of ours | ringJ50 | groups of 2 or more | CPM quality |\n|---|--:|--:|--:|--:|--:|")
    ours = 0.0
    for run in runs:
        seconds, labels = timed(run.find, run.times)
        ours = ours or seconds
        print(
            f"| {run.name} | {seconds:.2f} s | {seconds / ours:.1f} × | {recovered(labels, rings):.2f} "
            f"| {np.count_nonzero(np.bincount(labels) > 1):,} | {quality(graph, labels, RESOLUTION) / UNIT:,.0f} |",
            flush=True,
        )
    print("aims: networkx Louvain at least 60 ×, networkit at least 1 ×")


def again(links: Links) -> None:
    """One node in a hundred is new since the run before: re-clustered from its labels, and in full."""
    late = np.zeros(links.size, dtype=bool)
    late[np.random.default_rng(7).permutation(links.size)[: links.size // 100]] = True
    new = late[links.first] | late[links.second]
    start = leiden(
        Links(links.size, *(each[~new] for each in (links.first, links.second, links.weight))), resolution=RESOLUTION
    )
    start[late] = -1
    touched = np.flatnonzero(late)
    graph = adjacency(links)
    built, _ = timed(lambda: adjacency(links), 3)
    seconds, warm = timed(lambda: leiden(graph, resolution=RESOLUTION, start=start, touched=touched), 3)
    full_seconds, full = timed(lambda: leiden(graph, resolution=RESOLUTION), 3)
    order = np.random.default_rng(8).permutation(links.size)
    other = leiden(Links(links.size, order[links.first], order[links.second], links.weight), resolution=RESOLUTION)[
        order
    ]
    share = quality(graph, warm, RESOLUTION) / quality(graph, full, RESOLUTION)
    print(f"adjacency {built * 1e3:.0f} ms; full run {full_seconds * 1e3:.0f} ms without it")
    print(
        f"1 % new nodes: {seconds * 1e3:.0f} ms, {full_seconds / seconds:.1f} times faster, quality {share:.4f} of full"
    )
    print(
        f"ARI to the full run {adjusted_rand_score(warm, full):.3f}; "
        f"of two full runs with other node numbers {adjusted_rand_score(other, full):.3f}"
    )


def timed(find: Callable[[], object], times: int) -> tuple[float, Ints]:
    """Wall seconds, the best of so many."""
    best, found = float("inf"), None
    for _ in range(times):
        begin = time.perf_counter()
        found = find()
        best = min(best, time.perf_counter() - begin)
    return best, found  # type: ignore[return-value]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.communities", description=__doc__)
    parser.add_argument("--size", type=int, default=100_000, help="nodes of the synthetic graph (default 100,000)")
    parser.add_argument("--snapshot", type=Path, help="measure the projection of this snapshot as well")
    given = parser.parse_args()
    graphs = [synthetic(given.size)]
    if given.snapshot:
        graphs.append((of_snapshot(given.snapshot), []))
    compiled, _ = synthetic(2_000)
    leiden(compiled, resolution=RESOLUTION, start=leiden(compiled, resolution=RESOLUTION))
    for links, rings in graphs:
        compare(links, rings)
        again(links)


if __name__ == "__main__":
    main()
