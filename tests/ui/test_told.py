"""What services refuse with is said in the language of who asked, and every translation is of something they say."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from graph.errors import NotAllowed
from workbench.services.permissions import Act, Person, Role
from workbench.ui import i18n
from workbench.ui.i18n import LANGUAGES, errors, language

ROOT = Path(i18n.__file__).parents[3]
OTHERS = [code for code in LANGUAGES if code != i18n.DEFAULT]


@cache
def said() -> frozenset[str]:
    """Every text in the code, `{}` for each of its values."""
    texts: set[str] = set()
    for package in ("graph", "gnn", "loaders", "workbench"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.add(node.value)
                if isinstance(node, ast.JoinedStr):
                    texts.add("".join(each.value if isinstance(each, ast.Constant) else "{}" for each in node.values))
    return frozenset(texts)


@pytest.mark.parametrize("code", OTHERS)
def test_every_translation_is_of_something_that_is_said(code: str) -> None:
    known = said() | {
        f"{field}{rest.removeprefix('{}')}" for rest in said() for field in errors.FIELDS if rest[:2] == "{}"
    }
    unknown = [message for message, _ in errors.entries(code) if errors.FIELD.sub("{}", message) not in known]
    assert not unknown


@pytest.mark.parametrize("code", OTHERS)
def test_translations_name_only_what_the_message_holds(code: str) -> None:
    for message, translated in errors.entries(code):
        assert set(errors.FIELD.findall(translated)) <= set(errors.FIELD.findall(message)), message


def test_a_refusal_is_said_in_the_language_of_who_asked() -> None:
    try:
        Person("lin", "Lin", Role.INVESTIGATOR).require(Act.REVEAL)
    except NotAllowed as error:
        message = error.message
    assert errors.told(message) == f"A{message[1:]}"
    token = language.set("zh")
    assert re.search("[\u4e00-\u9fff]", errors.told(message))
    assert errors.told("there is a user {lin} already; choose another name").count("{lin}") == 1
    assert errors.told("nothing of the kind") == "Nothing of the kind"
    language.reset(token)
