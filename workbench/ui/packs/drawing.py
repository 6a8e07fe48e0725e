"""The graph of a pack: what stood on the screen, where it stood, as one drawing without script or reference."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx

from graph.ontology import NODES
from graph.records import NodeRef
from workbench.services.evidence.pack_request import Places
from workbench.ui.theme import GLYPHS, QUIET, STATES

STRONG = "#e599a5"

WIDTH, HEIGHT, EDGE = 1000.0, 640.0, 46.0
RADIUS, GLYPH = 11.0, 13.0
MANY = 160
"""Beyond so many nodes only applications and numbered things are named, and the layout takes fewer steps."""


@dataclass(frozen=True)
class Dot:
    """A node. `name` stands beside it, `title` is what a pointer and a screen reader get; `ring` marks a member."""

    ref: NodeRef
    name: str
    title: str
    ring: bool = False
    label: str = ""  # fraud, suspected, legit


@dataclass(frozen=True)
class Line:
    """`strong`: sharing through it says much."""

    source: NodeRef
    target: NodeRef
    title: str
    strong: bool = False


def laid_out(refs: Sequence[NodeRef], lines: Sequence[Line]) -> dict[NodeRef, tuple[float, float]]:
    """The same graph always comes out the same."""
    if not refs:
        return {}
    network: nx.Graph[NodeRef] = nx.Graph()
    network.add_nodes_from(sorted(refs))
    network.add_edges_from(sorted({(each.source, each.target) for each in lines}))
    steps = 120 if len(refs) <= MANY else 40
    around = nx.spring_layout(network, seed=7, k=2.2 / math.sqrt(len(refs)), iterations=steps)
    return {ref: (float(at[0]), float(at[1])) for ref, at in around.items()}


def drawn(dots: Sequence[Dot], lines: Sequence[Line], at: Places, *, title: str) -> str:
    """As SVG. Nodes without a place are put beside those that have one."""
    spots = _fitted({ref: at[ref] for ref in (each.ref for each in dots) if ref in at}, [each.ref for each in dots])
    named = len(dots) <= MANY
    edges = "".join(_edge(each, spots) for each in lines if each.source in spots and each.target in spots)
    nodes = "".join(_node(each, spots[each.ref], named=named or each.ring) for each in dots)
    height = max((y for _, y in spots.values()), default=HEIGHT - EDGE) + EDGE
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" aria-label="{html.escape(title)}">'
        f"<title>{html.escape(title)}</title>{edges}{nodes}</svg>"
    )


def _fitted(at: Places, every: Sequence[NodeRef]) -> dict[NodeRef, tuple[float, float]]:
    """Into the page, sides kept in proportion; the homeless in rows below."""
    spots: dict[NodeRef, tuple[float, float]] = {}
    bottom = EDGE
    if at:
        left, top = min(x for x, _ in at.values()), min(y for _, y in at.values())
        wide = max(x for x, _ in at.values()) - left or 1.0
        high = max(y for _, y in at.values()) - top or 1.0
        scale = min((WIDTH - 2 * EDGE) / wide, (HEIGHT - 2 * EDGE) / high)
        aside = (WIDTH - wide * scale) / 2
        spots = {ref: (aside + (x - left) * scale, EDGE + (y - top) * scale) for ref, (x, y) in at.items()}
        bottom = max(y for _, y in spots.values()) + EDGE
    for number, ref in enumerate(each for each in every if each not in at):
        row, column = divmod(number, 12)
        spots[ref] = (EDGE + column * (WIDTH - 2 * EDGE) / 11, bottom + row * EDGE)
    return spots


def _edge(line: Line, spots: Places) -> str:
    (x1, y1), (x2, y2) = spots[line.source], spots[line.target]
    colour = STRONG if line.strong else QUIET
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="1.3">'
        f"<title>{html.escape(line.title)}</title></line>"
    )


def _node(dot: Dot, at: tuple[float, float], *, named: bool) -> str:
    x, y = at
    fill, rim = NODES[dot.ref.type].colour, STATES.get(dot.label, "#ffffff")
    shape = (
        f'<rect x="{x - RADIUS:.1f}" y="{y - RADIUS:.1f}" width="{2 * RADIUS:.0f}" height="{2 * RADIUS:.0f}" rx="4" '
        if dot.ref.type == "Application"
        else f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS:.0f}" '
    )
    look = f'fill="{fill}" stroke="{rim}" stroke-width="{3.5 if dot.label else 1.5}"/>'
    at_glyph = f"translate({x - GLYPH / 2:.1f} {y - GLYPH / 2:.1f}) scale({GLYPH / 24:.3f})"
    glyph = f'<path class="glyph" d="{GLYPHS[dot.ref.type]}" transform="{at_glyph}"/>'
    text = f'<text x="{x:.1f}" y="{y + RADIUS + 10:.1f}">{html.escape(dot.name)}</text>' if named and dot.name else ""
    return f"<g>{shape}{look}{glyph}{text}<title>{html.escape(dot.title)}</title></g>"
