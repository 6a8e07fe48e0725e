"""The inner loops of `communities.py`: local moving, refinement and aggregation of Leiden, compiled by Numba.

Nodes are places in a level's rows. Everything is deterministic: queues are in order, ties go to what was met first.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from graph.records import Ints

Small = npt.NDArray[np.int32]
"""Numbers of nodes and communities: half the memory is half the waiting for it."""

Flags = npt.NDArray[np.bool_]


class Level(NamedTuple):
    """Nodes 0..len(size)-1, of which the first len(start)-1 know their links (CSR, both directions, no loops).

    The others are passive: they stand for communities that stay as they are, though others may join them.
    """

    start: Ints
    other: Small
    weight: Ints
    size: Ints


def one_round(level: Level, community: Small, resolution: int, queue: Small, restless: Small) -> Small:
    """Move the nodes of `queue`, then refine and merge what that stirred and what `restless` nodes are in."""
    total, stirred = _move(level, community, resolution, queue)
    stirred[community[restless]] = True
    region, among, inside, outside = _region(level, community, total, stirred)
    found = _settled(region, among, resolution)
    name = np.arange(len(community), len(community) + len(found), dtype=np.int32)
    name[found[len(inside) :]] = outside
    community[inside] = name[found[: len(inside)]]
    return compact(community)


def _settled(level: Level, community: Small, resolution: int) -> Small:
    """Refined and merged until each community is a single node of the last level, and so connected."""
    whole = np.arange(len(community), dtype=np.int32)
    total = _total(community, level.size)
    while np.count_nonzero(total) < len(community):
        part, mass = _refine(level, community, total, resolution)
        level, member, community = _aggregate(level, community, part, mass)
        whole = member[whole]
        total, _ = _move(level, community, resolution, np.arange(len(level.start) - 1, dtype=np.int32))
    return community[whole]


@numba.njit(cache=True)
def _move(level: Level, community: Small, resolution: int, queue: Small) -> tuple[Ints, Flags]:  # noqa: C901, PLR0915
    """Move queued nodes, in place, to where they gain most, and queue whom that wakes, until nobody gains.

    Ties go to the own community, then to the one met first. In one piece: a call per node costs a tenth more.
    Returns the size of each community, and whether it lost or won a node.
    """
    start, other, weight, size = level
    rows = len(start) - 1
    total = _total(community, size)
    empty = np.zeros(len(size), dtype=np.int32)
    empties = 0
    for each in np.flatnonzero(total == 0)[::-1]:
        empty[empties] = each
        empties += 1
    stirred = np.zeros(len(size), dtype=np.bool_)
    towards = np.zeros(len(size), dtype=np.int64)
    met = np.empty(len(size), dtype=np.int32)
    waiting = np.zeros(rows, dtype=np.bool_)
    waiting[queue] = True
    line = np.empty(rows, dtype=np.int32)
    line[: len(queue)] = queue
    head, filled = 0, len(queue)
    tail = filled if filled < rows else 0
    while filled > 0:
        node = line[head]
        head = head + 1 if head + 1 < rows else 0
        filled -= 1
        waiting[node] = False
        own = community[node]
        count = 0
        for at in range(start[node], start[node + 1]):
            there = community[other[at]]
            if towards[there] == 0:
                met[count] = there
                count += 1
            towards[there] += weight[at]
        total[own] -= size[node]
        price = resolution * size[node]
        best, gain = own, towards[own] - price * total[own]
        for there in met[:count]:
            more = towards[there] - price * total[there]
            towards[there] = 0
            if more > gain:
                best, gain = there, more
        if gain < 0:
            empties -= 1
            best = empty[empties]
        total[best] += size[node]
        if best == own:
            continue
        if total[own] == 0:
            empty[empties] = own
            empties += 1
        community[node] = best
        stirred[own] = stirred[best] = True
        for near in other[start[node] : start[node + 1]]:
            if near < rows and not waiting[near] and community[near] != best:
                waiting[near] = True
                line[tail] = near
                tail = tail + 1 if tail + 1 < rows else 0
                filled += 1
    return total, stirred


@numba.njit(cache=True)
def _refine(level: Level, community: Small, total: Ints, resolution: int) -> tuple[Small, Ints]:
    """Parts of each community: its nodes, alone at first, join the well-connected part where they gain most.

    Well connected means linked to the rest of the community with at least what CPM asks of
    them. A gain of zero is enough: so something merges wherever nodes stand together.
    Parts are named by the node that founded them; returned with their sizes.
    """
    start, other, weight, size = level
    rows = len(start) - 1
    part = np.arange(len(size)).astype(np.int32)
    mass = size.copy()
    outward = _inward(level, community)
    alone = np.ones(len(size), dtype=np.bool_)
    towards = np.zeros(len(size), dtype=np.int64)
    met = np.empty(len(size), dtype=np.int32)
    for node in range(rows):
        whole = total[community[node]]
        price = resolution * size[node]
        if not alone[node] or outward[node] == 0 or outward[node] < price * (whole - size[node]):
            continue
        count = 0
        for at in range(start[node], start[node + 1]):
            if community[other[at]] == community[node]:
                there = part[other[at]]
                if towards[there] == 0:
                    met[count] = there
                    count += 1
                towards[there] += weight[at]
        best, gain, shared = part[node], -1, 0
        for there in met[:count]:
            more = towards[there] - price * mass[there]
            if more > gain and outward[there] >= resolution * mass[there] * (whole - mass[there]):
                best, gain, shared = there, more, towards[there]
            towards[there] = 0
        if gain >= 0:
            part[node] = best
            mass[best] += size[node]
            outward[best] += outward[node] - 2 * shared
            alone[best] = False
    return part, mass


@numba.njit(cache=True)
def _inward(level: Level, community: Small) -> Ints:
    """The weight of each node's links inside its community; passive nodes' from the rows of the others."""
    inward = np.zeros(len(level.size), dtype=np.int64)
    rows = len(level.start) - 1
    for node in range(rows):
        for at in range(level.start[node], level.start[node + 1]):
            near = level.other[at]
            if community[near] == community[node]:
                inward[node] += level.weight[at]
                if near >= rows:
                    inward[near] += level.weight[at]
    return inward


@numba.njit(cache=True)
def _aggregate(level: Level, community: Small, part: Small, mass: Ints) -> tuple[Level, Small, Small]:
    """Parts become nodes; a part that a passive node is in stays passive.

    Returns the next level, for each node of this one its node there, and the communities as they were.
    """
    start, other, weight, _ = level
    rows = len(start) - 1
    member, count = _numbered(part, rows)
    nodes = count + len(part) - rows
    size = np.empty(nodes, dtype=np.int64)
    home = np.empty(nodes, dtype=np.int32)
    for node in range(len(part)):
        size[member[node]] = mass[part[node]]
        home[member[node]] = community[node]
    begin, grouped = _grouped(member[:rows], count)
    towards = np.zeros(nodes, dtype=np.int64)
    starts = np.zeros(count + 1, dtype=np.int64)
    others = np.empty(len(other), dtype=np.int32)
    weights = np.empty(len(other), dtype=np.int64)
    filled = 0
    for new in range(count):
        for node in grouped[begin[new] : begin[new + 1]]:
            for at in range(start[node], start[node + 1]):
                there = member[other[at]]
                if there != new:
                    if towards[there] == 0:
                        others[filled] = there
                        filled += 1
                    towards[there] += weight[at]
        for at in range(starts[new], filled):
            weights[at] = towards[others[at]]
            towards[others[at]] = 0
        starts[new + 1] = filled
    return Level(starts, others[:filled], weights[:filled], size), member, compact(home)


@numba.njit(cache=True)
def _region(level: Level, community: Small, total: Ints, stirred: Flags) -> tuple[Level, Small, Small, Small]:
    """The nodes of stirred communities (`inside`), and each community they touch as one passive node (`outside`)."""
    start, other, weight, size = level
    inside = np.flatnonzero(stirred[community]).astype(np.int32)
    place = np.full(len(community), -1, dtype=np.int32)
    passive = np.full(len(community), -1, dtype=np.int32)
    outside = np.empty(len(community), dtype=np.int32)
    starts = np.zeros(len(inside) + 1, dtype=np.int64)
    for new, node in enumerate(inside):
        place[node] = new
        starts[new + 1] = starts[new] + start[node + 1] - start[node]
    others = np.empty(starts[-1], dtype=np.int32)
    weights = np.empty(starts[-1], dtype=np.int64)
    count, filled = 0, 0
    for node in inside:
        for at in range(start[node], start[node + 1]):
            near, there = other[at], community[other[at]]
            if place[near] < 0 and passive[there] < 0:
                passive[there] = len(inside) + count
                outside[count] = there
                count += 1
            others[filled] = place[near] if place[near] >= 0 else passive[there]
            weights[filled] = weight[at]
            filled += 1
    outside = outside[:count]
    among = compact(np.concatenate((community[inside], outside)))
    return Level(starts, others, weights, np.concatenate((size[inside], total[outside]))), among, inside, outside


@numba.njit(cache=True)
def rows_of(count: int, first: Ints, second: Ints, weight: Ints) -> tuple[Ints, Ints, Small, Ints]:
    """The nodes with links, and the links of each by its place among them, ascending.

    Rows filled in any order, then turned over: reading them by node fills each row in the order of the nodes.
    """
    degree = np.zeros(count + 1, dtype=np.int64)
    for at in range(len(first)):
        if first[at] != second[at]:
            degree[first[at]] += 1
            degree[second[at]] += 1
    linked = np.flatnonzero(degree)
    place = np.empty(count, dtype=np.int32)
    start = np.zeros(len(linked) + 1, dtype=np.int64)
    for at, node in enumerate(linked):
        place[node] = at
        start[at + 1] = start[at] + degree[node]
    loose, loose_weight = np.empty(start[-1], dtype=np.int32), np.empty(start[-1], dtype=np.int64)
    free = start.copy()
    for at in range(len(first)):
        if first[at] != second[at]:
            one, two = place[first[at]], place[second[at]]
            loose[free[one]], loose_weight[free[one]] = two, weight[at]
            loose[free[two]], loose_weight[free[two]] = one, weight[at]
            free[one] += 1
            free[two] += 1
    other, weights = np.empty_like(loose), np.empty_like(loose_weight)
    free = start.copy()
    for one in range(len(linked)):
        for at in range(start[one], start[one + 1]):
            two = loose[at]
            other[free[two]], weights[free[two]] = one, loose_weight[at]
            free[two] += 1
    start, other, weights = _added_up(start, other, weights)
    return linked, start, other, weights


@numba.njit(cache=True)
def _added_up(start: Ints, other: Small, weight: Ints) -> tuple[Ints, Small, Ints]:
    """Neighbours that stand twice in a sorted row stand there once, with the sum of their weights."""
    kept, begin = 0, 0
    for node in range(len(start) - 1):
        end, first = start[node + 1], kept
        for at in range(begin, end):
            if kept > first and other[kept - 1] == other[at]:
                weight[kept - 1] += weight[at]
            else:
                other[kept], weight[kept] = other[at], weight[at]
                kept += 1
        begin, start[node + 1] = end, kept
    return start, other[:kept], weight[:kept]


@numba.njit(cache=True)
def unite(root: Ints, first: Ints, second: Ints) -> None:
    """Union-find, in place; the root of a component is its first node."""
    for at in range(len(first)):
        one, two = first[at], second[at]
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        while root[two] != two:
            root[two] = root[root[two]]
            two = root[two]
        root[max(one, two)] = min(one, two)
    for node in range(len(root)):
        root[node] = root[root[node]]


@numba.njit(cache=True)
def _total(community: Small, size: Ints) -> Ints:
    total = np.zeros(len(size), dtype=np.int64)
    for node in range(len(size)):
        total[community[node]] += size[node]
    return total


@numba.njit(cache=True)
def _numbered(part: Small, rows: int) -> tuple[Small, int]:
    """For each node the number of its part, passive ones last, and how many are not passive."""
    number = np.full(len(part), -1, dtype=np.int32)
    count = 0
    for node in range(rows):
        if part[node] < rows and number[part[node]] < 0:
            number[part[node]] = count
            count += 1
    for node in range(rows, len(part)):
        number[node] = count + node - rows
    return number[part], count


@numba.njit(cache=True)
def _grouped(member: Small, count: int) -> tuple[Ints, Small]:
    """Where each group begins in the list of nodes, sorted by group; members of `count` and above are left out."""
    begin = np.zeros(count + 1, dtype=np.int64)
    for each in member:
        if each < count:
            begin[each + 1] += 1
    begin = np.cumsum(begin)
    free = begin.copy()
    grouped = np.empty(begin[-1], dtype=np.int32)
    for node in range(len(member)):
        if member[node] < count:
            grouped[free[member[node]]] = node
            free[member[node]] += 1
    return begin, grouped


@numba.njit(cache=True)
def compact(labels: Ints | Small) -> Small:
    """Labels numbered 0..k-1 in the order of their first nodes; a negative one is nobody else's."""
    most = -1
    for each in labels:
        most = max(most, each)
    number = np.full(most + 1, -1, dtype=np.int32)
    compact = np.empty(len(labels), dtype=np.int32)
    count = 0
    for node, each in enumerate(labels):
        found = number[each] if each >= 0 else -1
        if found < 0:
            found = count
            count += 1
            if each >= 0:
                number[each] = found
        compact[node] = found
    return compact


@numba.njit(cache=True)
def spread(label: Small, linked: Ints, size: int) -> Ints:
    """From labels of the nodes with links to labels of all, numbered in the order of their first nodes."""
    number = np.full(2 * len(label), -1, dtype=np.int64)
    spread = np.empty(size, dtype=np.int64)
    count, at = 0, 0
    for node in range(size):
        if at < len(linked) and linked[at] == node:
            if number[label[at]] < 0:
                number[label[at]] = count
                count += 1
            spread[node] = number[label[at]]
            at += 1
        else:
            spread[node] = count
            count += 1
    return spread


@numba.njit(cache=True)
def changed(before: Small, after: Small) -> Flags:
    """The nodes whose company is not the same as before."""
    count = len(before)
    origin = np.full(count, -1, dtype=np.int32)
    lost, won = np.zeros(count, dtype=np.int32), np.zeros(count, dtype=np.int32)
    mixed = np.zeros(count, dtype=np.bool_)
    for node in range(count):
        old, new = before[node], after[node]
        if origin[new] < 0:
            origin[new] = old
        mixed[new] |= origin[new] != old
        lost[old] += 1
        won[new] += 1
    moved = np.empty(count, dtype=np.bool_)
    for node in range(count):
        moved[node] = mixed[after[node]] or lost[before[node]] != won[after[node]]
    return moved


@numba.njit(cache=True)
def near_to(level: Level, chosen: Flags) -> Small:
    """The chosen nodes and their neighbours."""
    near = chosen.copy()
    for node in np.flatnonzero(chosen):
        for other in level.other[level.start[node] : level.start[node + 1]]:
            near[other] = True
    return np.flatnonzero(near).astype(np.int32)
