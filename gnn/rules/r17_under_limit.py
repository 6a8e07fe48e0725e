from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Threshold, Thresholds, share


class UnderLimit(Rule):
    """The amount lies just below the largest one that was approved automatically in the thirty days before."""

    code = "R17"
    strength = Strength.WEAK
    points = 15
    cluster = Cluster.CHANNEL
    reads = ("automatic", "limit_share", "list_price")
    exempts = ("list_price",)
    thresholds = (
        share("below"),
        Threshold("round_to", "RMB", 1, 1e6),
    )
    reason = "RC10"
    typologies = ("T04", "T01")
    zh = "金额贴近自动审批上限"
    en = "amount just under the automatic limit"
    advice_zh = "人工复核，独立评估车价，询问贷款金额如何确定。"
    advice_en = "Review by hand, value the car independently, ask how the amount came about."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        ratio = columns["limit_share"]
        just_under = (ratio >= 1 - settings["below"]) & (ratio <= 1) & (columns["automatic"] > 0)
        return just_under & ~(columns["list_price"] % settings["round_to"] <= 0)
