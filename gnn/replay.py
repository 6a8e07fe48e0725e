"""The day loop: score, review, tell, learn, as it would have gone day after day (domain.md §5.4). Arrays only.

Models are whatever answers `Models`; the loop decides what they may know. They are told a review from the time of its
outcome on and never earlier, and of the truth they hear nothing else: only reviewers look at it, with their errors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gnn.book import FOREVER, Floats
from graph.records import DAY, Ints

Bools = npt.NDArray[np.bool_]
Progress = Callable[[str, int, int], None]

SCORE, RULES, RINGS = range(3)
SOURCES = ("score", "rules", "ring list")
"""Why an application was reviewed."""

ALERT_SHARE = 0.01
REFRESH_DAYS = 7
"""Features see new labels once a week: later than they could, never earlier."""


@dataclass(frozen=True)
class World:
    """Per application. `fraud` is the truth, for reviewers and figures only.

    Times in milliseconds, `FOREVER` for never: `seen_at` when it is scored, `funded_at`, `settled_at` when the lender's
    own outcomes say whether it is fraud.
    """

    seen_at: Ints
    funded_at: Ints
    settled_at: Ints
    amount: Floats
    fraud: Bools


@dataclass(frozen=True)
class Reviewers:
    """Shares they judge rightly, and how many days they take (domain.md §5.4)."""

    on_fraud: float = 0.92
    on_honest: float = 0.97
    days: tuple[int, int] = (1, 3)


@dataclass(frozen=True)
class Plan:
    """`cut`: the first moment of the first day. `per_day`: reviews by score a day; 0 of every number: never."""

    cut: int
    days: int
    per_day: int
    retrain_every: int = 30
    list_every: int = 7
    refresh_every: int = REFRESH_DAYS
    heed_rules: bool = True
    reviewers: Reviewers = field(default_factory=Reviewers)
    seed: int = 7


@dataclass(frozen=True)
class Reviews:
    """In the order in which they began. `fraud` is the verdict, right or wrong, known from `told_at` on. `stopped`:
    the verdict is fraud, and the money would have been paid out after the review began."""

    row: Ints
    at: Ints
    told_at: Ints
    fraud: Bools
    source: Ints
    stopped: Bools

    def __len__(self) -> int:
        return len(self.row)

    @classmethod
    def none(cls) -> Reviews:
        nothing, never = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=bool)
        return cls(nothing, nothing, nothing, never, nothing, never)

    def among(self, kept: npt.NDArray[Any]) -> Reviews:
        return Reviews(*(getattr(self, each.name)[kept] for each in fields(self)))

    def known(self, at: int) -> Reviews:
        return self.among(self.told_at <= at)

    def and_also(self, more: Reviews) -> Reviews:
        both = ((getattr(self, each.name), getattr(more, each.name)) for each in fields(self))
        return Reviews(*(np.concatenate(each) for each in both))


class Models(Protocol):
    """What serves, between two times at which it is told something."""

    def refresh(self, told: Reviews, *, at: int) -> None:
        """Features see these reviews from now on. All of them were known at `at`."""

    def learn(self, *, at: int) -> None:
        """Train on what was known at `at`: the lender's own labels and the reviews told so far."""

    def scores(self, rows: Ints) -> tuple[Floats, Bools]:
        """Of applications, each as of its own submission; and whether rules advise to look at it."""

    def listed(self, *, at: int) -> Ints:
        """The members of the rings on that night's list, the most suspicious ring first."""


@dataclass(frozen=True)
class Replayed:
    """`score` per application, NaN before the cut; `lists` and `learned` say when, `listed_at` per application when a
    list first named it (`FOREVER`: never)."""

    score: Floats
    reviews: Reviews
    listed_at: Ints
    lists: tuple[int, ...]
    learned: tuple[int, ...]


def day_of(plan: Plan, at: Ints) -> Ints:
    """Days since the cut."""
    return np.asarray((at - plan.cut) // DAY, dtype=np.int64)


def replay(world: World, plan: Plan, models: Models, *, progress: Progress = lambda *_: None) -> Replayed:
    """Day by day from the cut. A day's alerts are reviewed from its end on, and their money waits for the outcome."""
    desk = _Desk(world, plan)
    score = np.full(len(world.seen_at), np.nan)
    listed_at = np.full(len(world.seen_at), FOREVER)
    lists, learned = [], []
    for day in range(plan.days):
        now = plan.cut + day * DAY - 1
        learns = day == 0 or _due(day, plan.retrain_every)
        if learns or _due(day, plan.refresh_every):
            models.refresh(desk.reviews.known(now), at=now)
        if learns:
            models.learn(at=now)
            learned.append(now)
        if _due(day, plan.list_every):
            named = models.listed(at=now)
            listed_at[named] = np.minimum(listed_at[named], now)
            lists.append(now)
            desk.review(named, RINGS, at=now + 1)
        rows = np.flatnonzero((world.seen_at > now) & (world.seen_at <= now + DAY))
        if len(rows):
            score[rows], advised = models.scores(rows)
            best = rows[np.argsort(-score[rows], kind="stable")][: plan.per_day]
            desk.review(best, SCORE, at=now + DAY)
            if plan.heed_rules:
                desk.review(rows[advised], RULES, at=now + DAY)
        progress("days", day + 1, plan.days)
    return Replayed(score, desk.reviews, listed_at, tuple(lists), tuple(learned))


def _due(day: int, every: int) -> bool:
    return every > 0 and day % every == 0


class _Desk:
    """Reviewers. How one judges and how long that takes is drawn once per application, so that two replays with one
    seed differ by what they alert and by nothing else."""

    def __init__(self, world: World, plan: Plan) -> None:
        drawn, size, by = np.random.default_rng(plan.seed), len(world.fraud), plan.reviewers
        right = drawn.random(size) < np.where(world.fraud, by.on_fraud, by.on_honest)
        self._verdict = np.where(right, world.fraud, ~world.fraud)
        self._took = drawn.integers(by.days[0], by.days[1] + 1, size) * DAY
        self._world, self._begun = world, np.zeros(size, dtype=bool)
        self.reviews = Reviews.none()

    def review(self, rows: Ints, source: int, *, at: int) -> None:
        """Those that nobody reviewed before, and of which the lender itself knows nothing yet."""
        rows = rows[~self._begun[rows] & (self._world.settled_at[rows] > at)]
        self._begun[rows] = True
        verdict, paid = self._verdict[rows], self._world.funded_at[rows]
        when, stopped = np.full(len(rows), at), verdict & (paid > at) & (paid < FOREVER)
        more = Reviews(rows, when, when + self._took[rows], verdict, np.full(len(rows), source), stopped)
        self.reviews = self.reviews.and_also(more)


def per_day(rows: int, days: int, share: float = ALERT_SHARE) -> int:
    """The reviews by score that a desk manages: a share of a mean day's applications."""
    return max(1, round(share * rows / max(1, days)))
