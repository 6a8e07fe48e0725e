"""Dirty rows as real exports have them: typing errors, placeholders, full-width digits, Excel, duplicates.

Runs on the finished text tables, so that the clean portfolio stays the truth.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loaders.portfolio.book import Book
from loaders.portfolio.chance import some

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
PLACEHOLDER = "13800138000"
Damage = Callable[[str, np.random.Generator], str]


def soil(book: Book, tables: dict[str, pa.Table]) -> dict[str, int]:
    """Damages the tables in place; returns how many cells or rows each kind of damage took."""
    rng, q = book.streams("dirt"), book.p["data_quality"]
    damages: list[tuple[str, str, str, float, Damage]] = [
        ("typo_id", "applicants", "id_number", q["typo_id"], _typed_wrong),
        (
            "fullwidth_digits",
            "applicants",
            "phone",
            q["fullwidth_digits"],
            lambda text, _: text.translate(FULL_WIDTH),
        ),
        (
            "excel_damage",
            "applicants",
            "id_number",
            q["excel_damage"],
            lambda text, _: f"{text[0]}.{text[1:6]}E+17",
        ),
        ("placeholder_phone", "contacts", "phone", q["placeholder_phone"], lambda *_: PLACEHOLDER),
        ("placeholder_imei", "device_events", "imei", q["placeholder_imei"], lambda *_: "0" * 15),
        ("typo_vin", "applications", "vin", q["typo_vin"], _typed_wrong),
    ]
    counts = {
        name: _damage(rng, tables, table, column, share, how) for name, table, column, share, how in damages
    }
    for name in ("device_events", "contacts", "payments", "bureau_inquiries"):
        counts["duplicate_rows"] = counts.get("duplicate_rows", 0) + _duplicate(
            rng, tables, name, q["duplicate_rows"]
        )
    return counts


def _damage(
    rng: np.random.Generator, tables: dict[str, pa.Table], name: str, column: str, share: float, how: Damage
) -> int:
    """Changes a share of the filled cells; ids of passports and permits too."""
    table = tables[name]
    cells = table[column].combine_chunks()
    filled = np.flatnonzero(np.asarray(cells.is_valid()))
    rows = np.sort(some(rng, filled, round(share * len(filled))))
    changed = pa.array([how(cells[int(row)].as_py(), rng) for row in rows], pa.string())
    mask = np.zeros(len(cells), bool)
    mask[rows] = True
    cells = pc.replace_with_mask(cells, pa.array(mask), changed)
    tables[name] = table.set_column(table.column_names.index(column), column, cells)
    return len(rows)


def _typed_wrong(text: str, rng: np.random.Generator) -> str:
    """One digit of the serial replaced by another: the check character no longer fits."""
    at = len(text) - 2 - int(rng.integers(0, 3))
    digit = int(text[at]) if text[at].isdigit() else 0
    return f"{text[:at]}{(digit + int(rng.integers(1, 9))) % 10}{text[at + 1 :]}"


def _duplicate(rng: np.random.Generator, tables: dict[str, pa.Table], name: str, share: float) -> int:
    """Rows delivered twice, one after the other."""
    table = tables[name]
    rows = some(rng, np.arange(len(table)), round(share * len(table)))
    tables[name] = table.take(pa.array(np.sort(np.r_[np.arange(len(table)), rows])))
    return len(rows)
