from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Threshold, Thresholds, days, share


class GpsSilent(Rule):
    """All units in the car went silent soon after funding, while those of cars funded as long ago still report."""

    code = "R23"
    strength = Strength.WEAK
    points = 40
    stage = Stage.NIGHT
    cluster = Cluster.BEHAVIOUR
    reads = ("gps_ended_days", "gps_silent_hours", "gps_peers_ended", "in_repair")
    exempts = ("in_repair",)
    thresholds = (
        days(),
        Threshold("hours", "hours", 0, 8760),
        share("peers"),
    )
    reason = "RC10"
    typologies = ("T13", "T02")
    zh = "GPS 全部失联"
    en = "all GPS units silent"
    advice_zh = "现场查看，核对第二设备、最后停留点与 ETC 通行记录。"
    advice_en = "Go to see the car; check the second unit, the last stops and the toll records."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        ended = (columns["gps_ended_days"] <= settings["days"]) & (columns["gps_silent_hours"] >= settings["hours"])
        peers_report = columns["gps_peers_ended"] <= settings["peers"]
        return ended & peers_report & ~(columns["in_repair"] > 0)
