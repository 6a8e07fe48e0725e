"""Everything on the graph as a table: for who reads rather than looks, to sort, to filter, to take along.

Rows are the browser's own (`assets/entity-table.js`): no move of the graph asks the server. What is chosen here is
chosen there, and the other way round.
"""

from __future__ import annotations

import json
from typing import Any

import dash_ag_grid as dag
from dash import Dash, dcc, html

from graph.ontology import NODES
from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria, data
from workbench.ui.callbacks import export_table
from workbench.ui.components.grid_words import usual
from workbench.ui.components.queue_grid import theme
from workbench.ui.i18n import t
from workbench.ui.icons import icon
from workbench.ui.theme import colour
from workbench.ui.viewmodel import sentences

BOX, GRID, FIND, COUNT = "entity-table-box", "entity-table", "entity-table-find", "entity-table-count"
TABLE = "M4 5h16v14H4z M4 10h16 M4 15h16 M10 5v14"
CLOSE = "M6 6l12 12 M18 6L6 18"


def tools() -> list[Any]:
    """For the bar over the graph."""
    return [
        html.Button(
            icon(TABLE, 17),
            type="button",
            className="canvas-tool",
            title=f"{t('Table of what is in view')} (T)",
            **data(etab="toggle"),
            **aria(label=t("Table of what is in view"), keyshortcuts="T", expanded="false", controls=BOX),
        )
    ]


def table(who: Person) -> html.Section:
    """Under the graph, closed until it is asked for."""
    return html.Section(
        id=BOX,
        className="etab",
        hidden=True,
        **aria(label=t("Things in view")),
        **data(words=_words()),
        children=[
            html.Div(className="etab-head", children=_head(who)),
            html.Div(_grid(), className="etab-grid"),
            *(dcc.Store(id=each) for each in export_table.STORES),
            dcc.Download(id=export_table.DOWNLOAD),
        ],
    )


def register(app: Dash, services: Services) -> None:
    export_table.register(app, services)


def _head(who: Person) -> list[Any]:
    saved = [_save(each) for each in ("csv", "xlsx")] if who.may(Act.EXPORT) else []
    return [
        html.H2(t("Things in view"), className="rr-h"),
        html.Span(id=COUNT, className="rr-soft rr-small rr-num", role="status", **aria(live="polite")),
        dcc.Input(id=FIND, type="search", placeholder=t("Filter the table"), className="etab-find", debounce=False),
        html.Label(t("Filter the table"), htmlFor=FIND, className="etab-label"),
        html.Span(className="rr-grow"),
        *saved,
        html.Button(
            icon(CLOSE, 14), type="button", className="canvas-tool", **data(etab="toggle"),
            **aria(label=t("Close the table")),
        ),
    ]  # fmt: skip


def _save(kind: str) -> html.Button:
    return html.Button(
        kind.upper(), type="button", className="etab-save", title=t("Save the table, masked as it stands"),
        **data(etab=kind), **aria(label=t("Save the table as {kind}", kind=kind.upper())),
    )  # fmt: skip


def _grid() -> dag.AgGrid:
    return dag.AgGrid(
        id=GRID,
        columnDefs=_columns(),
        rowData=[],
        defaultColDef={"sortable": True, "resizable": True, "filter": True, "suppressHeaderMenuButton": False,
                       "cellDataType": False, "minWidth": 60},
        getRowId="params.data.id",
        dashGridOptions={
            "theme": theme(), "rowHeight": 30, "headerHeight": 32, "animateRows": False, "tooltipShowDelay": 500,
            "rowSelection": {"mode": "multiRow", "checkboxes": False, "headerCheckbox": False,
                             "enableClickSelection": True},
            **usual(empty=t("Nothing on the graph")), "suppressMultiSort": True,
        },
        style={"height": "100%", "width": "100%"},
    )  # fmt: skip


def _columns() -> list[dict[str, Any]]:
    def figure(field: str, title: str, width: int, **more: Any) -> dict[str, Any]:
        return {"field": field, "headerName": title, "width": width, "type": "rightAligned", "cellClass": "rr-num",
                "filter": "agNumberColumnFilter", "suppressHeaderFilterButton": True} | more  # fmt: skip

    return [
        {"field": "said", "headerName": t("Type"), "width": 158, "cellRenderer": "EntityType"},
        {"field": "name", "headerName": t("Name"), "flex": 2, "minWidth": 150, "tooltipField": "name"},
        {"field": "sub", "headerName": t("More"), "flex": 1, "minWidth": 90, "tooltipField": "sub"},
        figure("score", t("Score"), 72, valueFormatter={"function": "entityTable.score(params)"}),
        {"field": "state", "headerName": t("Marks"), "flex": 1, "minWidth": 100, "tooltipField": "state"},
        figure("held", t("Held by"), 78),
        figure("shown", t("Links shown"), 96),
        figure("links", t("Links in all"), 96),
        figure("amount", t("Amount"), 92, valueFormatter={"function": "entityTable.money(params)"}),
        figure("known", t("Known since"), 108, valueFormatter={"function": "entityTable.day(params)"}, filter=False),
    ]


def _words() -> str:
    """Types with their colours, and marks as they are said."""
    words = {
        "types": {name: [sentences.node_type(name), colour(name)] for name in NODES},
        "fraud": t("Labelled as fraud"),
        "suspected": t("Labelled as suspected"),
        "legit": t("Cleared"),
        "infra": t("No lead: {kind}"),
        "fresh": t("New"),
        "pin": t("Pinned"),
        "hidden": t("Hidden"),
        "count": t("{count} of {total}"),
        "all": t("{total} things"),
        "region": t("Table of everything on the graph"),
    }
    return json.dumps(words, ensure_ascii=False)
