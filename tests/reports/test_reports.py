"""Every report, in every language, on every store: all sections are there, and they say the same as before.

WRITE_GOLDEN=1 writes the golden files anew; look at what changed before committing it.
"""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.reports.conftest import NOW, SLOTS
from workbench import reports
from workbench.reports.catalogue import REPORTS, Asked, kind_of, spoken
from workbench.reports.document import Report, as_plain
from workbench.schedule import slots
from workbench.services.all import Services
from workbench.ui.i18n import DEFAULT, LANGUAGES, catalogue

GOLDEN = Path(__file__).parents[1] / "golden" / "reports"
SECTIONS = {
    "backlog": "overview ages owners overdue oldest second provisional closed agreement",
    "daily": "overview new grown alerts dealers regions backlog drift money",
    "dealers": "overview alerts scorecard grades fraud early jumps rings",
    "models": "overview drift inputs calibration precision answers degraded versions",
    "regions": "overview signals volume ringed funnel-ringed funnel-early funnel-fraud",
    "rings": "overview new grown ended top",
    "roll-rates": "overview matrix months dealers rings",
}
"""Of these all; what a report does not name here, it tests by itself."""

OURS = sorted(SECTIONS)
BEFORE = {"daily": "2001-02-03", "weekly": "2001-W05", "monthly": "2001-02"}
ALL = list(REPORTS)


def asked(services: Services, name: str, slot: str = "") -> Asked:
    cadence = REPORTS[name].cadence
    return Asked(services, slots.named(cadence, slot or SLOTS[cadence]), NOW)


def written(services: Services, name: str, language: str = "en", slot: str = "") -> Report:
    one = asked(services, name, slot)
    return kind_of(name).written(one, REPORTS[name].gather(one), language)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("home", ["worked", "unworked", "alone", "worked before anything was known"])
def test_every_section_is_there_or_says_why_it_is_empty(home: str, name: str, request: pytest.FixtureRequest) -> None:
    slot = BEFORE[REPORTS[name].cadence] if "before" in home else ""
    one = asked(request.getfixturevalue(home.split(maxsplit=1)[0]), name, slot)
    facts = REPORTS[name].gather(one)
    for language in LANGUAGES:
        told = REPORTS[name].written(one, facts, language)
        codes = [each.code for each in told.sections]
        named = SECTIONS.get(name, "").split()
        assert codes[: len(named)] == named
        assert codes
        assert len(set(codes)) == len(codes)
        assert all(bool(each.blocks) != bool(each.empty) for each in told.sections)
        assert told.counted
        assert told.title


@pytest.mark.parametrize("name", OURS)
def test_what_people_worked_on_is_told(name: str, worked: Services) -> None:
    """Hardly a section of the full store is empty: a report that found nothing would pass the test above."""
    empty = {each.code for each in written(worked, name).sections if each.empty}
    may_be = {
        "daily": {"new", "dealers"}, "dealers": {"alerts", "grades", "jumps"}, "models": {"degraded"},
        "backlog": set(), "regions": set(), "rings": set(), "roll-rates": {"rings"},
    }  # fmt: skip
    assert empty <= may_be[name]


@pytest.mark.parametrize("name", OURS)
def test_the_full_report_is_as_it_was(name: str, worked: Services) -> None:
    told = json.loads(json.dumps(as_plain(written(worked, name)), ensure_ascii=False))
    _steady(told)
    path = GOLDEN / f"{name}.json"
    if os.environ.get("WRITE_GOLDEN"):
        path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    assert _near(told, json.loads(path.read_text(encoding="utf-8")))


def _steady(told: dict[str, Any]) -> None:
    """A model's version and measures are new with each training."""
    told["sections"] = [each for each in told["sections"] if each["code"] != "versions"]


def _near(one: Any, other: Any) -> bool:
    """Numbers to six digits: machines add in different orders."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_near(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_near, one, other))
    if isinstance(one, float) and isinstance(other, int | float):
        return one == pytest.approx(other, rel=1e-6, abs=1e-9)
    return bool(one == other)


# Words -----------------------------------------------------------------------------------------------------


def test_every_word_of_a_report_is_translated() -> None:
    said = [
        node.args[0].value
        for path in sorted(Path(reports.__file__).parent.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "t"
        and isinstance(node.args[0], ast.Constant)
    ]
    assert len(said) > 200
    for code in LANGUAGES:
        if code != DEFAULT:
            words = catalogue(code)
            assert [each for each in said if not words.get(each)] == []


@pytest.mark.parametrize("name", OURS)
def test_a_chinese_report_is_chinese(name: str, worked: Services) -> None:
    """What is English in it are names: codes of things, measures, files and places of the code."""
    told = written(worked, name, "zh")
    english = [
        text
        for text in (told.title, *told.counted, *(each.title for each in told.sections),
                     *(each.empty for each in told.sections), *(one.name for _, one in told.figures()),
                     *(column.name for _, table in told.tables() for column in table.columns))
        if text and not re.search(r"[\u4e00-\u9fff]", text)
    ]  # fmt: skip
    assert [each for each in english if not re.fullmatch(r"[\d–-]+|Cohen's κ", each)] == []


def test_each_report_names_itself_in_each_language() -> None:
    for language in LANGUAGES:
        with spoken(language):
            told = [(kind.title(), kind.about()) for kind in REPORTS.values()]
        assert len(set(told)) == len(told) == len(REPORTS)
