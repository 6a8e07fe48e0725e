"""All features of applications, each as of the moment when it is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gnn.book import FOREVER, ROLES, Book, Floats
from gnn.features.attributes import attributes
from gnn.features.behaviour import behaviour
from gnn.walk import (
    BUREAU,
    BY_KIND,
    CROWDS,
    HISTORY,
    KINDS,
    POST_KINDS,
    UNION,
    Links,
    Stated,
    Walked,
    inquiries,
    seen_before,
    walk,
)  # fmt: skip
from graph.records import Ints

LINKED_MEANS = (
    "points", "far_from_dealer", "thin_file", "licence_held", "phone_tenure_months", "reserved_phone_match",
    "price_over_market", "amount", "ltv", "down_ratio", "inquiries_90d", "employer_months",
)  # fmt: skip
"""Columns of which linked people's mean is a feature."""


@dataclass(frozen=True)
class Features:
    """`values[i, j]` of row `rows[i]`, float32; `links` of all rows so far."""

    names: tuple[str, ...]
    values: npt.NDArray[np.float32]
    rows: Ints
    links: Links

    def __getitem__(self, name: str) -> npt.NDArray[np.float32]:
        return self.values[:, self.names.index(name)]

    def only(self, names: Sequence[str]) -> npt.NDArray[np.float32]:
        """These columns in this order."""
        number = {name: at for at, name in enumerate(self.names)}
        return self.values[:, [number[name] for name in names]]


def features(book: Book) -> Features:
    rows = np.arange(len(book))
    own = attributes(book)
    own["points"] = points(book, own)
    bureau = inquiries(book, rows)
    own |= {name: bureau[:, at] for at, name in enumerate(BUREAU)}
    links = Links.nothing(len(book))
    walked = walk(book, rows, stated(book, own), links)
    before = seen_before(book, rows)
    columns: dict[str, Floats] = dict(own)
    for number, role in enumerate(ROLES):
        if not role.post and role.name not in ("person", "deal", "voice"):
            columns[f"seen_{role.name}"] = before[:, number]
    columns |= _named(walked, KINDS)
    values = np.stack(list(columns.values()), axis=1).astype(np.float32)
    return Features(tuple(columns), values, rows, links)


def points(book: Book, own: Mapping[str, Floats]) -> Floats:
    """What makes the application odd by itself, in the points of the rule catalogue (domain.md §2.4)."""
    with np.errstate(invalid="ignore"):
        number = (own["phone_tenure_months"] < 3) | (own["reserved_phone_match"] == 0)
        total = 15.0 * (own["far_from_dealer"] == 1) + 10.0 * (own["thin_file"] == 1)
        total += 15.0 * (own["licence_held"] == 0) + 10.0 * number + 25.0 * (own["price_over_market"] > 1.15)
        total += 10.0 * (own["down_ratio"] <= 0.01) + 15.0 * (own["under_limit"] == 1)
    return total


def stated(book: Book, own: Mapping[str, Floats]) -> Stated:
    nodes = book.snapshot.nodes["Application"]
    decision = nodes.table["decision"].to_pandas().to_numpy(dtype=object)
    decided = nodes.times("decided_at", as_of=FOREVER - 1)
    vehicle = book.latest("vehicle")
    models = pd.factorize(book.snapshot.nodes["Vehicle"].table["model_code"].to_pandas().to_numpy())[0]
    return Stated(
        own=np.stack([own[name] for name in LINKED_MEANS], axis=1),
        points=own["points"],
        amount=np.nan_to_num(own["amount"]),
        province=own["live_province"],
        model=np.append(models, -1)[vehicle],
        dealer=book.latest("dealer"),
        salesperson=book.latest("salesperson"),
        declined_at=np.where((decision == "decline") & (decided > 0), decided, FOREVER),
    )


def hindsight(book: Book, *, night: int) -> Features:
    """What can be known on a night of the applications known by then, with those who came later and what became of them.

    `book` was opened with `post_loan`. All rows are there; those that came after the night hold nothing of use.
    """
    rows = np.flatnonzero(book.as_of <= night)
    own = attributes(book)
    own["points"] = points(book, own)
    bureau = inquiries(book, np.arange(len(book)))
    own |= {name: bureau[:, at] for at, name in enumerate(BUREAU)}
    about, links, kinds = stated(book, own), Links.nothing(len(book)), KINDS + POST_KINDS
    walk(book, rows, about, links, kinds=kinds, night=night)
    walked = walk(book, rows, about, links, kinds=kinds, night=night)
    columns: dict[str, Floats] = {name: column[rows] for name, column in (own | behaviour(book, night=night)).items()}
    columns |= _named(walked, kinds)
    return Features(tuple(columns), np.stack(list(columns.values()), axis=1).astype(np.float32), rows, links)


def _named(walked: Walked, kinds: tuple[str, ...]) -> dict[str, Floats]:
    columns = {
        f"{kind}_{what}": walked.by_kind[:, len(BY_KIND) * number + at]
        for number, kind in enumerate(kinds)
        for at, what in enumerate(BY_KIND)
    }
    columns |= {f"linked_{name}": walked.union[:, at] for at, name in enumerate(UNION)}
    columns |= {f"linked_mean_{name}": walked.means[:, at] for at, name in enumerate(LINKED_MEANS)}
    columns |= {f"own_{name}": walked.history[:, at] for at, name in enumerate(HISTORY)}
    columns |= {f"dealer_{name}": walked.dealer[:, at] for at, name in enumerate(CROWDS)}
    return columns | {f"salesperson_{name}": walked.salesperson[:, at] for at, name in enumerate(CROWDS)}
