"""What monitoring reads, summed over the processes of the service. No label holds a name or a number of anybody."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

FINE = (0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012, 0.02, 0.03, 0.05, 0.08, 0.15, 0.3, 0.6, 1.5, 5)

REQUESTS = Counter("ringroad_requests", "Requests by route and status.", ["route", "status"])
SECONDS = Histogram("ringroad_request_seconds", "From the first byte to the last.", ["route"], buckets=FINE)
STAGES = Histogram("ringroad_stage_seconds", "Where the time of a score goes.", ["stage"], buckets=FINE)
DECISIONS = Counter("ringroad_decisions", "Answers by decision and layer.", ["decision", "layer"])
DEGRADED = Counter("ringroad_degraded", "Answers that were not whole, by reason.", ["reason"])
SHED = Counter("ringroad_shed", "Requests refused because too many waited.", ["why"])
SCORES = Histogram(
    "ringroad_scores", "Calibrated scores.", buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1)
)
WAITING = Gauge("ringroad_waiting", "Requests that wait to be scored.", multiprocess_mode="livesum")
GRAPH_AGE = Gauge("ringroad_graph_age_seconds", "Since the graph's arrays were made.", multiprocess_mode="livemax")
BEHIND = Gauge("ringroad_store_behind", "Entries of the journal that the store has not taken.", multiprocess_mode="max")
DIFFERENCES = Counter("ringroad_differences", "Decisions of a shadow or challenger that differ.", ["version"])


@contextmanager
def timed(stage: str) -> Iterator[None]:
    begin = time.perf_counter()
    try:
        yield
    finally:
        _stage(stage).observe(time.perf_counter() - begin)


_stage = cache(STAGES.labels)


def exposition(schedule: Path) -> bytes:
    """In Prometheus' text format; of all processes where they share a folder (PROMETHEUS_MULTIPROC_DIR).

    `schedule`: what the schedule wrote of itself, if it ever did.
    """
    return _own() + _written(schedule)


def _own() -> bytes:
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return generate_latest()
    registry = CollectorRegistry()
    make: Callable[[CollectorRegistry], object] = multiprocess.MultiProcessCollector
    make(registry)
    return generate_latest(registry)


def _written(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
