"""The texts of entities, made once per kind from streams that know nothing of class or time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from loaders.portfolio import identifiers as make
from loaders.portfolio.book import Book
from loaders.portfolio.chance import Flags, Ints, Words, by_class, chance, distinct
from loaders.portfolio.identifiers import Text, tokens


class Names:
    """`names("device", numbers)` gives their texts; NONE becomes an empty cell."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._made: dict[str, Text] = {}

    def __call__(self, kind: str, entities: Ints) -> Text:
        return refer(self.all(kind), np.asarray(entities))

    def all(self, kind: str) -> Text:
        if kind not in self._made:
            self._made[kind] = self._make(kind, self._size(kind))
        return self._made[kind]

    def _size(self, kind: str) -> int:
        """Rows of our own tables count as entities too."""
        book = self.book
        own = {
            "application": len(book.applications), "deal": len(book.applications),
            "applicant": len(book.people), "address": len(book.people), "ring": len(book.rings),
            "group": len(book.dealers), "dt": len(book.dealers), "vt": book.entities.sizes["vehicle"],
            "salesperson": len(book.salespeople),
        }  # fmt: skip
        return own.get(kind, book.entities.sizes.get(kind, 0))

    def _make(self, kind: str, n: int) -> Text:
        rng = self.book.streams(f"names of {kind}")
        special: dict[str, Callable[[np.random.Generator], Text]] = {
            "phone": self._phones, "ip": self._ips, "vehicle": self._vins,
            "wifi": lambda rng: pc.binary_join_element_wise("bssid", make.hexes(rng, n, 16), "_"),
            "device": lambda rng: make.hexes(rng, n, 32),
        }  # fmt: skip
        prefix = {"account": "acct_", "party": "party_", "application": "APP", "applicant": "CUS", "dealer": "D",
                  "salesperson": "S", "employer": "EMP", "reviewer": "RV"}  # fmt: skip
        return special[kind](rng) if kind in special else tokens(rng, prefix.get(kind, f"{kind}_"), n)

    def _phones(self, rng: np.random.Generator) -> Text:
        """Mobile numbers from one pool; landlines by the area code of the city."""
        book = self.book
        type_ = book.entities.fact("phone", "type", "mobile")
        n = len(type_)
        virtual = virtual_numbers(book, rng)
        late = book.entities.fact("phone", "new_prefix", False)
        prefix = np.where(virtual, rng.choice(make.MVNO, n), rng.choice(make.PREFIXES, n))
        prefix = np.where(late & ~virtual, rng.choice(book.p["drift.new_prefixes"], n), prefix)
        numbers = np.array(make.mobiles(rng, prefix).to_pylist(), dtype=object)
        fixed = np.flatnonzero(type_ == "landline")
        areas = book.cities["area"].to_numpy()[book.entities.fact("phone", "city", 0)[fixed]]
        local = distinct(rng, len(fixed), 7 * 10**6) + 2 * 10**6
        numbers[fixed] = [
            f"{area}{'6' if len(area) == 3 else ''}{each}" for area, each in zip(areas, local, strict=True)
        ]
        service = np.flatnonzero(type_ == "400")
        numbers[service] = [f"400{each}" for each in distinct(rng, len(service), 8 * 10**6) + 10**6]
        return pa.array(numbers, pa.string())

    def _ips(self, rng: np.random.Generator) -> Text:
        version = self.book.entities.fact("ip", "version", 4)
        ours = make.public_ips(rng, len(version))
        return pc.if_else(pa.array(version == 6), make.public_ipv6(rng, len(version)), ours)

    def _vins(self, rng: np.random.Generator) -> Text:
        model = self.book.entities.fact("vehicle", "model", 0)
        year = self.book.entities.fact("vehicle", "year", 2025)
        return make.vins(rng, self.book.models["wmi"].to_numpy()[model], year)


def virtual_numbers(book: Book, rng: np.random.Generator) -> Flags:
    """Numbers of virtual operators: mobiles only, a little more often with fraud."""
    holder = book.entities.fact("phone", "person", -1)
    fraud = np.r_[book.people["fraud"].to_numpy(dtype=bool), False][holder]
    mobile = book.entities.fact("phone", "type", "mobile") == "mobile"
    drawn = chance(rng, by_class(fraud, book.p["phones.mvno_share"]), len(holder))
    return np.asarray((drawn | book.entities.fact("phone", "mvno", False)) & mobile)


def refer(texts: Text, entities: Ints) -> Text:
    """The texts of these entities; an empty cell where there is none."""
    if not len(texts):
        return pa.nulls(len(entities), pa.string())
    return texts.take(pa.array(np.maximum(entities, 0), mask=entities < 0))


def only(kept: Flags, values: NDArray[Any]) -> Words:
    """The values where they are kept, empty cells elsewhere."""
    cells = np.asarray(values, dtype=object).copy()
    cells[~np.asarray(kept, dtype=bool)] = None
    return cells


def either(first: Flags, ours: Text, others: Text | None = None) -> Text:
    """Text by text: ours where the flag says so, else the others or an empty cell."""
    return pc.if_else(pa.array(first), ours, pa.scalar(None, pa.string()) if others is None else others)


def joined(*parts: Any) -> np.ndarray:
    """Element-wise concatenation of object arrays and constants; nothing stays nothing."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return np.asarray(total, dtype=object)


def numbered(numbers: Ints, before: str = "", after: str = "") -> np.ndarray:
    """`3` -> `3栋`; made once per different number."""
    different, inverse = np.unique(numbers, return_inverse=True)
    return np.array([f"{before}{number}{after}" for number in different], dtype=object)[inverse]
