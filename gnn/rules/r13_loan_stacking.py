from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, count


class LoanStacking(Rule):
    """Within seven days several institutions were asked for loans on different cars."""

    code = "R13"
    strength = Strength.REVIEW
    points = 60
    cluster = Cluster.BEHAVIOUR
    reads = ("institutions_7d", "inquired_cars_7d")
    thresholds = (
        count("institutions", "institutions", low=2),
        count("cars", "cars", low=2),
    )
    reason = "RC05"
    typologies = ("T14",)
    zh = "多头抢贷"
    en = "loan stacking"
    advice_zh = "核对各笔查询的车辆与车商：同车为比价，不同车为抢贷；要求当面说明。"
    advice_en = (
        "Compare car and dealer of each inquiry: one car is rate shopping, several are stacking; ask for an "
        "explanation in person."
    )

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return (columns["institutions_7d"] >= settings["institutions"]) & (
            columns["inquired_cars_7d"] >= settings["cars"]
        )
