"""A workbench with nobody in it yet, quick to make: one casebook is upgraded once and copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from argon2 import PasswordHasher

from graph.settings import Settings
from workbench.casebook import people
from workbench.casebook.opening import Casebook
from workbench.services.access import passwords
from workbench.services.office import Office
from workbench.services.permissions import Person, Role

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)


@cache
def _blank() -> Path:
    file = Path(mkdtemp(prefix="ringroad-door-")) / "casebook.sqlite"
    with Casebook.open(f"sqlite:///{file}"):
        pass
    return file


@contextmanager
def opened(home: Path, clock: Callable[[], datetime]) -> Iterator[Office]:
    home.mkdir(exist_ok=True, parents=True)
    if not (home / "casebook.sqlite").exists():
        shutil.copy(_blank(), home / "casebook.sqlite")
    with Office(Settings.read({"RINGROAD_HOME": str(home)}), clock=clock) as office:
        yield office


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real parameters take a tenth of a second each time."""
    monkeypatch.setattr(passwords, "HASHER", CHEAP)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    with opened(tmp_path / "home", clock) as made:
        yield made


def user(office: Office, name: str, role: Role, password: str = "quiet-harbour-lantern-19") -> Person:
    """Who has chosen a password."""
    with office.casebook.writing() as db:
        people.add(
            db, name=name, display_name=name.title(), role=role, language="en", author="test", now=office.clock(),
            password_hash=passwords.hashed(password),
        )  # fmt: skip
        people.change(db, name, must_change=0)
    return Person(name, name.title(), role)
