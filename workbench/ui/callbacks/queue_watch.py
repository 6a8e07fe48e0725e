"""While somebody looks at the queue, others work and scores come in: a word says so, and one press shows it."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, no_update

from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside
from workbench.ui.components.queue_bar import NEWER, STAMP
from workbench.ui.i18n import number, t

TICK = "queue-tick"
TICK_MS = 5_000


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(NEWER, "children"),
        Output(NEWER, "hidden"),
        Input(TICK, "n_intervals"),
        Input(STAMP, "data"),
        prevent_initial_call=True,
    )
    def look(_ticks: Any, stamp: int | None) -> tuple[Any, Any]:
        return (no_update, no_update) if stamp is None else told(services, guard.person(), stamp)

    clientside(
        app, "queue.newer", Output(ids.QUEUE_CHANGED, "data", allow_duplicate=True), Input(NEWER, "n_clicks"),
        prevent_initial_call=True,
    )  # fmt: skip


def told(services: Services, who: Person, stamp: int) -> tuple[str, bool]:
    """What the word says, and whether it is hidden."""
    _, moved = services.queue.changes(who, stamp)
    said = t("1 case has moved · show") if moved == 1 else t("{count} cases have moved · show", count=number(moved))
    return said, not moved
