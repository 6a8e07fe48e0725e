"""How fast the rings around a decision are found anew, and whether a whole run would find the same.

python -m benchmarks.rescoring --work bench/sizes [--sizes 60000 300000]
python -m benchmarks.rescoring --snapshot HOME/snapshot [--share 0.9]

Portfolios have 18 months, the window 120 days. Each of a run's rings gets one decision, of four kinds in turn: a member
is confirmed as fraud, a member is cleared, what one member shares is an innocent link, a shared thing is set aside.
Times are those of `Rescoring.after` in a process that has done it before, casebook and cases included; a whole run is
measured in the same process. In the end a whole run with all decisions says which rings are the same.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from benchmarks.ring_speed import WINDOW_DAYS, _portfolio, printed
from graph.counterfactual import clearing
from graph.incidence import in_window, near_is_source
from graph.ontology import EDGES
from graph.opinions import NOBODY_S, Innocent
from graph.overrides import Override
from graph.records import from_millis
from graph.rerun import run
from graph.settings import Settings
from graph.snapshot import Snapshot, open_snapshot
from workbench import lastrun, ringruns
from workbench.casebook import innocent, labels, opinions, runs
from workbench.lastrun import Decided, LastRun
from workbench.ringruns import RingRun
from workbench.services.feedback.rescoring import Rescored, Rescoring
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.rings import Rings

WHO = Person("benchmark", "Benchmark", Role.SENIOR)
LONG = timedelta(days=30)


class Still(Office):
    """Facts that nobody adds to: a snapshot without its store."""

    def __init__(self, settings: Settings, facts: Snapshot) -> None:
        super().__init__(settings)
        self.facts = facts

    def snapshot(self) -> Snapshot:
        return self.facts


class Took(NamedTuple):
    """Seconds by the clock, and of them at work: other work on the machine disturbs these less."""

    seconds: float
    work: float


@contextmanager
def office_of(facts: Snapshot, as_of: int) -> Iterator[tuple[Still, Took, int]]:
    """With a whole run, how long it took, and how many applications are in its window."""
    home = Path(tempfile.mkdtemp(prefix="rescoring-"))
    try:
        with closing(Still(Settings.read({"RINGROAD_HOME": str(home)}), facts)) as office:
            run(facts, as_of=as_of, window_days=WINDOW_DAYS)
            begin, busy = time.perf_counter(), time.process_time()
            made = run(facts, as_of=as_of, window_days=WINDOW_DAYS)
            took, now = Took(time.perf_counter() - begin, time.process_time() - busy), datetime.now(UTC)
            window = in_window(facts, as_of=as_of, window_days=WINDOW_DAYS)
            names = frozenset(facts.nodes["Application"].table["key"].filter(window).to_pylist())
            with office.casebook.writing() as db:
                about = runs.Run(from_millis(as_of), WINDOW_DAYS, now, 1, names)
                change = runs.record(db, made.found.rings, about, now=now)
            named = zip(made.found.rings, change.ring_ids, strict=True)
            found = replace(made.found, rings=[replace(ring, ring_id=name) for ring, name in named])
            ringruns._keep(office.settings, RingRun(from_millis(as_of), found, change), now)
            lastrun.save(office.settings, LastRun(made, "", (1, "", ""), Decided.by(NOBODY_S), len(names)))
            yield office, took, len(names)
    finally:
        shutil.rmtree(home, ignore_errors=True)


# Decisions -----------------------------------------------------------------------------------------------


def decided(office: Office, ring: dict[str, Any], number: int) -> tuple[str, list[str]]:
    """Writes the decision; what `Rescoring.after` is told of it."""
    now, name, thing = office.clock(), ring["application_ids"][0], ring["shared"][0]
    with office.casebook.writing() as db:
        if number % 4 < 2:
            fraud = {"typology": "T01", "evidence_level": "E1", "second_author": "wang"}
            what, more = ("CONFIRMED_FRAUD", fraud) if number % 4 == 0 else ("CLEARED_BENIGN", {})
            label = labels.Label(name, what, "review", "final", "li", **more)  # type: ignore[arg-type]
            return f"label {labels.add(db, label, request_key=str(number), now=now).id}", [name]
        if number % 4 == 2 and (link := _direct(thing)) is not None:
            done = innocent.add(db, link, reason="x", author="li", until=now + LONG, now=now)
            return f"innocent link {done}", []
        aside = Override(thing["type"], thing["key"], True, "", "x", now + LONG)
        return f"override {opinions.add(db, aside, author='li', now=now)}", []


def _direct(thing: dict[str, Any]) -> Innocent | None:
    """The edge between the first holder and the thing, where it is one of the application's own."""
    edge, name = EDGES[thing["relation"]], thing["holders"][0]
    if near_is_source(edge):
        return Innocent(edge.name, name, thing["key"]) if edge.source == "Application" else None
    return Innocent(edge.name, thing["key"], name) if edge.target == "Application" else None


# Measuring -----------------------------------------------------------------------------------------------


def measured(name: str, folder: Path, share: float) -> None:
    facts = open_snapshot(folder)
    as_of = int(np.quantile(facts.nodes["Application"].known_at, share))
    known = int((facts.nodes["Application"].known_at <= as_of).sum())
    with office_of(facts, as_of) as (office, whole, window):
        rings, rescoring = Rings(office), Rescoring(office)
        begin = time.perf_counter()
        rescoring.warm()
        printed(f"{name}: {known:,} known, {window:,} in the window; warming", time.perf_counter() - begin, "s")
        told = rings.list(WHO)
        quiet = [rescoring.after(WHO, "label 0", each["application_ids"][:1]) for each in told]
        moved = sum(bool(each.changes) for each in quiet)
        printed("nothing decided: rings that change", moved, "", of=len(told))
        done, work = [], []
        for number, ring in enumerate(told):
            asked, busy = decided(office, ring, number), time.process_time()
            done.append(rescoring.after(WHO, *asked))
            work.append(time.process_time() - busy)
        _say(whole, done, np.array(work))
        _say_same(office, rings, as_of)
        _say_rests(rescoring, rings)


def _say(whole: Took, done: Sequence[Rescored], work: npt.NDArray[np.float64]) -> None:
    seconds, ratio = np.array([each.seconds for each in done]), f"{whole.work / np.median(work):.0f}"
    printed("a whole run", whole.seconds, "s", at_work=f"{whole.work:.2f} s")
    printed("after a decision: median", float(np.median(seconds)), "s", at_work=f"{np.median(work):.2f} s", ratio=ratio)
    printed("after a decision: slowest", seconds.max(), "s", at_work=f"{work.max():.2f} s", decisions=len(done))
    printed("rings that changed", sum(len(each.changes) for each in done), "")
    assert not any(each.note for each in done), "every decision was followed"


def _say_same(office: Still, rings: Rings, as_of: int) -> None:
    with office.casebook.reading() as db:
        said = opinions.opinions_as_of(db, office.clock())
    whole = run(office.facts, as_of=as_of, window_days=WINDOW_DAYS, opinions=said).found.rings
    ours = {(frozenset(each["application_ids"]), each["score"]) for each in rings.list(WHO)}
    theirs = {(frozenset(each.application_ids), each.score) for each in whole}
    groups = [{each for each, _ in some} for some in (ours, theirs)]
    printed("same ring and same score as of a whole run", len(ours & theirs), "", of=len(theirs), ours=len(ours))
    printed("same ring", len(groups[0] & groups[1]), "", of=len(groups[1]))


def _say_rests(rescoring: Rescoring, rings: Rings) -> None:
    with rescoring.office.casebook.reading() as db:
        standing = rescoring.standing(db, rescoring.office.clock())
    assert not isinstance(standing, str), standing
    told = {each["ring_id"] for each in rings.list(WHO)}
    seconds, work, few = [], [], 0
    for ring in [each for each in standing.rings if each.ring_id in told]:
        begin, busy = time.perf_counter(), time.process_time()
        found = clearing(standing.whole, ring, standing.rings)
        seconds.append(time.perf_counter() - begin)
        work.append(time.process_time() - busy)
        few += found is not None and found.enough
    for name, of in (("median", np.median), ("slowest", np.max)):
        more = {"rings": len(seconds), "explained": few, "largest": max(each.size for each in standing.rings)}
        printed(f"counterfactual: {name}", float(of(seconds)), "s", at_work=f"{of(work):.2f} s", **more)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--work", type=Path)
    asked.add_argument("--sizes", type=int, nargs="+", default=[60_000, 300_000])
    asked.add_argument("--snapshot", type=Path)
    asked.add_argument("--share", type=float, default=1.0, help="as of when this share of applications was known")
    given = asked.parse_args()
    if given.snapshot is not None:
        measured(json.dumps(str(given.snapshot.parent.parent.name)), given.snapshot, given.share)
    for size in given.sizes if given.work is not None else ():
        measured(f"{size:,}", _portfolio(given.work, size) / "home" / "snapshot", given.share)


if __name__ == "__main__":
    main()
