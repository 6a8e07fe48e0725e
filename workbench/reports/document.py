"""What a report holds before it becomes a file: sections of words, key figures, tables and pictures.

Words are in the language of the context in which a report is built. Numbers, money, shares and times stay values until
a renderer writes them, so a spreadsheet gets numbers and a page gets what people read. A section that has nothing to
tell is there and says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from workbench.schedule.slots import Slot

Value = str | int | float | datetime | None
"""None, like NaN, is what nobody can tell."""


class Kind(StrEnum):
    """`share` is of one and shown in per cent, `money` is RMB, `score` lies between 0 and 1, `number` has a point."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"
    SHARE = "share"
    SCORE = "score"
    NUMBER = "number"
    DATE = "date"


@dataclass(frozen=True)
class Words:
    """Paragraphs; a bulleted list where `listed`."""

    texts: tuple[str, ...]
    listed: bool = False


@dataclass(frozen=True)
class Figure:
    """A key number. `note` stands below it."""

    name: str
    value: Value
    kind: Kind = Kind.COUNT
    note: str = ""


@dataclass(frozen=True)
class Figures:
    every: tuple[Figure, ...]


@dataclass(frozen=True)
class Column:
    """`wide` columns take what room the others leave."""

    name: str
    kind: Kind = Kind.TEXT
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """`code` names its file. `marked` rows are to be seen first; `heat` tints cells, by (row, column), from -1
    (less) to 1 (more); `note` says how to read it."""

    code: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""
    marked: frozenset[int] = frozenset()
    heat: dict[tuple[int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.code} has {len(self.columns)} columns, and a row of {len(row)}")


@dataclass(frozen=True)
class Picture:
    """SVG of our own making, without script or reference; `alt` says in words what it shows. `width` of the page."""

    svg: str
    alt: str
    width: float = 1.0
    legend: tuple[tuple[str, str], ...] = ()
    """(colour, name)."""


Block = Words | Figures | Table | Picture


@dataclass(frozen=True)
class Section:
    """Either something, or `empty`: why there is nothing."""

    code: str
    title: str
    blocks: tuple[Block, ...] = ()
    empty: str = ""

    def __post_init__(self) -> None:
        if bool(self.blocks) == bool(self.empty):
            raise ValueError(f"section {self.code} needs either something or the reason why there is nothing")


@dataclass(frozen=True)
class Report:
    """`as_of`: nothing that became known later is in it. `notes` stand on the first page."""

    code: str
    title: str
    slot: Slot
    as_of: datetime
    made_at: datetime
    language: str
    sections: tuple[Section, ...]
    counted: tuple[str, ...] = ()
    """How its figures are counted."""
    notes: tuple[str, ...] = ()

    def tables(self) -> Iterator[tuple[Section, Table]]:
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Table):
                    yield section, block

    def figures(self) -> Iterator[tuple[Section, Figure]]:
        for section in self.sections:
            for block in section.blocks:
                if isinstance(block, Figures):
                    yield from ((section, one) for one in block.every)


def plain(value: Value) -> Value:
    """NaN and infinity as None."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def section(code: str, title: str, *blocks: Block | None, empty: str = "") -> Section:
    """What is None or holds nothing is left out; where nothing is left, `empty` says why."""
    some = tuple(each for each in blocks if each is not None and not _hollow(each))
    told = tuple(each for each in some if not isinstance(each, Words)) and some
    return Section(code, title, told) if told else Section(code, title, empty=empty)


def _hollow(block: Block) -> bool:
    match block:
        case Words():
            return not block.texts
        case Figures():
            return not block.every
        case Table():
            return not block.rows
        case Picture():
            return not block.svg


def as_plain(report: Report) -> dict[str, Any]:
    """For golden files and `--json`: everything but pictures, of which only the words stay."""
    return {
        "code": report.code, "title": report.title, "slot": report.slot.name, "as_of": report.as_of.isoformat(),
        "language": report.language, "notes": list(report.notes), "counted": list(report.counted),
        "sections": [
            {"code": each.code, "title": each.title, "empty": each.empty, "blocks": [*map(_plain, each.blocks)]}
            for each in report.sections
        ],
    }  # fmt: skip


def _plain(block: Block) -> dict[str, Any]:
    match block:
        case Words():
            return {"words": list(block.texts)}
        case Figures():
            return {"figures": [[one.name, _told(one.value), one.kind.value, one.note] for one in block.every]}
        case Table():
            return {
                "table": block.code, "title": block.title, "note": block.note, "marked": sorted(block.marked),
                "columns": [[one.name, one.kind.value] for one in block.columns],
                "rows": [[_told(one) for one in row] for row in block.rows],
            }  # fmt: skip
        case Picture():
            return {"picture": block.alt, "legend": [list(one) for one in block.legend]}


def _told(value: Value) -> str | int | float | None:
    """Numbers to ten digits: machines differ in the last ones."""
    value = plain(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return float(f"{value:.10g}") if isinstance(value, float) else value


def rows(every: Sequence[Sequence[Value]]) -> tuple[tuple[Value, ...], ...]:
    return tuple(tuple(each) for each in every)
