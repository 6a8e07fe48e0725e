"""Dirty rows as real exports have them: typing errors, placeholders, full-width digits, Excel, duplicates.

Runs on the finished text tables, so that the clean portfolio stays the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.portfolio.book import Book
from loaders.portfolio.chance import some

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
PLACEHOLDER = "13800138000"
Damage = Callable[[str, np.random.Generator], str]


def _typed_wrong(text: str, rng: np.random.Generator) -> str:
    """One digit of the serial replaced by another: the check character no longer fits."""
    at = len(text) - 2 - int(rng.integers(0, 3))
    digit = int(text[at]) if text[at].isdigit() else 0
    return f"{text[:at]}{(digit + int(rng.integers(1, 9))) % 10}{text[at + 1 :]}"


@dataclass(frozen=True)
class Kind:
    """One kind of damage: which cells of a column, how many, and what happens to them."""

    name: str
    table: str
    column: str
    how: Damage


KINDS = (
    Kind("typo_id", "applicants", "id_number", _typed_wrong),
    Kind("fullwidth_digits", "applicants", "phone", lambda text, _: text.translate(FULL_WIDTH)),
    Kind("excel_damage", "applicants", "id_number", lambda text, _: f"{text[0]}.{text[1:6]}E+17"),
    Kind("placeholder_phone", "contacts", "phone", lambda *_: PLACEHOLDER),
    Kind("placeholder_imei", "device_events", "imei", lambda *_: "0" * 15),
    Kind("typo_vin", "applications", "vin", _typed_wrong),
)
DELIVERED_TWICE = ("device_events", "contacts", "payments", "bureau_inquiries")


def soil(book: Book, tables: dict[str, pa.Table]) -> dict[str, int]:
    """Damages the tables in place; returns how many cells or rows each kind of damage took."""
    shares = book.p["data_quality"]
    counts = {kind.name: _damage(book.streams(kind.name), tables, kind, shares[kind.name]) for kind in KINDS}
    rng = book.streams("duplicates")
    twice = [_duplicate(rng, tables, name, shares["duplicate_rows"]) for name in DELIVERED_TWICE]
    return {**counts, "duplicate_rows": sum(twice)}


def _damage(rng: np.random.Generator, tables: dict[str, pa.Table], kind: Kind, share: float) -> int:
    """Changes a share of the filled cells."""
    table = tables[kind.table]
    cells = table[kind.column].combine_chunks()
    filled = np.flatnonzero(np.asarray(cells.is_valid()))
    rows = np.sort(some(rng, filled, round(share * len(filled))))
    changed = pa.array([kind.how(cells[int(row)].as_py(), rng) for row in rows], pa.string())
    mask = np.zeros(len(cells), bool)
    mask[rows] = True
    cells = pc.replace_with_mask(cells, pa.array(mask), changed)
    tables[kind.table] = table.set_column(table.column_names.index(kind.column), kind.column, cells)
    return len(rows)


def _duplicate(rng: np.random.Generator, tables: dict[str, pa.Table], name: str, share: float) -> int:
    """Rows delivered twice, one after the other."""
    table = tables[name]
    rows = some(rng, np.arange(len(table)), round(share * len(table)))
    tables[name] = table.take(pa.array(np.sort(np.r_[np.arange(len(table)), rows])))
    return len(rows)
