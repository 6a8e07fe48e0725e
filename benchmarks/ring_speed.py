"""How fast rings are found at two sizes, again around what is new, and with an employer of a hundred thousand.

`python -m benchmarks.rings speed`. Each measurement is a process of its own:
python -m benchmarks.ring_speed job|again|employer SNAPSHOT. Portfolios have 18 months, the window 120 days.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.loaded import loaded
from graph.candidates import Groups, candidates
from graph.communities import Links
from graph.records import DAY
from graph.rerun import rerun, run
from graph.rings import Ring, as_csv, find_rings
from graph.snapshot import COLUMNS, Snapshot, open_snapshot, sort_edges

SIZES = (100_000, 1_000_000)
SEED = 7
WINDOW_DAYS = 120
NEW_SHARE = 0.01
EMPLOYED = 108_000
Say = Callable[..., None]


def printed(name: str, value: float, unit: str, **more: Any) -> None:
    print(
        f"{name:<56} {value:>10,.2f} {unit:<5} " + "  ".join(f"{key}={each}" for key, each in more.items()), flush=True
    )


def speed(work: Path, sizes: Sequence[int], say: Say) -> None:
    """Portfolios lie under `work` as n100000/ …, or are made: a million applications take an hour and 25 GB."""
    seconds: dict[int, float] = {}
    for size in sizes:
        folder = _portfolio(work, size) / "home" / "snapshot"
        _measured("job", folder)  # compiles, and brings the files into memory
        job = min((_measured("job", folder) for _ in range(2)), key=lambda each: float(each["seconds"]))
        seconds[size] = job["seconds"]
        facts = {name: f"{job[name]:,}" for name in ("window", "links", "candidates", "rings")}
        say(f"ring job, {size:,} applications", job["seconds"], "s", at_work=f"{job['cpu']:.1f} s", **facts)
        say(f"ring job, {size:,} applications: peak memory", job["peak_gb"], "GB", mapped_files="included")
        for what, tell in (("again", _say_again), ("employer", _say_employer)):
            tell(say, size, _measured(what, folder))
    if len(seconds) > 1:
        small, large = min(seconds), max(seconds)
        say(f"ring job, {large:,} against {small:,}", seconds[large] / seconds[small], "x")


def _portfolio(work: Path, size: int) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    parameters = work / f"n{size}.yaml"
    parameters.write_text(json.dumps({"presets": {"medium": {"applications": size, "months": 18}}}))
    return loaded(work / f"n{size}", preset="medium", seed=SEED, parameters=parameters)


def _measured(what: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.ring_speed", what, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _say_again(say: Say, size: int, found: dict[str, Any]) -> None:
    say(f"rerun, last {NEW_SHARE:.0%} of {size:,}", found["rerun"], "s", ratio=f"{found['whole'] / found['rerun']:.1f}")
    for name in ("rerun and a whole run", "two whole runs, parties renumbered", "the run before and a whole run"):
        alike = found[name]
        more = {key: round(alike[key], 3) for key in ("same", "jaccard")} | {
            key: alike[key] for key in ("extra", "rings")
        }
        say(f"  {name}: ARI", alike["ari"], "", **more)


def _say_employer(say: Say, size: int, found: dict[str, Any]) -> None:
    name = f"ring job, {size:,}, an employer of {found['employed']:,}"
    say(name, found["with"], "s", ratio=f"{found['with'] / found['without']:.2f}")


# In a process of its own -------------------------------------------------------------------------------


def job(folder: Path) -> dict[str, Any]:
    """From the snapshot on disk to the text of rings.csv; seconds, of them at work, and gigabytes with mapped files."""
    begin, busy = time.perf_counter(), time.process_time()
    snapshot = open_snapshot(folder)
    found = find_rings(snapshot, as_of=_end(snapshot), window_days=WINDOW_DAYS)
    text = as_csv(found.rings)
    return {
        "seconds": time.perf_counter() - begin,
        "cpu": time.process_time() - busy,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9,
        "window": found.applications, "links": found.links, "candidates": found.candidates,
        "rings": text.count("\n") - 1,
    }  # fmt: skip


def again(folder: Path) -> dict[str, Any]:
    """The last hundredth of the applications is new since the run before. Seconds at work: other work disturbs less."""
    snapshot = open_snapshot(folder)
    known = np.sort(snapshot.nodes["Application"].known_at)
    before = run(snapshot, as_of=int(known[int(len(known) * (1 - NEW_SHARE)) - 1]), window_days=WINDOW_DAYS)
    rerun(before, snapshot, as_of=before.as_of + DAY // 24)
    begin = time.process_time()
    whole = run(snapshot, as_of=_end(snapshot), window_days=WINDOW_DAYS)
    middle = time.process_time()
    anew = rerun(before, snapshot, as_of=_end(snapshot))
    end = time.process_time()
    others = []
    for seed in (1, 2):
        with renumbered(seed):
            others.append(run(snapshot, as_of=_end(snapshot), window_days=WINDOW_DAYS))
    return {
        "whole": middle - begin,
        "rerun": end - middle,
        "rerun and a whole run": alike(anew.found.rings, whole.found.rings),
        "two whole runs, parties renumbered": alike(others[0].found.rings, others[1].found.rings),
        "the run before and a whole run": alike(before.found.rings, whole.found.rings),
    }


def alike(one: Sequence[Ring], other: Sequence[Ring]) -> dict[str, float]:
    """ARI over all that either lists, where whoever is not listed stands alone; shares of the rings of `other` that
    `one` lists with the same members, or with a Jaccard index above one half; `extra` rings of `one` are like none."""
    sets = [{frozenset(ring.application_ids) for ring in rings} for rings in (one, other)]
    names = [{each: number for number, own in enumerate(group) for each in own} for group in sets]
    every = sorted(names[0].keys() | names[1].keys())
    labels = [[name.get(each, -1 - place) for place, each in enumerate(every)] for name in names]
    most = max(len(sets[1]), 1)
    return {
        "ari": float(adjusted_rand_score(*labels)),
        "same": len(sets[0] & sets[1]) / most,
        "jaccard": _close(sets[1], sets[0]) / most,
        "extra": len(sets[0]) - _close(sets[0], sets[1]),
        "rings": len(sets[1]),
    }


def _close(mine: set[frozenset[str]], theirs: set[frozenset[str]]) -> int:
    """How many of mine have one of theirs above a Jaccard index of one half."""
    near = {each: own for own in theirs for each in own}
    return sum(any(len(own & near[each]) / len(own | near[each]) > 0.5 for each in own if each in near) for own in mine)


@contextmanager
def renumbered(seed: int) -> Iterator[None]:
    """Candidates are sought among parties in another order: communities depend on it a little."""

    def shuffled(links: Links, ties: Links) -> Groups:
        new = np.random.default_rng(seed).permutation(links.size)
        old = np.argsort(new)
        found = candidates(
            *(Links(each.size, new[each.first], new[each.second], each.weight) for each in (links, ties))
        )
        member = old[found.member]
        return Groups(found.start, member[np.lexsort((member, found.number))])

    with mock.patch("graph.rings.candidates", shuffled):
        yield


def employer(folder: Path) -> dict[str, Any]:
    """The same job in memory, without and with an employer of many, applicants of the window first. Seconds at work."""
    snapshot = open_snapshot(folder)
    crowded, employed = with_large_employer(snapshot)
    seconds = {}
    find_rings(snapshot, as_of=_end(snapshot), window_days=WINDOW_DAYS)
    for name, each in (("without", snapshot), ("with", crowded)):
        begin = time.process_time()
        as_csv(find_rings(each, as_of=_end(snapshot), window_days=WINDOW_DAYS).rings)
        seconds[name] = time.process_time() - begin
    return {**seconds, "employed": employed}


def with_large_employer(snapshot: Snapshot, most: int = EMPLOYED) -> tuple[Snapshot, int]:
    """The last `most` applicants work at the first employer as well, known when the person was; and how many do."""
    applied = snapshot.edges["APPLIED"]
    latest = np.argsort(-applied.known_at, kind="stable")
    _, first = np.unique(applied.source[latest], return_index=True)
    people = applied.source[latest][np.sort(first)][:most]
    base = snapshot.edges["WORKS_AT"]
    known = snapshot.nodes["Person"].known_at[people]
    new = {
        "source": people, "target": np.zeros(len(people), dtype=np.int64), "ref": np.full(len(people), -1),
        "event_time": known, "known_at": known, "valid_to": np.full(len(people), base.valid_to.max(initial=0)),
        "confidence": np.ones(len(people)),
    }  # fmt: skip
    rows = {name: np.concatenate([getattr(base, name), new[name]]) for name in COLUMNS}
    edges = sort_edges(rows, len(snapshot.nodes["Person"]), len(snapshot.nodes["Employer"]))
    return replace(snapshot, edges={**snapshot.edges, "WORKS_AT": edges}), len(people)


def _end(snapshot: Snapshot) -> int:
    return int(snapshot.nodes["Application"].known_at.max())


if __name__ == "__main__":
    measure = {"job": job, "again": again, "employer": employer}[sys.argv[1]]
    json.dump(measure(Path(sys.argv[2])), sys.stdout)
