"""Who held an application's things before it, for one application and with names: what a reason rests on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np

from gnn.book import ROLES, Book
from gnn.files import Thing, shown
from gnn.walk import KINDS, POST_KINDS, WINDOW_DAYS, kind_table
from graph.ontology import EDGES
from graph.records import DAY

OWN_ROLES = ("person", "deal", "dealer", "salesperson")
EARLIER, STEPS, CROWD_STEPS, OWN_DAYS = 10, 64, 256, 365


@dataclass(frozen=True)
class Path:
    """The application → a thing it holds → the applications that held it before, newest first.

    `thing` is a node id, `label` what a screen may show of it.
    """

    application: str
    relation: str
    type: str
    thing: int
    label: str
    earlier: tuple[str, ...]


class Names(Protocol):
    """What the numbers of a book stand for: of a desk, where there are things and rows that no snapshot has."""

    def thing(self, number: int) -> tuple[str, int, Thing]:
        """(type, id, the thing with its label) of a thing."""

    def application(self, row: int) -> str:
        """The application's number as a screen shows it."""


class OfSnapshot:
    """Names from the book's own snapshot."""

    def __init__(self, book: Book) -> None:
        self._nodes, self._types, self._starts = book.snapshot.nodes, list(book.offsets), list(book.offsets.values())

    def thing(self, number: int) -> tuple[str, int, Thing]:
        at = bisect_right(self._starts, number) - 1
        table, index = self._nodes[self._types[at]].table, number - self._starts[at]
        id_, known_at = table["id"][index].as_py(), table["known_at"][index].as_py()
        return self._types[at], id_, Thing(known_at, {}, label=shown(self._types[at], table, index))

    def application(self, row: int) -> str:
        key: str = self._nodes["Application"].table["key"][row].as_py()
        return key


class Held:
    """What one application held when it was scored, and who held it before: the walk of `walk.py` for a single row."""

    def __init__(self, book: Book, row: int, names: Names | None = None) -> None:
        """`names` default to the snapshot's; a desk is the names of its own book."""
        self.book, self.row = book, row
        self.names: Names = OfSnapshot(book) if names is None else names
        self.now, self.then = int(book.as_of[row]), int(book.submitted[row])
        pairs = book.pairs
        own = range(int(pairs.start[row]), int(pairs.start[row + 1]))
        self.pairs = [pair for pair in own if pairs.told_at[pair] <= self.now and pairs.application[pair] == row]
        self.selves = {int(book.person[row])}
        for pair in self.pairs:
            if ROLES[pairs.role[pair]].name == "deal":
                self.selves |= {int(book.person[one]) for one, _ in self._before(pair, OWN_DAYS, STEPS)}

    def paths(self, abouts: frozenset[str]) -> tuple[Path, ...]:
        """What is worth most to share first, then what more have held."""
        found: dict[tuple[str, int], Path] = {}
        for pair in self.pairs:
            role = ROLES[self.book.pairs.role[pair]].name
            if role == "deal":
                continue
            if role in OWN_ROLES:
                earlier = self._own(pair, role) if f"@{role}" in abouts else None
            else:
                earlier = self._sharing(pair, role, abouts) or None
            if earlier is not None:
                path = self._path(pair, earlier)
                found.setdefault((path.relation, path.thing), path)
        return tuple(
            sorted(found.values(), key=lambda path: (-EDGES[path.relation].weight, -len(path.earlier), path.thing))
        )

    def _own(self, pair: int, role: str) -> list[int] | None:
        if role == "person":
            return list(dict.fromkeys(one for one, _ in self._before(pair, OWN_DAYS, STEPS)))[:EARLIER] or None
        before = np.array([one for one, _ in self._before(pair, WINDOW_DAYS, CROWD_STEPS)], dtype=np.int64)
        fraud = before[self.book.labels.evidence_at(before, np.full(len(before), self.now)) > 0]
        return list(dict.fromkeys(fraud.tolist()))[:EARLIER]

    def _sharing(self, pair: int, role: str, abouts: frozenset[str]) -> list[int]:
        """Applications of other people; none for a thing that many hold by nature."""
        pairs = self.book.pairs
        if self.book.aside_from[pairs.thing[pair]] <= self.now:
            return []
        earlier: dict[int, None] = {}
        for one, other in self._before(pair, WINDOW_DAYS, STEPS):
            kind = _kinds()[pairs.role[pair]][pairs.role[other]]
            asked = kind in abouts or f"@{role}" in abouts or ("any" in abouts and kind in KINDS)
            if kind and asked and int(self.book.person[one]) not in self.selves:
                earlier[one] = None
                if len(earlier) == EARLIER:
                    break
        return list(earlier)

    def _before(self, pair: int, days: int, steps: int) -> Iterator[tuple[int, int]]:
        """(application, pair) of those who held the pair's thing in the days before, newest first."""
        pairs, other = self.book.pairs, int(self.book.pairs.previous[pair])
        for _ in range(steps):
            if other < 0 or self.then - int(pairs.known_at[other]) > 2 * days * DAY:
                return
            one = int(pairs.application[other])
            if one < self.row and self.then - int(self.book.submitted[one]) <= days * DAY:
                yield one, other
            other = int(pairs.previous[other])

    def _path(self, pair: int, earlier: Sequence[int]) -> Path:
        type_, id_, thing = self.names.thing(int(self.book.pairs.thing[pair]))
        return Path(
            application=self.names.application(self.row),
            relation=ROLES[self.book.pairs.role[pair]].relation,
            type=type_,
            thing=id_,
            label=thing.label,
            earlier=tuple(self.names.application(one) for one in earlier),
        )


@cache
def _kinds() -> list[list[str]]:
    """Per (own role, other's role) the name of the kind that they share; empty for none."""
    kinds = (*KINDS, *POST_KINDS, "")
    return [[kinds[at] for at in row] for row in kind_table(kinds[:-1]).tolist()]
