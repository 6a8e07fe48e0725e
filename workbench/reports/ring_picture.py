"""One ring as a report shows it: what its members share, as they were known then, and a drawing of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from graph.errors import NodeNotFound
from graph.ontology import EDGES, NODES
from graph.records import NodeRef
from workbench.reports.catalogue import Asked
from workbench.reports.charts import FONT
from workbench.reports.document import Picture, Value
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel import sentences

if TYPE_CHECKING:
    from workbench.ui.packs.drawing import Dot, Line

MOST_MEMBERS, MOST_THINGS = 60, 30
"""Of a ring in a drawing: more is a ball of wool."""

LEAST_HOLDERS = 2


@dataclass(frozen=True)
class Drawn:
    """`things` are rows of a table, numbered as in the drawing."""

    picture: Picture
    things: tuple[tuple[Value, ...], ...]


def told_by(asked: Asked, ring_id: str) -> dict[str, Any]:
    """As `Rings.ring` tells it as of the report's last instant; without anything shared where nothing can be told."""
    try:
        return asked.services.rings.ring(asked.who, ring_id, as_of=asked.as_of)
    except NodeNotFound:
        return {"application_ids": [], "shared": [], "signs": [], "doubts": []}


def drawn(told: dict[str, Any], ring_id: str) -> Drawn:
    """A1, A2 … are members, S1, S2 … what two or more of them share, that of most first."""
    from workbench.ui.packs.drawing import Dot, Line  # noqa: PLC0415 - Dash comes with it, and most reports have no ring
    from workbench.ui.packs.drawing import drawn as as_svg  # noqa: PLC0415
    from workbench.ui.theme import STRONG  # noqa: PLC0415

    things = [each for each in told["shared"] if len(each["holders"]) >= LEAST_HOLDERS]
    things.sort(key=lambda each: (-len(each["holders"]), each["type"], each["masked"], sorted(each["holders"])))
    things = things[:MOST_THINGS]
    tied = {name for each in things for name in each["holders"]}
    members = [each for each in sorted(told["application_ids"]) if each in tied][:MOST_MEMBERS]
    refs = {name: NodeRef("Application", name) for name in members}
    dots = [Dot(refs[name], f"A{at}", f"A{at}", ring=True) for at, name in enumerate(members, start=1)]
    lines = []
    for at, one in enumerate(things, start=1):
        ref = NodeRef(one["type"], one["key"])
        dots.append(Dot(ref, f"S{at}", f"S{at} {sentences.typed(one['type'], one['masked'])}"))
        strong = EDGES[one["relation"]].weight >= STRONG
        lines += [
            Line(refs[name], ref, sentences.relation(one["relation"]), strong=strong)
            for name in one["holders"]
            if name in refs
        ]
    alt = t(
        "Graph of ring {ring}: {members} applications and {things} things that they share.",
        ring=ring_id, members=number(len(members)), things=number(len(things)),
    )  # fmt: skip
    types = sorted({each.ref.type for each in dots}, key=list(NODES).index)
    legend = tuple((NODES[each].colour, sentences.node_type(each)) for each in types)
    svg = _alone(as_svg(dots, lines, _laid_out(dots, lines), title=alt)) if dots else ""
    rows = tuple(
        (
            f"S{at}",
            sentences.typed(one["type"], one["masked"]),
            sentences.relation(one["relation"]),
            len(one["holders"]),
        )
        for at, one in enumerate(things, start=1)
    )
    return Drawn(Picture(svg, alt, width=0.82, legend=legend), rows)


def _laid_out(dots: Sequence[Dot], lines: Sequence[Line]) -> dict[NodeRef, tuple[float, float]]:
    """Distances on the page like distances in the graph, the longest extent along the page; parts side by side.
    The same ring always comes out the same."""
    network: nx.Graph[NodeRef] = nx.Graph()
    network.add_nodes_from(sorted(each.ref for each in dots))
    network.add_edges_from(sorted({(each.source, each.target) for each in lines}))
    places: dict[NodeRef, tuple[float, float]] = {}
    left = 0.0
    for part in sorted(nx.connected_components(network), key=lambda one: (-len(one), min(one))):
        inside = nx.kamada_kawai_layout(network.subgraph(sorted(part)), scale=math.sqrt(len(part)))
        refs = sorted(part)
        spread = np.array([inside[each] for each in refs])
        spread -= spread.mean(axis=0)
        _, _, axes = np.linalg.svd(spread, full_matrices=False)
        axes *= np.sign(axes.sum(axis=1, keepdims=True))
        turned = np.round(spread @ axes.T, 6)
        turned[:, 0] += left - turned[:, 0].min()
        left = float(turned[:, 0].max()) + 1.2
        places |= {ref: (float(x), float(y)) for ref, (x, y) in zip(refs, turned.tolist(), strict=True)}
    return places


def _alone(svg: str) -> str:
    """Drawings of packs are styled by their page; one that stands by itself brings its own."""
    return (
        svg.replace("<svg ", f'<svg xmlns="http://www.w3.org/2000/svg" font-family="{FONT}" font-size="11" ', 1)
        .replace('<path class="glyph"', '<path fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round"')
        .replace("<text ", '<text text-anchor="middle" fill="#34414d" ')
    )
