"""Which number of a book a thing has: those of the snapshot by their place in it, new ones after all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numba
import numpy as np
import numpy.typing as npt

from gnn.book import Book
from gnn.files import Thing, shown, told_properties
from gnn.told import words
from graph.pages import BLOCK_BITS, BLOCKS, PAGE, SAME_PAGE_BITS, Bits
from graph.records import Ints
from graph.snapshot import PAGED

is_page = re.compile(PAGE).fullmatch
"""Templates of another name, such as a hash of another length, are like nothing but themselves."""


@dataclass(frozen=True)
class Index:
    """What finds a thing of the snapshot. All of it is sorted, so that a process can map it into memory.

    `ids` are sorted, by type; deal `deals[i]` is called `deal_words[i]`. `bits` are the hashes of the pages that no
    earlier page looks like, `pages` their numbers, oldest first; those of bucket b of quarter q are `near[q, start[q,
    b]:start[q, b + 1]]`.
    """

    ids: Mapping[str, Ints]
    deal_words: Ints
    deals: Ints
    bits: Bits
    pages: Ints
    near: Ints
    start: Ints

    @classmethod
    def of(cls, book: Book) -> Self:
        nodes = book.snapshot.nodes
        names = nodes["Application"].table["deal_id"].combine_chunks().dictionary_encode().dictionary
        known = words(names.to_pylist())
        first = book.snapshot.pages.first
        keys = nodes[PAGED].table["key"].to_pylist()
        lead = [at for at, key in enumerate(keys) if is_page(key) and first[at] == at]
        bits = np.array([_bits(keys[at]) for at in lead], dtype=np.uint64)
        quarters = _quarters(bits)
        start = np.stack(
            [np.concatenate([[0], np.cumsum(np.bincount(each, minlength=1 << BLOCK_BITS))]) for each in quarters]
        )
        return cls(
            ids={name: each.ids[each.by_id] for name, each in nodes.items()},
            deal_words=np.sort(known),
            deals=np.argsort(known).astype(np.int64),
            bits=bits,
            pages=np.array(lead, dtype=np.int64) + book.offsets[PAGED],
            near=np.argsort(quarters, axis=1, kind="stable").astype(np.int64),
            start=start.astype(np.int64),
        )


class Named:
    """Things by type and id; deals by their name."""

    def __init__(self, book: Book, index: Index | None = None) -> None:
        self.index = Index.of(book) if index is None else index
        self._offsets, self._nodes = book.offsets, book.snapshot.nodes
        self.base = book.offsets["Deal"] + len(self.index.deals)
        self._first = book.snapshot.pages.first
        self._new: dict[tuple[str, int], int] = {}
        self._told: list[tuple[str, int, Thing]] = []
        self._pages = Leaders(self.index)

    def __len__(self) -> int:
        return self.base + len(self._told)

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
        if type_ == PAGED and is_page(thing.key):
            number = self._pages.join(thing.key, number)
        self._new[type_, id_] = number
        return number

    def warm(self) -> None:
        """Loads what is compiled."""
        self._pages.earliest(np.uint64(0))

    def deal(self, name: int) -> int:
        """The number of a deal, by the word for its name."""
        keys = self.index.deal_words
        place = int(keys.searchsorted(name))
        if place < len(keys) and keys[place] == name:
            return self._offsets["Deal"] + int(self.index.deals[place])
        found = self._new.get(("Deal", name), -1)
        return found if found >= 0 else self.add("Deal", name, Thing(0, {}))

    def thing(self, number: int) -> tuple[str, int, Thing]:
        """(type, id, what it says) of a number; of a deal the word for its name."""
        if number >= self.base:
            return self._told[number - self.base]
        type_ = next(name for name, begin in reversed(list(self._offsets.items())) if begin <= number)
        if type_ == "Deal":
            return type_, number, Thing(0, {})
        table, index = self._nodes[type_].table, number - self._offsets[type_]
        id_, known_at, key = (table[name][index].as_py() for name in ("id", "known_at", "key"))
        return type_, id_, Thing(known_at, told_properties(type_, table, index), key, shown(type_, table, index))

    def _index(self, type_: str, id_: int) -> int:
        ids = self.index.ids[type_]
        place = int(ids.searchsorted(id_))
        return int(self._nodes[type_].by_id[place]) if place < len(ids) and ids[place] == id_ else -1


class Leaders:
    """Pages that no earlier one looks like, by their perceptual hash (`graph/pages.py`)."""

    def __init__(self, index: Index) -> None:
        self._known = tuple(np.asarray(each) for each in (index.bits, index.pages, index.near, index.start))
        self._bits, self._numbers = np.zeros(64, dtype=np.uint64), np.zeros(64, dtype=np.int64)
        self._count = 0

    def join(self, key: str, number: int) -> int:
        """The number of the earliest page that it looks like; it leads under its own where there is none."""
        bits = np.uint64(_bits(key))
        found = self.earliest(bits)
        if found >= 0:
            return found
        if self._count == len(self._bits):
            self._bits, self._numbers = (np.concatenate([each, each]) for each in (self._bits, self._numbers))
        self._bits[self._count], self._numbers[self._count] = bits, number
        self._count += 1
        return number

    def earliest(self, bits: np.uint64) -> int:
        """-1 for none."""
        found = _like_known(bits, *self._known)
        return int(found if found >= 0 else _like(bits, self._bits[: self._count], self._numbers))


@numba.njit(cache=True)
def _like_known(bits, known, pages, near, start):  # type: ignore[no-untyped-def]
    """The earliest of the snapshot's; -1 for none. Of six differing bits some quarter has at most one."""
    found = -1
    for quarter in range(BLOCKS):
        bucket = np.int64((bits >> np.uint64(quarter * BLOCK_BITS)) & np.uint64((1 << BLOCK_BITS) - 1))
        for flipped in range(-1, BLOCK_BITS):
            there = bucket if flipped < 0 else bucket ^ (1 << flipped)
            for place in near[quarter, start[quarter, there] : start[quarter, there + 1]]:
                if _same(known[place], bits) and (found < 0 or pages[place] < found):
                    found = pages[place]
    return found


@numba.njit(cache=True)
def _like(bits, others, numbers):  # type: ignore[no-untyped-def]
    """The earliest of these; -1 for none."""
    found = -1
    for at in range(len(others)):
        if _same(others[at], bits) and (found < 0 or numbers[at] < found):
            found = numbers[at]
    return found


@numba.njit(cache=True)
def _same(one, other):  # type: ignore[no-untyped-def]
    differing = one ^ other
    for _ in range(SAME_PAGE_BITS):
        differing &= differing - np.uint64(1)  # the lowest bit that is set
    return differing == 0


def _quarters(bits: Bits) -> npt.NDArray[np.int64]:
    """Of shape (quarters, hashes)."""
    shifts = np.arange(BLOCKS, dtype=np.uint64)[:, None] * np.uint64(BLOCK_BITS)
    return np.asarray((bits[None, :] >> shifts) & np.uint64((1 << BLOCK_BITS) - 1), dtype=np.int64)


def _bits(key: str) -> int:
    return int(key[-16:], 16)
