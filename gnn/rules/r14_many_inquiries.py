from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, count


class ManyInquiries(Rule):
    """Many lenders were asked for credit within ninety days."""

    code = "R14"
    strength = Strength.WEAK
    points = 20
    cluster = Cluster.BEHAVIOUR
    reads = ("inquiries_90d",)
    thresholds = (count("inquiries", "inquiries"),)
    reason = "RC05"
    typologies = ("T14", "T01")
    zh = "近期信贷查询过多"
    en = "many credit inquiries"
    advice_zh = "询问查询原因与其他在途贷款。"
    advice_en = "Ask for the reasons of the inquiries and for other loans under way."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["inquiries_90d"] >= settings["inquiries"]
