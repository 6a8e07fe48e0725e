"""One application online: features, links, rules and all models, warm, in a book of the portfolio's size.

The models are as large as those that a night would train, but know nothing: what a score costs does not depend on
what was learned. Files are cut out of the portfolio's last days and arrive one by one. Beside every arrival a fixed
piece of NumPy work is timed, since the machine is never idle: the ratio is what to compare.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnn.assessor import Assessor
from gnn.book import Events
from gnn.files import Cutter
from gnn.labels import Targets
from gnn.models.hetero_sage import HeteroSage
from gnn.models.isolation import Isolation
from gnn.online import Desk
from gnn.rules import read_settings
from gnn.rules.columns import Peers
from gnn.scorer import Scorer, prior_links
from gnn.training import PEER_COLUMNS, Prepared, fit_main, model_names_of, prepare
from graph.snapshot import Snapshot, open_snapshot
from graph.stores import open_store

ARRIVALS, WARM = 2_000, 200
Say = Callable[..., None]


def facts(folder: Path) -> tuple[Snapshot, Events]:
    """Of a folder as `benchmarks/loaded.py` fills it."""
    with open_store(f"sqlite:///{folder / 'home/graph.sqlite'}") as store:
        events = {kind: store.events(kind) for kind in store.event_kinds()}
    return open_snapshot(folder / "home/snapshot"), events


def speed(snapshot: Snapshot, events: Events, say: Say) -> None:
    begin = time.process_time()
    ready = prepare(snapshot, events)
    size = len(ready.book)
    say(f"features of {size:,} applications, with book and infrastructure", time.process_time() - begin, "s CPU")
    order = ready.book.arrival(np.arange(size))
    last = order[-min(ARRIVALS + WARM, size // 2) :]
    opened = int(ready.book.as_of[last[0]]) - 1
    scorer = quick(ready, opened)
    assessor = Assessor(
        Desk(ready.book, ready.seen.ledger, at=opened), scorer, ready.seen,
        Peers.fit(ready.book, {name: ready.seen[name] for name in PEER_COLUMNS}),
    )  # fmt: skip
    cutter = Cutter(ready.book)
    files = [cutter.file_of(row) for row in last.tolist()]
    times, spent, fixed = np.zeros((3, len(files)))
    for at, file in enumerate(files):
        fixed[at] = timed(_fixed_work)
        used = time.process_time()
        times[at] = timed(lambda one=file: assessor.assess(one))
        spent[at] = time.process_time() - used
    for name, each in (("", times), (", processor time", spent)):
        p50, p95, p99 = np.percentile(each[WARM:] * 1e3, [50, 95, 99])
        say(f"one application online, book of {size:,}{name}: p95", p95, "ms", p50=f"{p50:.2f} ms", p99=f"{p99:.2f} ms")
    peer = np.percentile(fixed[WARM:] * 1e3, [50, 95])
    ratio = float(np.median(times[WARM:]) * 1e3 / peer[0])
    say("the same, p50 to fixed NumPy work of the same run", ratio, "", work=f"{peer[0]:.3f} ms, p95 {peer[1]:.3f} ms")


def quick(ready: Prepared, until: int) -> Scorer:
    """As many trees, kinds and layers as a training leaves behind, of chance: trees of noise are the deepest."""
    names, book = model_names_of(ready.seen), ready.book
    x, chance = ready.seen.only(names), np.random.default_rng(7)
    known = np.flatnonzero(book.as_of <= until)
    degree = (chance.random(len(book)) < 0.1).astype(np.float64)
    train = np.zeros(len(book), bool)
    train[known[::2]] = True
    targets = Targets(known, degree[known], np.ones(len(known)))
    sage = HeteroSage(epochs=2).fit(
        x, prior_links(book, ready.seen), degree > 0, np.ones(len(book)), train=train,
        validation=~train & (book.as_of <= until), seed=7,
    )  # fmt: skip
    return Scorer(
        names=names,
        isolation=Isolation.fit(x[known], seed=7),
        settings=read_settings(),
        review_from=0.5,
        main=fit_main(ready.seen, targets, names, seed=7, threads=1),
        sage=sage,
    )


_MATRIX: npt.NDArray[np.float64] = np.random.default_rng(7).normal(size=(64, 64))


def _fixed_work() -> npt.NDArray[Any]:
    """A hundred small sorts and sums."""
    total = _MATRIX
    for _ in range(100):
        total = np.sort(total + _MATRIX[0], axis=0)
    return total


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    """`python -m benchmarks.online FOLDER`, one that `benchmarks/loaded.py` filled."""
    if len(sys.argv) != 2:
        sys.exit("name one folder with home/graph.sqlite and home/snapshot")

    def say(what: str, value: float, unit: str, **more: str) -> None:
        print(f"{what}: {value:.3g} {unit}", *(f"{name} {each}" for name, each in more.items()))

    speed(*facts(Path(sys.argv[1])), say)


if __name__ == "__main__":
    main()
