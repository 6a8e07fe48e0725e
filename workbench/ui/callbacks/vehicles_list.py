"""The list of vehicles: rows as one scrolls, signs with their counts, another day, and the file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, html, no_update

from workbench.services.all import Services
from workbench.services.lenses.vehicles import AskedCars
from workbench.services.permissions import Person
from workbench.ui import guard
from workbench.ui.aria import aria
from workbench.ui.clientside import clientside
from workbench.ui.components import lens_parts as parts
from workbench.ui.i18n import day, number, t
from workbench.ui.viewmodel import vehicle_words
from workbench.ui.viewmodel.vehicle_words import SIGNS

GRID, BODY, TICK, ASKED, SINK = "vehicles-grid", "vehicles-body", "vehicles-tick", "vehicles-asked", "vehicles-sink"
TEXT, SIGN, AS_OF, CSV = "vehicles-text", "vehicles-sign", "vehicles-as-of", "vehicles-csv"
SAVED, TOLD = "vehicles-saved", "vehicles-told"
EVERY = "every"


def body(services: Services, who: Person, day_: object) -> tuple[Any, bool]:
    """Signs and grid, or how far the gathering is; and whether that is all."""

    def shown() -> Any:
        counts = services.vehicles.list(who, AskedCars(), start=0, end=0, as_of=parts.as_of(day_)).counts
        return html.Div([_signs(counts), html.Div(_grid(), className="lens-body")], className="lens-fill")

    return parts.gathered(shown, lambda: services.vehicles.waiting(who, parts.as_of(day_)))


def _signs(counts: Mapping[str, int]) -> Any:
    chips = [dmc.Chip(t("Anything odd"), value="", size="xs")]
    chips += [
        dmc.Chip(f"{vehicle_words.sign(code)} {number(counts[code])}", value=code, size="xs", disabled=not counts[code])
        for code in SIGNS
    ]
    chips.append(dmc.Chip(t("All vehicles"), value=EVERY, size="xs"))
    return html.Div(
        dmc.ChipGroup(chips, id=SIGN, value="", multiple=False), className="lens-signs", role="group",
        **aria(label=t("What is odd about them")),
    )  # fmt: skip


def _grid() -> Any:
    right = {"headerClass": "ag-right-aligned-header", "cellClass": "ag-right-aligned-cell rr-num"}
    wide = {"minWidth": 330, "flex": 2}
    columns: list[dict[str, Any]] = [
        {"field": "name", "headerName": t("Vehicle"), "cellRenderer": "LensName", "width": 205, "sortable": False},
        {"field": "signs", "colId": "points", "headerName": t("What is odd"), "cellRenderer": "LensChips", **wide},
        {"field": "loans", "headerName": t("Loans"), "cellRenderer": "LensMark", "width": 78, **right},
        {"field": "transfers", "headerName": t("Transfers"), "width": 92, **right},
        {"field": "over", "headerName": t("Invoice to market"), "width": 96, **right},
        {"field": "amount", "headerName": t("Financed"), "width": 96, **right},
        {"field": "savable", "headerName": t("Not paid out"), "width": 96, **right},
        {"field": "in_rings", "headerName": t("In rings"), "width": 78, **right},
        {"field": "application", "headerName": t("Newest application"), "width": 140, "sortable": False},
        {"field": "last", "headerName": t("Last event"), "width": 110, **right},
    ]
    return parts.grid(GRID, columns, nothing=t("No vehicle is like that."))


def asked_for(told: Mapping[str, Any] | None, sort: Any = None) -> AskedCars:
    told = told or {}
    sign, by = str(told.get("sign") or ""), sort[0] if isinstance(sort, list) and sort else {}
    order, falling = str(by.get("colId", "points")), by.get("sort", "desc") != "asc"
    return AskedCars(str(told.get("text") or "")[:64], sign, sign == EVERY, order=order, falling=falling)


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"), Output(TICK, "disabled"), Input(TICK, "n_intervals"), Input(AS_OF, "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def ready(_ticks: int, day_: str | None) -> Any:
        return body(services, guard.person(), day_)

    @app.callback(
        Output(GRID, "getRowsResponse"), Output(TOLD, "children"), Input(GRID, "getRowsRequest"), State(ASKED, "data"),
        State(AS_OF, "value"), prevent_initial_call=True,
    )  # fmt: skip
    def rows(request: dict[str, Any] | None, told: dict[str, Any], day_: str | None) -> Any:
        if not request:
            return no_update, no_update
        return answer(services, guard.person(), request, told, day_)

    @app.callback(Output(ASKED, "data"), Input(TEXT, "value"), Input(SIGN, "value"), prevent_initial_call=True)
    def ask(text: str, sign: str | None) -> dict[str, Any]:
        return {"text": text, "sign": sign or "", "grid": GRID}

    clientside(app, "lens.again", Output(SINK, "data"), Input(ASKED, "data"), prevent_initial_call=True)

    @app.callback(
        Output(SAVED, "data"), Input(CSV, "n_clicks"), State(ASKED, "data"), State(AS_OF, "value"),
        prevent_initial_call=True,
    )  # fmt: skip
    def export(_clicks: int, told: dict[str, Any], day_: str | None) -> dict[str, Any]:
        text = services.vehicles.export(guard.person(), asked_for(told), as_of=parts.as_of(day_))
        return {"filename": "ringroad-vehicles.csv", "content": text, "type": "text/csv", "base64": False}


def answer(
    services: Services, who: Person, request: Mapping[str, Any], told: Mapping[str, Any], day_: str | None
) -> tuple[dict[str, Any], str]:
    asked, start, end = asked_for(told, request.get("sortModel")), int(request["startRow"]), int(request["endRow"])
    listed = services.vehicles.list(who, asked, start=start, end=min(end, start + parts.BLOCK), as_of=parts.as_of(day_))
    rows = [vehicle_words.row(one) | {"key": one.token, "href": f"/vehicle/{one.token}"} for one in listed.rows]
    said = t("{count} vehicles, as of {day}", count=number(listed.total), day=day(listed.today))
    return {"rowData": rows, "rowCount": listed.total}, said
