"""Tables to files: every cell gets its text here, rows are ordered by when they were known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

Columns = Mapping[str, Any]
DECIMALS = {"lat": 6, "lon": 6, "ltv": 4, "face_score": 4, "liveness_score": 4, "score": 4, "geocode_confidence": 3,
            "threshold": 2, "reserved_phone_match": 0, "owner_match": 0, "km": 1, "online_hours": 1,
            "monthly_volume": 0}  # fmt: skip
MONEY = 2


def as_table(columns: Columns) -> pa.Table:
    """Text for moments, dates and decimals; whole numbers and flags stay numbers (0/1)."""
    cells = {name: _cells(name, values) for name, values in columns.items()}
    table = pa.table(cells)
    return table.take(
        pc.sort_indices(table, sort_keys=[("known_at", "ascending"), (table.column_names[0], "ascending")])
    )


def _cells(name: str, values: Any) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    kind = np.asarray(values).dtype.kind
    if kind == "M":
        return _moments(values)
    if kind == "f":
        return fixed_point(values, DECIMALS.get(name, MONEY))
    if kind == "b":
        return pa.array(values.astype(np.int8))
    return pa.array(values, pa.string()) if kind == "O" else pa.array(values)


def _moments(values: np.ndarray) -> pa.Array:
    """Local time of the calendar, which is UTC+8."""
    cells = pa.array(np.datetime_as_string(values).astype(object), pa.string())
    if values.dtype == np.dtype("datetime64[s]"):
        cells = pc.binary_join_element_wise(cells, "+08:00", "")
    return pc.if_else(pa.array(np.isnat(values)), pa.scalar(None, pa.string()), cells)


def fixed_point(values: np.ndarray, decimals: int) -> pa.Array:
    """`1234.5` -> `1234.50`; not a number becomes an empty cell."""
    missing = np.isnan(values)
    scaled = np.round(np.where(missing, 0, values) * 10**decimals).astype(np.int64)
    cells = pa.array(np.abs(scaled) // 10**decimals).cast(pa.string())
    if decimals:
        tail = pc.utf8_lpad(pa.array(np.abs(scaled) % 10**decimals).cast(pa.string()), decimals, "0")
        cells = pc.binary_join_element_wise(cells, tail, ".")
    if (scaled < 0).any():
        cells = pc.if_else(pa.array(scaled < 0), pc.binary_join_element_wise("-", cells, ""), cells)
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), cells)


def write_table(folder: Path, name: str, table: pa.Table, format_: str) -> None:
    if format_ == "parquet":
        pq.write_table(table, folder / f"{name}.parquet")
        return
    try:
        pa_csv.write_csv(table, folder / f"{name}.csv", pa_csv.WriteOptions(quoting_style="none"))
    except pa.ArrowInvalid:  # some cell needs quotes
        pa_csv.write_csv(table, folder / f"{name}.csv", pa_csv.WriteOptions(quoting_style="needed"))
