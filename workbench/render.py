"""What a person sees in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from graph.ontology import EDGES, NODES

if TYPE_CHECKING:
    from graph.rings import Found
    from graph.sentences import Shared
    from loaders.load import LoadReport
    from workbench.casebook.opinions import Opinion
    from workbench.casebook.runs import Change

CHINA = timezone(timedelta(hours=8))
LATEST = 8
"""So many events and runs of a ring are shown; `--json` has all."""

HAPPENED = {
    "birth": "new", "revival": "back", "join": "grown", "leave": "smaller", "split": "divided", "merge": "merged",
    "death": "gone",
}  # fmt: skip
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


def ring_table(found: Found, as_of: datetime, days: int, top: int) -> RenderableType:
    """The first rings with their reasons."""
    aside = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found.infrastructure.items())
    head = Text.assemble(
        (f"{len(found.rings)} rings", "bold"),
        f" among {found.applications:,} applications of {days} days to {as_of:%Y-%m-%d} "
        f"({found.links:,} links; set aside: {aside or 'nothing'})",
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
    return Group(head, _with_reasons(table, [in_short(ring.shared) for ring in found.rings[:top]]))


class _with_reasons:  # noqa: N801 - a table with more lines
    """Each row of a table and below it, across all columns, its reason."""

    def __init__(self, table: Table, reasons: list[str]) -> None:
        self._table, self._reasons = table, reasons

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        head, *rows = console.render_lines(self._table, options, pad=False)
        yield from (Segment.line() if each is None else each for each in [*head, None])
        for row, reason in zip(rows, self._reasons, strict=True):
            yield from [*row, Segment.line()]
            yield Text(f"    {reason}", style="dim", no_wrap=True, overflow="ellipsis")


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


def ring_card(ring: dict[str, Any]) -> RenderableType:
    head = Text.assemble(
        (ring["ring_id"], "bold"),
        f"  rank {ring['rank']} · score {ring['score']:.2f} · {ring['typology']}"
        f" · {ring['first_seen']} to {ring['last_seen']}\n",
        f"{ring['because']}\n",
        f"open {ring['exposure']:,.0f} RMB, of which still savable {ring['undisbursed']:,.0f} RMB\n",
        ("applications ", "dim"),
        ", ".join(ring["application_ids"]),
    )
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("#", "shared", "masked", "as", "held by"):
        table.add_column(name)
    for number, one in enumerate(ring["shared"], start=1):
        held = ", ".join(one["holders"][:6]) + (
            f" and {len(one['holders']) - 6} more" if len(one["holders"]) > 6 else ""
        )
        table.add_row(
            str(number), f"{NODES[one['type']].en} {NODES[one['type']].zh}", one["masked"], EDGES[one["relation"]].en,
            held,
        )  # fmt: skip
    past = ring.get("lineage")
    return Group(head, table, *([] if past is None else ["", *_past(past)]))


def _past(past: dict[str, Any]) -> list[RenderableType]:
    """What happened to a ring, and how it grew."""
    lines = [f"{_day(each['as_of'])}  {_happened(each, past['ring_id'])}" for each in past["events"]]
    left = len(lines) - LATEST
    first = [f"{left} earlier changes, see --json"] if left > 0 else []
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name, justify in (("as of", "left"), ("days", "right"), ("rank", "right"), ("score", "right"),
                          ("size", "right"), ("open RMB", "right"), ("still savable", "right")):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for each in past["states"][-LATEST:]:
        table.add_row(
            _day(each["as_of"]), str(each["window_days"]), str(each["rank"]), f"{each['score']:.3f}",
            str(each["size"]), f"{each['exposure']:,.0f}", f"{each['undisbursed']:,.0f}",
        )  # fmt: skip
    return [Text("\n".join([*first, *lines[-LATEST:]])), table]


def _happened(event: dict[str, Any], ring_id: str) -> str:
    count, other = len(event["application_ids"]), event["other"]
    if event["kind"] == "merge" and event["ring_id"] != ring_id:
        return f"{event['ring_id']} merged into this ring"
    names = ", ".join(event["application_ids"][:6]) + (f" and {count - 6} more" if count > 6 else "")
    return {
        "birth": f"born with {count} applications" + (f", out of {other}" if other else ""),
        "revival": f"found again with {count} applications" + (f", out of {other}" if other else ""),
        "join": f"{count} joined: {names}",
        "leave": f"{count} left: {names}",
        "split": f"{count} form {other} now: {names}",
        "merge": f"merged into {other}",
        "death": "gone: no group carries it on",
    }[event["kind"]]


def _day(time: str) -> str:
    return datetime.fromisoformat(time).astimezone(CHINA).strftime("%Y-%m-%d")


def changes(change: Change) -> str:
    """One line about a run: what happened to how many rings since the run before."""
    rings = {kind: {event.ring_id for event in change.events if event.kind == kind} for kind in HAPPENED}
    said = ", ".join(f"{len(rings[kind])} {word}" for kind, word in HAPPENED.items() if rings[kind])
    if change.since is None:
        text = f"{said or 'no ring'}; no run before this one is recorded"
    else:
        text = f"{said or 'nothing changed'} since {change.since.astimezone(CHINA):%Y-%m-%d}"
    return f"{text}\nnot recorded: {change.unrecorded}" if change.unrecorded else text


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
