"""What is measured of the score service: latency at a rate, throughput, overload, and for long."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.open_loop import Seen
from benchmarks.service_load import Load, busy, say_latency, say_stages, say_used, used
from benchmarks.serving import RINGROAD, Memory, Served, echo, environment, memory, priority

RATE, SECONDS = 200.0, 60.0
WARM = (50.0, 5.0)
ALONE_SECONDS = 5.0
CLOSED, CLOSED_SECONDS = 8, 20.0
OVER, OVER_SECONDS, AFTER, AFTER_SECONDS = 3.0, 20.0, 0.5, 10.0
CALM_MS, WINDOW = 60.0, 0.5
SOAK_RATE, SOAK_SECONDS, SAMPLE_SECONDS = 50.0, 120.0, 5.0


def steady(load: Load, served: Served, seconds: float) -> None:
    """200 a second, and the same while the nightly ring job runs at the lowest priority."""
    load.ask(served, [WARM])
    alone = load.ask(served, [(0.0, ALONE_SECONDS)], closed=1, most=500 * ALONE_SECONDS)
    p50, p99 = alone.millis(50, 99)
    own = float(np.nanmedian(alone.server_ms))
    load.say(
        "one connection, one after the other: p50", p50, "ms", p99=f"{p99:.2f}", server=f"{own:.2f}", machine=busy()
    )
    peer = _beside(load, min(seconds, 30.0))
    before, taken = served.stages(), used(served)
    quiet = load.ask(served, [(RATE, seconds)])
    say_latency(load, f"{RATE:g}/s for {seconds:g} s", quiet, peer)
    say_used(load, taken, used(served), int(quiet.answered.sum()))
    say_stages(load, before, served.stages())
    with nightly(load.home) as jobs:
        beside = load.ask(served, [(RATE, seconds)])
    say_latency(load, f"{RATE:g}/s beside a niced ring job", beside, peer)
    ratio = beside.millis(99)[0] / quiet.millis(99)[0]
    load.say("p99 beside the ring job to p99 alone", ratio, "x", aim="2", jobs=len(jobs))


def _beside(load: Load, seconds: float) -> Seen:
    """The peer at the same rate, with the same bodies."""
    with echo(load.work / "echo.log") as bare:
        load.ask(bare, [WARM])
        seen = load.ask(bare, [(RATE, seconds)])
    p50, p95, p99 = seen.millis(50, 95, 99)
    load.say(f"bare FastAPI route, {RATE:g}/s: p50", p50, "ms", p95=f"{p95:.2f}", p99=f"{p99:.2f}", machine=busy())
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
                env=environment(home),
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
        machine=busy(),
    )
    return rate


def overload(load: Load, served: Served, capacity: float) -> None:
    """Three times what it can do, then half of it."""
    over = OVER * capacity
    seen = load.ask(served, [(over, OVER_SECONDS), (AFTER * capacity, AFTER_SECONDS)])
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
        machine=busy(),
    )
    load.say("  recovered after", recovery(seen), "s", aim="3")


def recovery(seen: Seen) -> float:
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
        machine=busy(),
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
