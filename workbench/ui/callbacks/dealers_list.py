"""The list of dealers: rows as one scrolls, filters, another day, and the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, no_update

from workbench.services.all import Services
from workbench.services.lenses.dealer_rows import Asked
from workbench.services.permissions import Person
from workbench.ui import guard
from workbench.ui.clientside import clientside
from workbench.ui.components import lens_parts as parts
from workbench.ui.i18n import day, number, t
from workbench.ui.viewmodel import dealer_words

GRID, BODY, TICK, ASKED, SINK = "dealers-grid", "dealers-body", "dealers-tick", "dealers-asked", "dealers-sink"
TEXT, REGION, KIND, ONLY = "dealers-text", "dealers-region", "dealers-kind", "dealers-only"
AS_OF, CSV, SAVED, TOLD = "dealers-as-of", "dealers-csv", "dealers-saved", "dealers-told"


def body(services: Services, who: Person, day_: object) -> tuple[Any, bool]:
    """The grid, or how far the gathering is; and whether that is all."""
    return parts.gathered(_grid, lambda: services.dealers.waiting(who, parts.as_of(day_)))


def _grid() -> Any:
    rate = {"cellRenderer": "LensRate", "minWidth": 132, "flex": 1}
    two = {"cellRenderer": "LensMark"}
    right = {"headerClass": "ag-right-aligned-header", "cellClass": "ag-right-aligned-cell rr-num"}
    columns: list[dict[str, Any]] = [
        {"field": "name", "headerName": t("Dealer"), "cellRenderer": "LensName", "minWidth": 200, "flex": 2},
        {"field": "region", "headerName": t("Region"), "width": 102},
        {"field": "grade", "headerName": t("Grade"), "width": 74, **two},
        {"field": "year", "headerName": t("Applications, 12 months"), "width": 112, **two},
        {"field": "fraud", "headerName": t("Fraud"), **rate},
        {"field": "early", "headerName": t("Early default"), **rate},
        {"field": "shared", "headerName": t("Linked, to peers"), **rate},
        {"field": "jump", "headerName": t("Volume jump"), "width": 106, **two},
        {"field": "rings", "headerName": t("Rings"), "width": 100, **two},
        {"field": "exposure", "headerName": t("Open exposure"), "width": 94, **right},
        {"field": "savable", "headerName": t("Not paid out"), "width": 94, **right},
    ]
    return parts.grid(GRID, columns, nothing=t("No dealer is like that."))


def asked_for(told: Mapping[str, Any] | None, sort: Any = None) -> Asked:
    told = told or {}
    text, region, kind, only = (str(told.get(name) or "")[:64] for name in ("text", "region", "kind", "only"))
    by = sort[0] if isinstance(sort, list) and sort else {}
    order, falling = str(by.get("colId", "risk")), by.get("sort", "desc") != "asc"
    return Asked(text, region, kind, only, order=order, falling=falling)


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"), Output(TICK, "disabled"), Input(TICK, "n_intervals"), Input(AS_OF, "value"),
        State(TICK, "disabled"), prevent_initial_call=True,
    )  # fmt: skip
    def ready(_ticks: int, day_: str | None, _was: bool) -> Any:
        return body(services, guard.person(), day_)

    @app.callback(
        Output(GRID, "getRowsResponse"), Output(TOLD, "children"), Input(GRID, "getRowsRequest"), State(ASKED, "data"),
        State(AS_OF, "value"), prevent_initial_call=True,
    )  # fmt: skip
    def rows(request: dict[str, Any] | None, told: dict[str, Any], day_: str | None) -> Any:
        if not request:
            return no_update, no_update
        return answer(services, guard.person(), request, told, day_)

    @app.callback(
        Output(ASKED, "data"), Input(TEXT, "value"), Input(REGION, "value"), Input(KIND, "value"),
        Input(ONLY, "value"), prevent_initial_call=True,
    )  # fmt: skip
    def ask(text: str, region: str, kind: str, only: str) -> dict[str, Any]:
        return {"text": text, "region": region, "kind": kind, "only": only, "grid": GRID}

    clientside(app, "lens.again", Output(SINK, "data"), Input(ASKED, "data"), prevent_initial_call=True)

    @app.callback(
        Output(SAVED, "data"), Input(CSV, "n_clicks"), State(ASKED, "data"), State(AS_OF, "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def export(_clicks: int, told: dict[str, Any], day_: str | None) -> dict[str, Any]:
        text = services.dealers.export(guard.person(), asked_for(told), as_of=parts.as_of(day_))
        return {"filename": "ringroad-dealers.csv", "content": text, "type": "text/csv", "base64": False}


def answer(
    services: Services, who: Person, request: Mapping[str, Any], told: Mapping[str, Any], day_: str | None
) -> tuple[dict[str, Any], str]:
    asked, start, end = asked_for(told, request.get("sortModel")), int(request["startRow"]), int(request["endRow"])
    listed = services.dealers.list(who, asked, start=start, end=min(end, start + parts.BLOCK), as_of=parts.as_of(day_))
    rows = [dealer_words.row(one) | {"key": one.code, "href": f"/dealer/{one.code}"} for one in listed.rows]
    said = t("{count} dealers, counted up to {day}", count=number(listed.total), day=day(listed.today))
    return {"rowData": rows, "rowCount": listed.total}, said
