from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, share


class KnownFraud(Rule):
    """The applicant, or this very deal, was confirmed as fraud within the last year, and the finding stands."""

    code = "R01"
    strength = Strength.STRONG
    points = 100
    cluster = Cluster.IDENTITY
    reads = ("own_fraud",)
    thresholds = (share("evidence"),)
    reason = "RC10"
    typologies = ("T08", "T11")
    zh = "命中已确认欺诈名单"
    en = "on the list of confirmed fraud"
    advice_zh = "调取原结论与证据，核对是否同一人、是否已申诉或撤销；成立则拒绝。"
    advice_en = (
        "Read the earlier finding and its evidence, check that it is the same person and that no appeal is open; "
        "then decline."
    )

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["own_fraud"] >= settings["evidence"]
