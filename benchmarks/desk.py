"""A workbench to measure, as `ringroad serve ui` runs it, over a copy of a home: people, large rings, many cases.

A large ring is made of real ones: the members of the first rings of the last run, and what they share, until its
picture has as many nodes and links as asked for.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.settings import Settings
from workbench.casebook import cases, people
from workbench.casebook.cases import FOUND, Finding
from workbench.casebook.queue_query import Query
from workbench.services.all import Services
from workbench.services.office import Office
from workbench.services.permissions import Person, Role
from workbench.services.subject import Subject

WHO = Person("bench", "Benchmark", Role.INVESTIGATOR)
DEALER = "D-bench"


@dataclass(frozen=True)
class Session:
    """Of somebody who has signed in: `token` and `csrf` are what the two cookies hold."""

    name: str
    token: str
    csrf: str


def sessions(services: Services, number: int) -> list[Session]:
    """That many investigators, each signed in."""
    made, now = [], services.office.clock()
    with services.office.casebook.writing() as db:
        for at in range(number):
            one = Session(f"bench{at:02}", secrets.token_urlsafe(32), secrets.token_urlsafe(32))
            if people.get(db, one.name) is None:
                told = {"display_name": f"Bench {at:02}", "role": Role.INVESTIGATOR, "language": "en"}
                people.add(db, name=one.name, password_hash="-", author="bench", now=now, **told)
                people.change(db, one.name, must_change=0)
            people.begin(db, one.name, one.token, one.csrf, now=now)
            made.append(one)
    return made


def large_rings(home: Path, sizes: Sequence[int]) -> dict[str, int]:
    """By name the nodes and links of each; they stand in `rings.json` from now on."""
    path = home / "rings.json"
    run = json.loads(path.read_text(encoding="utf-8"))
    real = [ring for ring in run["rings"] if not ring["ring_id"].startswith("RBENCH")]
    made: list[dict[str, Any]] = []
    found: dict[str, int] = {}
    for size in sizes:
        for number in range(1, len(real) + 1):
            ring = _together(f"RBENCH{size}", real[:number])
            path.write_text(json.dumps(run | {"rings": [*real, *made, ring]}), encoding="utf-8")
            if (count := _drawn(home, ring["ring_id"])) >= size or number == len(real):
                break
        made.append(ring)
        found[ring["ring_id"]] = count
    return found


def _together(name: str, rings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    members = sorted({each for ring in rings for each in ring["application_ids"]})
    shared: dict[tuple[str, str], dict[str, Any]] = {}
    for one in (one for ring in rings for one in ring["shared"]):
        before = shared.setdefault((one["type"], one["key"]), dict(one))
        before["holders"] = sorted({*before["holders"], *one["holders"]})
    told = {"ring_id": name, "application_ids": members, "size": len(members), "shared": list(shared.values())}
    return rings[0] | told | {"roles": []}


def _drawn(home: Path, ring_id: str) -> int:
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        opened = Services(office).investigate.open_subject(WHO, Subject("ring", ring_id), cap=10**6)
        return opened.picture.size


def long_queue(services: Services, rings: int) -> None:
    """Cases of so many rings, of made-up names and amounts; what an earlier run added is part of them."""
    now, added = services.office.clock(), services.queue.rows(WHO, Query(dealer=(DEALER,))).total
    found = [
        Finding(
            kind="ring", subject=f"RQ{at:06}", score=(at * 37 % 1000) / 1000, size=3 + at % 20, exposure=1e5 + at,
            savable=float(at * 7919 % 1_000_000), typology=f"T{1 + at % 20:02}", because="b", reasons=(), dealer=DEALER,
            region="320100", first_seen=now, last_seen=now,
        )
        for at in range(added, rings)
    ]  # fmt: skip
    with services.office.casebook.writing() as db:
        cases.open_all(db, found, because=FOUND, now=now)
