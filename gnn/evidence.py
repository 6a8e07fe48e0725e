"""Who held an application's things before it, for one application and with names: what a reason rests on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from gnn.book import ROLES, Book
from gnn.walk import KINDS, POST_KINDS, WINDOW_DAYS, kind_table
from graph.ontology import EDGES, NODES
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


class Held:
    """What one application held when it was scored, and who held it before: the walk of `walk.py` for a single row."""

    def __init__(self, book: Book, row: int) -> None:
        self.book, self.row = book, row
        self.now, self.then = int(book.as_of[row]), int(book.submitted[row])
        self.starts = list(book.offsets.values())
        self.types = list(book.offsets)
        self.applications = book.snapshot.nodes["Application"].table["key"]
        pairs = book.pairs
        own = range(int(pairs.start[row]), int(pairs.start[row + 1]))
        self.pairs = [pair for pair in own if pairs.known_at[pair] <= self.now]
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
        told = self.book.labels
        fraud = (
            one
            for one, _ in self._before(pair, WINDOW_DAYS, CROWD_STEPS)
            if told.fraud_from[one] <= self.now < told.fraud_until[one]
        )
        return list(dict.fromkeys(fraud))[:EARLIER]

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
        thing = int(self.book.pairs.thing[pair])
        at = bisect_right(self.starts, thing) - 1
        type_, index = self.types[at], thing - self.starts[at]
        table = self.book.snapshot.nodes[type_].table
        label = table["masked"][index].as_py() or ""
        if not label and NODES[type_].kind is None:
            label = table["key"][index].as_py()
        return Path(
            application=self.applications[self.row].as_py(),
            relation=ROLES[self.book.pairs.role[pair]].relation,
            type=type_,
            thing=table["id"][index].as_py(),
            label=label,
            earlier=tuple(self.applications[one].as_py() for one in earlier),
        )


@cache
def _kinds() -> list[list[str]]:
    """Per (own role, other's role) the name of the kind that they share; empty for none."""
    kinds = (*KINDS, *POST_KINDS, "")
    return [[kinds[at] for at in row] for row in kind_table(kinds[:-1]).tolist()]
