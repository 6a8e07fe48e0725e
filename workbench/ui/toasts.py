"""A few words in the corner of the screen, after something was done."""

from __future__ import annotations

from typing import Any

from dash import set_props

from workbench.ui import ids


def toast(message: str, *, kind: str = "done", title: str = "", lasts: int = 5_000) -> dict[str, Any]:
    """For `set_props(ids.TOAST, {"sendNotifications": [toast(…)]})`. `kind`: done, warning or error."""
    colour = {"done": "teal", "warning": "orange", "error": "red"}[kind]
    return {"action": "show", "message": message, "title": title or None, "color": colour, "autoClose": lasts,
            "withBorder": True}  # fmt: skip


def tell(message: str, *, kind: str = "done") -> None:
    """From within a callback."""
    set_props(ids.TOAST, {"sendNotifications": [toast(message, kind=kind)]})
