"""The Cypher made from the ontology: complete, and closed to anything from outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from graph import cypher
from graph.ontology import EDGES, NODES
from graph.store import Rank

GOLDEN = Path(__file__).parents[1] / "golden/cypher.txt"


def rendered() -> str:
    """One of each statement."""
    parts = {
        "constraints and indexes": "\n".join(cypher.schema().values()),
        "find nodes": cypher.find_nodes("Person"),
        "write nodes": cypher.write_nodes("Person", new=True) + "\n" + cypher.write_nodes("Person", new=False),
        "upsert edges": cypher.upsert_edges("USED_DEVICE"),
        "rekey": "\n".join(cypher.rekey("Person")),
        "node": cypher.node("Person"),
        "search": cypher.search(),
        "named": cypher.named(),
        "newest neighbours": cypher.neighbours(Rank.RECENT, filtered=False, totals=False),
        "most connected neighbours, filtered and counted": cypher.neighbours(
            Rank.MOST_CONNECTED, filtered=True, totals=True
        ),
        "size": cypher.size(),
        "count": cypher.count_nodes("Device", since=False) + "\n" + cypher.count_edges("APPLIED", since=True),
        "export nodes": cypher.export_nodes("Device", paged=True) + "\n" + cypher.export_nodes("Device", paged=False),
        "export edges": cypher.export_edges("APPLIED", paged=True) + "\n" + cypher.export_edges("APPLIED", paged=False),
    }
    return "".join(f"// {name}\n{text}\n\n" for name, text in parts.items())


def test_golden_text() -> None:
    """Changed on purpose? `python tests/graph/test_cypher.py` writes it anew."""
    assert rendered() == GOLDEN.read_text(encoding="utf-8")


def test_every_type_has_its_constraints() -> None:
    statements = cypher.schema()
    for name, node in NODES.items():
        expected = f"FOR (n:{name}) REQUIRE n.id IS UNIQUE"
        assert sum(each.endswith(expected) for each in statements.values()) == 1
        searched = f"FOR (n:{name}) ON (n.{'key' if node.kind is None else 'tail'})"
        assert sum(each.endswith(searched) for each in statements.values()) == 1
    assert all(f" {name} IF NOT EXISTS " in text for name, text in statements.items())


def test_no_declaration_uses_a_reserved_name() -> None:
    for node in NODES.values():
        assert not cypher.RESERVED & {each.name for each in node.properties}, node.name
    assert not NODES.keys() & set(cypher.OWN_LABELS)
    assert len({each.lower() for each in (*NODES, *EDGES, *cypher.OWN_LABELS)}) == len(
        (*NODES, *EDGES, *cypher.OWN_LABELS)
    )


def test_names_need_no_quotes() -> None:
    names = [*NODES, *EDGES, *(each.name for node in NODES.values() for each in node.properties)]
    assert [name for name in names if not (name.isascii() and name.isidentifier())] == []


@pytest.mark.parametrize(
    "make",
    [cypher.find_nodes, partial(cypher.write_nodes, new=True), cypher.upsert_edges, cypher.rekey, cypher.node],
)
def test_a_name_the_ontology_lacks_makes_no_statement(make: Callable[[str], object]) -> None:
    with pytest.raises(KeyError):
        make("Person) DETACH DELETE n //")


def test_relations_asked() -> None:
    assert cypher.relations_asked(None, None) is None
    assert cypher.relations_asked(["USED_DEVICE", "x` //"], None) == (["USED_DEVICE"], ["USED_DEVICE"])
    assert cypher.relations_asked(["USED_DEVICE", "APPLIED"], ["Device"]) == (["USED_DEVICE"], [])
    assert cypher.relations_asked(None, ["Nonsense"]) == ([], [])
    assert cypher.relations_asked([], None) == ([], [])


if __name__ == "__main__":
    GOLDEN.write_text(rendered(), encoding="utf-8")
