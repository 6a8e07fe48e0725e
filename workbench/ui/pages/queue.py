"""All cases, the most urgent first: filter, choose, take the next one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl

from dash import Dash, dcc, html

from graph.errors import InputError
from workbench.casebook.queue_query import Query
from workbench.services.all import Services
from workbench.services.permissions import Act, Person
from workbench.ui import ids
from workbench.ui.callbacks import queue_act, queue_filter, queue_rows, queue_saved, queue_watch
from workbench.ui.components import bulk_label, queue_bar, queue_dialogs, queue_filters, queue_grid
from workbench.ui.icons import PAGES as GLYPHS
from workbench.ui.pages.page import Page

BULK_EXTRA: tuple[ModuleType, ...] = (bulk_label,)
"""Modules with `bulk(services, who)`, components that act on `ids.QUEUE_CHOSEN`, and `register(app, services)`."""


def layout(services: Services, who: Person, match: Mapping[str, str]) -> Any:
    services.queue.visit(who)
    asked, colleagues = asked_for(match.get("query", "")), services.people.colleagues(who)
    extra = [each for one in BULK_EXTRA for each in one.bulk(services, who)]
    return html.Div(
        className="q-page",
        children=[
            dcc.Store(id=ids.QUEUE_ASKED, data=asked.as_json()),
            dcc.Store(id="queue-ordered", data={"order": asked.order, "backwards": asked.backwards}),
            *(dcc.Store(id=each) for each in STORES),
            queue_grid.words(),
            queue_bar.top(asked, services.queue.summary(who), who),
            queue_filters.filters(asked, colleagues, who),
            queue_bar.line(asked, who, colleagues, extra),
            html.Div(
                className="q-grid",
                children=[
                    queue_grid.grid(asked, works=who.may(Act.WORK)),
                    html.Div(id=queue_rows.EMPTY, className="q-empty", hidden=True),
                ],
            ),
            html.Div(id="q-said", className="q-said", role="status"),
            dcc.Store(id=queue_bar.STAMP),
            dcc.Interval(id=queue_watch.TICK, interval=queue_watch.TICK_MS),
            *queue_dialogs.dialogs(works=who.may(Act.WORK)),
        ],
    )


STORES = (
    ids.QUEUE_CHOSEN, ids.QUEUE_CHANGED, "queue-act", "queue-take", "queue-apply", "queue-every", "queue-snoozing",
    "queue-sink", "queue-mounted", "queue-number", "queue-saved-at",
)  # fmt: skip


def asked_for(query: str) -> Query:
    """From an address; one that says what the queue does not know asks for everything."""
    told: dict[str, Any] = {}
    for name, value in parse_qsl(query.removeprefix("?")[:2_000]):
        plain = getattr(Query(), name, None)
        told[name] = (
            value.split(",") if isinstance(plain, tuple) else value == "true" if isinstance(plain, bool)
            else _number(value) if isinstance(plain, float) else value
        )  # fmt: skip
    try:
        return Query.of_json(told)
    except InputError:
        return Query()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def register(app: Dash, services: Services) -> None:
    parts: Sequence[ModuleType] = (
        queue_rows, queue_filter, queue_act, queue_saved, queue_watch, queue_grid, *BULK_EXTRA,
    )  # fmt: skip
    for each in parts:
        each.register(app, services)


PAGE = Page(
    path=re.compile(r"/queue"), title="Queue", act=Act.READ, layout=layout, register=register, rail=GLYPHS["queue"],
    href="/queue",
)  # fmt: skip
