"""What the lists and pages of dealers and vehicles are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

import dash_ag_grid as dag
import dash_mantine_components as dmc
from dash import dcc, html

from graph.errors import InputError, RingroadError
from workbench.services.lenses.ledger import STEPS, Gathering
from workbench.ui import guard
from workbench.ui.aria import aria
from workbench.ui.components.grid_words import usual
from workbench.ui.components.queue_grid import theme
from workbench.ui.i18n import CHINA, errors, t
from workbench.ui.viewmodel import case_words
from workbench.ui.viewmodel.dealer_words import STEPS as STEP_WORDS

BLOCK = 100
TICK_MS = 600


def waiting(told: Gathering) -> html.Div:
    """Gathering takes seconds once, a minute for a million applications: it says how far it is."""
    what = case_words.of(STEP_WORDS, told.step)
    return html.Div(
        className="rr-empty lens-waiting",
        children=[
            html.H2(t("Gathering what there is to see")),
            html.P(t("Reading {what}. This happens once after a start; then everything is at hand.", what=what)),
            dmc.Progress(value=100 * (told.done + 1) / (len(STEPS) + 1), w=320, size="md", animated=True,
                         **aria(label=t("Progress"))),
        ],
        **aria(live="polite"),
    )  # fmt: skip


def gathered(show: Callable[[], Any], told: Callable[[], Gathering | None]) -> tuple[Any, bool]:
    """What there is to see, and whether to stop asking: `told` says how far the gathering is, None when it is done.

    What cannot be shown says why in its place, once.
    """
    try:
        far = told()
        return (show(), True) if far is None else (waiting(far), False)
    except RingroadError as error:
        guard.denied(error)
        why = errors.told(error.message)
        return html.Div(className="rr-empty", children=[html.H2(t("Nothing to see here")), html.P(why)]), True


def as_of(text: object) -> datetime | None:
    """A day of China stands for its end; None for now. Raises InputError."""
    if not text:
        return None
    try:
        at = datetime.combine(datetime.fromisoformat(str(text)).date(), time(), CHINA)
    except ValueError:
        raise InputError("this is no day; choose one from the calendar") from None
    return at + timedelta(days=1) - timedelta(milliseconds=1)


def day_picker(id_: str, value: str | None = None) -> dmc.DatePickerInput:
    label = t("As known on")
    return dmc.DatePickerInput(
        id=id_, value=value, size="xs", w=190, clearable=True, placeholder=t("As known now"), valueFormat="YYYY-MM-DD",
        clearButtonProps=aria(label=t("Back to now")), **aria(label=label),
    )  # fmt: skip


def grid(id_: str, columns: Sequence[Mapping[str, Any]], *, nothing: str, row_height: int = 46) -> dag.AgGrid:
    """Rows come from the server as one scrolls; it sorts and filters them, too."""
    return dag.AgGrid(
        id=id_,
        className="lens-grid",
        columnDefs=[dict(each) for each in columns],
        defaultColDef={
            "sortable": True, "resizable": True, "suppressHeaderMenuButton": True, "wrapHeaderText": True,
            "sortingOrder": ["desc", "asc", None],
        },
        rowModelType="infinite",
        getRowId="params.data.key",
        dashGridOptions={
            "theme": theme(12), "rowHeight": row_height, "headerHeight": 42, "cacheBlockSize": BLOCK,
            "maxBlocksInCache": 30, "infiniteInitialRowCount": 1, "maxConcurrentDatasourceRequests": 1,
            "ensureDomOrder": True, "tooltipShowDelay": 300,
            **usual(empty=nothing),
        },
        style={"height": "100%", "width": "100%"},
    )  # fmt: skip


def tile(name: str, value: str, below: str = "", *, tone: str = "", said: str = "") -> html.Div:
    return html.Div(
        className=f"rr-panel lens-tile {tone}",
        title=said,
        children=[
            html.Div(name, className="lens-name"),
            html.Div(value, className="lens-value rr-num"),
            html.Div(below, className="lens-below"),
        ],
    )


def card(title: str, *inside: Any, more: str = "", note: str = "") -> html.Section:
    head = [html.H2(title, className="rr-h"), *([html.Span(note, className="rr-soft rr-small")] if note else [])]
    return html.Section(
        className=f"rr-panel lens-card {more}", children=[html.Div(head, className="lens-head"), *inside],
        **aria(label=title),
    )  # fmt: skip


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], *, nothing: str, numbers: Sequence[int] = ()) -> Any:
    """`numbers` are the columns that stand at the right."""
    if not rows:
        return html.Div(nothing, className="lens-nothing")

    def of(at: int) -> str:
        return "lens-number rr-num" if at in numbers else ""

    return html.Div(
        className="lens-scroll",
        tabIndex=0,
        role="group",
        children=html.Table(
            className="lens-table",
            children=[
                html.Thead(html.Tr([html.Th(each, scope="col", className=of(at)) for at, each in enumerate(head)])),
                html.Tbody([html.Tr([html.Td(each, className=of(at)) for at, each in enumerate(row)]) for row in rows]),
            ],
        ),
        **aria(label=", ".join(filter(None, head[:3]))),
    )


def ring_link(ring_id: str) -> Any:
    return dcc.Link(ring_id, href=f"/ring/{ring_id}", className="rr-num") if ring_id else ""


def application_link(number: str) -> Any:
    return dcc.Link(number, href=f"/application/{number}", className="rr-num") if number else ""


def dealer_link(code: str) -> Any:
    return dcc.Link(code, href=f"/dealer/{code}", className="rr-num") if code else ""


def vehicle_link(token: str, masked: str) -> Any:
    return dcc.Link(masked, href=f"/vehicle/{token}", className="rr-num") if token else masked


def back(href: str, text: str) -> Any:
    return dcc.Link(f"‹ {text}", href=href, className="lens-back")


def badge(text: str, tone: str = "grave") -> html.Span:
    """`tone`: grave or odd."""
    return html.Span(text, className=f"lens-chip lens-{tone}")
