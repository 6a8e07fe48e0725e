from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, people


class CarFinancedTwice(Rule):
    """Somebody else, in another deal, has an open application or a running loan on the same car."""

    code = "R02"
    strength = Strength.STRONG
    points = 100
    cluster = Cluster.DOCUMENT
    reads = ("vehicle_conflicts",)
    thresholds = (people("people", low=1),)
    reason = "RC06"
    typologies = ("T03", "T10")
    zh = "一车多贷"
    en = "one car, several loans"
    advice_zh = "查抵押登记、合格证号与发票号，要求提供实车 VIN 照片。"
    advice_en = (
        "Query the mortgage registry, the certificate and invoice numbers, and ask for a photo of the VIN on the car."
    )

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["vehicle_conflicts"] >= settings["people"]
