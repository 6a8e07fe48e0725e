from __future__ import annotations

import numpy as np

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Threshold, Thresholds


class PlatedElsewhere(Rule):
    """The car was plated in a city where the buyer neither lives, works nor was registered, nor bought it."""

    code = "R20"
    strength = Strength.WEAK
    points = 15
    stage = Stage.NIGHT
    cluster = Cluster.BEHAVIOUR
    reads = ("plate_elsewhere", "home_city")
    exempts = ("home_city",)
    thresholds = (Threshold("lottery_cities", "first four digits of GB/T 2260", 1100, 6599, whole=True, many=True),)
    reason = "RC10"
    typologies = ("T22", "T02", "T26")
    zh = "异地上牌"
    en = "plated away from home, work and dealer"
    advice_zh = "向车管所核实登记与抵押，询问异地上牌原因。"
    advice_en = "Ask the vehicle registry about title and mortgage, and the buyer for the reason."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return (columns["plate_elsewhere"] > 0) & ~np.isin(columns["home_city"], settings["lottery_cities"])
