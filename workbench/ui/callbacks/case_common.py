"""What all gestures on a case share."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import set_props

from graph.errors import InputError
from workbench.ui import ids
from workbench.ui.toasts import tell

PAGE, PANEL = "page", "panel"


def number_of(case: Mapping[str, Any] | None) -> int:
    """Of the case that is open. A browser can send anything."""
    number = (case or {}).get("number")
    if not isinstance(number, int) or isinstance(number, bool):
        raise InputError("no case is open here; open one from the queue")
    return number


def seen_of(case: Mapping[str, Any] | None) -> int:
    """The newest entry that the screen showed."""
    seen = (case or {}).get("seen")
    return seen if isinstance(seen, int) and not isinstance(seen, bool) else 0


def changed() -> None:
    """The case's parts load anew."""
    set_props(ids.CASE_CHANGED, {"data": time.time_ns() // 1_000_000})


def done(message: str) -> None:
    tell(message)
    changed()


def modal(id: str, title: str, *children: Any, size: int = 440) -> Any:  # noqa: A002 - Dash's own word
    return dmc.Modal(list(children), id=id, title=title, centered=True, size=size)
