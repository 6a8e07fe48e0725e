from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Thresholds, days


class PassedOn(Rule):
    """The car passed to somebody else within a month of funding, without the loan being paid off."""

    code = "R21"
    strength = Strength.STRONG
    points = 100
    stage = Stage.NIGHT
    cluster = Cluster.BEHAVIOUR
    reads = ("days_to_passed_on", "paid_off")
    exempts = ("paid_off",)
    thresholds = (days(),)
    reason = "RC10"
    typologies = ("T02", "T10", "T26")
    zh = "放款后短期过户"
    en = "car passed on soon after funding"
    advice_zh = "追查过户链、转卖价与收款账户，调二手车发票；核实抵押。"
    advice_en = (
        "Follow the title chain, the resale price and the receiving account, get the used-car invoice; check the "
        "mortgage."
    )

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return (columns["days_to_passed_on"] <= settings["days"]) & ~(columns["paid_off"] > 0)
