"""The rings of the last run, and which of them an application joins: looked up, never looked for, while it waits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from graph.records import Ints

THROUGH = 5
"""So many members are named."""

BRIEF = (
    "ring_id", "score", "rank", "typology", "exposure", "undisbursed", "first_seen", "last_seen", "because",
)  # fmt: skip


@dataclass
class Rings:
    """`ring_of` by row of the desk; an application that joins is a member from then on."""

    as_of: str = ""
    stamp: int = 0
    """Of the file they were read from."""

    told: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ring_of: dict[int, str] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path, rows_of: Callable[[Sequence[str]], Ints]) -> Rings:
        """Of `rings.json`; empty where no run was made, or the file is damaged. `rows_of` gives -1 for a stranger."""
        try:
            run = json.loads(file.read_text(encoding="utf-8"))
            told = {ring["ring_id"]: ring for ring in run["rings"]}
            as_of = str(run["as_of"])
        except (OSError, ValueError, KeyError, TypeError):
            return cls()
        members = [(name, ring_id) for ring_id, ring in told.items() for name in ring["application_ids"]]
        names = [name for name, _ in members]
        rows = rows_of(names).tolist() if names else []
        there = {row: member for row, member in zip(rows, members, strict=True) if row >= 0}
        return cls(
            as_of,
            written(file),
            told,
            {row: ring_id for row, (_, ring_id) in there.items()},
            {row: name for row, (name, _) in there.items()},
        )

    def joined(self, row: int, name: str, linked: Ints, weight: Any) -> dict[str, Any] | None:
        """The ring that holds most of the weight of the row's links to earlier rows (-1: no link)."""
        sums: dict[str, float] = {}
        through: dict[str, list[int]] = {}
        for at in np.flatnonzero(linked >= 0).tolist():
            ring_id = self.ring_of.get(int(linked[at]))
            if ring_id is not None:
                sums[ring_id] = sums.get(ring_id, 0.0) + float(weight[at])
                through.setdefault(ring_id, []).append(at)
        if not sums:
            return None
        ring_id = min(sums, key=lambda one: (-sums[one], one))
        closest = sorted(through[ring_id], key=lambda at: (-float(weight[at]), at))[:THROUGH]
        self.ring_of[row], self._names[row] = ring_id, name
        return self.brief(ring_id) | {"through": [self._names[int(linked[at])] for at in closest]}

    def brief(self, ring_id: str) -> dict[str, Any]:
        ring = self.told[ring_id]
        return {name: ring[name] for name in BRIEF} | {"size": len(ring["application_ids"]), "as_of": self.as_of}


def written(file: Path) -> int:
    """When the last run was written; 0 where there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0
