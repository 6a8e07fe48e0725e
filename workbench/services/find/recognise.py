"""What a text that somebody typed could name: every thing of the graph whose key it may be, each told exactly.

Pure but for the vault's tokens. A text that is an identifier beyond doubt (a phone, an ID number, a VIN …) is told as
its kind, and by its mask; the text itself goes no further than the token.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graph.normalise import KINDS, fold
from graph.ontology import NODES
from graph.records import NodeRef
from graph.vault import REF, Vault

SURE = {
    "id_number": re.compile(r".{15,}"),
    "phone": re.compile(r".{7,}"),
    "vin": re.compile(r".{17,}"),
    "uscc": re.compile(r".{18,}"),
    "plate": re.compile(r".{7,}"),
    "card": re.compile(r".{13,}"),
    "ip": re.compile(r".{7,}"),
    "bssid": re.compile(r"[^:-]{2}([:-][^:-]{2}){5}"),
}
"""Kinds that a text is or is not, in the order in which they are tried, and how much of one there must be: 1042 may be
a service number, but also a case."""

ALMOST = {"id_number": re.compile(r"[0-9]{17}[0-9X]"), "vin": re.compile(r"(?=.*[0-9])[0-9A-Z]{17}"),
          "phone": re.compile(r"1[0-9]{10}")}  # fmt: skip
"""What looks like one, and is told what is wrong with it where it is none."""

OWN_NUMBERS = {"applicant": "Person", "employer": "Employer", "address": "Address"}
"""The lender's own numbers for things whose key is something else, and the types they stand for."""

LONGEST = 120
RING = re.compile(r"R[0-9A-F]{0,10}", re.IGNORECASE)
CASE = re.compile(r"[C#]?([0-9]{1,9})", re.IGNORECASE)
MASK_END = re.compile(r"[^*]{4}")
CODE = re.compile(r"[!-~]*[0-9][!-~]*")
"""Letters and digits without a blank: no company is called so, and looking through all names takes longest."""


@dataclass(frozen=True)
class Asked:
    """A text in one spelling. `kind` is "" where it is no identifier for sure; `masked` is all of it that may be told.

    `fault` says what is wrong with what looks like an identifier (a code of `graph.normalise.REASONS`). `ring` and
    `case` are set where it could name one; `name` holds the spellings in which a company may be written.
    """

    text: str
    kind: str
    masked: str
    fault: str = ""
    ring: str = ""
    case: int | None = None
    name: tuple[str, ...] = ()


def asked(raw: str) -> Asked:
    """Digits of any script, blanks and lower case are as good as what is printed."""
    text = fold(raw[: 4 * LONGEST])[:LONGEST]
    for kind, enough in SURE.items():
        value = KINDS[kind].normalise(text) if enough.fullmatch(text) else None
        if value is not None:
            return Asked(text, kind, KINDS[kind].mask(value), case=_case(text), name=_names(text, kind))
    ring = text.upper() if RING.fullmatch(text) else ""
    return Asked(text, "", "", fault=_fault(text), ring=ring, case=_case(text), name=_names(text, ""))


def refs(one: Asked, vault: Vault) -> list[NodeRef]:
    """Whatever the text could be the key of, most of which will not exist. Each identifier becomes a token."""
    found = [NodeRef(name, one.text) for name, node in NODES.items() if node.kind is None]
    found += [NodeRef(ref.type, ref.key.upper()) for ref in found if ref.key != ref.key.upper()]
    for name, node in NODES.items():
        value = KINDS[node.kind].normalise(one.text) if node.kind else None
        if node.kind is not None and value is not None:
            found.append(NodeRef(name, vault.token(node.kind, value)))
    if (code := KINDS["uscc"].normalise(one.text)) is not None:
        found.append(NodeRef("Employer", f"uscc:{code}"))
    return list(dict.fromkeys([*found, *_own_numbers(one.text, vault)]))


def plate_mask(one: Asked) -> str:
    """All that the graph keeps of a plate; "" for what is none."""
    return one.masked if one.kind == "plate" else ""


def ending(one: Asked) -> Sequence[str]:
    """Spellings in which a mask could end with the text. Ends that hide something would find half the graph."""
    if one.kind or not MASK_END.fullmatch(one.text[-4:]):
        return ()
    return tuple(dict.fromkeys((one.text, one.text.upper())))


def _own_numbers(text: str, vault: Vault) -> Iterator[NodeRef]:
    number = KINDS["opaque"].normalise(text)
    if number is None:
        return
    asked_for = [(kind, vault.token(REF + kind, number)) for kind in OWN_NUMBERS]
    for (kind, _), key in vault.meanings(asked_for).items():
        yield NodeRef(OWN_NUMBERS[kind], key)


def _fault(text: str) -> str:
    shown = text.replace(" ", "").replace("-", "").upper()
    for kind, shape in ALMOST.items():
        if shape.fullmatch(shown):
            return KINDS[kind].read(text).reason or ""
    return ""


def _case(text: str) -> int | None:
    found = CASE.fullmatch(text)
    return int(found[1]) if found else None


def _names(text: str, kind: str) -> tuple[str, ...]:
    """As it was typed, and as the loader writes employers. One letter would find them all."""
    if kind == "uscc":
        return (KINDS[kind].normalise(text) or "",)
    if kind or len(text) < 2 or CODE.fullmatch(text) or not any(map(str.isalpha, text)):
        return ()
    written = KINDS["employer_name"].normalise(text)
    return tuple(dict.fromkeys([text, *([written] if written else [])]))
