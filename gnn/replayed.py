"""What a replay shows: days, weeks, money, and how long scores need to recover from a drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gnn.book import FOREVER, Floats
from gnn.evaluation.money import SWUNG, Balance, Costs, Swing
from gnn.evaluation.ranking import Ints, ratio
from gnn.evaluation.rows import alerted
from gnn.replay import ALERT_SHARE, RINGS, RULES, SCORE, SOURCES, Bools, Plan, Replayed, Reviews, World, day_of

WINDOW_WEEKS = 4
"""A week holds some ten frauds; recovery is read from so many weeks together."""


@dataclass(frozen=True)
class Day:
    """`caught` and `overlooked` are fraud that was reviewed, `wronged` and `cleared` honest ones, by the day on which
    the review began. `missed`: fraud of this day that nobody reviewed by its end. `saved` in RMB, before any cost;
    `backlog`: reviews without an outcome at the end of the day."""

    day: int
    applications: int
    frauds: int
    by_score: int
    by_rules: int
    by_rings: int
    caught: int
    overlooked: int
    wronged: int
    cleared: int
    missed: int
    saved: float
    backlog: int
    labels: int


def days(world: World, plan: Plan, done: Replayed, costs: Costs) -> tuple[Day, ...]:
    size, reviews = plan.days, done.reviews
    came, began = day_of(plan, world.seen_at), day_of(plan, reviews.at)
    in_time = np.zeros(len(world.fraud), dtype=bool)
    in_time[reviews.row[began == came[reviews.row]]] = True
    fraud, said = world.fraud[reviews.row], reviews.fraud
    saved = np.where(reviews.stopped & fraud, world.amount[reviews.row] * costs.loss_given_fraud, 0.0)

    def count(day: Ints, where: Bools) -> Ints:
        return np.bincount(day[where & (day >= 0) & (day < size)], minlength=size).astype(np.int64)

    each, told = np.ones(len(reviews), dtype=bool), day_of(plan, reviews.told_at)
    labels = np.cumsum(count(told, each))
    money = np.bincount(began, weights=saved, minlength=size)
    columns = {
        "applications": count(came, np.ones(len(world.fraud), dtype=bool)),
        "frauds": count(came, world.fraud),
        "by_score": count(began, reviews.source == SCORE),
        "by_rules": count(began, reviews.source == RULES),
        "by_rings": count(began, reviews.source == RINGS),
        "caught": count(began, fraud & said),
        "overlooked": count(began, fraud & ~said),
        "wronged": count(began, ~fraud & said),
        "cleared": count(began, ~fraud & ~said),
        "missed": count(came, world.fraud & ~in_time),
        "backlog": np.cumsum(count(began, each)) - labels,
        "labels": labels,
    }
    return tuple(
        Day(day=day, saved=float(money[day]), **{name: int(column[day]) for name, column in columns.items()})
        for day in range(size)
    )


# Money ---------------------------------------------------------------------------------------------------


def balance(world: World, reviews: Reviews, applications: int, costs: Costs) -> Balance:
    """Of the reviews as they went. Fraud found after its payout brings nothing back here, though it may in life."""
    fraud, honest = world.fraud[reviews.row], ~world.fraud[reviews.row]
    waits = (world.funded_at[reviews.row] > reviews.at) & (world.funded_at[reviews.row] < FOREVER)
    stopped = float(world.amount[reviews.row][reviews.stopped & fraud].sum()) * costs.loss_given_fraud
    spent = len(reviews) * costs.review
    declined = float((reviews.stopped & honest).sum()) * costs.lost_margin
    delayed = float((honest & waits & ~reviews.fraud).sum()) * costs.delay
    rate = float(ratio(len(reviews), applications))
    return Balance(rate, len(reviews), stopped, 0.0, spent, declined, delayed, net=stopped - spent - declined - delayed)


def swings(world: World, reviews: Reviews, applications: int, costs: Costs) -> tuple[Swing, ...]:
    """The net when one constant is 50 % lower or higher; the widest first."""
    told = []
    for name in SWUNG:
        nets = [
            balance(world, reviews, applications, replace(costs, **{name: getattr(costs, name) * by})).net
            for by in (0.5, 1.5)
        ]
        told.append(Swing(name, min(nets), max(nets)))
    return tuple(sorted(told, key=lambda each: each.low - each.high))


# Weeks ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    """`hits`: fraud among the hundredth with the highest scores of the week, by the way of scoring. `reviewed` by score
    or rules by the end of their day, `found`: fraud among them."""

    first_day: int
    days: int
    applications: int
    frauds: int
    alerts: float
    hits: Mapping[str, float]
    reviewed: int
    found: int

    @property
    def ceiling(self) -> float:
        """The recall of a perfect order."""
        return float(ratio(min(self.alerts, self.frauds), self.frauds))

    @property
    def precision_ceiling(self) -> float:
        return float(ratio(min(self.alerts, self.frauds), self.alerts))

    def recall(self, way: str) -> float:
        return float(ratio(self.hits[way], self.frauds))

    def precision(self, way: str) -> float:
        return float(ratio(self.hits[way], self.alerts))


def weeks(world: World, plan: Plan, done: Replayed, scores: Mapping[str, Floats]) -> tuple[Week, ...]:
    """`scores` per application by the way of scoring."""
    came, reviews = day_of(plan, world.seen_at), done.reviews
    early = reviews.row[reviews.source != RINGS]
    reviewed = np.zeros(len(world.fraud), dtype=bool)
    reviewed[early] = True
    told = []
    for first in range(0, plan.days, 7):
        last = min(first + 7, plan.days)
        rows = np.flatnonzero((came >= first) & (came < last))
        if not len(rows):
            continue
        fraud, mine = world.fraud[rows], reviewed[rows]
        hits = {way: float(alerted(score[rows], ALERT_SHARE)[fraud].sum()) for way, score in scores.items()}
        told.append(
            Week(first, last - first, len(rows), int(fraud.sum()), ALERT_SHARE * len(rows), hits, int(mine.sum()),
                 int((mine & fraud).sum()))
        )  # fmt: skip
    return tuple(told)


@dataclass(frozen=True)
class Recovery:
    """Recall at 1 % of alerts: `before` the drift, in the `worst` four weeks since and in the `last` four. `days` from
    the drift to the end of the first four weeks that are as good as before again: 0 if it never fell, None if it
    never came back, or nothing is known of before."""

    before: float
    worst: float
    last: float
    days: int | None
    weeks_before: int


def recovery(told: Sequence[Week], way: str, *, drift_day: int) -> Recovery:
    whole = [week for week in told if week.days == 7]
    earlier = [week for week in whole if week.first_day + 7 <= drift_day]
    later = [week for week in whole if week.first_day >= drift_day]
    before = _pooled(earlier, way) if len(earlier) >= WINDOW_WEEKS else np.nan
    windows = [later[at : at + WINDOW_WEEKS] for at in range(len(later) - WINDOW_WEEKS + 1)]
    levels = [_pooled(each, way) for each in windows]
    if not levels:
        return Recovery(before, np.nan, np.nan, None, len(earlier))
    back = None if np.isnan(before) else _back(windows, levels, before, drift_day)
    return Recovery(before, float(np.nanmin(levels)), levels[-1], back, len(earlier))


def _back(windows: list[list[Week]], levels: list[float], before: float, drift_day: int) -> int | None:
    fell = next((at for at, level in enumerate(levels) if level < before), None)
    if fell is None:
        return 0
    for window, level in zip(windows[fell:], levels[fell:], strict=True):
        if level >= before:
            return window[-1].first_day + 7 - drift_day
    return None


def _pooled(told: Sequence[Week], way: str) -> float:
    return float(ratio(sum(week.hits[way] for week in told), sum(week.frauds for week in told)))


# Labels --------------------------------------------------------------------------------------------------


def label_counts(world: World, reviews: Reviews, at: int) -> dict[str, int]:
    """What reviews had told by a time: by what led to them and what they said, and how much of it was wrong."""
    told = reviews.known(at)
    wrong = told.fraud != world.fraud[told.row]
    counts = {}
    for source, name in enumerate(SOURCES):
        mine = told.source == source
        counts[f"fraud, by {name}"] = int((mine & told.fraud).sum())
        counts[f"cleared, by {name}"] = int((mine & ~told.fraud).sum())
    return counts | {"of these wrong": int(wrong.sum())}
