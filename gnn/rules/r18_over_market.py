from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, times


class OverMarket(Rule):
    """The invoice price is well above the car's market price, and other dealers do not ask as much for this model."""

    code = "R18"
    strength = Strength.WEAK
    points = 25
    cluster = Cluster.DOCUMENT
    reads = ("price_over_market", "model_over_market")
    exempts = ("model_over_market",)
    thresholds = (times(),)
    reason = "RC07"
    typologies = ("T04", "T09")
    zh = "发票价高于市场价"
    en = "price above the market"
    advice_zh = "独立估值，查发票校验码与保险保额，问客户实付金额。"
    advice_en = (
        "Value the car independently, check the invoice code and the sum insured, ask the customer what was really"
        " paid."
    )

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        dear = columns["price_over_market"] > settings["times"]
        return dear & ~(columns["model_over_market"] > settings["times"])
