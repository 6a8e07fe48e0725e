from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, people


class SharedTemplate(Rule):
    """One document template was used by several applicants of different employers within ninety days."""

    code = "R28"
    strength = Strength.WEAK
    points = 40
    cluster = Cluster.DOCUMENT
    reads = ("template_people_90d",)
    thresholds = (people(),)
    reason = "RC08"
    typologies = ("T05", "T16")
    zh = "材料模板被多人使用"
    en = "document template reused"
    advice_zh = "比对 PDF 元数据与模板，向单位公开电话核实材料。"
    advice_en = "Compare PDF metadata and layout; verify the papers with the employer on a public number."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["template_people_90d"] >= settings["people"] - 1
