"""What a backtest is judged by: the report page of domain.md §5, against the truth or against the labels so far."""
# ruff: noqa: PLC0415 - numba, XGBoost and matplotlib take seconds to import

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from graph.errors import InputError
from graph.records import DAY, from_millis
from workbench.render import CHINA

if TYPE_CHECKING:
    from gnn.evaluation.report import Evaluation
    from workbench.backtest import Backtest

MATURE_DAYS = 90
MAIN, RULES, NETWORK = "Ringroad, fused", "rules", "graph network"
NO_GRAPH, COUNTS = "XGBoost without graph", "XGBoost with plain counts"
NOTHING = "the labels known at the end of the data; applications younger than 90 days without one are left out"


@dataclass(frozen=True)
class Truth:
    """Per application of the snapshot. `is_fraud` is NaN where nobody can know yet; `said` tells where it is from."""

    frame: pd.DataFrame
    rings: pd.DataFrame
    said: str


def write(done: Backtest, out: Path, *, truth: Path | None) -> None:
    from gnn.evaluation.report import write_report

    write_report(assess(done, read_truth(truth, done) if truth else labels_so_far(done)), out)


def read_truth(folder: Path, done: Backtest) -> Truth:
    """From the truth files of a synthetic portfolio. Raises InputError when they are not there."""
    try:
        members = pd.read_csv(folder / "truth_members.csv", dtype=str).drop_duplicates("application_id")
        rings = pd.read_csv(folder / "truth_rings.csv", dtype=str)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder} holds no truth_members.csv and truth_rings.csv ({error}); leave --truth out"
        ) from None
    names = done.ready.snapshot.nodes["Application"].table["key"].to_pylist()
    frame = members.set_index("application_id").reindex(names)
    frame["is_fraud"] = (frame["is_fraud"] == "1").astype(float)
    return Truth(frame, rings.set_index("ring_id"), "the truth files of the synthetic portfolio")


def labels_so_far(done: Backtest) -> Truth:
    book = done.ready.book
    end = int(book.as_of.max())
    fraud, cleared = book.labels.known(end), book.labels.cleared_from <= end
    old = (end - book.submitted) / DAY >= MATURE_DAYS
    known = np.where(fraud, 1.0, np.where(cleared | old, 0.0, np.nan))
    names = done.ready.snapshot.nodes["Application"].table["key"].to_pylist()
    frame = pd.DataFrame({"is_fraud": known, "ring_id": None, "benign_kind": None}, index=names)
    return Truth(frame, pd.DataFrame(), NOTHING)


def assess(done: Backtest, truth: Truth) -> Evaluation:
    from gnn.evaluation.comparison import evaluate_rows
    from gnn.evaluation.report import Evaluation, Header

    methods = scores_by_method(done)
    frame = test_rows(done, truth)
    known = frame["is_fraud"].notna().to_numpy()
    judged = bool(known.any()) and bool(frame.loc[known, "is_fraud"].sum() > 0)
    rows = (
        evaluate_rows(
            frame, methods, against=NO_GRAPH if NO_GRAPH in methods else RULES, main=MAIN,
            probabilities=[name for name in (MAIN, NO_GRAPH) if name in methods],
        )
        if judged
        else None
    )  # fmt: skip
    day = from_millis(done.cut).astimezone(CHINA)
    return Evaluation(
        Header(
            f"Backtest from {day:%Y-%m-%d}", cut=f"{day:%Y-%m-%d}", truth=truth.said,
            data=f"{len(frame):,} applications after the cut, {len(done.ready.book):,} in all",
            rules=(
                "Every score uses only what was known when the application's file was there.",
                "Models learned from applications and labels known before the cut.",
                "Ring lists use what was known on their night.",
            ),
            facts=tuple((name, f"{value:.4g}") for name, value in done.trained.metrics.items()),
        ),
        rows=rows,
        rings=rings_found(done, truth),
        lead=lead_times(done, truth),
        features=top_features(done),
        stability=stability(done),
    )  # fmt: skip


def test_rows(done: Backtest, truth: Truth) -> pd.DataFrame:
    book = done.ready.book
    part = truth.frame.iloc[done.rows]
    moments = pd.to_datetime(book.submitted[done.rows], unit="ms", utc=True).tz_convert("Asia/Shanghai")
    return pd.DataFrame({
        "application_id": part.index.to_numpy(),
        "submitted_at": moments,
        "amount": np.nan_to_num(done.ready.seen["amount"][done.rows]).astype(float),
        "is_fraud": part["is_fraud"].to_numpy(dtype=float),
        "ring": part["ring_id"].fillna("").to_numpy(),
        "ring_class": part["ring_id"].map(ring_classes(done, truth)).fillna("").to_numpy(),
        "benign_kind": part["benign_kind"].fillna("").to_numpy(),
        "month": moments.strftime("%Y-%m"),
    })  # fmt: skip


def ring_classes(done: Backtest, truth: Truth) -> dict[str, str]:
    """new: nobody applied before the cut; recidivist: its controller ran one before; else continuing."""
    if not len(truth.rings):
        return {}
    before = set(truth.frame["ring_id"].iloc[np.flatnonzero(done.ready.book.submitted < done.cut)].dropna())
    again = truth.rings["recidivist_of"].notna()
    return {
        ring: "continuing" if ring in before else "recidivist" if again.get(ring, False) else "new"
        for ring in truth.rings.index
    }


def scores_by_method(done: Backtest) -> dict[str, Any]:
    from gnn.features.catalogue import count_names, no_graph_names
    from gnn.labels import as_labelled, observed
    from gnn.training import fit_main

    ready, trained, rows = done.ready, done.trained, done.rows
    told = trained.scorer.score(ready.seen, ready.book, rows, ready.rule_columns)
    methods = {
        "random": np.random.default_rng(0).random(len(rows)),
        "largest amount first": np.nan_to_num(ready.seen["amount"][rows]).astype(float),
        RULES: told.rules.points,
        "isolation forest": told.auxiliaries["isolation"],
    }
    if trained.targets is not None:
        plain = as_labelled(observed(ready.book, at=done.cut - 1))
        for method, columns in ((NO_GRAPH, no_graph_names()), (COUNTS, count_names())):
            for taught, targets in (("", plain), (", taught by hindsight", trained.targets)):
                model = fit_main(ready.seen, targets, columns, seed=0)
                methods[method + taught] = model.score(ready.seen.only(columns)[rows])
        methods["XGBoost, main model"] = told.main
    if "gnn" in told.auxiliaries:
        methods[NETWORK] = told.auxiliaries["gnn"]
    return methods | {MAIN: told.score}


def rings_found(done: Backtest, truth: Truth) -> Any:
    from gnn.evaluation.rings import evaluate_rings

    if not len(truth.rings):
        return None
    after = set(truth.frame.index[done.rows])
    planted = truth.frame["ring_id"].dropna()
    size = planted.index.isin(after)
    alive = planted[size].value_counts()
    shown = planted[planted.isin(alive[alive >= 3].index) & size]
    clusters = pd.DataFrame(
        [(name, ring.rank) for ring in done.rings for name in ring.application_ids if name in after],
        columns=["application_id", "cluster"],
    )
    return evaluate_rings(
        clusters,
        pd.DataFrame({"application_id": shown.index, "ring": shown.to_numpy()}),
        ring_class=ring_classes(done, truth),
        benign_kind={str(name): kind for name, kind in truth.frame["benign_kind"].dropna().items()},
        fraud=set(truth.frame.index[truth.frame["is_fraud"] == 1]),
    )


def lead_times(done: Backtest, truth: Truth) -> dict[str, Any]:
    """Of rings that began after the cut: what was approved before the first sign, by score or by nightly list."""
    from gnn.evaluation.lead import detection_lead, first_flags
    from workbench.backtest import first_flagged

    classes = ring_classes(done, truth)
    new = {ring for ring, kind in classes.items() if kind != "continuing"}
    planted = truth.frame["ring_id"][truth.frame["ring_id"].isin(new)]
    if not len(planted):
        return {}
    nodes = done.ready.snapshot.nodes["Application"]
    end = int(done.ready.book.as_of.max())
    place = pd.Series(np.arange(len(truth.frame)), index=truth.frame.index)[planted.index].to_numpy()
    approved = (nodes.table["decision"].to_pandas().to_numpy(dtype=object) == "approve")[place]
    members = pd.DataFrame({
        "application_id": planted.index,
        "ring": planted.to_numpy(),
        "submitted_at": _times(done.ready.book.submitted[place]),
        "approved_at": _times(np.where(approved, nodes.times("decided_at", as_of=end)[place], 0)),
        "funded_at": _times(nodes.times("funded_at", as_of=end)[place]),
        "amount": np.nan_to_num(done.ready.seen["amount"][place]).astype(float),
    })  # fmt: skip
    alerts = pd.DataFrame(
        [(one.application_id, pd.Timestamp(one.as_of)) for one in done.scored if one.decision != "pass"],
        columns=["application_id", "flagged_at"],
    )
    listed = pd.DataFrame(
        [(name, pd.Timestamp(night, unit="ms", tz="UTC")) for name, night in first_flagged(done).items()],
        columns=["application_id", "flagged_at"],
    )
    alerts["flagged_at"] = pd.to_datetime(alerts["flagged_at"], utc=True)
    listed["flagged_at"] = pd.to_datetime(listed["flagged_at"], utc=True)
    both = pd.concat([alerts, listed])
    return {
        "by score or ring list": detection_lead(members, first_flags(members, both)),
        "by score": detection_lead(members, first_flags(members, alerts)),
        "by ring list": detection_lead(members, first_flags(members, listed)),
    }


def _times(millis: Any) -> Any:
    return pd.to_datetime(pd.Series(millis).where(pd.Series(millis) > 0), unit="ms", utc=True)


def top_features(done: Backtest) -> list[Any]:
    from gnn.evaluation.report import TopFeature
    from gnn.features.catalogue import CATALOGUE

    main = done.trained.scorer.main
    if main is None:
        return []
    gain = pd.Series(main.booster_.get_score(importance_type="total_gain"), dtype=float)
    best = (gain / gain.sum()).nlargest(20)
    return [TopFeature(str(name), share, CATALOGUE[str(name)].en) for name, share in best.items()]


def stability(done: Backtest) -> dict[str, Any]:
    """How far the scores after the cut lie from those of the two months before it."""
    from gnn.evaluation.monitor import psi

    book = done.ready.book
    before = np.flatnonzero((book.submitted < done.cut) & (book.submitted >= done.cut - 60 * DAY))
    if not len(before):
        return {}
    told = done.trained.scorer.score(done.ready.seen, book, before, done.ready.rule_columns)
    return {"fused score": psi(told.score, np.array([one.score for one in done.scored]))}
