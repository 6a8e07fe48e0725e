"""The life of a ring in words, in the language of who looks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from workbench.services.canvas.difference import Difference, Standing
from workbench.services.lenses.passport import Relative, Stop
from workbench.services.lenses.passport_events import Happening
from workbench.ui.i18n import money, number, t, when
from workbench.ui.viewmodel import case_words
from workbench.ui.viewmodel.case_words import DISPOSITION, KIND, LENDER, OUTCOME, STATUS

TONES: Mapping[str, str] = {
    "birth": "run", "revival": "run", "join": "run", "leave": "run", "split": "run", "merge": "run", "took_in": "run",
    "death": "run", "update": "person", "label": "person", "outcome": "label", "decided": "decision",
    "funded": "money", "submitted": "quiet", "case": "person",
}  # fmt: skip
"""What colour a happening has."""

SAID: case_words.Words = {
    "provisional": lambda: t("provisional"),
    "final": lambda: t("final"),
    "review": lambda: t("from a review"),
    "fpd": lambda: t("from a first payment missed"),
    "collection": lambda: t("from collection"),
    "police": lambda: t("from the police"),
    "court": lambda: t("from a court"),
    "partner": lambda: t("from a partner"),
    "customer_complaint": lambda: t("from a complaint"),
}
"""How sure a label is, and where an outcome comes from."""

CAUSE = re.compile(r"(?P<what>[a-z ]+?) (?P<number>\d+)")
"""Of a ring found anew, as `rescoring` writes it: label 12."""


def title(one: Happening) -> str:
    return _TITLES[one.kind](one)


def detail(one: Happening) -> str:
    """ "" where the title says it all."""
    says = _DETAILS.get(one.kind)
    return "" if says is None else says(one)


def _label(one: Happening) -> str:
    if one.count > 1:
        return t("{count} applications labelled", count=number(one.count))
    return case_words.of(DISPOSITION, one.words[0]) if one.words else t("Labelled")


def _outcome(one: Happening) -> str:
    if one.count > 1:
        return t("{count} outcomes of the lender", count=number(one.count))
    return t("Outcome of the lender: {outcome}", outcome=case_words.of(DISPOSITION, one.words[0] if one.words else ""))


def _decided(one: Happening) -> str:
    if one.count > 1:
        return t("{count} applications decided", count=number(one.count))
    return t("Decided: {decision}", decision=case_words.of(LENDER, one.words[0] if one.words else ""))


def _case(one: Happening) -> str:
    return f"{one.words[0]} · {case_words.of(KIND, one.words[1])}"


_TITLES: Mapping[str, Callable[[Happening], str]] = {
    "birth": lambda one: t("Found for the first time, {count} applications", count=number(one.count)),
    "revival": lambda one: t("Found again, {count} applications", count=number(one.count)),
    "join": lambda one: t("{count} joined", count=number(one.count)),
    "leave": lambda one: t("{count} left", count=number(one.count)),
    "split": lambda one: t("{count} parted and form {ring}", count=number(one.count), ring=one.other),
    "merge": lambda one: t("Became part of {ring}", ring=one.other),
    "took_in": lambda one: t("Took in {ring}, {count} applications", ring=one.other, count=number(one.count)),
    "death": lambda _: t("No ring any more"),
    "update": lambda _: t("Found anew"),
    "label": _label,
    "outcome": _outcome,
    "submitted": lambda one: t("{count} submitted", count=number(one.count)),
    "decided": _decided,
    "funded": lambda one: t("{count} paid out", count=number(one.count)),
    "case": _case,
}


def _counted(one: Happening, words: case_words.Words) -> str:
    return ", ".join(f"{case_words.of(words, code)} {number(count)}" for code, count in one.counts)


def _labelled(one: Happening) -> str:
    if one.count > 1:
        return " · ".join(filter(None, (_counted(one, DISPOSITION), one.author)))
    return " · ".join(filter(None, (one.applications[0], *map(_said, one.words[1:]), one.author)))


def _said(word: str) -> str:
    return case_words.typology(word) if re.fullmatch(r"[TB]\d\d", word) else case_words.of(SAID, word)


def _update(one: Happening) -> str:
    counts = dict(one.counts)
    moved = [
        t("{count} joined", count=number(counts["joined"])) if counts.get("joined") else "",
        t("{count} left", count=number(counts["left"])) if counts.get("left") else "",
    ]
    return " · ".join(filter(None, (*moved, cause(one.words[0]), one.author)))


def cause(text: str) -> str:
    """Why a ring was found anew."""
    found = CAUSE.fullmatch(text)
    kinds = {
        "label": lambda at: t("label {number}", number=at),
        "override": lambda at: t("override {number}", number=at),
        "innocent link": lambda at: t("innocent link {number}", number=at),
    }
    says = kinds.get(found["what"]) if found else None
    return text if says is None or found is None else says(found["number"])


def _single(one: Happening) -> str:
    return one.applications[0] if one.count == 1 else ""


def _case_detail(one: Happening) -> str:
    told = (case_words.of(OUTCOME, word) if word in OUTCOME else case_words.of(STATUS, word) for word in one.words[2:])
    return " · ".join(filter(None, (*told, one.author)))


_DETAILS: Mapping[str, Callable[[Happening], str]] = {
    "label": _labelled,
    "outcome": lambda one: _labelled(one) if one.count == 1 else _counted(one, DISPOSITION),
    "update": _update,
    "decided": lambda one: _single(one) or _counted(one, LENDER),
    "funded": _single,
    "submitted": _single,
    "case": _case_detail,
}


# Stops ---------------------------------------------------------------------------------------------------


def stop(one: Stop) -> str:
    """What makes a time worth looking at."""
    return ", ".join(_STOPS[kind]() for kind in one.kinds if kind in _STOPS)


_STOPS: Mapping[str, Callable[[], str]] = {
    "run": lambda: t("run of rings"),
    "decided": lambda: t("decision"),
    "funded": lambda: t("payout"),
    "label": lambda: t("label"),
    "outcome": lambda: t("outcome"),
    "update": lambda: t("found anew"),
    "submitted": lambda: t("submitted"),
}


def at(moment: datetime, why: str) -> str:
    return f"{when(moment)} · {why}" if why else when(moment)


# Family --------------------------------------------------------------------------------------------------


def relative(one: Relative) -> str:
    return _FAMILY[one.how](one)


_FAMILY: Mapping[str, Callable[[Relative], str]] = {
    "birth": lambda one: t("most of its first applications came from it ({count})", count=number(one.applications)),
    "revival": lambda one: t("came back with {count} of its applications", count=number(one.applications)),
    "split": lambda one: t("parted from this one with {count}", count=number(one.applications)),
    "took_in": lambda one: t("became part of this one with {count}", count=number(one.applications)),
    "merge": lambda one: t("this one became part of it with {count}", count=number(one.applications)),
}


def status(code: str) -> str:
    return {"alive": t("goes on"), "dead": t("ended"), "merged": t("part of another")}.get(code, code)


# Difference ----------------------------------------------------------------------------------------------


def summary(told: Difference) -> Sequence[str]:
    """What became of it, a clause a line."""
    if told.nothing:
        return [t("Nothing has changed since.")]
    lines = []
    if not told.was_there:
        lines.append(t("It was no ring then; {count} of its applications were known.", count=number(told.then.size)))
    if told.joined:
        lines.append(t("{count} applications joined.", count=number(len(told.joined))))
    if told.left:
        lines.append(t("{count} applications left.", count=number(len(told.left))))
    if told.ties:
        lines.append(t("{count} links are new.", count=number(len(told.ties))))
    if told.gone:
        lines.append(t("{count} things stand no longer on the graph.", count=number(len(told.gone))))
    return lines


def moved(told: Difference) -> Sequence[tuple[str, str, str]]:
    """(what, then, now) of what is counted."""
    names: Sequence[tuple[str, Callable[[Standing], float | None], Callable[[float], str]]] = (
        (t("Applications"), lambda one: float(one.size), number),
        (t("At stake"), lambda one: one.exposure, money),
        (t("Still savable"), lambda one: one.savable, money),
        (t("Score"), lambda one: one.score, lambda value: f"{value:.2f}"),
        (t("Links"), lambda one: float(one.links), number),
    )
    rows = []
    for name, read, show in names:
        then, now = read(told.then), read(told.now)
        if then is not None or now is not None:
            rows.append((name, "–" if then is None else show(then), "–" if now is None else show(now)))
    return rows
