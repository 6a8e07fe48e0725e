from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Thresholds, people


class SimilarVoice(Rule):
    """One voice, by the vendor's lower threshold or in any role, was heard in calls for several unrelated people."""

    code = "R05b"
    strength = Strength.WEAK
    points = 40
    stage = Stage.NIGHT
    cluster = Cluster.IDENTITY
    reads = ("voice_similar_people_90d",)
    thresholds = (people(),)
    reason = "RC09"
    typologies = ("T07",)
    zh = "相似声纹出现在多人电核中"
    en = "similar voice in calls for several people"
    advice_zh = "人工听录音比对；确认代答后对同一声纹的全部进件回拨。"
    advice_en = "Listen to the recordings side by side; if it is one voice, call back every applicant it answered for."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["voice_similar_people_90d"] >= settings["people"] - 1
