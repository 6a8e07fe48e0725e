"""All features of applications, each as of the moment when it is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from gnn.book import FOREVER, ROLES, Book, Floats
from gnn.features.attributes import attributes
from gnn.features.behaviour import behaviour
from gnn.features.facts import Facts, read_facts
from gnn.walk import (
    BUREAU,
    BY_KIND,
    CROWDS,
    HISTORY,
    KINDS,
    POST_KINDS,
    UNION,
    Crowds,
    Linked,
    Links,
    Scratch,
    Stated,
    crowds,
    inquiries,
    link,
    seen_before,
)
from graph.records import Ints

LINKED_MEANS = (
    "points", "far_from_dealer", "thin_file", "licence_held", "phone_tenure_months", "reserved_phone_match",
    "price_over_market", "amount", "ltv", "down_ratio", "inquiries_90d", "employer_months",
)  # fmt: skip
"""Columns of which linked people's mean is a feature."""


@dataclass(frozen=True)
class Features:
    """`values[i, j]` of row `rows[i]`, float32; `links` of all rows so far. `ledger`: what a later row goes on from."""

    names: tuple[str, ...]
    values: npt.NDArray[np.float32]
    rows: Ints
    links: Links
    ledger: Ledger | None = None

    def __getitem__(self, name: str) -> npt.NDArray[np.float32]:
        return self.values[:, self.names.index(name)]

    def only(self, names: Sequence[str]) -> npt.NDArray[np.float32]:
        """These columns in this order."""
        return self.values[:, _places(self.names, tuple(names))]


@lru_cache(maxsize=16)
def _places(names: tuple[str, ...], wanted: tuple[str, ...]) -> Ints:
    number = {name: at for at, name in enumerate(names)}
    return np.array([number[name] for name in wanted], dtype=np.int64)


@dataclass(frozen=True)
class Ledger:
    """What earlier rows leave for the features of later ones, by row."""

    stated: Stated
    links: Links

    @classmethod
    def of(cls, book: Book) -> Ledger:
        size = len(book)
        own, (points_, amount, province) = np.full((size, len(LINKED_MEANS)), np.nan), np.full((3, size), np.nan)
        model, dealer, salesperson = np.full((3, size), -1, dtype=np.int64)
        stated = Stated(own, points_, amount, province, model, dealer, salesperson, declined_at(book))
        return cls(stated, Links.nothing(size))


BLOCK = 1 << 16


def features(book: Book) -> Features:
    """Of every row, at decision time."""
    ledger = Ledger.of(book)
    facts, scratch = read_facts(book), scratch_of(book)
    order = book.arrival(np.arange(len(book)))
    first = row_features(book, order[:BLOCK], facts.of(order[:BLOCK]), ledger, scratch)
    values = np.empty((len(book), len(first.names)), dtype=np.float32)
    values[first.rows] = first.values
    for at in range(BLOCK, len(book), BLOCK):
        rows = order[at : at + BLOCK]
        values[rows] = row_features(book, rows, facts.of(rows), ledger, scratch).values
    return Features(first.names, values, np.arange(len(book)), ledger.links, ledger)


def row_features(book: Book, rows: Ints, facts: Facts, ledger: Ledger, scratch: Scratch) -> Features:
    """Of some rows, at decision time; `ledger` holds all that arrived earlier, and what these leave is written there.

    `facts` are of these rows.
    """
    own = _own(book, rows, facts, ledger)
    linked = link(book, rows, ledger.stated, ledger.links, scratch=scratch)
    crowd = crowds(book, rows, ledger.stated, ledger.links)
    before = seen_before(book, rows)
    values = np.concatenate([_stacked(own), before[:, _COUNTED], *_blocks(linked, crowd)], axis=1, dtype=np.float32)
    return Features((*own, *_SEEN, *_names(KINDS)), values, rows, ledger.links)


_COUNTED = [n for n, role in enumerate(ROLES) if not role.post and role.name not in ("person", "deal", "voice")]
_SEEN = tuple(f"seen_{ROLES[number].name}" for number in _COUNTED)


def scratch_of(book: Book) -> Scratch:
    return Scratch.room(int(book.person.max(initial=0)) + 1, len(book), len(KINDS))


def _own(book: Book, rows: Ints, facts: Facts, ledger: Ledger) -> dict[str, Floats]:
    """What each row says by itself and the bureau of it; written into the ledger, too."""
    own = attributes(facts, book.submitted[rows], book.as_of[rows])
    own["points"] = points(own)
    bureau = inquiries(book, rows)
    own |= {name: bureau[:, at] for at, name in enumerate(BUREAU)}
    told, model = ledger.stated, facts["model"]
    told.own[rows] = _stacked({name: own[name] for name in LINKED_MEANS})
    told.points[rows], told.amount[rows] = own["points"], np.nan_to_num(own["amount"])
    told.province[rows] = own["live_province"]
    told.model[rows] = np.where(np.isnan(model), -1, model)
    told.dealer[rows], told.salesperson[rows] = book.latest("dealer", rows), book.latest("salesperson", rows)
    return own


def points(own: Mapping[str, Floats]) -> Floats:
    """What makes the application odd by itself, in the points of the rule catalogue (domain.md §2.4)."""
    with np.errstate(invalid="ignore"):
        number = (own["phone_tenure_months"] < 3) | (own["reserved_phone_match"] == 0)
        total: Floats = 15.0 * (own["far_from_dealer"] == 1) + 10.0 * (own["thin_file"] == 1)
        total += 15.0 * (own["licence_held"] == 0) + 10.0 * number + 25.0 * (own["price_over_market"] > 1.15)
        total += 10.0 * (own["down_ratio"] <= 0.01) + 15.0 * (own["under_limit"] == 1)
    return total


def declined_at(book: Book) -> Ints:
    """Per row when it was declined; `FOREVER` for never."""
    nodes = book.snapshot.nodes["Application"]
    decision = nodes.table["decision"].to_pandas().to_numpy(dtype=object)
    decided = nodes.times("decided_at", as_of=FOREVER - 1)
    return np.where((decision == "decline") & (decided > 0), decided, FOREVER)


def hindsight(book: Book, *, night: int) -> Features:
    """What can be known on a night of the applications known by then, and what became of them and who came later.

    `book` was opened with `post_loan`. All rows are there; those that came after the night hold nothing of use.
    """
    ledger = Ledger.of(book)
    own = _own(book, np.arange(len(book)), read_facts(book), ledger)
    rows, kinds = np.flatnonzero(book.as_of <= night), KINDS + POST_KINDS
    link(book, rows, ledger.stated, ledger.links, kinds=kinds, night=night)
    linked = link(book, rows, ledger.stated, ledger.links, kinds=kinds, night=night)
    crowd = crowds(book, rows, ledger.stated, ledger.links, night=night)
    told = {name: column[rows] for name, column in (own | behaviour(book, night=night)).items()}
    values = np.concatenate([_stacked(told), *_blocks(linked, crowd)], axis=1, dtype=np.float32)
    return Features((*told, *_names(kinds)), values, rows, ledger.links)


def _stacked(columns: Mapping[str, Floats]) -> Floats:
    return np.array(list(columns.values())).T


def _blocks(linked: Linked, crowd: Crowds) -> tuple[Floats, ...]:
    """Columns as `_names` names them."""
    return *linked, *crowd


@cache
def _names(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return (
        *(f"{kind}_{what}" for kind in kinds for what in BY_KIND),
        *(f"linked_{name}" for name in UNION),
        *(f"linked_mean_{name}" for name in LINKED_MEANS),
        *(f"own_{name}" for name in HISTORY),
        *(f"dealer_{name}" for name in CROWDS),
        *(f"salesperson_{name}" for name in CROWDS),
    )
