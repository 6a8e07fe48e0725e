"""Vehicles: VIN (ISO 3779, GB 16735-2019) and plate (GA 36-2018)."""

from __future__ import annotations

import re
from operator import mul
from typing import Final

from graph.normalise.reading import Reading, refused
from graph.normalise.text import ascii_upper, at_border, compact

_VALUES: Final = bytes.maketrans(
    b"0123456789ABCDEFGHJKLMNPRSTUVWXYZ",
    bytes((*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10))),
)
_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN: Final = re.compile(r"[A-HJ-NPR-Z0-9]{17}")
_CHECKED_MAKERS: Final = frozenset("L12345")  # China and North America must carry the check digit
_NO_MODEL_YEAR: Final = frozenset("UZ0")

_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_SERIAL: Final = (
    r"(?:[DABCEFGHJK][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[DABCEFGHJK]|[A-HJ-NP-Z0-9]{5}"
    r"|[A-HJ-NP-Z0-9]{4}[挂学警港澳领])"
)
_PLATE: Final = re.compile(rf"[{_PROVINCES}][A-HJ-NP-Z]{_SERIAL}|使[0-9]{{6}}|[0-9]{{6}}使")
_PLATE_O: Final = re.compile(rf"[{_PROVINCES}]O{_SERIAL}")
_PLATE_SEPARATORS: Final = re.compile(r"[ \-·•・‧.]")


def vin_check(vin: str) -> str:
    """The character that belongs at position 9 of 17 allowed characters, whatever stands there.

    Misses 7.9 % of single substitutions, and says nothing about cloned vehicles.
    """
    return "0123456789X"[sum(map(mul, _WEIGHTS, vin.encode().translate(_VALUES))) % 11]


def _read_vin(text: str) -> Reading:
    vin = ascii_upper(compact(text))
    if len(vin) != 17:
        return refused("vin_length")
    if not _VIN.fullmatch(vin):
        return refused("vin_letters")
    must_check = vin[0] in _CHECKED_MAKERS
    if must_check and vin[9] in _NO_MODEL_YEAR:
        return refused("vin_model_year")
    if vin_check(vin) == vin[8]:
        return Reading(vin)
    return refused("vin_check") if must_check else Reading(vin, warning="vin_check_unproven")


def _read_plate(text: str) -> Reading:
    plate = ascii_upper(_PLATE_SEPARATORS.sub("", text))
    if plate.endswith("00000"):
        return refused("placeholder")
    if _PLATE.fullmatch(plate):
        return Reading(plate)
    if _PLATE_O.fullmatch(plate):
        return Reading(plate, warning="plate_issuer_o")
    return refused("plate_malformed")


read_vin = at_border(_read_vin)
read_plate = at_border(_read_plate)


def mask_vin(value: str) -> str:
    return f"***********{value[-6:]}"


def mask_plate(value: str) -> str:
    return f"{value[:2]}***{value[-2:]}"
