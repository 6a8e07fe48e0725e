"""Phone numbers of mainland China."""

from __future__ import annotations

import re
from typing import Final, Literal

from graph.normalise.reading import Reading, refused
from graph.normalise.text import at_border

PhoneType = Literal["mobile", "landline", "400", "service", "iot"]

# The prefix table is data: new ones appear every year (190-193 and 195-199 were the last). A prefix
# says nothing about the operator since number portability (2019), only about the use of the number.
_PREFIXES: Final = {
    "voice": "130 131 132 133 134 135 136 137 138 139 145 147 150 151 152 153 155 156 157 158 159 166 172 173"
    " 174 175 176 177 178 180 181 182 183 184 185 186 187 188 189 190 191 192 193 195 196 197 198 199",
    "virtual": "162 165 167 170 171",
    "data": "140 141 144 146 148 149",
}
_USES: Final = {prefix: use for use, prefixes in _PREFIXES.items() for prefix in prefixes.split()}

_SHAPES: Final[tuple[tuple[PhoneType, re.Pattern[str]], ...]] = (
    ("mobile", re.compile(r"1[3-9][0-9]{9}")),
    ("iot", re.compile(r"1064[0-9]{9}")),
    ("400", re.compile(r"[48]00[0-9]{7}")),
    ("landline", re.compile(r"0(?:10|2[0-9]|[3-9][0-9]{2})[1-9][0-9]{6,7}")),
    ("service", re.compile(r"9[56][0-9]{3,6}|1[0-2][0-9]{1,3}|11[68]114")),
)
_MOBILE: Final = _SHAPES[0][1]
_CALLING: Final = "|".join(f"{_PREFIXES['voice']} {_PREFIXES['virtual']}".split())
_TWO_DIGITS: Final = "|".join(f"{first}[{'0123456789'.replace(first, '')}]" for first in "0123456789")
PLAIN_MOBILE: Final = f"^(?:{_CALLING})[0-9]{{6}}(?:{_TWO_DIGITS})$"
"""Canonical as they stand, for columns that are read at once. Numbers whose last two digits are the same
are not among them: one may be a placeholder."""

_LANDLINE_WITHOUT_ZERO: Final = re.compile(r"(?:10|2[0-9])[1-9][0-9]{7}|[3-9][0-9]{2}[1-9][0-9]{6,7}")

_SEPARATORS: Final = re.compile(r"\.0+$|[ \-‐‑‒–—―−_().·/]")
_EXTENSION: Final = re.compile(r"(.*[0-9]) ?(?:转|分机|ext\.?|x|#|,) ?[0-9]{1,6}", re.IGNORECASE | re.ASCII)
_LANDLINE_EXTENSION: Final = re.compile(r"(0[0-9]{2,3}[- ]?[0-9]{7,8})-[0-9]{1,6}")
_COUNTRY: Final = re.compile(r"(?:\+|00)(?:86)+|86(?=1[3-9][0-9]{9}$)")
_TRUNK_ZERO: Final = re.compile(r"0(?=1[3-9][0-9]{9}$)")

_NOTORIOUS: Final = "13800138000"
_NOTORIOUS_TAIL: Final = {"mobile": 8, "iot": 8, "landline": 7, "400": 7}


def _shape(number: str) -> PhoneType | None:
    for name, pattern in _SHAPES:
        if pattern.fullmatch(number):
            return "iot" if name == "mobile" and _USES.get(number[:3]) == "data" else name
    return None


def phone_type(canonical: str) -> PhoneType:
    shape = _shape(canonical)
    if shape is None:
        raise ValueError("phone: not a canonical number; normalise it first")
    return shape


def is_virtual(canonical: str) -> bool:
    """Sold by a virtual operator 虚拟运营商: cheaper to hold in bulk."""
    return _USES.get(canonical[:3]) == "virtual" and _shape(canonical) == "mobile"


def _local(text: str) -> str:
    """Without grouping, country code and the 0 once dialled before long-distance mobile calls."""
    digits = _SEPARATORS.sub("", text)
    local = _COUNTRY.sub("", digits, count=1) if _COUNTRY.match(digits) else digits
    if local != digits and digits[0] in "+0" and _LANDLINE_WITHOUT_ZERO.fullmatch(local) and not _shape(local):
        return f"0{local}"
    return _TRUNK_ZERO.sub("", local, count=1)


def _read_phone(text: str) -> Reading:
    if _MOBILE.fullmatch(text):
        return _judge(text, "iot" if _USES.get(text[:3]) == "data" else "mobile")
    if "-" in text and (extended := _LANDLINE_EXTENSION.fullmatch(text)):
        return _read_switchboard(extended[1])
    number = _local(text)
    shape = _shape(number)
    if shape:
        return _judge(number, shape)
    extended = _EXTENSION.fullmatch(text)
    return _read_switchboard(extended[1]) if extended else refused(_why_not(number))


def _read_switchboard(text: str) -> Reading:
    """A number that was followed by an extension."""
    number = _local(text)
    shape = _shape(number)
    if shape is None:
        return refused(_why_not(number))
    if shape in {"mobile", "iot"}:
        return refused("phone_relay")
    reading = _judge(number, shape)
    return reading._replace(warning="phone_extension_dropped") if reading.value else reading


def _why_not(number: str) -> str:
    if _LANDLINE_WITHOUT_ZERO.fullmatch(number):
        return "leading_zero_lost"
    return "phone_foreign" if number.startswith(("+", "00")) and number[1:].isdecimal() else "phone_malformed"


def _judge(number: str, shape: PhoneType) -> Reading:
    tail = number[-_NOTORIOUS_TAIL.get(shape, 0) :]
    if number == _NOTORIOUS or (shape != "service" and tail.count(tail[0]) == len(tail)):
        return refused("placeholder")
    if shape == "iot":
        return Reading(number, warning="phone_iot")
    if shape == "mobile" and number[:3] not in _USES:
        return Reading(number, warning="phone_prefix_unassigned")
    return Reading(number)


read_phone = at_border(_read_phone)


def mask_phone(value: str) -> str:
    """`138****8000`; 400 and service numbers are published, hence shown."""
    if len(value) == 11 and value[0] == "1":
        return f"{value[:3]}****{value[-4:]}"
    return value if _shape(value) in {"400", "service"} else f"{value[:3]}****{value[-4:]}"
