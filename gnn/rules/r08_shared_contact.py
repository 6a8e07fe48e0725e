from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, people


class SharedContact(Rule):
    """One contact number was given by several applicants of different households within ninety days."""

    code = "R08"
    strength = Strength.WEAK
    points = 35
    cluster = Cluster.RING
    reads = ("contact_90d",)
    thresholds = (people(),)
    reason = "RC02"
    typologies = ("T01", "T05", "T08")
    zh = "联系人电话被多人使用"
    en = "contact number reused"
    advice_zh = "致电联系人，问其与每位申请人的关系，核对是否为商户号码。"
    advice_en = "Call the contact and ask how each applicant is known; check whether the number is a business's."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["contact_90d"] >= settings["people"] - 1
