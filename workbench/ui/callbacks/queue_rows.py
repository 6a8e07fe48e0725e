"""Rows of the queue, a block at a time, as the grid asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dash import Dash, Input, Output, State, dcc, html, no_update

from workbench.casebook.queue_query import MOST_ROWS, ORDERS, Query
from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside
from workbench.ui.components.queue_bar import STAMP, TOTAL
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel.queue_rows import row

EMPTY = "queue-empty"
SOONEST = ("deadline", "funding")

NUMBER = "queue-number"
"""How many match."""


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(ids.QUEUE, "getRowsResponse"),
        Output(TOTAL, "children"),
        Output(NUMBER, "data"),
        Output(EMPTY, "children"),
        Output(EMPTY, "hidden"),
        Output(STAMP, "data"),
        Input(ids.QUEUE, "getRowsRequest"),
        State(ids.QUEUE_ASKED, "data"),
        State(STAMP, "data"),
        prevent_initial_call=True,
    )
    def rows(request: Mapping[str, Any], asked: Mapping[str, Any] | None, stamp: int | None) -> tuple[Any, ...]:
        who, query = guard.person(), wanted(request, asked)
        newest, _ = services.queue.changes(who, 0)  # before the rows: what comes between the two is told once more
        seen = stamp if query.offset else newest  # what the first block shows is seen
        told = page(services, who, query)
        return (
            told, total(told["rowCount"]), told["rowCount"], _nothing(query), told["rowCount"] > 0,
            no_update if seen == stamp else seen,
        )  # fmt: skip

    clientside(app, "queue.asked", Output("queue-sink", "data"), Input(ids.QUEUE_ASKED, "data"))
    clientside(app, "queue.changed", Output("queue-sink", "data", allow_duplicate=True),
               Input(ids.QUEUE_CHANGED, "data"), prevent_initial_call=True)  # fmt: skip


def page(services: Services, who: Person, asked: Query) -> dict[str, Any]:
    """As the grid takes it."""
    found = services.queue.rows(who, asked)
    names = {each.name: each.display_name for each in services.people.colleagues(who)}
    now = services.office.clock()
    return {
        "rowData": [row(each, names=names, me=who.name, now=now) for each in found.rows],
        "rowCount": found.total,
    }


def wanted(request: Mapping[str, Any] | None, asked: Mapping[str, Any] | None) -> Query:
    """The block that the grid asks for, in the order that its heads show. Raises InputError."""
    query = Query.of_json(asked or {})
    told = request or {}
    start, end = int(told.get("startRow") or 0), int(told.get("endRow") or 100)
    query = replace(query, offset=max(start, 0), limit=min(max(end - start, 1), MOST_ROWS))
    for sort in (told.get("sortModel") or [])[:1]:
        name = str(sort.get("colId"))
        if name in ORDERS:
            first = "asc" if name in SOONEST else "desc"
            query = replace(query, order=name, backwards=sort.get("sort") != first)
    return query


def total(count: int) -> str:
    return t("1 case") if count == 1 else t("{count} cases", count=number(count))


def _nothing(asked: Query) -> html.Div:
    """Why there is no row, and what to do."""
    if asked.filters:
        said = (t("Nothing matches these filters"), t("Take one of them away, or clear them all."))
    else:
        said = {
            "all": (t("Nothing is waiting"), t("New cases come with the next run of rings and with every score.")),
            "mine": (t("You have no case"), t("Take the next one: the most urgent one that nobody has.")),
            "new": (t("Nothing new"), t("No case came since you were here last.")),
            "snoozed": (t("Nothing is snoozed"), t("What is put off stands here until it comes back.")),
            "closed": (t("Nothing is closed yet"), t("Cases that were decided stand here.")),
        }[asked.tab]
    link = dcc.Link(t("To the overview"), href="/", className="rr-link")
    return html.Div(className="rr-empty", children=[html.H2(said[0]), html.P(said[1]), link])
