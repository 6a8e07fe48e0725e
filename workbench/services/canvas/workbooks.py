"""A table as an Excel workbook. Texts stay texts, whatever they begin with: none is a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook
from openpyxl.cell.cell import TYPE_STRING
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

WIDEST = 48


def workbook(title: str, fields: Sequence[str], rows: Iterable[Sequence[object]], *, note: str = "") -> bytes:
    """`note` stands above the head."""
    book = Workbook()
    sheet = book.active
    sheet.title = title[:31]
    first = 1
    if note:
        sheet.append([note])
        sheet.cell(1, 1).font = Font(italic=True, color="5B6672")
        first = 2
    sheet.append(list(fields))
    for cell in sheet[first]:
        cell.font, cell.alignment = Font(bold=True), Alignment(vertical="top")
    widths = [len(each) for each in fields]
    for row in rows:
        sheet.append([None if isinstance(each, str) else each for each in row])
        for at, told in enumerate(row, start=1):
            if isinstance(told, str):
                cell = sheet.cell(sheet.max_row, at)
                cell.value, cell.data_type = told, TYPE_STRING
            widths[at - 1] = max(widths[at - 1], len(str(told)) if told is not None else 0)
    for at, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = min(WIDEST, width + 3)
    sheet.freeze_panes = f"A{first + 1}"
    into = io.BytesIO()
    book.save(into)
    return into.getvalue()
