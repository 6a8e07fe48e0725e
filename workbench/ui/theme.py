"""How the graph looks: a glyph, a colour and a shape for each type, and what the facts of a node make of them.

Pure functions of `graph.ontology`. Whatever is styled is a fact in an element's `data`; classes are only for what
passes (dimmed, lit). Colour never stands alone: every state has a shape or a border besides.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from graph.ontology import EDGES, NODES
from workbench.ui.icons import uri

GLYPHS = {
    "Application": "M6 3h9l4 4v14H6z M9 12h7 M9 16h7 M14 3v5h5",
    "Person": "M12 12a4 4 0 1 0 0-8a4 4 0 0 0 0 8z M4 21c0-5 4-7 8-7s8 2 8 7",
    "Phone": "M6 3h4l2 5-3 2a11 11 0 0 0 5 5l2-3 5 2v4c0 1-1 2-2 2C11 20 4 13 4 5c0-1 1-2 2-2z",
    "Device": "M7 2h10v20H7z M11 18h2",
    "IP": "M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18z M3 12h18 M12 3c4 4 4 14 0 18 M12 3c-4 4-4 14 0 18",
    "WiFi": "M3 9c5-5 13-5 18 0 M6 13c3-3 9-3 12 0 M9.5 16.5c1.5-1.5 3.5-1.5 5 0 M12 20h.01",
    "Address": "M3 11l9-8 9 8 M6 9v12h12V9 M10 21v-6h4v6",
    "Employer": "M3 8h18v12H3z M9 8V4h6v4 M3 13h18",
    "Dealer": "M4 9l2-5h12l2 5v2H4z M5 11v10h14V11 M10 21v-6h4v6",
    "Salesperson": "M9 11a4 4 0 1 0 0-8a4 4 0 0 0 0 8z M2 21c0-5 3-7 7-7c2 0 3.5.5 5 1.5 M17 14v7 M14 17.5h6",
    "Reviewer": "M9 11a4 4 0 1 0 0-8a4 4 0 0 0 0 8z M2 21c0-5 3-7 7-7c2 0 3 .5 4 1 M14 18l3 3 5-6",
    "Vehicle": "M3 16v-4l2-5h14l2 5v4z M3 12h18 M6 16v3 M18 16v3",
    "Account": "M3 6h18v12H3z M3 10h18 M6 15h4",
    "DocTemplate": "M8 3h8l4 4v10H8z M16 3v4h4 M4 7v14h11",
    "VoiceCluster": "M4 10v4 M8 7v10 M12 3v18 M16 7v10 M20 10v4",
    "Place": "M12 21c5-6 7-9 7-12a7 7 0 0 0-14 0c0 3 2 6 7 12z M12 11.5a2.5 2.5 0 1 0 0-5a2.5 2.5 0 0 0 0 5z",
    "Region": "M9 4L3 6v14l6-2 6 2 6-2V4l-6 2z M9 4v14 M15 6v14",
    "Institution": "M3 9l9-6 9 6z M5 9v9 M10 9v9 M14 9v9 M19 9v9 M3 21h18",
}

SHAPES = {
    "Application": "round-rectangle",
    "Dealer": "round-hexagon",
    "Employer": "round-hexagon",
    "Institution": "round-hexagon",
    "Vehicle": "round-octagon",
    "Account": "round-tag",
    "DocTemplate": "cut-rectangle",
    "Address": "round-pentagon",
    "Place": "round-pentagon",
    "Region": "round-pentagon",
}
"""People, and what identifies them, are round."""

FONT = "Inter, Noto Sans, Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"
INK, PAPER, QUIET = "#343a40", "#fafbfc", "#adb5bd"
STATES = {"fraud": "#c92a2a", "suspected": "#e8590c", "legit": "#2b8a3e"}
NEW, PATH, CHOSEN, HOT = "#0ca678", "#e8590c", "#1c7ed6", "#4263eb"
STRONG = 2.5
"""Weight of sharing from which a relation is drawn in colour."""


def colour(type_: str) -> str:
    return NODES[type_].colour


@cache
def glyph(type_: str) -> str:
    """White, to lie on the type's colour."""
    return uri(GLYPHS[type_], colour="#fff", width=1.9)


def stylesheet() -> list[dict[str, Any]]:
    """For cytoscape.js; later rules win."""
    return [*_nodes(), *_facts(), *_edges(), *_passing()]


def _rule(selector: str, **style: object) -> dict[str, Any]:
    return {"selector": selector, "style": {name.replace("_", "-"): value for name, value in style.items()}}


def _nodes() -> list[dict[str, Any]]:
    base = _rule(
        "node",
        width=34, height=34, background_color="#868e96", background_width="56%", background_height="56%",
        label="data(label)", font_size=12, font_family=FONT, color=INK, text_valign="bottom", text_margin_y=3,
        text_wrap="ellipsis", text_max_width="118px", min_zoomed_font_size=9, text_background_color=PAPER,
        text_background_opacity=0.85, text_background_padding=1, border_width=2, border_color="#fff",
    )  # fmt: skip
    types = [
        _rule(
            f'node[type = "{name}"]',
            background_color=node.colour,
            background_image=glyph(name),
            shape=SHAPES.get(name, "ellipse"),
        )
        for name, node in NODES.items()
    ]
    belong = [
        _rule('node[type = "Application"][member]', width=42, height=42),
        _rule('node[type = "Person"][member]', width=38, height=38),
        _rule("node[held >= 2]", width="mapData(held, 2, 14, 34, 54)", height="mapData(held, 2, 14, 34, 54)"),
    ]
    return [base, *types, *belong]


def _facts() -> list[dict[str, Any]]:
    """Scores, labels, infrastructure, what is new, pinned or folded."""
    return [
        _rule("node[score >= 0.2]", border_width="mapData(score, 0.2, 1, 2, 5.5)",
              border_color="mapData(score, 0.2, 0.9, #ffc078, #e03131)"),
        _rule('node[state = "fraud"]', border_style="double", border_width=8, border_color=STATES["fraud"]),
        _rule('node[state = "suspected"]', border_style="dashed", border_width=4, border_color=STATES["suspected"]),
        _rule('node[state = "legit"]', border_width=4, border_color=STATES["legit"]),
        _rule("node[role]", text_wrap="wrap", font_weight=700),
        _rule("node[infra]", shape="rectangle", background_opacity=0.42, color="#687482", border_width=1.5,
              border_color="#adb5bd", border_style="dashed"),
        _rule("node[fresh]", underlay_color=NEW, underlay_opacity=0.28, underlay_padding=8, underlay_shape="ellipse"),
        _rule("node[fold]", shape="round-rectangle", width=46, height=30, background_image="none", border_width=5,
              border_style="double", border_color="#fff", text_valign="center", text_margin_y=0, color="#fff",
              text_background_opacity=0, font_weight=700, min_zoomed_font_size=6),
    ]  # fmt: skip


def _edges() -> list[dict[str, Any]]:
    heaviest = max(each.weight for each in EDGES.values())
    return [
        _rule("edge", width=1.1, line_color="#c4cad0", curve_style="straight", opacity=0.85, font_family=FONT),
        _rule("edge[weight > 0]", width=f"mapData(weight, 0, {heaviest:g}, 1, 2.2)", line_color=QUIET),
        _rule(f"edge[weight >= {STRONG:g}]", line_color="#e38ba0"),
        _rule("edge[twin]", curve_style="bezier", control_point_step_size=16),
        _rule("edge[ended]", line_style="dotted"),
        _rule("edge[alike]", line_style="dashed", line_dash_pattern=[7, 3]),
        _rule("edge[innocent]", line_style="dashed", line_dash_pattern=[3, 4], line_color="#868e96", opacity=0.7),
        _rule("edge[fresh]", line_color=NEW, width=2.2),
    ]  # fmt: skip


def _passing() -> list[dict[str, Any]]:
    """Classes that the browser sets and takes away again."""
    named = {"label": "data(says)", "font_size": 10, "text_rotation": "autorotate", "color": INK,
             "text_background_color": "#fff", "text_background_opacity": 0.9, "text_background_padding": 2}  # fmt: skip
    return [
        _rule(".dim", opacity=0.12),
        _rule("node.hot", z_index=9),
        _rule("edge.hot", width=2.4, line_color=HOT, opacity=1, **named),
        _rule("node.lit", overlay_color=PATH, overlay_opacity=0.2, overlay_padding=6, overlay_shape="ellipse",
              z_index=10),
        _rule("edge.lit", width=3.6, line_color=PATH, opacity=1, z_index=10, **named),
        _rule("edge.way", target_arrow_shape="none", width=4),
        _rule("node.gone", opacity=0.18, border_style="dotted", border_color="#868e96"),
        _rule("edge.gone", opacity=0.12, line_style="dotted"),
        _rule("node.came", underlay_color=NEW, underlay_opacity=0.35, underlay_padding=9, underlay_shape="ellipse"),
        _rule("node:selected", overlay_color=CHOSEN, overlay_opacity=0.22, overlay_padding=6, overlay_shape="ellipse",
              font_weight=700, min_zoomed_font_size=0),
        _rule("edge:selected", line_color=CHOSEN, width=3, opacity=1, **named),
        _rule(".off", display="none"),
    ]  # fmt: skip
