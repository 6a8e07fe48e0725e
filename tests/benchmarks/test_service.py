"""What the benchmark of the service concludes from what its client saw."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from benchmarks.open_loop import Seen
from benchmarks.service_load import Load
from benchmarks.service_parts import AFTER_SECONDS, OVER_SECONDS, nothing_lost, recovery
from benchmarks.serving import STAGE, children, memory, processor
from benchmarks.super_node import with_device

END = OVER_SECONDS + AFTER_SECONDS


def seen(slow_until: float, refused_until: float = 0.0) -> Seen:
    """Twenty a second; slow, or refused, until these seconds."""
    intended = np.arange(0, END, 0.05)
    latency = np.where(intended < slow_until, 0.2, 0.005)
    status = np.where(intended < refused_until, 503, 200)
    return Seen(intended, intended, latency, status, latency * 1e3, np.arange(len(intended)))


@pytest.mark.parametrize(
    ("slow", "refused", "seconds"),
    [(OVER_SECONDS, OVER_SECONDS, 0.0), (OVER_SECONDS + 2, 0, 2.0), (0, OVER_SECONDS + 1.2, 1.5), (END, 0, 10.0)],
)
def test_it_has_recovered_when_nobody_is_slow_or_refused_any_more(slow: float, refused: float, seconds: float) -> None:
    assert recovery(seen(slow, refused)) == pytest.approx(seconds)


def test_an_answer_whose_application_is_not_in_the_journal_is_lost(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.sqlite") as db:
        db.execute("CREATE TABLE entries (kind TEXT, about TEXT)")
        db.executemany(
            "INSERT INTO entries VALUES ('application', ?)", [("APPx0000001",), ("APPx0000003",), ("APPy1",)]
        )
    said: dict[str, Any] = {}

    def say(name: str, value: float, unit: str, **more: Any) -> None:
        said.update(more, lost=value)

    load = Load(tmp_path, tmp_path, None, "x", say)  # type: ignore[arg-type] # it sends nothing
    load.answered = {load.number(0), load.number(1)}
    nothing_lost(load)
    assert said["lost"] == 1
    assert said["in_the_journal_unanswered"] == 1


def test_processor_time_and_memory_are_those_of_the_process() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", "x = bytearray(50_000_000); print(sum(range(20_000_000)), flush=True); input()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        assert process.pid in children(os.getpid())
        assert 0.05 < processor([process.pid]) < 60
        assert 50 < memory(process.pid).own < 200
        process.communicate(b"\n")
    assert processor([process.pid]) == 0


def test_stages_are_read_from_the_metrics() -> None:
    told = 'ringroad_stage_seconds_sum{stage="read"} 1.5e-02\nringroad_stage_seconds_count{stage="read"} 3.0\n'
    assert STAGE.findall(told) == [("sum", "read", "1.5e-02"), ("count", "read", "3.0")]


def test_the_crowd_is_of_one_device() -> None:
    body = orjson.dumps({"submitted_at": "2026-01-01T00:00:00+08:00", "device_events": [{"device_id": "a"}, {}]})
    assert [each["device_id"] for each in orjson.loads(with_device(body, "d"))["device_events"]] == ["d", "d"]
    alone = orjson.dumps({"submitted_at": "2026-01-01T00:00:00+08:00"})
    assert orjson.loads(with_device(alone, "d"))["device_events"][0]["device_id"] == "d"
