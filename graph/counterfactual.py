"""What a ring rests on: the smallest set of shared things without which it would be no ring, or score too little.

Without a thing means that it links nobody, as if it had been set aside: somebody who verifies that the device is the
shop's and the account the dealer's own needs to know that nothing is left then. Every set that is tried is examined by
the code that finds rings, around the ring, so what is promised here is what follows when it is decided.

A try takes about ten milliseconds for a ring of thirty, a search a second at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from graph.again import STAYS
from graph.around import Part, Whole, inside
from graph.before import members
from graph.choice import LEAST_SCORE, choose
from graph.lineage import LEAST_PERCENT, LEAST_SHARED
from graph.ontology import EDGES
from graph.overrides import Override
from graph.records import Ints
from graph.rings import Examined, Ring
from graph.sentences import Shared
from graph.smallest import Places, Progress, Smallest

MOST_THINGS = 24
"""So many of a ring's shared things are tried, those that carry most of it."""

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Left:
    """What is left of the ring: the best score of what carries it on (0: nothing does), and who stands there."""

    score: float
    application_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Clearing:
    """Without `things` the ring scores `left.score`, less than `below`; without fewer of these it does not.

    Where they are not `enough`, no few things are: these are the ones whose loss it would feel most, and what is left
    is no less than `below`. `smallest`: no smaller set of its shared things is enough. `alone` is the score without
    each single thing of the ring that was tried, by its place in `Ring.shared`.
    """

    things: tuple[Shared, ...]
    left: Left
    below: float
    enough: bool
    smallest: bool
    alone: dict[int, float] = field(default_factory=dict)


def clearing(
    whole: Whole,
    ring: Ring,
    rings: Sequence[Ring] = (),
    *,
    below: float = LEAST_SCORE,
    progress: Progress = lambda *_: None,
) -> Clearing | None:
    """None where the ring scores less already, as it does where nothing is shared.

    `rings` are all that stand now: others stay as they are. The same facts and opinions give the same answer.
    """
    bench, shared = _Bench.around(whole, ring, rings), ring.shared
    left: dict[Places, Left] = {}

    def score(places: Places) -> float:
        left[places] = bench.without([shared[at] for at in places])
        return left[places].score

    order = sorted(range(len(shared)), key=lambda at: (-_weight(shared[at]), at))
    found = Smallest(order[:MOST_THINGS], score, below=below, progress=progress).found()
    if found is None:
        return None
    return Clearing(
        things=tuple(shared[at] for at in order if at in found.places),
        left=left[found.places],
        below=below,
        enough=found.enough,
        smallest=found.smallest and len(shared) <= MOST_THINGS,
        alone=found.alone,
    )


# Trying ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Bench:
    """The ring cut out with all near it, to be examined again and again."""

    whole: Whole
    part: Part
    own: Ints
    taken: Ints

    @classmethod
    def around(cls, whole: Whole, ring: Ring, rings: Sequence[Ring]) -> _Bench:
        every = members(whole.snapshot, [ring, *(each for each in rings if each.ring_id != ring.ring_id)])
        own, *others = (each[each >= 0] for each in every.values())
        core = inside(whole.window, own, whole.near(inside(whole.window, own)))
        near = [each for each in others if np.isin(each, core).any()]
        part = whole.part(inside(whole.window, core, *near), [own])
        return cls(whole, part, own, np.concatenate([np.zeros(0, dtype=np.int64), *others]))

    def without(self, things: Sequence[Shared]) -> Left:
        """What carries the ring on when these link nobody."""
        aside = tuple(Override(each.type, each.key, True, "", "", FOREVER) for each in things)
        opinions = replace(self.whole.opinions, overrides=(*self.whole.opinions.overrides, *aside))
        examined = self.part.standing(self.part.examine(opinions), self.taken)
        favour = STAYS * self.part.stood(examined)
        best = choose(examined.groups, examined.scores, parties=examined.projection.size, favour=favour)
        found = [(float(examined.scores[at]), self._applications(examined, at)) for at in best.tolist()]
        carrying = [(score, names) for score, names in found if self._carries(names)]
        if not carrying:
            return Left(0.0)
        score, rows = max(carrying, key=lambda each: (each[0], len(each[1])))
        keys = self.whole.snapshot.nodes["Application"].table["key"].take(rows).to_pylist()
        return Left(score, tuple(sorted(keys)))

    def _applications(self, examined: Examined, group: int) -> Ints:
        """Of a candidate, by the whole's indices."""
        projection, groups = examined.projection, examined.groups
        parties = groups.member[groups.start[group] : groups.start[group + 1]]
        window = projection.window
        return self.part.cut.index["Application"][window[np.isin(projection.party[window], parties)]]

    def _carries(self, rows: Ints) -> bool:
        """As lasting names are given."""
        shared = int(np.isin(rows, self.own).sum())
        return shared >= LEAST_SHARED and 100 * shared >= LEAST_PERCENT * min(len(rows), len(self.own))


def _weight(one: Shared) -> float:
    """What a thing carries at most, as it is listed."""
    return one.people * EDGES[one.relation].weight
