"""Taking what stands on the graph along: a picture for a report, a drawing, a graph for other tools, a table.

Pictures are drawn in the browser (`assets/export*.js`), once the log has who takes them; files with facts are made by
the server.
"""

from __future__ import annotations

import json
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from workbench.services.all import Services
from workbench.services.permissions import Act
from workbench.ui import guard
from workbench.ui.aria import data
from workbench.ui.callbacks import export_graph, export_picture
from workbench.ui.components.menu import menu
from workbench.ui.i18n import t
from workbench.ui.icons import icon

DOWN = "M12 4v11 M7 11l5 5 5-5 M4 20h16"


def tools() -> list[Any]:
    """For the bar over the graph; nothing for who may not take data out."""
    if not guard.person().may(Act.EXPORT):
        return []
    stores = [dcc.Store(id=each) for each in (*export_picture.STORES, *export_graph.STORES)]
    return [
        _menu(),
        *stores,
        dcc.Download(id=export_graph.DOWNLOAD),
        html.Div(id="export-words", hidden=True, **_words()),
    ]


def register(app: Dash, services: Services) -> None:
    export_picture.register(app, services)
    export_graph.register(app, services)


def _menu() -> dmc.Menu:
    items = [
        _item("png", t("Picture (PNG, four times as fine)"), t("for a report")),
        _item("svg", t("Drawing (SVG)"), t("text stays text, lines stay lines")),
        _item("graphml", t("Graph (GraphML)"), t("for Gephi, yEd, networkx")),
        _item("csv", t("Table (CSV)"), t("what is in view")),
        _item("xlsx", t("Table (Excel)"), t("what is in view")),
    ]
    return menu(icon(DOWN, 17), items, label=t("Export, masked; the log keeps who took it"), css="canvas-tool")


def _item(kind: str, name: str, why: str) -> dmc.MenuItem:
    return dmc.MenuItem([html.Div(name), html.Div(why, className="rr-soft rr-small")], **data(export=kind))


def _words() -> dict[str, Any]:
    words = {
        "smaller": t("The picture is large: saved {scale} times as fine instead of four"),
        "saved": t("Saved: {name}"),
        "nothing": t("There is nothing on the graph to export"),
        "failed": t("The browser could not make the picture; hide or fold some of it"),
        "title": t("Graph of {name}"),
    }
    return data(words=json.dumps(words, ensure_ascii=False))
