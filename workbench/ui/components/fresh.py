"""Only what is new since the last visit: a switch that is there when something is."""

from __future__ import annotations

import json
from typing import Any

from dash import Dash, html

from workbench.services.all import Services
from workbench.ui.aria import aria, data
from workbench.ui.i18n import t


def tools() -> list[Any]:
    """For the bar over the graph; `assets/fresh.js` shows it, counts and switches."""
    words = {
        "count": t("New: {count}"),
        "title": t("Show only what is new since your visit on {day}"),
        "none": t("Nothing is new since your last visit"),
    }
    return [
        html.Button(
            "",
            id="fresh-only",
            type="button",
            hidden=True,
            className="canvas-tool fresh-only",
            **data(words=json.dumps(words, ensure_ascii=False)),
            **aria(pressed="false", keyshortcuts="N"),
        )
    ]


def register(_app: Dash, _services: Services) -> None:
    """All of it happens in the browser."""
