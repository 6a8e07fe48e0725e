"""An application that shares a device with a hundred thousand earlier ones, through the service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import orjson

from benchmarks.service_load import Load, busy
from benchmarks.service_parts import WARM
from benchmarks.serving import service
from benchmarks.traffic import Traffic
from graph.settings import Settings
from loaders.live import Teller
from workbench.instance import open_vault
from workbench.journal import APPLICATION, Asked, Journal

CROWD, CROWDED = 100_000, 500
TOGETHER = 500


def crowd(load: Load, many: int) -> None:
    """One device of a hundred thousand applications, told in the journal before the service starts; then some more of
    it, one every 50 ms."""
    device = "5ca1ab1e" * 4
    begin = time.monotonic()
    _tell(load, islice((with_device(body, device) for body in load.traffic), many))
    load.sent += many
    told = time.monotonic() - begin
    with service(load.home, load.work / "crowd.log", "--no-keeper") as served:
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
        machine=busy(),
    )


@dataclass(frozen=True)
class _Crowded:
    traffic: Traffic
    device: str

    def __iter__(self) -> Iterator[bytes]:
        return (with_device(body, self.device) for body in self.traffic)


def with_device(body: bytes, device: str) -> bytes:
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
