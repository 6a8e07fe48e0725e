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
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.service_load import Load, Say, printed
from benchmarks.service_parts import SECONDS, SOAK_SECONDS, nothing_lost, overload, soak, steady, throughput
from benchmarks.serving import RINGROAD, environment, priority, service
from benchmarks.super_node import CROWD, crowd
from benchmarks.traffic import Traffic

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
            subprocess.run([str(RINGROAD), *line], env=environment(home), check=True, stdout=subprocess.DEVNULL)
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
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the service it started ends with it
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
