"""One dealer: opened when everything is there, and again as of another day."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State

from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui import guard
from workbench.ui.components import dealer_parts, lens_parts

BODY, TICK, AS_OF, CODE = "dealer-body", "dealer-tick", "dealer-as-of", "dealer-code"


def body(services: Services, who: Person, code: str, day_: object) -> tuple[Any, bool]:
    """What there is to see, and whether it is all of it."""

    def shown() -> Any:
        return dealer_parts.whole(services.dealers.page(who, code, as_of=lens_parts.as_of(day_)))

    return lens_parts.gathered(shown, lambda: services.dealers.waiting(who, lens_parts.as_of(day_)))


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"), Output(TICK, "disabled"), Input(TICK, "n_intervals"), Input(AS_OF, "value"),
        State(CODE, "data"), prevent_initial_call=True,
    )  # fmt: skip
    def ready(_ticks: int, day_: str | None, code: str) -> Any:
        return body(services, guard.person(), code, day_)
