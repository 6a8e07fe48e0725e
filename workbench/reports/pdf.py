"""A report as PDF, set by Typst: words travel as JSON, so none of them can become markup.

A font with Chinese letters comes from the system. Where there is none, a Chinese report would be boxes: it is built in
English instead, with a line on its first page that says so, and names in Chinese letters are left out of it.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from pathlib import Path
from typing import Any

import typst

from workbench.reports.document import Figures, Picture, Report, Table, Words
from workbench.reports.shown import RIGHT, frame, large, more, on_page, shown
from workbench.ui.i18n import t

TEMPLATE = Path(__file__).parent / "templates" / "report.typ"

CHINESE = (
    "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans SC", "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei", "Noto Serif CJK SC", "Source Han Serif SC", "Microsoft YaHei", "PingFang SC", "SimHei",
    "SimSun", "Noto Sans CJK JP", "Droid Sans Fallback", "AR PL UMing CN", "AR PL UKai CN",
)  # fmt: skip
"""The first of these that is there."""

LATIN = ("Noto Sans", "Liberation Sans", "DejaVu Sans")
OWN = "Libertinus Serif"
"""Comes with Typst."""

UNWRITABLE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")


LONG, LONGEST = re.compile(r"[!-~]{16}(?=[!-~])"), re.compile(r"([!-~]{40})[!-~]+")


@dataclass(frozen=True)
class Fonts:
    """`chinese` is "" where no font has the letters."""

    chinese: str
    latin: tuple[str, ...]
    system: bool = True

    @property
    def families(self) -> list[str]:
        return [*self.latin, OWN, *([self.chinese] if self.chinese else [])]


NONE = Fonts("", (), system=False)


@cache
def fonts() -> Fonts:
    """Those of the system, looked for once in a process."""
    there = set(typst.Fonts(include_system_fonts=True).families())
    return Fonts(next((each for each in CHINESE if each in there), ""), tuple(each for each in LATIN if each in there))


def no_chinese() -> str:
    """In the language of the context."""
    return t(
        "This PDF is in English: no font with Chinese letters is installed here (for example fonts-noto-cjk). "
        "Names in Chinese letters are left out of it; the HTML page and the tables have them."
    )


def rendered(report: Report, written: Fonts, *, images: bool = False) -> list[bytes]:
    """The PDF, or with `images` its pages as PNG. Needs the language of the report as context, and a font for it."""
    with tempfile.TemporaryDirectory(prefix="ringroad-report-") as kept:
        folder = Path(kept)
        shutil.copy(TEMPLATE, folder / "report.typ")
        content = _content(report, written, folder)
        (folder / "data.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        made = typst.compile(
            str(folder / "report.typ"), root=str(folder), format="png" if images else "pdf", ppi=80 if images else None,
            ignore_system_fonts=not written.system, font_paths=[], timestamp=int(report.as_of.timestamp()),
            package_path=str(folder / "none"), package_cache_path=str(folder / "none"),
        )  # fmt: skip
    return [bytes(each) for each in made] if isinstance(made, list) else [bytes(made)]


def _content(report: Report, written: Fonts, folder: Path) -> dict[str, Any]:
    day = report.as_of.astimezone(UTC)
    content = {
        **frame(report),
        "date": [day.year, day.month, day.day],
        "fonts": written.families,
        "lang": report.language,
        "region": "CN" if report.language == "zh" else "GB",
        "notes": list(report.notes),
        "counted": list(report.counted),
        "sections": [
            {
                "title": part.title,
                "empty": part.empty,
                "blocks": [_block(one, folder, f"{at}-{number}") for number, one in enumerate(part.blocks)],
            }
            for at, part in enumerate(report.sections)
        ],
    }
    return content if written.chinese else _without_chinese(content)


def _block(block: object, folder: Path, name: str) -> dict[str, Any]:
    match block:
        case Words():
            return {"kind": "words", "texts": list(block.texts), "listed": block.listed}
        case Figures():
            every = [{"name": one.name, "shown": large(one.value, one.kind), "note": one.note} for one in block.every]
            return {"kind": "figures", "every": every}
        case Table():
            return _table(block)
        case Picture():
            (folder / f"{name}.svg").write_text(block.svg, encoding="utf-8")
            legend = [list(one) for one in block.legend]
            return {"kind": "picture", "file": f"{name}.svg", "alt": block.alt, "width": block.width, "legend": legend}
    raise TypeError(type(block).__name__)


def _table(table: Table) -> dict[str, Any]:
    some = on_page(table)
    return {
        "kind": "table",
        "title": table.title,
        "note": table.note,
        "more": more(table),
        "size": 8 if len(table.columns) <= 8 else 7 if len(table.columns) <= 11 else 6.2,
        "marked": sorted(table.marked),
        "heat": {f"{row},{column}": share for (row, column), share in table.heat.items()},
        "columns": [{"name": one.name, "wide": one.wide, "right": one.kind in RIGHT} for one in table.columns],
        "rows": [[_breakable(shown(one, to.kind)) for one, to in zip(row, table.columns, strict=True)] for row in some],
    }


def _breakable(text: str) -> str:
    """Long words may be parted, and end after forty letters: they would run over their neighbours. The tables have
    all of them."""
    return LONG.sub("\\g<0>\u200b", LONGEST.sub("\\1…", text))


def _without_chinese(content: Any) -> Any:
    if isinstance(content, str):
        return UNWRITABLE.sub("…", content)
    if isinstance(content, Mapping):
        return {name: _without_chinese(each) for name, each in content.items()}
    if isinstance(content, Iterable):
        return [_without_chinese(each) for each in content]
    return content
