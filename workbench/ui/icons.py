"""Stroke glyphs of our own, 24 by 24: no icon font, no request."""

from __future__ import annotations

from urllib.parse import quote

from dash import html

from workbench.ui.aria import aria

PAGES = {
    "overview": "M4 13h6V4H4z M14 20h6v-9h-6z M14 8h6V4h-6z M4 20h6v-4H4z",
    "queue": "M8 6h12 M8 12h12 M8 18h12 M4 6h.01 M4 12h.01 M4 18h.01",
    "cases": "M4 7h16v13H4z M9 7V4h6v3 M4 12h16",
    "dealers": "M4 9l2-5h12l2 5v2H4z M5 11v10h14V11 M10 21v-6h4v6",
    "vehicles": "M3 16v-4l2-5h14l2 5v4z M3 12h18 M6 16v3 M18 16v3",
    "labels": "M4 4h8l8 8-8 8-8-8z M8 8h.01",
    "audit": "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6z M9 12l2 2 4-4",
    "users": "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8z M2 21c0-5 3-7 7-7s7 2 7 7 M17 4a4 4 0 0 1 0 7 M19 14c2 1 3 3.500 3 7",
    "models": "M4 19l5-6 4 3 7-9 M4 4v16h16",
}


def uri(path: str, *, colour: str = "currentColor", width: float = 1.8) -> str:
    """An SVG as a data address."""
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48" viewBox="0 0 24 24" fill="none" '
        f'stroke="{colour}" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round">'
        f'<path d="{path}"/></svg>'
    )
    return "data:image/svg+xml;utf8," + quote(svg)


def icon(path: str, size: int = 20) -> html.Span:
    """In the colour of the text around it: a mask, which a colour shows through."""
    return html.Span(
        className="rr-icon",
        style={"--rr-glyph": f'url("{uri(path, colour="#000")}")', "width": size, "height": size},
        **aria(hidden="true"),
    )
