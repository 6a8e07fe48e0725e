"""One application online: features, links, rules and all models, warm, on an image of a book of the portfolio's size.

The models are as large as those that a night would train, but know nothing: what a score costs does not depend on
what was learned. Files are cut out of the portfolio's last days and arrive one by one. Beside every arrival a fixed
piece of NumPy work is timed, since the machine is never idle: the ratio is what to compare.

One process makes the image and ends; a worker then opens it and is timed; a second one joins it for the memory of both.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.chance import chance
from gnn.assessor import Assessor
from gnn.book import Events
from gnn.files import ApplicationFile, Cutter, Hold
from gnn.image import EVENTS_READ, open_image, save_image
from gnn.online import Start
from gnn.rules import read_settings
from gnn.rules.columns import Peers
from gnn.scorer import Scorer
from gnn.training import PEER_COLUMNS, prepare
from graph.snapshot import Snapshot, open_snapshot
from graph.stores import open_store

ARRIVALS, WARM, FOLLOWED, TOGETHER, CROWDED = 2_000, 200, 500, 256, 50
FILES = 20_000
HOLDERS = 100_000
VERSION = "chance"
Say = Callable[..., None]


def facts(folder: Path) -> tuple[Snapshot, Events]:
    """Of a folder as `benchmarks/loaded.py` fills it: what a decision reads."""
    with open_store(f"sqlite:///{folder / 'home/graph.sqlite'}") as store:
        events = {kind: store.events(kind) for kind in EVENTS_READ}
    return open_snapshot(folder / "home/snapshot"), events


def say(what: str, value: float, unit: str, **more: str) -> None:
    print(f"{what}: {value:.3g} {unit}", *(f"{name} {each}" for name, each in more.items()), flush=True)


# The image -----------------------------------------------------------------------------------------------


def build(folder: Path, place: Path) -> None:
    """Leaves in `place` the image, its scorer, and the files that come after it."""
    used, begin = time.process_time(), time.perf_counter()
    snapshot, events = facts(folder)
    say("reading the store's events", time.perf_counter() - begin, "s")
    begin = time.perf_counter()
    ready = prepare(snapshot, events)
    size = len(ready.book)
    say(f"features of {size:,} applications, with book and infrastructure", time.perf_counter() - begin, "s")
    order = ready.book.arrival(np.arange(size))
    last = order[-min(FILES, size // 10) :]
    at = int(ready.book.as_of[last[0]]) - 1
    scorer = chance(ready, at)
    (place / "scorer").mkdir(parents=True)
    scorer.save(place / "scorer")
    begin = time.perf_counter()
    start = Start.of(ready.book, ready.seen.ledger, at=at)
    peers = Peers.fit(ready.book, {name: ready.seen[name] for name in PEER_COLUMNS})
    say("opening the desk and fitting the peers", time.perf_counter() - begin, "s")
    begin = time.perf_counter()
    save_image(
        place / "image", start, folder / "home/snapshot", seen=ready.seen, peers=peers, scorers={VERSION: scorer}
    )
    own = [path.stat().st_size for path in (place / "image").iterdir() if path.is_file()]
    linked = [path.stat().st_size for path in (place / "image/snapshot").iterdir()]
    say(
        "writing the image, embeddings and all", time.perf_counter() - begin, "s",
        own=f"{sum(own) / 1e9:.2f} GB", snapshot=f"{sum(linked) / 1e9:.2f} GB (links)",
    )  # fmt: skip
    cutter = Cutter(ready.book)
    with (place / "files.pkl").open("wb") as file:
        for row in last.tolist():
            pickle.dump(cutter.file_of(row), file)
    say(
        "processor time of it all", time.process_time() - used, "s", memory=f"{_memory()['VmHWM'] / 1e6:.1f} GB at most"
    )


# A worker ------------------------------------------------------------------------------------------------


def work(place: Path, *, timed_too: bool) -> None:
    """Reports in lines of JSON; its memory once it is told to on the standard input."""
    begin = time.perf_counter()
    scorer = Scorer.load(place / "scorer", read_settings())
    image = open_image(place / "image")
    assessor = image.assessor(scorer, VERSION)
    opened = time.perf_counter() - begin
    warmed = timed(lambda: image.warm(assessor))
    files = waiting(place)
    first = timed(lambda: assessor.assess(next(files)))
    for _ in range(WARM - 1):
        assessor.assess(next(files))
    told: dict[str, Any] = {"opened": opened, "warmed": warmed, "first": first, "size": len(assessor.desk)}
    if timed_too:
        told |= {"assess": _assessed(assessor, files), **_others(assessor, files), "crowd": _crowd(assessor, files)}
    print(json.dumps(told), flush=True)
    sys.stdin.readline()
    print(json.dumps(_memory()), flush=True)
    sys.stdin.readline()


def waiting(place: Path) -> Iterator[ApplicationFile]:
    """One after the other, as they were written."""
    with (place / "files.pkl").open("rb") as file:
        while file.peek(1):
            yield pickle.load(file)


def _assessed(assessor: Assessor, files: Iterator[ApplicationFile]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {"wall": [], "processor": [], "fixed": [], "arrive": []}
    for _ in range(ARRIVALS):
        file = next(files, None)
        if file is None:
            break
        times["fixed"].append(timed(_fixed_work))
        used, begin = time.process_time(), time.perf_counter()
        arrived = assessor.arrive(file)
        times["arrive"].append(time.perf_counter() - begin)
        assessor.assess_row(arrived)
        times["wall"].append(time.perf_counter() - begin)
        times["processor"].append(time.process_time() - used)
    return times


def _others(assessor: Assessor, files: Iterator[ApplicationFile]) -> dict[str, Any]:
    """Applications that another worker answers; a batch; those before, looked at again."""
    ahead = [next(files) for _ in range(FOLLOWED)]
    followed = [timed(lambda one=file: (assessor.follow(one), assessor.arrived(()))) for file in ahead]
    settled = timed(lambda: assessor.settle(FOLLOWED)) / FOLLOWED
    batch = [next(files) for _ in range(TOGETHER)]
    together = timed(lambda: assessor.assess_many(batch)) / TOGETHER
    again = [timed(lambda one=file: assessor.again(assessor.desk.row_of(one.id), one)) for file in batch]
    return {"follow": followed, "settled": settled, "together": together, "again": again}


def _crowd(assessor: Assessor, files: Iterator[ApplicationFile]) -> list[float]:
    """Applications that share a device, an address of the internet and a payer with a hundred thousand others."""
    desk, shared = assessor.desk, ("device", "ip", "payer")
    batch = [next(files) for _ in range(CROWDED)]
    things = {role: next(hold.thing for file in batch for hold in file.held if hold.role == role) for role in shared}
    now = int(desk.book.as_of.max())
    for row in range(max(0, len(desk) - HOLDERS), len(desk)):
        for role, thing in things.items():
            desk.learn(row, Hold(role, thing, now, now))
    held = tuple(
        Hold(role, thing, file.known_at, file.known_at) for role, thing in things.items() for file in batch[:1]
    )
    crowded = [replace(file, held=(*file.held, *held)) for file in batch]
    return [timed(lambda one=file: assessor.assess(one)) for file in crowded]


def _memory() -> dict[str, float]:
    """In kB."""
    told = {}
    for name in ("status", "smaps_rollup"):
        for line in Path(f"/proc/self/{name}").read_text(encoding="utf-8").splitlines():
            words = line.split()
            if words[0] in ("VmHWM:", "Rss:", "Pss:", "Private_Dirty:"):
                told[words[0][:-1]] = float(words[1])
    return told


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


# All of it -----------------------------------------------------------------------------------------------


def speed(place: Path) -> None:
    with _worker(place, "time") as one:
        told = json.loads(one.stdout.readline())
        size = told["size"]
        say(
            f"opening an image of {size:,} applications",
            told["opened"],
            "s",
            first=f"assessed in {told['first']:.2f} s",
        )
        _say_assessed(told["assess"], size)
        for name in ("follow", "again", "crowd"):
            p50, p95, most = np.percentile(np.array(told[name]) * 1e3, [50, 95, 100])
            say(f"{NAMES[name]}: p95", p95, "ms", p50=f"{p50:.2f} ms", most=f"{most:.2f} ms")
        say("an embedding made later", told["settled"] * 1e3, "ms")
        say(f"one of {TOGETHER} assessed together", told["together"] * 1e3, "ms")
        with _worker(place, "join") as other:
            other.stdout.readline()
            for each in (one, other):
                each.stdin.write("memory\n")
                each.stdin.flush()
                memory = json.loads(each.stdout.readline())
                say("memory of one of two workers: RSS", memory["Rss"] / 1e6, "GB", **_shares(memory))


NAMES = {
    "follow": "an application that another worker answers",
    "again": "an earlier application assessed again",
    "crowd": f"one that shares device, IP and payer with {HOLDERS:,} others",
}


def _shares(memory: Mapping[str, float]) -> dict[str, str]:
    return {"PSS": f"{memory['Pss'] / 1e6:.2f} GB", "of its own": f"{memory['Private_Dirty'] / 1e6:.2f} GB"}


def _say_assessed(times: Mapping[str, list[float]], size: int) -> None:
    for name in ("wall", "processor", "arrive"):
        p50, p95, p99 = np.percentile(np.array(times[name]) * 1e3, [50, 95, 99])
        say(
            f"one application online, book of {size:,}, {name}: p95",
            p95,
            "ms",
            p50=f"{p50:.2f} ms",
            p99=f"{p99:.2f} ms",
        )
    peer = np.percentile(np.array(times["fixed"]) * 1e3, [50, 95])
    ratio = float(np.median(times["wall"]) * 1e3 / peer[0])
    say("the same, p50 to fixed NumPy work of the same run", ratio, "", work=f"{peer[0]:.3f} ms, p95 {peer[1]:.3f} ms")


def _worker(place: Path, how: str) -> Any:
    command = [sys.executable, "-m", "benchmarks.online", f"--{how}", str(place)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    """`python -m benchmarks.online FOLDER [PLACE]`: FOLDER is one that `benchmarks/loaded.py` filled; PLACE is a new
    folder where the image stays, with its scorer and the files that come after it. An image in PLACE is measured again.
    """
    roles = {"--build": lambda at: build(*at), "--time": lambda at: work(*at, timed_too=True),
             "--join": lambda at: work(*at, timed_too=False)}  # fmt: skip
    given = sys.argv[1:]
    if given and given[0] in roles:
        roles[given[0]]([Path(each) for each in given[1:]])
    elif len(given) in (1, 2):
        with tempfile.TemporaryDirectory() as spare:
            place = Path(given[1] if len(given) == 2 else f"{spare}/place")
            if not (place / "files.pkl").exists():
                subprocess.run([sys.executable, "-m", "benchmarks.online", "--build", given[0], str(place)], check=True)
            speed(place)
    else:
        sys.exit("name one folder with home/graph.sqlite and home/snapshot, and perhaps one for the image")


if __name__ == "__main__":
    main()
