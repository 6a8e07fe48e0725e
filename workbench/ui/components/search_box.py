"""The search in the header: one box for everything, answers as a list under it, all by keyboard.

Built and steered by `assets/find.js`: what is typed goes to the server in the body of a callback and is kept nowhere;
what was opened is remembered, masked, until the page is left.
"""

from __future__ import annotations

import json
from typing import Any

from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.ui import ids
from workbench.ui.aria import data
from workbench.ui.callbacks import find_open, find_search
from workbench.ui.i18n import t
from workbench.ui.theme import GLYPHS
from workbench.ui.theme import colour as colour_of

GLYPHS_OF_WORK = {
    "ring": "M6 18a2 2 0 1 0 0-4a2 2 0 0 0 0 4z M18 18a2 2 0 1 0 0-4a2 2 0 0 0 0 4z M12 8a2 2 0 1 0 0-4a2 2 0 0 0 0 4z "
    "M8 16h8 M7 14l4-6 M17 14l-4-6",
    "case": "M4 7h16v13H4z M9 7V4h6v3 M4 12h16",
}
COLOUR_OF_WORK = "#343a40"


def box() -> html.Div:
    return html.Div(
        [
            html.Div(id="find", className="find", role="search", **data(words=_words(), looks=_looks())),
            *(dcc.Store(id=each) for each in (ids.FIND_REQ, ids.SEARCH_ANSWERS, ids.FIND_OPEN)),
            *(dcc.Store(id=each) for each in ("find-home", "find-working", "find-sink")),
        ],
        className="find-slot",
    )


def register(app: Dash, services: Services) -> None:
    find_search.register(app, services)
    find_open.register(app, services)


def _words() -> str:
    words = {
        "label": t("Search everything"),
        "placeholder": t("Phone, ID, VIN, plate, application, dealer, employer, ring, case…"),
        "list": t("What was found"),
        "recent": t("Opened before"),
        "searching": t("Searching…"),
        "failed": t("The search failed; try again"),
        "count": t("{count} found"),
        "open": t("open the page"),
        "add": t("add to the graph"),
        "where": t("show where it is"),
        "close": t("close"),
        "in ring": t("in ring {name}"),
        "hint": t("What you type is neither kept nor logged"),
    }
    return json.dumps(words, ensure_ascii=False)


def _looks() -> str:
    """Colour and glyph of each group."""
    looks: dict[str, Any] = {name: [colour_of(name), path] for name, path in GLYPHS.items()}
    looks |= {name: [COLOUR_OF_WORK, path] for name, path in GLYPHS_OF_WORK.items()}
    return json.dumps(looks)
