from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds, share


class FaceNotMatched(Rule):
    """The face or liveness check came out below the vendor's threshold."""

    code = "R03"
    strength = Strength.REVIEW
    points = 60
    cluster = Cluster.IDENTITY
    reads = ("face_score", "liveness_score")
    either = ("face_score", "liveness_score")
    thresholds = (
        share("face"),
        share("liveness"),
    )
    reason = "RC09"
    typologies = ("T11", "T21")
    zh = "人脸或活体未通过"
    en = "face or liveness check failed"
    advice_zh = "重新活体检测；仍不通过则当面核验证件与本人。"
    advice_en = "Repeat the liveness check; if it fails again, see the person and the document together."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return (columns["face_score"] < settings["face"]) | (columns["liveness_score"] < settings["liveness"])
