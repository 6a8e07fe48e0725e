"""README.md, written from the cases: `python -m tests.e2e.scenarios.page`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.e2e.scenarios.scene import Expected, Scene, scenes

PAGE = Path(__file__).with_name("README.md")
HEAD = """# Reference cases

Generated from the cases by `python -m tests.e2e.scenarios.page`; do not edit.

Each file in [cases](cases) is one case: who applies with what in common, what is told later, and what must be
answered. `test_scenarios.py` plays each over the routes of a score service with a small trained model; expected
decisions rest on rules, not on what that model happened to learn. Sources are the seed documents and capabilities
(C), look-alikes (B) of the domain; `scene.py` says what a file may hold.

| Case | Source | Applications, in order: decision and what must be said | Why |
|---|---|---|---|
"""


def page(of: Iterable[Scene]) -> str:
    return HEAD + "".join(_row(each) for each in of)


def _row(scene: Scene) -> str:
    told = "<br>".join(f"{name}: {_said(expected)}" for name, expected in scene.asked)
    nights = [step.says["night"] for step in scene.steps if step.kind == "night"]
    told += "".join(f"<br>{each}" for night in nights for each in _night(night))
    title = f"[{scene.zh}](cases/{scene.name}.yaml)<br>{scene.en}"
    return f"| {title} | {scene.source} | {told} | {scene.why} |\n"


def _said(expected: Expected) -> str:
    by = "" if expected.by in (None, "", "rules") else f" by {expected.by}"
    must = ", ".join([*expected.rules, *expected.reasons])
    never = ", ".join([*expected.rules_not, *expected.reasons_not])
    parts = [f"**{expected.decision}**{by}", must, f"not {never}" if never else ""]
    return "; ".join(each for each in parts if each)


def _night(night: dict[str, object]) -> list[str]:
    found = []
    if isinstance(ring := night.get("ring"), list):
        found.append(f"that night one ring: {', '.join(ring)}")
    if isinstance(rules := night.get("rules"), dict):
        found += [f"that night {code}: {', '.join(names) or 'nobody'}" for code, names in rules.items()]
    return found


if __name__ == "__main__":
    PAGE.write_text(page(scenes()), encoding="utf-8")
