"""Groups of nodes: connected components, and communities under the constant Potts model.

CPM (Traag, Van Dooren & Nesterov 2011) keeps a community together while its links weigh
more than `resolution` a pair: the same resolution serves a hundred and a million
applications, where modularity would merge small rings into large ones.

`leiden` is the algorithm of Traag, Waltman & van Eck (2019, Scientific Reports 9:5233) with
the greatest gain where they draw by lot. Weights, resolutions and qualities are integers
(thousandths), so sums are exact and neither the machine nor the order of the links matters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graph.leiden import Level, changed, compact, near_to, one_round, rows_of, spread, unite
from graph.records import Ints


@dataclass(frozen=True)
class Links:
    """An undirected weighted graph: `first[i]`–`second[i]` with `weight[i]` above zero, each pair once."""

    size: int
    first: Ints
    second: Ints
    weight: Ints


@dataclass(frozen=True)
class Graph:
    """Links ready to be walked; made once by `adjacency`, then shared by any number of resolutions.

    `linked` are the nodes with links, ascending; `rows` knows these only, by their place in `linked`.
    """

    size: int
    linked: Ints
    rows: Level


def adjacency(links: Links) -> Graph:
    """Independent of the order of the links and of their ends; of a pair given twice the weights add up."""
    if links.weight.min(initial=1) < 1:
        raise ValueError(f"a link weighs {links.weight.min()}; links weigh at least 1 (a thousandth)")
    linked, start, other, weight = rows_of(links.size, links.first, links.second, links.weight)
    return Graph(links.size, linked, Level(start, other, weight, np.ones(len(linked), dtype=np.int64)))


def components(links: Links) -> Ints:
    """Per node the number of its connected component, in the order of their first nodes."""
    return linkage(links, (0,))[0]


def linkage(links: Links, thresholds: Sequence[int]) -> list[Ints]:
    """Per threshold the components when only links of at least that weight count, numbered as in `components`."""
    root = np.arange(links.size)
    found: dict[int, Ints] = {}
    above = np.iinfo(np.int64).max
    for threshold in sorted(set(thresholds), reverse=True):
        chosen = (links.weight >= threshold) & (links.weight < above)
        unite(root, links.first[chosen], links.second[chosen])
        found[threshold], above = compact(root).astype(np.int64), threshold
    return [found[threshold] for threshold in thresholds]


def quality(graph: Graph, labels: Ints, resolution: int, *, size: Ints | None = None) -> int:
    """What CPM maximises: the weight inside communities, less `resolution` for each pair of nodes inside.

    Nodes of `size` count as so many; pairs within one node are left out.
    """
    size = np.ones(graph.size, dtype=np.int64) if size is None else size
    own = np.repeat(np.arange(len(graph.linked)), np.diff(graph.rows.start))
    inside = labels[graph.linked[own]] == labels[graph.linked[graph.rows.other]]
    _, member = np.unique(labels, return_inverse=True)
    total = np.zeros(member.max(initial=-1) + 1, dtype=np.int64)
    np.add.at(total, member, size)
    pairs = (int(total @ total) - int(size @ size)) // 2
    return int(graph.rows.weight[inside].sum()) // 2 - resolution * pairs


def leiden(
    links: Links | Graph,
    *,
    resolution: int,
    start: Ints | None = None,
    touched: Ints | None = None,
    size: Ints | None = None,
) -> Ints:
    """Per node the number of its community, in the order of their first nodes; communities are connected.

    `resolution` is in the unit of the weights, per pair of nodes; a node of `size` n counts as n.
    `start` are labels of an earlier run, negative for new nodes. `touched` are the nodes that have
    changed since: new ones, those of another size, both ends of a link that was lost (or nothing
    looks whether their community still holds together). Only they and whoever their moves wake
    are visited; the communities of all others are taken as they are.
    """
    if resolution < 1:
        raise ValueError(f"resolution {resolution}: it is at least 1 (a thousandth) per pair")
    if touched is not None and start is None:
        raise ValueError("`touched` says what changed since `start`, which is missing")
    graph = links if isinstance(links, Graph) else adjacency(links)
    for name, given in (("start", start), ("size", size)):
        if given is not None and len(given) != graph.size:
            raise ValueError(f"`{name}` has {len(given)} entries; the graph has {graph.size} nodes")
    if size is not None and size.min(initial=1) < 1:
        raise ValueError(f"a node of size {size.min()}; a node counts at least as one")
    level = graph.rows if size is None else graph.rows._replace(size=size[graph.linked])
    every = np.arange(len(graph.linked), dtype=np.int32)
    community = every.copy() if start is None else compact(start[graph.linked])
    queue = restless = every
    if touched is not None:
        chosen = np.zeros(graph.size, dtype=np.bool_)
        chosen[touched] = True
        queue = restless = every[chosen[graph.linked]]
    while len(queue):
        before = community.copy()
        community = one_round(level, community, resolution, queue, restless)
        moved = changed(before, community)
        queue, restless = near_to(level, moved), np.flatnonzero(moved).astype(np.int32)
    return spread(community, graph.linked, graph.size)
