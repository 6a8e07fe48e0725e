"""What waits for people: cases by age and owner, labels for a second person, and whether two people judge alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench.casebook.labels import Said
from workbench.reports import casework
from workbench.reports.case_ages import AGES, age_names, ages, case_figures
from workbench.reports.casework import Agreement, Standing
from workbench.reports.catalogue import Asked, ReportKind
from workbench.reports.document import Column, Figure, Figures, Kind, Section, Table, Words, section
from workbench.schedule.slots import Cadence
from workbench.services.ring_book import RingBook, standing
from workbench.services.subject import RING
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel.case_words import DISPOSITION, OUTCOME, STATUS, of

OLDEST = 25
PAIRS = 10
"""Applications that two people judged, below which their agreement says nothing."""


@dataclass(frozen=True)
class Facts:
    asked: Asked
    cases: list[Standing]
    told: list[Said]
    rings: RingBook
    agreed: Agreement


class Backlog(ReportKind[Facts]):
    name = "backlog"
    cadence = Cadence.WEEKLY

    def title(self) -> str:
        return t("Label backlog")

    def about(self) -> str:
        return t(
            "Labels that wait for a second person or are provisional, cases by age and owner, agreement of reviewers"
        )

    def gather(self, asked: Asked) -> Facts:
        office = asked.services.office
        with office.casebook.reading() as db:
            cases, told = casework.cases_at(db, asked.as_of), casework.labels_by(db, asked.as_of)
        return Facts(asked, cases, told, standing(office, asked.as_of), casework.agreement(told))

    def sections(self, facts: Facts) -> Iterator[Section]:
        still = [one for one in facts.cases if not one.closed]
        oldest = sorted(still, key=lambda one: (one.opened_at, one.id))[:OLDEST]
        now, alone = facts.asked.as_of, casework.unconfirmed(facts.told)
        nothing = t("No case had been opened and nothing been labelled by the end of the week.")
        figures = _overview(facts) if facts.cases or facts.told else None
        yield section("overview", t("Overview"), figures, empty=nothing)
        nobody = t("No case was open at the end of the week.")
        yield section("ages", t("Open cases by age"), _ages(still, now), empty=nobody)
        yield section("owners", t("Open cases by owner"), _owners(still, now), empty=nobody)
        yield section(
            "overdue", t("Overdue cases"), _listed("overdue", facts, [one for one in still if _overdue(one, now)]),
            empty=t("No open case was past its deadline."),
        )  # fmt: skip
        yield section("oldest", t("The oldest open cases"), _listed("oldest", facts, oldest), empty=nobody)
        yield section(
            "second", t("Labels that wait for a second person"), _labels("second", alone, now),
            empty=t("No label waited for a second person."),
        )  # fmt: skip
        yield section(
            "provisional", t("Provisional labels"), _labels("provisional", casework.provisional(facts.told), now),
            empty=t("No label was provisional."),
        )  # fmt: skip
        yield section(
            "closed", t("Cases closed in the week"), _closed(facts), empty=t("No case was closed in this week.")
        )
        yield _agreement(facts.agreed)

    def counted(self) -> Iterator[str]:
        yield t(
            "Cases and labels are told as they stood at the end of the week, from what had been entered by then, by "
            "the clock of those who worked on them. Money of a ring is that of the newest run up to then."
        )
        yield t(
            "Fraud on papers (evidence E1 or E2) counts only when a second person confirms it. A provisional label "
            "teaches no model."
        )
        yield t(
            "Cohen's κ: how far two people agree on the same application beyond chance, 1 always, 0 as chance. The "
            "first two judgements of different people count, fraud or not; the second one may have seen the first."
        )


def _overdue(one: Standing, now: datetime) -> bool:
    return one.deadline is not None and one.deadline < now


def _overview(facts: Facts) -> Figures:
    told = facts.told
    return Figures((
        *case_figures(facts.cases, facts.asked),
        Figure(t("Labels that wait for a second person"), len(casework.unconfirmed(told))),
        Figure(t("Provisional labels"), len(casework.provisional(told))),
        Figure(t("Labels told in the week"), sum(each.known_at >= facts.asked.slot.start for each in told)),
    ))  # fmt: skip


def _ages(still: Sequence[Standing], now: datetime) -> Table | None:
    if not still:
        return None
    columns = (
        Column(t("Age"), wide=True), Column(t("Somebody's"), Kind.COUNT), Column(t("Nobody's"), Kind.COUNT),
        Column(t("All"), Kind.COUNT),
    )  # fmt: skip
    mine, free = (ages([one for one in still if bool(one.assignee) == owned], now) for owned in (True, False))
    rows = tuple((name, a, b, a + b) for name, a, b in zip(age_names(), mine, free, strict=True))
    return Table("ages", "", columns, rows)


def _owners(still: Sequence[Standing], now: datetime) -> Table:
    """By the names that people have at the workbench, who has most first; nobody's last."""
    counted = Counter(one.assignee for one in still)
    old = Counter(one.assignee for one in still if (now - one.opened_at) / timedelta(days=1) >= AGES[-1])
    late = Counter(one.assignee for one in still if _overdue(one, now))
    order = sorted(counted, key=lambda name: (not name, -counted[name], name))
    columns = (
        Column(t("Owner"), wide=True), Column(t("Open cases"), Kind.COUNT),
        Column(t("Older than {days} days", days=AGES[-1]), Kind.COUNT), Column(t("Overdue"), Kind.COUNT),
    )  # fmt: skip
    rows = tuple((name or t("nobody"), counted[name], old[name], late[name]) for name in order)
    return Table("owners", "", columns, rows)


def _listed(code: str, facts: Facts, some: Sequence[Standing]) -> Table:
    now = facts.asked.as_of
    columns = (
        Column(t("Case")), Column(t("About"), wide=True), Column(t("State")), Column(t("Owner")),
        Column(t("Days open"), Kind.COUNT), Column(t("Deadline"), Kind.DATE), Column(t("Savable"), Kind.MONEY),
    )  # fmt: skip
    rows = []
    for one in sorted(some, key=lambda each: (each.opened_at, each.id)):
        ring = facts.rings.rings.get(one.subject) if one.kind == RING else None
        rows.append((
            one.name, one.subject, of(STATUS, one.status), one.assignee or t("nobody"),
            int((now - one.opened_at) / timedelta(days=1)), one.deadline, None if ring is None else ring.savable,
        ))  # fmt: skip
    return Table(code, "", columns, tuple(rows))


def _labels(code: str, some: Sequence[Said], now: datetime) -> Table:
    columns = (
        Column(t("Application"), wide=True), Column(t("Label")), Column(t("Kind")), Column(t("Evidence")),
        Column(t("Told by")), Column(t("Days waiting"), Kind.COUNT),
    )  # fmt: skip
    rows = tuple(
        (each.label.application_id, of(DISPOSITION, each.label.label), each.label.typology, each.label.evidence_level,
         each.label.author, int((now - each.known_at) / timedelta(days=1)))
        for each in some
    )  # fmt: skip
    return Table(code, "", columns, rows)


def _closed(facts: Facts) -> Table:
    start = facts.asked.slot.start
    some = [one for one in facts.cases if one.closed_at is not None and one.closed_at >= start]
    counted = Counter(one.outcome for one in some)
    columns = (Column(t("Outcome"), wide=True), Column(t("Cases"), Kind.COUNT), Column(t("Share"), Kind.SHARE))
    rows = tuple((of(OUTCOME, name), count, count / len(some)) for name, count in sorted(counted.items()))
    return Table("closed", "", columns, rows)


def _agreement(agreed: Agreement) -> Section:
    title = t("Agreement of two reviewers")
    if agreed.pairs < PAIRS:
        few = t("{count} applications were judged by two people; below {least} their agreement says nothing.",
                count=number(agreed.pairs), least=PAIRS)  # fmt: skip
        return section("agreement", title, empty=few)
    every = (
        Figure("Cohen's κ", agreed.kappa, Kind.NUMBER),
        Figure(t("Judged by two people"), agreed.pairs),
        Figure(t("Both say fraud"), agreed.both_fraud),
        Figure(t("Both say no fraud"), agreed.both_innocent),
    )
    said = t(
        "They differ on {count} applications.", count=number(agreed.pairs - agreed.both_fraud - agreed.both_innocent)
    )
    return section("agreement", title, Figures(every), Words((said,)))
