"""Words in the language of who looks: `t("Take next")`. English is in the code, other languages in catalogues.

`<language>/<area>.po` are gettext catalogues; all of a language are one. Numbers, money and dates follow the
language, too (Babel).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = {"en": "English", "zh": "中文"}
DEFAULT = "en"
CHINA = timezone(timedelta(hours=8))
_LOCALE = {"en": "en_GB", "zh": "zh_CN"}

language: ContextVar[str] = ContextVar("language", default=DEFAULT)
"""Set for each request by `guard.py`."""


@cache
def catalogue(code: str) -> dict[str, str]:
    """English to another language, from all its files; a test sees to it that no two say different things."""
    words: dict[str, str] = {}
    for path in files(code):
        for english, said in read(path, code):
            words.setdefault(english, said)
    return words


def files(code: str) -> list[Path]:
    return sorted(Path(__file__).parent.joinpath(code).glob("*.po"))


def read(path: Path, code: str) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        for message in read_po(file, locale=_LOCALE[code]):
            if message.id:
                yield str(message.id), str(message.string)


def t(text: str, /, **values: object) -> str:
    """The text in the language of the request, with `{names}` filled in."""
    code = language.get()
    said = text if code == DEFAULT else catalogue(code).get(text, text)
    return said.format(**values) if values else said


def number(value: float, digits: int = 0) -> str:
    return format_decimal(round(value, digits), locale=_LOCALE[language.get()], format=f"#,##0.{'0' * digits}")


UNITS = {"en": ((1e9, "bn"), (1e6, "M"), (1e3, "k")), "zh": ((1e8, "亿"), (1e4, "万"))}


def money(yuan: float) -> str:
    """Short, three digits: ¥3.96M or ¥396万."""
    sign, size = "-" if yuan <= -0.5 else "", abs(yuan)
    for unit, name in UNITS[language.get()]:
        if size >= 0.9995 * unit:
            return f"{sign}¥{_short(size / unit)}{name}"
    return f"{sign}¥{size:.0f}"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def day(at: datetime) -> str:
    """A date of China: 3 Nov 2026, 2026年11月3日."""
    return format_date(at.astimezone(CHINA), "medium", locale=_LOCALE[language.get()])


def when(at: datetime) -> str:
    """Date and time of China."""
    return format_datetime(at.astimezone(CHINA), "d MMM y, HH:mm" if language.get() == "en" else "y-MM-dd HH:mm",
                           locale=_LOCALE[language.get()])  # fmt: skip


def share(value: float, digits: int = 0) -> str:
    """A share of one as per cent."""
    return f"{number(value * 100, digits)}%"
