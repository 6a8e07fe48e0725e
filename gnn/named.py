"""Which number of a book a thing has: those of the snapshot by their place in it, new ones after all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gnn.book import Book
from gnn.files import Thing, told_properties
from gnn.told import words
from graph.pages import SAME_PAGE_BITS
from graph.records import Ints
from graph.snapshot import PAGED

PAGE = "page:"


class Named:
    """Things by type and id; deals by their name."""

    def __init__(self, book: Book) -> None:
        self._offsets, self._nodes = book.offsets, book.snapshot.nodes
        self._base = len(book.aside_from)
        self._sorted: dict[str, tuple[Ints, Ints]] = {}
        self._first = book.snapshot.pages.first
        self._new: dict[tuple[str, int], int] = {}
        self._told: list[tuple[str, int, Thing]] = []
        deals = self._nodes["Application"].table["deal_id"].combine_chunks().dictionary_encode().dictionary
        known = words(deals.to_pylist())
        self._deals = known[np.argsort(known)], np.argsort(known)
        self._pages = Leaders(self._nodes[PAGED].table["key"].to_pylist(), self._first, book.offsets[PAGED])

    def __len__(self) -> int:
        return self._base + len(self._told)

    def number(self, type_: str, id_: int) -> int:
        """-1 for one that nobody has named so far."""
        index = self._index(type_, id_)
        if index < 0:
            return self._new.get((type_, id_), -1)
        return self._offsets[type_] + (int(self._first[index]) if type_ == PAGED else index)

    def add(self, type_: str, id_: int, thing: Thing) -> int:
        """A page that looks like an earlier one has that one's number; a number is taken all the same."""
        number = len(self)
        self._told.append((type_, id_, thing))
        if type_ == PAGED and thing.key.startswith(PAGE):
            number = self._pages.join(thing.key, number)
        self._new[type_, id_] = number
        return number

    def deal(self, name: int) -> int:
        """The number of a deal, by the word for its name."""
        keys, order = self._deals
        place = int(keys.searchsorted(name))
        if place < len(keys) and keys[place] == name:
            return self._offsets["Deal"] + int(order[place])
        found = self._new.get(("Deal", name), -1)
        return found if found >= 0 else self.add("Deal", name, Thing(0, {}))

    def thing(self, number: int) -> tuple[str, int, Thing]:
        """(type, id, what it says) of a number; of a deal the word for its name."""
        if number >= self._base:
            return self._told[number - self._base]
        type_ = next(name for name, begin in reversed(list(self._offsets.items())) if begin <= number)
        if type_ == "Deal":
            return type_, number, Thing(0, {})
        table, index = self._nodes[type_].table, number - self._offsets[type_]
        id_, known_at, key = (table[name][index].as_py() for name in ("id", "known_at", "key"))
        return type_, id_, Thing(known_at, told_properties(type_, table, index), key)

    def _index(self, type_: str, id_: int) -> int:
        if type_ not in self._sorted:
            nodes = self._nodes[type_]
            self._sorted[type_] = nodes.ids[nodes.by_id], nodes.by_id
        ids, by_id = self._sorted[type_]
        place = int(ids.searchsorted(id_))
        return int(by_id[place]) if place < len(ids) and ids[place] == id_ else -1


class Leaders:
    """Pages that no earlier one looks like, by their perceptual hash (`graph/pages.py`)."""

    def __init__(self, keys: list[str], first: Ints, offset: int) -> None:
        lead = [at for at, key in enumerate(keys) if key.startswith(PAGE) and first[at] == at]
        self._bits = np.array([_bits(keys[at]) for at in lead], dtype=np.uint64)
        self._number = np.array(lead, dtype=np.int64) + offset
        self._count = len(lead)

    def join(self, key: str, number: int) -> int:
        """The number of the earliest page that it looks like; it leads under its own where there is none."""
        bits = np.uint64(_bits(key))
        near = np.flatnonzero(_ones(self._bits[: self._count] ^ bits) <= SAME_PAGE_BITS)
        if len(near):
            return int(self._number[near[0]])
        if self._count == len(self._bits):
            more = max(64, self._count)
            self._bits = np.concatenate([self._bits, np.zeros(more, dtype=np.uint64)])
            self._number = np.concatenate([self._number, np.zeros(more, dtype=np.int64)])
        self._bits[self._count], self._number[self._count] = bits, number
        self._count += 1
        return number


def _bits(key: str) -> int:
    return int(key[-16:], 16)


def _ones(words_: np.ndarray[Any, np.dtype[np.uint64]]) -> Ints:
    return np.asarray(np.bitwise_count(words_), dtype=np.int64)
