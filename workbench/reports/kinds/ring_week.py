"""The week in rings: which are new, which grew, which ended, and the most urgent ones in full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graph.lineage import Kind as Life
from workbench.reports.catalogue import Asked, ReportKind
from workbench.reports.document import Column, Figure, Figures, Kind, Section, Table, Words, section
from workbench.reports.lives import Happened, Lives, State, lives, ordered
from workbench.reports.ring_picture import Drawn, drawn, told_by
from workbench.schedule.slots import Cadence
from workbench.ui.i18n import day, money, number, t
from workbench.ui.viewmodel import sentences
from workbench.ui.viewmodel.case_words import typology

TOP = 6
"""Rings that are told in full."""


@dataclass(frozen=True)
class Facts:
    asked: Asked
    week: Lives
    top: list[tuple[State, dict[str, Any]]]


class RingWeek(ReportKind[Facts]):
    name = "rings"
    cadence = Cadence.WEEKLY

    def title(self) -> str:
        return t("Weekly ring report")

    def about(self) -> str:
        return t("Rings that are new, that grew or ended, and the most urgent ones with picture, reasons and money")

    def gather(self, asked: Asked) -> Facts:
        with asked.services.office.casebook.reading() as db:
            week = lives(db, asked)
        urgent = ordered(week.now.values())[:TOP]
        return Facts(asked, week, [(each, told_by(asked, each.ring_id)) for each in urgent])

    def sections(self, facts: Facts) -> Iterator[Section]:
        week = facts.week
        yield self._overview(week)
        none = _no_runs(week)
        yield section(
            "new",
            t("New rings"),
            _table("new-rings", "", week.born),
            empty=none or t("No ring was found first this week."),
        )
        yield section(
            "grown", t("Rings that grew"), _grown(week), empty=none or t("No ring of before got new members.")
        )
        yield section(
            "ended", t("Rings that ended, joined others or parted"), _ended(week),
            empty=none or t("No ring ended, went into another or parted."),
        )  # fmt: skip
        yield from self._top(facts)

    def counted(self) -> Iterator[str]:
        yield t(
            "A ring is a group of applications that share more than chance explains. Each run names its rings by their "
            "overlap with those of the run before; new, grown and ended are what the runs of this week recorded."
        )
        yield t(
            "Exposure is the amount of all applications of a ring that were not declined or cancelled; savable is the "
            "part of it that was not paid out when the run looked."
        )
        yield t(
            "Scores and typologies are those of the newest run of the week; "
            "what a ring shares is read as of the week's end, also of members that have left the window of the run "
            "by then."
        )

    def _overview(self, week: Lives) -> Section:
        rings = list(week.now.values())
        exposure, savable = sum(one.exposure for one in rings), sum(one.savable for one in rings)
        before = sum(one.exposure for one in week.before.values())
        change = t("{amount} a week before", amount=money(before)) if week.before_as_of else ""
        every = (
            Figure(t("Rings that stand"), len(rings), note=t("{count} before", count=number(len(week.before)))
                   if week.before_as_of else ""),
            Figure(t("New"), len(week.born)),
            Figure(t("Grown"), len(week.grown), note=t("{count} applications joined", count=number(
                sum(each for _, each in week.grown)))),
            Figure(t("Ended, merged or parted"), len(week.ended)),
            Figure(t("Exposure"), exposure, Kind.MONEY, change),
            Figure(t("Still savable"), savable, Kind.MONEY, t("not paid out yet")),
            Figure(t("Applications in rings"), sum(one.size for one in rings)),
            Figure(t("Runs this week"), week.runs, note=t("newest as of {day}", day=day(week.run_as_of))
                   if week.run_as_of else ""),
        )  # fmt: skip
        if week.run_as_of is None:
            return section("overview", t("Overview"), empty=_no_runs(week))
        return section("overview", t("Overview"), Figures(every))

    def _top(self, facts: Facts) -> Iterator[Section]:
        if not facts.top:
            yield section(
                "top",
                t("The most urgent rings"),
                empty=_no_runs(facts.week) or t("No ring stood at the end of the week."),
            )
            return
        listed = _table(
            "top-rings", t("All rings that stand, the most savable money first"), ordered(facts.week.now.values())
        )
        yield section("top", t("The most urgent rings"), listed)
        for state, told in facts.top:
            yield _ring(state, told)


def _no_runs(week: Lives) -> str:
    if week.run_as_of is None:
        return t("No rings had been looked for by then.")
    if not week.runs:
        return t(
            "No run of rings was made as of this week; the newest one before is as of {day}.", day=day(week.run_as_of)
        )
    return ""


def _table(code: str, title: str, states: list[State]) -> Table:
    columns = (
        Column(t("Ring")), Column(t("Kind"), wide=True), Column(t("Score"), Kind.SCORE),
        Column(t("Members"), Kind.COUNT), Column(t("Exposure"), Kind.MONEY), Column(t("Savable"), Kind.MONEY),
    )  # fmt: skip
    return Table(
        code, title, columns,
        tuple((one.ring_id, typology(one.typology), one.score, one.size, one.exposure, one.savable) for one in states),
    )  # fmt: skip


def _grown(week: Lives) -> Table:
    columns = (
        Column(t("Ring")), Column(t("Kind"), wide=True), Column(t("Joined"), Kind.COUNT),
        Column(t("Members"), Kind.COUNT), Column(t("Score"), Kind.SCORE),
        Column(t("Exposure"), Kind.MONEY), Column(t("Savable"), Kind.MONEY),
    )  # fmt: skip
    rows = tuple(
        (one.ring_id, typology(one.typology), joined, one.size, one.score, one.exposure, one.savable)
        for one, joined in week.grown
    )
    return Table("grown-rings", "", columns, rows)


def _ended(week: Lives) -> Table:
    columns = (
        Column(t("Ring")), Column(t("What happened"), wide=True), Column(t("As of"), Kind.DATE),
        Column(t("Members before"), Kind.COUNT), Column(t("Exposure before"), Kind.MONEY),
    )  # fmt: skip
    rows = tuple((one.ring_id, _became(what), what.as_of, one.size, one.exposure) for one, what in week.ended)
    return Table("ended-rings", "", columns, rows)


def _became(what: Happened) -> str:
    if what.kind is Life.MERGE:
        return t("went into {ring}", ring=what.other)
    if what.kind is Life.SPLIT:
        return t("parted; {ring} came of it", ring=what.other)
    return t("no group carries it on")


def _ring(state: State, told: dict[str, Any]) -> Section:
    picture: Drawn = drawn(told, state.ring_id)
    reasons = [sentences.said(state.because), *(sentences.said(each) for each in told["signs"])]
    reasons += [sentences.said(each) for each in told["doubts"]]
    figures = Figures(
        (
            Figure(t("Members"), state.size),
            Figure(t("Exposure"), state.exposure, Kind.MONEY),
            Figure(t("Still savable"), state.savable, Kind.MONEY),
            Figure(t("Score"), state.score, Kind.SCORE, typology(state.typology)),
        )
    )
    columns = (
        Column(t("No.")),
        Column(t("What is shared"), wide=True),
        Column(t("As")),
        Column(t("Held by"), Kind.COUNT),
    )
    shared = Table(f"shared-{state.ring_id}", "", columns, picture.things)
    return section(
        f"ring-{state.ring_id}", t("Ring {ring}", ring=state.ring_id),
        figures, Words(tuple(reasons), listed=True), picture.picture, shared,
    )  # fmt: skip
