"""A run of requests against the score service: what was sent, what was answered, and how it is said."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.open_loop import Order, Seen, measure, packed
from benchmarks.serving import Served, processor
from benchmarks.traffic import Traffic

Say = Callable[..., None]


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


def busy() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def say_latency(load: Load, what: str, seen: Seen, peer: Seen) -> None:
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
        machine=busy(),
    )


def used(served: Served) -> dict[str, float]:
    return {"workers": processor(served.workers()), "keeper": processor(served.keeper())}


def say_used(load: Load, before: dict[str, float], after: dict[str, float], answers: int) -> None:
    """Both workers together: one answers, the other follows."""
    each = {name: (after[name] - before[name]) / max(answers, 1) * 1e3 for name in after}
    load.say("  processor time of an answer, workers", each["workers"], "ms", keeper=f"{each['keeper']:.2f} ms")


def say_stages(load: Load, before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]]) -> None:
    """Microseconds of each stage of a score."""
    for stage, (seconds, count) in sorted(after.items()):
        earlier, fewer = before.get(stage, (0.0, 0.0))
        if count > fewer:
            each = (seconds - earlier) / (count - fewer) * 1e6
            load.say(f"  stage {stage}", each, "µs", times=f"{count - fewer:,.0f}")
