"""hetero_data: the ontology's graph as tensors, and nothing from after `as_of`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from gnn.models.hetero import FEATURES, hetero_data
from graph.ontology import EDGES, NODES
from graph.records import Edge, Node, NodeRef, batch_of, from_millis
from graph.snapshot import Snapshot, build, refresh
from graph.stores import open_store

A1, A2 = NodeRef("Application", "A1"), NodeRef("Application", "A2")
PHONE, DEVICE = NodeRef("Phone", "phone-1"), NodeRef("Device", "device-1")
LATE = datetime(2030, 1, 1, tzinfo=UTC)
CANARY = 987_654.0

NODE_ROWS = (
    Node(A1, 100, "", {"amount": 80_000.0, "auto_limit_flag": True, "submitted_at": 100, "decided_at": 150}),
    Node(A2, 300, "", {"amount": CANARY, "submitted_at": 300}),
)
EDGE_ROWS = (
    Edge("USED_DEVICE", A1, DEVICE, 100, 100, "app"),
    Edge("CONTACT_OF", PHONE, A1, 100, 200, "contacts", ref="friend"),
    Edge("USED_DEVICE", A2, DEVICE, 300, 300, "app"),
)


@pytest.fixture
def snapshot(tmp_path: Path) -> Iterator[Snapshot]:
    with open_store(f"sqlite:///{tmp_path / 'graph.sqlite'}") as store:
        store.write(batch_of("b1", NODE_ROWS, EDGE_ROWS))
        yield build(store, as_of=LATE)


def test_the_whole_ontology_is_there_even_where_it_is_empty(snapshot: Snapshot) -> None:
    graph = hetero_data(snapshot, as_of=LATE)
    assert set(graph.node_types) == set(NODES)
    assert set(graph.edge_types) == {(each.source, each.name, each.target) for each in EDGES.values()}
    assert graph["Application"].num_nodes == 2
    assert graph["Vehicle"].num_nodes == 0
    assert graph["Application", "USED_DEVICE", "Device"].edge_index.tolist() == [[0, 1], [0, 0]]
    assert graph["Application", "USED_DEVICE", "Device"].edge_time.tolist() == [100, 300]
    assert graph.validate()


def test_what_is_not_stated_is_zero_and_masked(snapshot: Snapshot) -> None:
    application = hetero_data(snapshot, as_of=LATE)["Application"]
    stated = {name for name, mask in zip(FEATURES, application.mask[0].tolist(), strict=True) if mask}
    assert stated == {"amount", "auto_limit_flag"}
    assert application.x[0, FEATURES.index("amount")] == 80_000
    assert application.x[0][application.mask[0] == 0].abs().sum() == 0


@pytest.mark.parametrize("as_of", [99, 100, 199, 200, 299, 300])
def test_nothing_known_later_is_visible(snapshot: Snapshot, as_of: int) -> None:
    graph = hetero_data(snapshot, as_of=from_millis(as_of))
    times = [graph[each].edge_time for each in graph.edge_types] + [graph[each].time for each in graph.node_types]
    assert all((each <= as_of).all() for each in times)
    assert (CANARY in graph["Application"].x) == (as_of >= 300)
    assert graph["Phone", "CONTACT_OF", "Application"].edge_index.shape[1] == (as_of >= 200)


def test_properties_that_are_known_later_are_no_features() -> None:
    dated = {each.name for each in NODES["Application"].properties if each.dated_by}
    assert {"override_flag", "funded_at"} <= dated
    assert not dated & set(FEATURES)


def test_rows_since_are_included_and_indices_lead_back(tmp_path: Path) -> None:
    """A row that arrives late with an early date comes last in the snapshot, so a prefix would miss it."""
    early = NodeRef("Application", "A0")
    with open_store(f"sqlite:///{tmp_path / 'graph.sqlite'}") as store:
        store.write(batch_of("b1", NODE_ROWS, EDGE_ROWS))
        base = build(store, as_of=from_millis(1_000))
        store.write(
            batch_of("b2", [Node(early, 50, "", {"amount": 5.0})], [Edge("USED_DEVICE", early, DEVICE, 50, 50, "app")])
        )
        snapshot = refresh(base, store, as_of=LATE)
    graph = hetero_data(snapshot, as_of=from_millis(120))
    assert graph["Application"].index.tolist() == [0, 2]
    assert graph["Application"].x[:, FEATURES.index("amount")].tolist() == [80_000, 5]
    assert graph["Application", "USED_DEVICE", "Device"].edge_time.tolist() == [50, 100]
    sources = graph["Application", "USED_DEVICE", "Device"].edge_index[0].numpy()
    keys = np.array(snapshot.nodes["Application"].table["key"].to_pylist())[graph["Application"].index.numpy()[sources]]
    assert keys.tolist() == ["A0", "A1"]
