"""The day in one place: what came in, what was found, what is at stake, what waits, and whether scores moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from gnn.explain import WORDS as REASONS
from graph.records import DAY, Ints
from workbench.reports import casework, charts
from workbench.reports.case_ages import age_names, ages, case_figures
from workbench.reports.casework import Standing
from workbench.reports.catalogue import Asked, ReportKind
from workbench.reports.daily_rows import at_stake, provinces, to_look_at
from workbench.reports.dealer_rows import DealerLine, lines_of
from workbench.reports.document import Column, Figure, Figures, Kind, Section, Table, Words, section
from workbench.reports.drift import BEFORE, RECENT, drift
from workbench.reports.ground import Ground
from workbench.reports.lives import Lives, lives
from workbench.reports.scored import Scored, scored
from workbench.schedule.slots import Cadence
from workbench.ui.i18n import day, language, number, t
from workbench.ui.viewmodel.case_words import DECISION, of, typology

DRAWN = 28
"""Days of applications and alerts that are drawn."""

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
        yield to_look_at(facts.dealers)
        yield provinces(facts.ground)
        yield self._backlog(facts)
        yield drift(facts.scored, facts.ground.moment.known)
        yield at_stake(facts.today)

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
        rings, looked = facts.today.now.values(), facts.today.run_as_of is not None
        exposure, savable = sum(one.exposure for one in rings), sum(one.savable for one in rings)
        usual = _by_day(facts, ground.there)[:-1].mean()
        every = (
            Figure(t("Applications"), int(within.sum()), note=t("{count} a day in the four weeks before",
                   count=number(float(usual), 1))),
            Figure(t("Amount applied for"), amount, Kind.MONEY),
            Figure(t("Alerts"), len(alerts), note=_decided(alerts)),
            Figure(t("New clusters"), len(facts.today.born) if looked else None),
            Figure(t("Clusters that grew"), len(facts.today.grown) if looked else None),
            Figure(t("Exposure in rings"), exposure if looked else None, Kind.MONEY),
            Figure(t("Still savable"), savable if looked else None, Kind.MONEY, t("not paid out yet")),
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
            tuple((_reason(name), count, count / len(alerts)) for name, count in reasons.most_common(SOME)),
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

    def _backlog(self, facts: Facts) -> Section:
        if not facts.cases:
            return section("backlog", t("Backlog"), empty=t("No case had been opened by the end of this day."))
        waiting = Figure(t("Labels that wait for a second person"), facts.waiting)
        counted = ages([one for one in facts.cases if not one.closed], facts.asked.as_of)
        columns = (Column(t("Age"), wide=True), Column(t("Open cases"), Kind.COUNT))
        table = Table("ages", "", columns, tuple(zip(age_names(), counted, strict=True)))
        return section("backlog", t("Backlog"), Figures((*case_figures(facts.cases, facts.asked), waiting)), table)


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


def _reason(code: str) -> str:
    """The code, and what it means to an investigator."""
    words = REASONS.get(code)
    if words is None:
        return code
    return f"{code} {words.investigator.zh if language.get() == 'zh' else words.investigator.en}"


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
