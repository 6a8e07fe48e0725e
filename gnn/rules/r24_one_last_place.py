from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Thresholds, count


class OneLastPlace(Rule):
    """Cars of several unrelated people were last seen at one place within thirty days and have been silent since."""

    code = "R24"
    strength = Strength.STRONG
    points = 100
    stage = Stage.NIGHT
    cluster = Cluster.BEHAVIOUR
    reads = ("place_cars_30d",)
    thresholds = (count("cars", "cars", low=2),)
    reason = "RC10"
    typologies = ("T13", "T02")
    zh = "多车最后位置重合"
    en = "several cars last seen at one place"
    advice_zh = "现场排查是否二押车场，核对最后停留点并报备处置。"
    advice_en = "Visit the place: is it a yard of second pledges? Compare the last stops, and report it."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["place_cars_30d"] >= settings["cars"]
