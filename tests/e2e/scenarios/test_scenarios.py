"""The reference cases: decision, rules, reasons and evidence of each; what no answer may ever say; the page of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gnn.explain import WORDS
from gnn.rules import BY_CODE
from tests.e2e.scenarios import page
from tests.e2e.scenarios.scene import Expected, Scene, scenes
from tests.e2e.scenarios.stage import Played, play, tuesday_morning
from tests.service.conftest import Asking, asking

SCENES = scenes()
LANGUAGES = ("en", "zh")
BY_LINKS = ("R02", "R06", "R07", "R08", "R10", "R11", "R27", "R28")
"""Rules that hold because of other applications."""


@pytest.fixture
def asked(home: Path) -> Iterator[Asking]:
    with asking(home, tuesday_morning(), RINGROAD_STALE_HOURS="8760") as one:
        yield one


@pytest.mark.parametrize("scene", SCENES, ids=[each.name for each in SCENES])
def test_a_case_is_answered_as_it_must_be(scene: Scene, asked: Asking) -> None:
    played = play(scene, asked)
    for name, expected in scene.asked:
        answer = played.answers[name]
        agrees(name, answer, expected, played)
        if scene.benign:
            assert (answer["decision"], answer["rules"], answer["reasons"]) == ("pass", [], []), name
    for name, answer in played.answers.items():
        is_whole(answer)
        tells_the_applicant_nothing(answer, played)
        assert {each for each in played.secrets if each in played.raw[name]} == set(), name
    nights = [step.says["night"] for step in scene.steps if step.kind == "night"]
    for said, night in zip(nights, played.nights, strict=True):
        if "ring" in said:
            assert any(set(said["ring"]) <= each for each in night.rings), night.rings
        for code, names in said.get("rules", {}).items():
            assert night.hits[code] == set(names), code


def agrees(name: str, answer: dict[str, Any], expected: Expected, played: Played) -> None:
    rules, reasons = {each["code"] for each in answer["rules"]}, {each["code"]: each for each in answer["reasons"]}
    said = f"{name}: {answer['decision']} by {answer['decided_by']}, {sorted(rules)}, {sorted(reasons)}"
    assert answer["decision"] == expected.decision, said
    assert expected.by in (None, answer["decided_by"]), said
    assert set(expected.rules) <= rules, said
    assert not set(expected.rules_not) & rules, said
    assert set(expected.reasons) <= reasons.keys(), said
    assert not set(expected.reasons_not) & reasons.keys(), said
    linked = set(played.names(each["application_id"] for each in answer["linked"]))
    assert set(expected.linked) <= linked, f"{name}: linked with {linked}"
    assert not set(expected.linked_not) & linked, f"{name}: linked with {linked}"
    for rule in set(BY_LINKS) & rules if answer["decision"] != "pass" else ():
        assert any(each["applications"] for each in reasons[BY_CODE[rule].reason]["evidence"]), f"{name}: {rule}"
    for code, types in expected.evidence.items():
        for type_ in types:
            paths = [each for each in reasons[code]["evidence"] if each["type"] == type_]
            assert any(played.names(each["applications"]) for each in paths), f"{name}: {code} without {type_}"


def is_whole(answer: dict[str, Any]) -> None:
    """Whatever it says, it says in both languages, with evidence that has a name, and with something to do."""
    assert answer["degraded"] == []
    assert answer["coverage"]["missing"] == []
    if answer["decision"] == "pass":
        assert answer["reasons"] == []
        return
    assert 1 <= len(answer["reasons"]) <= 5
    assert answer["checks"]
    for reason in answer["reasons"]:
        assert all(reason[text][language].strip() for text in ("investigator", "applicant") for language in LANGUAGES)
        assert all(re.fullmatch(r"[A-Za-z]+:[0-9a-f]{16}", each["id"]) for each in reason["evidence"])
    for check in answer["checks"]:
        assert check["en"].strip()
        assert check["zh"].strip()


def tells_the_applicant_nothing(answer: dict[str, Any], played: Played) -> None:
    """Of each reason the one sentence that everybody gets: no number, no name, nobody else."""
    others = {one["application_id"] for one in played.cast.values()} | played.secrets
    for reason in answer["reasons"]:
        text = WORDS[reason["code"]].applicant
        assert reason["applicant"] == {"en": text.en, "zh": text.zh}
        for said in text:
            assert not re.search(r"\d", said)
            assert not any(each in said for each in others)


def test_every_case_of_the_reference_is_there() -> None:
    told = " ".join(f"{each.zh} {each.source}" for each in SCENES)
    for name in ("张某", "李某", "王某", "李女士", "5家机构", "换马甲", "车队", "家庭", "总机", "平板"):
        assert name in told, name
    covered = {int(each) for each in re.findall(r"\bC(\d\d)\b", told)}
    assert set(range(1, 17)) - {2, 6, 15, 16} <= covered, "C02, C06, C15 and C16 are named where they are shown"


def test_the_page_is_up_to_date() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page(SCENES), "run: python -m tests.e2e.scenarios.page"
