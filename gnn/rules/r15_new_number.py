from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, months


class NewNumber(Rule):
    """The phone number is not the one reserved at the bank, and it is only a few months old."""

    code = "R15"
    strength = Strength.WEAK
    points = 20
    cluster = Cluster.IDENTITY
    reads = ("reserved_phone_match", "phone_tenure_months")
    thresholds = (months(),)
    reason = "RC03"
    typologies = ("T11", "T01")
    zh = "非预留手机号且在网时间短"
    en = "new number that is not the reserved one"
    advice_zh = "拨打银行预留号码联系本人，重做活体检测并核对签名。"
    advice_en = "Reach the person on the reserved number, repeat the liveness check, compare the signature."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return (columns["reserved_phone_match"] <= 0) & (columns["phone_tenure_months"] < settings["months"])
