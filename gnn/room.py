"""A book and its ledger with room to grow: arrays that double when their room is used up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from gnn.book import Book, Pairs
from gnn.features.assemble import Ledger
from gnn.told import FOREVER, Inquiries, Labels, Statements
from gnn.walk import Links, Scratch, Stated

Array = npt.NDArray[Any]


def grown(array: Array, size: int, fill: float) -> Array:
    """At least `size` long, what is new filled; a copy only where there is no room."""
    if len(array) >= size:
        return array
    longer = np.full((max(size, 2 * len(array)), *array.shape[1:]), fill, dtype=array.dtype)
    longer[: len(array)] = array
    return longer


@dataclass
class Room:
    """`head` is the last pair of each thing's chain, `limit` what was the automatic limit (R17) when each row arrived.
    All arrays may be longer than what is used.
    """

    book: Book
    ledger: Ledger
    scratch: Scratch
    head: npt.NDArray[np.int64]
    limit: npt.NDArray[np.float64]
    people: int

    def for_rows(self, rows: int) -> None:
        book, ledger, labels = self.book, self.ledger, self.book.labels
        if len(book.submitted) >= rows and len(book.pairs.start) > rows:
            return
        size = max(rows, 2 * len(book.submitted))
        people = self.people + size
        said = labels.said._replace(last=grown(labels.said.last, size, -1))
        self.book = replace(
            book,
            submitted=grown(book.submitted, size, 0),
            as_of=grown(book.as_of, size, 0),
            known_at=grown(book.known_at, size, 0),
            ids=grown(book.ids, size, 0),
            person=grown(book.person, size, 0),
            pairs=book.pairs._replace(start=grown(book.pairs.start, size + 1, 0)),
            labels=Labels(
                grown(labels.fraud_from, size, FOREVER), grown(labels.fraud_until, size, FOREVER),
                grown(labels.evidence, size, 0), grown(labels.cleared_from, size, FOREVER),
                grown(labels.early, size, 0), said,
            ),
            inquiries=book.inquiries._replace(last=grown(book.inquiries.last, people, -1)),
        )  # fmt: skip
        stated, links = ledger.stated, ledger.links
        self.ledger = replace(
            ledger,
            stated=Stated(*(grown(each, size, FOREVER if name == "declined_at" else -1)
                            for name, each in stated._asdict().items())),
            links=Links(*(grown(each, size, -1) for each in links)),
        )  # fmt: skip
        self.limit = grown(self.limit, size, np.nan)
        self.scratch = self.scratch._replace(
            slot_of=grown(self.scratch.slot_of, people, -1), visited=grown(self.scratch.visited, size, 0)
        )

    def for_pairs(self, pairs: int) -> None:
        held = self.book.pairs
        if len(held.thing) < pairs:
            longer = {name: grown(each, pairs, -1) for name, each in held._asdict().items() if name != "start"}
            self.book = replace(self.book, pairs=Pairs(start=held.start, **longer))

    def for_things(self, things: int) -> None:
        if len(self.head) < things:
            self.head = grown(self.head, things, -1)
            self.book = replace(self.book, aside_from=grown(self.book.aside_from, len(self.head), FOREVER))

    def for_inquiries(self, inquiries: int) -> None:
        told = self.book.inquiries
        if len(told.ref) < inquiries:
            longer = {name: grown(each, inquiries, -1) for name, each in told._asdict().items() if name != "last"}
            self.book = replace(self.book, inquiries=Inquiries(last=told.last, **longer))

    def for_statements(self, statements: int) -> None:
        labels = self.book.labels
        if len(labels.said.weight) < statements:
            longer: Mapping[str, Array] = {
                name: grown(each, statements, -1) for name, each in labels.said._asdict().items() if name != "last"
            }
            said = Statements(last=labels.said.last, **longer)
            self.book = replace(self.book, labels=replace(labels, said=said))


def trimmed(book: Book, rows: int, pairs: int, things: int) -> Book:
    """Views of what is used."""
    labels, held = book.labels, book.pairs
    return replace(
        book,
        submitted=book.submitted[:rows],
        as_of=book.as_of[:rows],
        known_at=book.known_at[:rows],
        ids=book.ids[:rows],
        person=book.person[:rows],
        pairs=Pairs(held.start[: rows + 1], *(each[:pairs] for each in held[1:])),
        labels=Labels(
            labels.fraud_from[:rows], labels.fraud_until[:rows], labels.evidence[:rows], labels.cleared_from[:rows],
            labels.early[:rows], labels.said,
        ),
        aside_from=book.aside_from[:things],
    )  # fmt: skip
