from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, times


class PriceToIncome(Rule):
    """The price is higher against the income than that of nearly all who bought with the same product."""

    code = "R19"
    strength = Strength.WEAK
    points = 15
    cluster = Cluster.BEHAVIOUR
    reads = ("price_to_income", "peers_price_to_income")
    thresholds = (times(),)
    reason = "RC10"
    typologies = ("T01", "T04")
    zh = "车价与收入明显不符"
    en = "price out of proportion to income"
    advice_zh = "核实收入来源与车辆实际使用人。"
    advice_en = "Verify the income and who will use the car."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["price_to_income"] > settings["times"] * columns["peers_price_to_income"]
