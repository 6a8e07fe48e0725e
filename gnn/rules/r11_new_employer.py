from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, months, people


class NewEmployer(Rule):
    """An employer registered less than a year ago, and several of its people apply within sixty days."""

    code = "R11"
    strength = Strength.WEAK
    points = 30
    cluster = Cluster.DOCUMENT
    reads = ("employer_60d", "employer_months")
    thresholds = (
        people(),
        months(),
    )
    reason = "RC04"
    typologies = ("T16", "T05", "T20")
    zh = "新设单位集中进件"
    en = "new employer with several applicants"
    advice_zh = "查社保参保人数与纳税，实地走访；问司机是否以为是租车。"
    advice_en = "Check insured headcount and tax, visit the site; ask drivers whether they believe they rent the car."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return (columns["employer_60d"] >= settings["people"] - 1) & (columns["employer_months"] < settings["months"])
