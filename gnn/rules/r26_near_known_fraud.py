from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Thresholds, share


class NearKnownFraud(Rule):
    """Among the applications of its weeks this one is closest, along the links, to those known as fraud."""

    code = "R26"
    strength = Strength.WEAK
    points = 30
    stage = Stage.NIGHT
    cluster = Cluster.RING
    reads = ("pagerank_percentile",)
    thresholds = (share("percentile"),)
    reason = "RC10"
    typologies = ("T08",)
    zh = "与已知欺诈关联紧密"
    en = "close to known fraud"
    advice_zh = "沿关联路径查看共用实体，与已确认案件比对角色。"
    advice_en = "Follow the path of shared things to the confirmed cases and compare the roles."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["pagerank_percentile"] > settings["percentile"]
