"""Documents of people: resident ID, residence permits, foreign permanent residence, passports.

Sources: GB 11643-1999 (number), ISO 7064 MOD 11-2 (check character), and the
National Immigration Administration's note on the 2023 permanent-residence card.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from operator import mul
from typing import Final, NamedTuple

from graph.normalise.account import read_token
from graph.normalise.place import MAINLAND, PROVINCES, RESIDENCE_PERMITS
from graph.normalise.reading import Reading, refused
from graph.normalise.text import ascii_upper, at_border, compact, mask_ends

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_OFFSET: Final = ord("0") * sum(_WEIGHTS)
_FIRST_BIRTH_YEAR, _LAST_BIRTH_YEAR = 1880, 2099

_SECOND_GENERATION: Final = re.compile(r"[0-9]{17}[0-9X]")
_FIRST_GENERATION: Final = re.compile(r"[0-9]{15}")
_FOREIGN_OLD: Final = re.compile(r"[A-Z]{3}[0-9]{12}")
_PASSPORT: Final = re.compile(r"(?=[A-Z]*[0-9])[0-9A-Z]{5,15}")


class IdFacts(NamedTuple):
    """`region` is a GB/T 2260 code; of a foreigner's card only the issuing province is known."""

    region: str
    birth_date: date
    female: bool


def id_check(first17: str) -> str:
    """The 18th character of 17 ASCII digits: one wrong digit, or two swapped neighbours, never pass."""
    return "10X98765432"[(sum(map(mul, _WEIGHTS, first17.encode())) - _OFFSET) % 11]


def id_facts(canonical: str) -> IdFacts | None:
    """What an 18-character number says; None for passports and old cards, which say too little."""
    if not _SECOND_GENERATION.fullmatch(canonical):
        return None
    born = _calendar_date(canonical[6:14])
    if born is None:
        return None
    region = f"{canonical[1:3]}0000" if canonical[0] == "9" else canonical[:6]
    return IdFacts(region, born, female=int(canonical[16]) % 2 == 0)


def _calendar_date(yyyymmdd: str) -> date | None:
    year = int(yyyymmdd[:4])
    if not _FIRST_BIRTH_YEAR <= year <= _LAST_BIRTH_YEAR:
        return None
    try:
        return date(year, int(yyyymmdd[4:6]), int(yyyymmdd[6:]))
    except ValueError:
        return None


def _is_region(number: str) -> bool:
    """A foreign resident's card is 9, the issuing mainland province, the nationality (ISO 3166 numeric)."""
    if number[0] == "9":
        return number[1:3] in MAINLAND and "004" <= number[3:6] <= "894"
    return number[:2] in PROVINCES


def _fault(number: str) -> str | None:
    if not _is_region(number):
        return "id_region"
    if _calendar_date(number[6:14]) is None:
        return "id_birth_date"
    if id_check(number[:17]) != number[17]:
        return "excel_rounded" if number.endswith("000") else "id_check"
    return None


def _read_id(text: str) -> Reading:
    """County codes are not looked up: retired ones stay on valid cards for a lifetime."""
    number = ascii_upper(compact(text))
    warning = None
    if _FIRST_GENERATION.fullmatch(number):
        number = f"{number[:6]}19{number[6:]}"
        number += id_check(number)
        warning = "id_first_generation"
    elif _FOREIGN_OLD.fullmatch(number):
        return _read_foreign_old(number)
    if len(number) != 18:
        return refused("id_length")
    if not _SECOND_GENERATION.fullmatch(number):
        return refused("id_characters")
    fault = _fault(number)
    return refused(fault) if fault else Reading(number, warning=warning)


def _read_foreign_old(number: str) -> Reading:
    """Permanent-residence cards issued before December 2023 stay valid until they expire.

    Three letters of nationality, four digits of region, yymmdd, one of sequence
    and a check digit whose rule is not published, hence not tested.
    """
    if number[3:5] not in MAINLAND:
        return refused("id_region")
    if _calendar_date(f"19{number[7:13]}") is None and _calendar_date(f"20{number[7:13]}") is None:
        return refused("id_birth_date")
    return Reading(number)


def _read_passport(text: str) -> Reading:
    number = ascii_upper(compact(text))
    return Reading(number) if _PASSPORT.fullmatch(number) else refused("passport_malformed")


def _read_person(text: str) -> Reading:
    """A document number or the lender's own customer number; what looks like an ID number must be one."""
    number = ascii_upper(compact(text))
    if _SECOND_GENERATION.fullmatch(number):
        return _read_id(number)
    if _FIRST_GENERATION.fullmatch(number) or _FOREIGN_OLD.fullmatch(number):
        document = _read_id(number)
        if document.value:
            return document
    return read_token(text)


read_id = at_border(_read_id)
read_passport = at_border(_read_passport)
read_person = at_border(_read_person, counted=True)


_RESIDENT: Final = PROVINCES - RESIDENCE_PERMITS


class _Document(NamedTuple):
    read: Callable[[object], Reading]
    belongs: Callable[[str], bool]


_DOCUMENTS: Final = {
    "resident": _Document(read_id, lambda number: number[:2] in _RESIDENT),
    "hmt_residence": _Document(read_id, lambda number: number[:2] in RESIDENCE_PERMITS),
    "foreign_pr": _Document(read_id, lambda number: not "1" <= number[0] <= "8"),
    "passport": _Document(read_passport, lambda _: True),
}


def read_document(id_type: str, raw: object) -> Reading:
    """The number of a document of T2's `id_type`. A sound number under a wrong type only warns."""
    document = _DOCUMENTS.get(id_type)
    if document is None:
        return refused("id_type_unknown")
    reading = document.read(raw)
    if reading.value is None or document.belongs(reading.value):
        return reading
    return reading._replace(warning=reading.warning or "id_type_mismatch")


def mask_id(value: str) -> str:
    """`310***********4511`; other documents and customer numbers by their ends."""
    if not (_SECOND_GENERATION.fullmatch(value) or _FOREIGN_OLD.fullmatch(value)):
        return mask_ends(value)
    return value[:3] + "*" * (len(value) - 7) + value[-4:]
