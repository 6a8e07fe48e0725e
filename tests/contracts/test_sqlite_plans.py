"""Searches of the SQLite store go through the indexes made for them: without, each reads the whole graph."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from graph.records import NodeRef, batch_of
from graph.store import GraphStore
from graph.stores.sqlite import SqliteStore
from tests.contracts.facts import LATE, node


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda store: store.search("A1", as_of=LATE, limit=5, types=["Application"]), "node_key"),
        (lambda store: store.search("1234", as_of=LATE, limit=5, types=["Phone", "Person"]), "node_tail"),
        (lambda store: store.named("启明", as_of=LATE, limit=5, types=["Employer"]), "node_name"),
        (lambda store: store.named("91310102MA8939297C", as_of=LATE, limit=5, types=["Dealer"]), "node_uscc"),
        (lambda store: store.named("沪A***12", as_of=LATE, limit=5, types=["Vehicle"]), "node_plate"),
    ],
)
def test_a_search_uses_its_index(tmp_path: Path, ask: Callable[[GraphStore], object], index: str) -> None:
    with SqliteStore.open(tmp_path / "graph.sqlite") as store:
        facts = [node(NodeRef("Employer", "E1"), name="启明物流"), node(NodeRef("Phone", "p"), masked="139****1234")]
        store.write(batch_of("b", facts))
        asked: list[str] = []
        store._db.set_trace_callback(asked.append)
        ask(store)
        store._db.set_trace_callback(None)
    db = sqlite3.connect(tmp_path / "graph.sqlite")
    plans = [[row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {each}")] for each in asked if " FROM node" in each]
    db.close()
    assert plans
    assert any(index in plan[0] for plan in plans)
    for plan in plans:
        assert plan[0].startswith("SEARCH node USING INDEX node_"), plan
        assert "node_batch" not in plan[0]
