"""What the score service can be told by its environment; each line of `.env.example` says what a wrong value does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from graph.errors import InputError
from graph.settings import Settings
from workbench.online.places import desks

HOUR = 3_600_000


@dataclass(frozen=True)
class ServiceSettings:
    """`stale_hours`: an older graph is degraded. `refresh_hours`: the keeper makes a new one when it is as old.
    `patience_ms`: the longest wait that a request is let in for. `deadline_ms`: an answer comes by then, or a refusal.
    `floor_mb`: free space below which the service is not ready.
    """

    base: Settings
    stale_hours: float = 72.0
    refresh_hours: float = 24.0
    patience_ms: float = 30.0
    deadline_ms: float = 200.0
    floor_mb: float = 200.0

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> ServiceSettings:
        return cls(
            base=Settings.read(environ),
            stale_hours=_number(environ, "RINGROAD_STALE_HOURS", cls.stale_hours, 0.01, 8760),
            refresh_hours=_number(environ, "RINGROAD_REFRESH_HOURS", cls.refresh_hours, 0.01, 8760),
            patience_ms=_number(environ, "RINGROAD_PATIENCE_MS", cls.patience_ms, 1, 10_000),
            deadline_ms=_number(environ, "RINGROAD_DEADLINE_MS", cls.deadline_ms, 5, 60_000),
            floor_mb=_number(environ, "RINGROAD_FLOOR_MB", cls.floor_mb, 0, 1e6),
        )

    @property
    def journal_file(self) -> Path:
        return self.base.home / "journal.sqlite"

    @property
    def desks(self) -> Path:
        return desks(self.base)


def _number(environ: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise InputError(f"{name}={text!r} is no number from {low:g} to {high:g}")
    return value
