"""The day in one place: what came in, what was found, what is at stake, what waits, and whether scores moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from graph.records import DAY, Ints
from workbench.reports import casework, charts
from workbench.reports.case_ages import age_names, ages, case_figures
from workbench.reports.casework import Standing
from workbench.reports.catalogue import Asked, ReportKind
from workbench.reports.dealer_rows import DealerLine, jump_words, lines_of
from workbench.reports.document import Column, Figure, Figures, Kind, Section, Table, Words, section
from workbench.reports.drift import BEFORE, RECENT, drift
from workbench.reports.ground import Ground
from workbench.reports.lives import Lives, lives
from workbench.reports.scored import Scored, scored
from workbench.schedule.slots import Cadence
from workbench.ui.i18n import day, money, number, t
from workbench.ui.viewmodel.case_words import DECISION, of, typology
from workbench.ui.viewmodel.regions import province

DRAWN = 28
"""Days of applications and alerts that are drawn."""

USUAL_WEEKS = 8
SOME = 12


@dataclass(frozen=True)
class Facts:
    asked: Asked
    ground: Ground
    today: Lives
    scored: Scored
    alerts: Scored
    dealers: list[DealerLine]
    cases: list[Standing]
    waiting: int


class Daily(ReportKind[Facts]):
    name = "daily"
    cadence = Cadence.DAILY

    def title(self) -> str:
        return t("Daily risk report")

    def about(self) -> str:
        return t("New clusters, growth, alerts, dealers, regions, backlog, drift and money at stake of a day")

    def gather(self, asked: Asked) -> Facts:
        ground = Ground.of(asked)
        since = ground.moment.known - (RECENT + BEFORE)
        with asked.services.office.casebook.reading() as db:
            today, found = lives(db, asked), scored(db, ground, since=since)
            cases, told = casework.cases_at(db, asked.as_of), casework.labels_by(db, asked.as_of)
        alerts = found.only(np.isin(found.decision, ("review", "decline")))
        waiting = len(casework.unconfirmed(told))
        return Facts(asked, ground, today, found, alerts, lines_of(ground), cases, waiting)

    def sections(self, facts: Facts) -> Iterator[Section]:
        yield self._overview(facts)
        yield self._new(facts)
        yield self._grown(facts)
        yield self._alerts(facts)
        yield self._dealers(facts)
        yield self._regions(facts)
        yield self._backlog(facts)
        yield drift(facts.scored, facts.ground.moment.known)
        yield self._money(facts)

    def counted(self) -> Iterator[str]:
        yield t(
            "A day is one of China, from midnight to midnight. Nothing that became known after it is in this report."
        )
        yield t(
            "An alert is an application that was to be reviewed or declined. Only the newest score of each "
            "application is kept: one that was scored again later counts on that later day."
        )
        yield t(
            "New and grown clusters are what the runs as of this day recorded. Exposure: applications that "
            "were not declined or cancelled. Savable: the part that is not paid out yet."
        )
        yield t(
            "Cases are counted by what had been entered on them by the end of the day, by the clock of those who "
            "worked on them, whatever the dates of the applications."
        )
        yield t("Usual of a province: its mean of the same weekday in the eight weeks before.")

    # Sections ----------------------------------------------------------------------------------------------

    def _overview(self, facts: Facts) -> Section:
        ground, alerts = facts.ground, _today(facts.alerts, facts)
        within = ground.within
        amount = float(ground.each.amount[within].sum())
        rings = facts.today.now.values()
        usual = _by_day(facts, ground.there)[:-1].mean()
        every = (
            Figure(t("Applications"), int(within.sum()), note=t("{count} a day in the four weeks before",
                   count=number(float(usual), 1))),
            Figure(t("Amount applied for"), amount, Kind.MONEY),
            Figure(t("Alerts"), len(alerts), note=_decided(alerts)),
            Figure(t("New clusters"), len(facts.today.born)),
            Figure(t("Clusters that grew"), len(facts.today.grown)),
            Figure(t("Exposure in rings"), sum(one.exposure for one in rings), Kind.MONEY),
            Figure(t("Still savable"), sum(one.savable for one in rings), Kind.MONEY, t("not paid out yet")),
            Figure(t("Open cases"), sum(not one.closed for one in facts.cases)),
        )  # fmt: skip
        nothing = t("No application was submitted on this day.") if not within.any() else ""
        counts = _by_day(facts, ground.there)
        drawn = charts.bars(
            _labels(facts), [counts.tolist()], [t("Applications")],
            alt=t("Applications a day, of the {count} days up to this one.", count=DRAWN),
        )  # fmt: skip
        return section("overview", t("Overview"), Words((nothing,) if nothing else ()), Figures(every), drawn)

    def _new(self, facts: Facts) -> Section:
        columns = (
            Column(t("Ring")), Column(t("Kind"), wide=True), Column(t("Score"), Kind.SCORE),
            Column(t("Members"), Kind.COUNT), Column(t("Exposure"), Kind.MONEY), Column(t("Savable"), Kind.MONEY),
        )  # fmt: skip
        rows = tuple(
            (one.ring_id, typology(one.typology), one.score, one.size, one.exposure, one.savable)
            for one in facts.today.born
        )
        table = Table("new-clusters", "", columns, rows)
        return section(
            "new", t("New clusters"), table, empty=_no_runs(facts) or t("No cluster was found first on this day.")
        )

    def _grown(self, facts: Facts) -> Section:
        columns = (
            Column(t("Ring")), Column(t("Kind"), wide=True), Column(t("Joined"), Kind.COUNT),
            Column(t("Members"), Kind.COUNT), Column(t("Exposure"), Kind.MONEY), Column(t("Savable"), Kind.MONEY),
        )  # fmt: skip
        rows = tuple(
            (one.ring_id, typology(one.typology), joined, one.size, one.exposure, one.savable)
            for one, joined in facts.today.grown
        )
        table = Table("grown-clusters", "", columns, rows)
        return section(
            "grown", t("Clusters that grew"), table, empty=_no_runs(facts) or t("No cluster got new members.")
        )

    def _alerts(self, facts: Facts) -> Section:
        """Of the day, and day by day."""
        told, alerts = _today(facts.scored, facts), _today(facts.alerts, facts)
        decisions = told.decisions()
        columns = (
            Column(t("Decision"), wide=True),
            Column(t("Applications"), Kind.COUNT),
            Column(t("Share"), Kind.SHARE),
        )
        rows = tuple((of(DECISION, name), count, count / len(told)) for name, count in decisions.most_common())
        reasons = Counter(each for some in alerts.reasons for each in some)
        why = Table(
            "reasons", t("Reasons of the alerts"),
            (Column(t("Reason"), wide=True), Column(t("Alerts"), Kind.COUNT), Column(t("Share"), Kind.SHARE)),
            tuple((name, count, count / len(alerts)) for name, count in reasons.most_common(SOME)),
        )  # fmt: skip
        last = facts.ground.moment.known + 1
        stacks = [
            _per_day(facts.alerts.at[facts.alerts.decision == name], last).tolist() for name in ("decline", "review")
        ]
        drawn = charts.bars(
            _labels(facts), stacks, [of(DECISION, "decline"), of(DECISION, "review")],
            alt=t("Alerts a day, of the {count} days up to this one.", count=DRAWN),
        )  # fmt: skip
        answered = Table("decisions", t("Answers of the day"), columns, rows)
        empty = t("Nothing was scored as of this day, nor in the four weeks before.")
        return section("alerts", t("Alerts and decisions"), drawn, answered, why, empty=empty)

    def _dealers(self, facts: Facts) -> Section:
        some = [one for one in facts.dealers if one.alert or one.jumped or one.today_in_rings]
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

    def _regions(self, facts: Facts) -> Section:
        ground = facts.ground
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
        note = t(
            "By the dealer's province. Whether a difference is more than chance says the weekly report on regions."
        )
        table = Table("regions", "", columns, tuple(rows), note)
        return section(
            "regions", t("Regions"), table, empty=t("No application of a known region in the last nine weeks.")
        )

    def _backlog(self, facts: Facts) -> Section:
        if not facts.cases:
            return section("backlog", t("Backlog"), empty=t("No case had been opened by the end of this day."))
        waiting = Figure(t("Labels that wait for a second person"), facts.waiting)
        counted = ages([one for one in facts.cases if not one.closed], facts.asked.as_of)
        columns = (Column(t("Age"), wide=True), Column(t("Open cases"), Kind.COUNT))
        table = Table("ages", "", columns, tuple(zip(age_names(), counted, strict=True)))
        return section("backlog", t("Backlog"), Figures((*case_figures(facts.cases, facts.asked), waiting)), table)

    def _money(self, facts: Facts) -> Section:
        rings = facts.today.now.values()
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
        before = sum(one.exposure for one in facts.today.before.values())
        note = (
            t(
                "Before this day ({day}) the exposure was {amount}.",
                day=day(facts.today.before_as_of),
                amount=money(before),
            )
            if facts.today.before_as_of
            else ""
        )
        table = Table("money", "", columns, tuple(rows), note)
        return section("money", t("Money at stake in rings"), table, empty=t("No ring stood at the end of this day."))


def _no_runs(facts: Facts) -> str:
    if facts.today.runs:
        return ""
    if facts.today.run_as_of is None:
        return t("No rings had been looked for by then.")
    return t(
        "No run of rings was made as of this day; the newest one before is as of {day}.", day=day(facts.today.run_as_of)
    )


def _today(some: Scored, facts: Facts) -> Scored:
    return some.only(some.at >= facts.ground.start)


def _decided(alerts: Scored) -> str:
    told: Mapping[str, int] = alerts.decisions()
    return " · ".join(f"{of(DECISION, name)} {number(count)}" for name, count in sorted(told.items()))


def _by_day(facts: Facts, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Ints:
    back = facts.ground.days_back()
    within = kept & (back >= 0) & (back < DRAWN)
    return np.bincount(DRAWN - 1 - back[within], minlength=DRAWN)


def _per_day(at: Ints, end: int) -> Ints:
    back = (end - 1 - at) // DAY
    return np.bincount(DRAWN - 1 - back[(back >= 0) & (back < DRAWN)], minlength=DRAWN)


def _labels(facts: Facts) -> Sequence[str]:
    last = facts.asked.slot.start
    return [f"{last - timedelta(days=DRAWN - 1 - at):%m-%d}" for at in range(DRAWN)]


def _provinces(ground: Ground) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
    """Per application its dealer's two digits, "" for none."""
    regions = ground.facts.snapshot.nodes["Dealer"].table["region"].to_pylist()
    codes = np.array([*((each or "")[:2] for each in regions), ""], dtype=np.str_)
    return codes[ground.each.dealer]
