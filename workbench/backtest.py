"""A whole portfolio point in time: train on what was known at the cut, score what came after, list rings by night."""
# ruff: noqa: PLC0415 - numba, XGBoost and torch take seconds to import

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graph.errors import InputError
from graph.records import DAY, Ints, to_millis
from graph.rings import Ring, as_csv
from workbench import instance, scoring
from workbench.instance import Instance
from workbench.terminal import written_to

if TYPE_CHECKING:
    from gnn.ringrank import Night
    from gnn.scorer import Scorer
    from gnn.training import Prepared, Trained
    from workbench.scoring import Scored

Progress = Callable[[str, int, int], None]
RING_WINDOW_DAYS = 120
MOST_SHARE = 0.01
"""No more of a window's applications are listed in rings than investigators look at (domain.md §1.3)."""


@dataclass(frozen=True)
class Listing:
    """The rings of one night; `joins` per application the first ring it was listed in, and on which night."""

    night: int
    rings: tuple[Ring, ...]


@dataclass(frozen=True)
class Backtest:
    ready: Prepared
    trained: Trained
    rows: Ints
    scored: list[Scored]
    listings: tuple[Listing, ...]
    cut: int

    @property
    def rings(self) -> list[Ring]:
        """The last list, and of the windows before it the rings that nobody of a later list belongs to."""
        kept: list[Ring] = []
        seen: set[str] = set()
        bound = None
        for listing in reversed(self.listings):
            if bound is not None and listing.night > bound:
                continue
            fresh = [ring for ring in listing.rings if not seen & set(ring.application_ids)]
            kept += fresh
            seen |= {name for ring in listing.rings for name in ring.application_ids}
            bound = listing.night - RING_WINDOW_DAYS * DAY
        order = sorted(kept, key=lambda ring: (-ring.score, ring.ring_id))
        return [replace(ring, rank=rank) for rank, ring in enumerate(order, start=1)]


def run(
    source: Path, *, cut: datetime, out: Path, every: int, seed: int, truth: Path | None, progress: Progress
) -> Backtest:
    """Loads `source` into a store of its own; writes scores.csv, rings.csv, report.html and report.json to `out`."""
    prepare_folder(out)
    with loaded(source, out, progress) as here:
        ready = scoring.prepare(here, progress)
        done = backtest(ready, cut=to_millis(cut), every=every, seed=seed, progress=progress)
    written_to(out / "scores.csv", scoring.as_csv(done.scored))
    written_to(out / "rings.csv", as_csv(done.rings))
    progress("report", 0, 1)
    from workbench import assessment

    assessment.write(done, out, truth=truth)
    return done


def prepare_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out} cannot be made ({error.strerror}); name another folder with --out") from None


@contextmanager
def loaded(source: Path, out: Path, progress: Progress) -> Iterator[Instance]:
    """An instance of its own with the tables of `source`, gone afterwards; the user's own is not touched."""
    from loaders.load import Load
    from loaders.mapping import Mapping as Columns

    home = out / ".instance"
    shutil.rmtree(home, ignore_errors=True)
    kept = {name: os.environ.get(name) for name in ("RINGROAD_HOME", "RINGROAD_STORE", "RINGROAD_CASEBOOK")}
    os.environ["RINGROAD_HOME"] = str(home)
    os.environ.pop("RINGROAD_STORE", None)
    os.environ.pop("RINGROAD_CASEBOOK", None)
    try:
        with instance.opened(None) as here:
            Load(
                here.store, here.vault, staging_dir=here.settings.staging_dir, mapping=Columns.read(None),
                quarantine_file=out / "quarantine.csv",
                progress=lambda stage, table, done, total: progress(f"{stage} {table}", done, total),
            ).run(str(source))  # fmt: skip
            yield here
    finally:
        for name, value in kept.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        shutil.rmtree(home, ignore_errors=True)


def backtest(ready: Prepared, *, cut: int, every: int, seed: int, progress: Progress) -> Backtest:
    from gnn import training
    from gnn.rules import read_settings

    rows = np.flatnonzero(ready.book.submitted >= cut)
    if not len(rows):
        raise InputError("no application was submitted after the cut; choose an earlier --cut")
    trained = training.train(ready, until=cut - 1, settings=read_settings(), seed=seed, progress=progress)
    listings = tuple(nights(ready, trained.scorer, cut=cut, every=every, progress=progress))
    joins = joined(ready, rows, listings)
    scored = scoring.score(ready, trained.scorer, f"until-{cut}", rows, rings=joins, progress=progress)
    return Backtest(ready, trained, rows, scored, listings, cut)


def nights(ready: Prepared, scorer: Scorer, *, cut: int, every: int, progress: Progress) -> Iterator[Listing]:
    """Ring lists on the night before the cut, every so many nights after it, and at the end."""
    last = int(ready.book.as_of.max())
    when = [*range(cut - 1, last, every * DAY), last]
    for done, night in enumerate(when):
        yield Listing(night, tuple(listed(ready, scorer, night)))
        progress("rings", done + 1, len(when))


def listed(ready: Prepared, scorer: Scorer, night: int) -> list[Ring]:
    from graph.rings import chosen

    looked = look(ready, scorer, night)
    rings = chosen(ready.snapshot, scorer.ring_rank.rescored(looked), as_of=night)
    order = sorted(rings, key=lambda ring: (-ring.score, ring.ring_id))
    fits = np.cumsum([ring.size for ring in order]) <= MOST_SHARE * len(looked.examined.projection.window)
    return [
        replace(ring, rank=rank)
        for rank, (ring, fit) in enumerate(zip(order, fits.tolist(), strict=True), start=1)
        if fit
    ]


def look(ready: Prepared, scorer: Scorer, night: int) -> Night:
    """The candidates of a night and what hindsight says of their members then."""
    from gnn.ringrank import Known, Night
    from gnn.training import hindsight_of
    from graph.rings import examine

    later = ready.later
    degree = hindsight_of(scorer, later, night)
    examined = examine(ready.snapshot, as_of=night, window_days=RING_WINDOW_DAYS, risk=degree)
    return Night(examined, Known(degree, later.labels.known(night)))


def joined(ready: Prepared, rows: Ints, listings: Sequence[Listing]) -> Mapping[int, str]:
    """Per row the ring, as listed on the last night before it came, in which the person it shares most with stands."""
    names = ready.snapshot.nodes["Application"].table["key"].to_pylist()
    times = np.array([each.night for each in listings])
    members: list[dict[str, str]] = [
        {name: ring.ring_id for ring in each.rings for name in ring.application_ids} for each in listings
    ]
    found = {}
    for row in rows.tolist():
        at = int(np.searchsorted(times, ready.book.submitted[row])) - 1
        if at < 0:
            continue
        for other in ready.seen.links.row[row].tolist():
            if other < 0:
                break
            if (ring := members[at].get(names[other])) is not None:
                found[row] = ring
                break
    return found


def first_flagged(done: Backtest) -> dict[str, int]:
    """Per application when the first ring list named it."""
    when: dict[str, int] = {}
    for listing in done.listings:
        for ring in listing.rings:
            for name in ring.application_ids:
                when.setdefault(name, listing.night)
    return when


def day_after(moment: datetime) -> datetime:
    return moment + timedelta(days=1)


def summary(done: Backtest) -> dict[str, Any]:
    counts = {name: sum(one.decision == name for one in done.scored) for name in ("pass", "review", "decline")}
    return {
        "applications": len(done.scored),
        "decisions": counts,
        "rings": len(done.rings),
        "nights": len(done.listings),
        "metrics": dict(done.trained.metrics),
        "notes": list(done.trained.notes),
        "auxiliaries": dict(done.trained.scorer.fusion.weights),
    }
