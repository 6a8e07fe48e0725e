"""Whatever in the casebook names a node of the graph follows it when its token changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Table, and_, func, insert, select, update

from graph.ontology import NODES
from workbench.casebook import roles
from workbench.casebook.case_tables import innocent_links, ring_roles, ring_updates, saved
from workbench.casebook.tables import overrides

Moves = Iterable[tuple[str, str, str]]
"""(kind, old token, new token), as `Vault.rotate_index` hands them over."""

TOKEN = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")

TYPED = (
    (overrides, "type", "key"),
    (innocent_links, "source_type", "source_key"),
    (innocent_links, "target_type", "target_key"),
)
"""Columns with a node's type and its key."""


class Following:
    """Lets `retoken` of a store see all moves, and remembers those of nodes that the casebook names for its own.

    A rotation that was stopped hands over the same moves again; a token that was moved before is not found then, which
    is no fault. What is append-only gets new rows, and the old ones keep tokens that name nothing any more.
    """

    def __init__(self, db: Connection) -> None:
        self._wanted = {row[0] for table, _, key in TYPED for row in db.execute(select(table.c[key]))}
        self._wanted.update(row[0] for row in db.execute(select(ring_roles.c.key)))
        for table in (ring_updates, saved):
            for row in db.execute(select(table.c.content)):
                self._wanted.update(TOKEN.findall(json.dumps(row[0])))
        self._moved: dict[tuple[str, str], str] = {}
        self._new: dict[str, str] = {}

    def through(self, moves: Moves) -> Iterator[tuple[str, str, str]]:
        for kind, old, new in moves:
            if old in self._wanted:
                self._moved[kind, old] = self._new[old] = new
            yield kind, old, new

    def retoken(self, db: Connection) -> None:
        if not self._moved:
            return
        for table, type_, key in TYPED:
            self._typed(db, table, type_, key)
        self._roles(db)
        self._updates(db)
        self._saved(db)

    def _typed(self, db: Connection, table: Table, type_: str, key: str) -> None:
        for type_name, old in db.execute(select(table.c[type_], table.c[key]).distinct()).all():
            new = self._moved.get((NODES[type_name].kind or "", old))
            if new is not None:
                same = and_(table.c[type_] == type_name, table.c[key] == old)
                db.execute(update(table).where(same).values({key: new}))

    def _roles(self, db: Connection) -> None:
        """The newest word on each thing is said again under its new name, and taken away under the old one."""
        rows = db.execute(select(ring_roles).order_by(ring_roles.c.id))
        newest = {(row.ring_id, row.type, row.key): row for row in rows}
        number = db.execute(select(func.max(ring_roles.c.id))).scalar() or 0
        fresh = []
        for row in newest.values():
            new = self._moved.get((NODES[row.type].kind or "", row.key))
            if new is not None and row.role != roles.NONE:
                told = dict(row._mapping)
                fresh += [told | {"id": number + 1, "role": roles.NONE}, told | {"id": number + 2, "key": new}]
                number += 2
        if fresh:
            db.execute(insert(ring_roles), fresh)

    def _updates(self, db: Connection) -> None:
        newest = select(func.max(ring_updates.c.id)).group_by(ring_updates.c.ring_id, ring_updates.c.run_id)
        number = db.execute(select(func.max(ring_updates.c.id))).scalar() or 0
        fresh = []
        query = select(ring_updates).where(ring_updates.c.id.in_(newest)).order_by(ring_updates.c.id)
        for row in db.execute(query).all():
            content = self._renamed(row.content)
            if content != row.content:
                number += 1
                fresh.append(dict(row._mapping) | {"id": number, "content": content})
        if fresh:
            db.execute(insert(ring_updates), fresh)

    def _saved(self, db: Connection) -> None:
        for row in db.execute(select(saved.c.id, saved.c.content)).all():
            content = self._renamed(row.content)
            if content != row.content:
                db.execute(update(saved).where(saved.c.id == row.id).values(content=content))

    def _renamed(self, value: Any) -> Any:
        """Every token of a text, also within an element's id. Two kinds never have one token."""
        if isinstance(value, Mapping):
            return {self._renamed(name): self._renamed(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._renamed(each) for each in value]
        return TOKEN.sub(lambda one: self._new.get(one[0], one[0]), value) if isinstance(value, str) else value
