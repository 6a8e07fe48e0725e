from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, people


class MobileWorkPhone(Rule):
    """A mobile or virtual number is the work phone of several unrelated applicants."""

    code = "R10"
    strength = Strength.WEAK
    points = 30
    cluster = Cluster.DOCUMENT
    reads = ("work_phone_90d", "work_phone_mobile", "work_phone_virtual")
    either = ("work_phone_mobile", "work_phone_virtual")
    thresholds = (people(),)
    reason = "RC04"
    typologies = ("T05", "T16")
    zh = "多人共用手机号作单位电话"
    en = "mobile work phone shared"
    advice_zh = "通过公开渠道查单位电话并致电，核对社保与个税。"
    advice_en = "Call the employer on a publicly listed number; check social security and tax."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        mobile = (columns["work_phone_mobile"] > 0) | (columns["work_phone_virtual"] > 0)
        return mobile & (columns["work_phone_90d"] >= settings["people"] - 1)
