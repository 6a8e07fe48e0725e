"""Files of a case: taken as they are, one request each, and given back as downloads that no browser opens here."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from flask import Flask, Response, jsonify, request

from graph.errors import InputError, RingroadError
from workbench.casebook.attached import LARGEST, MIB, MOST, Attached
from workbench.services.all import Services
from workbench.services.cases.casefile import File
from workbench.services.cases.filetypes import SUFFIXES
from workbench.ui import guard
from workbench.ui.aria import aria
from workbench.ui.callbacks.case_common import done, modal
from workbench.ui.i18n import errors, number, t, when

DROP, PATH = "case-drop", guard.ATTACHMENTS
REMOVE = {"t": "case-remove", "file": ALL}
MODAL, ASKED, WHY, SAY, TROUBLE = "case-gone-modal", "case-gone-asked", "case-gone-why", "case-gone-say", "case-gone-no"
POLICY = "sandbox; default-src 'none'"


def drop(case: int) -> Any:
    """`assets/case.js` sends what is dropped or chosen; it needs the words for what it sees itself."""
    limits = t(
        "{types}; {one} MB each, {all} MB a case", types=", ".join(SUFFIXES), one=LARGEST // MIB, all=MOST // MIB
    )
    said: dict[str, Any] = {
        "data-case": str(case), "data-most": str(LARGEST), "data-accept": ",".join(f".{each}" for each in SUFFIXES),
        "data-large": t("{name} is larger than {most} MB", name="{}", most=LARGEST // MIB),
        "data-failed": t("{name} could not be sent; try again", name="{}"),
        "data-sending": t("Sending {name}…", name="{}"),
    }  # fmt: skip
    return html.Button(
        [html.Span(t("Attach files"), className="cs-drop-h"), html.Span(t("or drop them here")), html.Small(limits)],
        id=DROP, className="cs-drop", **said,
    )  # fmt: skip


def listed(file: File) -> list[Any]:
    if not file.files:
        return [html.P(t("No files yet."), className="rr-soft")]
    return [html.Ul([_one(each, file) for each in file.files], className="cs-files")]


def _one(one: Attached, file: File) -> Any:
    by = f"{file.people.get(one.author, one.author)} · {when(one.at)} · {_size(one.size)}"
    return html.Li(
        [
            html.Div([_name(one, file), html.Span(by, className="cs-by"), html.Div(className="rr-grow"),
                      *_end(one, file)], className="cs-row"),
            html.Code(f"SHA-256 {one.sha256}", className="cs-hash"),
        ]
    )  # fmt: skip


def _name(one: Attached, file: File) -> Any:
    """Who works on the case may have it; a removed one nobody."""
    if one.removed_at is not None:
        return html.Span(one.name, className="cs-gone")
    return html.A(one.name, href=f"{PATH}{one.id}", download=one.name) if file.may_work else html.Span(one.name)


def _end(one: Attached, file: File) -> list[Any]:
    if one.removed_at is not None:
        gone = t("removed by {name}, {time}", name=file.people.get(one.removed_by or "", ""), time=when(one.removed_at))
        return [html.Span(gone, className="cs-by")]
    if not file.may_work or file.case.closed:
        return []
    said = aria(label=t("Remove {name}", name=one.name))
    return [html.Button(t("Remove"), id={"t": "case-remove", "file": one.id}, className="cs-quiet", **said)]


def _size(size: int) -> str:
    return f"{number(size / MIB, 1)} MB" if size >= MIB / 10 else f"{number(max(size / 1024, 0.1), 1)} kB"


def dialog() -> Any:
    return modal(
        MODAL, t("Remove a file"),
        dcc.Store(id=ASKED),
        html.P(t("Its content goes for good. Its name and SHA-256 stay, so that it can be proved what it was."),
               className="rr-soft"),
        dmc.Textarea(debounce=True, id=WHY, label=t("Reason"), autosize=True, minRows=2, **{"data-autofocus": True}),
        html.Div(id=TROUBLE, className="cs-trouble", role="alert"),
        dmc.Button(t("Remove"), id=SAY, color="red", fullWidth=True, mt=12),
    )  # fmt: skip


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(MODAL, "opened"),
        Output(ASKED, "data"),
        Output(WHY, "value"),
        Output(TROUBLE, "children"),
        Input(REMOVE, "n_clicks"),
        prevent_initial_call=True,
    )
    def ask(_clicks: list[int | None]) -> tuple[Any, ...]:
        if not ctx.triggered or not ctx.triggered[0]["value"]:
            return (no_update,) * 4
        return True, ctx.triggered_id["file"], "", ""

    @app.callback(
        Output(MODAL, "opened", allow_duplicate=True),
        Output(TROUBLE, "children", allow_duplicate=True),
        Input(SAY, "n_clicks"),
        State(ASKED, "data"),
        State(WHY, "value"),
        prevent_initial_call=True,
    )
    def remove(clicks: int | None, file: int | None, why: str | None) -> tuple[Any, Any]:
        if not clicks or not isinstance(file, int):
            return no_update, no_update
        try:
            services.attachments.remove(guard.person(), file, why or "")
        except RingroadError as error:
            guard.denied(error)
            return no_update, errors.told(error.message)
        done(t("Removed"))
        return False, ""

    routes(app.server, services)


def routes(server: Flask, services: Services) -> None:
    """`guard.py` has asked who it is, and for what changes something whether a page of ours sent it."""

    def give(file: int) -> Response:
        one, content = services.attachments.download(guard.person(), file)
        response = Response(content, mimetype=one.media_type)
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(one.name, safe='')}"
        return response

    def take(case: int) -> Response:
        try:
            name = unquote(request.headers.get("X-File-Name", ""), errors="strict")
            one = services.attachments.attach(guard.person(), case, name, request.get_data())
        except (RingroadError, UnicodeDecodeError) as error:
            kept = error if isinstance(error, RingroadError) else InputError("the file's name is no text; rename it")
            guard.denied(kept)
            response = jsonify(said=errors.told(kept.message))
            response.status_code = kept.status
            return response
        return jsonify(said=t("Attached {name}", name=one.name))

    def sandboxed(response: Response) -> Response:
        """Whatever a browser makes of a file, it runs nothing and asks nobody."""
        if request.path.startswith(PATH):
            response.headers["Content-Security-Policy"] = POLICY
        return response

    server.add_url_rule(f"{PATH}<int:file>", "attachment", give)
    server.add_url_rule(f"{PATH}of/<int:case>", "attach", take, methods=["POST"])
    server.after_request_funcs.setdefault(None, []).insert(0, sandboxed)  # runs last: the policy of pages is for pages
