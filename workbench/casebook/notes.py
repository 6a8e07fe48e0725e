"""What a note may hold: plain text with its line breaks, colleagues by @name, and nobody's identifier."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from graph.errors import InputError
from graph.normalise import KINDS, fold
from workbench.casebook.words import remark

LONGEST = 4_000

MENTION = re.compile(r"(?<![\w@.-])@([a-z0-9][a-z0-9._-]*)", re.IGNORECASE | re.ASCII)
SHAPES = {
    "vin": (re.compile(r"(?<![0-9A-Z])(?=[A-Z]*[0-9])[A-HJ-NPR-Z0-9]{17}(?![0-9A-Z])"), "a VIN"),
    "plate": (re.compile(r"[一-鿿][ ·.-]?[A-Z][ ·.-]?[0-9A-Z]{4,6}[挂学警港澳领]?"), "a number plate"),
    "phone": (re.compile(r"(?<![0-9])1[3-9][0-9][^\w\n]{0,3}[0-9]{4}[^\w\n]{0,3}[0-9]{4}(?![0-9])"), "a phone number"),
}
"""Where one of a kind may stand in running text; its normaliser has the last word."""


def noted(text: str, *, names: Iterable[str] = ()) -> str:
    """As it is kept. `names` are the lender's own numbers (applications, dealers): long, and nobody's identifiers.

    Raises InputError, which never repeats the text.
    """
    lines = [line.replace("\t", " ").rstrip() for line in text.splitlines()]
    kept = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    if not kept:
        raise InputError("the note is empty; write something")
    if len(kept) > LONGEST:
        raise InputError(f"the note has {len(kept)} characters; {LONGEST} at most")
    bare = MENTION.sub(" ", kept)
    for name in sorted({each for each in names if each}, key=len, reverse=True):
        bare = re.sub(rf"(?<![\w]){re.escape(name)}(?![\w])", " ", bare)
    remark("the note", bare, LONGEST)
    refuse_identifiers("the note", bare)
    return kept


def refuse_identifiers(name: str, text: str) -> None:
    """Raises InputError for what reads as a VIN, a plate or a phone; other long numbers and mails: `words.py`."""
    folded = fold(text).upper()
    for kind, (shape, said) in SHAPES.items():
        for found in shape.findall(folded):
            if KINDS[kind].normalise(re.sub(r"[^\w]", "", found)) is not None:
                raise InputError(f"{name} holds {said}; say it without, the case knows whose")


def mentioned(text: str, users: Collection[str]) -> tuple[str, ...]:
    """Who is named with @, once each, in order. Raises InputError for a name that is nobody's."""
    found: dict[str, None] = {}
    for said in MENTION.findall(text):
        name = said.lower()
        while name not in users and name[-1:] in "._-":  # the end of a sentence
            name = name[:-1]
        if name not in users:
            raise InputError(f"nobody here is called @{said[:40]}; choose a name from the list, or leave the @ away")
        found[name] = None
    return tuple(found)
