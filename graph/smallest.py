"""The smallest set of reasons without which a score falls below a threshold, whatever taking some of them away does.

Single ones are tried first, then pairs; where neither is enough, reasons are taken away one after the other, that with
the greatest effect first, and those put back that were not needed. So nothing smaller within the answer is enough, and
the same question has the same answer: what bounds the search is a number of tries, not time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

MOST_TRIES = 80
"""After so many nothing wider is tried; what was found is still looked through for what was not needed."""

MOST_TOGETHER = 6
"""What takes more reasons away than these has no small explanation."""

Places = tuple[int, ...]
"""Of reasons, ascending."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """`enough`: without `places` the score is below; if not, these are the ones whose loss it feels most. `smallest`:
    no smaller set is enough. `alone` is the score without each single one."""

    places: Places
    score: float
    enough: bool
    smallest: bool
    alone: dict[int, float]


class Smallest:
    """`score(places)` without these; `order` are the reasons to be tried, what counts most first."""

    def __init__(
        self,
        order: Sequence[int],
        score: Callable[[Places], float],
        *,
        below: float,
        progress: Progress = lambda *_: None,
    ) -> None:
        self.order, self.below = tuple(order), below
        self._score, self._progress = score, progress
        self._tried: dict[Places, float] = {}

    def found(self) -> Found | None:
        """None where the score is below already, or there is nothing to take away."""
        if not self.order or not self._over(()):
            return None
        if found := self._first([(at,) for at in self.order]):
            return self._told(found, smallest=True)
        by_effect = sorted(self.order, key=lambda at: (self._without((at,)), self.order.index(at)))
        greedy = self._greedy(by_effect)
        if len(greedy) <= 2:
            return self._told(greedy, smallest=True)
        pairs = [_places(each) for each in combinations(by_effect, 2)]
        some = pairs[: max(0, MOST_TRIES - len(self._tried))]
        if found := self._first(some):
            return self._told(found, smallest=True)
        return self._told(greedy, smallest=len(greedy) == 3 and len(some) == len(pairs))

    def _greedy(self, by_effect: Sequence[int]) -> Places:
        """One after the other, each time what leaves least; then the fewest of these that are still enough."""
        taken: Places = ()
        while self._over(taken) and len(taken) < min(MOST_TOGETHER, len(by_effect)):
            rest = [at for at in by_effect if at not in taken]
            some = rest[: max(1, (MOST_TRIES - len(self._tried)) // MOST_TOGETHER)]
            ways = [_places((*taken, at)) for at in some]
            taken = min(ways, key=lambda each: (self._without(each), ways.index(each)))
        return taken if self._over(taken) else self._fewest(taken)

    def _fewest(self, enough: Places) -> Places:
        """Smaller parts are tried first, and there are few."""
        for size in range(1, len(enough)):
            for part in combinations(enough, size):
                if not self._over(part):
                    return part
        return enough

    def _first(self, sets: Sequence[Places]) -> Places | None:
        """Of those that are enough the one that leaves least, of equals the first."""
        enough = [each for each in sets if not self._over(each)]
        return min(enough, key=lambda each: (self._without(each), sets.index(each))) if enough else None

    def _over(self, places: Places) -> bool:
        return self._without(places) >= self.below

    def _without(self, places: Places) -> float:
        if places not in self._tried:
            self._progress(len(self._tried), MOST_TRIES)
            self._tried[places] = self._score(places)
        return self._tried[places]

    def _told(self, places: Places, *, smallest: bool) -> Found:
        alone = {at: self._tried[at,] for at in self.order if (at,) in self._tried}
        score = self._without(places)
        return Found(places, score, score < self.below, smallest and score < self.below, alone)


def _places(some: Sequence[int]) -> Places:
    return tuple(sorted(some))
