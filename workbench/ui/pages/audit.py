"""What everybody did, for auditors: whether it is as it was written, a look at it, and copies to take away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, time, timedelta
from re import compile as pattern
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html, no_update

from graph.errors import InputError, RingroadError
from workbench.casebook.audit import Anchor, Asked
from workbench.instance import written
from workbench.services.access.audit import csv_text, jsonl_text
from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui import guard
from workbench.ui.clientside import clientside
from workbench.ui.components.grid_words import usual
from workbench.ui.components.queue_grid import theme
from workbench.ui.i18n import CHINA, errors, t
from workbench.ui.icons import PAGES as GLYPHS
from workbench.ui.pages.page import Page
from workbench.ui.toasts import tell
from workbench.ui.viewmodel.audit import AGAINST, VERIFY, row, status

GRID, ASKED, STATUS, SINK = "audit-grid", "audit-asked", "audit-status", "audit-sink"
ACTOR, ACTION, SUBJECT, SINCE, UNTIL = "audit-actor", "audit-action", "audit-subject", "audit-since", "audit-until"
ANCHOR, CSV, JSONL, SAVED = "audit-anchor", "audit-csv", "audit-jsonl", "audit-saved"
PASTING, ANCHORED, CHECK, TROUBLE = "audit-pasting", "audit-anchored", "audit-check", "audit-trouble"
CHOOSE = "audit-choose"  # `assets/audit.js` reads the file: what it holds is pasted
BLOCK = 100


def layout(services: Services, who: Person, _match: Mapping[str, str]) -> Any:
    return html.Div(
        className="rr-inside au",
        children=[
            html.Div([html.H1(t("Audit log")), html.Div(className="rr-grow"), *_exports()], className="rr-title"),
            html.Div(id=STATUS, children=status(services.audit.last_verified(who))),
            _filters(),
            _grid(),
            dcc.Store(id=ASKED, data={}),
            dcc.Store(id=SINK),
            dcc.Download(id=SAVED),
            _anchored(),
        ],
    )  # fmt: skip


def _exports() -> list[Any]:
    return [
        dmc.Button(t("Take an anchor"), id=ANCHOR, size="xs", variant="default"),
        dmc.Button(t("Export as CSV"), id=CSV, size="xs", variant="default"),
        dmc.Button(t("Export as JSONL"), id=JSONL, size="xs", variant="default"),
    ]


def _anchored() -> dmc.Modal:
    return dmc.Modal(
        id=PASTING,
        title=t("Verify against an anchor"),
        centered=True,
        children=html.Div(
            className="us-form",
            children=[
                dmc.Textarea(
                    id=ANCHORED,
                    debounce=True,
                    label=t("What the anchor's file holds"),
                    placeholder='{"id": 1042, "hash": "…", "at": "…"}',
                    autosize=True,
                    minRows=4,
                    **{"data-autofocus": True},
                ),
                dmc.Button(t("Choose its file…"), id=CHOOSE, size="xs", variant="default", className="au-file"),
                html.Div(id=TROUBLE, className="us-trouble", role="alert"),
                dmc.Button(t("Verify"), id=CHECK, fullWidth=True),
            ],
        ),
    )


def _filters() -> html.Div:
    def field(id_: str, label: str, width: int) -> dmc.TextInput:
        return dmc.TextInput(id=id_, label=label, size="xs", w=width, debounce=400)

    return html.Div(
        className="au-bar",
        children=[
            field(ACTOR, t("By whom"), 150),
            field(ACTION, t("Did what"), 170),
            field(SUBJECT, t("On what"), 230),
            dmc.DatePickerInput(id=SINCE, label=t("From day"), size="xs", w=150, clearable=True),
            dmc.DatePickerInput(id=UNTIL, label=t("To day"), size="xs", w=150, clearable=True),
        ],
    )


def _grid() -> dag.AgGrid:
    columns = [
        {"field": "id", "headerName": t("Entry"), "width": 90, "type": "rightAligned"},
        {"field": "at", "headerName": t("When"), "width": 175, "cellClass": "rr-num"},
        {"field": "actor", "headerName": t("By whom"), "width": 120},
        {"field": "role", "headerName": t("In the role"), "width": 140},
        {"field": "action", "headerName": t("Did what"), "width": 165},
        {"field": "subject", "headerName": t("On what"), "width": 160, "tooltipField": "subject"},
        {"field": "reason", "headerName": t("Reason"), "flex": 2, "minWidth": 120, "tooltipField": "reason"},
        {"field": "detail", "headerName": t("Details"), "flex": 3, "minWidth": 120, "tooltipField": "detail"},
        {"field": "hash", "headerName": t("Hash"), "width": 135, "cellClass": "rr-num"},
    ]
    return dag.AgGrid(
        id=GRID,
        className="au-grid",
        columnDefs=columns,
        defaultColDef={"sortable": False, "resizable": True, "suppressHeaderMenuButton": True},
        rowModelType="infinite",
        dashGridOptions={
            "theme": theme(), "rowHeight": 32, "headerHeight": 34, "cacheBlockSize": BLOCK, "maxBlocksInCache": 20,
            "infiniteInitialRowCount": 1, "enableCellTextSelection": True, "ensureDomOrder": True,
            **usual(empty=t("Nothing like that is on record.")),
        },
        style={"height": "auto", "width": "100%"},
    )  # fmt: skip


def asked_for(told: Mapping[str, Any] | None) -> Asked:
    """Days are those of China, the last one included."""
    told = told or {}
    since, until = _day(told.get("since")), _day(told.get("until"))
    actor, action, subject = (str(told.get(name) or "").strip()[:64] for name in ("actor", "action", "subject"))
    return Asked(actor, action, subject, since, until + timedelta(days=1) if until else None)


def _day(text: Any) -> datetime | None:
    try:
        return datetime.combine(datetime.fromisoformat(str(text)).date(), time(), CHINA) if text else None
    except ValueError:
        raise InputError("this is no day; choose one from the calendar") from None


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(GRID, "getRowsResponse"), Input(GRID, "getRowsRequest"), State(ASKED, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    def rows(request: dict[str, Any] | None, told: dict[str, Any]) -> Any:
        if not request:
            return no_update
        start = int(request["startRow"])
        page = services.audit.read(guard.person(), asked_for(told), start=start, limit=int(request["endRow"]) - start)
        return {"rowData": [row(each) for each in page.entries], "rowCount": page.number}

    @app.callback(
        Output(ASKED, "data"), Input(ACTOR, "value"), Input(ACTION, "value"), Input(SUBJECT, "value"),
        Input(SINCE, "value"), Input(UNTIL, "value"), prevent_initial_call=True,
    )  # fmt: skip
    def ask(actor: str, action: str, subject: str, since: str, until: str) -> dict[str, Any]:
        return {"actor": actor, "action": action, "subject": subject, "since": since, "until": until}

    clientside(app, "audit.again", Output(SINK, "data"), Input(ASKED, "data"), prevent_initial_call=True)

    @app.callback(
        Output(STATUS, "children"), Input(VERIFY, "n_clicks"),
        running=[(Output(VERIFY, "loading"), True, False)], prevent_initial_call=True,
    )  # fmt: skip
    def verify(clicks: int | None) -> Any:
        if not clicks:
            return no_update
        who = guard.person()
        services.audit.verify(who)
        return status(services.audit.last_verified(who))

    @app.callback(
        Output(PASTING, "opened"), Output(ANCHORED, "value"), Output(TROUBLE, "children"),
        Input(AGAINST, "n_clicks"), prevent_initial_call=True,
    )  # fmt: skip
    def ask_for_it(clicks: int | None) -> Any:
        return (True, "", "") if clicks else (no_update,) * 3

    @app.callback(
        Output(PASTING, "opened", allow_duplicate=True), Output(STATUS, "children", allow_duplicate=True),
        Output(TROUBLE, "children", allow_duplicate=True), Input(CHECK, "n_clicks"), State(ANCHORED, "value"),
        running=[(Output(CHECK, "loading"), True, False)], prevent_initial_call=True,
    )  # fmt: skip
    def against(_clicks: int | None, pasted: str | None) -> Any:
        who = guard.person()
        try:
            services.audit.verify(who, Anchor.parse(pasted or ""))
        except RingroadError as error:
            guard.denied(error)
            return no_update, no_update, errors.told(error.message)
        return False, status(services.audit.last_verified(who)), ""

    _register_exports(app, services)


def _register_exports(app: Dash, services: Services) -> None:
    @app.callback(Output(SAVED, "data"), Input(ANCHOR, "n_clicks"), prevent_initial_call=True)
    def anchor(_clicks: int) -> dict[str, Any]:
        head = services.audit.anchor(guard.person())
        tell(t("Keep it where nobody who writes the log can change it."))
        return _file(f"ringroad-anchor-{head.id}.json", json.dumps(written(asdict(head))) + "\n")

    def exported(kind: str, told: dict[str, Any]) -> dict[str, Any]:
        entries = services.audit.export(guard.person(), asked_for(told))
        text = csv_text(entries) if kind == "csv" else jsonl_text(entries)
        return _file(f"ringroad-audit.{kind}", text)

    @app.callback(
        Output(SAVED, "data", allow_duplicate=True), Input(CSV, "n_clicks"), State(ASKED, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    def as_csv(_clicks: int, told: dict[str, Any]) -> dict[str, Any]:
        return exported("csv", told)

    @app.callback(
        Output(SAVED, "data", allow_duplicate=True), Input(JSONL, "n_clicks"), State(ASKED, "data"),
        prevent_initial_call=True,
    )  # fmt: skip
    def as_jsonl(_clicks: int, told: dict[str, Any]) -> dict[str, Any]:
        return exported("jsonl", told)


def _file(name: str, text: str) -> dict[str, Any]:
    return {"filename": name, "content": text, "type": "text/plain", "base64": False}


PAGE = Page(pattern("/audit"), "Audit log", Act.AUDIT, layout, register, rail=GLYPHS["audit"], href="/audit")
