from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, count


class SeveralDealers(Rule):
    """The applicant, and people who share a phone, device, home, payer or car, used several dealers within a month."""

    code = "R12"
    strength = Strength.WEAK
    points = 25
    cluster = Cluster.CHANNEL
    reads = ("near_dealers_30d",)
    thresholds = (count("dealers", "dealers", low=2),)
    reason = "RC05"
    typologies = ("T08", "T14")
    zh = "短期内涉及多家车商"
    en = "several dealers in thirty days"
    advice_zh = "询问换店原因，比对各店的车型、报价与经办人。"
    advice_en = "Ask why the shop was changed; compare cars, prices and salespeople."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["near_dealers_30d"] >= settings["dealers"]
