"""What a person sees in the terminal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from graph.ontology import EDGES, NODES

if TYPE_CHECKING:
    from graph.rings import Found
    from loaders.load import LoadReport


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
    table = Table(header_style="dim", box=None, pad_edge=False, show_lines=False)
    for name, justify in (("#", "right"), ("ring", "left"), ("score", "right"), ("type", "left"), ("open RMB", "right"),
                          ("still savable", "right"), ("because", "left")):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for ring in found.rings[:top]:
        table.add_row(
            str(ring.rank), ring.ring_id, f"{ring.score:.2f}", ring.typology, f"{ring.exposure:,.0f}",
            f"{ring.undisbursed:,.0f}", ring.because,
        )  # fmt: skip
    return Group(head, table)


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
    for name in ("shared", "masked", "as", "held by"):
        table.add_column(name)
    for one in ring["shared"]:
        held = ", ".join(one["holders"][:6]) + (
            f" and {len(one['holders']) - 6} more" if len(one["holders"]) > 6 else ""
        )
        table.add_row(
            f"{NODES[one['type']].en} {NODES[one['type']].zh}", one["masked"], EDGES[one["relation"]].en, held
        )
    return Group(head, table)
