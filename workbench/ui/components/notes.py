"""Notes of a case: a composer that knows its colleagues, and what was written, the newest first."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, html, no_update

from workbench.casebook.casefile import NOTE, Entry
from workbench.casebook.notes import MENTION
from workbench.services.all import Services
from workbench.services.cases.casefile import File
from workbench.ui import guard, ids
from workbench.ui.aria import aria
from workbench.ui.callbacks.case_common import done, number_of
from workbench.ui.i18n import t, when

TEXT, SAVE, NAMES = "case-note-text", "case-note-save", "case-note-names"


def composer(colleagues: Sequence[tuple[str, str]], *, may: bool) -> Any:
    """`assets/case.js` offers names after an @, and saves with Ctrl+Enter."""
    if not may:
        return html.P(t("Who works on the case writes here, and who is named in a note."), className="rr-soft")
    return html.Div(
        className="cs-composer",
        children=[
            dmc.Textarea(
                id=TEXT, autosize=True, minRows=2, maxRows=10, debounce=True,
                placeholder=t("What did you find? @ names a colleague, Ctrl+Enter saves"),
                **aria(label=t("New note")),
            ),
            html.Ul(id=NAMES, className="cs-names", role="listbox", hidden=True, **aria(label=t("Colleagues")),
                    **_known(colleagues)),
            html.Div(
                [
                    html.Span(t("No names, numbers or plates of customers: the case knows whose they are."),
                              className="cs-by"),
                    html.Div(className="rr-grow"),
                    dmc.Button(t("Save note"), id=SAVE, size="xs"),
                ],
                className="cs-row",
            ),
        ],
    )  # fmt: skip


def _known(colleagues: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {"data-people": json.dumps(list(colleagues), ensure_ascii=False)}


def listed(file: File, *, most: int = 0) -> list[Any]:
    notes = [each for each in reversed(file.entries) if each.kind == NOTE]
    if not notes:
        return [html.P(t("No notes yet."), className="rr-soft")]
    return [_note(each, file) for each in (notes[:most] if most else notes)]


def _note(one: Entry, file: File) -> Any:
    return html.Article(
        [
            html.Div(
                [
                    html.Span(file.people.get(one.author, one.author), className="cs-who"),
                    html.Time(when(one.at), dateTime=one.at.isoformat(), className="cs-by"),
                ]
            ),
            html.P(said(one.text, frozenset(one.content.get("mentions", ())) | {one.author}), className="cs-text"),
        ],
        className="cs-note",
        id=f"note-{one.id}",
    )


def said(text: str, people: frozenset[str]) -> list[Any]:
    """Text as it was written; names stand out. Addresses stay text: nothing here leads out of the house."""
    parts: list[Any] = []
    at = 0
    for found in MENTION.finditer(text):
        name = found[1].lower().rstrip("._-")
        if name in people or found[1].lower() in people:
            parts += [text[at : found.start()], html.Span(found[0], className="cs-mention")]
            at = found.end()
    return [*parts, text[at:]]


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(TEXT, "value"),
        Input(SAVE, "n_clicks"),
        State(TEXT, "value"),
        State(ids.CASE, "data"),
        running=[(Output(SAVE, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def save(clicks: int | None, text: str | None, case: dict[str, Any] | None) -> Any:
        if not clicks or ctx.triggered_id != SAVE:
            return no_update
        who = guard.person()
        told = services.casefiles.note(who, number_of(case), text or "")
        shown = dict(services.casefiles.colleagues(who))
        names = ", ".join(shown.get(each, each) for each in told)
        done(t("Saved; {names} will see it", names=names) if names else t("Saved"))
        return ""
