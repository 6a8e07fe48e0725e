"""What can be said of an application, in the language of who says it, and which of it goes together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gnn.dispositions import BENIGN, DISPOSITIONS, POSITIVE, SUSPECTED
from workbench.casebook.confirming import standing
from workbench.casebook.labels import LEVELS, ON_PAPERS, SOURCES, Said
from workbench.labelfile import IN_FORCE, PROVISIONAL, SUPERSEDED, WAITING, state
from workbench.services.cases.typologies import FRAUD, INNOCENT
from workbench.ui.i18n import t, when
from workbench.ui.viewmodel import case_words

Words = Mapping[str, Callable[[], str]]

LEVEL: Words = {
    "E1": lambda: t("E1 police or court"),
    "E2": lambda: t("E2 admission or papers"),
    "E3": lambda: t("E3 strong circumstances"),
}
SOURCE: Words = {
    "review": lambda: t("own investigation"),
    "fpd": lambda: t("first payment default"),
    "collection": lambda: t("collection"),
    "police": lambda: t("police"),
    "court": lambda: t("court"),
    "partner": lambda: t("partner"),
    "customer_complaint": lambda: t("complaint of a customer"),
}
STATE: Words = {
    IN_FORCE: lambda: t("in force"),
    WAITING: lambda: t("waits for a second person"),
    PROVISIONAL: lambda: t("provisional"),
    SUPERSEDED: lambda: t("superseded"),
}
TONES = {POSITIVE: "red", SUSPECTED: "orange", BENIGN: "teal"}

Options = list[dict[str, str]]


def of(words: Words, code: str) -> str:
    return words[code]() if code in words else code


def dispositions() -> Options:
    return [{"value": each, "label": case_words.of(case_words.DISPOSITION, each)} for each in DISPOSITIONS]


def typologies(label: str) -> Options:
    """Those that go with a disposition; none with most."""
    codes = FRAUD if label in (POSITIVE, SUSPECTED) else INNOCENT if label == BENIGN else {}
    return [{"value": code, "label": case_words.typology(code)} for code in codes]


def levels() -> Options:
    return [{"value": each, "label": of(LEVEL, each)} for each in LEVELS]


def sources() -> Options:
    return [{"value": each, "label": of(SOURCE, each)} for each in SOURCES]


def takes_level(label: str) -> bool:
    return label in (POSITIVE, SUSPECTED)


def hint(label: str, level: str, *, provisional: bool) -> str:
    """What becomes of it."""
    if not label:
        return t("Choose what you found.")
    if provisional:
        return t("For people only: no model learns from it, and no ring changes.")
    if label == POSITIVE:
        return _of_fraud(level)
    if label == BENIGN:
        return t("It counts at once: the application leaves its ring.")
    return t("It counts at once.")


def _of_fraud(level: str) -> str:
    if level in ON_PAPERS:
        return t("It counts as suspected until a second person confirms it.")
    if level:
        return t("It counts at once; models give circumstances half the weight of papers.")
    return t("Fraud needs a kind and a level of evidence.")


def badge(said: Sequence[Said]) -> tuple[str, str]:
    """(text, colour) of what holds of an application; nothing where nobody said anything."""
    held = standing(said)
    if held is None:
        return "", "gray"
    label = held.label
    text = case_words.of(case_words.DISPOSITION, label.label)
    text += f" {label.typology}" if label.typology else ""
    short = {WAITING: t("waits"), PROVISIONAL: t("provisional")}.get(state(held, superseded=False))
    return " · ".join(filter(None, (text, short))), TONES.get(label.label, "gray")


def history(said: Sequence[Said]) -> list[str]:
    """The newest first."""
    return [_told(each, superseded=bool(_newer(said, each))) for each in reversed(said)]


def _newer(said: Sequence[Said], one: Said) -> Any:
    return next((each for each in said if each.label.supersedes == one.id), None)


def _told(each: Said, *, superseded: bool) -> str:
    label = each.label
    what = [case_words.of(case_words.DISPOSITION, label.label), label.typology, label.evidence_level]
    who = t("{author} and {second}", author=label.author, second=label.second_author) if label.second_author else None
    holds = f" ({of(STATE, SUPERSEDED)})" if superseded else ""
    note = f": {label.note}" if label.note else ""
    return f"{when(each.known_at)} {who or label.author} · {' '.join(filter(None, what))}{holds}{note}"
