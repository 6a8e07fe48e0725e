"""What a person sees in the terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from graph.ontology import NODES

if TYPE_CHECKING:
    from graph.rings import Found
    from graph.sentences import Shared
    from loaders.load import LoadReport
    from workbench.aside import Thing
    from workbench.casebook.opinions import Opinion
    from workbench.casebook.runs import Change
    from workbench.ringruns import RingRun

CHINA = timezone(timedelta(hours=8))
HAPPENED = {
    "birth": "new", "revival": "back", "join": "grown", "leave": "smaller", "split": "divided", "merge": "merged",
    "death": "gone",
}  # fmt: skip
KINDS_SHOWN = 4
"""So many kinds of what was set aside are named."""

SHORT = 76
"""Characters of a reason in short: with its indent it fits a line of 80."""


def load_summary(report: LoadReport, quarantine: Path) -> RenderableType:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name, justify in (("table", "left"), ("rows", "right"), ("accepted", "right"), ("refused", "right"),
                          ("values dropped", "right"), ("not loaded", "left")):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name, each in report.tables.items():
        if each.skipped:
            table.add_row(name, "-", "-", "-", "-", "[dim]loaded before[/]")
            continue
        unknown = ", ".join(each.unknown_columns)
        table.add_row(name, f"{each.rows:,}", f"{each.accepted:,}", f"{each.rejected:,}", f"{each.dropped:,}", unknown)
    lines: list[RenderableType] = [table]
    if report.batches:
        lines.append(
            Text(f"{report.nodes:,} node rows and {report.edges:,} relations written in {report.batches} batches")
        )
    else:
        lines.append(Text("nothing new: every file was loaded before"))
    for note, count in sorted(report.notes.items()):
        lines.append(Text(f"{count:,} × {note.replace('_', ' ')}: kept under its own number", style="dim"))
    if any(each.rejected or each.dropped for each in report.tables.values()):
        lines.append(Text(f"refused rows and dropped values, by line and reason: {quarantine}", style="dim"))
    return Group(*lines)


def ring_table(found: Found, as_of: datetime, days: int, top: int, *, whole: bool = True) -> RenderableType:
    """The first rings, each with its reason and what speaks against it. `whole`: all links were looked at."""
    looked = f" in {found.links:,} links" if whole else ""
    head = Text.assemble(
        (f"{len(found.rings):,} ring{'' if len(found.rings) == 1 else 's'}", "bold"),
        f" among {found.applications:,} applications of {days} days to {as_of:%Y-%m-%d}{looked}\n",
        (set_aside(found.infrastructure), "dim"),
    )
    if not found.rings:
        return Group(head, Text("nothing that three or more applications share stands out"))
    table = Table(header_style="dim", box=None, pad_edge=False)
    for name, justify in (("#", "right"), ("ring", "left"), ("score", "right"), ("type", "left"), ("size", "right"),
                          ("first seen", "left"), ("open RMB", "right"), ("still savable", "right")):  # fmt: skip
        table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for ring in found.rings[:top]:
        table.add_row(
            str(ring.rank), ring.ring_id, f"{ring.score:.3f}", ring.typology, str(ring.size), ring.first_seen,
            f"{ring.exposure:,.0f}", f"{ring.undisbursed:,.0f}",
        )  # fmt: skip
    return Group(head, _with_reasons(table, [(in_short(ring.shared), ring.doubts) for ring in found.rings[:top]]))


def set_aside(counts: Mapping[str, int]) -> str:
    """The kinds of which there are most; `ringroad aside` shows the things."""
    if not counts:
        return "nothing was set aside"
    most = sorted(counts.items(), key=lambda kind: (-kind[1], kind[0]))
    said = [f"{count:,} × {kind_name(kind)}" for kind, count in most[:KINDS_SHOWN]]
    left = len(most) - KINDS_SHOWN
    more = f" and {left} more kind{'s' if left > 1 else ''}" if left > 0 else ""
    return f"set aside: {', '.join(said)}{more}"


def kind_name(kind: str) -> str:
    """In English, or in the words of the person who made it up."""
    from graph.infrastructure import KINDS  # noqa: PLC0415 - numba takes seconds

    name = KINDS[kind][0] if kind in KINDS else kind.replace("_", " ")
    return re.sub("^(an?|the) ", "", name)


class _with_reasons:  # noqa: N801 - a table with more lines
    """Each row of a table and below it, across all columns, its reason, and as much of its doubts as fits a line."""

    def __init__(self, table: Table, reasons: Sequence[tuple[str, Sequence[str]]]) -> None:
        self._table, self._reasons = table, reasons

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        head, *rows = console.render_lines(self._table, options, pad=False)
        yield from (Segment.line() if each is None else each for each in [*head, None])
        for row, (reason, doubts) in zip(rows, self._reasons, strict=True):
            yield from [*row, Segment.line()]
            yield Padding(Text(reason, style="dim"), (0, 0, 0, 4), expand=False)
            if doubts:
                words = "; ".join(re.sub(r" \([A-Z0-9, ]+\)$", "", each) for each in doubts)
                yield Text(f"    may be innocent: {words}", style="italic", no_wrap=True, overflow="ellipsis")


def in_short(shared: Sequence[Shared]) -> str:
    """Of each kind of thing how many people share the one that most hold; as much as fits a line."""
    most: dict[str, int] = {}
    for one in shared:
        most[one.type] = max(most.get(one.type, 0), one.people)
    said, left = "", len(most)
    for type_, people in most.items():
        name = NODES[type_].en
        thing = f"an {name}" if name[0] in "aeiouI" else f"a {name}"
        words = f"{said}, {people} {thing}" if said else f"{people} share {thing}"
        if len(words) + (len(" and 9 more kinds") if left > 1 else 0) > SHORT:
            return f"{said} and {left} more kind{'s' if left > 1 else ''}"
        said, left = words, left - 1
    return said


def changes(change: Change) -> str:
    """One line about a run: what happened to how many rings since the run before."""
    rings = {kind: {event.ring_id for event in change.events if event.kind == kind} for kind in HAPPENED}
    said = ", ".join(f"{len(rings[kind])} {word}" for kind, word in HAPPENED.items() if rings[kind])
    if change.since is None:
        text = f"{said or 'no ring'}; no run before this one is recorded"
    else:
        text = f"{said or 'nothing changed'} since {change.since.astimezone(CHINA):%Y-%m-%d}"
    return f"{text}\nnot recorded: {change.unrecorded}" if change.unrecorded else text


def how(ran: RingRun) -> list[str]:
    """Lines about a run: where it looked, and why it is not what was asked for."""
    if ran.since is None:
        return list(ran.notes)
    new = f"{ran.fresh:,} new application{'' if ran.fresh == 1 else 's'}"
    return [f"looked only around what changed since {ran.since.astimezone(CHINA):%Y-%m-%d} ({new})", *ran.notes]


def aside_table(shown: Sequence[Thing], number: int) -> RenderableType:
    """Each thing in a line and its reason in the next."""
    if not shown:
        return Text(f"{number:,} things were set aside; --top shows more" if number else "nothing was set aside")
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("people", "thing", "masked"):
        table.add_column(name, justify="right" if name == "people" else "left", no_wrap=True)
    for each in shown:
        table.add_row(f"{each.held_by:,}", NODES[each.type].en, Text(each.masked))
    more = [Text(f"{number - len(shown):,} more; see --top and --type", style="dim")] if number > len(shown) else []
    return Group(_with_reasons(table, [(each.because, ()) for each in shown]), *more)


def override_table(rows: Sequence[tuple[Opinion, str, bool]]) -> RenderableType:
    """(opinion, mask of its thing, in force)."""
    if not rows:
        return Text("no overrides; `ringroad override add` makes one")
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("id", "thing", "masked", "verdict", "until", "by", "reason"):
        table.add_column(name)
    for each, masked, holds in rows:
        one = each.override
        verdict = ("infrastructure" if one.infrastructure else "lead") + (f" ({one.kind})" if one.kind else "")
        until = one.until if each.ended_at is None else each.ended_at
        ended = "" if holds else "ended "
        why = one.reason + (f" · ended by {each.ended_by}: {each.ended_because}" if each.ended_at else "")
        table.add_row(
            *(escape(text) for text in (
                str(each.id), NODES[one.type].en, masked, verdict, f"{ended}{until.astimezone(CHINA):%Y-%m-%d}",
                each.author, why,
            ))
        )  # fmt: skip
    return table
