"""The ontology as Cypher. Pure: text in, text out, no driver.

Labels and relation types come from the ontology and nowhere else; every value is a
parameter. Whatever a caller passes can select a statement, never become part of one.
"""

from __future__ import annotations

from collections.abc import Iterable

from graph.ontology import EDGES, NODES, EdgeType, NodeType
from graph.store import CODES, NAMES, Rank

RESERVED = frozenset({"id", "key", "masked", "tail", "known_at", "updated_at", "clocks", "batch"})
"""What a node carries besides its declared properties. No declaration may use these names."""

OWN_LABELS = ("EventBlock", "LoadMark", "LoadCounter")
VALID_TO, CONFIDENCE = "coalesce(r.valid_to, 0)", "coalesce(r.confidence, 1.0)"
"""Nearly all relations are open and certain: what is usual is not kept, which spares each a property record."""

LINK = f"type(r), {{other}}.id, r.ref, r.event_time, r.known_at, {VALID_TO}, r.origin, {CONFIDENCE}"

# Only one loader at a time gets past the first statement of its transaction: it writes to the one counter.
LOCK = "MERGE (c:LoadCounter {name: 'batches'}) ON CREATE SET c.value = 0 SET c.held = true RETURN c.value AS value"
COUNT = "MATCH (c:LoadCounter {name: 'batches'}) SET c.value = $sequence"
FIND_MARK = "MATCH (m:LoadMark {id: $id}) RETURN m.digest AS digest, m.writer AS writer"
CREATE_MARK = (
    "CREATE (:LoadMark {id: $id, digest: $digest, sequence: $sequence, nodes: $nodes, edges: $edges, writer: $writer})"
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
    for label, key in (("LoadMark", "id"), ("LoadCounter", "name")):
        statements |= _unique(label, key)
    statements["eventblock_kind"] = (
        "CREATE INDEX eventblock_kind IF NOT EXISTS FOR (n:EventBlock) ON (n.kind, n.batch, n.part)"
    )
    return statements


def _node_schema(node: NodeType) -> dict[str, str]:
    """An id is a hash of the key, so the key needs no rule of its own; readable keys are searched by prefix,
    masks by their end. Each row pays for every further index: what batches touched is found by a scan."""
    on = "key" if node.kind is None else "tail"
    name = f"{node.name.lower()}_{on}"
    index = f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{node.name}) ON (n.{on})"
    return _unique(node.name, "id") | {name: index} | _name_schema(node)


def _name_schema(node: NodeType) -> dict[str, str]:
    """A part of a name needs a text index, a whole code the usual kind."""
    statements = {}
    for kind, known_by in (("TEXT ", NAMES), ("", CODES)):
        if node.name in known_by:
            on = known_by[node.name]
            name = f"{node.name.lower()}_{on}"
            statements[name] = f"CREATE {kind}INDEX {name} IF NOT EXISTS FOR (n:{node.name}) ON (n.{on})"
    return statements


def _unique(label: str, key: str) -> dict[str, str]:
    name = f"{label.lower()}_{key}"
    return {name: f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE n.{key} IS UNIQUE"}


# Writing -------------------------------------------------------------------------------------------


def find_nodes(type_: str) -> str:
    return f"UNWIND $ids AS id MATCH (n:{NODES[type_].name} {{id: id}}) RETURN properties(n) AS row"


def write_nodes(type_: str, *, new: bool) -> str:
    """`$rows` hold what the node shall be: looked up and merged before, since only one loader writes at a time."""
    label = NODES[type_].name
    how = f"CREATE (n:{label})" if new else f"MATCH (n:{label} {{id: row.id}})"
    return f"UNWIND $rows AS row {how} SET n += row"


def upsert_edges(type_: str) -> str:
    """Ends first, then the relation: the one-statement form silently drops relations on some engines.

    A row is [source, target, ref, event_time, known_at, valid_to, confidence].
    The order of the SET items matters: each sees what the one before it wrote.
    """
    edge = EDGES[type_]
    earlier = "row[4] < r.known_at OR (row[4] = r.known_at AND $origin < r.origin)"
    changed = f"row[3] < r.event_time OR {earlier} OR row[5] > {VALID_TO} OR row[6] > {CONFIDENCE}"
    return (
        f"UNWIND $rows AS row MATCH (a:{edge.source} {{id: row[0]}}) MATCH (b:{edge.target} {{id: row[1]}})"
        f" MERGE (a)-[r:{edge.name} {{ref: row[2]}}]->(b)"
        " ON CREATE SET r.event_time = row[3], r.known_at = row[4], r.valid_to = nullIf(row[5], 0),"
        " r.confidence = nullIf(row[6], 1.0), r.origin = $origin, r.batch = $batch"
        f" ON MATCH SET r.batch = CASE WHEN {changed} THEN $batch ELSE r.batch END,"
        f" r.origin = CASE WHEN {earlier} THEN $origin ELSE r.origin END,"
        " r.event_time = CASE WHEN row[3] < r.event_time THEN row[3] ELSE r.event_time END,"
        " r.known_at = CASE WHEN row[4] < r.known_at THEN row[4] ELSE r.known_at END,"
        f" r.valid_to = CASE WHEN row[5] > {VALID_TO} THEN row[5] ELSE r.valid_to END,"
        f" r.confidence = nullIf(CASE WHEN row[6] > {CONFIDENCE} THEN row[6] ELSE r.confidence END, 1.0)"
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


def nodes(type_: str) -> str:
    """`$asked.ids`: one map, since Neo4j plans anew for every size of a list parameter."""
    label = NODES[type_].name
    return (
        f"UNWIND $asked.ids AS id MATCH (n:{label} {{id: id}}) WHERE n.known_at <= $as_of RETURN properties(n) AS row"
    )


def search() -> str:
    """Readable keys by prefix, masked ones by their end. `$asked`: text, tail (its last four characters) and
    types (name -> whether). One map, since Neo4j plans anew for every size of a list or text parameter."""
    branches = []
    for each in NODES.values():
        prefix = "n.key STARTS WITH $asked.text"
        found = prefix if each.kind is None else "n.tail = $asked.tail AND n.masked ENDS WITH $asked.text"
        branches.append(
            f"WITH * WHERE $asked.types.{each.name} MATCH (n:{each.name}) WHERE {found} AND n.known_at <= $as_of"
            f" RETURN '{each.name}' AS type, properties(n) AS row ORDER BY n.key LIMIT $limit"
        )
    return f"CALL () {{ {' UNION ALL '.join(branches)} }} RETURN type, row ORDER BY type, row.key LIMIT $limit"


def named() -> str:
    """Parts of names and whole codes. `$asked`: text and types, as in `search`."""
    branches = [_named(each, NAMES[each], "CONTAINS") for each in NAMES]
    branches += [_named(each, CODES[each], "=") for each in CODES]
    found = f"CALL () {{ {' UNION ALL '.join(branches)} }}"
    return f"{found} RETURN type, row, inside, name ORDER BY inside, name, type, row.key LIMIT 2 * $limit"


def _named(type_: str, name: str, holds: str) -> str:
    clock = NODES[type_].property(name).dated_by
    dated = f" AND n.{clock} <= $as_of" if clock else ""
    return (
        f"WITH * WHERE $asked.types.{type_} MATCH (n:{type_}) WHERE n.{name} {holds} $asked.text"
        f" AND n.known_at <= $as_of{dated} WITH n, n.{name} AS name, NOT n.{name} STARTS WITH $asked.text AS inside"
        f" RETURN '{type_}' AS type, properties(n) AS row, inside, name ORDER BY inside, name, n.key LIMIT $limit"
    )


def relations_asked(relations: Iterable[str] | None, types: Iterable[str] | None) -> tuple[list[str], list[str]] | None:
    """Relations to follow outwards and inwards; None: all. Names the ontology lacks select nothing."""
    if relations is None and types is None:
        return None
    named = set(EDGES) if relations is None else set(relations)
    ends = set(NODES) if types is None else set(types)
    asked = [each for each in EDGES.values() if each.name in named]
    return [e.name for e in asked if e.target in ends], [e.name for e in asked if e.source in ends]


def neighbours(rank: Rank, *, filtered: bool, totals: bool) -> str:
    """One statement for nodes of any type: `$ids.Person`, `$ids.Phone`, … hold their ids. Few variants,
    since planning one takes half a second: filters are values (`$asked.outgoing`, `$asked.incoming`)."""
    starts = " UNION ALL ".join(f"UNWIND $ids.{each} AS id MATCH (a:{each} {{id: id}}) RETURN a" for each in NODES)
    parts = [f"CALL () {{ {starts} }}"]
    for name, pattern in (("outgoing", "(a)-[r]->(b)"), ("incoming", "(a)<-[r]-(b)")):
        where = "r.known_at <= $as_of AND $since <= r.event_time <= $until"
        where += f" AND type(r) IN $asked.{name}" if filtered else ""
        parts.append(f"CALL (a) {{ MATCH {pattern} WHERE {where} {_ranked(rank)} AS {name} }}")
        counted = "WITH type(r) AS type, count(*) AS many RETURN collect([type, many])"
        total = f"CALL (a) {{ MATCH {pattern} WHERE {where} {counted} AS {name}_totals }}"
        parts.append(total if totals else f"WITH *, [] AS {name}_totals")
    return " ".join([*parts, "RETURN a.id AS id, outgoing, outgoing_totals, incoming, incoming_totals"])


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
    edges = [f"MATCH ()-[r:{each}]->() RETURN false AS node, '{each}' AS name, count(r) AS many" for each in EDGES]
    return " UNION ALL ".join(nodes + edges)


# Bulk export ---------------------------------------------------------------------------------------
#
# Ids are hashes, spread evenly: a range of ids is a page of about equal size, and the unique index finds
# it. What few batches touched is found by one scan instead. Columns come collected: one
# record a page is several times faster over Bolt than one a row.

EDGE_COLUMNS = (
    "a.id",
    "b.id",
    "r.ref",
    "r.event_time",
    "r.known_at",
    VALID_TO,
    CONFIDENCE,
    "r.origin",
)


def count_nodes(type_: str, *, since: bool) -> str:
    where = " WHERE n.batch > $after" if since else ""
    return f"MATCH (n:{NODES[type_].name}){where} RETURN count(n) AS many"


def count_edges(type_: str, *, since: bool) -> str:
    where = " WHERE r.batch > $after" if since else ""
    return f"MATCH ()-[r:{EDGES[type_].name}]->(){where} RETURN count(r) AS many"


def export_nodes(type_: str, *, paged: bool) -> str:
    """Columns of NODE_SCHEMA, the last as the values of the declared properties, in their order."""
    node = NODES[type_]
    at = "$low <= n.id < $high AND n.batch > $after" if paged else "n.batch > $after"
    values = ", ".join(f"n.{each.name}" for each in node.properties)
    columns = ("n.id", "n.key", "n.masked", "n.known_at", "n.updated_at", f"[{values}]")
    return f"MATCH (n:{node.name}) WHERE {at} WITH n ORDER BY n.id RETURN {_collected(columns)}"


def export_edges(type_: str, *, paged: bool) -> str:
    """Columns of EDGE_SCHEMA; the order inside a page is made by whoever reads it."""
    edge: EdgeType = EDGES[type_]
    start = f"MATCH (a:{edge.source}) WHERE $low <= a.id < $high " if paged else ""
    return f"{start}MATCH (a)-[r:{edge.name}]->(b) WHERE r.batch > $after RETURN {_collected(EDGE_COLUMNS)}"


def _collected(columns: Iterable[str]) -> str:
    return "[" + ", ".join(f"collect({each})" for each in columns) + "] AS columns"
