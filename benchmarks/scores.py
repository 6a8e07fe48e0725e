"""Every way of scoring on the same test months, in several worlds, against the truth (domain.md §5).

python -m benchmarks.scores --work bench/worlds --out bench/scores [--worlds default clever] [--seeds 7 8] [--rolling]
python -m benchmarks.scores --folders bench/worlds/default-7 bench/worlds/default-8 --out bench/scores

A world is a portfolio of 60,000 applications in a year, as in `benchmarks.rings`. All is trained on what was known at
the cut, by default the beginning of the tenth month; whoever applied later is scored as of their own submission, and
judged by the truth. Portfolios of one world are pooled: one of them has a dozen rings in its test months.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.loaded import loaded
from benchmarks.rings import DRAWS, WORLDS
from gnn.comparing import (
    COUNTS,
    COUNTS_HINDSIGHT,
    FUSION,
    GRAPH,
    MAIN,
    MAIN_GNN,
    METHODS,
    NO_GRAPH,
    NO_GRAPH_HINDSIGHT,
    PROBABILITIES,
    RULES,
    SHUFFLED,
    SLOW,
    compared,
)
from gnn.evaluation.comparison import evaluate_rows
from gnn.evaluation.lead import Lead, detection_lead, first_flags
from gnn.evaluation.monitor import psi
from gnn.evaluation.report import Evaluation, Header, Table, TopFeature, write_report
from gnn.evaluation.results import RowEvaluation
from gnn.evaluation.rows import BENIGN, alerted, average_precision
from gnn.features.catalogue import CATALOGUE
from gnn.rules import read_settings
from gnn.training import Prepared, Trained, prepare, train
from graph.records import CHINA, Ints
from graph.snapshot import Snapshot, open_snapshot
from graph.stores import open_store

CALIBRATED = "seed_calibrated"
KINDS = ("default", CALIBRATED, *WORLDS)
SEEDS = DRAWS["development"] | {CALIBRATED: (7, 8, 9, 11)}
ALERTS = 0.01
MONTHS_BEFORE = 9
FOREVER = np.iinfo(np.int64).max - 1
Floats = npt.NDArray[np.float64]


class World:
    """A loaded portfolio and its truth. `name` is its kind and seed."""

    def __init__(self, folder: Path) -> None:
        self.name, self._folder = folder.name, folder
        self.kind = folder.name.rstrip("0123456789").rstrip("-")
        self.snapshot: Snapshot = open_snapshot(folder / "home" / "snapshot")
        nodes = self.snapshot.nodes["Application"]
        self.keys = nodes.table["key"].to_pylist()

    def prepared(self) -> Prepared:
        with open_store(f"sqlite:///{self._folder / 'home' / 'graph.sqlite'}") as store:
            return prepare(self.snapshot, {kind: store.events(kind) for kind in store.event_kinds()})

    def truth(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self._folder / "truth" / f"{name}.csv", dtype=str)

    @cached_property
    def applications(self) -> pd.DataFrame:
        """One row per application of the snapshot: what `evaluate_rows` reads, and when it was approved and paid."""
        nodes = self.snapshot.nodes["Application"]
        members = self.truth("truth_members").drop_duplicates("application_id").set_index("application_id")
        members = members.reindex(self.keys).reset_index()
        fraud = (members["is_fraud"] == "1").to_numpy()
        ring = members["ring_id"].where(fraud)
        submitted = pd.Series(_times(nodes.times("submitted_at", as_of=FOREVER)))
        decided = nodes.times("decided_at", as_of=FOREVER)
        approved = np.where((nodes.table["decision"].to_pandas() == "approve").to_numpy(), decided, 0)
        return pd.DataFrame({
            "application_id": self.keys, "submitted_at": submitted, "amount": nodes.numbers("amount"),
            "is_fraud": fraud, "ring": self.name + "/" + ring, "ring_id": ring,
            "benign_kind": members["benign_kind"], "month": submitted.dt.strftime("%Y-%m"),
            "approved_at": _times(approved), "funded_at": _times(nodes.times("funded_at", as_of=FOREVER)),
        })  # fmt: skip

    def classed(self, until: int) -> pd.DataFrame:
        """With the class of each ring: recidivist by its controller, else new if nobody of it came before the cut."""
        rows = self.applications
        first = rows.groupby("ring_id")["submitted_at"].min()
        rings = self.truth("truth_rings").set_index("ring_id")
        again = set(rings.index[rings["recidivist_of"].notna()])
        named = {
            ring: "recidivist" if ring in again else "continuing" if when < _times(np.array([until]))[0] else "new"
            for ring, when in first.items()
        }
        return rows.assign(ring_class=rows["ring_id"].map(named))

    def cut(self) -> int:
        """Midnight in China at the beginning of the tenth month."""
        start = self.applications["submitted_at"].min().tz_localize(None).to_period("M") + MONTHS_BEFORE
        return _midnight(start)


@dataclass(frozen=True)
class Measured:
    """One world at one cut: its test rows and the scores of all methods."""

    world: str
    frame: pd.DataFrame
    scores: Mapping[str, Floats]
    trained: Trained
    features: Sequence[TopFeature]
    stability: Mapping[str, float]


def measured(world: World, *, until: int, methods: Sequence[str], threads: int = 1, seed: int = 7) -> Measured:
    ready = world.prepared()
    rows = np.flatnonzero(ready.book.submitted >= until)
    trained = train(ready, until=until, settings=read_settings(), seed=seed, threads=threads)
    scores = compared(
        ready, trained, until=until, rows=rows, methods=tuple(methods), seed=seed, threads=threads,
        progress=lambda name, *_: print(f"  {world.name}: {name}", flush=True),
    )  # fmt: skip
    before = np.flatnonzero(ready.book.as_of <= until)
    top = _top_features(ready, trained, rows)
    moved = {
        each.name: psi(*(ready.seen[each.name][part].astype(np.float64) for part in (before, rows))) for each in top
    }
    return Measured(world.name, world.classed(until).iloc[rows], scores, trained, top, moved)


def rolling(world: World, *, first: int, threads: int = 1, seed: int = 7) -> list[dict[str, object]]:
    """Retrained at the beginning of each month from `first` on, and asked for that month alone."""
    ready, rows = world.prepared(), []
    frame = world.applications
    for month in sorted(frame["month"][ready.book.submitted >= first].unique()):
        until = _midnight(pd.Period(month))
        test = np.flatnonzero((frame["month"] == month).to_numpy() & (ready.book.submitted >= until))
        trained = train(ready, until=until, settings=read_settings(), seed=seed, threads=threads)
        told = trained.scorer.score(ready.seen, ready.book, test, ready.rule_columns)
        fraud = frame["is_fraud"].to_numpy()[test]
        caught = float(alerted(told.score, ALERTS)[fraud].sum() / max(fraud.sum(), 1))
        rows.append({
            "world": world.name, "month": month, "applications": len(test), "frauds": int(fraud.sum()),
            "pr_auc": average_precision(told.score, fraud), "recall": caught,
        })  # fmt: skip
        print(f"  {world.name} {month}: PR-AUC {rows[-1]['pr_auc']:.3f}, recall at 1 % {caught:.2f}", flush=True)
    return rows


def _top_features(ready: Prepared, trained: Trained, rows: Ints, most: int = 20) -> list[TopFeature]:
    """By mean size of contribution among the alerts, as the share of all."""
    scorer = trained.scorer
    if scorer.main is None:
        return []
    x = ready.seen.only(scorer.names)[rows]
    x = x[np.argsort(-scorer.main.score(x))[: max(1, int(ALERTS * len(rows)))]]
    size = np.abs(scorer.main.contributions(x)[:, :-1]).mean(axis=0)
    best = np.argsort(-size)[:most]
    return [TopFeature(scorer.names[at], float(size[at] / size.sum()), CATALOGUE[scorer.names[at]].en) for at in best]


# Pooled ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pool:
    """All portfolios of one kind of world."""

    kind: str
    parts: Sequence[Measured]

    @cached_property
    def methods(self) -> list[str]:
        """Those that every portfolio has."""
        return [name for name in METHODS if all(name in each.scores for each in self.parts)]

    @cached_property
    def frame(self) -> pd.DataFrame:
        return pd.concat([each.frame for each in self.parts], ignore_index=True)

    @cached_property
    def scores(self) -> dict[str, Floats]:
        return {name: np.concatenate([each.scores[name] for each in self.parts]) for name in self.methods}

    @cached_property
    def rows(self) -> RowEvaluation:
        against = NO_GRAPH if NO_GRAPH in self.methods else RULES
        return evaluate_rows(
            self.frame,
            self.scores,
            against=against,
            main=FUSION if FUSION in self.methods else RULES,
            probabilities=[name for name in PROBABILITIES if name in self.methods],
            per_day=None,
        )

    def alone(self, name: str) -> Floats:
        """PR-AUC of each portfolio by itself."""
        return np.array(
            [average_precision(each.scores[name], each.frame["is_fraud"].to_numpy()) for each in self.parts]
        )

    def lead(self) -> dict[str, Lead]:
        """By alerts of 1 %: a ring is flagged with the first alert on one of its members that came after the cut."""
        if FUSION not in self.methods:
            return {}
        flagged = self.frame[alerted(self.scores[FUSION], ALERTS) >= 0.5]
        flags = flagged[["application_id"]].assign(flagged_at=flagged["submitted_at"])
        night = flags.assign(flagged_at=flags["flagged_at"].dt.ceil("D"))
        members = self.frame[self.frame["ring_class"] == "new"]
        return {
            name: detection_lead(members, first_flags(members, each))
            for name, each in (("new rings, as applications arrive", flags), ("new rings, the night after", night))
        }


def evaluation(pool: Pool, months: Sequence[Mapping[str, object]] = ()) -> Evaluation:
    names = ", ".join(each.world for each in pool.parts)
    notes = [f"{each.world}: {note}" for each in pool.parts for note in each.trained.notes]
    admitted = [f"{each.world}: {', '.join(each.trained.scorer.fusion.weights) or 'nothing'}" for each in pool.parts]
    cut = pool.frame["submitted_at"].min().strftime("%-d %B %Y")
    return Evaluation(
        Header(
            f"Scores: {pool.kind}",
            f"{len(pool.parts)} portfolios ({names}), applications from {cut} on",
            f"{cut}, 00:00 in China",
            "the truth of the generator: every fraud counts, found or not",
            rules=(
                "Trained on applications and labels known at the cut; who is not labelled yet is not taken as honest.",
                "Features of an application use what was known a minute after it became known, labels included.",
                "Fusion, calibration and threshold are fitted on the last two months before the cut.",
            ),
            facts=(("Fusion admitted", "; ".join(admitted)), ("Notes", "; ".join(notes))),
        ),
        pool.rows,
        lead=pool.lead(),
        ablations=[_layers(pool), _hindsight(pool), _spread(pool), *([_by_month(months)] if months else [])],
        edge_shuffle=_figures(pool, (MAIN, SHUFFLED, COUNTS_HINDSIGHT), "Who is linked, or how often") or None,
        features=pool.parts[0].features,
        stability=pool.parts[0].stability,
    )


def _figures(pool: Pool, names: Iterable[str], title: str, note: str = "") -> Table:
    rows = [pool.rows.method(name) for name in names if name in pool.methods]
    return Table(
        ["", "PR-AUC", "lift over no graph", "recall at 1 %"],
        [[each.name, each.pr_auc, each.lift, each.at_rates[1].recall] for each in rows],
        title=title,
        note=note,
    )


def _layers(pool: Pool) -> Table:
    layers = (RULES, NO_GRAPH_HINDSIGHT, COUNTS_HINDSIGHT, MAIN, MAIN_GNN, FUSION)
    note = "Trees of the same settings and the same targets. `main + GNN` adds log-odds one to one, paying or not."
    return _figures(pool, layers, "Rules, graph features, graph network", note)


def _hindsight(pool: Pool) -> Table:
    pairs = (NO_GRAPH, NO_GRAPH_HINDSIGHT, COUNTS, COUNTS_HINDSIGHT, GRAPH, MAIN)
    return _figures(pool, pairs, "Observed labels, or targets from hindsight", "Hindsight looks at the graph.")


def _spread(pool: Pool) -> Table:
    rows = [
        [name, float(own.mean()), float(own.std()), float(own.min())]
        for name in pool.methods
        for own in (pool.alone(name),)
    ]
    return Table(["", "mean", "sd", "worst"], rows, title="PR-AUC of each portfolio by itself")


def _by_month(months: Sequence[Mapping[str, object]]) -> Table:
    heads = ["world", "month", "applications", "frauds", "PR-AUC", "recall at 1 %"]
    found = pd.DataFrame([*months])
    note = f"PR-AUC: mean {found['pr_auc'].mean():.3f}, worst month {found['pr_auc'].min():.3f}."
    return Table(heads, [list(each.values()) for each in months], title="Retrained each month", note=note)  # type: ignore[arg-type]


# Printed -----------------------------------------------------------------------------------------------


def markdown(pools: Sequence[Pool]) -> str:
    """The tables of benchmarks/README.md: a row per method, a column per world, and what the headline hides."""
    lines = ["PR-AUC, pooled test months (95 % interval, whole rings drawn):", ""]
    lines += [f"| | {' | '.join(f'{pool.kind} ({len(pool.parts)})' for pool in pools)} |"]
    lines += [f"|---|{'--:|' * len(pools)}"]
    for name in METHODS:
        cells = [_pr_auc(pool, name) for pool in pools]
        if any(cell != "–" for cell in cells):
            lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", "| fusion | " + " | ".join(pool.kind for pool in pools) + " |", f"|---|{'--:|' * len(pools)}"]
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in _headlines(pools)]
    return "\n".join(lines)


def _pr_auc(pool: Pool, name: str) -> str:
    if name not in pool.methods:
        return "–"
    found = pool.rows.method(name).pr_auc
    return f"{found.value:.3f} ({found.low:.3f}–{found.high:.3f})"


def _headlines(pools: Sequence[Pool]) -> list[tuple[str, list[str]]]:
    mains = [pool.rows.method(pool.rows.main) for pool in pools]
    lines = [
        ("test rows, fraud", [f"{pool.rows.applications:,}, {pool.rows.frauds}" for pool in pools]),
        ("PR-AUC to XGBoost, no graph", [f"{each.lift.value:.1f} ×" for each in mains]),
        ("ROC-AUC", [f"{each.roc_auc.value:.3f}" for each in mains]),
        ("ECE", [f"{each.ece:.2%}" for each in mains]),
    ]
    for at, rate in enumerate(each.rate for each in mains[0].at_rates):
        told = [f"{one.at_rates[at].recall.value:.2f} of {one.at_rates[at].ceiling:.2f}" for one in mains]
        lines.append((f"recall at {rate:.1%}, of at most", told))
    told = [f"{each.at_k.precision.value:.2f} of {each.at_k.ceiling:.2f} (K {each.at_k.k})" for each in mains]
    lines.append(("precision of the K highest a day, of at most", told))
    for at, part in enumerate(mains[0].classes):
        told = [f"{one.classes[at].recall.value:.2f} ({one.classes[at].rings} rings)" for one in mains]
        lines.append((f"recall at 1 %: {part.name or 'outside rings'}", told))
    lines.append(("PR-AUC, worst month", [f"{min(each.pr_auc for each in one.months):.3f}" for one in mains]))
    for kind in ("B05", "B01"):
        told = [f"{sum(each.share for each in one.look_alikes if each.kind == kind):.0%}" for one in mains]
        lines.append((f"of the false alarms at 1 %: {BENIGN[kind]}", told))
    return lines


# All of them -------------------------------------------------------------------------------------------


def folders(work: Path, kinds: Sequence[str], seeds: Sequence[int]) -> list[Path]:
    """Those of these worlds; made where they are not there."""
    return [
        loaded(
            work / f"{kind}-{seed}",
            preset="small",
            seed=seed,
            parameters=WORLDS.get(kind),
            mode=CALIBRATED if kind == CALIBRATED else "default",
        )
        for kind in kinds
        for seed in seeds or SEEDS[kind]
    ]


def pooled(
    found: Sequence[Path], out: Path, *, methods: Sequence[str] = METHODS, roll: bool = False, threads: int = 1
) -> list[Pool]:
    """Measures all portfolios and writes a page and a JSON file per kind of world into `out`."""
    parts: dict[str, list[Measured]] = {}
    months: dict[str, list[dict[str, object]]] = {}
    for folder in found:
        world = World(folder)
        print(f"{world.name}:", flush=True)
        parts.setdefault(world.kind, []).append(measured(world, until=world.cut(), methods=methods, threads=threads))
        if roll:
            months.setdefault(world.kind, []).extend(rolling(world, first=world.cut(), threads=threads))
    pools = [Pool(kind, each) for kind, each in parts.items()]
    for pool in pools:
        write_report(evaluation(pool, months.get(pool.kind, ())), out / pool.kind)
    (out / "pr_auc.json").write_text(
        json.dumps({pool.kind: {name: pool.alone(name).tolist() for name in pool.methods} for pool in pools}, indent=1)
    )
    return pools


def _times(millis: Ints) -> pd.DatetimeIndex:
    """In China's time; 0 is never."""
    return pd.to_datetime(pd.Series(millis).where(lambda each: each > 0), unit="ms", utc=True).dt.tz_convert(
        "Asia/Shanghai"
    )  # type: ignore[return-value]


def _midnight(month: pd.Period) -> int:
    return round(month.to_timestamp().timestamp()) * 1000 - CHINA


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("bench"), help="folder of the portfolios (default bench)")
    parser.add_argument("--out", type=Path, default=Path("bench/scores"), help="where pages go (default bench/scores)")
    parser.add_argument("--worlds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[], help="default: those of each world's development")
    parser.add_argument("--folders", nargs="+", type=Path, help="loaded portfolios, instead of worlds and seeds")
    parser.add_argument("--fast", action="store_true", help="without graph network and shuffled edges")
    parser.add_argument("--rolling", action="store_true", help="retrain each month as well: three more trainings each")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(arguments)
    methods = [name for name in METHODS if not (given.fast and name in SLOW)]
    found = given.folders or folders(given.work, given.worlds, given.seeds)
    print(markdown(pooled(found, given.out, methods=methods, roll=given.rolling, threads=given.threads)))


if __name__ == "__main__":
    main()
