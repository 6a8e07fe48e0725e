"""Both stores give the same answers in the same order, whatever was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.digest import digest
from graph.ontology import EDGES
from graph.records import Batch, Edge, NodeRef
from graph.store import GraphStore, Rank
from graph.stores import open_store
from tests.contracts.facts import LATE, at, linked, stated

pytestmark = pytest.mark.neo4j

Fresh = Callable[[], tuple[GraphStore, GraphStore]]

times = st.integers(1, 12)
keys = st.sampled_from(["a", "b", "中", "z'"])
values = st.fixed_dictionaries(
    {},
    optional={
        "Application": st.fixed_dictionaries(
            {}, optional={"amount": st.floats(0, 9), "decided_at": times, "decision": keys}
        ),
        "Person": st.fixed_dictionaries({}, optional={"gender": keys, "birth_year": times}),
        "Device": st.fixed_dictionaries({}, optional={"is_rooted": st.booleans()}),
    },
)


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    nodes = []
    for type_ in draw(st.lists(st.sampled_from(["Application", "Person", "Device"]), max_size=4)):
        properties = draw(values).get(type_, {})
        mask = draw(st.sampled_from(["", "1234"]))
        ref = NodeRef(type_, draw(keys))
        nodes.append(stated(ref, draw(times), known=draw(times), masked=mask, **properties))
    edges = []
    for name in draw(st.lists(st.sampled_from(["APPLIED", "USED_DEVICE", "SAME_VOICE"]), max_size=8)):
        ends = NodeRef(EDGES[name].source, draw(keys)), NodeRef(EDGES[name].target, draw(keys))
        until = draw(st.none() | times)
        facts = {
            "ref": draw(st.sampled_from(["", "x"])),
            "valid_to": until,
            "confidence": draw(st.sampled_from([0.5, 1.0])),
        }
        edges.append(Edge(name, *ends, draw(times), draw(times), draw(st.sampled_from("pq")), **facts))
    return Batch("", "x", nodes, linked(*edges))


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fresh]:
    """Two empty stores, again and again."""
    server = request.getfixturevalue("neo4j_server")
    file = tmp_path / "graph.sqlite"
    opened: list[GraphStore] = [server.open()]

    def make() -> tuple[GraphStore, GraphStore]:
        while len(opened) > 1:
            opened.pop().close()
        for each in tmp_path.glob("graph.sqlite*"):
            each.unlink()
        server.clear()
        opened.append(open_store(f"sqlite:///{file}"))
        return opened[1], opened[0]

    yield make
    for each in opened:
        each.close()
    server.clear()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
@given(
    written=st.lists(batches(), min_size=1, max_size=4), when=times, limit=st.integers(1, 4), rank=st.sampled_from(Rank)
)
def test_same_answers(fresh: Fresh, written: list[Batch], when: int, limit: int, rank: Rank) -> None:
    stores = fresh()
    for store in stores:
        for number, batch in enumerate(written):
            store.write(Batch(f"b{number}", "x", batch.nodes, batch.edges))
    sqlite, neo4j = (_answers(store, when, limit, rank) for store in stores)
    for name, answer in sqlite.items():
        assert neo4j[name] == answer, name


def _answers(store: GraphStore, when: int, limit: int, rank: Rank) -> dict[str, object]:
    types = ("Application", "Person", "Device", "VoiceCluster")
    refs = [NodeRef(type_, key) for type_ in types for key in ("a", "b", "中", "z'")]
    around = store.neighbours(refs, as_of=at(when), limit=limit, rank=rank)
    recent = store.neighbours(
        refs, as_of=LATE, limit=limit, since=at(3), until=at(when), types=["Application", "VoiceCluster"]
    )
    return {
        "nodes": [store.search(text, as_of=at(when), limit=limit) for text in ("a", "中", "1234")],
        "neighbours": [(each.links, each.totals, each.masked) for each in around],
        "filtered": [(each.links, each.totals, each.masked) for each in recent],
        "size": store.size(),
        "batches": store.batches(),
        "digest": digest(store),
    }
