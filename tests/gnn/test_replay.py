"""The day loop on hand-made arrays: who is reviewed, what models may know and when, and that the money adds up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from gnn import replayed
from gnn.book import FOREVER, Floats
from gnn.evaluation.money import Costs
from gnn.replay import RINGS, RULES, SCORE, Bools, Plan, Replayed, Reviewers, Reviews, World, per_day, replay
from graph.records import DAY, Ints

CUT, DAYS, SIZE = 1_000 * DAY, 40, 1_200
PLAN = Plan(CUT, DAYS, per_day=3, retrain_every=10, list_every=5, seed=3)


def world(seed: int = 0) -> World:
    """Applications of ten days before the cut and of forty after it; two thirds are paid out within five days."""
    drawn = np.random.default_rng(seed)
    seen = np.sort(drawn.integers(CUT - 10 * DAY, CUT + DAYS * DAY, SIZE))
    paid = np.where(drawn.random(SIZE) < 0.66, seen + drawn.integers(DAY // 2, 5 * DAY, SIZE), FOREVER)
    settled = np.where(drawn.random(SIZE) < 0.1, seen + drawn.integers(DAY, 20 * DAY, SIZE), FOREVER)
    return World(seen, paid, settled, np.round(drawn.random(SIZE) * 1e5), drawn.random(SIZE) < 0.06)


@dataclass
class Counting:
    """Scores depend on everything that was told: how often each tenth of the applications was said to be fraud."""

    world: World
    calls: list[tuple[str, int]] = field(default_factory=list)
    heard: list[tuple[int, Reviews]] = field(default_factory=list)
    _bad: Floats = field(default_factory=lambda: np.zeros(10))
    _model: Floats = field(default_factory=lambda: np.zeros(10))

    def refresh(self, told: Reviews, *, at: int) -> None:
        self.heard.append((at, told))
        self._bad = np.bincount(told.row % 10, weights=told.fraud * 2.0 - 1, minlength=10)

    def learn(self, *, at: int) -> None:
        self.calls.append(("learn", at))
        self._model = self._bad.copy()

    def scores(self, rows: Ints) -> tuple[Floats, Bools]:
        own = (rows * 7919 % 1009) / 1009
        return own + 0.1 * self._bad[rows % 10] + 0.1 * self._model[rows % 10], rows % 50 == 0

    def listed(self, *, at: int) -> Ints:
        self.calls.append(("list", at))
        known = np.flatnonzero(self.world.seen_at <= at)
        return known[known % 37 == int(self._bad.argmax())]


def run(given: World, plan: Plan = PLAN) -> tuple[Replayed, Counting]:
    models = Counting(given)
    return replay(given, plan, models), models


def after_cut(given: World) -> Ints:
    return np.flatnonzero(given.seen_at >= CUT)


def test_models_hear_of_a_review_only_when_its_outcome_is_told() -> None:
    done, models = run(world())
    assert len(done.reviews) > 100
    assert (done.reviews.told_at - done.reviews.at >= DAY).all()
    assert (done.reviews.told_at - done.reviews.at <= 3 * DAY).all()
    for at, told in models.heard:
        assert (told.told_at <= at).all()
        assert len(told) == int((done.reviews.told_at <= at).sum())


@pytest.mark.parametrize("day", [4, 11, 23])
def test_what_reviewers_say_of_a_day_changes_no_score_before_it_is_told(day: int) -> None:
    given = world()
    first, _ = run(given)
    mine = first.reviews.row[(first.reviews.at - CUT) // DAY == day]
    fraud = given.fraud.copy()
    fraud[mine] = ~fraud[mine]
    second, _ = run(replace(given, fraud=fraud))
    until = given.seen_at < CUT + (day + 1) * DAY
    assert np.array_equal(first.score[until], second.score[until], equal_nan=True)
    assert not np.array_equal(first.score, second.score, equal_nan=True)


def test_the_truth_of_what_nobody_reviews_changes_nothing() -> None:
    given = world()
    first, _ = run(given)
    never = np.setdiff1d(np.arange(SIZE), first.reviews.row)
    fraud = given.fraud.copy()
    fraud[never] = np.random.default_rng(1).permutation(fraud[never])
    second, _ = run(replace(given, fraud=fraud))
    assert not np.array_equal(fraud, given.fraud)
    assert np.array_equal(first.score, second.score, equal_nan=True)
    assert all(
        np.array_equal(getattr(first.reviews, name), getattr(second.reviews, name)) for name in vars(first.reviews)
    )


def test_the_same_seed_gives_the_same_replay_and_another_one_does_not() -> None:
    first, again, other = (run(world(), replace(PLAN, seed=seed))[0] for seed in (3, 3, 4))
    assert all(
        np.array_equal(getattr(first.reviews, name), getattr(again.reviews, name)) for name in vars(first.reviews)
    )
    assert not np.array_equal(first.reviews.fraud, other.reviews.fraud[: len(first.reviews)])


@pytest.mark.parametrize("most", [0, 1, 3, 50])
def test_no_day_has_more_reviews_by_score_than_the_desk_manages(most: int) -> None:
    given = world()
    done, _ = run(given, replace(PLAN, per_day=most))
    mine = done.reviews.among(done.reviews.source == SCORE)
    by_day = np.bincount((mine.at - CUT) // DAY, minlength=DAYS)
    came = np.bincount((given.seen_at[after_cut(given)] - CUT) // DAY, minlength=DAYS)
    assert (by_day <= np.minimum(most, came)).all()


def test_the_highest_of_a_day_are_reviewed_and_what_rules_advise() -> None:
    given = world()
    done, _ = run(given, replace(PLAN, list_every=0))
    rows = after_cut(given)
    day = (given.seen_at[rows] - CUT) // DAY
    for each in range(DAYS):
        mine = rows[(day == each) & (given.settled_at[rows] > CUT + (each + 1) * DAY)]
        reviewed = np.intersect1d(mine, done.reviews.row)
        others = np.setdiff1d(mine, reviewed)
        scored = np.intersect1d(reviewed, done.reviews.row[done.reviews.source == SCORE])
        if len(scored) and len(others):
            assert done.score[scored].min() >= done.score[others].max()
        assert np.isin(mine[mine % 50 == 0], reviewed).all()
    assert set(done.reviews.source.tolist()) == {SCORE, RULES}


def test_nobody_is_reviewed_twice_nor_when_the_lender_knows() -> None:
    given = world()
    done, _ = run(given)
    assert len(np.unique(done.reviews.row)) == len(done.reviews)
    assert (given.settled_at[done.reviews.row] > done.reviews.at).all()
    assert set(done.reviews.source.tolist()) == {SCORE, RULES, RINGS}


def test_only_money_that_was_still_there_is_stopped() -> None:
    given = world()
    done, _ = run(given)
    told = done.reviews
    paid = given.funded_at[told.row]
    assert np.array_equal(told.stopped, told.fraud & (paid > told.at) & (paid < FOREVER))
    assert told.stopped.any()
    assert (told.fraud & ~told.stopped).any()


def test_learning_and_lists_keep_their_days() -> None:
    _, models = run(world())
    learned, listed = (
        [(at + 1 - CUT) // DAY for what, at in models.calls if what == name] for name in ("learn", "list")
    )
    assert learned == [0, 10, 20, 30]
    assert listed == list(range(0, DAYS, 5))
    _, never = run(world(), replace(PLAN, retrain_every=0, list_every=0))
    assert [what for what, _ in never.calls] == ["learn"]


def test_without_reviews_only_the_first_lesson_matters() -> None:
    given = world()
    plan = replace(PLAN, per_day=0, list_every=0, heed_rules=False, retrain_every=0)
    done, _ = run(given, plan)
    assert len(done.reviews) == 0
    rows = after_cut(given)
    assert np.array_equal(done.score[rows], Counting(given).scores(rows)[0])
    assert np.isnan(done.score[: rows[0]]).all()


def test_reviewers_err_as_often_as_they_are_said_to() -> None:
    drawn = np.random.default_rng(5)
    size = 20_000
    given = World(
        np.full(size, CUT), *(np.full(size, FOREVER) for _ in range(2)), np.ones(size), drawn.random(size) < 0.5
    )
    done = replay(given, Plan(CUT, 1, size, list_every=0, reviewers=Reviewers(0.8, 0.9)), Counting(given))
    fraud = given.fraud[done.reviews.row]
    assert done.reviews.fraud[fraud].mean() == pytest.approx(0.8, abs=0.02)
    assert done.reviews.fraud[~fraud].mean() == pytest.approx(0.1, abs=0.02)


# Figures -------------------------------------------------------------------------------------------------


def test_days_and_money_add_up() -> None:
    given, costs = world(), Costs()
    done, _ = run(given)
    days = replayed.days(given, PLAN, done, costs)
    rows, told = after_cut(given), done.reviews
    money = replayed.balance(given, told, len(rows), costs)

    def total(name: str) -> float:
        return sum(getattr(day, name) for day in days)

    assert total("applications") == len(rows)
    assert total("frauds") == given.fraud[rows].sum()
    assert total("by_score") + total("by_rules") + total("by_rings") == len(told)
    assert total("caught") + total("overlooked") + total("wronged") + total("cleared") == len(told)
    assert total("saved") == pytest.approx(money.stopped)
    assert money.net == pytest.approx(money.stopped - money.reviews - money.declined - money.delayed)
    assert money.stopped == pytest.approx(0.6 * given.amount[told.row][told.stopped & given.fraud[told.row]].sum())
    last = days[-1]
    assert last.backlog == int((told.told_at >= CUT + DAYS * DAY).sum())
    assert last.backlog + last.labels == len(told)
    assert all(day.missed <= day.frauds for day in days)


def test_swings_hold_the_net_between_them() -> None:
    given = world()
    done, _ = run(given)
    net = replayed.balance(given, done.reviews, SIZE, Costs()).net
    swings = replayed.swings(given, done.reviews, SIZE, Costs())
    assert [each.low <= net <= each.high for each in swings] == [True] * 4
    assert swings[0].high - swings[0].low == max(each.high - each.low for each in swings)


def test_a_perfect_score_reaches_the_ceiling_of_each_week() -> None:
    given = world()
    done, _ = run(given)
    told = replayed.weeks(given, PLAN, done, {"perfect": given.fraud + 0.0, "blind": np.zeros(SIZE)})
    assert sum(week.applications for week in told) == len(after_cut(given))
    for week in told:
        assert week.recall("perfect") == pytest.approx(week.ceiling, nan_ok=True)
        assert week.precision("perfect") == pytest.approx(week.precision_ceiling)
        assert week.recall("blind") == pytest.approx(0.01, nan_ok=True)


def weeks_with(hits: list[float], frauds: int = 10) -> list[replayed.Week]:
    return [replayed.Week(7 * at, 7, 1_000, frauds, 10.0, {"way": hit}, 0, 0) for at, hit in enumerate(hits)]


@pytest.mark.parametrize(
    ("later", "days"),
    [
        ([6, 6, 6, 6, 6], 0),
        ([2, 2, 2, 2, 6, 6, 6, 6, 6], 8 * 7),
        ([2, 2, 2, 2, 2, 2], None),
        ([6, 6, 6], None),
    ],
)
def test_recovery_is_counted_to_the_first_four_weeks_as_good_as_before(later: list[float], days: int | None) -> None:
    told = replayed.recovery(weeks_with([6, 6, 6, 6, *later]), "way", drift_day=28)
    assert told.before == pytest.approx(0.6)
    assert told.days == days


def test_nothing_is_said_of_recovery_without_weeks_before() -> None:
    told = replayed.recovery(weeks_with([2, 2, 2, 2, 6, 6, 6, 6]), "way", drift_day=0)
    assert np.isnan(told.before)
    assert told.days is None


def test_label_counts_say_what_was_told_and_how_much_was_wrong() -> None:
    given = world()
    done, _ = run(given)
    counts = replayed.label_counts(given, done.reviews, CUT + 20 * DAY)
    wrong = counts.pop("of these wrong")
    told = done.reviews.known(CUT + 20 * DAY)
    assert sum(counts.values()) == len(told)
    assert wrong == (told.fraud != given.fraud[told.row]).sum()


def test_a_desk_reads_a_hundredth_of_a_mean_day() -> None:
    assert per_day(60_000, 365) == 2
    assert per_day(300_000, 60) == 50
    assert per_day(10, 10) == 1
