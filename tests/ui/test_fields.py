"""Fields that are typed into: see "What is typed is sent when one leaves the field" in workbench/README.md."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from workbench import ui

TYPED = {"NumberInput", "PasswordInput", "Textarea", "TextInput"}
FILES = sorted(Path(ui.__file__).parent.rglob("*.py"))


def hasty(text: str) -> list[int]:
    """Lines of fields that send each letter, and may take an older one back as their value."""
    return [
        call.lineno
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in TYPED
        and "debounce" not in {each.arg for each in call.keywords}
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.stem)
def test_no_field_sends_each_letter(file: Path) -> None:
    assert hasty(file.read_text(encoding="utf-8")) == []


def test_one_that_does_is_found() -> None:
    assert hasty("dmc.TextInput(id=NAME)\ndmc.TextInput(id=NAME, debounce=300)") == [1]
