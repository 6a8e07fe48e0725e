"""Callbacks that run in the browser: functions of `assets/*.js`, never text in Python."""

from __future__ import annotations

from typing import Any

from dash import ClientsideFunction, Dash


def clientside(app: Dash, function: str, *dependencies: Any, **options: Any) -> None:
    """`clientside(app, "canvas.merge", Output(…), Input(…))` calls `dash_clientside.canvas.merge`."""
    namespace, name = function.split(".")
    call: Any = app.clientside_callback
    call(ClientsideFunction(namespace, name), *dependencies, **options)
