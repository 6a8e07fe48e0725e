"""The links of many nodes at once, as SQL for the SQLite store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from sqlite3 import Connection
from typing import Any

import orjson

from graph.ontology import EDGES
from graph.records import NodeRef, to_millis
from graph.store import Link, Neighbourhood, Rank

ASKED = "WITH asked (id) AS (SELECT value FROM json_each(?))"
FIRST = {
    Rank.RECENT: "event_time DESC",
    Rank.OLDEST: "event_time",
    Rank.MOST_CONNECTED: "degree DESC",
    Rank.LEAST_CONNECTED: "degree",
}


@dataclass(frozen=True)
class Asked:
    """The filters of one `neighbours` call. `relations` holds, by direction, those asked for; None means all."""

    limit: int
    rank: Rank
    bounds: Mapping[str, int]
    relations: Mapping[bool, Sequence[str] | None]

    @classmethod
    def of(
        cls,
        *,
        as_of: datetime,
        limit: int,
        relations: Sequence[str] | None,
        types: Sequence[str] | None,
        since: datetime | None,
        until: datetime | None,
        rank: Rank,
    ) -> Asked:
        bounds = {"known_at <= ?": to_millis(as_of)}
        if since is not None:
            bounds["event_time >= ?"] = to_millis(since)
        if until is not None:
            bounds["event_time <= ?"] = to_millis(until)
        if relations is None and types is None:
            return cls(limit, rank, bounds, {True: None, False: None})
        named = [edge for edge in EDGES.values() if relations is None or edge.name in relations]
        outward = [edge.name for edge in named if types is None or edge.target in types]
        inward = [edge.name for edge in named if types is None or edge.source in types]
        return cls(limit, rank, bounds, {True: outward, False: inward})

    def answer(self, db: Connection, refs: Sequence[NodeRef], *, totals: bool) -> list[Neighbourhood]:
        ids = {ref: ref.id for ref in refs}
        rows: dict[int, list[Any]] = {id_: [] for id_ in ids.values()}
        counted: dict[int, Counter[tuple[str, bool]]] = {id_: Counter() for id_ in rows}
        for outgoing, relations in self.relations.items():
            if relations is None or relations:
                self._read(db, outgoing, rows)
                if totals:
                    self._count(db, outgoing, ids, rows, counted)
        return [self._neighbourhood(ref, rows[ids[ref]], counted[ids[ref]]) for ref in refs]

    def _read(self, db: Connection, outgoing: bool, rows: dict[int, list[Any]]) -> None:
        here, other = ("source", "target") if outgoing else ("target", "source")
        where, values = self._where(here)
        degree = self._degree(other) if "degree" in FIRST[self.rank] else "0"
        newest = f"SELECT rowid, {degree} AS degree FROM edge WHERE {where}"
        select = (
            f"{ASKED} SELECT l.{here}, l.type, {int(outgoing)}, l.{other}, l.ref, l.event_time, l.known_at, l.valid_to,"
            f" l.origin, l.confidence, {degree.replace('edge.', 'l.')}, n.key, n.masked FROM asked CROSS JOIN edge l"
            f" ON l.rowid IN (SELECT rowid FROM ({newest} ORDER BY {FIRST[self.rank]}, type, {other}, ref LIMIT ?))"
            f" CROSS JOIN node n ON n.id = l.{other}"
        )
        for row in db.execute(select, (_json(rows), *values, self.limit)):
            rows[row[0]].append(row)

    def _count(
        self,
        db: Connection,
        outgoing: bool,
        ids: Mapping[NodeRef, int],
        rows: Mapping[int, list[Any]],
        counted: Mapping[int, Counter[tuple[str, bool]]],
    ) -> None:
        """Where fewer rows came than were allowed, they are all there are. A filter for each relation the node
        can have is several times faster than grouping, which sorts a hub's links first."""
        here = "source" if outgoing else "target"
        where = " AND ".join((f"{here} = ?", *self.bounds))
        for ref, id_ in ids.items():
            mine = [row[1] for row in rows[id_] if row[2] == outgoing]
            if len(mine) < self.limit:
                counted[id_].update((type_, outgoing) for type_ in mine)
                continue
            asked = self.relations[outgoing]
            names = [name for name in _possible(ref.type, outgoing) if asked is None or name in asked]
            counts = ", ".join(f"count(*) FILTER (WHERE type = '{name}')" for name in names)
            found = db.execute(f"SELECT {counts} FROM edge WHERE {where}", (id_, *self.bounds.values())).fetchone()
            counted[id_].update({(name, outgoing): count for name, count in zip(names, found, strict=True) if count})

    def _where(self, here: str) -> tuple[str, list[int | str]]:
        relations = self.relations[here == "source"]
        among = [f"type IN ({','.join('?' * len(relations))})"] if relations else []
        return " AND ".join((f"{here} = asked.id", *self.bounds, *among)), [*self.bounds.values(), *(relations or ())]

    def _degree(self, other: str) -> str:
        at = self.bounds["known_at <= ?"]
        ends = (
            f"(SELECT count(*) FROM edge e WHERE e.{end} = edge.{other} AND e.known_at <= {at})"
            for end in ("source", "target")
        )
        return f"({' + '.join(ends)})"

    def _neighbourhood(self, ref: NodeRef, rows: list[Any], counted: Counter[tuple[str, bool]]) -> Neighbourhood:
        rows.sort(key=self._order)
        links, masked = [], {}
        for _, type_, outgoing, _, edge_ref, event, known, until, origin, confidence, _, key, mask in rows[
            : self.limit
        ]:
            edge = EDGES[type_]
            other = NodeRef(edge.target if outgoing else edge.source, key)
            links.append(Link(type_, bool(outgoing), other, edge_ref, event, known, until or None, origin, confidence))
            masked[other] = mask
        return Neighbourhood(ref, links, counted, masked)

    def _order(self, row: Sequence[Any]) -> tuple[Any, ...]:
        _, type_, outgoing, other, ref, event = row[:6]
        first = {
            Rank.RECENT: -event,
            Rank.OLDEST: event,
            Rank.MOST_CONNECTED: -row[10],
            Rank.LEAST_CONNECTED: row[10],
        }[self.rank]
        return (first, type_, not outgoing, other, ref)


@cache
def _possible(type_: str, outgoing: bool) -> tuple[str, ...]:
    return tuple(edge.name for edge in EDGES.values() if (edge.source if outgoing else edge.target) == type_)


def _json(ids: Iterable[int]) -> str:
    return orjson.dumps(list(ids)).decode()
