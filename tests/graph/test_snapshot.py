"""The arrays say what the store says, as of any time, in whatever order the facts came."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from graph import snapshot
from graph.errors import NodeNotFound, SnapshotError
from graph.ontology import EDGES
from graph.records import Edge, Node, NodeRef, batch_of, from_millis
from graph.snapshot import Snapshot
from graph.store import GraphStore
from graph.stores import open_store

LATE = from_millis(10_000)


def facts(seed: int = 1) -> list[Edge]:
    """Two hundred edges of four relations, known a little after they happened."""
    chance = random.Random(seed)
    relations = ("USED_DEVICE", "APPLIED", "CONTACT_OF", "SAME_VOICE")
    edges = {}
    for _ in range(200):
        relation = EDGES[chance.choice(relations)]
        source, target = (
            NodeRef(type_, f"{type_}-{chance.randrange(12)}") for type_ in (relation.source, relation.target)
        )
        event = chance.randrange(1, 5000)
        ref = chance.choice(["", "friend"]) if relation.ref else ""
        edge = Edge(relation.name, source, target, event, event + chance.randrange(3000), "test", ref, confidence=0.9)
        edges[edge.type, source, target, ref] = edge
    return list(edges.values())


def described(edges: Sequence[Edge]) -> list[Node]:
    ends = sorted({end for edge in edges for end in (edge.source, edge.target)})
    return [
        Node(end, 1 + at * 50, "", {"amount": 5.0} if end.type == "Application" else {}) for at, end in enumerate(ends)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GraphStore]:
    with open_store(f"sqlite:///{tmp_path / 'graph.sqlite'}") as opened:
        edges = facts()
        opened.write(batch_of("nodes", described(edges)))
        opened.write(batch_of("edges", edges=edges))
        yield opened


def told(snap: Snapshot, *, as_of: int) -> dict[str, set[tuple[Any, ...]]]:
    """Everything a snapshot says as of a time, by key instead of by index."""
    out = {}
    for relation, edge in EDGES.items():
        ends = [snap.nodes[type_].table["key"].to_pylist() for type_ in (edge.source, edge.target)]
        columns = snap.columns(relation, as_of=as_of)
        rows = zip(*(columns[name].tolist() for name in snapshot.COLUMNS), strict=True)
        listed = [(ends[0][row[0]], ends[1][row[1]], *row[2:]) for row in rows]
        assert len(listed) == len(set(listed)), "told twice"
        out[relation] = set(listed)
    return out


def walked(snap: Snapshot, *, as_of: int) -> dict[tuple[Any, ...], list[str]]:
    """The ends of every node's links, which must agree with the columns."""
    out = {}
    for relation, edge in EDGES.items():
        for outgoing, here, there in ((True, edge.source, edge.target), (False, edge.target, edge.source)):
            keys = snap.nodes[there].table["key"].to_pylist()
            for index, key in enumerate(snap.nodes[here].table["key"].to_pylist()):
                ends = snap.links(relation, index, outgoing=outgoing, as_of=as_of)
                out[relation, outgoing, key] = sorted(keys[end] for end in ends.tolist())
    return out


@pytest.mark.parametrize("at", [0, 1000, 2500, 4000, 7999])
def test_a_prefix_is_the_snapshot_of_that_time(store: GraphStore, at: int) -> None:
    whole, then = snapshot.build(store, as_of=LATE), snapshot.build(store, as_of=from_millis(at))
    early = {relation: {row for row in rows if row} for relation, rows in told(whole, as_of=at).items()}
    known = {ref.key for ref in _refs(then)}
    assert told(then, as_of=at) == {
        relation: {row for row in rows if row[0] in known and row[1] in known} for relation, rows in early.items()
    }
    for key, ends in walked(then, as_of=at).items():
        assert [end for end in walked(whole, as_of=at)[key] if end in known] == ends
        break
    for nodes in then.nodes.values():
        assert all(moment <= at for moment in nodes.known_at.tolist())


def _refs(snap: Snapshot) -> list[NodeRef]:
    return [NodeRef(name, key) for name, nodes in snap.nodes.items() for key in nodes.table["key"].to_pylist()]


@pytest.mark.parametrize("at", [1500, 4000, 9999])
def test_links_are_the_store_s_neighbours(store: GraphStore, at: int) -> None:
    snap = snapshot.build(store, as_of=LATE)
    links = walked(snap, as_of=at)
    refs = _refs(snap)
    for ref, around in zip(refs, store.neighbours(refs, as_of=from_millis(at), limit=1000), strict=True):
        theirs: dict[tuple[Any, ...], list[str]] = {}
        for link in around.links:
            theirs.setdefault((link.type, link.outgoing, ref.key), []).append(link.other.key)
        ours = {key: ends for key, ends in links.items() if key[2] == ref.key and ends and _is_end(key, ref)}
        assert ours == {key: sorted(ends) for key, ends in theirs.items()}


def _is_end(key: tuple[Any, ...], ref: NodeRef) -> bool:
    return (EDGES[key[0]].source if key[1] else EDGES[key[0]].target) == ref.type


def test_the_order_of_arrival_changes_nothing(tmp_path: Path) -> None:
    digests = set()
    for order in range(3):
        edges = facts()
        random.Random(order).shuffle(edges)
        nodes = batch_of("nodes", [replace(node, known_at=1) for node in described(facts())])
        batches = [nodes, *(batch_of(f"edges-{at}", edges=edges[at : at + 17]) for at in range(0, len(edges), 17))]
        with open_store(f"sqlite:///{tmp_path / str(order)}.sqlite") as store:
            for batch in batches[:: -1 if order else 1]:
                store.write(batch)
            digests.add(snapshot.build(store, as_of=LATE).digest())
    assert len(digests) == 1


def test_a_fact_more_is_another_digest(store: GraphStore) -> None:
    before = snapshot.build(store, as_of=LATE).digest()
    store.write(batch_of("more", [Node(NodeRef("Phone", "one-more"), 5, "")]))
    assert snapshot.build(store, as_of=LATE).digest() != before


def test_saved_and_opened(store: GraphStore, tmp_path: Path) -> None:
    built = snapshot.build(store, as_of=LATE)
    for _ in range(2):  # the second time over the first
        snapshot.save(built, tmp_path / "snapshot")
    read = snapshot.open_snapshot(tmp_path / "snapshot")
    assert (read.digest(), read.as_of, read.sequence) == (built.digest(), built.as_of, built.sequence)
    assert walked(read, as_of=4000) == walked(built, as_of=4000)
    assert {each.name for each in tmp_path.iterdir() if "sqlite" not in each.name} == {"snapshot"}, "nothing is left"


def test_an_unknown_node(store: GraphStore) -> None:
    with pytest.raises(NodeNotFound):
        snapshot.build(store, as_of=LATE).index(NodeRef("Phone", "nobody"))


def test_damaged_snapshots(store: GraphStore, tmp_path: Path) -> None:
    folder = tmp_path / "snapshot"
    with pytest.raises(SnapshotError):
        snapshot.open_snapshot(folder)
    snapshot.save(snapshot.build(store, as_of=LATE), folder)
    about = json.loads((folder / "snapshot.json").read_text())
    for name in ("snapshot.json", "nodes-Application.arrow", "edges-APPLIED.arrow", "in_start-APPLIED.arrow"):
        whole = (folder / name).read_bytes()
        for content in (b"", b"nonsense", whole[: len(whole) // 2], None):
            (folder / name).unlink()
            if content is not None:
                (folder / name).write_bytes(content)
            with pytest.raises(SnapshotError):
                snapshot.open_snapshot(folder)
            (folder / name).write_bytes(whole)
    for change in ({"format": 0}, {"ontology": "another"}):
        (folder / "snapshot.json").write_text(json.dumps(about | change))
        with pytest.raises(SnapshotError, match="another version"):
            snapshot.open_snapshot(folder)
    for content in ("[]", "{}", '"text"', json.dumps({**about, "as_of": None})):
        (folder / "snapshot.json").write_text(content)
        with pytest.raises(SnapshotError):
            snapshot.open_snapshot(folder)


# Refresh -----------------------------------------------------------------------------------------------


def refreshed(store: GraphStore, before: Snapshot, at: datetime = LATE) -> Snapshot:
    """Refreshed, and the same as built anew."""
    after, anew = snapshot.refresh(before, store, as_of=at), snapshot.build(store, as_of=at)
    for moment in (1000, 4000, 9999):
        assert told(after, as_of=moment) == told(anew, as_of=moment)
        ours = walked(after, as_of=moment)
        assert ours == walked(anew, as_of=moment)
    assert after.sequence == anew.sequence
    return after


def test_rows_since_are_seen_without_a_rebuild(store: GraphStore) -> None:
    snap = snapshot.build(store, as_of=LATE)
    for round_ in range(3):
        new = NodeRef("Application", f"new-{round_}")
        device = NodeRef("Device", f"Device-{round_}")
        store.write(batch_of(f"new-{round_}", edges=[Edge("USED_DEVICE", new, device, 3000, 3500, "test")]))
        snap = refreshed(store, snap)
        assert snap.index(new) == len(snap.nodes["Application"]) - 1


def test_an_edge_told_again_earlier_is_not_doubled(store: GraphStore) -> None:
    snap = snapshot.build(store, as_of=LATE)
    for round_, shift in enumerate((100, 200)):
        again = [
            replace(edge, event_time=edge.event_time - shift, known_at=edge.known_at - shift) for edge in facts()[::7]
        ]
        store.write(batch_of(f"again-{round_}", edges=[edge for edge in again if edge.event_time > 0]))
        snap = refreshed(store, snap)


def test_an_edge_of_a_new_node_told_again(store: GraphStore) -> None:
    snap = snapshot.build(store, as_of=LATE)
    edge = Edge("USED_DEVICE", NodeRef("Application", "new"), NodeRef("Device", "new"), 3000, 3500, "test")
    for known in (3500, 3400, 3300):
        store.write(batch_of(f"known-{known}", edges=[replace(edge, known_at=known)]))
        snap = refreshed(store, snap)


def test_what_is_known_later_comes_with_a_later_refresh(store: GraphStore) -> None:
    """Rows that lie in the future of one refresh must not be lost to the next."""
    early, snap = from_millis(2000), snapshot.build(store, as_of=from_millis(2000))
    snap = refreshed(store, snap, early)
    refreshed(store, snap)


def test_a_snapshot_cannot_go_back(store: GraphStore) -> None:
    with pytest.raises(SnapshotError):
        snapshot.refresh(snapshot.build(store, as_of=LATE), store, as_of=from_millis(5))


def test_a_refreshed_snapshot_is_not_saved(store: GraphStore, tmp_path: Path) -> None:
    snap = snapshot.build(store, as_of=LATE)
    store.write(batch_of("new", edges=[replace(facts()[0], source=NodeRef(facts()[0].source.type, "new"))]))
    with pytest.raises(SnapshotError):
        snapshot.save(snapshot.refresh(snap, store, as_of=LATE), tmp_path / "snapshot")
