"""Tells a label, says what moved, and clears the form; the same press twice tells it once."""

from __future__ import annotations

import time
import uuid
from typing import Any

from dash import Dash, Input, Output, State, no_update, set_props

from graph.errors import InputError
from workbench.casebook.labels import FINAL, PROVISIONAL
from workbench.services.all import Services
from workbench.services.feedback.feedback import Done
from workbench.services.feedback.labelling import Verdict
from workbench.services.subject import Subject
from workbench.ui import guard, ids
from workbench.ui.callbacks import feedback_form as form
from workbench.ui.i18n import t
from workbench.ui.toasts import tell
from workbench.ui.viewmodel import moved


def register(app: Dash, services: Services) -> None:
    @app.callback(
        Output(form.KEY, "data"),
        Output(form.LABEL, "value"),
        Output(form.NOTE, "value"),
        Output(form.CHOSEN, "value"),
        Input(form.SUBMIT, "n_clicks"),
        State(form.KEY, "data"),
        State(form.CHOSEN, "value"),
        State(form.LABEL, "value"),
        State(form.TYPOLOGY, "value"),
        State(form.EVIDENCE, "value"),
        State(form.SOURCE, "value"),
        State(form.MATURITY, "checked"),
        State(form.NOTE, "value"),
        State(ids.SUBJECT, "data"),
        running=[(Output(form.SUBMIT, "loading"), True, False)],
        prevent_initial_call=True,
    )
    def label(clicks: int | None, key: str, whom: Any, *said: Any) -> tuple[Any, ...]:
        if not clicks:
            return (no_update,) * 4
        *told, subject = said
        about = Subject(subject["kind"], subject["name"])
        done = services.feedback.propose(guard.person(), names(whom), verdict(*told), request_key=key, about=about)
        after(done)
        return new_key(), None, "", [] if about.kind == "ring" else no_update


def verdict(  # noqa: PLR0917 - as the form has them
    label: str | None, typology: str | None, level: str | None, source: str | None, provisional: Any, note: str | None
) -> Verdict:
    return Verdict(
        label or "", typology or "", level or "", PROVISIONAL if provisional else FINAL, source or "review", note or ""
    )


def names(whom: Any) -> list[str]:
    """A browser can send anything."""
    if not isinstance(whom, list) or not all(isinstance(each, str) for each in whom):
        raise InputError("choose whom the label is about")
    return whom


def after(done: Done) -> None:
    """What moved, and everybody on the page looks again."""
    tell(sentence(done))
    changed(f"label {done.ids[0]}")


def sentence(done: Done) -> str:
    """What was told, and what became of the rings."""
    told = t("Told before; nothing changed.") if done.again else _told(done)
    return " ".join([told, *moved.sentences(done.changes)])


def changed(cause: str) -> None:
    set_props(ids.CHANGED, {"data": {"cause": cause, "ts": time.time_ns() // 1_000_000}})


def _told(done: Done) -> str:
    count = len(done.ids)
    said = t("1 label told.") if count == 1 else t("{count} labels told.", count=count)
    return f"{said} {t('A second person has to confirm.')}" if done.waiting else said


def new_key() -> str:
    """One for each thing said."""
    return uuid.uuid4().hex
