#!/usr/bin/env python3
"""Draw one ring of the last `ringroad rings` run as SVG.

.venv/bin/ringroad generate --out large && export RINGROAD_HOME=large/home
.venv/bin/ringroad load large/input && .venv/bin/ringroad rings
.venv/bin/python docs/draw_ring.py docs/ring.svg --truth large/truth/truth_members.csv

Same run, same picture: the layout has a fixed seed. Labels are the masks that screens show.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import re
import sys
import textwrap
from html import escape
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from graph.ontology import EDGES, NODES
from graph.settings import Settings

WIDTH, HEIGHT = 1160, 760
FRAME = (190.0, 110.0, 970.0, 585.0)
SEED = 7
FONT = "ui-sans-serif, -apple-system, 'Segoe UI', 'Helvetica Neue', Arial, 'Noto Sans SC', sans-serif"
INK, SOFT, LINE, PAPER = "#1e293b", "#64748b", "#cbd5e1", "#ffffff"
APART = (170.0, 46.0)
"""Width and height that a node and its label keep for themselves."""

Point = tuple[float, float]


def choose(rings: list[dict[str, Any]], ring_id: str | None, planted: dict[str, str]) -> dict[str, Any]:
    """The one asked for; else the highest ranked that fits a page and, where the truth is given, was planted."""
    for ring in rings:
        if ring["ring_id"] == ring_id or (ring_id is None and fits(ring) and real(ring, planted)):
            return ring
    raise SystemExit(f"no such ring among {len(rings)}; name another with --ring")


def fits(ring: dict[str, Any]) -> bool:
    """Few enough members and things to read, of several kinds."""
    relations = {one["relation"] for one in ring["shared"]}
    return 5 <= ring["size"] <= 10 and len(ring["shared"]) <= 14 and len(relations) >= 5


def real(ring: dict[str, Any], planted: dict[str, str]) -> bool:
    """Whether more than half of the members belong to one planted ring."""
    of = [planted[each] for each in ring["application_ids"] if planted.get(each)]
    return not planted or any(of.count(each) > ring["size"] / 2 for each in of)


def read_truth(path: Path | None) -> dict[str, str]:
    if path is None:
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["application_id"]: row["ring_id"] for row in csv.DictReader(file)}


def as_graph(ring: dict[str, Any]) -> nx.Graph[str]:
    graph: nx.Graph[str] = nx.Graph()
    for number, application in enumerate(ring["application_ids"], start=1):
        graph.add_node(application, type="Application", label=str(number), size=20.0)
    for number, one in enumerate(ring["shared"]):
        held = len(one["holders"])
        name = f"{one['type']}-{number}"
        graph.add_node(
            name, type=one["type"], label=label(one), relation=one["relation"], size=8 + 1.6 * math.sqrt(held)
        )
        graph.add_edges_from((application, name) for application in one["holders"])
    return graph


def label(one: dict[str, Any]) -> str:
    """A mask; the lender's own codes, which have none, by their last four characters."""
    code = one["masked"]
    return re.sub(r"\*{3,}", "***", code) if code != one["key"] else "…" + code[-4:]


def laid_out(graph: nx.Graph[str]) -> dict[str, Point]:
    """Distances on the page like distances in the graph, fitted to the frame, then pushed apart."""
    start = nx.spring_layout(graph, seed=SEED)
    places = nx.kamada_kawai_layout(graph, pos=start)
    spread = np.array([places[node] for node in graph]) - np.mean(list(places.values()), axis=0)
    _, _, axes = np.linalg.svd(spread, full_matrices=False)
    axes *= np.sign(axes.sum(axis=1, keepdims=True))  # the longest extent lies along the page, one way round
    xs, ys = (spread @ axes.T).T.tolist()
    left, top, right, bottom = FRAME

    def fitted(value: float, values: list[float], low: float, high: float) -> float:
        return low + (value - min(values)) / (max(values) - min(values)) * (high - low)

    at = {
        node: (fitted(p[0], xs, left, right), fitted(p[1], ys, top, bottom))
        for node, *p in zip(graph, xs, ys, strict=True)
    }
    for _ in range(200):
        at = pushed_apart(at)
    return at


def pushed_apart(at: dict[str, Point]) -> dict[str, Point]:
    left, top, right, bottom = FRAME
    wide, high = APART
    moved = {}
    for node, (x, y) in at.items():
        dx = dy = 0.0
        for other, (ox, oy) in at.items():
            across, down = wide - abs(x - ox), high - abs(y - oy)
            if other != node and across > 0 and down > 0:
                dx += math.copysign(across, x - ox) / 30
                dy += math.copysign(down, y - oy or (1 if node > other else -1)) / 5
        moved[node] = (min(max(x + dx, left), right), min(max(y + dy, top), bottom))
    return moved


def text(
    x: float, y: float, words: str, *, size: int, fill: str = INK, anchor: str = "start", weight: int = 400
) -> str:
    halo = f' stroke="{PAPER}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"' if fill != PAPER else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="{anchor}"{halo}>{escape(words)}</text>'
    )


def links(graph: nx.Graph[str], at: dict[str, Point]) -> list[str]:
    """In the colour of what is shared."""
    lines = []
    for first, second in graph.edges:
        application, thing = (first, second) if graph.nodes[first]["type"] == "Application" else (second, first)
        (x, y), (tx, ty) = at[application], at[thing]
        colour = NODES[graph.nodes[thing]["type"]].colour
        lines.append(
            f'<path d="M{x:.1f} {y:.1f}L{tx:.1f} {ty:.1f}" stroke="{colour}" stroke-width="1.5" stroke-opacity="0.45"/>'
        )
    return lines


def marks(graph: nx.Graph[str], at: dict[str, Point]) -> list[str]:
    drawn = []
    for node, about in graph.nodes(data=True):
        (x, y), type_, size = at[node], NODES[about["type"]], about["size"]
        circle = f'cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{type_.colour}"'
        drawn.append(f'<circle {circle} stroke="{PAPER}" stroke-width="2.5"/>')
        if about["type"] == "Application":
            drawn.append(text(x, y + 5, about["label"], size=14, fill=PAPER, anchor="middle", weight=600))
            continue
        holders = [at[each][0] for each in graph.neighbors(node)]
        side = 1 if x >= sum(holders) / len(holders) else -1
        anchor = "start" if side > 0 else "end"
        drawn.append(text(x + side * (size + 6), y - 1, about["label"], size=13, anchor=anchor, weight=500))
        held = f"{EDGES[about['relation']].en} · {graph.degree[node]}"
        drawn.append(text(x + side * (size + 6), y + 14, held, size=11, fill=SOFT, anchor=anchor))
    return drawn


def legend(graph: nx.Graph[str]) -> list[str]:
    kinds = sorted({about["type"] for _, about in graph.nodes(data=True)}, key=list(NODES).index)
    x, drawn = 46.0, []
    for kind in kinds:
        drawn.append(f'<circle cx="{x:.1f}" cy="648" r="6" fill="{NODES[kind].colour}"/>')
        drawn.append(text(x + 12, 652, NODES[kind].en, size=12, fill=SOFT))
        x += 42 + 5.9 * len(NODES[kind].en)
    return drawn


def svg(ring: dict[str, Any], planted: str) -> str:
    graph = as_graph(ring)
    at = laid_out(graph)
    title = f"Ring {ring['ring_id']}"
    held = ring["undisbursed"]
    about = (
        f"{ring['size']} applications, {ring['first_seen']} to {ring['last_seen']} · "
        f"{ring['exposure']:,.0f} RMB open" + (f", {held:,.0f} RMB of it not yet paid out" if held else "")
    )
    caption = textwrap.wrap(ring["because"] + ".", 160)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="{FONT}"',
        ' role="img" aria-labelledby="title desc">',
        f'<title id="title">{escape(title)}</title><desc id="desc">{escape(ring["because"])}</desc>',
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="12" fill="{PAPER}" stroke="{LINE}"/>',
        text(40, 48, title, size=22, weight=650),
        text(40, 72, about, size=13, fill=SOFT),
        *links(graph, at),
        *marks(graph, at),
        f'<path d="M40 624H{WIDTH - 40}" stroke="{LINE}"/>',
        *legend(graph),
        *(text(40, 690 + 20 * line, words, size=14) for line, words in enumerate(caption)),
        text(WIDTH - 40, 48, "synthetic data" + planted, size=12, fill=SOFT, anchor="end"),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--ring", help="ring id; default: one that fits a page")
    parser.add_argument(
        "--truth", type=Path, help="truth_members.csv of a synthetic portfolio: draw a ring that was planted"
    )
    options = parser.parse_args()
    file = Settings.read().rings_file
    if not file.exists():
        raise SystemExit(f"{file} is missing; run `ringroad rings`, and set RINGROAD_HOME as it was then")
    ring = choose(
        json.loads(file.read_text(encoding="utf-8"))["rings"], options.ring, planted := read_truth(options.truth)
    )
    options.out.write_text(svg(ring, " · a planted ring" if planted and not options.ring else ""), encoding="utf-8")
    sys.stdout.write(f"{ring['ring_id']} in {options.out}\n")


if __name__ == "__main__":
    main()
