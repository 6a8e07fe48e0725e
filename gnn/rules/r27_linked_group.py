from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, count, people


class LinkedGroup(Rule):
    """Several strangers within 120 days share things of two independent kinds with each other through the applicant."""

    code = "R27"
    strength = Strength.WEAK
    points = 50
    cluster = Cluster.RING
    reads = ("group_people_120d", "group_kinds_120d", "of_fleet")
    exempts = ("of_fleet",)
    thresholds = (
        people(low=3),
        count("kinds", "kinds", low=2),
    )
    reason = "RC10"
    typologies = ("T08", "T01", "T05")
    zh = "多维关联团伙"
    en = "group linked in several ways"
    advice_zh = "画出角色与时间线，冻结在途进件，通知车商管理人员并上报。"
    advice_en = "Draw roles and timeline, hold pending applications, tell the dealer's manager, escalate."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        linked = (columns["group_people_120d"] >= settings["people"] - 1) & ~(columns["of_fleet"] > 0)
        return linked & (columns["group_kinds_120d"] >= settings["kinds"])
