from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Thresholds, people


class OneVoice(Rule):
    """One voice, beyond doubt, answered as the applicant of several unrelated people."""

    code = "R05"
    strength = Strength.STRONG
    points = 100
    stage = Stage.NIGHT
    cluster = Cluster.IDENTITY
    reads = ("voice_people_90d",)
    thresholds = (people(),)
    reason = "RC09"
    typologies = ("T07", "T01")
    zh = "同一声纹代答多人"
    en = "one voice for several applicants"
    advice_zh = "用运营商核实的号码回拨，请厂商复核声纹，提只有本人知道的问题。"
    advice_en = (
        "Call back on the operator-verified number, have the vendor compare the voices, ask what only the "
        "applicant knows."
    )

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["voice_people_90d"] >= settings["people"] - 1
