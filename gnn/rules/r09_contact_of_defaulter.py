from __future__ import annotations

from gnn.rules.rule import Cluster, Columns, Flags, Rule, Stage, Strength, Thresholds, people


class ContactOfDefaulter(Rule):
    """The applicant's number is a contact of somebody else whose loan went into default within a year."""

    code = "R09"
    strength = Strength.WEAK
    points = 30
    stage = Stage.NIGHT
    cluster = Cluster.RING
    reads = ("contact_of_defaulters",)
    thresholds = (people("people", low=1),)
    reason = "RC02"
    typologies = ("T01", "T06")
    zh = "申请人是违约人的联系人"
    en = "contact of a defaulter"
    advice_zh = "询问与违约人的关系，核实车辆实际使用人。"
    advice_en = "Ask how the applicant knows the defaulter, and who will really drive the car."

    def holds(self, columns: Columns, settings: Thresholds) -> Flags:
        return columns["contact_of_defaulters"] >= settings["people"]
