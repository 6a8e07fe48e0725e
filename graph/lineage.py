"""Lasting names for the groups of a run, and what became of the rings known before.

Groups are matched with rings one to one, so that as many applications as possible stay
under the name they had. Living rings choose first; only a group that none of them
carries may bring a dead one back. What is equal is decided by the larger Jaccard index,
then the older ring, then its id: the same input gives the same names in any order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

LEAST_SHARED = 2
LEAST_PERCENT = 30
"""A group can carry a ring on when it holds two of its members, and so many of the smaller of both. Of a ring those
members count that are still in the window: the others could be in no group. One application is no ring: it never
carries a name away."""

JACCARD_STEPS = 4096


class Kind(StrEnum):
    """What happened to a ring in a run."""

    BIRTH = "birth"  # `other`: the living ring that most of its members come from, if any
    REVIVAL = "revival"  # dead or merged, and found again; `other` as for a birth
    JOIN = "join"
    LEAVE = "leave"  # still in the window, no longer in the group
    SPLIT = "split"  # its members now also form `other`
    MERGE = "merge"  # most of its members in the window are in `other` now, and it ends
    DEATH = "death"  # no group carries it on


LIFE = (Kind.BIRTH, Kind.REVIVAL, Kind.MERGE, Kind.DEATH)
"""The last of these says whether a ring lives."""


@dataclass(frozen=True)
class Known:
    """A ring as it stood. `members` joined and have not left; those of a dead ring are its last ones.

    `last_seen` is the time of the last run in which it lived.
    """

    ring_id: str
    members: frozenset[str]
    alive: bool
    born: datetime
    last_seen: datetime


@dataclass(frozen=True)
class Group:
    """Applications that a run put together, and the name they would have if nothing were known before."""

    ring_id: str
    members: frozenset[str]


@dataclass(frozen=True)
class Event:
    ring_id: str
    kind: Kind
    as_of: datetime
    application_ids: tuple[str, ...]
    other: str | None = None


@dataclass(frozen=True)
class Lineage:
    """`ring_ids` in the order of the groups; events by ring."""

    ring_ids: tuple[str, ...]
    events: tuple[Event, ...]


@dataclass(frozen=True)
class _Overlap:
    ring: int
    group: int
    shared: int
    jaccard: float


def trace(known: Iterable[Known], groups: Sequence[Group], *, in_window: Set[str], as_of: datetime) -> Lineage:
    """Name `groups` and say what changed since `known`, which must not hold anything later than `as_of`.

    `in_window` are all applications of the run's window, in a group or not: only
    these can leave a ring.
    """
    rings = sorted(known, key=lambda ring: (ring.born, ring.ring_id))
    if late := [ring.ring_id for ring in rings if ring.last_seen > as_of]:
        raise ValueError(f"{late[0]} was seen after {as_of.isoformat()}; name a run of then by what was known then")
    of = {member: number for number, group in enumerate(groups) for member in group.members}
    if len(of) < sum(len(group.members) for group in groups):
        raise ValueError("an application is in two groups; groups must not overlap")
    present = [ring.members & in_window | ring.members & of.keys() for ring in rings]
    overlaps = [each for number in range(len(rings)) for each in _overlaps(number, present[number], groups, of)]
    carried = _carried(rings, groups, overlaps)
    names = _names(rings, groups, carried)
    told = _Told(rings, present, names, _parents(rings, overlaps), as_of)
    events = [event for at, group in enumerate(groups) for event in told.of_group(at, group, carried.get(at))]
    going_on = set(carried.values())
    events += [told.end(at, of) for at, ring in enumerate(rings) if ring.alive and at not in going_on]
    order = list(Kind)
    events.sort(key=lambda event: (event.ring_id, order.index(event.kind), event.other or ""))
    return Lineage(names, tuple(events))


# Matching ----------------------------------------------------------------------------------------------


def _overlaps(ring: int, present: Set[str], groups: Sequence[Group], of: Mapping[str, int]) -> Iterator[_Overlap]:
    for group, shared in Counter(of[each] for each in present if each in of).items():
        size = len(groups[group].members)
        if shared >= LEAST_SHARED and 100 * shared >= LEAST_PERCENT * min(len(present), size):
            yield _Overlap(ring, group, shared, shared / (len(present) + size - shared))


def _carried(rings: Sequence[Known], groups: Sequence[Group], overlaps: Sequence[_Overlap]) -> dict[int, int]:
    """Group -> the ring it carries on."""
    carried = _matched([each for each in overlaps if rings[each.ring].alive], rings, groups)
    rest = [each for each in overlaps if not rings[each.ring].alive and each.group not in carried]
    return carried | _matched(rest, rings, groups)


def _matched(overlaps: Sequence[_Overlap], rings: Sequence[Known], groups: Sequence[Group]) -> dict[int, int]:
    """One to one, block by block: rings and groups that nothing connects do not compete."""
    if not overlaps:
        return {}
    ends = np.array([(each.ring, each.group + len(rings)) for each in overlaps])
    size = len(rings) + len(groups)
    graph = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    blocks: dict[int, list[_Overlap]] = {}
    for each in overlaps:
        blocks.setdefault(int(label[each.ring]), []).append(each)
    return {group: ring for block in blocks.values() for group, ring in _assigned(block, rings, groups)}


def _assigned(block: Sequence[_Overlap], rings: Sequence[Known], groups: Sequence[Group]) -> list[tuple[int, int]]:
    """(group, ring). Overlap, Jaccard, age and the name the group would have anyway as the digits of one number.

    They are whole numbers, exact up to blocks of some hundred rings; in larger ones a
    tie may go another way, always the same.
    """
    if len(block) == 1:
        return [(block[0].group, block[0].ring)]
    rows = sorted({each.ring for each in block})
    columns = sorted({each.group for each in block}, key=lambda group: min(groups[group].members))
    row, column = ({value: at for at, value in enumerate(values)} for values in (rows, columns))
    most = min(len(rows), len(columns))
    ages = 1 + most * (2 * len(rows) + 1)
    steps = (1 + most * JACCARD_STEPS) * ages
    worth = np.zeros((len(rows), len(columns)))
    for each in block:
        age = 2 * (len(rows) - row[each.ring]) + (rings[each.ring].ring_id == groups[each.group].ring_id)
        worth[row[each.ring], column[each.group]] = (
            each.shared * steps + round(each.jaccard * JACCARD_STEPS) * ages + age
        )
    pairs = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return [(columns[at], rows[ring]) for ring, at in pairs if worth[ring, at]]


def _names(rings: Sequence[Known], groups: Sequence[Group], carried: Mapping[int, int]) -> tuple[str, ...]:
    """A name once given is never given to another ring: who comes later gets the next free one."""
    taken = {ring.ring_id for ring in rings}
    names = {group: rings[ring].ring_id for group, ring in carried.items()}
    for group in sorted(set(range(len(groups))) - carried.keys(), key=lambda group: min(groups[group].members)):
        names[group] = _free(groups[group].ring_id, taken)
        taken.add(names[group])
    return tuple(names[group] for group in range(len(groups)))


def _free(wanted: str, taken: Set[str]) -> str:
    name, number = wanted, 0
    while name in taken:
        number += 1
        name = "R" + hashlib.blake2b(f"{wanted}/{number}".encode(), digest_size=5).hexdigest().upper()
    return name


# What happened -----------------------------------------------------------------------------------------


def _parents(rings: Sequence[Known], overlaps: Sequence[_Overlap]) -> dict[int, int]:
    """Group -> the living ring that holds most of it; of equals the older."""
    living = (each for each in overlaps if rings[each.ring].alive)
    return {each.group: each.ring for each in sorted(living, key=lambda each: (each.shared, -each.ring))}


@dataclass(frozen=True)
class _Told:
    """The events of one run. `present` are a ring's members that are still in the window."""

    rings: Sequence[Known]
    present: Sequence[Set[str]]
    names: Sequence[str]
    parents: Mapping[int, int]
    as_of: datetime

    def of_group(self, at: int, group: Group, ring: int | None) -> Iterator[Event]:
        name = self.names[at]
        if ring is None or not self.rings[ring].alive:
            parent = self.parents.get(at)
            other = None if parent is None else self.rings[parent].ring_id
            yield self._event(name, Kind.BIRTH if ring is None else Kind.REVIVAL, group.members, other)
            if parent is not None:
                yield self._event(self.rings[parent].ring_id, Kind.SPLIT, self.present[parent] & group.members, name)
        if ring is None:
            return
        if joined := group.members - self.rings[ring].members:
            yield self._event(name, Kind.JOIN, joined)
        if left := self.present[ring] - group.members:
            yield self._event(name, Kind.LEAVE, left)

    def end(self, ring: int, of: Mapping[str, int]) -> Event:
        """Of a living ring that no group carries on."""
        name, present = self.rings[ring].ring_id, self.present[ring]
        found = Counter(self.names[of[each]] for each in present if each in of)
        into, shared = min(found.items(), key=lambda item: (-item[1], item[0])) if found else ("", 0)
        if shared >= LEAST_SHARED and 2 * shared > len(present):
            return self._event(name, Kind.MERGE, {each for each in present if self._name(of.get(each)) == into}, into)
        return self._event(name, Kind.DEATH, present)

    def _name(self, group: int | None) -> str | None:
        return None if group is None else self.names[group]

    def _event(self, ring_id: str, kind: Kind, members: Iterable[str], other: str | None = None) -> Event:
        return Event(ring_id, kind, self.as_of, tuple(sorted(members)), other)
