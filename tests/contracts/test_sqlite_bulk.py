"""Of SQLite only: the indexes for reading, which a first load makes at its end."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from graph.records import Edge
from graph.stores import open_store
from graph.stores.sqlite_schema import READING
from tests.contracts.facts import A1, D1, LATE, P1, used, write


def indexes(path: Path) -> set[str]:
    with sqlite3.connect(path) as db:
        return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'index'")} & set(READING)


def test_a_first_load_indexes_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "graph.sqlite"
    with open_store(f"sqlite:///{path}") as store:
        assert indexes(path) == set(READING)
        with store.bulk():
            write(store, used(A1, D1, 1))
            assert not indexes(path)
        assert indexes(path) == set(READING)
        with store.bulk():
            assert indexes(path) == set(READING), "later loads are small"


def test_a_load_that_fails_leaves_them_too(tmp_path: Path) -> None:
    path = tmp_path / "graph.sqlite"
    with open_store(f"sqlite:///{path}") as store:
        with pytest.raises(ZeroDivisionError), store.bulk():
            raise ZeroDivisionError
        assert indexes(path) == set(READING)


def test_after_a_load_that_was_killed_reads_are_slow_not_wrong(tmp_path: Path) -> None:
    path = tmp_path / "graph.sqlite"
    with open_store(f"sqlite:///{path}") as store:
        write(store, used(A1, D1, 1), Edge("APPLIED", P1, A1, 1, 1, "x"))
        (before,) = store.neighbours([A1], as_of=LATE, limit=5)
        with sqlite3.connect(path) as db:
            for name in READING:
                db.execute(f"DROP INDEX {name}")
        assert store.neighbours([A1], as_of=LATE, limit=5) == [before]
        assert [each.ref for each in store.search("A1", as_of=LATE, limit=5)] == [A1]
        with store.bulk():
            write(store, used(A1, D1, 1), name="again")
        assert indexes(path) == set(READING)
