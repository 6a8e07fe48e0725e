"""One ring in full, for the terminal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from graph.ontology import EDGES, NODES
from workbench.render import CHINA

LATEST = 8
"""So many events and runs of a ring are shown; `--json` has all."""

FEW, MANY = 6, 12
"""So many names, so many numbers stand in a line."""


def ring_card(ring: dict[str, Any]) -> RenderableType:
    """Who, why, what speaks against it, who seems to do what, what they share, and what happened to it."""
    past, numbers = ring.get("lineage"), {each: at for at, each in enumerate(ring["application_ids"], start=1)}
    return Group(
        Text.assemble(
            (ring["ring_id"], "bold"),
            f"  rank {ring['rank']} · score {ring['score']:.3f} · {ring['typology']}"
            f" · {ring['first_seen']} to {ring['last_seen']}",
        ),
        Text(ring["because"]),
        Text(f"open {ring['exposure']:,.0f} RMB, of which still savable {ring['undisbursed']:,.0f} RMB"),
        *(Text(f"may be innocent: {each}", style="italic") for each in ring["doubts"]),
        *_lines("odd", ring["signs"]),
        *_roles(ring["roles"]),
        Text("applications", style="dim"),
        Columns([Text.assemble((f"{at:>4} ", "dim"), each) for each, at in numbers.items()], padding=(0, 1)),
        Text(),
        _shared(ring["shared"], numbers),
        *([] if past is None else [Text(), *_past(past)]),
    )


def _lines(name: str, lines: list[str]) -> list[RenderableType]:
    return (
        [Text(name, style="dim"), *(Padding(Text(each), (0, 0, 0, 2), expand=False) for each in lines)] if lines else []
    )


def _roles(roles: list[dict[str, Any]]) -> list[RenderableType]:
    """By role; those for the same reason in one line."""
    who: dict[tuple[str, str], list[str]] = {}
    for each in roles:
        who.setdefault((each["role"], each["because"]), []).append(each["who"])
    ranked = sorted(who.items(), key=lambda group: ROLES.index(group[0][0]))
    return _lines("who may play which role", [f"{role}: {few(names)} ({why})" for (role, why), names in ranked])


ROLES = ("organiser", "recruiter", "insider", "receiver", "mule")


def _shared(shared: list[dict[str, Any]], numbers: dict[str, int]) -> Table:
    """Holders by their numbers, so that a line stays a line."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("#", "shared", "masked", "as", "held by"):
        table.add_column(name, justify="right" if name == "#" else "left", no_wrap=name != "held by")
    for number, one in enumerate(shared, start=1):
        of, masked = NODES[one["type"]], one["masked"] if len(one["masked"]) <= LONG else one["masked"][:LONG] + "…"
        table.add_row(
            str(number),
            Text(f"{of.en} {of.zh}"),
            Text(masked),
            EDGES[one["relation"]].en,
            _numbered(one["holders"], numbers),
        )
    return table


def _numbered(holders: list[str], numbers: dict[str, int]) -> str:
    at = sorted({numbers[each] for each in holders})
    return " ".join(map(str, at[:MANY])) + (f" and {len(at) - MANY} more" if len(at) > MANY else "")


LONG = 12
"""Characters of a mask; some of a lender's own codes are longer."""


def few(names: list[str]) -> str:
    return ", ".join(names[:FEW]) + (f" and {len(names) - FEW} more" if len(names) > FEW else "")


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
    names = few(event["application_ids"])
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
