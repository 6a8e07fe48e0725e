"""The border: from a cell as people and spreadsheets leave it to plain text, or a reason.

Everything behind `at_border` sees folded, non-blank, undamaged text, so `[0-9]`
is the only digit there. `\\d` would match every script's digits, and one phone
would become two nodes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import chain
from typing import Final

from graph.normalise.reading import Reading, refused

EXACT_FLOAT: Final = 2**53  # beyond it a float no longer holds every integer
_LONG_INT_BITS: Final = 1024  # str() of longer integers is slow and, past 4300 digits, an error

# Default-ignorable characters that are neither format (Cf) nor control (Cc) characters.
_INVISIBLE: Final = (
    0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0,
    *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0),
)  # fmt: skip


def _folding() -> dict[int, str | None]:
    """Digits of every script to ASCII, invisible characters out, lone surrogates to U+FFFD."""
    table: dict[int, str | None] = {}
    for point in chain(range(0x20000), range(0xE0000, 0xE0200)):
        character = chr(point)
        match unicodedata.category(character):
            case "Nd" if point > 0x7F:
                table[point] = str(unicodedata.decimal(character))
            case "Cf":
                table[point] = None
            case "Cc" if not character.isspace():
                table[point] = None
            case "Cs":
                table[point] = "\ufffd"
    table.update(dict.fromkeys(_INVISIBLE))
    table[0x2800] = " "  # the blank of the Braille block
    return table


_FOLDING: Final = _folding()
_TO_FOLD: Final = frozenset(map(chr, _FOLDING))
# Folded already: printable ASCII without the blank, the dot of names, Han.
_ORDINARY: Final = re.compile("[!-~\u00b7\u4e00-\u9fff]*")


def fold(raw: object) -> str:
    """Text of any cell in one spelling; "" for nothing.

    NFKC, decimal digits of every script to ASCII, zero-width and control
    characters out, runs of blanks to one space, stripped. `fold(fold(x)) == fold(x)`,
    and the result always encodes as UTF-8.
    """
    text = raw if type(raw) is str else _text_of(raw)
    if _ORDINARY.fullmatch(text):
        return text
    if not _TO_FOLD.isdisjoint(text):
        text = text.translate(_FOLDING)
    text = unicodedata.normalize("NFKC", text)
    if not _TO_FOLD.isdisjoint(text):
        text = text.translate(_FOLDING)
    return " ".join(text.split())


def _text_of(raw: object) -> str:
    if raw is None:
        return ""
    if isinstance(raw, float):
        return _text_of_float(float(raw))
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(int(raw)) if raw.bit_length() < _LONG_INT_BITS else hex(raw)
    if isinstance(raw, bytes | bytearray | memoryview):
        octets = bytes(raw)
        try:
            return octets.decode()
        except UnicodeDecodeError:
            return octets.decode("gb18030", errors="replace")
    return str(raw)


def _text_of_float(number: float) -> str:
    """Like the integer it stands for; in scientific notation once it may have lost digits."""
    if number != number:  # noqa: PLR0124 - NaN is how data frames say "nothing"
        return ""
    if not number.is_integer():
        return repr(number)
    return str(int(number)) if abs(number) < EXACT_FLOAT else f"{number:.15E}"


_QUOTED: Final = re.compile(r'=\s*"(.*)"|"(.*)"')


def unquoted(text: str) -> str:
    """Without what exports put around a number to keep a spreadsheet away: `'1`, `` `1``, `="1"`, `"1"`."""
    while text and text[0] in "'`=\"":
        quoted = _QUOTED.fullmatch(text)
        bare = (quoted[1] or quoted[2] or "") if quoted else text.lstrip("'` ")
        if bare == text:
            break
        text = bare.strip()
    return text


# Compared without case. A lender's own code that reads like one of these is refused too.
_FILLER: Final = (
    "无 没有 暂无 不详 不明 未知 不知道 未提供 未填 未填写 空 略 同上 保密 拒绝提供 测试"
    " n/a na null (null) none nil nan <na> nat undefined unknown test true false inf -inf"
    " #n/a #value! #ref! #name? \\n"
)
PLACEHOLDERS: Final = frozenset(_FILLER.split())
_LONGEST_PLACEHOLDER: Final = max(map(len, PLACEHOLDERS))
_PUNCTUATION: Final = re.compile(r"[\W_]+")


def is_placeholder(text: str, *, counted: bool = False) -> bool:
    """Filler, or one digit over and over; `counted` spares the 7 and the 111 of a lender who counts."""
    if len(text) <= _LONGEST_PLACEHOLDER and text.casefold() in PLACEHOLDERS:
        return True
    first, last = text[0], text[-1]
    if first != last and first.isalnum() and last.isalnum():
        return False
    core = _PUNCTUATION.sub("", text)
    if not core:
        return True
    if core.count(core[0]) != len(core):
        return False
    if core[0] in "xX" and len(core) > 1:
        return True
    return core[0] in ("0" if counted else "0123456789无")


_LONGEST: Final = 500  # no identifier is longer; the patterns of the kinds need not be linear beyond it
_SCIENTIFIC: Final = re.compile(r"[+-]?[0-9](?:\.[0-9]*[eE][+-]?|[eE][+-])[0-9]{1,3}")
_WRONG_CHARSET: Final = re.compile("\ufffd|锟斤拷")


PLAIN_CODE: Final = re.compile(rf"(?!(.)\1*$)[0-9A-Za-z]{{{_LONGEST_PLACEHOLDER + 1},{_LONGEST}}}")
"""Most identifiers: longer than filler, and not one character over and over. The border would change nothing in it."""


def _damage(text: str, *, counted: bool) -> str | None:
    if len(text) > _LONGEST:
        return "too_long"
    if is_placeholder(text, counted=counted):
        return "placeholder"
    if _SCIENTIFIC.fullmatch(text):
        return "excel_scientific"
    if not text.isascii() and _WRONG_CHARSET.search(text):
        return "encoding_damaged"
    return None


def at_border(rule: Callable[[str], Reading], *, counted: bool = False) -> Callable[[object], Reading]:
    """A reader of raw cells from a rule about clean text.

    What the rule returns passes the border again: filler written with blanks
    inside must not come out as a key that is refused the next time it is read.
    """

    def read(raw: object) -> Reading:
        if type(raw) is str and PLAIN_CODE.fullmatch(raw):
            return again(raw, rule(raw))
        text = unquoted(fold(raw))
        if not text:
            return refused("blank")
        damage = _damage(text, counted=counted)
        if damage:
            return refused(damage)
        return again(text, rule(text))

    def again(text: str, reading: Reading) -> Reading:
        if reading.value is None or reading.value == text:
            return reading
        damage = _damage(reading.value, counted=counted)
        return refused(damage) if damage else reading

    return read


_SEPARATORS: Final = re.compile(r"\.0+$|[ \-‐‑‒–—―−_]")
_WHOLE_FLOAT: Final = re.compile(r"([0-9]{1,15})\.0+")


def compact(text: str) -> str:
    """Without the blanks and hyphens people group digits with, and without the `.0` of a float column."""
    return text if text.isalnum() else _SEPARATORS.sub("", text)


def whole(text: str) -> str:
    """`10023.0` to `10023`: one table of a lender holds the code as text, another as a float column."""
    if text[-1] != "0":
        return text
    number = _WHOLE_FLOAT.fullmatch(text)
    return number[1] if number else text


_LOWER: Final = re.compile("[a-z]+")


def ascii_upper(text: str) -> str:
    """ASCII letters only: `str.upper` turns a dotless ı into I, and one ß into two letters."""
    return text.upper() if text.isascii() else _LOWER.sub(lambda run: run[0].upper(), text)


def mask_ends(value: str) -> str:
    """First two and last two; less of a short value, nothing of a very short one."""
    if len(value) < 5:
        return "***"
    shown = 2 if len(value) >= 8 else 1
    return f"{value[:shown]}***{value[-shown:]}"


def mask_nothing(value: str) -> str:
    """Legal entities, published numbers and districts are shown in full."""
    return value
