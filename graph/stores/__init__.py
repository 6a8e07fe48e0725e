"""Where the graph is kept: SQLite by default, Neo4j for a team, behind one interface."""

from __future__ import annotations

from pathlib import Path

from graph.errors import InputError
from graph.store import GraphStore

HOW = "write sqlite:///FILE or neo4j://USER@HOST:7687"


def open_store(url: str, *, password: str | None = None) -> GraphStore:
    """Open the store behind `url`; the driver of a store is imported only when it is asked for.

    `password` is for Neo4j and is never part of the URL, which appears in messages.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise InputError(f"RINGROAD_STORE={url} is no store address; {HOW}")
    if scheme == "sqlite":
        from graph.stores.sqlite import SqliteStore

        return SqliteStore.open(Path(rest.removeprefix("/")).expanduser())
    if scheme in ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc"):
        if "@" in rest and ":" in rest.rpartition("@")[0]:
            raise InputError("RINGROAD_STORE holds a password; put it into RINGROAD_STORE_PASSWORD instead")
        from graph.stores.neo4j import Neo4jStore

        return Neo4jStore.open(url, password)
    raise InputError(f"RINGROAD_STORE={scheme}://… is of no known kind; {HOW}")
