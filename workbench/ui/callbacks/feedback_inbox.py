"""The second person: confirms, rejects with a reason, sees all labels, takes them away as a file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from dash import Dash, Input, Output, State, no_update

from graph.errors import InputError, RingroadError
from workbench import labelfile
from workbench.services.all import Services
from workbench.services.feedback.feedback import Done
from workbench.services.feedback.rescoring import Changed
from workbench.services.permissions import Act, Person
from workbench.ui import guard, ids
from workbench.ui.components import confirm_grid as grid
from workbench.ui.i18n import errors, t
from workbench.ui.toasts import tell
from workbench.ui.viewmodel import moved

COUNT, EXPORT, FORM, FILE = "rail-labels-count", "labels-export", "labels-form", "labels-file"


def register(app: Dash, services: Services) -> None:
    @app.callback(Output(COUNT, "children"), Input(ids.URL, "pathname"))
    def count(_path: Any) -> str:
        return counted(services)

    @app.callback(
        Output(COUNT, "children", allow_duplicate=True), Input(grid.WAITING, "rowData"), prevent_initial_call=True
    )
    def recount(_rows: Any) -> str:
        return counted(services)

    _second(app, services)
    _taken_away(app, services)


def counted(services: Services) -> str:
    """Beside the page's name; nothing where nothing waits for this person."""
    waiting = services.feedback.count_waiting(guard.person())
    return str(waiting) if waiting else ""


def _second(app: Dash, services: Services) -> None:
    @app.callback(
        Output(grid.CONFIRM, "disabled"),
        Output(grid.REJECT, "disabled"),
        Input(grid.WAITING, "selectedRows"),
    )
    def chosen(rows: list[dict[str, Any]] | None) -> tuple[bool, bool]:
        return may_press(guard.person(), rows or [])

    @app.callback(
        Output(grid.WAITING, "rowData"),
        Output(grid.WAITING, "selectedRows"),
        Input(grid.CONFIRM, "n_clicks"),
        State(grid.WAITING, "selectedRows"),
        running=[(Output(grid.CONFIRM, "loading"), True, False)],
        prevent_initial_call=True,
    )
    def confirm(clicks: int | None, rows: Any) -> tuple[Any, Any]:
        if not clicks or not rows:
            return no_update, no_update
        tell(confirmed(services, guard.person(), numbers(rows)))
        return left(services), []

    @app.callback(
        Output(grid.MODAL, "opened"),
        Output(grid.REASON, "value"),
        Output(grid.TROUBLE, "children"),
        Input(grid.REJECT, "n_clicks"),
        prevent_initial_call=True,
    )
    def ask(clicks: int | None) -> tuple[Any, Any, Any]:
        return (True, "", "") if clicks else (no_update, no_update, no_update)

    @app.callback(
        Output(grid.WAITING, "rowData", allow_duplicate=True),
        Output(grid.WAITING, "selectedRows", allow_duplicate=True),
        Output(grid.MODAL, "opened", allow_duplicate=True),
        Output(grid.TROUBLE, "children", allow_duplicate=True),
        Input(grid.DO, "n_clicks"),
        State(grid.WAITING, "selectedRows"),
        State(grid.REASON, "value"),
        running=[(Output(grid.DO, "loading"), True, False)],
        prevent_initial_call=True,
    )
    def reject(clicks: int | None, rows: Any, reason: str | None) -> tuple[Any, Any, Any, Any]:
        if not clicks or not rows:
            return no_update, no_update, no_update, no_update
        try:
            tell(rejected(services, guard.person(), numbers(rows), reason or ""))
        except RingroadError as error:
            guard.denied(error)
            return no_update, no_update, True, errors.told(error.message)
        return left(services), [], False, ""


def _taken_away(app: Dash, services: Services) -> None:
    @app.callback(
        Output(FILE, "data"),
        Input(EXPORT, "n_clicks"),
        State(FORM, "value"),
        running=[(Output(EXPORT, "loading"), True, False)],
        prevent_initial_call=True,
    )
    def export(clicks: int | None, form: str | None) -> Any:
        if not clicks:
            return no_update
        kind = form if form in labelfile.FORMATS else labelfile.CSV
        content = services.feedback.export(guard.person(), kind)
        return {"filename": f"labels.{kind}", "content": base64.b64encode(content).decode(), "base64": True}


def may_press(who: Person, rows: Sequence[dict[str, Any]]) -> tuple[bool, bool]:
    """Whether confirming and rejecting are out of the question for these rows."""
    senior = who.may(Act.CONFIRM)
    others = [each for each in rows if not each.get("mine")]
    return not (senior and rows and len(others) == len(rows)), not (rows and (senior or not others))


def numbers(rows: Any) -> list[int]:
    """A browser can send anything."""
    told = [each.get("id") for each in rows if isinstance(each, dict)]
    found = [each for each in told if isinstance(each, int)]
    if not found or len(found) < len(told):
        raise InputError("choose labels of the list")
    return found


def left(services: Services) -> list[dict[str, Any]]:
    who = guard.person()
    return grid.waiting_rows(services.feedback.waiting(who), services.office.clock())


def confirmed(services: Services, who: Person, labels: Sequence[int]) -> str:
    """The same person confirms the same label once, however often he presses."""
    done = [services.feedback.confirm(who, each, request_key=f"confirm/{each}/{who.name}") for each in labels]
    said = t("1 label confirmed.") if len(done) == 1 else t("{count} labels confirmed.", count=len(done))
    return " ".join([said, *_moved(done)])


def rejected(services: Services, who: Person, labels: Sequence[int], reason: str) -> str:
    done = [services.feedback.reject(who, each, reason, request_key=f"reject/{each}/{who.name}") for each in labels]
    said = t("1 label rejected.") if len(done) == 1 else t("{count} labels rejected.", count=len(done))
    return " ".join([said, *_moved(done)])


def _moved(done: Sequence[Done]) -> list[str]:
    """Of several one after the other, from before the first to after the last."""
    rings: dict[str, Changed] = {}
    for each in (change for one in done for change in one.changes.changes):
        before = rings[each.ring_id].before if each.ring_id in rings else each.before
        rings[each.ring_id] = Changed(each.ring_id, before, each.after, each.joined, each.left, each.into)
    last = done[-1].changes
    return moved.sentences(last if last.note else type(last)(last.cause, tuple(rings.values())))
