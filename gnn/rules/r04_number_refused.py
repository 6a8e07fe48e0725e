from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Strength, Thresholds


class NumberRefused(Rule):
    """The resident ID number did not pass its checksum or could not be read, so the person is known by the
    lender's number alone.
    """

    code = "R04"
    strength = Strength.REVIEW
    points = 60
    cluster = Cluster.IDENTITY
    reads = ("id_number_refused",)
    reason = "RC09"
    typologies = ("T12",)
    zh = "身份证号校验不通过"
    en = "ID number refused"
    advice_zh = "人工重新录入证件号码；仍不通过则核验证件原件与公安信息。"
    advice_en = (
        "Type the number in again from the document; if it is refused again, check the document and the public-"
        "security record."
    )

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:  # noqa: ARG002
        return columns["id_number_refused"] > 0
