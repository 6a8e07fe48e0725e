"""docs/capabilities.md: all capabilities are there, and whatever it names exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from gnn.features.catalogue import CATALOGUE
from gnn.rules.catalogue import BY_CODE
from gnn.rules.columns import COLUMNS
from gnn.rules.night_columns import COLUMNS as NIGHT_COLUMNS
from graph.ontology import EDGES, NODES
from loaders.tables import TABLES
from workbench.cli import app
from workbench.ui.pages import PAGES
from workbench.webhooks.hooks import KINDS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/capabilities.md"
ALL = [f"C{number:02}" for number in range(1, 71)]
ROW = re.compile(r"^\| (C[0-9]{2}) \| (.+?) \| (.+) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([^`]+)`")
ROWS = {code: (what, where, shown) for code, what, where, shown in ROW.findall(PAGE.read_text(encoding="utf-8"))}


# What there is ------------------------------------------------------------------------------------------


@cache
def commands() -> frozenset[str]:
    def below(command: Any, name: str) -> Iterator[str]:
        yield name
        for each, one in getattr(command, "commands", {}).items():
            yield from below(one, f"{name} {each}")

    return frozenset(below(typer.main.get_command(app), "ringroad"))


@cache
def endpoints() -> frozenset[str]:
    source = (ROOT / "workbench/api/app.py").read_text(encoding="utf-8")
    found = re.findall(r'@app\.(get|post)\(\s*f?"([^"]+)"', source)
    return frozenset(
        f"{how.upper()} {at.replace('{API}', '/api/v1').replace('{{', '{').replace('}}', '}')}" for how, at in found
    )


@cache
def words() -> frozenset[str]:
    tables = {each.name for each in TABLES}
    return frozenset({*CATALOGUE, *COLUMNS, *NIGHT_COLUMNS, *tables, *NODES, *EDGES, *BY_CODE, *KINDS})


def functions(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def exists(name: str) -> bool:
    if name.startswith("ringroad "):
        return name in commands()
    if name.startswith(("GET ", "POST ")):
        return name in endpoints()
    if name.startswith("/"):
        return any(
            page.path.fullmatch(f"{name}{rest}") for page in PAGES for rest in ("", "/R0A1B2C3D4E", "/1", f"/{0:032}")
        )
    file, colons, function = name.partition("::")
    if "/" in file:
        return (ROOT / file).is_file() and (not colons or function in functions(ROOT / file))
    return name in words()


# The page ------------------------------------------------------------------------------------------------


def test_every_capability_is_told_once_and_in_order() -> None:
    assert re.findall(r"^\| (C[0-9]{2}) ", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == ALL
    assert list(ROWS) == ALL


@pytest.mark.parametrize("code", ALL)
def test_what_it_names_is_there(code: str) -> None:
    _, where, shown = ROWS[code]
    named = NAMED.findall(where) + NAMED.findall(shown)
    assert [each for each in named if not exists(each)] == []
    assert [each for each in NAMED.findall(shown) if each.startswith("tests/")], "no test shows it"


@pytest.mark.parametrize(
    "name",
    ["ringroad rigns", "GET /api/v1/score", "/nowhere", "R99", "no_feature", "tests/test_docs.py::test_nothing",
     "tests/nothing.py", "graph/nothing.py"],
)  # fmt: skip
def test_what_is_not_there_is_found_missing(name: str) -> None:
    assert not exists(name)
