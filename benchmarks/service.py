"""The score service under load, as its users meet it: `python -m benchmarks.service HOME --like PORTFOLIO/input`.

HOME is written to, so give a copy; it needs a model and a graph (`ringroad train`, `ringroad serve refresh`).
`ringroad serve api` runs there with two workers and its keeper; requests come from a process of their own
(`open_loop.py`), with the applications of `traffic.py`. Client, service, keeper and whatever else the machine does
share its cores. Beside every latency stands that of a bare FastAPI route in the same run, asked in the same way, and
the load of the machine: compare the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.open_loop import Order, Seen, measure, packed
from benchmarks.serving import RINGROAD, Memory, Served, echo, environment, memory, priority, processor, service
from benchmarks.traffic import Traffic
from graph.settings import Settings
from loaders.live import Teller
from workbench.instance import open_vault
from workbench.journal import APPLICATION, Asked, Journal

Say = Callable[..., None]
RATE, SECONDS = 200.0, 60.0
WARM = (50.0, 5.0)
ALONE_SECONDS = 5.0
CLOSED, CLOSED_SECONDS = 16, 20.0
OVER, OVER_SECONDS, AFTER_RATE, AFTER_SECONDS = 3.0, 20.0, 100.0, 10.0
CALM_MS, WINDOW = 60.0, 0.5
SOAK_RATE, SOAK_SECONDS, SAMPLE_SECONDS = 50.0, 120.0, 5.0
CROWD, CROWDED = 100_000, 500
TOGETHER = 500


@dataclass
class Load:
    """What a run sends, what it keeps, and where it says what it found."""

    home: Path
    work: Path
    traffic: Traffic
    mark: str
    say: Say
    sent: int = 0
    answered: set[str] = field(default_factory=set)

    def ask(self, served: Served, stages: list[tuple[float, float]], *, closed: int = 0, most: float = 0.0) -> Seen:
        """One run of the client; `most` bodies where the rates do not say how many it takes."""
        expected = most or sum(rate * seconds for rate, seconds in stages)
        many = int(expected + 6 * expected**0.5 + 50)
        place = self.work / "bodies"
        packed(islice(self.traffic, many), place)
        first, self.sent = self.sent, self.sent + many
        seen = measure(
            Order(port=served.port, bodies=str(place), stages=stages, key=served.key, closed=closed, seed=many)
        )
        place.unlink()
        if served.key:
            self.answered |= {self.number(first + at) for at in seen.body[seen.answered].tolist()}
        return seen

    def number(self, at: int) -> str:
        return f"APP{self.mark}{at + 1:07}"

    def told(self) -> set[str]:
        """Applications of this run that stand in the journal."""
        with sqlite3.connect(f"file:{self.home / 'journal.sqlite'}?mode=ro", uri=True) as db:
            rows = db.execute(
                "SELECT about FROM entries WHERE kind = 'application' AND about LIKE ?", (f"APP{self.mark}%",)
            ).fetchall()
        return {about for (about,) in rows}


def printed(name: str, value: float, unit: str, **more: Any) -> None:
    notes = "  ".join(f"{key}={each}" for key, each in more.items())
    print(f"{name:<52} {value:>9,.2f} {unit:<5} {notes}", flush=True)


# What is measured ------------------------------------------------------------------------------------------


def steady(load: Load, served: Served, seconds: float) -> None:
    """200 a second, and the same while the nightly ring job runs at the lowest priority."""
    load.ask(served, [WARM])
    alone = load.ask(served, [(0.0, ALONE_SECONDS)], closed=1, most=500 * ALONE_SECONDS)
    p50, p99 = alone.millis(50, 99)
    own = float(np.nanmedian(alone.server_ms))
    load.say(
        "one connection, one after the other: p50", p50, "ms", p99=f"{p99:.2f}", server=f"{own:.2f}", machine=_load()
    )
    peer = _beside(load, min(seconds, 30.0))
    before, used = served.stages(), _used(served)
    quiet = load.ask(served, [(RATE, seconds)])
    _say_latency(load, f"{RATE:g}/s for {seconds:g} s", quiet, peer)
    _say_used(load, used, _used(served), int(quiet.answered.sum()))
    _say_stages(load, before, served.stages())
    with nightly(load.home) as jobs:
        busy = load.ask(served, [(RATE, seconds)])
    _say_latency(load, f"{RATE:g}/s beside a niced ring job", busy, peer)
    ratio = busy.millis(99)[0] / quiet.millis(99)[0]
    load.say("p99 beside the ring job to p99 alone", ratio, "x", aim="2", jobs=len(jobs))


def _beside(load: Load, seconds: float) -> Seen:
    """The peer at the same rate, with the same bodies."""
    with echo(load.work / "echo.log") as bare:
        load.ask(bare, [WARM])
        seen = load.ask(bare, [(RATE, seconds)])
    p50, p95, p99 = seen.millis(50, 95, 99)
    load.say(f"bare FastAPI route, {RATE:g}/s: p50", p50, "ms", p95=f"{p95:.2f}", p99=f"{p99:.2f}", machine=_load())
    return seen


@contextmanager
def nightly(home: Path) -> Iterator[list[float]]:
    """`ringroad rings` again and again; the list fills with the seconds each took."""
    took: list[float] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            begin = time.monotonic()
            job = subprocess.Popen(
                ["nice", "-n", "39", str(RINGROAD), "rings", "--window", "120d"],
                env=environment(home, {}),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            priority(job.pid, 19)
            if job.wait():
                raise SystemExit("the ring job failed")
            took.append(time.monotonic() - begin)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()


def throughput(load: Load, served: Served) -> float:
    """Closed loop: so many connections that each ask again as soon as they are answered."""
    seen = load.ask(served, [(0.0, CLOSED_SECONDS)], closed=CLOSED, most=1_000 * CLOSED_SECONDS)
    rate = float(seen.answered.sum() / CLOSED_SECONDS)
    with echo(load.work / "echo.log") as bare:
        other = load.ask(bare, [(0.0, CLOSED_SECONDS / 2)], closed=CLOSED, most=5_000 * CLOSED_SECONDS)
    most = float(other.answered.sum() / (CLOSED_SECONDS / 2))
    load.say(
        f"closed loop, {CLOSED} connections",
        rate,
        "/s",
        aim="500",
        p99=f"{seen.millis(99)[0]:.1f} ms",
        refused=int((seen.status == 503).sum()),
        bare=f"{most:,.0f}/s",
        machine=_load(),
    )
    return rate


def overload(load: Load, served: Served, capacity: float) -> None:
    """Three times what it can do, then a hundred a second."""
    over = OVER * capacity
    seen = load.ask(served, [(over, OVER_SECONDS), (AFTER_RATE, AFTER_SECONDS)])
    heavy = seen.between(1.0, OVER_SECONDS)
    refused = heavy.latency[heavy.status == 503] * 1e3
    late, worst = np.percentile(refused, (99, 100)) if len(refused) else (np.nan, np.nan)
    accepted, others = heavy.millis(50, 99), heavy.status[~heavy.answered & (heavy.status != 503)]
    client = float(np.percentile(heavy.sent - heavy.intended, 99)) * 1e3
    load.say(
        f"{over:,.0f}/s for {OVER_SECONDS:g} s: p99 of the accepted",
        accepted[1],
        "ms",
        aim="60",
        p50=f"{accepted[0]:.1f}",
        accepted=f"{heavy.answered.sum() / (OVER_SECONDS - 1):,.0f}/s",
        other_than_200_and_503=len(others),
    )
    load.say(
        "  refused: p99",
        float(late),
        "ms",
        aim="50",
        most=f"{worst:.0f}",
        share=f"{np.mean(heavy.status == 503):.0%}",
        late_to_send_p99=f"{client:.1f} ms",
        machine=_load(),
    )
    load.say("  recovered after", _recovery(seen), "s", aim="3")


def _recovery(seen: Seen) -> float:
    """Seconds after the overload until nobody is refused and none of the windows is slow any more."""
    for begin in np.arange(OVER_SECONDS + AFTER_SECONDS - WINDOW, OVER_SECONDS - WINDOW, -WINDOW):
        window = seen.between(begin, begin + WINDOW)
        if not window.answered.all() or (len(window.latency) and window.millis(99)[0] > CALM_MS):
            return float(begin + WINDOW - OVER_SECONDS)
    return 0.0


def soak(load: Load, served: Served, seconds: float) -> None:
    """50 a second for long: memory, errors, and whether all that was answered is on disk."""
    load.ask(served, [WARM])
    with sampled(served) as samples:
        seen = load.ask(served, [(SOAK_RATE, seconds)])
    p50, p99, most = seen.millis(50, 99, 100)
    load.say(
        f"soak, {SOAK_RATE:g}/s for {seconds:,.0f} s: errors",
        float((~seen.answered).sum()),
        "",
        aim="0",
        of=f"{len(seen.status):,}",
        p50=f"{p50:.1f}",
        p99=f"{p99:.1f}",
        most=f"{most:.0f} ms",
        machine=_load(),
    )
    moments = np.array([moment for moment, _ in samples])
    for name in ("pss", "own"):
        values = np.array([[getattr(one, name) for one in each] for _, each in samples]).sum(axis=1)
        settled = moments > moments[-1] / 3
        slope = np.polyfit(moments[settled], values[settled], 1)[0]
        load.say(
            f"  memory of the workers together, {name}",
            values[-1],
            "MB",
            first=f"{values[0]:,.0f}",
            grows=f"{slope * 3600:+,.0f} MB/h",
            per_application=f"{slope / SOAK_RATE * 1e3:+.1f} kB",
        )


@contextmanager
def sampled(served: Served) -> Iterator[list[tuple[float, list[Memory]]]]:
    """(seconds, memory of each worker) every few seconds."""
    found: list[tuple[float, list[Memory]]] = []
    stop, begin, workers = threading.Event(), time.monotonic(), served.workers()

    def work() -> None:
        while True:
            found.append((time.monotonic() - begin, [memory(pid) for pid in workers]))
            if stop.wait(SAMPLE_SECONDS):
                return

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def nothing_lost(load: Load) -> None:
    told = load.told()
    load.say(
        "answered and not in the journal",
        len(load.answered - told),
        "",
        aim="0",
        answered=f"{len(load.answered):,}",
        in_the_journal_unanswered=len(told - load.answered),
    )


# A super-node ----------------------------------------------------------------------------------------------


def crowd(load: Load, many: int) -> None:
    """One device of a hundred thousand applications, told in the journal before the service starts; then some more of
    it, one every 50 ms."""
    device = "5ca1ab1e" * 4
    begin = time.monotonic()
    _tell(load, islice((_with_device(body, device) for body in load.traffic), many))
    load.sent += many
    told = time.monotonic() - begin
    with service(load.home, load.work / "crowd.log") as served:
        opened = time.monotonic() - begin - told
        load.ask(served, [WARM])
        template, load.traffic = load.traffic, _Crowded(load.traffic, device)  # type: ignore[assignment]
        seen = load.ask(served, [(20.0, CROWDED / 20)])
        load.traffic = template
    p50, p99, most = seen.millis(50, 99, 100)
    load.say(
        f"one of a device of {many:,}: most",
        most,
        "ms",
        aim="50",
        p50=f"{p50:.1f}",
        p99=f"{p99:.1f}",
        server_most=f"{np.nanmax(seen.server_ms):.1f}",
        errors=int((~seen.answered).sum()),
        told=f"{told:.0f} s",
        opened=f"{opened:.0f} s",
        machine=_load(),
    )


@dataclass(frozen=True)
class _Crowded:
    traffic: Traffic
    device: str

    def __iter__(self) -> Iterator[bytes]:
        return (_with_device(body, self.device) for body in self.traffic)


def _with_device(body: bytes, device: str) -> bytes:
    sent = orjson.loads(body)
    for event in sent.setdefault("device_events", [{"event_type": "submit", "event_time": sent["submitted_at"]}]):
        event["device_id"] = device
    return orjson.dumps(sent)


def _tell(load: Load, bodies: Iterator[bytes]) -> None:
    """Into the journal as the service would, without scores."""
    now = time.time_ns() // 1_000_000
    settings = Settings.read({"RINGROAD_HOME": str(load.home)})
    with (
        open_vault(settings) as vault,
        Journal(load.home / "journal.sqlite", clock=lambda: time.time_ns() // 1_000_000) as journal,
    ):
        teller, position = Teller(vault), _last(journal)
        while some := [teller.tell(orjson.loads(each), now=now) for each in islice(bodies, TOGETHER)]:
            for each in some:
                teller.heard(each)
            asked = [
                Asked(APPLICATION, each.application, each.to_bytes(), (f"application/{each.application}",), "")
                for each in some
            ]
            journal.append(asked, after=position)
            position = _last(journal)


def _last(journal: Journal) -> int:
    last = journal.last()
    return last.sequence if last else 0


# Said ------------------------------------------------------------------------------------------------------


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def _say_latency(load: Load, what: str, seen: Seen, peer: Seen) -> None:
    (p50, p95, p99), (peer50, peer99) = seen.millis(50, 95, 99), peer.millis(50, 99)
    own = np.nanpercentile(seen.server_ms, [50, 99]) if seen.answered.any() else (np.nan, np.nan)
    client = float(np.percentile(seen.sent - seen.intended, 99)) * 1e3
    load.say(f"{what}: p50", p50, "ms", aim="6", ratio=f"{p50 / peer50:.1f}", server=f"{own[0]:.2f}")
    load.say(
        f"{what}: p99",
        p99,
        "ms",
        aim="20",
        ratio=f"{p99 / peer99:.1f}",
        p95=f"{p95:.2f}",
        server=f"{own[1]:.2f}",
        not_answered=int((~seen.answered).sum()),
        late_to_send_p99=f"{client:.2f} ms",
        machine=_load(),
    )


def _used(served: Served) -> dict[str, float]:
    return {"workers": processor(served.workers()), "keeper": processor(served.keeper())}


def _say_used(load: Load, before: dict[str, float], after: dict[str, float], answers: int) -> None:
    """Both workers together: one answers, the other follows."""
    each = {name: (after[name] - before[name]) / max(answers, 1) * 1e3 for name in after}
    load.say("  processor time of an answer, workers", each["workers"], "ms", keeper=f"{each['keeper']:.2f} ms")


def _say_stages(load: Load, before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]]) -> None:
    """Microseconds of each stage of a score."""
    for stage, (seconds, count) in sorted(after.items()):
        earlier, fewer = before.get(stage, (0.0, 0.0))
        if count > fewer:
            each = (seconds - earlier) / (count - fewer) * 1e6
            load.say(f"  stage {stage}", each, "µs", times=f"{count - fewer:,.0f}")


# All of it -------------------------------------------------------------------------------------------------

PARTS = ("steady", "throughput", "overload", "soak", "crowd")


def run(
    home: Path,
    like: Path,
    say: Say,
    *,
    parts: tuple[str, ...] = PARTS,
    seconds: float = SECONDS,
    soaked: float = SOAK_SECONDS,
    crowded: int = CROWD,
) -> None:
    mark = f"{time.time_ns() // 1_000_000_000 % 10**6:06}"
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        load = Load(home, Path(folder), Traffic.like(like, seed=int(mark), mark=mark), mark, say)
        if set(parts) - {"crowd"}:
            with service(home, home.parent / "service.log") as served:
                if "steady" in parts:
                    steady(load, served, seconds)
                if "soak" in parts:
                    soak(load, served, soaked)
                if {"throughput", "overload"} & set(parts):
                    capacity = throughput(load, served)
                    if "overload" in parts:
                        overload(load, served, capacity)
            nothing_lost(load)
        if "crowd" in parts:
            crowd(load, crowded)


def prepared(home: Path, source: Path) -> Path:
    """A home with a model and a graph for scores, from a portfolio's input; what is there already stays."""
    steps = [("load", str(source)), ("train",), ("serve", "refresh", "--quiet")]
    done = [home / "graph.sqlite", home / "models", home / "desks" / "current"]
    for line, there in zip(steps, done, strict=True):
        if not there.exists():
            subprocess.run([str(RINGROAD), *line], env=environment(home, {}), check=True, stdout=subprocess.DEVNULL)
    return home


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.service", description=__doc__)
    parser.add_argument("home", type=Path, help="a home that may be written to")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; default: all")
    parser.add_argument("--like", type=Path, required=True, help="input tables of the portfolio that was loaded there")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each steady run (default 60)")
    parser.add_argument("--soak", type=float, default=SOAK_SECONDS, help="seconds; two hours are 7200 (default 120)")
    parser.add_argument("--crowd", type=int, default=CROWD, help="applications of the super-node (default 100,000)")
    parser.add_argument(
        "--prefer", type=int, default=0, help="niceness, -20 to 0, where others use the machine as well"
    )
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    given = parser.parse_intermixed_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))}: no such part; there are {', '.join(PARTS)}")
    if given.prefer:
        with suppress(PermissionError):  # a shell's job leads its session already
            os.setsid()
        os.environ["BENCHMARK_NICE"] = str(given.prefer)
        priority(os.getpid(), given.prefer)
    figures: list[dict[str, Any]] = []

    def say(name: str, value: float, unit: str, **more: Any) -> None:
        figures.append({"figure": name.strip(), "value": round(float(value), 3), "unit": unit, **more})
        printed(name, value, unit, **more)

    run(
        given.home.resolve(),
        given.like,
        say,
        parts=tuple(given.parts) or PARTS,
        seconds=given.seconds,
        soaked=given.soak,
        crowded=given.crowd,
    )
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2, ensure_ascii=False, default=str), encoding="utf-8")


if __name__ == "__main__":
    main()
