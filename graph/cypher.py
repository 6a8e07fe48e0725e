"""The ontology as Cypher. Pure: text in, text out, no driver.

Labels and relation types come from the ontology and nowhere else; every value is a
parameter. Whatever a caller passes can select a statement, never become part of one.
"""

from __future__ import annotations

from collections.abc import Iterable

from graph.ontology import EDGES, NODES, EdgeType, NodeType
from graph.store import Rank

RESERVED = frozenset({"id", "key", "masked", "tail", "known_at", "updated_at", "clocks", "batch"})
"""What a node carries besides its declared properties. No declaration may use these names."""

OWN_LABELS = ("EventBlock", "LoadMark", "LoadCounter")
LINK = "type(r), {other}.id, r.ref, r.event_time, r.known_at, r.valid_to, r.origin, r.confidence"

# Only one loader at a time gets past the first statement of its transaction: it writes to the one counter.
LOCK = (
    "MERGE (c:LoadCounter {name: 'batches'}) ON CREATE SET c.value = 0"
    " SET c.held = true RETURN c.value AS value"
)
COUNT = "MATCH (c:LoadCounter {name: 'batches'}) SET c.value = $sequence"
FIND_MARK = "MATCH (m:LoadMark {id: $id}) RETURN m.digest AS digest, m.writer AS writer"
CREATE_MARK = (
    "CREATE (:LoadMark {id: $id, digest: $digest, sequence: $sequence, nodes: $nodes, edges: $edges,"
    " writer: $writer})"
)
MARKS = (
    "MATCH (m:LoadMark) RETURN m.sequence AS sequence, m.id AS id, m.digest AS digest, m.nodes AS nodes,"
    " m.edges AS edges ORDER BY m.sequence"
)
CREATE_BLOCKS = (
    "UNWIND $blocks AS block CREATE (:EventBlock {kind: $kind, batch: $batch, part: block[0], rows: block[1],"
    " payload: block[2]})"
)
BLOCKS = (
    "MATCH (b:EventBlock {kind: $kind}) WHERE b.batch > $after RETURN b.payload AS payload, b.batch AS batch,"
    " b.part AS part ORDER BY batch, part"
)
REPLACE_BLOCK = "MATCH (b:EventBlock {kind: $kind, batch: $batch, part: $part}) SET b.payload = $payload"
KINDS = "MATCH (b:EventBlock) RETURN b.kind AS name, sum(b.rows) AS many ORDER BY name"


def schema() -> dict[str, str]:
    """Name of each constraint and index -> the statement that makes it."""
    statements: dict[str, str] = {}
    for node in NODES.values():
        statements |= _node_schema(node)
    for edge in EDGES.values():
        name = f"{edge.name.lower()}_batch"
        statements[name] = f"CREATE INDEX {name} IF NOT EXISTS FOR ()-[r:{edge.name}]-() ON (r.batch)"
    for label, key in (("LoadMark", "id"), ("LoadCounter", "name")):
        statements |= _unique(label, key)
    statements["eventblock_kind"] = (
        "CREATE INDEX eventblock_kind IF NOT EXISTS FOR (n:EventBlock) ON (n.kind, n.batch, n.part)"
    )
    return statements


def _node_schema(node: NodeType) -> dict[str, str]:
    indexed = ("batch",) if node.kind is None else ("batch", "tail")
    names = {f"{node.name.lower()}_{each}": each for each in indexed}
    indexes = {
        name: f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{node.name}) ON (n.{each})"
        for name, each in names.items()
    }
    return _unique(node.name, "key") | _unique(node.name, "id") | indexes


def _unique(label: str, key: str) -> dict[str, str]:
    name = f"{label.lower()}_{key}"
    return {name: f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"}


# Writing -------------------------------------------------------------------------------------------


def find_nodes(type_: str) -> str:
    return f"UNWIND $ids AS id MATCH (n:{NODES[type_].name} {{id: id}}) RETURN properties(n) AS row"


def upsert_nodes(type_: str) -> str:
    """`$rows` hold what the node shall be: merged before, since only one loader writes at a time."""
    return f"UNWIND $rows AS row MERGE (n:{NODES[type_].name} {{key: row.key}}) SET n += row"


def upsert_edges(type_: str) -> str:
    """Ends first, then the relation: the one-statement form silently drops relations on some engines.

    A row is [source, target, ref, event_time, known_at, valid_to, confidence].
    The order of the SET items matters: each sees what the one before it wrote.
    """
    edge = EDGES[type_]
    earlier = "row[4] < r.known_at OR (row[4] = r.known_at AND $origin < r.origin)"
    changed = f"row[3] < r.event_time OR {earlier} OR row[5] > r.valid_to OR row[6] > r.confidence"
    return (
        f"UNWIND $rows AS row MATCH (a:{edge.source} {{id: row[0]}}) MATCH (b:{edge.target} {{id: row[1]}})"
        f" MERGE (a)-[r:{edge.name} {{ref: row[2]}}]->(b)"
        " ON CREATE SET r.event_time = row[3], r.known_at = row[4], r.valid_to = row[5],"
        " r.confidence = row[6], r.origin = $origin, r.batch = $batch"
        f" ON MATCH SET r.batch = CASE WHEN {changed} THEN $batch ELSE r.batch END,"
        f" r.origin = CASE WHEN {earlier} THEN $origin ELSE r.origin END,"
        " r.event_time = CASE WHEN row[3] < r.event_time THEN row[3] ELSE r.event_time END,"
        " r.known_at = CASE WHEN row[4] < r.known_at THEN row[4] ELSE r.known_at END,"
        " r.valid_to = CASE WHEN row[5] > r.valid_to THEN row[5] ELSE r.valid_to END,"
        " r.confidence = CASE WHEN row[6] > r.confidence THEN row[6] ELSE r.confidence END"
    )


def rekey(type_: str) -> tuple[str, str]:
    """Away, then home: old and new keys may overlap, and uniqueness is checked row by row."""
    label = NODES[type_].name
    away = f"MATCH (n:{label} {{id: row[0]}}) SET n.id = -1 - row[1], n.key = '\\u0000' + row[2]"
    home = f"MATCH (n:{label} {{id: -1 - row[1]}}) SET n.id = row[1], n.key = row[2]"
    return f"UNWIND $rows AS row {away} RETURN count(n) AS many", f"UNWIND $rows AS row {home}"


# Reading -------------------------------------------------------------------------------------------


def node(type_: str) -> str:
    label = NODES[type_].name
    return f"MATCH (n:{label} {{id: $id}}) WHERE n.known_at <= $as_of RETURN properties(n) AS row"


def search(type_: str) -> str:
    """Readable keys by prefix, masked ones by their end; `$tail` is the last four characters of `$text`."""
    kind = NODES[type_]
    found = "n.key STARTS WITH $text" if kind.kind is None else "n.tail = $tail AND n.masked ENDS WITH $text"
    return (
        f"MATCH (n:{kind.name}) WHERE {found} AND n.known_at <= $as_of"
        " RETURN properties(n) AS row ORDER BY n.key LIMIT $limit"
    )


def relations_asked(
    relations: Iterable[str] | None, types: Iterable[str] | None
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """Relations to follow outwards and inwards; None: all. Names the ontology lacks select nothing."""
    if relations is None and types is None:
        return None, None
    named = set(EDGES) if relations is None else set(relations)
    ends = set(NODES) if types is None else set(types)
    asked = [each for each in EDGES.values() if each.name in named]
    return tuple(e.name for e in asked if e.target in ends), tuple(e.name for e in asked if e.source in ends)


def neighbours(
    outwards: tuple[str, ...] | None,
    inwards: tuple[str, ...] | None,
    rank: Rank,
    *,
    bounded: bool,
    totals: bool,
) -> str:
    """One statement for nodes of any type: `$Person`, `$Phone`, … hold their ids."""
    starts = " UNION ALL ".join(
        f"UNWIND ${each} AS id MATCH (a:{each} {{id: id}}) RETURN a" for each in NODES
    )
    parts = [f"CALL () {{ {starts} }}"]
    for name, pattern in (("outgoing", _outwards(outwards)), ("incoming", _inwards(inwards))):
        if pattern is None:
            parts.append(f"WITH *, [] AS {name}, [] AS {name}_totals")
            continue
        where = "r.known_at <= $as_of" + (" AND $since <= r.event_time <= $until" if bounded else "")
        parts.append(f"CALL (a) {{ MATCH {pattern} WHERE {where} {_ranked(rank)} AS {name} }}")
        counted = "WITH type(r) AS type, count(*) AS many RETURN collect([type, many])"
        total = f"CALL (a) {{ MATCH {pattern} WHERE {where} {counted} AS {name}_totals }}"
        parts.append(total if totals else f"WITH *, [] AS {name}_totals")
    return " ".join([*parts, "RETURN a.id AS id, outgoing, outgoing_totals, incoming, incoming_totals"])


def _outwards(relations: tuple[str, ...] | None) -> str | None:
    return None if relations == () else f"(a)-[r{_types(relations)}]->(b)"


def _inwards(relations: tuple[str, ...] | None) -> str | None:
    return None if relations == () else f"(a)<-[r{_types(relations)}]-(b)"


def _types(relations: tuple[str, ...] | None) -> str:
    return "" if relations is None else ":" + "|".join(EDGES[each].name for each in relations)


def _ranked(rank: Rank) -> str:
    ends = ("(b)-[e]->()", "(b)<-[e]-()")
    degree = " + ".join(f"COUNT {{ MATCH {each} WHERE e.known_at <= $as_of }}" for each in ends)
    first = {
        Rank.RECENT: "-r.event_time",
        Rank.OLDEST: "r.event_time",
        Rank.MOST_CONNECTED: f"-({degree})",
        Rank.LEAST_CONNECTED: degree,
    }[rank]
    return (
        f"WITH r, b, {first} AS first ORDER BY first, type(r), b.id, r.ref LIMIT $limit"
        f" RETURN collect([first, {LINK.format(other='b')}, b.key, b.masked])"
    )


def size() -> str:
    """Answered from the counts Neo4j keeps, without touching a node."""
    nodes = [f"MATCH (n:{each}) RETURN true AS node, '{each}' AS name, count(n) AS many" for each in NODES]
    edges = [
        f"MATCH ()-[r:{each}]->() RETURN false AS node, '{each}' AS name, count(r) AS many" for each in EDGES
    ]
    return " UNION ALL ".join(nodes + edges)


# Bulk export ---------------------------------------------------------------------------------------

NODE_COLUMNS = "n.id, n.key, n.masked, n.known_at, n.updated_at, properties(n)"
EDGE_COLUMNS = "a.id, b.id, r.ref, r.event_time, r.known_at, r.valid_to, r.confidence, r.origin"


def export_nodes(type_: str, *, since: bool) -> str:
    """Ids are hashes, spread evenly: a range of ids is a page, and the index walks it in order."""
    at = "n.batch > $after" if since else "$low <= n.id < $high"
    return f"MATCH (n:{NODES[type_].name}) WHERE {at} RETURN [{NODE_COLUMNS}] AS row ORDER BY n.id"


def export_edges(type_: str, *, since: bool) -> str:
    """In pages of source ids; the order inside a page is made by whoever reads it."""
    edge: EdgeType = EDGES[type_]
    if since:
        return f"MATCH (a)-[r:{edge.name}]->(b) WHERE r.batch > $after RETURN [{EDGE_COLUMNS}] AS row"
    return (
        f"MATCH (a:{edge.source}) WHERE $low <= a.id < $high MATCH (a)-[r:{edge.name}]->(b)"
        f" RETURN [{EDGE_COLUMNS}] AS row"
    )


def count(type_: str) -> str:
    return f"MATCH (n:{NODES[type_].name}) RETURN count(n) AS many"
