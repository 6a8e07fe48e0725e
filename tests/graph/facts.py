"""Facts by name, and a snapshot of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graph import snapshot
from graph.ontology import EDGES
from graph.records import DAY, Edge, Node, NodeRef, batch_of, from_millis
from graph.snapshot import Snapshot
from graph.stores import open_store

LATE = from_millis(100_000 * DAY)
Facts = list[Node | Edge]


def node(type_: str, key: str, day: float = 390, **properties: Any) -> Node:
    return Node(NodeRef(type_, key), round(day * DAY), "", properties)


def edge(type_: str, source: str, target: str, day: float = 390, *, happened: float | None = None) -> Edge:
    """Known on `day`; `happened` then, too, unless said otherwise."""
    kind = EDGES[type_]
    ends = NodeRef(kind.source, source), NodeRef(kind.target, target)
    return Edge(type_, *ends, round((day if happened is None else happened) * DAY), round(day * DAY), "test")


def customer(name: str, day: float = 390, dealer: str = "D1", **person: Any) -> Facts:
    """Person P<name> applies as A<name> for car V<name>."""
    return [
        node("Application", f"A{name}", day, submitted_at=round(day * DAY), amount=100_000.0),
        node("Person", f"P{name}", day, **person),
        edge("APPLIED", f"P{name}", f"A{name}", day),
        edge("FINANCES", f"A{name}", f"V{name}", day),
        edge("SOLD_BY", f"A{name}", dealer, day),
    ]


def taken(folder: Path, facts: Facts) -> Snapshot:
    with open_store(f"sqlite:///{folder / 'graph.sqlite'}") as store:
        nodes = [each for each in facts if isinstance(each, Node)]
        edges = [each for each in facts if isinstance(each, Edge)]
        store.write(batch_of(f"facts-{len(store.batches())}", nodes, edges))
        return snapshot.build(store, as_of=LATE)
