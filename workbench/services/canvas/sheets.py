"""Tables that leave the workbench as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Texts that begin so are run by spreadsheets."""


def sheet(fields: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV that opens as text in a spreadsheet, whatever somebody wrote into a name."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(fields)
    for row in rows:
        writer.writerow([_plain(each) for each in row])
    return text.getvalue()


def _plain(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
