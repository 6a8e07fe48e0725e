"""Saving, opening, renaming and deleting views of a graph: one request from the browser, and the list anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dash import Dash, Input, Output, no_update

from graph.errors import InputError
from workbench.services.all import Services
from workbench.services.cases.saved import checked_view
from workbench.services.permissions import Person
from workbench.services.subject import Subject
from workbench.ui import guard, ids
from workbench.ui.clientside import clientside

REQUEST, ANSWER, SINK = "views-req", "views-answer", "views-sink"
STORES = (REQUEST, ANSWER, SINK)
LIST = "views-list"

Asked = Mapping[str, Any]


def register(app: Dash, services: Services, *, listed: Callable[..., list[Any]]) -> None:
    """`listed` draws the list."""

    @app.callback(
        Output(LIST, "children"),
        Output(ANSWER, "data"),
        Input(REQUEST, "data"),
        Input(ids.SUBJECT, "data"),
        prevent_initial_call=True,
    )
    def acted(asked: Any, subject: Any) -> Any:
        if not subject:
            return no_update, no_update
        who, about = guard.person(), Subject(str(subject.get("kind")), str(subject.get("name")))
        fresh = bool(asked) and asked.get("subject") == subject
        done = answer(services, who, about, asked) if fresh else no_update
        return listed(who, services.saved.views(who, about)), done

    clientside(app, "views.answered", Output(SINK, "data"), Input(ANSWER, "data"), prevent_initial_call=True)


def answer(services: Services, who: Person, about: Subject, asked: Asked) -> dict[str, Any]:
    act = ACTS.get(str(asked.get("act")))
    if act is None:
        raise InputError("the canvas asks for something that there is not; reload the page")
    return {"act": asked["act"], "ts": asked.get("ts")} | act(services, who, about, asked)


def _save(services: Services, who: Person, about: Subject, asked: Asked) -> dict[str, Any]:
    content = checked_view(asked.get("content") or {})
    name = str(asked.get("name") or "")
    services.saved.add_view(who, about, name, content, shared=asked.get("shared") is True)
    return {"name": " ".join(name.split())}


def _open(services: Services, who: Person, _about: Subject, asked: Asked) -> dict[str, Any]:
    found = services.saved.get(who, _number(asked))
    return {"name": found.name, "content": dict(found.content)}


def _rename(services: Services, who: Person, _about: Subject, asked: Asked) -> dict[str, Any]:
    return {"name": services.saved.rename(who, _number(asked), str(asked.get("name") or "")).name}


def _remove(services: Services, who: Person, _about: Subject, asked: Asked) -> dict[str, Any]:
    services.saved.remove(who, _number(asked))
    return {}


def _forget(services: Services, who: Person, about: Subject, _asked: Asked) -> dict[str, Any]:
    services.last_views.forget(who, about)
    return {}


def _number(asked: Asked) -> int:
    try:
        return int(str(asked.get("number")))
    except ValueError:
        raise InputError("there is nothing saved under this number; the list has what there is") from None


ACTS: Mapping[str, Callable[[Services, Person, Subject, Asked], dict[str, Any]]] = {
    "save": _save,
    "open": _open,
    "rename": _rename,
    "remove": _remove,
    "forget": _forget,
}
