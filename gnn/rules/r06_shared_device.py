from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, people


class SharedDevice(Rule):
    """One device, several unrelated applicants within thirty days."""

    code = "R06"
    strength = Strength.WEAK
    points = 40
    cluster = Cluster.RING
    reads = ("device_30d",)
    thresholds = (people(),)
    reason = "RC01"
    typologies = ("T08", "T21", "T01")
    zh = "设备被多名申请人共用"
    en = "device shared by several applicants"
    advice_zh = "查看设备属性与定位是否为门店；逐一视频核实申请人。"
    advice_en = (
        "See whether the device belongs to a shop, by its attributes and place; video-call the applicants one by one."
    )

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["device_30d"] >= settings["people"] - 1
