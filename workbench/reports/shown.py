"""Values of a report as people read them, in the language of the context."""

from __future__ import annotations

from datetime import datetime, timedelta

from workbench.reports.document import Kind, Report, Table, Value, plain
from workbench.schedule.slots import Cadence, Slot
from workbench.ui.i18n import day, money, number, share, t, when

RIGHT = frozenset({Kind.COUNT, Kind.MONEY, Kind.SHARE, Kind.SCORE, Kind.NUMBER, Kind.DATE})
"""Kinds whose cells stand to the right."""

NOTHING = "–"


def shown(value: Value, kind: Kind) -> str:
    """In a table: money in full, to the yuan."""
    value = plain(value)
    if isinstance(value, datetime):
        return day(value)
    if value is None or isinstance(value, str):
        return NOTHING if value is None else value
    if kind is Kind.MONEY:
        return f"-¥{number(-value)}" if value <= -0.5 else f"¥{number(value)}"
    if kind is Kind.SHARE:
        return share(value, 1)
    return number(value, {Kind.SCORE: 3, Kind.NUMBER: 2}.get(kind, 0))


def large(value: Value, kind: Kind) -> str:
    """As a key number: money short, ¥3.96M or ¥396万."""
    value = plain(value)
    if kind is Kind.MONEY and isinstance(value, int | float):
        return money(value)
    return shown(value, kind)


# What surrounds a report -----------------------------------------------------------------------------------

ON_PAGE = 60
"""Rows of a table on a page; a spreadsheet has all of them."""


def on_page(table: Table) -> tuple[tuple[Value, ...], ...]:
    return table.rows[:ON_PAGE]


def more(table: Table) -> str:
    left = len(table.rows) - ON_PAGE
    return t("{count} more rows are in the tables (CSV, XLSX).", count=number(left)) if left > 0 else ""


def period(slot: Slot) -> str:
    """20 Jun 2025; 16–22 Jun 2025 with the week's name; June 2025."""
    first, last = day(slot.start), day(slot.end - timedelta(days=1))
    if slot.cadence is Cadence.DAILY:
        return first
    return t("{slot}: {first} to {last}", slot=slot.name, first=first, last=last)


def cadence(of: Cadence) -> str:
    names = {
        Cadence.DAILY: t("Daily report"),
        Cadence.WEEKLY: t("Weekly report"),
        Cadence.MONTHLY: t("Monthly report"),
    }
    return names[of]


def frame(report: Report) -> dict[str, str]:
    """Words around every report, whatever the file."""
    return {
        "title": report.title,
        "slot": report.slot.name,
        "kind": cadence(report.slot.cadence),
        "period": period(report.slot),
        "asof": t(
            "As known by {time} (China time). Made on {made}.", time=when(report.as_of), made=when(report.made_at)
        ),
        "masked": t("Identifiers are masked. For internal use."),
        "counted-title": t("How the figures are counted"),
    }
