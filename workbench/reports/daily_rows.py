"""Sections of the daily report: dealers to look at, provinces beside what is usual, money at stake."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.reports.dealer_rows import DealerLine, jump_words
from workbench.reports.document import Column, Kind, Section, Table, section
from workbench.reports.ground import Ground
from workbench.reports.lives import Lives
from workbench.ui.i18n import day, money, t
from workbench.ui.viewmodel.case_words import typology
from workbench.ui.viewmodel.regions import province

USUAL_WEEKS = 8


def to_look_at(lines: Sequence[DealerLine]) -> Section:
    some = [one for one in lines if one.alert or one.jumped or one.today_in_rings]
    columns = (
        Column(t("Dealer")), Column(t("Name"), wide=True), Column(t("Today"), Kind.COUNT),
        Column(t("Of them in rings"), Kind.COUNT), Column(t("Fraud, to its peers"), Kind.NUMBER),
        Column(t("Volume")), Column(t("Savable"), Kind.MONEY),
    )  # fmt: skip
    rows = tuple(
        (one.code, one.name, one.today, one.today_in_rings, one.fraud.times, jump_words(one), one.savable)
        for one in some
    )
    marked = frozenset(at for at, one in enumerate(some) if one.alert)
    note = t("Marked: alert R25, more fraud and unpaid first instalments than its region, surely. "
             "Fraud to its peers: 1 is what dealers of its region and type have.")  # fmt: skip
    table = Table("dealers", "", columns, rows, note, marked)
    empty = t("No dealer has an alert, a jump in volume, or an application of this day in a ring.")
    return section("dealers", t("Dealers to look at"), table, empty=empty)


def provinces(ground: Ground) -> Section:
    codes = _provinces(ground)
    back = ground.days_back()
    ringed = ground.each.ring >= 0
    rows = []
    for code in sorted(set(codes[ground.there & (back >= 0) & (back < 7 * (USUAL_WEEKS + 1))].tolist()) - {""}):
        mine = ground.there & (codes == code)
        today = mine & (back == 0)
        usual = float((mine & (back > 0) & (back % 7 == 0) & (back <= 7 * USUAL_WEEKS)).sum()) / USUAL_WEEKS
        rows.append((
            province(code), int(today.sum()), usual, int((today & ringed).sum()),
            float(ground.each.amount[today].sum()),
        ))  # fmt: skip
    rows.sort(key=lambda one: (-one[1], one[0]))
    columns = (
        Column(t("Province"), wide=True), Column(t("Today"), Kind.COUNT), Column(t("Usual"), Kind.NUMBER),
        Column(t("Of them in rings"), Kind.COUNT), Column(t("Amount"), Kind.MONEY),
    )  # fmt: skip
    note = t("By the dealer's province. Whether a difference is more than chance says the weekly report on regions.")
    table = Table("regions", "", columns, tuple(rows), note)
    return section("regions", t("Regions"), table, empty=t("No application of a known region in the last nine weeks."))


def _provinces(ground: Ground) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Per application its dealer's two digits, "" for none."""
    regions = ground.facts.snapshot.nodes["Dealer"].table["region"].to_pylist()
    codes = np.array([*((each or "")[:2] for each in regions), ""], dtype=np.str_)
    return codes[ground.each.dealer]


def at_stake(lives: Lives) -> Section:
    rings = lives.now.values()
    kinds = sorted({one.typology for one in rings})
    rows = []
    for code in kinds:
        mine = [one for one in rings if one.typology == code]
        rows.append((
            typology(code) or t("Not said"), len(mine), sum(one.size for one in mine),
            sum(one.exposure for one in mine), sum(one.savable for one in mine),
        ))  # fmt: skip
    rows.sort(key=lambda one: (-one[4], -one[3], one[0]))
    columns = (
        Column(t("Kind"), wide=True), Column(t("Rings"), Kind.COUNT), Column(t("Applications"), Kind.COUNT),
        Column(t("Exposure"), Kind.MONEY), Column(t("Savable"), Kind.MONEY),
    )  # fmt: skip
    before = sum(one.exposure for one in lives.before.values())
    note = (
        t(
            "Before this day ({day}) the exposure was {amount}.",
            day=day(lives.before_as_of),
            amount=money(before),
        )
        if lives.before_as_of
        else ""
    )
    table = Table("money", "", columns, tuple(rows), note)
    return section("money", t("Money at stake in rings"), table, empty=t("No ring stood at the end of this day."))
