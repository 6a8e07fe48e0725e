"""All methods on the same applications: `evaluate_rows` gives what the page prints."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from gnn.evaluation.chance import Estimate, resample
from gnn.evaluation.money import Costs, balance, sensitivity
from gnn.evaluation.ranking import Bools, Floats, Ints, Ranking, Steps, Times, ratio
from gnn.evaluation.results import AtK, AtRate, Curve, Method, Month, RingClass, RowEvaluation
from gnn.evaluation.rows import (
    alerted,
    average_precision,
    brier,
    calibration,
    ece,
    false_positives_per_hit,
    investigators,
    look_alikes,
    recall_ceilings,
)

RATES = (0.005, 0.01, 0.02)
HEADLINE = 0.01
"""The alert rate of classes, look-alikes, months and money's sensitivity: one of `RATES`."""

CURVE_RATES = np.geomspace(1e-4, 1.0, 241)
CLASSES = ("new", "continuing", "recidivist", "")
TOGETHER = "new + continuing"
ALONE = "outside rings"
ASSUMED = Costs()


def evaluate_rows(
    frame: pd.DataFrame,
    methods: Mapping[str, npt.NDArray[np.floating]],
    *,
    against: str,
    main: str,
    probabilities: Collection[str] | None = None,
    per_day: int | None = None,
    costs: Costs = ASSUMED,
    draws: int = 200,
    seed: int = 0,
) -> RowEvaluation:
    """Measure each method, one score per row of `frame`, on the same draws; methods keep their order.

    Columns: application_id, submitted_at (time, or ms), amount, is_fraud (missing: not known yet, left
    out), ring, ring_class (new, continuing, recidivist, else none), benign_kind, month. `against` is the
    method that lift refers to, XGBoost without graph; `main` the one of the headline; `probabilities`
    those that can be calibrated (None: all that lie within 0 and 1); `per_day` the K of precision@K, 1 %
    of a mean day if not given.
    """
    for name in (against, main):
        if methods and name not in methods:
            raise ValueError(f"no method {name!r} among {', '.join(methods)}; name one of them")
    for name, score in methods.items():
        if len(score) != len(frame):
            raise ValueError(f"{name}: {len(score)} scores for {len(frame)} applications; give one each, in order")
    known = frame["is_fraud"].notna().to_numpy(dtype=np.bool_)
    rows = _Rows.of(frame[known], draws, seed)
    k = per_day or investigators(rows.day)
    scored = {name: _Scored(rows, np.asarray(score, dtype=np.float64)[known], k) for name, score in methods.items()}
    if probabilities is None:
        probabilities = {name for name, each in scored.items() if ((each.score >= 0) & (each.score <= 1)).all()}
    dates = np.sort(rows.day).astype("datetime64[D]").astype(str)
    return RowEvaluation(
        applications=len(rows.day),
        unknown=int((~known).sum()),
        frauds=int(rows.is_fraud.sum()),
        base_rate=float(ratio(rows.is_fraud.sum(), len(rows.day))),
        rings=rows.rings(rows.is_fraud),
        days=len(np.unique(rows.day)),
        amount=float(rows.amount.sum()),
        fraud_amount=float(rows.amount[rows.is_fraud].sum()),
        first=str(dates[0]) if len(dates) else "",
        last=str(dates[-1]) if len(dates) else "",
        draws=draws,
        costs=costs,
        against=against,
        main=main,
        methods=tuple(
            each.method(name, scored[against], name in probabilities, costs) for name, each in scored.items()
        ),
    )


@dataclass(frozen=True)
class _Rows:
    """The frame as arrays (`ring` is -1 outside rings), and the draws of it."""

    is_fraud: Bools
    amount: Floats
    day: Ints
    ring: Ints
    ring_class: npt.NDArray[np.object_]
    benign_kind: npt.NDArray[np.object_]
    month: npt.NDArray[np.object_]
    times: Times

    @classmethod
    def of(cls, frame: pd.DataFrame, draws: int, seed: int) -> _Rows:
        """A day is one of the calendar in Shanghai; times without a zone are taken as they stand."""
        submitted = frame["submitted_at"]
        if not pd.api.types.is_datetime64_any_dtype(submitted):
            submitted = pd.to_datetime(submitted, unit="ms", utc=True)
        if submitted.dt.tz is not None:
            submitted = submitted.dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)
        is_fraud = frame["is_fraud"].to_numpy(dtype=np.bool_)
        ring = pd.factorize(frame["ring"].where(~frame["ring"].isin([-1, ""])))[0].astype(np.int64)
        named, kind, month = (
            frame[name].astype(object).fillna("").astype(str).to_numpy(dtype=object)
            for name in ("ring_class", "benign_kind", "month")
        )
        return cls(
            is_fraud=is_fraud,
            amount=frame["amount"].fillna(0.0).to_numpy(dtype=np.float64),
            day=submitted.to_numpy().astype("datetime64[D]").astype(np.int64),
            ring=ring,
            ring_class=np.where(np.isin(named, CLASSES), named, ""),
            benign_kind=kind,
            month=month,
            times=resample(is_fraud, ring, draws=draws, seed=seed),
        )

    def rings(self, own: Bools) -> int:
        return len(np.unique(self.ring[own & (self.ring >= 0)]))

    def classes(self) -> dict[str, Bools]:
        """Frauds by class of ring, the headline first; those of no class are outside rings."""
        named = {each or ALONE: self.is_fraud & (self.ring_class == each) for each in CLASSES}
        return {TOGETHER: named["new"] | named["continuing"]} | named


@dataclass(frozen=True)
class _Scored:
    """One score on the rows. It is sorted once, and summed once for all draws."""

    rows: _Rows
    score: Floats
    k: int

    @cached_property
    def ranking(self) -> Ranking:
        return Ranking.of(self.score, self.rows.is_fraud)

    @cached_property
    def as_is(self) -> Steps:
        return self.ranking.steps()

    @cached_property
    def drawn(self) -> Steps:
        return self.ranking.steps(self.rows.times)

    def method(self, name: str, against: _Scored, probability: bool, costs: Costs) -> Method:
        rows, chance = self.rows, {rate: alerted(self.score, rate) for rate in RATES}
        bins = calibration(self.score, rows.is_fraud) if probability else ()
        pr_auc, of_other = (
            (each.as_is.average_precision(), each.drawn.average_precision()) for each in (self, against)
        )
        return Method(
            name=name,
            pr_auc=Estimate.of(float(pr_auc[0][0]), pr_auc[1]),
            lift=Estimate.of(float(ratio(pr_auc[0], of_other[0])[0]), ratio(pr_auc[1], of_other[1])),
            roc_auc=Estimate.by(Steps.roc_auc, self.as_is, self.drawn),
            brier=brier(self.score, rows.is_fraud) if probability else np.nan,
            ece=ece(bins),
            calibration=bins,
            at_k=self._at_k(),
            at_rates=tuple(self._at_rate(rate, chance[rate]) for rate in RATES),
            curve=self._curve(),
            months=tuple(self._month(str(each), chance[HEADLINE]) for each in np.unique(rows.month)),
            classes=tuple(self._class(each, own, chance[HEADLINE]) for each, own in rows.classes().items()),
            look_alikes=look_alikes(chance[HEADLINE], rows.is_fraud, rows.benign_kind),
            money=tuple(balance(chance[rate], rows.is_fraud, rows.amount, costs) for rate in RATES),
            sensitivity=sensitivity(chance[HEADLINE], rows.is_fraud, rows.amount, costs),
        )

    def _at_k(self) -> AtK:
        ranking = Ranking.of(self.score, self.rows.is_fraud, self.rows.day)
        as_is, drawn = ranking.steps(), ranking.steps(self.rows.times)
        precision = Estimate.by(lambda steps: steps.daily_precision(self.k), as_is, drawn)
        lift = ratio(precision.value * len(self.score), self.rows.is_fraud.sum())
        return AtK(self.k, precision, float(as_is.daily_ceiling(self.k)[0]), float(lift))

    def _at_rate(self, rate: float, chance: Floats) -> AtRate:
        fraud, money = self.rows.is_fraud, self.rows.amount
        by_count = Estimate.by(lambda steps: steps.recall(rate), self.as_is, self.drawn)
        value, drawn = (
            steps.recall(rate, self.ranking.of_fraud(money, times))
            for steps, times in ((self.as_is, None), (self.drawn, self.rows.times))
        )
        ceiling, amount_ceiling = recall_ceilings(fraud, money, rate)
        precision = float(ratio(chance[fraud].sum(), chance.sum()))
        return AtRate(
            rate=rate,
            recall=by_count,
            ceiling=ceiling,
            amount_recall=Estimate.of(float(value[0]), drawn),
            amount_ceiling=amount_ceiling,
            precision=precision,
            false_per_hit=false_positives_per_hit(chance, fraud),
        )

    def _curve(self) -> Curve:
        recall = np.array([float(self.as_is.recall(rate)[0]) for rate in CURVE_RATES])
        precision = ratio(recall * self.rows.is_fraud.sum(), CURVE_RATES * len(self.score))
        return Curve(tuple(CURVE_RATES.tolist()), tuple(recall.tolist()), tuple(precision.tolist()))

    def _month(self, month: str, chance: Floats) -> Month:
        own = self.rows.month == month
        fraud = self.rows.is_fraud[own]
        recall = float(ratio(chance[own][fraud].sum(), fraud.sum()))
        return Month(month, int(own.sum()), int(fraud.sum()), average_precision(self.score[own], fraud), recall)

    def _class(self, name: str, own: Bools, chance: Floats) -> RingClass:
        as_is = replace(self.as_is, fraud=self.ranking.of_fraud(own))
        drawn = replace(self.drawn, fraud=self.ranking.of_fraud(own, self.rows.times))
        times = self.rows.times[:, own]
        return RingClass(
            name=name,
            frauds=int(own.sum()),
            rings=self.rows.rings(own),
            pr_auc=Estimate.by(Steps.average_precision, as_is, drawn),
            recall=Estimate.of(
                float(ratio(chance[own].sum(), own.sum())), ratio(times @ chance[own], times.sum(axis=1))
            ),
        )
