from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds


class VirtualOperator(Rule):
    """The phone number belongs to a virtual operator; it says little, and never anything alone."""

    code = "R16"
    strength = Strength.WEAK
    points = 5
    cluster = Cluster.IDENTITY
    reads = ("phone_virtual",)
    reason = "RC03"
    typologies = ("T11", "T21")
    zh = "虚拟运营商号码"
    en = "virtual-operator number"
    advice_zh = "仅作参考；与其他疑点并存时核实号码实名。"
    advice_en = "For reference only; with other doubts, verify whose number it is."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:  # noqa: ARG002
        return columns["phone_virtual"] > 0
