"""Going on from the last run, or saying why that cannot be."""
# ruff: noqa: PLC0415 - graph.rerun takes seconds to import

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from graph.errors import SnapshotError
from graph.ontology import EDGES
from graph.records import DAY, from_millis, to_millis
from graph.snapshot import Snapshot, refresh
from graph.store import GraphStore
from workbench import lastrun
from workbench.instance import EVERYTHING, Instance
from workbench.lastrun import Decided, LastRun
from workbench.render import CHINA

if TYPE_CHECKING:
    from graph.opinions import Opinions
    from graph.rerun import Run

LATE = 31 * DAY
"""Links loaded only now though known so long before the last run make it a whole run."""

QUICK = 100_000
"""So few rows are read anew in no time, however small the store."""


class CannotContinue(Exception):
    """Its text says why, for people."""


@dataclass(frozen=True)
class Continuing:
    """`seen_until`: all that was known by then was known to the last run."""

    last: LastRun
    snapshot: Snapshot
    as_of: datetime
    seen_until: int

    @property
    def since(self) -> datetime:
        return from_millis(self.last.run.as_of)

    @property
    def fresh(self) -> int:
        """Applications that the last run did not know."""
        known = self.snapshot.nodes["Application"].known_at <= to_millis(self.as_of)
        return int(known.sum()) - self.last.applications

    def run(self, opinions: Opinions) -> Run:
        """What is set aside is counted anew; links and candidates are those of the last whole run."""
        from graph.moved import Moved
        from graph.opinions import Innocent
        from graph.rerun import rerun

        before, now = self.last.decided, Decided.by(opinions)
        moved = Moved(before.labelled_otherwise(now), {Innocent(*each) for each in before.linked_otherwise(now)})
        last = replace(self.last.run, as_of=self.seen_until)
        made = rerun(last, self.snapshot, as_of=to_millis(self.as_of), opinions=opinions, moved=moved)
        aside = Counter(kind for each in made.aside.values() for kind in each.kinds)
        return replace(made, found=replace(made.found, infrastructure=dict(sorted(aside.items()))))


def start(here: Instance, as_of: datetime | None, window_days: int, opinions: Opinions) -> Continuing:
    """Raises CannotContinue."""
    last = _last(here, window_days, Decided.by(opinions))
    if as_of is not None:
        _later(last, as_of)
    base, snapshot = _snapshots(here, last)
    if as_of is None:
        as_of = here.newest(snapshot)
        _later(last, as_of)
    seen_until = _seen_until(here.store, base, last)
    if seen_until < last.run.as_of - LATE:
        raise CannotContinue(f"links known since {_day(seen_until)} have been loaded only now")
    return Continuing(last, snapshot, as_of, seen_until)


def _last(here: Instance, window_days: int, decided: Decided) -> LastRun:
    last = lastrun.load(here.settings)
    if last is None:
        there = lastrun.place(here.settings).exists()
        raise CannotContinue(
            "the last one was kept by another release, or is damaged"
            if there
            else "none is kept to go on from; there was none, or the keys were rotated since"
        )
    if last.by_model is not None:
        raise CannotContinue("a model ranked the last one")
    if last.store != here.store.url:
        raise CannotContinue("the last one was on another store")
    if last.batch not in {(mark.sequence, mark.id, mark.digest) for mark in here.marks()}:
        raise CannotContinue("the store was filled anew since the last one")
    if last.run.window_days != window_days:
        raise CannotContinue(f"the last one was of {last.run.window_days} days, not {window_days}")
    if last.decided.overrides != decided.overrides:
        raise CannotContinue("the overrides have changed since the last one")
    return last


def _later(last: LastRun, as_of: datetime) -> None:
    if to_millis(as_of) < last.run.as_of:
        asked = as_of.astimezone(CHINA)
        raise CannotContinue(f"the last one was as of {_day(last.run.as_of)}, later than {asked:%Y-%m-%d}")


def _snapshots(here: Instance, last: LastRun) -> tuple[Snapshot, Snapshot]:
    """The one on disk, and the same with what was loaded since it was made."""
    try:
        base, shown = here.earlier_snapshot()
    except SnapshotError:
        raise CannotContinue("the snapshot of the last one is gone") from None
    if shown.sequence > last.batch[0]:
        raise CannotContinue("the snapshot was made anew since the last one")
    loaded = sum(mark.nodes + mark.edges for mark in here.marks() if mark.sequence > shown.sequence)
    there = sum(map(len, base.nodes.values())) + sum(map(len, base.edges.values()))
    if loaded > max(there, QUICK):
        raise CannotContinue("as much was loaded since as there was before")
    return base, refresh(base, here.store, as_of=EVERYTHING) if loaded else base


def _seen_until(store: GraphStore, base: Snapshot, last: LastRun) -> int:
    """Before the earliest link that was known by then and loaded only since; the last run could not see it."""
    earliest = last.run.as_of + 1
    for name, edge in EDGES.items():
        if not edge.weight:
            continue
        for rows in store.export_edges(name, after=last.batch[0]):
            known = rows["known_at"].to_numpy()
            late = np.flatnonzero(known < earliest)
            source = base.nodes[edge.source].index_of(rows["source"].to_numpy()[late])
            target = base.nodes[edge.target].index_of(rows["target"].to_numpy()[late])
            new = [
                at
                for at, one, other in zip(late.tolist(), source.tolist(), target.tolist(), strict=True)
                if one < 0 or other not in base.links(name, one, outgoing=True, as_of=int(known[at]))
            ]
            earliest = min(earliest, int(known[new].min(initial=earliest)))
    return earliest - 1


def _day(millis: int) -> str:
    return f"{from_millis(millis).astimezone(CHINA):%Y-%m-%d}"
