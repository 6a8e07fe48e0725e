"""RULES.md, written from the rules: `python -m gnn.rules.page`."""

from __future__ import annotations

from pathlib import Path

from gnn.rules.catalogue import RULES
from gnn.rules.rule import Rule, Strength
from gnn.rules.settings import Settings, read_settings

PAGE = Path(__file__).with_name("RULES.md")
HEAD = """# Rules

Generated from the rules and `settings.yaml` by `python -m gnn.rules.page`; do not edit.

A strong rule declines, or at night raises an alert, by itself; a review rule asks for a person, whatever else
holds; the points of weak rules add up: from {review:g} a person looks, from {decline:g} declining is recommended.
Every number can be changed in a file of the lender's own, and a rule whose columns are missing is silent and says
so (`coverage`).

| Rule | What it says | Strength | When | Cluster | Thresholds | Excused by | Reason | Typologies |
|---|---|---|---|---|---|---|---|---|
"""
FOOT = """
## What is enforced elsewhere

Checksums (R04) are the loader's: `graph/normalise` refuses an ID number, VIN or credit code whose check digit is
wrong, and `loaders/validate.py` keeps the row and names line and column in `quarantine.csv`. No wrong number
becomes a key, so no rule can see one. Of a person the graph still shows that the lender's own number had to stand
in, and R04 asks for it to be typed in again; an application without its VIN or an employer without its code is
found in the quarantine report.

Things that many hold by nature (B02-B04, B06, B13, B16) are set aside by `graph/infrastructure` before any rule
counts, households (B01) by the walk, deals (B09, B10) by who the other person is, fleets (B05) by R27's `of_fleet`.
In the first two or three months of a portfolio's history nothing tells a bank's form or a shop's tablet from a
ring's: R06, R27 and R28 are loud there.

## What the data do not say

R02 takes an approval nobody drew for dead after 60 days. R11 cannot tell a manufacturer's staff programme, R21
knows transfers and exports but no pledges, R24 knows the lots of dealers only as far as `graph/infrastructure`
recognises them, and no table says that an appeal is open (R01): a finding that was taken back no longer counts.
"""


def page() -> str:
    settings = read_settings()
    head = HEAD.format(review=settings.review, decline=settings.decline)
    return head + "".join(_row(rule, settings) for rule in RULES) + FOOT


def _row(rule: Rule, settings: Settings) -> str:
    strength = f"{rule.points} points" if rule.strength is Strength.WEAK else str(rule.strength)
    values = settings.thresholds[rule.code]
    thresholds = ", ".join(f"{each.name} {_said(values[each.name])}" for each in rule.thresholds)
    excused = ", ".join(f"`{name}`" for name in rule.exempts)
    says = " ".join(rule.says.split())
    cells = (
        rule.code, f"{rule.zh}. {says}", strength, rule.stage, rule.cluster, thresholds, excused, rule.reason,
        " ".join(rule.typologies),
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def _said(value: object) -> str:
    return "/".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
