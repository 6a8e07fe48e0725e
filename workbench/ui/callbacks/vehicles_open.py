"""One vehicle: opened when everything is there, and again as of another day."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State

from workbench.services.all import Services
from workbench.services.permissions import Person
from workbench.ui import guard
from workbench.ui.components import lens_parts, vehicle_parts

BODY, TICK, AS_OF, TOKEN = "vehicle-body", "vehicle-tick", "vehicle-as-of", "vehicle-token"


def body(services: Services, who: Person, token: str, day_: object) -> tuple[Any, bool]:
    """What there is to see, and whether it is all of it."""

    def shown() -> Any:
        return vehicle_parts.whole(services.vehicles.life(who, token, as_of=lens_parts.as_of(day_)))

    return lens_parts.gathered(shown, lambda: services.vehicles.waiting(who, lens_parts.as_of(day_)))


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(BODY, "children"), Output(TICK, "disabled"), Input(TICK, "n_intervals"), Input(AS_OF, "value"),
        State(TOKEN, "data"), prevent_initial_call=True,
    )  # fmt: skip
    def ready(_ticks: int, day_: str | None, token: str) -> Any:
        return body(services, guard.person(), token, day_)
