"""Groups of applications: connected components, and communities under the constant Potts model.

CPM (Traag, Van Dooren & Nesterov 2011) keeps a community together while its links weigh
more than `resolution` a pair: the same resolution serves a hundred and a million
applications, where modularity would merge small rings into large ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from graph.records import Ints


@dataclass(frozen=True)
class Links:
    """An undirected weighted graph: `first[i]`–`second[i]` with `weight[i]`, each pair once."""

    size: int
    first: Ints
    second: Ints
    weight: Ints


def components(links: Links) -> Ints:
    """Per node the number of its connected component, in the order of their first nodes."""
    ones = np.ones(len(links.first), dtype=np.int8)
    _, labels = connected_components(
        csr_array((ones, (links.first, links.second)), (links.size, links.size)), directed=False
    )
    return np.asarray(labels, dtype=np.int64)


def cpm(links: Links, *, resolution: int, levels: int = 20) -> Ints:
    """Per node the number of its community; `resolution` in the unit of the weights, per pair of nodes.

    Louvain's local moving with aggregation: nodes are visited in order and equal gains
    go to the community met first, so the same links give the same communities.
    """
    label = np.arange(links.size, dtype=np.int64)
    size = np.ones(links.size, dtype=np.int64)
    first, second, weight = links.first, links.second, links.weight
    for _ in range(levels):
        graph = _symmetric(first, second, weight, len(size))
        moved = _move(graph.indptr.astype(np.int64), graph.indices.astype(np.int64), graph.data, size, resolution)
        _, member = np.unique(moved, return_inverse=True)
        if member.max(initial=-1) + 1 == len(size):
            break
        label = member[label]
        size = np.bincount(member, weights=size).astype(np.int64)
        first, second = member[first], member[second]
        across = first != second
        first, second, weight = first[across], second[across], weight[across]
    return label


def _symmetric(first: Ints, second: Ints, weight: Ints, size: int) -> csr_array:
    both = (np.concatenate([first, second]), np.concatenate([second, first]))
    graph = coo_array((np.concatenate([weight, weight]), both), (size, size)).tocsr()
    graph.sum_duplicates()
    return graph


@numba.njit(cache=True)
def _move(start: Ints, other: Ints, weight: Ints, size: Ints, resolution: int) -> Ints:
    """Move nodes to the neighbouring community with the greatest gain until nobody gains."""
    count = len(size)
    community = np.arange(count)
    total = size.copy()
    towards = np.zeros(count, dtype=np.int64)
    waiting = np.ones(count, dtype=np.bool_)
    queue = np.arange(count)
    head, filled = 0, count
    while filled > 0:
        node = queue[head]
        head = (head + 1) % count
        filled -= 1
        waiting[node] = False
        own = community[node]
        for at in range(start[node], start[node + 1]):
            towards[community[other[at]]] += weight[at]
        total[own] -= size[node]
        best, gain = own, towards[own] - resolution * size[node] * total[own]
        for at in range(start[node], start[node + 1]):
            there = community[other[at]]
            more = towards[there] - resolution * size[node] * total[there]
            if more > gain:
                best, gain = there, more
        total[best] += size[node]
        community[node] = best
        for at in range(start[node], start[node + 1]):
            towards[community[other[at]]] = 0
        towards[own] = 0
        towards[best] = 0
        if best != own:
            for at in range(start[node], start[node + 1]):
                near = other[at]
                if not waiting[near] and community[near] != best:
                    waiting[near] = True
                    queue[(head + filled) % count] = near
                    filled += 1
    return community
