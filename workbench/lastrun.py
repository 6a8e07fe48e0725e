"""What the next run can build on: the last one with all its rings, beside `rings.json`.

It is a help, never a source: whatever is wrong with the file, there just is no last run. Node
ids come from tokens, so it goes when the index key is rotated (`Instance.rotate`).
"""
# ruff: noqa: PLC0415 - graph.rerun takes seconds to import, and rotating needs no more than the file's place

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph.ontology import ontology_hash
from graph.settings import Settings

if TYPE_CHECKING:
    from graph.overrides import Override
    from graph.rerun import Aside, Run
    from graph.rings import Ring

FORMAT = 1

Decided = tuple[str, str, bool, str]
"""(type, key, infrastructure, kind): what of an override changes a run."""


@dataclass(frozen=True)
class LastRun:
    """`run` was made on the state of `store` after its batch `batch`, with `decided` in force.

    `applications` were known to it, in the window or not. Loaded again, `run.found` lists no rings: the
    next run ranks `run.rings` anew.
    """

    run: Run
    store: str
    batch: tuple[int, str, str]
    decided: tuple[Decided, ...]
    applications: int


def decided(overrides: list[Override]) -> tuple[Decided, ...]:
    return tuple(sorted((each.type, each.key, each.infrastructure, each.kind) for each in overrides))


def place(settings: Settings) -> Path:
    return settings.home / "lastrun.json"


def save(settings: Settings, last: LastRun) -> None:
    """Written beside its place and renamed, for the owner only."""
    run = vars(last.run) | {
        "found": vars(last.run.found) | {"rings": ()},
        "rings": [asdict(ring) for ring in last.run.rings],
        "aside": {name: [each.ids.tolist(), list(each.kinds)] for name, each in last.run.aside.items()},
    }
    about = {"store": last.store, "batch": last.batch, "decided": last.decided, "applications": last.applications}
    body = json.dumps(about | {"run": run}, ensure_ascii=False)
    path = place(settings)
    fresh = path.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{_head(body)}\n{body}")
    fresh.replace(path)


def load(settings: Settings) -> LastRun | None:
    """None for a file that is missing, damaged, or of another release."""
    try:
        head, _, body = place(settings).read_text(encoding="utf-8").partition("\n")
        if head != _head(body):
            return None
        return _last(json.loads(body))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _head(body: str) -> str:
    """Format, ontology, checksum: a file that was cut or changed is none."""
    return f"ringroad {FORMAT} {ontology_hash()} {hashlib.blake2b(body.encode(), digest_size=16).hexdigest()}"


def _last(told: dict[str, Any]) -> LastRun:
    from graph.rerun import Run
    from graph.rings import Found

    run = told["run"]
    found = Found(**run["found"] | {"rings": ()})
    rings = [_ring(each) for each in run["rings"]]
    return LastRun(
        run=Run(**run | {"found": found, "rings": rings, "aside": _aside(run["aside"])}),
        store=told["store"],
        batch=tuple(told["batch"]),
        decided=tuple(tuple(each) for each in told["decided"]),
        applications=told["applications"],
    )


def _aside(told: Mapping[str, Any]) -> dict[str, Aside]:
    import numpy as np

    from graph.rerun import Aside

    return {name: Aside(np.array(ids, dtype=np.int64), tuple(kinds)) for name, (ids, kinds) in told.items()}


def _ring(told: dict[str, Any]) -> Ring:
    from graph.rings import Ring
    from graph.roles import Role
    from graph.sentences import Shared

    lists = {name: tuple(told[name]) for name in ("application_ids", "signs", "doubts")}
    shared = tuple(Shared(**each | {"holders": tuple(each["holders"])}) for each in told["shared"])
    return Ring(**told | lists | {"shared": shared, "roles": tuple(Role(**each) for each in told["roles"])})
