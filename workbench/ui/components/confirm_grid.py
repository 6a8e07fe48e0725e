"""Labels that wait for a second person, the oldest first; all labels; and whose were corrected unusually often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import html

from workbench.casebook.confirming import Flips
from workbench.casebook.labels import Said
from workbench.labelfile import rows as written
from workbench.services.feedback.feedback import Waiting
from workbench.services.permissions import Act, Person
from workbench.ui.aria import aria
from workbench.ui.components.grid_words import usual
from workbench.ui.components.queue_grid import THEME
from workbench.ui.i18n import number, share, t, when
from workbench.ui.viewmodel import case_words, verdict_words

WAITING, ALL = "labels-waiting", "labels-all"
CONFIRM, REJECT, MODAL, REASON, TROUBLE, DO = (
    f"labels-{each}" for each in ("confirm", "reject", "modal", "reason", "trouble", "do")
)

RIGHT = ["rr-num", "ag-right-aligned-cell"]

Row = dict[str, Any]


def waiting_rows(found: Sequence[Waiting], now: datetime) -> list[Row]:
    return [
        {
            "id": each.said.id,
            "key": str(each.said.id),
            "application": each.said.label.application_id,
            "ring": each.ring,
            "case": f"C{each.case}" if each.case else "",
            "caseHref": f"/case/{each.case}" if each.case else "",
            "what": f"{case_words.typology(each.said.label.typology)}",
            "evidence": verdict_words.of(verdict_words.LEVEL, each.said.label.evidence_level),
            "author": each.said.label.author + (f" ({t('you')})" if each.mine else ""),
            "mine": each.mine,
            "at": when(each.said.known_at),
            "days": (now - each.said.known_at).days,
            "note": each.said.label.note,
        }
        for each in found
    ]


def all_rows(said: Sequence[Said]) -> list[Row]:
    """The newest first."""
    told = written(said)
    return [
        {
            "id": each["id"],
            "key": str(each["id"]),
            "application": each["application_id"],
            "label": case_words.of(case_words.DISPOSITION, each["label"]),
            "what": case_words.typology(each["typology"]),
            "evidence": each["evidence_level"],
            "author": each["author"],
            "second": each["second_author"],
            "at": when(each["known_at"]),
            "state": verdict_words.of(verdict_words.STATE, each["state"]),
            "note": each["note"],
        }
        for each in reversed(told)
    ]


def waiting_grid(found: Sequence[Waiting], now: datetime) -> dag.AgGrid:
    columns = [
        _text("application", t("Application"), 150, cellRenderer="LabelApplication"),
        _text("ring", t("Ring"), 130, cellRenderer="LabelRing"),
        _text("case", t("Case"), 80, cellRenderer="LabelCase"),
        _text("what", t("Kind"), 190),
        _text("evidence", t("Evidence"), 180),
        _text("author", t("Proposed by"), 130),
        _text("at", t("When"), 145, cellClass="rr-num"),
        _text("days", t("Waits, days"), 100, type="rightAligned", cellClass=RIGHT),
        _text("note", t("Note"), 160, flex=1, minWidth=140),
    ]
    return _grid(
        WAITING, columns, waiting_rows(found, now), t("Nothing waits for a second person."),
        rowSelection={"mode": "multiRow", "checkboxes": True, "headerCheckbox": True, "enableClickSelection": True},
    )  # fmt: skip


def all_grid(said: Sequence[Said]) -> dag.AgGrid:
    columns = [
        _text("id", t("Label"), 80, type="rightAligned", cellClass=RIGHT),
        _text("application", t("Application"), 150, cellRenderer="LabelApplication"),
        _text("label", t("What was said"), 150),
        _text("what", t("Kind"), 190),
        _text("evidence", t("Evidence"), 90),
        _text("author", t("By whom"), 110),
        _text("second", t("Second person"), 120),
        _text("at", t("When"), 145, cellClass="rr-num"),
        _text("state", t("What holds"), 170),
        _text("note", t("Note"), 160, flex=1, minWidth=140),
    ]
    return _grid(ALL, columns, all_rows(said), t("Nobody labelled anything yet."))


def _text(name: str, title: str, width: int, **more: Any) -> dict[str, Any]:
    return {"field": name, "headerName": title, "width": width, "tooltipField": name, **more}


def _grid(name: str, columns: list[dict[str, Any]], rows: list[Row], empty: str, **options: Any) -> dag.AgGrid:
    return dag.AgGrid(
        id=name,
        columnDefs=columns,
        rowData=rows,
        getRowId="params.data.key",
        defaultColDef={"sortable": True, "resizable": True, "suppressHeaderMenuButton": True, "suppressMovable": True},
        dashGridOptions={
            "theme": THEME, "rowHeight": 34, "headerHeight": 34, "animateRows": False, "tooltipShowDelay": 500,
            **usual(empty=empty), **options,
        },
        style={"height": "100%", "width": "100%"},
    )  # fmt: skip


def bar(who: Person) -> html.Div:
    """What is to be done with the rows that are chosen."""
    may = who.may(Act.CONFIRM)
    return html.Div(
        className="labels-bar",
        children=[
            dmc.Button(t("Confirm"), id=CONFIRM, size="xs", disabled=True, style={} if may else {"display": "none"}),
            dmc.Button(t("Reject or take back…"), id=REJECT, size="xs", variant="default", disabled=True),
            html.Span(
                t("Nobody confirms a label of his own.") if may else t("A senior investigator or a manager confirms."),
                className="rr-soft rr-small",
            ),
        ],
    )


def dialog() -> dmc.Modal:
    return dmc.Modal(
        id=MODAL,
        title=t("Why is it not enough?"),
        centered=True,
        size=420,
        children=[
            dmc.Textarea(
                id=REASON, debounce=True, label=t("Reason"),
                description=t("Who proposed it reads this; no identifiers."),
                autosize=True, minRows=2, maxRows=6, **{"data-autofocus": True},
            ),
            html.Div(id=TROUBLE, className="mark-trouble", role="alert"),
            dmc.Button(t("Reject"), id=DO, fullWidth=True, mt=12, color="red.8"),
        ],
    )  # fmt: skip


def people(found: Sequence[Flips]) -> html.Div:
    """Rates with their counts, beside those of everybody else."""
    head = [t("Who"), t("Labels in a year"), t("Corrected by others"), t("Share"), t("Of all others"), ""]
    rows = [
        html.Tr(
            [
                html.Td(each.author),
                html.Td(number(each.told), className="rr-num"),
                html.Td(number(each.flipped), className="rr-num"),
                html.Td(share(each.rate, 1), className="rr-num"),
                html.Td(share(each.others_rate, 1), className="rr-num"),
                html.Td(dmc.Badge(t("unusually often"), color="red", variant="light") if each.unusual else ""),
            ]
        )
        for each in found
    ]
    if not rows:
        return html.Div(t("Nobody labelled anything yet."), className="rr-empty")
    table = html.Table(
        [html.Thead(html.Tr([html.Th(each) for each in head])), html.Tbody(rows)], className="labels-table"
    )
    return html.Div(
        [
            html.P(
                t(
                    "A label is corrected where somebody else said something different of the application later, or "
                    "rejected it. Many may be a sign of haste, or of labels told to spoil the models: look at them."
                ),
                className="rr-soft",
            ),
            table,
        ],
        **aria(label=t("Corrections")),
    )
