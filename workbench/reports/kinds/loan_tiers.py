"""Loans in tiers at the end of a month, and which of them moved since the month before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from graph.records import Ints, from_millis
from workbench.reports.catalogue import Asked, ReportKind
from workbench.reports.document import Column, Figure, Figures, Kind, Section, Table, Value, section
from workbench.reports.ground import Ground
from workbench.reports.loan_tiers import ACT, NO_LOAN, TIERS, WATCH, Tiered, tiered
from workbench.schedule.slots import Cadence
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel import case_words

MOST = 200
"""Loans that a table names; the figures above count all."""

WORDS: case_words.Words = {
    "fraud": lambda: t("confirmed as fraud"),
    "strong_alert": lambda: t("an alert that asks for somebody"),
    "ring_and_late": lambda: t("in a ring, and more than 30 days late"),
    "near_fraud": lambda: t("linked to confirmed fraud"),
    "ring": lambda: t("in a ring"),
    "alert": lambda: t("a weak alert"),
    "late": lambda: t("more than 30 days late"),
}


@dataclass(frozen=True)
class Facts:
    ground: Ground
    before: Tiered
    now: Tiered
    amount: npt.NDArray[np.float64]

    def moved(self, *, up: bool) -> Ints:
        """Rows of loans at both ends that are in another tier, those with the most money first."""
        both = (self.before.tier != NO_LOAN) & (self.now.tier != NO_LOAN)
        other = self.now.tier < self.before.tier if up else self.now.tier > self.before.tier
        return self._largest(both & other)

    def in_tier(self, tier: int) -> Ints:
        return self._largest(self.now.tier == tier)

    def _largest(self, which: npt.NDArray[np.bool_]) -> Ints:
        rows = np.flatnonzero(which)
        return rows[np.argsort(-self.amount[rows], kind="stable")]


class LoanTiers(ReportKind[Facts]):
    name = "loan-tiers"
    cadence = Cadence.MONTHLY

    def title(self) -> str:
        return t("Loans by tier")

    def about(self) -> str:
        return t("Loans that are paid out in four tiers of risk, and those that moved since the month before")

    def gather(self, asked: Asked) -> Facts:
        ground = Ground.of(asked)
        before = Ground.of(replace(asked, slot=asked.slot.before))
        return Facts(ground, tiered(before), tiered(ground), np.nan_to_num(ground.each.amount))

    def sections(self, facts: Facts) -> Iterator[Section]:
        nobody = t("No loan was paid out and open at the end of the month.")
        some = bool((facts.now.tier != NO_LOAN).any())
        up, down = facts.moved(up=True), facts.moved(up=False)
        yield section("overview", t("Overview"), _overview(facts, up, down) if some else None, empty=nobody)
        yield section("tiers", t("By tier"), _tiers(facts) if some else None, empty=nobody)
        yield section("why", t("Why"), _why(facts) if some else None, empty=nobody)
        yield section("moved", t("From tier to tier"), _matrix(facts) if some else None, empty=nobody)
        yield section("up", t("Moved to a graver tier"), _loans("up", facts, up),
                      empty=t("No loan moved to a graver tier."))  # fmt: skip
        yield section("act", t("To be acted on"), _loans("act", facts, facts.in_tier(ACT)),
                      empty=t("No loan is in the gravest tier."))  # fmt: skip

    def counted(self) -> Iterator[str]:
        yield t(
            "Act: confirmed as fraud, an alert that asks for somebody, or in a ring and more than 30 days late. Watch: "
            "linked to confirmed fraud, in a ring, or a weak alert. Late: more than 30 days late and nothing else."
        )
        yield t("Both ends of the month as they were known then. Exposure is the amount of the loan.")


def tier_names() -> list[str]:
    return [t("1 act"), t("2 watch"), t("3 late"), t("4 usual")]


def _overview(facts: Facts, up: Ints, down: Ints) -> Figures:
    tier, amount = facts.now.tier, facts.amount
    linked = facts.now.found["near_fraud"] & ~facts.before.found["near_fraud"] & (tier != NO_LOAN)
    return Figures((
        Figure(t("Loans paid out and open"), int((tier != NO_LOAN).sum())),
        Figure(t("To be acted on"), int((tier == ACT).sum())),
        Figure(t("Money in them"), float(amount[tier == ACT].sum()), Kind.MONEY),
        Figure(t("To be watched"), int((tier == WATCH).sum())),
        Figure(t("Moved to a graver tier"), len(up), note=t("{count} to a lesser one", count=number(len(down)))),
        Figure(t("Newly linked to confirmed fraud"), int(linked.sum())),
    ))  # fmt: skip


def _tiers(facts: Facts) -> Table:
    columns = (
        Column(t("Tier"), wide=True), Column(t("Loans"), Kind.COUNT), Column(t("Of all"), Kind.SHARE),
        Column(t("Money in them"), Kind.MONEY), Column(t("Loans a month before"), Kind.COUNT),
    )  # fmt: skip
    every = max(int((facts.now.tier != NO_LOAN).sum()), 1)
    rows = tuple(
        (name, int((facts.now.tier == tier).sum()), float((facts.now.tier == tier).sum() / every),
         float(facts.amount[facts.now.tier == tier].sum()), int((facts.before.tier == tier).sum()))
        for tier, name in enumerate(tier_names())
    )  # fmt: skip
    return Table("tiers", "", columns, rows)


def _why(facts: Facts) -> Table:
    loans = {"now": facts.now, "before": facts.before}
    columns = (
        Column(t("Why"), wide=True), Column(t("Loans"), Kind.COUNT), Column(t("Money in them"), Kind.MONEY),
        Column(t("Loans a month before"), Kind.COUNT),
    )  # fmt: skip

    def of(which: str, name: str) -> npt.NDArray[np.bool_]:
        told = loans[which]
        return np.asarray(told.found[name] & (told.tier != NO_LOAN))

    rows = tuple(
        (case_words.of(WORDS, name), int(of("now", name).sum()), float(facts.amount[of("now", name)].sum()),
         int(of("before", name).sum()))
        for name in WORDS
    )  # fmt: skip
    return Table("why", "", columns, rows, t("A loan may be there for several reasons."))


def _matrix(facts: Facts) -> Table:
    names, size = tier_names(), len(TIERS)
    both = (facts.before.tier != NO_LOAN) & (facts.now.tier != NO_LOAN)
    counts = np.bincount(facts.before.tier[both] * size + facts.now.tier[both], minlength=size * size)
    counts = counts.reshape(size, size)
    fresh = (facts.before.tier == NO_LOAN) & (facts.now.tier != NO_LOAN)
    new = np.bincount(facts.now.tier[fresh], minlength=size)
    columns = (
        Column(t("At the end of the month before"), wide=True), *(Column(each, Kind.COUNT) for each in names),
    )  # fmt: skip
    rows: list[tuple[Value, ...]] = [(name, *counts[at].tolist()) for at, name in enumerate(names)]
    rows.append((t("paid out since"), *new.tolist()))
    heat = {
        (at, to + 1): 0.5 if to < at else -0.5
        for at in range(size)
        for to in range(size)
        if to != at and counts[at, to]
    }
    return Table("matrix", "", columns, tuple(rows), t("Red: graver than a month before. Blue: lesser."), heat=heat)


def _loans(code: str, facts: Facts, rows: Ints) -> Table:
    columns = (
        Column(t("Application")), Column(t("Dealer")), Column(t("Tier")), Column(t("A month before")),
        Column(t("Why"), wide=True), Column(t("Exposure"), Kind.MONEY), Column(t("Paid out"), Kind.DATE),
    )  # fmt: skip
    note = "" if len(rows) <= MOST else t("The {most} largest of {count}.", most=MOST, count=number(len(rows)))
    return Table(code, "", columns, tuple(_loan(facts, row) for row in rows[:MOST].tolist()), note)


def _loan(facts: Facts, row: int) -> tuple[Value, ...]:
    nodes, names = facts.ground.facts.snapshot.nodes, tier_names()
    paid = int(nodes["Application"].times("funded_at", as_of=facts.ground.moment.known)[row])
    dealer = int(facts.ground.each.dealer[row])
    was = int(facts.before.tier[row])
    return (
        nodes["Application"].table["key"][row].as_py(),
        nodes["Dealer"].table["key"][dealer].as_py() if dealer >= 0 else "",
        names[int(facts.now.tier[row])],
        names[was] if was != NO_LOAN else t("not paid out"),
        ", ".join(case_words.of(WORDS, each) for each in facts.now.because(row)),
        float(facts.amount[row]),
        from_millis(paid),
    )
