"""The grid of the queue, and its short form at the left of an investigation. Rows come from the server, as one scrolls.

Cells are drawn by `assets/grid-00-cells.js`, as text only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import Dash, dcc, html

from workbench.casebook.queue_query import ALL, MINE, NEW, Query
from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui import ids
from workbench.ui.aria import aria, data
from workbench.ui.callbacks import queue_strip
from workbench.ui.components.grid_words import usual
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel.queue_rows import order_title, tab_title

BLOCK = 100
STRIP, STRIP_TAB, STRIP_COUNT = queue_strip.STRIP, queue_strip.TAB, queue_strip.COUNT

SOONEST = ("deadline", "funding")
"""Orders in which the most urgent is the smallest value."""


LOOK = (
    "fontSize: 12.5, spacing: 5, fontFamily: 'inherit', wrapperBorder: false, wrapperBorderRadius: 0, "
    "headerBackgroundColor: '#f8f9fa', headerTextColor: '#495057', headerFontWeight: 600, "
    "rowBorder: {color: '#edf0f2'}, columnBorder: false, accentColor: '#1971c2', foregroundColor: '#1f2933', "
    "selectedRowBackgroundColor: 'rgba(34, 139, 230, .13)', rowHoverColor: 'rgba(34, 139, 230, .06)', iconSize: 14"
)


def theme(padding: int = 9) -> dict[str, str]:
    """`padding` of a cell, in pixels. A call, which the grid's own parser takes without eval."""
    return {"function": f"themeQuartz.withParams({{cellHorizontalPadding: {padding}, {LOOK}}})"}


THEME = theme()
CHOSEN: dict[str, Any] = {
    "rowSelection": {"mode": "multiRow", "checkboxes": True, "headerCheckbox": False, "enableClickSelection": False}
}
RIGHT: dict[str, Any] = {"headerClass": "ag-right-aligned-header", "cellClass": ["rr-num", "ag-right-aligned-cell"]}


def grid(asked: Query, *, works: bool) -> dag.AgGrid:
    """Of the whole page, ordered as asked. Who only reads (not `works`) has no rows to choose."""
    return dag.AgGrid(
        id=ids.QUEUE,
        columnDefs=_columns(asked),
        defaultColDef=_plain(),
        rowModelType="infinite",
        getRowId="params.data.id",
        eventListeners={
            "firstDataRendered": ["queueGrid.ready(params)"],
            "sortChanged": ["queueGrid.sorted(params)"],
            "cellDoubleClicked": ["queueGrid.opened(params)"],
            "cellKeyDown": ["queueGrid.pressed(params)"],
        },
        dashGridOptions=_options(t("No case")) | {
            **(CHOSEN if works else {}),
            "selectionColumnDef": {"width": 38, "pinned": "left", "headerTooltip": t("Select")},
        },
        style={"height": "100%", "width": "100%"},
    )  # fmt: skip


def _options(empty: str, *, padding: int = 9) -> dict[str, Any]:
    return {
        "theme": theme(padding), "rowHeight": 34, "headerHeight": 34, "animateRows": False, "cacheBlockSize": BLOCK,
        "maxBlocksInCache": 30, "maxConcurrentDatasourceRequests": 1, "infiniteInitialRowCount": 1,
        "blockLoadDebounceMillis": 20, "suppressMultiSort": True, "tooltipShowDelay": 500, "tooltipInteraction": False,
        "suppressNoRowsOverlay": True, **usual(empty=empty),
    }  # fmt: skip


def _plain() -> dict[str, Any]:
    return {
        "sortable": False, "resizable": True, "suppressMovable": True, "suppressHeaderMenuButton": True,
        "suppressHeaderContextMenu": True, "cellDataType": False,
    }  # fmt: skip


def _columns(asked: Query) -> list[dict[str, Any]]:
    def ordered(name: str, width: int, **more: Any) -> dict[str, Any]:
        first = "asc" if name in SOONEST else "desc"
        other = "desc" if first == "asc" else "asc"
        sort = {"initialSort": other if asked.backwards else first} if asked.order == name else {}
        return {
            "colId": name, "field": name, "headerName": order_title(name), "width": width, "sortable": True,
            "sortingOrder": [first, other], **sort, **more,
        }  # fmt: skip

    def text(name: str, title: str, width: int, **more: Any) -> dict[str, Any]:
        return {"field": name, "headerName": title, "width": width, "tooltipField": name, **more}

    return [
        text("case", t("Case"), 66, cellRenderer="QueueCase", pinned="left"),
        text("subject", t("Subject"), 146, cellRenderer="QueueSubject", pinned="left"),
        text("pattern", t("Pattern"), 150, flex=3, minWidth=118),
        ordered("score", 74, cellRenderer="QueueScore"),
        ordered("savable", 86, **RIGHT),
        ordered("exposure", 92, **RIGHT),
        text("apps", t("Apps"), 54, **RIGHT),
        ordered("grown", 76, cellRenderer="QueueGrown"),
        ordered("age", 62, **RIGHT | {"tooltipField": "opened"}),
        ordered("deadline", 78, cellRenderer="QueueTime"),
        ordered("funding", 74, cellRenderer="QueueTime", headerTooltip=t("When the first loan is expected to go out")),
        text("owner", t("Owner"), 90, flex=1, minWidth=102, cellRenderer="QueueOwner"),
        text("status", t("Status"), 94, flex=1, minWidth=88, cellRenderer="QueueStatus"),
        text("region", t("Region"), 98, flex=1, minWidth=90) | {"tooltipField": "town"},
        text("dealer", t("Dealer"), 104, flex=1, minWidth=104, cellRenderer="QueueDealer"),
    ]


def words() -> html.Div:
    """What scripts and cells say, on the page and in the short form."""
    told: Mapping[str, Callable[[], str]] = {
        "fresh": lambda: t("new since your last visit"),
        "ended": lambda: t("no run finds this ring any more"),
        "locked": lambda: t("{name} has it open", name="{name}"),
        "one": lambda: t("1 case chosen"),
        "many": lambda: t("{count} cases chosen", count="{count}"),
        "all": lambda: t("Choose all {count} that match", count="{count}"),
        "none": lambda: t("No row is chosen; go to one with J and K"),
    }
    return html.Div(id="q-words", hidden=True, **data(words=json.dumps({key: said() for key, said in told.items()})))


# The short form --------------------------------------------------------------------------------------------


def compact(services: Services, who: Person) -> list[Any]:
    """For the left of an investigation: what comes next, without leaving what one looks at."""
    counts = services.queue.summary(who)
    return [
        words(),
        html.Div(
            className="q-strip-head",
            children=[
                html.H2(t("Queue")),
                dmc.Badge(number(counts[ALL]), id=STRIP_COUNT, size="sm", variant="light", color="gray"),
                html.Div(className="rr-grow"),
                dmc.SegmentedControl(
                    id=STRIP_TAB, size="xs", value=ALL,
                    data=[{"label": tab_title(tab), "value": tab} for tab in (ALL, NEW, MINE)],
                    **aria(label=t("Which cases")),
                ),
            ],
        ),
        dcc.Store(id=queue_strip.SINK),
        html.Div(
            className="q-strip-grid",
            children=[
                dag.AgGrid(
                    id=STRIP,
                    columnDefs=_short_columns(),
                    defaultColDef=_plain(),
                    rowModelType="infinite",
                    getRowId="params.data.id",
                    rowClassRules={"q-here": "queueGrid.here(params)"},
                    eventListeners={
                        "cellClicked": ["queueGrid.opened(params)"],
                        "cellKeyDown": ["queueGrid.pressed(params)"],
                    },
                    dashGridOptions=_options(t("No case"), padding=6),
                    style={"height": "100%", "width": "100%"},
                ),
                html.Div(t("Nothing here"), id=queue_strip.EMPTY, className="q-strip-empty", hidden=True),
            ],
        ),
    ]  # fmt: skip


def _short_columns() -> list[dict[str, Any]]:
    return [
        {"field": "subject", "headerName": t("Subject"), "width": 138, "cellRenderer": "QueueSubject",
         "tooltipField": "subject"},
        {"field": "score", "headerName": t("Score"), "width": 59, "cellRenderer": "QueueScore"},
        {"field": "apps", "headerName": t("Apps"), "width": 45, **RIGHT},
        {"field": "savable", "headerName": t("Savable"), "width": 64, **RIGHT,
         "tooltipField": "exposure"},
        {"field": "pattern", "headerName": t("Pattern"), "flex": 1, "minWidth": 60, "tooltipField": "pattern"},
    ]  # fmt: skip


def register(app: Dash, services: Services) -> None:
    queue_strip.register(app, services)
