"""Every word that a screen shows is there in both languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from workbench.ui import i18n
from workbench.ui.i18n import LANGUAGES, catalogue, day, files, language, money, number, read, share, t, when
from workbench.ui.pages import PAGES

UI = Path(i18n.__file__).parents[1]
OTHERS = [code for code in LANGUAGES if code != i18n.DEFAULT]
NAMED = re.compile(r"{(\w+)")


def said() -> Iterator[tuple[str, str]]:
    """(text, where) of every `t("…")`, and of the titles of pages."""
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t":
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value, f"{path.relative_to(UI)}:{node.lineno}"
    for page in PAGES:
        yield page.title, "pages"


@pytest.mark.parametrize("code", OTHERS)
def test_everything_said_is_translated(code: str) -> None:
    words = catalogue(code)
    missing = {text: where for text, where in said() if not words.get(text)}
    assert not missing


@pytest.mark.parametrize("code", OTHERS)
def test_no_two_catalogues_say_different_things(code: str) -> None:
    words: dict[str, tuple[str, str]] = {}
    differ = []
    for path in files(code):
        for english, other in read(path, code):
            before = words.setdefault(english, (other, path.name))
            if before[0] != other:
                differ.append(f"{english!r}: {before[0]} in {before[1]}, {other} in {path.name}")
    assert not differ


@pytest.mark.parametrize("code", OTHERS)
def test_translations_fill_in_the_same_names(code: str) -> None:
    wrong = {
        english: other
        for english, other in catalogue(code).items()
        if set(NAMED.findall(english)) != set(NAMED.findall(other))
    }
    assert not wrong


@pytest.mark.parametrize(
    ("yuan", "en", "zh"),
    [
        (0, "¥0", "¥0"),
        (987, "¥987", "¥987"),
        (12_345, "¥12.3k", "¥1.23万"),
        (3_960_000, "¥3.96M", "¥396万"),
        (999_950, "¥1.00M", "¥100万"),
        (1_250_000_000, "¥1.25bn", "¥12.5亿"),
        (-52_000, "-¥52.0k", "-¥5.20万"),
    ],
)
def test_money_is_short_in_the_units_of_the_language(yuan: float, en: str, zh: str) -> None:
    for code, text in (("en", en), ("zh", zh)):
        token = language.set(code)
        assert money(yuan) == text
        language.reset(token)


def test_times_are_those_of_china() -> None:
    at = datetime(2026, 3, 31, 16, 30, tzinfo=UTC)
    assert (day(at), when(at), number(1234.56, 1), share(0.125, 1)) == (
        "1 Apr 2026", "1 Apr 2026, 00:30", "1,234.6", "12.5%",
    )  # fmt: skip
    token = language.set("zh")
    assert (day(at), when(at)) == ("2026年4月1日", "2026-04-01 00:30")
    language.reset(token)


def test_what_has_no_translation_is_said_in_english() -> None:
    token = language.set("zh")
    assert t("never translated {count}", count=3) == "never translated 3"
    language.reset(token)
