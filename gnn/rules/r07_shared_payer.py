from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, people


class SharedPayer(Rule):
    """One account paid the down payments of several unrelated applicants within ninety days."""

    code = "R07"
    strength = Strength.REVIEW
    points = 60
    cluster = Cluster.RING
    reads = ("payer_90d", "payer_is_dealer")
    exempts = ("payer_is_dealer",)
    thresholds = (people(),)
    reason = "RC10"
    typologies = ("T01", "T02", "T04")
    zh = "首付由同一账户代付"
    en = "down payments from one account"
    advice_zh = "核实首付实际出资人与资金回流，冻结未放款进件。"
    advice_en = "Find out who really paid and whether the money went back; hold what is not paid out yet."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return (columns["payer_90d"] >= settings["people"] - 1) & ~(columns["payer_is_dealer"] > 0)
