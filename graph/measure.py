"""What can be counted of each candidate: how tightly, by what, how closed, how fast, where, and how odd its members."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from graph.candidates import Groups
from graph.records import DAY, Ints

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Members:
    """Per party of the window: applications, points, first and last submission, dealer of the last one (-1: none)."""

    applications: Ints
    points: Ints
    first: Ints
    last: Ints
    dealer: Ints


@dataclass(frozen=True)
class Measured:
    """Per group. Weights in thousandths; `inside[g, k]` through strand k, `leaving` to others, `tied` by context."""

    inside: Ints
    leaving: Ints
    tied: Ints
    linked: Ints
    people: Ints
    applications: Ints
    points: Floats
    days: Floats
    top_dealer: Ints


def measure(groups: Groups, links: Rows, ties: Rows, members: Members) -> Measured:
    inside, leaving, linked = _inside(groups.start, groups.member, links.start, links.other, links.row, links.values)
    tied, _, _ = _inside(groups.start, groups.member, ties.start, ties.other, ties.row, ties.values)
    begin, member = groups.start[:-1], groups.member
    if not len(groups):
        nothing = np.zeros(0, dtype=np.int64)
        return Measured(inside, leaving, tied.sum(axis=1), linked, *(nothing,) * 5)  # type: ignore[arg-type]
    last = np.maximum.reduceat(members.last[member], begin)
    return Measured(
        inside=inside,
        leaving=leaving,
        tied=tied.sum(axis=1),
        linked=linked,
        people=groups.sizes,
        applications=np.add.reduceat(members.applications[member], begin),
        points=np.add.reduceat(members.points[member], begin) / groups.sizes,
        days=(last - np.minimum.reduceat(members.first[member], begin)) / DAY,
        top_dealer=top(groups.start, members.dealer[member]),
    )


@dataclass(frozen=True)
class Rows:
    """Links by node: those of node i are `other[start[i]:start[i + 1]]`, each with its `row` of `values` by strand."""

    start: Ints
    other: Ints
    row: Ints
    values: Ints

    @classmethod
    def of(cls, size: int, first: Ints, second: Ints, values: Ints) -> Rows:
        source, other = np.concatenate([first, second]), np.concatenate([second, first])
        order = np.argsort(source, kind="stable")
        start = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=size))]).astype(np.int64)
        return cls(start, other[order], np.concatenate([np.arange(len(first))] * 2)[order], values)


@numba.njit(cache=True)
def _inside(  # noqa: PLR0917
    start: Ints, member: Ints, links: Ints, other: Ints, row: Ints, values: Ints
) -> tuple[Ints, Ints, Ints]:
    """Per group the weight within by strand, the weight to others, and how many members have a link within."""
    groups = len(start) - 1
    inside = np.zeros((groups, values.shape[1]), dtype=np.int64)
    leaving, linked = np.zeros(groups, dtype=np.int64), np.zeros(groups, dtype=np.int64)
    mark = np.full(len(links) - 1, -1, dtype=np.int64)
    for group in range(groups):
        for at in range(start[group], start[group + 1]):
            mark[member[at]] = group
        for at in range(start[group], start[group + 1]):
            one, any_inside = member[at], False
            for link in range(links[one], links[one + 1]):
                if mark[other[link]] != group:
                    leaving[group] += values[row[link]].sum()
                    continue
                any_inside = True
                if one < other[link]:
                    inside[group] += values[row[link]]
            linked[group] += any_inside
    return inside, leaving, linked


@numba.njit(cache=True)
def top(start: Ints, dealer: Ints) -> Ints:
    """Per group how many members its most frequent dealer (or employer, town) has; -1 is none."""
    most = np.zeros(len(start) - 1, dtype=np.int64)
    for group in range(len(start) - 1):
        own = dealer[start[group] : start[group + 1]]
        for one in own:
            if one >= 0:
                most[group] = max(most[group], (own == one).sum())
    return most
