"""Money and tokens: cards, accounts, and the opaque codes of lenders and vendors."""

from __future__ import annotations

import re
from typing import Final

from graph.normalise.reading import Reading, refused
from graph.normalise.text import at_border, compact, mask_ends, whole

_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes(2 * n - 9 * (n > 4) for n in range(10)))
_PLAIN: Final = bytes.maketrans(b"0123456789", bytes(range(10)))
_CARD: Final = re.compile(r"[0-9]{13,19}")


def luhn_digit(digits: str) -> str:
    """The check digit to append to ASCII digits (ISO/IEC 7812). Misses the swap of 09 and 90."""
    octets = digits.encode()
    total = sum(octets[-1::-2].translate(_DOUBLED)) + sum(octets[-2::-2].translate(_PLAIN))
    return "0987654321"[total % 10]


def passes_luhn(number: str) -> bool:
    return luhn_digit(number[:-1]) == number[-1]


def _read_card(text: str) -> Reading:
    number = compact(text)
    if not number.isdecimal():
        return refused("characters")
    if not _CARD.fullmatch(number):
        return refused("card_length")
    if passes_luhn(number):
        return Reading(number)
    rounded = len(number) > 15 and not number[15:].strip("0")
    return refused("excel_rounded" if rounded else "card_check")


def _read_account(text: str) -> Reading:
    """A vault token, a passbook or company account, or a card: no check digit holds for all.

    Digits lose their grouping, so that a card written in fours stays one account.
    """
    number = compact(text)
    return _printable(number if number.isdecimal() else text, 4, 64)


def read_token(text: str) -> Reading:
    return _printable(whole(text), 1, 64)


def _read_device(text: str) -> Reading:
    """Case is kept: vendors' fingerprints are case-sensitive."""
    if text.casefold() in _SHARED_DEVICES:
        return refused("placeholder")
    return _printable(text, 6, 128) if text.isascii() else refused("characters")


# What emulators, locked-down systems and failing SDKs answer instead of an identifier.
_SHARED_DEVICES: Final = frozenset(
    {
        "9774d56d682e549c", "02:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "0123456789abcdef", "1234567890abcdef", "unidentified", "emulator", "android_id", "limit_ad_tracking",
    }
)  # fmt: skip


def _printable(text: str, shortest: int, longest: int) -> Reading:
    if len(text) < shortest:
        return refused("too_short")
    if len(text) > longest:
        return refused("too_long")
    if " " in text:
        return refused("inner_blank")
    return Reading(text) if text.isprintable() else refused("characters")


read_card = at_border(_read_card)
read_account = at_border(_read_account)
read_opaque = at_border(read_token, counted=True)
read_device = at_border(_read_device)


def mask_card(value: str) -> str:
    return f"{value[:4]} **** **** {value[-4:]}"


def mask_account(value: str) -> str:
    """Like a card when it could be one."""
    return mask_card(value) if _CARD.fullmatch(value) else mask_ends(value)
