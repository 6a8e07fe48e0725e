"""`casebook` on SQLite and on a real PostgreSQL, as for the workbench; and a clock that is set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.service.conftest import home
from tests.workbench.conftest import casebook, open_casebook, postgres
from workbench.casebook.opening import Casebook

__all__ = ["NIGHT", "Clock", "casebook", "home", "open_casebook", "postgres"]

NIGHT = datetime(2025, 7, 1, 17, 30, tzinfo=UTC)
"""Half past one on the second of July, in China."""


@dataclass
class Clock:
    """It stands still until it is moved."""

    now: datetime = NIGHT

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def open_sqlite(tmp_path: Path) -> Iterator[Casebook]:
    with Casebook.open(f"sqlite:///{tmp_path / 'casebook.sqlite'}") as opened:
        yield opened
