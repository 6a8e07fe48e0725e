"""A report as one HTML file: no script, no reference to anything outside, everything escaped."""

from __future__ import annotations

from html import escape
from pathlib import Path

from workbench.reports.document import Figures, Picture, Report, Section, Table, Words
from workbench.reports.shown import RIGHT, frame, large, more, on_page, shown
from workbench.ui.packs.markup import FOOT, POLICY, box, bullets, heading, legend, para

STYLE = Path(__file__).with_name("report.css")

TINTS = (0.15, 0.45, 0.8)
"""From so much on a cell is a little, clearly or strongly tinted."""


def rendered(report: Report) -> bytes:
    """Needs the language of the report as context."""
    told = frame(report)
    parts = [
        _head(report),
        f"<header><b>RINGROAD</b><span class='soft'>{escape(told['kind'])}</span></header>",
        f"<main>{heading(report.title)}{para(told['period'])}{para(told['asof'], 'soft')}",
        box(*report.notes) if report.notes else "",
        *(_section(each) for each in report.sections),
        f"<h2>{escape(told['counted-title'])}</h2>{bullets(report.counted)}" if report.counted else "",
        f"</main><footer>{escape(told['masked'])}</footer>",
        FOOT,
    ]
    return "".join(parts).encode()


def _head(report: Report) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if report.language == "zh" else "en"}"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(f'{report.title} {report.slot.name}')}</title>\n"
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style></head>\n<body>\n"
    )


def _section(section: Section) -> str:
    inside = para(section.empty, "empty") if section.empty else "".join(_block(each) for each in section.blocks)
    return f'<section id="{escape(section.code)}"><h2>{escape(section.title)}</h2>{inside}</section>\n'


def _block(block: object) -> str:
    match block:
        case Words():
            return bullets(block.texts) if block.listed else "".join(para(each) for each in block.texts)
        case Figures():
            every = "".join(
                f"<div><span>{escape(one.name)}</span><b>{escape(large(one.value, one.kind))}</b>"
                f"<span>{escape(one.note)}</span></div>"
                for one in block.every
            )
            return f'<div class="figures">{every}</div>'
        case Table():
            return _table(block)
        case Picture():
            under = f"<figcaption>{legend(block.legend)}</figcaption>" if block.legend else ""
            return f'<figure style="max-width:{block.width * 100:.0f}%">{block.svg}{under}</figure>'
    raise TypeError(type(block).__name__)


def _table(table: Table) -> str:
    kind = [' class="n"' if each.kind in RIGHT else "" for each in table.columns]
    top = "".join(f'<th scope="col"{kind[at]}>{escape(each.name)}</th>' for at, each in enumerate(table.columns))
    body = "".join(
        f"<tr{' class=marked' if at in table.marked else ''}>"
        + "".join(
            f"<td{_class(table, at, place)}>{escape(shown(value, table.columns[place].kind))}</td>"
            for place, value in enumerate(row)
        )
        + "</tr>"
        for at, row in enumerate(on_page(table))
    )
    title = f"<h3>{escape(table.title)}</h3>" if table.title else ""
    notes = "".join(para(each, "note") for each in (more(table), table.note) if each)
    return f'{title}<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>{notes}'


def _class(table: Table, row: int, column: int) -> str:
    """Tints are classes: the policy of the file allows no colour of one cell."""
    warmth = table.heat.get((row, column), 0.0)
    depth = sum(abs(warmth) >= each for each in TINTS)
    names = ["n"] if table.columns[column].kind in RIGHT else []
    names += [f"{'w' if warmth > 0 else 'c'}{depth}"] if depth else []
    return f' class="{" ".join(names)}"' if names else ""
