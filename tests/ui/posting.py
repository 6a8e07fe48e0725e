"""Callbacks posted by hand: what the browser would send, or who wants to do what no button offers him."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dash import Dash
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from workbench.services.all import Services

PATH = "/_dash-update-component"
OURS = {"Sec-Fetch-Site": "same-origin"}
PRESSED = {"n_clicks": 1, "n_submit": 1, "n_intervals": 1}

Known = Mapping[str, Any]
"""What a browser could hold, by "id.property". Of many alike by "t.property" a list: the rest of each one's id, and its
value."""


def callbacks(app: Dash) -> dict[str, dict[str, Any]]:
    """Those that the server answers."""
    return {output: spec for output, spec in app.callback_map.items() if "callback" in spec}


def signed_in(client: FlaskClient, services: Services, name: str) -> dict[str, str]:
    """The headers that our own pages send."""
    made = services.people.open_session(name)
    client.set_cookie("ringroad", made.token)
    return OURS | {"X-CSRF-Token": made.csrf}


def post(
    client: FlaskClient, output: str, spec: Mapping[str, Any], known: Known, headers: Mapping[str, str]
) -> TestResponse:
    return client.post(PATH, json=body(output, spec, known), headers=dict(headers))


def body(output: str, spec: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """As if the first input had changed. Raises KeyError where nobody said what a component could hold."""
    inputs, state = ([_held(each, known) for each in spec[name]] for name in ("inputs", "state"))
    return {
        "output": output, "outputs": _outputs(output), "inputs": inputs, "state": state,
        "changedPropIds": list(_named(inputs[0])),
    }  # fmt: skip


def _held(one: Mapping[str, str], known: Known) -> Any:
    of, name = one["id"], one["property"]
    if not of.startswith("{"):
        key = f"{of}.{name}"
        return {"id": of, "property": name, "value": known[key] if key in known else PRESSED[name]}
    kind = json.loads(of)["t"]
    return [{"id": {"t": kind} | rest, "property": name, "value": value} for rest, value in known[f"{kind}.{name}"]]


def _named(told: Any) -> Iterator[str]:
    for each in told if isinstance(told, list) else [told]:
        of = each["id"]
        name = of if isinstance(of, str) else json.dumps(of, sort_keys=True, separators=(",", ":"))
        yield f"{name}.{each['property']}"


def _outputs(output: str) -> Any:
    if not output.startswith(".."):
        of, dot, name = output.rpartition(".")
        return {"id": of, "property": name} if dot else []
    told = (each.rpartition(".") for each in output.strip(".").split("..."))
    return [{"id": of, "property": name} for of, _, name in told]
