"""A portfolio replayed day by day: reviewers look at alerts and ring lists, models learn from them."""
# ruff: noqa: PLC0415 - numba, XGBoost and torch take seconds to import; only this command needs them

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graph.errors import InputError
from graph.records import Ints, to_millis
from workbench import backtest as backtesting
from workbench.backtest import Backtest

if TYPE_CHECKING:
    from gnn.book import Floats
    from gnn.replay import Bools, Plan, Replayed, Reviews, World
    from gnn.scorer import Scores
    from gnn.training import Prepared, Trained
    from workbench.assessment import Truth

Progress = Callable[[str, int, int], None]
FED, FROZEN, OWN, PLAIN = (
    "with feedback", "frozen at the cut", "retrained, lender's labels alone", "XGBoost without graph, frozen",
)  # fmt: skip


@dataclass(frozen=True)
class Ran:
    """A replay with all that its report needs. `scores` per application by the way of scoring; `started` what was
    trained at the cut; `drift_day` counts from the cut, None without any drift; `notes` what training had to say."""

    ready: Prepared
    started: Trained
    world: World
    plan: Plan
    done: Replayed
    truth: Truth
    scores: Mapping[str, Floats]
    drift_day: int | None
    notes: tuple[str, ...]

    @property
    def rows(self) -> Ints:
        return np.flatnonzero(self.world.seen_at >= self.plan.cut)


class Portfolio:
    """What serves, over a portfolio that is told of reviews. `first` is the model of the cut."""

    def __init__(self, base: Prepared, *, cut: int, seed: int, first: Trained, progress: Progress) -> None:
        self._base, self._ready, self._trained, self._seed = base, base, first, seed
        self._rows = np.flatnonzero(base.book.as_of >= cut)
        self._cut, self._progress, self._told = cut, progress, None
        self.notes: list[str] = []

    _told: Scores | None

    def refresh(self, told: Reviews, *, at: int) -> None:  # noqa: ARG002 - reviews say themselves when they were known
        from gnn.feedback import fed_back

        if self._ready is not self._base or len(told):
            self._ready, self._told = fed_back(self._base, told), None

    def learn(self, *, at: int) -> None:
        if at >= self._cut:
            self._trained = train(self._ready, until=at, seed=self._seed, progress=self._progress)
        self._told = None
        self.notes += [note for note in self._trained.notes if note not in self.notes]

    def scores(self, rows: Ints) -> tuple[Floats, Bools]:
        if self._told is None:
            ready = self._ready
            self._told = self._trained.scorer.score(ready.seen, ready.book, self._rows, ready.rule_columns)
        at = np.searchsorted(self._rows, rows)
        return self._told.score[at], self._told.rules.advice[at] > 0

    def listed(self, *, at: int) -> Ints:
        rings = backtesting.listed(self._ready, self._trained.scorer, at)
        return rows_of(self._ready, [name for ring in rings for name in ring.application_ids])


def rows_of(ready: Prepared, names: list[str]) -> Ints:
    from graph.records import node_ids

    return ready.snapshot.nodes["Application"].index_of(node_ids("Application", names))


def train(ready: Prepared, *, until: int, seed: int, progress: Progress) -> Trained:
    from gnn import training
    from gnn.rules import read_settings

    return training.train(ready, until=until, settings=read_settings(), seed=seed, progress=progress)


def run(source: Path, out: Path, asked: Asked, *, progress: Progress) -> Ran:
    """Loads `source` into a store of its own; writes replay.json, replay.html and days.csv to `out`."""
    from workbench import replay_report, scoring

    if not (asked.truth / "truth_members.csv").is_file():
        raise InputError(f"{asked.truth} holds no truth_members.csv; reviewers need the truth of a synthetic portfolio")
    backtesting.prepare_folder(out)
    with backtesting.loaded(source, out, progress) as here:
        ready = scoring.prepare(here, progress)
    ran = replayed(ready, asked, progress=progress)
    progress("report", 0, 1)
    replay_report.write(ran, out)
    return ran


@dataclass(frozen=True)
class Asked:
    """`per_day` None: a hundredth of a mean day. `compare`: train at each date on the lender's labels alone, too."""

    cut: datetime
    truth: Path
    retrain_every: int
    list_every: int
    per_day: int | None
    seed: int
    drift: datetime | None = None
    compare: bool = False


def replayed(ready: Prepared, asked: Asked, *, progress: Progress) -> Ran:
    from gnn.replay import Plan, day_of, per_day, replay
    from workbench.assessment import read_truth

    cut = to_millis(asked.cut)
    rows = np.flatnonzero(ready.book.as_of >= cut)
    if not len(rows):
        raise InputError("no application was submitted after the cut; choose an earlier --cut")
    plan = Plan(cut, 0, 0, asked.retrain_every, asked.list_every, seed=asked.seed)
    days = int(day_of(plan, ready.book.as_of).max()) + 1
    plan = replace(plan, days=days, per_day=per_day(len(rows), days) if asked.per_day is None else asked.per_day)
    first = train(ready, until=cut - 1, seed=asked.seed, progress=progress)
    truth = read_truth(asked.truth, Backtest(ready, first, rows, [], (), cut))
    world = world_of(ready, truth)
    portfolio = Portfolio(ready, cut=cut, seed=asked.seed, first=first, progress=progress)
    done = replay(world, plan, portfolio, progress=progress)
    scores = {FED: done.score} | frozen(ready, first, rows)
    if asked.compare and asked.retrain_every:
        alone = replace(plan, per_day=0, list_every=0, refresh_every=0, heed_rules=False)
        other = Portfolio(ready, cut=cut, seed=asked.seed, first=first, progress=progress)
        scores[OWN] = replay(world, alone, other, progress=progress).score
    drift = _drift_day(truth, asked, plan)
    return Ran(ready, first, world, plan, done, truth, scores, drift, tuple(portfolio.notes))


def world_of(ready: Prepared, truth: Truth) -> World:
    from gnn.book import FOREVER
    from gnn.replay import World

    book = ready.book
    paid = ready.snapshot.nodes["Application"].times("funded_at", as_of=FOREVER - 1)
    return World(
        seen_at=book.as_of,
        funded_at=np.where(paid > 0, paid, FOREVER),
        settled_at=np.minimum(book.labels.fraud_from, book.labels.cleared_from),
        amount=np.nan_to_num(ready.seen["amount"]).astype(float),
        fraud=truth.frame["is_fraud"].to_numpy(dtype=float) == 1,
    )


def frozen(ready: Prepared, first: Trained, rows: Ints) -> dict[str, Floats]:
    """The models of the cut on the portfolio as it is, with the lender's own labels: nobody reviews, nobody trains."""
    from gnn.features.catalogue import no_graph_names
    from gnn.training import fit_main

    def spread(values: Any) -> Floats:
        score = np.full(len(ready.book), np.nan)
        score[rows] = values
        return score

    told = first.scorer.score(ready.seen, ready.book, rows, ready.rule_columns)
    scores = {FROZEN: spread(told.score)}
    if first.targets is not None:
        names = tuple(name for name in no_graph_names() if name in set(ready.seen.names))
        plain = fit_main(ready.seen, first.targets, names, seed=0)
        scores[PLAIN] = spread(plain.score(ready.seen.only(names)[rows]))
    return scores


def _drift_day(truth: Truth, asked: Asked, plan: Plan) -> int | None:
    """As asked for, or when the first ring began that the truth marks as belonging to a drift."""
    from gnn.replay import day_of

    if asked.drift is not None:
        return int(day_of(plan, np.array(to_millis(asked.drift))))
    if "drift" not in truth.rings or not (late := truth.rings["drift"] == "1").any():
        return None
    return int(day_of(plan, np.array(to_millis(datetime.fromisoformat(truth.rings["start"][late].min())))))
