"""Cells of a CSV that a spreadsheet will not take for a formula."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

FORMULA = frozenset("=+-@")
"""Full-width forms count, too: some spreadsheets fold them."""


def safe(value: object) -> str:
    """An apostrophe before what could be a formula, also behind blanks, a byte order mark or zero-width characters."""
    text = "" if value is None else str(value)
    seen = (each for each in text if not (each.isspace() or unicodedata.category(each) in ("Cc", "Cf")))
    first = unicodedata.normalize("NFKC", next(seen, " "))
    return f"'{text}" if text and (first[0] in FORMULA or text[0] in "\t\r\n") else text


def as_csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([safe(each) for each in row] for row in rows)
    return text.getvalue()
