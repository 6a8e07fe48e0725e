"""The form shows only what goes with what was found: an innocent one has no level of evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State

from gnn.dispositions import POSITIVE
from workbench.services.all import Services
from workbench.ui.i18n import t
from workbench.ui.viewmodel import verdict_words

KEY, LABEL, TYPOLOGY, EVIDENCE = "decide-key", "decide-label", "decide-typology", "decide-evidence"
SOURCE, NOTE, MATURITY = "decide-source", "decide-note", "decide-provisional"
HINT, SUBMIT, CHOSEN = "decide-hint", "decide-submit", "decide-chosen"

SHOWN: dict[str, str] = {}
HIDDEN = {"display": "none"}


def register(app: Dash, _services: Services) -> None:
    fill(app, "", Input(CHOSEN, "value"), len)


def fill(
    app: Dash, prefix: str, whom: Input, counted: Callable[[Any], int], button: Callable[[int], str] | None = None
) -> None:
    """For the form whose ids begin so; `counted` says how many `whom` means, `button` what is pressed for them."""

    @app.callback(
        *(Output(f"{prefix}{name}-box", "style") for name in (TYPOLOGY, EVIDENCE, SOURCE, NOTE)),
        Output(prefix + TYPOLOGY, "data"),
        Output(prefix + TYPOLOGY, "value"),
        Output(prefix + EVIDENCE, "value"),
        Input(prefix + LABEL, "value"),
        State(prefix + TYPOLOGY, "value"),
        State(prefix + EVIDENCE, "value"),
    )
    def fits(label: str | None, typology: str | None, level: str | None) -> tuple[Any, ...]:
        return fields(label or "", typology, level)

    @app.callback(
        Output(prefix + HINT, "children"),
        Output(prefix + SUBMIT, "children"),
        Output(prefix + SUBMIT, "disabled"),
        Input(prefix + LABEL, "value"),
        Input(prefix + TYPOLOGY, "value"),
        Input(prefix + EVIDENCE, "value"),
        Input(prefix + MATURITY, "checked"),
        whom,
    )
    def says(label: Any, typology: Any, level: Any, provisional: Any, meant: Any) -> tuple[str, str, bool]:
        count = counted(meant) if meant else 0
        said, does, off = sentence(label or "", typology or "", level or "", provisional=bool(provisional), count=count)
        return said, button(count) if button is not None and count else does, off


def fields(label: str, typology: str | None, level: str | None) -> tuple[Any, ...]:
    kinds = verdict_words.typologies(label)
    kept = typology if any(each["value"] == typology for each in kinds) else None
    leveled = verdict_words.takes_level(label)
    boxes = (bool(kinds), leveled, bool(label), bool(label))
    return (*(SHOWN if each else HIDDEN for each in boxes), kinds, kept, level if leveled else None)


def sentence(label: str, typology: str, level: str, *, provisional: bool, count: int) -> tuple[str, str, bool]:
    """What becomes of it, what the button says, and whether it cannot be pressed."""
    said = verdict_words.hint(label, level, provisional=provisional)
    lacks = label == POSITIVE and not (typology and level)
    if not count:
        return t("Choose whom it is about."), t("Label"), True
    button = t("Label 1 application") if count == 1 else t("Label {count} applications", count=count)
    return said, button, lacks or not label
