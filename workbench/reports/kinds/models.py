"""Whether models are well: did scores and inputs move, do scores mean what they say, how much of the top is fraud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gnn.evaluation import rows
from gnn.evaluation.monitor import SHIFTED
from graph.records import DAY, to_millis
from workbench.reports import charts
from workbench.reports.catalogue import Asked, ReportKind
from workbench.reports.document import Column, Figure, Figures, Kind, Picture, Section, Table, Words, section
from workbench.reports.drift import drift
from workbench.reports.ground import Ground
from workbench.reports.inputs import BEFORE_DAYS, RECENT_DAYS, Moved, moved
from workbench.reports.scored import Scored, scored
from workbench.schedule.slots import Cadence
from workbench.services.health import Health
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel.case_words import DECISION, of
from workbench.ui.viewmodel.properties import name as named
from workbench.ui.viewmodel.why_words import DEGRADED

JUDGED_DAYS, MATURE_DAYS = 180, 30
ENOUGH = 100
FEWEST_FRAUDS = 5
"""Below so many known frauds nothing can be measured."""

BY_READERS = (1, 2, 5, 10, 20)


@dataclass(frozen=True)
class Judged:
    """Scored applications that are old enough to be judged, with what was known by then. `day` of China.
    `taught`: of how many the model that scored them had learned already."""

    score: np.ndarray[tuple[int], np.dtype[np.float64]]
    fraud: np.ndarray[tuple[int], np.dtype[np.bool_]]
    day: np.ndarray[tuple[int], np.dtype[np.int64]]
    taught: int

    @property
    def measurable(self) -> bool:
        return len(self.score) >= ENOUGH and int(self.fraud.sum()) >= FEWEST_FRAUDS


@dataclass(frozen=True)
class Facts:
    asked: Asked
    scored: Scored
    judged: Judged
    inputs: Sequence[Moved]
    health: Health
    known: int


class Models(ReportKind[Facts]):
    name = "models"
    cadence = Cadence.WEEKLY

    def title(self) -> str:
        return t("Model health and drift")

    def about(self) -> str:
        return t("Drift of scores and inputs, calibration, precision beside its ceiling, degraded answers, versions")

    def gather(self, asked: Asked) -> Facts:
        ground = Ground.of(asked)
        since = ground.moment.known - JUDGED_DAYS * DAY
        with asked.services.office.casebook.reading() as db:
            found = scored(db, ground, since=since)
        health = asked.services.health.health(asked.who)
        return Facts(asked, found, _judged(found, ground, health), moved(ground), health, ground.moment.known)

    def sections(self, facts: Facts) -> Iterator[Section]:
        week = facts.scored.only(facts.scored.at > facts.known - 7 * DAY)
        nothing = t("Nothing was scored as of the last {days} days of this week.", days=JUDGED_DAYS)
        yield section("overview", t("Overview"), _overview(facts, week) if len(facts.scored) else None, empty=nothing)
        yield drift(facts.scored, facts.known, spread=True)
        yield section(
            "inputs", t("Drift of what comes in"), _inputs(facts.inputs),
            empty=t("Too few applications of the last {recent} days, or of the {before} days before, to compare.",
                    recent=RECENT_DAYS, before=BEFORE_DAYS),
        )  # fmt: skip
        few = t(
            "Too little is known to measure: {scored} scored applications old enough to be judged, {frauds} of them "
            "known to be fraud; it takes {least} and {least_frauds}.",
            scored=number(len(facts.judged.score)), frauds=number(int(facts.judged.fraud.sum())), least=ENOUGH,
            least_frauds=FEWEST_FRAUDS,
        )  # fmt: skip
        able = facts.judged.measurable
        calibration = (_learned(facts.judged), *_calibration(facts.judged)) if able else ()
        yield section("calibration", t("Calibration by decile"), *calibration, empty=few)
        precision = (_learned(facts.judged), _precision(facts.judged)) if able else ()
        yield section("precision", t("Precision of the top of each day"), *precision, empty=few)
        yield section(
            "answers", t("Answers of the week"), _answers(week), empty=t("Nothing was scored as of this week.")
        )
        yield _degraded(facts)
        yield section(
            "versions", t("Versions, as they stand now"), *_versions(facts), empty=t("No model was ever published.")
        )

    def counted(self) -> Iterator[str]:
        yield t(
            "Population stability index: below 0.1 nothing moved, above 0.25 it is beyond what is customary. It says "
            "that something changed, not that it is worse."
        )
        yield t(
            "Judged are applications scored {mature} to {days} days before the end of the week; fraud is what had been "
            "confirmed by then, so newer days look better than they are.",
            mature=MATURE_DAYS, days=JUDGED_DAYS,
        )  # fmt: skip
        yield t(
            "Precision of the top K a day cannot exceed its ceiling: on a day with 2 frauds the best 10 hold at most "
            "20 %. Lift is precision to the share of fraud among all."
        )
        yield t(
            "Only the newest score of each application is kept. Versions and degraded answers are told as of the "
            "making of this report: nobody keeps how they stood before."
        )


def _judged(found: Scored, ground: Ground, health: Health) -> Judged:
    old = (found.at <= ground.moment.known - MATURE_DAYS * DAY) & (found.row >= 0) & np.isfinite(found.score)
    some = found.only(old)
    ends = {one.version: to_millis(one.trained_until) for one in health.versions if one.trained_until}
    until = np.array([ends.get(each, 0) for each in some.version.tolist()], dtype=np.int64)
    return Judged(some.score, ground.each.fraud[some.row], some.day, int((some.at <= until).sum()))


def _learned(judged: Judged) -> Words:
    """Nothing where all were new to their model."""
    if not judged.taught:
        return Words(())
    said = t(
        "{count} of the {all} that are judged were submitted before the training of their model ended. "
        "On those a model looks better than it is on new ones.",
        count=number(judged.taught), all=number(len(judged.score)),
    )  # fmt: skip
    return Words((said,))


def _overview(facts: Facts, week: Scored) -> Figures:
    judged = facts.judged
    alerts = int(np.isin(week.decision, ("review", "decline")).sum())
    readers = rows.investigators(judged.day) if judged.measurable else 0
    measured = rows.precision_at(judged.score, judged.fraud, judged.day, readers) if readers else (float("nan"),) * 3
    return Figures((
        Figure(t("Scored this week"), len(week)),
        Figure(t("Alerts this week"), alerts),
        Figure(t("Share alerted"), alerts / len(week) if len(week) else None, Kind.SHARE),
        Figure(t("Known fraud among those judged"), int(judged.fraud.sum()),
               note=t("of {count} scored", count=number(len(judged.score)))),
        Figure(t("Precision of the top {count} a day", count=readers or 1), measured[0], Kind.SHARE,
               t("ceiling {share}", share=_percent(measured[1]))),
        Figure(t("Lift"), measured[2], Kind.NUMBER, t("to the share of fraud among all")),
    ))  # fmt: skip


def _percent(value: float) -> str:
    return f"{number(100 * value, 1)}%" if np.isfinite(value) else "–"


def _inputs(told: Sequence[Moved]) -> Table:
    columns = (
        Column(t("Field"), wide=True), Column(t("Stability index"), Kind.NUMBER),
        Column(t("Median before"), Kind.NUMBER),
        Column(t("Median now"), Kind.NUMBER), Column(t("Stated"), Kind.SHARE),
    )  # fmt: skip
    table = tuple((named(one.field), one.psi, one.before, one.now, one.stated) for one in told)
    note = t("The last {recent} days beside the {before} days before.", recent=RECENT_DAYS, before=BEFORE_DAYS)
    marked = frozenset(at for at, one in enumerate(told) if one.psi > SHIFTED)
    return Table("inputs", "", columns, table, note, marked)


def _calibration(judged: Judged) -> tuple[Picture, Table]:
    bins = rows.calibration(judged.score, judged.fraud)
    columns = (
        Column(t("Decile"), wide=True), Column(t("Applications"), Kind.COUNT), Column(t("Mean score"), Kind.SHARE),
        Column(t("Fraud seen"), Kind.SHARE), Column(t("Low end"), Kind.SHARE), Column(t("High end"), Kind.SHARE),
    )  # fmt: skip
    table = tuple(
        (str(at), one.seen.of, one.expected, one.seen.value, one.seen.low, one.seen.high)
        for at, one in enumerate(bins, start=1)
    )
    note = t(
        "Mean distance of score and fraud: {share}. Intervals are Wilson's, of 95 %.", share=_percent(rows.ece(bins))
    )
    drawn = charts.lines(
        [str(at) for at in range(1, len(bins) + 1)],
        [[one.expected for one in bins], [one.seen.value for one in bins]], [t("Mean score"), t("Fraud seen")],
        alt=t("Mean score and share of fraud by decile of score."), percent=True,
    )  # fmt: skip
    return drawn, Table("calibration", "", columns, table, note)


def _precision(judged: Judged) -> Table:
    columns = (
        Column(t("The best of a day"), Kind.COUNT), Column(t("Share that is fraud"), Kind.SHARE),
        Column(t("Ceiling"), Kind.SHARE),
        Column(t("Of the ceiling"), Kind.SHARE), Column(t("Lift"), Kind.NUMBER),
    )  # fmt: skip
    own = rows.investigators(judged.day)
    table = []
    for most in sorted({*BY_READERS, own}):
        precision, ceiling, lift = rows.precision_at(judged.score, judged.fraud, judged.day, most)
        table.append((most, precision, ceiling, precision / ceiling if ceiling else None, lift))
    note = t("Means over {days} days. {own} a day is what a desk reads that looks at 1 % of all.",
             days=number(len(np.unique(judged.day))), own=own)  # fmt: skip
    return Table("precision", "", columns, tuple(table), note)


def _answers(week: Scored) -> Table:
    columns = (Column(t("Decision"), wide=True), Column(t("Applications"), Kind.COUNT), Column(t("Share"), Kind.SHARE))
    told = week.decisions().most_common()
    return Table(
        "decisions", "", columns, tuple((of(DECISION, name), count, count / len(week)) for name, count in told)
    )


def _degraded(facts: Facts) -> Section:
    title, told = t("Degraded answers, as of now"), facts.health.answers
    if not told.number:
        return section("degraded", title, empty=t("The score service has not answered yet."))
    columns = (Column(t("Mode"), wide=True), Column(t("Answers"), Kind.COUNT), Column(t("Share"), Kind.SHARE))
    table = tuple((of(DEGRADED, name), count, count / told.number) for name, count in sorted(told.degraded.items()))
    words = t("Of the newest {count} answers of the score service {degraded} were degraded in some way.",
              count=number(told.number), degraded=number(sum(told.degraded.values())))  # fmt: skip
    figures = Figures((Figure(t("Answers looked at"), told.number), Figure(t("Degraded"), sum(told.degraded.values()))))
    return section("degraded", title, figures, Words((words,)), Table("degraded", "", columns, table))


def _versions(facts: Facts) -> tuple[Figures, Table]:
    versions = facts.health.versions
    columns = (
        Column(t("Version"), wide=True), Column(t("Role")), Column(t("Trained until"), Kind.DATE),
        Column(t("Average precision"), Kind.NUMBER), Column(t("Trouble")),
    )  # fmt: skip
    table = tuple(
        (one.version, _role(one.role), one.trained_until, one.metrics.get("pr_auc"), one.trouble) for one in versions
    )
    behind = Figure(t("Entries that the store has not taken"), facts.health.behind)
    return Figures((behind,) if versions else ()), Table("versions", "", columns, table)


def _role(role: str) -> str:
    names = {"champion": t("answers"), "shadow": t("beside, on trial")}
    return names.get(role, role)
