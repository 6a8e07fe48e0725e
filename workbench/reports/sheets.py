"""A report's tables for a spreadsheet: one CSV for each, and one workbook with all of them. No text is a formula."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime

from openpyxl import Workbook
from openpyxl.cell.cell import TYPE_STRING
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from workbench.cells import safe
from workbench.reports.document import Column, Figure, Kind, Report, Table, Value, plain
from workbench.reports.shown import frame
from workbench.ui.i18n import CHINA, t

MARK = "\ufeff"
"""Without it a spreadsheet takes Chinese letters for something else."""

WIDEST = 60
FORMATS = {
    Kind.COUNT: "#,##0", Kind.MONEY: '"¥"#,##0', Kind.SHARE: "0.0%", Kind.SCORE: "0.000", Kind.NUMBER: "#,##0.00",
    Kind.DATE: "yyyy-mm-dd",
}  # fmt: skip
UNNAMED = re.compile(r"[\[\]:*?/\\']")
MODIFIED = re.compile(rb"<dcterms:modified[^>]*>[^<]*</dcterms:modified>")
EARLIEST = (1980, 1, 1, 0, 0, 0)


def csv_of(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe(each.name) for each in table.columns])
    writer.writerows(
        [_said(value, column.kind) for value, column in zip(row, table.columns, strict=True)] for row in table.rows
    )
    return (MARK + text.getvalue()).encode()


def figures_csv(report: Report) -> bytes:
    """Key numbers as a table: section, name, value, what it means."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([t("Section"), t("Figure"), t("Value"), t("Note")])
    writer.writerows(
        [safe(section.title), safe(one.name), _said(one.value, one.kind), safe(one.note)]
        for section, one in report.figures()
    )
    return (MARK + text.getvalue()).encode()


def _said(value: Value, kind: Kind) -> object:
    """Numbers as they are: a minus before one is no formula."""
    value = plain(value)
    if isinstance(value, datetime):
        return value.astimezone(CHINA).strftime("%Y-%m-%d")
    if isinstance(value, float):
        return round(value, 2 if kind in (Kind.MONEY, Kind.NUMBER) else 6)
    return value if isinstance(value, int) else safe(value)


# One workbook ----------------------------------------------------------------------------------------------


def workbook(report: Report) -> bytes:
    """A cover with the key figures, then a sheet for each table. The same report gives the same bytes."""
    book = Workbook()
    _cover(book.active, report)
    taken = {book.active.title.casefold()}
    for section, table in report.tables():
        sheet = book.create_sheet(_name(table.title or section.title, taken))
        _fill(sheet, table.columns, table.rows, table.note, table.marked)
    props = book.properties
    props.creator = props.lastModifiedBy = "Ringroad"
    props.title = f"{report.title} {report.slot.name}"
    props.created = report.as_of.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    into = io.BytesIO()
    book.save(into)
    return _dated(into.getvalue(), report.as_of)


def _name(title: str, taken: set[str]) -> str:
    """At most 31 characters, none of those that a sheet may not have, no two equal."""
    base = UNNAMED.sub(" ", title)[:31].strip() or "Sheet"
    name, number = base, 2
    while name.casefold() in taken:
        name, number = f"{base[:27]} ({number})", number + 1
    taken.add(name.casefold())
    return name


def _cover(sheet: Worksheet, report: Report) -> None:
    told = frame(report)
    sheet.title = _name(t("Overview"), set())
    lines: list[Sequence[Figure | str]] = [[report.title], [told["period"]], [told["asof"]], [told["masked"]]]
    lines += [[each] for each in report.notes] + [[""]]
    for at, line in enumerate(lines, start=1):
        _text(sheet, at, 1, str(line[0]))
    sheet.cell(1, 1).font = Font(bold=True, size=16)
    row = len(lines) + 1
    for section, one in report.figures():
        _text(sheet, row, 1, section.title)
        _text(sheet, row, 2, one.name)
        _value(sheet, row, 3, one.value, one.kind)
        _text(sheet, row, 4, one.note)
        row += 1
    for section in report.sections:
        if section.empty:
            _text(sheet, row, 1, section.title)
            _text(sheet, row, 2, section.empty)
            row += 1
    for each in report.counted:
        _text(sheet, row + 1, 1, each)
        row += 1
    for column, width in zip("ABCD", (34, 44, 16, 60), strict=True):
        sheet.column_dimensions[column].width = width


def _fill(
    sheet: Worksheet, columns: Sequence[Column], rows: Sequence[Sequence[Value]], note: str, marked: frozenset[int]
) -> None:
    for at, column in enumerate(columns, start=1):
        _text(sheet, 1, at, column.name)
        cell = sheet.cell(1, at)
        right = column.kind is not Kind.TEXT
        cell.font, cell.alignment = Font(bold=True), Alignment(horizontal="right" if right else "left", wrap_text=True)
    shade = PatternFill("solid", fgColor="FFF4D6")
    for number, row in enumerate(rows):
        for at, (value, column) in enumerate(zip(row, columns, strict=True), start=1):
            _value(sheet, number + 2, at, value, column.kind)
            if number in marked:
                sheet.cell(number + 2, at).fill = shade
    for at, column in enumerate(columns, start=1):
        longest = max((len(str(row[at - 1])) for row in rows if isinstance(row[at - 1], str)), default=9)
        width = min(WIDEST, max(longest, min(len(column.name), 24)) + 3)
        sheet.column_dimensions[get_column_letter(at)].width = width
    sheet.freeze_panes = "A2"
    if note:
        _text(sheet, len(rows) + 3, 1, note)
        sheet.cell(len(rows) + 3, 1).font = Font(italic=True, color="5B6672")


def _text(sheet: Worksheet, row: int, column: int, text: str) -> None:
    """As a text, whatever it begins with. Control characters, which a workbook cannot hold, are left out."""
    cell = sheet.cell(row, column)
    cell.value = "".join(each for each in text if each >= " " or each in "\t\n")
    cell.data_type = TYPE_STRING


def _value(sheet: Worksheet, row: int, column: int, value: Value, kind: Kind) -> None:
    value = plain(value)
    if isinstance(value, str):
        _text(sheet, row, column, value)
        return
    cell = sheet.cell(row, column)
    cell.value = value.astimezone(CHINA).replace(tzinfo=None) if isinstance(value, datetime) else value
    cell.number_format = FORMATS.get(kind, "General")


def _dated(content: bytes, at: datetime) -> bytes:
    """openpyxl writes the time of saving; the time of a report is that of its slot."""
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    modified = b'<dcterms:modified xsi:type="dcterms:W3CDTF">' + stamp + b"</dcterms:modified>"
    into = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            inside = old.read(each)
            if each.filename == "docProps/core.xml":
                inside = MODIFIED.sub(modified, inside)
            new.writestr(zipfile.ZipInfo(each.filename, EARLIEST), inside, zipfile.ZIP_DEFLATED)
    return into.getvalue()
