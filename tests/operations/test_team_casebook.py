"""A casebook on PostgreSQL: what a server does otherwise than a file, and its rows on the way there and back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pg8000.core
import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    delete,
    func,
    insert,
    select,
    text,
    update,
)

from graph.errors import InputError, StoreBusy, StoreError
from tests.workbench.conftest import Cluster
from workbench.casebook import copies, opening
from workbench.casebook.opening import Casebook, CasebookError
from workbench.casebook.people_tables import sessions, users
from workbench.casebook.tables import UtcTime, metadata, overrides

NOW = datetime(2026, 3, 2, 1, 30, 0, 123456, tzinfo=UTC)


@pytest.fixture
def team(postgres: Cluster) -> Iterator[Casebook]:
    postgres.empty()
    with Casebook.open(postgres.address) as casebook:
        yield casebook


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Casebook]:
    with Casebook.open(f"sqlite:///{tmp_path / 'casebook.sqlite'}") as casebook:
        yield casebook


WORDS = ("b 王\u0301 🙂 '\"\\\n", "B ä", "a-b")
"""Dictionaries sort them otherwise than code points do."""


ENDS: tuple[tuple[Any, tuple[Any, Any, Any]], ...] = (
    (UtcTime, tuple(NOW + timedelta(days=each, microseconds=each) for each in range(3))),
    (Boolean, (False, True, False)),
    (Float, (0.1 + 0.2, 1e-300, -1.7976931348623157e308)),
    (LargeBinary, (b"", bytes(range(256)), b"\\x00")),
    (JSON, ({"王": [0.1, None, True, 2**53], "b": {}, "a": WORDS[0]}, [], "")),
)


def filled(casebook: Casebook) -> None:
    """Rows in every table there is: texts of every script, numbers at their ends, everything that may be missing."""
    with casebook.writing() as db:
        for table in metadata.sorted_tables:
            for number in range(len(WORDS)):
                db.execute(insert(table).values({each.name: value(each, number) for each in table.columns}))


def value(column: Column[Any], number: int) -> object:
    if column.nullable and number == 1:
        return None
    if column.foreign_keys:
        return value(next(iter(column.foreign_keys)).column, number)
    if isinstance(column.type, Integer):
        return number + 1 if column.primary_key else 2**31 - 1 - number
    for kind, values in ENDS:
        if isinstance(column.type, kind):
            return values[number]
    return WORDS[number][: getattr(column.type, "length", None)]


def fingerprint(casebook: Casebook) -> dict[str, str]:
    with casebook.reading() as db:
        return dict(copies.fingerprint(db))


# There and back -------------------------------------------------------------------------------------------


def test_a_growing_team_takes_its_casebook_along_and_could_go_back(
    file: Casebook, team: Casebook, tmp_path: Path
) -> None:
    filled(file)
    copies.copy_to(file, tmp_path / "from-file")
    copies.copy_from(team, tmp_path / "from-file")
    copies.copy_to(team, tmp_path / "from-team")
    with Casebook.open(f"sqlite:///{tmp_path / 'again'}") as again:
        copies.copy_from(again, tmp_path / "from-team")
        assert fingerprint(file) == fingerprint(team) == fingerprint(again)
        assert all(each.startswith("3-") for each in fingerprint(file).values())
    copies.copy_from(team, tmp_path / "from-file")
    with team.writing() as db:
        db.execute(update(overrides).where(overrides.c.id == 3).values(reason="another"))
    with pytest.raises(InputError, match="not empty"):
        copies.copy_from(team, tmp_path / "from-file")


def test_what_a_server_does_not_keep_is_not_restored(
    file: Casebook, team: Casebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here it would lose a row of each table; the casebook is as empty as before."""
    filled(file)
    copies.copy_to(file, tmp_path / "copy")
    rows = copies._rows
    with monkeypatch.context() as lossy:
        lossy.setattr(
            copies, "_copy", lambda source, target: target.execute(insert(users), next(rows(source, users))[1:])
        )
        with pytest.raises(CasebookError, match="did not keep"):
            copies.copy_from(team, tmp_path / "copy")
    copies.copy_from(team, tmp_path / "copy")
    assert fingerprint(team) == fingerprint(file)


def test_a_copy_is_of_one_moment(team: Casebook) -> None:
    """On a file that is so by itself; a server shows each statement what was written since the last one."""
    filled(team)
    with team.reading() as db:
        before = copies.fingerprint(db)
        with team.writing() as other:
            other.execute(delete(sessions))
        assert copies.fingerprint(db) == before
    assert fingerprint(team) != before


# A server ------------------------------------------------------------------------------------------------


def test_two_write_one_after_the_other(team: Casebook) -> None:
    """The second counts on from what the first one wrote, though it began before that was there."""
    entered = threading.Event()

    def second() -> None:
        entered.set()
        with team.writing() as db:
            db.execute(insert(overrides).values(_next(db)))

    with ThreadPoolExecutor(1) as threads, team.writing() as db:
        waiting = threads.submit(second)
        assert entered.wait(10)
        until_somebody_waits(team)
        db.execute(insert(overrides).values(_next(db)))
        db.commit()
        waiting.result(timeout=30)
    with team.reading() as db:
        assert sorted(db.execute(select(overrides.c.id)).scalars()) == [1, 2]


def _next(db: Connection) -> dict[str, object]:
    newest = db.execute(select(func.max(overrides.c.id))).scalar() or 0
    return {each.name: value(each, 0) for each in overrides.columns} | {"id": newest + 1}


def until_somebody_waits(team: Casebook) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(200):
        with team.reading() as db:
            if db.execute(waiting).scalar():
                return
        time.sleep(0.05)
    pytest.fail("nobody waits")


def test_who_waits_too_long_is_told(team: Casebook, postgres: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "WAIT_SECONDS", 0.1)
    with team.writing(), Casebook.open(postgres.address) as other:
        assert fingerprint(other)
        with pytest.raises(StoreBusy, match="another process"), other.writing():
            pass


def test_a_server_that_was_started_again_breaks_nothing(team: Casebook, postgres: Cluster) -> None:
    filled(team)
    before = fingerprint(team)
    postgres.hang_up()
    assert fingerprint(team) == before
    with pytest.raises(StoreError):
        cut_off(team, postgres)
    assert fingerprint(team) == before


@pytest.mark.parametrize("answers", [0, 4], ids=["before anything is asked", "at a statement"])
def test_a_connection_that_breaks_in_the_network_is_one_line(
    team: Casebook, monkeypatch: pytest.MonkeyPatch, answers: int
) -> None:
    """The driver lets such a fault through as the system's own."""
    before = fingerprint(team)
    read, left = pg8000.core._read, [answers * 10]

    def breaks_once(*given: Any) -> Any:
        left[0] -= 1
        if left[0] == -1:
            raise ConnectionResetError(104, "Connection reset by peer")
        return read(*given)

    monkeypatch.setattr(pg8000.core, "_read", breaks_once)
    if answers:
        with pytest.raises(StoreError, match="the connection broke"):
            fingerprint(team)
    assert fingerprint(team) == before
    assert left[0] < -1


def cut_off(team: Casebook, postgres: Cluster) -> None:
    with team.writing() as db:
        db.execute(delete(sessions))
        postgres.hang_up()
