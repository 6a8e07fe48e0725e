"""B08: a number that changed hands. It stays a lead, but not between those before and those after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from graph.infrastructure.seen import Seen
from graph.records import DAY, Ints, from_millis


@dataclass(frozen=True)
class Cuts:
    """Moments (milliseconds) at which things changed hands, in order of thing and moment. `before` is the last use
    by an earlier holder."""

    entity: Ints
    before: Ints
    moment: Ints

    def eras(self, entity: Ints, when: Ints) -> Ints:
        """Per row how often its thing had changed hands by then: rows of one thing in two eras must not be linked."""
        era = np.zeros(len(entity), dtype=np.int64)
        rows = np.flatnonzero(np.isin(entity, self.entity))
        moments = np.unique(self.moment)
        size = len(moments) + 1
        cuts = self.entity * size + np.searchsorted(moments, self.moment) + 1
        mine = entity[rows] * size
        at = np.searchsorted(cuts, mine + np.searchsorted(moments, when[rows], side="right"), side="right")
        era[rows] = at - np.searchsorted(cuts, mine)
        return era


@dataclass(frozen=True)
class RecycledPhone:
    """A number of two people's own, given up by the one long before the other had it, or re-issued by the register.

    Operators freeze a number for 90 days; a family passes one on without a pause. Only own numbers: that a contact is
    named again after months is what a dormant ring does.
    """

    kind: ClassVar[str] = "recycled_phone"
    en: ClassVar[str] = "a re-issued number"
    zh: ClassVar[str] = "二次放号"
    types: ClassVar[tuple[str, ...]] = ("Phone",)

    gap_days: int = 90

    def cuts(self, seen: Seen) -> Cuts:
        own = seen.own.get("Phone")
        nothing = np.zeros(0, dtype=np.int64)
        if own is None or "HAS_PHONE" not in own.relations:
            return Cuts(nothing, nothing, nothing)
        entity, first, last, mine = self._uses(seen)
        new = np.flatnonzero((entity[1:] == entity[:-1]) & mine[1:]) + 1
        before = _latest_so_far(entity, last)[new - 1]
        owned = _ever_so_far(entity, mine)[new - 1]
        gap = first[new] - before > self.gap_days * DAY
        changed = owned & (gap | self._reissued(seen, entity[new], before, first[new]))
        return Cuts(entity[new[changed]], before[changed], first[new[changed]])

    def _uses(self, seen: Seen) -> tuple[Ints, Ints, Ints, Ints]:
        """Per (number, person), by number and first use: number, first and last use, whether it is the person's own.

        An own number is in use with every application of its person.
        """
        own = seen.own["Phone"]
        held = np.bincount(own.entity)[own.entity] >= 2
        application, entity = own.application[held], own.entity[held]
        mine = own.relation[held] == own.relations.index("HAS_PHONE")
        party_last = np.zeros(len(seen.party), dtype=np.int64)
        np.maximum.at(party_last, seen.party[seen.known], seen.when[seen.known])
        first = seen.when[application]
        last = np.where(mine, np.maximum(party_last[seen.party[application]], first), first)
        order = np.lexsort((last, first, entity))
        return entity[order], first[order], last[order], mine[order]

    def _reissued(
        self, seen: Seen, entity: Ints, before: Ints, first: Ints
    ) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """The register says, by `as_of`, that the number was given up or issued between the two uses."""
        said = np.zeros(len(entity), dtype=bool)
        nodes = seen.snapshot.nodes["Phone"]
        for name in ("valid_from", "valid_to"):
            moment = nodes.times(name, as_of=seen.as_of)[entity]
            said |= (moment > before) & (moment <= first)
        return said

    def because(self, cuts: Cuts, entity: int) -> str:
        at = int(np.flatnonzero(cuts.entity == entity)[0])
        before, after = int(cuts.before[at]), int(cuts.moment[at])
        then, now = (f"{from_millis(each):%Y-%m-%d}" for each in (before, after))
        days = (after - before) // DAY
        return f"one person's until {then}, another's from {now}, {days} days later: {self.en}"


def _latest_so_far(entity: Ints, moment: Ints) -> Ints:
    """Running maximum within each thing's rows."""
    number = np.cumsum(np.concatenate([[0], entity[1:] != entity[:-1]])) if len(entity) else entity
    rank = np.unique(moment)
    running = np.maximum.accumulate(number * (len(rank) + 1) + np.searchsorted(rank, moment))
    return rank[running % (len(rank) + 1)] if len(rank) else moment


def _ever_so_far(entity: Ints, flag: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return _latest_so_far(entity, flag.astype(np.int64)) > 0
