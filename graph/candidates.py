"""Candidates: every group that might be a ring, from several views of the same links.

No single view finds them all. Communities at one resolution tear a chain apart or glue
two rings together; components find the chain and swallow the rest. So several are asked,
and `choice.py` decides between groups that overlap. Around each group those are
tried, too, who only share its dealers and weeks (`context.py`), closest first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numba
import numpy as np

from graph.communities import Links, adjacency, leiden, linkage
from graph.records import Ints, ranges

RESOLUTIONS = (20, 50, 100, 200, 400, 800)
"""Thousandths a pair: from rings held together by chains to those that share almost everything."""

WITH_CONTEXT = (100, 200, 400)

STRENGTHS = (0, 600, 1000, 1500, 2200, 3000)
"""Components of links at least so strong: chains, where nobody is linked with more than two others."""

LARGEST_COMPONENT = 60
SMALLEST = 3
GROWTH = (1, 2, 3, 5, 8)
"""So many are added from the context, one after the other."""

CORE = 600
"""Two who share so much are worth growing, though no group yet."""


@dataclass(frozen=True)
class Groups:
    """Group `g` are the sorted parties `member[start[g]:start[g + 1]]`."""

    start: Ints
    member: Ints

    def __len__(self) -> int:
        return len(self.start) - 1

    def __iter__(self) -> Iterator[Ints]:
        return (self.member[begin:end] for begin, end in zip(self.start[:-1], self.start[1:], strict=True))

    @property
    def sizes(self) -> Ints:
        return np.diff(self.start)

    @property
    def number(self) -> Ints:
        """Per member the group it stands in."""
        return np.repeat(np.arange(len(self)), self.sizes)

    def only(self, kept: Ints) -> Groups:
        sizes = self.sizes[kept]
        return Groups(_starts(sizes), self.member[ranges(self.start[kept], sizes)])


def _starts(sizes: Ints) -> Ints:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def grouped(members: list[Ints]) -> Groups:
    """From sorted parties, one array a group."""
    sizes = np.array([len(each) for each in members], dtype=np.int64)
    return Groups(_starts(sizes), np.concatenate([np.zeros(0, dtype=np.int64), *members]))


NONE = grouped([])


def candidates(links: Links, ties: Links, also: Groups = NONE) -> Groups:
    """Groups of three or more parties, each once, in an order that hangs on their members only. `also` are tried as
    they are."""
    graph = adjacency(links)
    views = [_grouped(leiden(graph, resolution=each), links.size) for each in RESOLUTIONS]
    views += [_grouped(label, LARGEST_COMPONENT) for label in linkage(links, STRENGTHS)]
    both = Links(links.size, *(np.concatenate(each) for each in zip(_columns(links), _columns(ties), strict=True)))
    around = adjacency(both)
    views += [_grouped(leiden(around, resolution=each), LARGEST_COMPONENT) for each in WITH_CONTEXT]
    strong = links.weight >= CORE
    pairs = np.stack([links.first[strong], links.second[strong]], axis=1)
    cores = _distinct([*views, Groups(np.arange(len(pairs) + 1) * 2, pairs.ravel())])
    every = _distinct([cores, *_grown(cores, ties), also])
    return every.only(np.flatnonzero(every.sizes >= SMALLEST))


def _columns(links: Links) -> tuple[Ints, Ints, Ints]:
    return links.first, links.second, links.weight


def _grouped(label: Ints, largest: int) -> Groups:
    """Groups of two to `largest`; a community of two is a core to grow from."""
    order = np.argsort(label, kind="stable")
    _, sizes = np.unique(label[order], return_counts=True)
    groups = Groups(_starts(sizes), order)
    return groups.only(np.flatnonzero((sizes >= 2) & (sizes <= largest)))


def _distinct(views: list[Groups]) -> Groups:
    """Each set of members once, the first view's first."""
    sizes = np.concatenate([view.sizes for view in views])
    every = Groups(_starts(sizes), np.concatenate([view.member for view in views]))
    _, first = np.unique(_names(every.start, every.member), return_index=True)
    return every.only(np.sort(first))


@numba.njit(cache=True)
def _names(start: Ints, member: Ints) -> Ints:
    """A 64-bit hash of each group's members, whatever their order."""
    names = np.zeros(len(start) - 1, dtype=np.int64)
    for group in range(len(start) - 1):
        total = np.uint64(0)
        for at in range(start[group], start[group + 1]):
            word = np.uint64(member[at]) + np.uint64(0x9E3779B97F4A7C15)
            word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            total += word ^ (word >> np.uint64(31))
        names[group] = np.int64(total)
    return names


def _grown(cores: Groups, ties: Links) -> list[Groups]:
    """Each core with its nearest one, two, three … from the context."""
    graph = adjacency(ties)
    place = np.full(ties.size, -1, dtype=np.int64)
    place[graph.linked] = np.arange(len(graph.linked))
    rows = graph.rows
    other = rows.other.astype(np.int64)
    near, found = _nearest(cores.start, place[cores.member], rows.start, other, rows.weight, max(GROWTH))
    grown = []
    for more in GROWTH:
        able = np.flatnonzero(found >= more)
        base = cores.only(able)
        sizes = base.sizes + more
        owner = np.concatenate([base.number, np.repeat(np.arange(len(able)), more)])
        member = np.concatenate([base.member, graph.linked[near[able, :more].ravel()]])
        grown.append(Groups(_starts(sizes), member[np.lexsort((member, owner))]))
    return grown


@numba.njit(cache=True)
def _nearest(start: Ints, member: Ints, links: Ints, other: Ints, weight: Ints, most: int) -> tuple[Ints, Ints]:  # noqa: PLR0917
    """Per group the `most` outsiders with the strongest ties to its members, and how many there are.

    A `member` of -1 has no ties; of equally strong ones the first comes first.
    """
    groups = len(start) - 1
    near, found = np.full((groups, most), -1, dtype=np.int64), np.zeros(groups, dtype=np.int64)
    towards = np.zeros(len(links) - 1, dtype=np.int64)
    for group in range(groups):
        own = member[start[group] : start[group + 1]]
        own = own[own >= 0]
        for one in own:
            for at in range(links[one], links[one + 1]):
                towards[other[at]] += weight[at]
        towards[own] = 0
        for place in range(most):
            best = _strongest(own, links, other, towards)
            if best < 0:
                break
            near[group, place], found[group], towards[best] = best, place + 1, 0
        for one in own:
            towards[other[links[one] : links[one + 1]]] = 0
    return near, found


@numba.njit(cache=True)
def _strongest(own: Ints, links: Ints, other: Ints, towards: Ints) -> int:
    """The neighbour of `own` with most in `towards`; -1 when none is left."""
    best = -1
    for one in own:
        for at in range(links[one], links[one + 1]):
            near = other[at]
            if towards[near] == 0:
                continue
            if best < 0 or towards[near] > towards[best] or (towards[near] == towards[best] and near < best):
                best = near
    return best
