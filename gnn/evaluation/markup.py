"""HTML that cannot forget to escape: text becomes markup in `element` only."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

VOID = {"meta", "line", "circle"}


class Html(str):
    """Markup that is finished. Any other string is text."""

    __slots__ = ()


Child = str | None | Iterable["Child"]


def element(name: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """`class_` gives class; a hyphen is written as an underscore; None leaves an attribute or a child out."""
    given = "".join(
        f' {key.strip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = joined(*children)
    return Html(f"<{name}{given}/>" if name in VOID else f"<{name}{given}>{inside}</{name}>")


def joined(*children: Child) -> Html:
    return Html("".join(_markup(child) for child in children))


def _markup(child: Child) -> str:
    if child is None or isinstance(child, Html):
        return child or ""
    return escape(child) if isinstance(child, str) else joined(*child)
