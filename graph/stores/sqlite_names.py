"""Things by a part of their name or by a whole code, as SQL for the SQLite store.

A name is read from its index alone, in the order of names: what starts with the text is a range of it, what holds the
text elsewhere is found by going through it (314,000 employers: 70 ms where nothing does, less where something does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from graph.ontology import NODES
from graph.store import CODES, NAMES

Read = Callable[[str, Sequence[object]], list[Any]]

COLUMNS = "type, key, known_at, masked, properties"
OF_NAMES = "type IN ('Dealer', 'Employer')"
"""As the index says it, or SQLite would not use it."""


def named(read: Read, text: str, types: Sequence[str], *, as_of: int, limit: int) -> list[Any]:
    """Rows of `COLUMNS`, in the order that the store promises."""
    found: dict[tuple[str, str], Any] = {}
    for type_ in types:
        for rank, name, row in _of(read, text, type_, as_of, limit):
            found.setdefault((row[0], row[1]), (rank, name, *row))
    return [each[2:] for each in sorted(found.values(), key=lambda each: each[:4])[:limit]]


def _of(read: Read, text: str, type_: str, as_of: int, limit: int) -> Iterator[tuple[int, str, Sequence[Any]]]:
    if type_ in CODES:
        for row in read(*_coded(type_, text, as_of, limit)):
            yield 0, text, row
    if type_ not in NAMES:
        return
    name = _stated(NAMES[type_])
    first = read(_holding(name, f"{name} >= ? AND {name} < ?"), (type_, text, text + "\U0010ffff", as_of, limit))
    yield from ((0, row[5], row[:5]) for row in first)
    if len(first) < limit:
        inside = read(_holding(name, f"instr({name}, ?) > 1"), (type_, text, as_of, limit))
        yield from ((1, row[5], row[:5]) for row in inside)


def _holding(name: str, where: str) -> str:
    return (
        f"SELECT {COLUMNS}, {name} FROM node WHERE {OF_NAMES} AND type = ? AND {where} AND known_at <= ?"
        f" ORDER BY {name}, key LIMIT ?"
    )


def _coded(type_: str, code: str, as_of: int, limit: int) -> tuple[str, Sequence[object]]:
    """A code that is dated is found from its date on."""
    clock = NODES[type_].property(CODES[type_]).dated_by
    dated = f" AND {_stated(clock)} <= ?" if clock else ""
    return (
        f"SELECT {COLUMNS} FROM node WHERE type = '{type_}' AND {_stated(CODES[type_])} = ? AND known_at <= ?{dated}"
        " ORDER BY key LIMIT ?",
        (code, as_of, *((as_of,) if clock else ()), limit),
    )


def _stated(name: str) -> str:
    return f"json_extract(properties, '$.{name}')"
