"""The figures of benchmarks/README.md, measured anew: `python -m benchmarks.run`, or `make bench`.

Each benchmark prints one line per figure. Timings of this machine are noisy, so every one that has a peer is
measured beside it in the same run, and the ratio is what to compare.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from benchmarks import reference, ring_speed, ring_tables, rings, scores, service, tolokers
from benchmarks.ring_metrics import match_rings, member_rates, planted, ring_recall
from graph import snapshot
from graph.ontology import EDGES
from graph.records import NodeRef
from graph.store import GraphStore
from graph.stores import open_store
from graph.traverse import ego
from loaders.portfolio import generate

CORE = ("applications", "applicants", "addresses", "employers", "vehicles", "dealers", "salespeople")
"""About 1.2 million nodes and 1.5 million relations for 200,000 applications."""

WIDE = (*CORE, "device_events", "phones", "contacts")
LATE = datetime(2035, 1, 1, tzinfo=UTC)
DAILY = 10_000
REPORT_DAYS = (275, 365)
LOOKUPS = 2_000


@dataclass
class Bench:
    """Where the data of this run lies, and what was measured so far."""

    work: Path
    size: int
    figures: list[dict[str, Any]] = field(default_factory=list)

    def say(self, name: str, value: float, unit: str, **more: Any) -> None:
        self.figures.append({"figure": name, "value": round(value, 3), "unit": unit, **more})
        notes = "  ".join(f"{key}={each}" for key, each in more.items())
        print(f"{name:<48} {value:>10,.{2 if unit else 3}f} {unit:<6} {notes}", flush=True)

    def made(self, applications: int, seed: int) -> Path:
        """Generated once; what lies there from an earlier run with the same size is used again."""
        folder = self.work / f"portfolio-{applications}-{seed}"
        if not (folder / "portfolio.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            preset, months = ("medium", 18) if applications > 2 * DAILY else ("load", 1)
            overrides = self.work / "parameters.yaml"
            overrides.write_text(json.dumps({"presets": {preset: {"applications": applications, "months": months}}}))
            begin = time.perf_counter()
            generate(folder, preset=preset, seed=seed, parameters=overrides)
            self.say(f"generate {applications:,} applications", time.perf_counter() - begin, "s")
        return folder

    def tables(self, applications: int, seed: int, names: Sequence[str]) -> Path:
        """A folder with some of the tables."""
        source = self.made(applications, seed) / "input"
        folder = self.work / f"tables-{applications}-{seed}-{len(names)}"
        folder.mkdir(exist_ok=True)
        for name in names:
            link = folder / f"{name}.csv"
            link.unlink(missing_ok=True)
            link.symlink_to(source / link.name)
        return folder

    def home(self, name: str) -> Path:
        return self.work / f"home-{name}"


# The portfolio -----------------------------------------------------------------------------------------


def portfolio(bench: Bench) -> None:
    """How long one takes to make, and that naive methods fail on it while a careful one does not (domain.md §4.8)."""
    folder = bench.work / "small"
    shutil.rmtree(folder, ignore_errors=True)
    seconds = timed(lambda: generate(folder, preset="small", seed=7))
    bench.say("generate small, 60,000 applications", seconds, "s")
    read = reference.read_portfolio(folder / "input")
    truth = pd.read_csv(folder / "truth" / "truth_members.csv", dtype=str)
    fraud = set(truth.loc[truth["is_fraud"] == "1", "application_id"])
    for method in ("A", "B", "C", "D", "E", "F", "G"):
        make = reference.naive if method in reference.NAIVE else reference.capped
        clusters = make(read, method)
        precision, recall = member_rates(clusters, fraud)
        largest = clusters.groupby("cluster").size().max()
        bench.say(f"method {method}: precision of members", precision, "", recall=f"{recall:.2f}", largest=largest)
    for day in REPORT_DAYS:
        until = read.applications["moment"].min().normalize() + day * reference.DAY
        since = until - reference.WINDOW * reference.DAY
        clusters = reference.infrastructure_pruned(read, as_of=until)
        found = match_rings(
            clusters, planted(truth, since=since.tz_localize("Asia/Shanghai"), until=until.tz_localize("Asia/Shanghai"))
        )
        flagged = len(clusters) / read.applications["moment"].between(since, until).sum()
        bench.say(f"method H, day {day}: share of rings found", ring_recall(found).share, "", flagged=f"{flagged:.1%}")


# Loads -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    seconds: float
    peak_gb: float
    report: dict[str, Any]


def ringroad_load(home: Path, folder: Path, store: str | None = None) -> Ran:
    """The command as a user runs it. Peak memory is that of all its processes together."""
    command = [str(Path(sys.executable).with_name("ringroad")), "load", str(folder), "--json"]
    environ = os.environ | {"RINGROAD_HOME": str(home)} | ({"RINGROAD_STORE": store} if store else {})
    begin, peak = time.perf_counter(), 0.0
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, env=environ)
        while process.poll() is None:
            peak = max(peak, sum(map(_resident, _family(process.pid))))
            time.sleep(0.1)
        seconds = time.perf_counter() - begin
        out.seek(0)
        if process.returncode:
            raise SystemExit(f"the load of {folder} failed")
        return Ran(seconds, peak, json.load(out))


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in children:
        yield from _family(int(child))


def _resident(pid: int) -> float:
    """Gigabytes of its own; pages of mapped files, which the system may drop, are not counted."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon", "RssShmem"))) / 1e6


def load_sqlite(bench: Bench) -> None:
    for name, tables in (("core", CORE), ("wide", WIDE)):
        folder = bench.tables(bench.size, 7, tables)
        home = fresh(bench.home(name))
        ran = ringroad_load(home, folder)
        with store_of(home) as store:
            size = store.size()
        facts = f"{sum(size.nodes.values()):,} nodes, {sum(size.edges.values()):,} relations"
        bench.say(f"load, SQLite, {len(tables)} tables", ran.seconds, "s", loaded=facts)
        bench.say(f"load, SQLite, {len(tables)} tables: peak memory", ran.peak_gb, "GB")
        if name == "core":
            begin = time.perf_counter()
            networkx_graph(folder)
            seconds = time.perf_counter() - begin
            bench.say("the same tables, pandas to networkx", seconds, "s", ratio=round(ran.seconds / seconds, 2))


def networkx_graph(folder: Path) -> nx.Graph[Any]:
    """The peer: the same relations in memory, without checks, tokens, sealing, times or a disk."""
    graph: nx.Graph[Any] = nx.Graph()
    ends = {
        "applications": ["applicant_id", "vehicle_id", "dealer_id", "salesperson_id"],
        "applicants": ["primary_phone", "home_address_id", "employer_id", "employer_phone"],
        "vehicles": ["vin", "plate"],
        "salespeople": ["dealer_id"],
    }
    for table, columns in ends.items():
        rows = pd.read_csv(folder / f"{table}.csv", dtype=str)
        key = rows.columns[0]
        for column in columns:
            if column in rows:
                pairs = rows[[key, column]].dropna()
                graph.add_edges_from(zip(pairs[key], column + ":" + pairs[column], strict=True))
    return graph


def load_again(bench: Bench) -> None:
    """The daily file on top of the portfolio, and the portfolio once more."""
    home = bench.home("core")
    before = size_of(home)
    daily = ringroad_load(home, bench.tables(DAILY, 8, CORE))
    bench.say(f"load {DAILY:,} new applications onto {bench.size:,}", daily.seconds, "s")
    grown = size_of(home)
    if grown == before:
        raise SystemExit("the daily file added nothing: that is no measurement")
    again = ringroad_load(home, bench.tables(bench.size, 7, CORE))
    if size_of(home) != grown or again.report["batches"]:
        raise SystemExit("the same file again changed the graph")
    bench.say("the same file again, nothing changed", again.seconds, "s")


# Reads -------------------------------------------------------------------------------------------------


def neighbourhoods(bench: Bench) -> None:
    with store_of(bench.home("wide")) as store:
        ego_times(bench, "SQLite", store)
        peer, keys = relations(store), sample(store)[:200]
    times = [timed(partial(nx.ego_graph, peer, key.id, radius=2)) * 1e3 for key in keys]
    p50, p95 = np.percentile(times, [50, 95])
    bench.say("2 hops, networkx in memory, no cap, no time: p95", p95, "ms", p50=f"{p50:.2f} ms")


def relations(store: GraphStore) -> nx.Graph[Any]:
    graph: nx.Graph[Any] = nx.Graph()
    for relation in EDGES:
        for table in store.export_edges(relation):
            graph.add_edges_from(zip(table["source"].to_pylist(), table["target"].to_pylist(), strict=True))
    return graph


def ego_times(bench: Bench, name: str, store: GraphStore) -> None:
    keys = sample(store)
    for what, cap in (("50 nodes in all", 50), ("50 links of each node", None)):
        for key in keys[:200]:
            ego(store, key, as_of=LATE, hops=2, limit=50, cap=cap)
        times, nodes = [], []
        for key in keys:
            begin = time.perf_counter()
            found = ego(store, key, as_of=LATE, hops=2, limit=50, cap=cap)
            times.append((time.perf_counter() - begin) * 1e3)
            nodes.append(len(found.nodes))
        p50, p95 = np.percentile(times, [50, 95])
        more = {"p50": f"{p50:.2f} ms", "nodes": f"{np.median(nodes):.0f} (p95 {np.percentile(nodes, 95):.0f})"}
        bench.say(f"2 hops, {what}, {name}: p95", p95, "ms", **more)


def sample(store: GraphStore) -> list[NodeRef]:
    keys = [key for table in store.export_nodes("Application") for key in table["key"].to_pylist()]
    chosen = np.random.default_rng(7).choice(len(keys), min(LOOKUPS, len(keys)), replace=False)
    return [NodeRef("Application", keys[at]) for at in chosen.tolist()]


def snapshots(bench: Bench) -> None:
    for name in ("core", "wide"):
        folder = fresh(bench.work / "snapshot")
        with store_of(bench.home(name)) as store:
            size = store.size()
            begin = time.perf_counter()
            snapshot.save(snapshot.build(store, as_of=LATE), folder / "now")
            seconds = time.perf_counter() - begin
            facts = f"{sum(size.nodes.values()):,} nodes, {sum(size.edges.values()):,} relations"
            bench.say(f"snapshot built and saved, {name} tables", seconds, "s", of=facts)
            begin = time.perf_counter()
            relations(store)
            other = time.perf_counter() - begin
        bench.say("the same relations into networkx", other, "s", ratio=round(seconds / other, 2))
        opened = [timed(partial(snapshot.open_snapshot, folder / "now")) for _ in range(5)]
        bench.say("snapshot reopened", float(np.median(opened)), "s")


# Rings -------------------------------------------------------------------------------------------------


def ring_quality(bench: Bench) -> None:
    """Twelve worlds of 60,000 applications, with the peers; a quarter of an hour when all have to be made."""
    found = rings.quality(bench.work)
    print(ring_tables.markdown(found))
    for name, value, facts in ring_tables.figures(found):
        bench.say(name, value, "", **facts)


def rings_at_size(bench: Bench) -> None:
    """At 100,000 applications, and with --size 1000000 at a million as well."""
    sizes = [size for size in ring_speed.SIZES if size <= max(bench.size, min(ring_speed.SIZES))]
    ring_speed.speed(bench.work, sizes, bench.say)


# Scores ------------------------------------------------------------------------------------------------


def public_graph(bench: Bench) -> None:
    """Ten official splits of a public graph; ten minutes on one idle core."""
    for model, found in tolokers.measure().items():
        for figure, mean, spread in zip(tolokers.FIGURES, found.mean(axis=0), found.std(axis=0), strict=True):
            bench.say(f"{model}: {figure}", mean, "", sd=f"{spread:.2f}")


def score_quality(bench: Bench) -> None:
    """All ways of scoring in all worlds of development, with pages under scores/; it takes hours."""
    pools = scores.pooled(scores.folders(bench.work, scores.KINDS, ()), bench.work / "scores")
    print(scores.markdown(pools))
    for pool in pools:
        for name in pool.methods:
            found = pool.rows.method(name)
            interval = f"{found.pr_auc.low:.3f}–{found.pr_auc.high:.3f}"
            bench.say(f"PR-AUC, {pool.kind}: {name}", found.pr_auc.value, "", interval=interval)


def score_service(bench: Bench) -> None:
    """Under load, with a model of its own; the home grows by what it is asked."""
    source = bench.made(bench.size, 7) / "input"
    service.run(service.prepared(bench.home("service"), source), source, bench.say)


# Neo4j -------------------------------------------------------------------------------------------------


def neo4j(bench: Bench) -> None:
    """A real server of our own, empty before and after; compared with SQLite in the same run."""
    with neo4j_server(bench) as url:
        folder = bench.tables(bench.size, 7, CORE)
        ours = ringroad_load(fresh(bench.home("beside")), folder)
        theirs = ringroad_load(fresh(bench.home("neo4j")), folder, url)
        bench.say("load, Neo4j, 7 tables", theirs.seconds, "s", ratio=round(theirs.seconds / ours.seconds, 2))
        with open_store(url, password=os.environ["RINGROAD_STORE_PASSWORD"]) as store:
            ego_times(bench, "Neo4j", store)


@contextmanager
def neo4j_server(bench: Bench) -> Iterator[str]:
    sys.path.insert(0, str(Path(__file__).parents[1] / "tools" / "neo4j"))
    import serve  # type: ignore[import-not-found] # noqa: PLC0415 - no package, and only needed here

    os.environ["RINGROAD_STORE_PASSWORD"] = "for-benchmarks-only"
    server = serve.start(fresh(bench.work / "neo4j"), password="for-benchmarks-only", heap="2g")
    try:
        yield server.url
    finally:
        server.stop()


# Shared ------------------------------------------------------------------------------------------------


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    return folder


def store_of(home: Path) -> GraphStore:
    return open_store(f"sqlite:///{home / 'graph.sqlite'}")


def size_of(home: Path) -> Any:
    with store_of(home) as store:
        return store.size()


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


BENCHMARKS = {
    "portfolio": portfolio,
    "load": load_sqlite,
    "again": load_again,
    "neighbourhoods": neighbourhoods,
    "snapshot": snapshots,
    "rings": ring_quality,
    "rings-speed": rings_at_size,
    "tolokers": public_graph,
    "scores": score_quality,
    "service": score_service,
    "neo4j": neo4j,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--size", type=int, default=200_000, help="applications (default 200,000)")
    parser.add_argument("--work", type=Path, default=Path("bench"), help="folder for data and stores (default bench)")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        parser.error(f"{', '.join(sorted(unknown))}: no such benchmark; there are {', '.join(BENCHMARKS)}")
    given.work.mkdir(parents=True, exist_ok=True)
    bench = Bench(given.work.resolve(), given.size)
    for name in given.names or BENCHMARKS:
        BENCHMARKS[name](bench)
    if given.json:
        given.json.write_text(json.dumps(bench.figures, indent=2, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
