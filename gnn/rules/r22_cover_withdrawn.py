from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Thresholds, days


class CoverWithdrawn(Rule):
    """The insurance was cancelled and not replaced, or the invoice reversed and not issued again, within a
    month of funding.
    """

    code = "R22"
    strength = Strength.STRONG
    points = 100
    stage = Stage.NIGHT
    cluster = Cluster.BEHAVIOUR
    reads = ("days_to_uninsured", "days_to_uninvoiced")
    either = ("days_to_uninsured", "days_to_uninvoiced")
    thresholds = (days(),)
    reason = "RC08"
    typologies = ("T23", "T02")
    zh = "放款后退保或发票冲红"
    en = "insurance cancelled or invoice reversed"
    advice_zh = "在税务平台查发票状态，向保险公司查保单；联系客户看车。"
    advice_en = "Query the invoice on the tax platform and the policy with the insurer; see the car."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return (columns["days_to_uninsured"] <= settings["days"]) | (columns["days_to_uninvoiced"] <= settings["days"])
