"""The dealers' scorecard of a week: who loses more than its peers, who jumped, who sells into rings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workbench.reports.catalogue import Asked, ReportKind
from workbench.reports.dealer_rows import DealerLine, jump_words, lines_of
from workbench.reports.document import Column, Figure, Figures, Kind, Section, Table, section
from workbench.reports.ground import Ground
from workbench.schedule.slots import Cadence
from workbench.services.lenses.dealer_rows import Estimate
from workbench.ui.i18n import number, t
from workbench.ui.viewmodel.case_words import of
from workbench.ui.viewmodel.dealer_words import FINDINGS, KINDS
from workbench.ui.viewmodel.regions import province


@dataclass(frozen=True)
class Facts:
    """`ringed` applications of all stand in rings; None where no ring stood."""

    asked: Asked
    lines: list[DealerLine]
    ringed: int | None


class Dealers(ReportKind[Facts]):
    name = "dealers"
    cadence = Cadence.WEEKLY

    def title(self) -> str:
        return t("Dealer scorecards")

    def about(self) -> str:
        return t("Shrunk rates with intervals, jumps in volume, rings, grades and alerts of all dealers")

    def gather(self, asked: Asked) -> Facts:
        ground = Ground.of(asked)
        return Facts(asked, lines_of(ground), int((ground.each.ring >= 0).sum()) if ground.rings.rings else None)

    def sections(self, facts: Facts) -> Iterator[Section]:
        lines, nobody = facts.lines, t("No dealer was known by then.")
        yield section("overview", t("Overview"), *([_overview(facts)] if lines else []), empty=nobody)
        yield section(
            "alerts", t("Alerts (R25)"), _alerts(lines),
            empty=nobody if not lines else t("No dealer surely loses so much more than its region that R25 speaks."),
        )  # fmt: skip
        yield section("scorecard", t("Scorecard"), _scorecard(lines), empty=nobody)
        fine = t("No dealer is graded D or E.")
        yield section("grades", t("Graded D or E, and why"), _grades(lines), empty=fine)
        yield section(
            "fraud", t("Fraud with its interval"), _rates("fraud", [(one, one.fraud) for one in lines]), empty=nobody
        )
        yield section(
            "early", t("Unpaid first instalments with their interval"),
            _rates("early", [(one, one.early) for one in lines]), empty=nobody,
        )  # fmt: skip
        yield section(
            "jumps", t("Jumps in volume"), _jumps(lines),
            empty=t("No dealer's volume jumped in the last twelve weeks, or none has a history of eight."),
        )  # fmt: skip
        yield section(
            "rings",
            t("Dealers that sell into rings"),
            _rings(lines),
            empty=t("No application in a ring is of a dealer."),
        )

    def counted(self) -> Iterator[str]:
        yield t(
            "Rates are shrunk (beta-binomial, empirical Bayes): a dealer with few loans stands near what dealers of "
            "its region and type have, one with many near its own share. The interval holds 95 % of what is credible."
        )
        yield t(
            "Fraud: confirmed by the end of the week, among applications of the last 365 days that are old enough to "
            "be judged. Unpaid first instalments: 30 days late, among loans whose first instalment was due 30 days "
            "before."
        )
        yield t(
            "Linked: applications that share something with somebody else's; 1 is what its peers have. A jump is a "
            "week that lies 4 robust standard deviations above what is usual for the dealer and the season."
        )
        yield t(
            "The grade A to E is made of what is sure: an alert or twice the losses of peers is an E, surely more "
            "losses a D. Beside it stands the grade that the lender's own table of dealers states."
        )


def _overview(facts: Facts) -> Figures:
    lines = facts.lines
    return Figures((
        Figure(t("Dealers"), len(lines)),
        Figure(t("With an alert (R25)"), sum(one.alert for one in lines)),
        Figure(t("With more fraud than peers"), sum(one.fraud.surely_more for one in lines), note=t("surely (95 %)")),
        Figure(t("With a jump in volume"), sum(one.jumped for one in lines)),
        Figure(t("Selling into rings"), None if facts.ringed is None else sum(one.rings > 0 for one in lines)),
        Figure(t("Applications in rings"), facts.ringed),
        Figure(t("Exposure"), sum(one.exposure for one in lines), Kind.MONEY, t("of all dealers, not declined")),
        Figure(t("Still savable"), sum(one.savable for one in lines), Kind.MONEY, t("not paid out yet")),
    ))  # fmt: skip


def _who() -> tuple[Column, ...]:
    return Column(t("Dealer")), Column(t("Name"), wide=True)


def _alerts(lines: Sequence[DealerLine]) -> Table:
    columns = (
        *_who(), Column(t("Province")), Column(t("Fraud")), Column(t("Unpaid first")), Column(t("Loans"), Kind.COUNT),
        Column(t("Savable"), Kind.MONEY),
    )  # fmt: skip
    some = [one for one in lines if one.alert]
    rows = tuple(
        (one.code, one.name, province(one.region), _of(one.fraud.cases, one.fraud.number),
         _of(one.early.cases, one.early.number), one.year, one.savable)
        for one in some
    )  # fmt: skip
    return Table("alerts", "", columns, rows, marked=frozenset(range(len(some))))


def _grades(lines: Sequence[DealerLine]) -> Table:
    columns = (*_who(), Column(t("Grade")), Column(t("Why"), wide=True))
    some = sorted(
        (one for one in lines if one.graded.letter in "DE"), key=lambda one: (one.graded.letter == "D", one.code)
    )
    rows = tuple(
        (one.code, one.name, one.graded.letter, " · ".join(of(FINDINGS, each) for each in one.graded.because))
        for one in some
    )
    return Table("grades", "", columns, rows)


def _of(cases: int, number_: int) -> str:
    return t("{cases} of {number}", cases=number(cases), number=number(number_))


def _scorecard(lines: Sequence[DealerLine]) -> Table:
    columns = (
        *_who(), Column(t("Grade")), Column(t("Lender's")),
        Column(t("Year"), Kind.COUNT), Column(t("Week"), Kind.COUNT),
        Column(t("Fraud"), Kind.SHARE), Column(t("Unpaid first"), Kind.SHARE), Column(t("Linked"), Kind.NUMBER),
        Column(t("Rings"), Kind.COUNT), Column(t("Exposure"), Kind.MONEY), Column(t("Savable"), Kind.MONEY),
    )  # fmt: skip
    rows = tuple(
        (one.code, " · ".join(filter(None, (one.name, of(KINDS, one.kind), province(one.region)))),
         one.graded.letter, one.stated, one.year,
         one.today, one.fraud.mean, one.early.mean, one.shared.times, one.rings, one.exposure, one.savable)
        for one in lines
    )  # fmt: skip
    heat = {}
    for at, one in enumerate(lines):
        for column, estimate in ((6, one.fraud), (7, one.early), (8, one.shared)):
            if estimate.surely_more:
                heat[at, column] = min(1.0, estimate.times / 4)
    note = t("Tinted: surely more than its peers. Marked: alert R25. Year and week: applications of 365 and of 7 days.")
    marked = frozenset(at for at, one in enumerate(lines) if one.alert)
    return Table("scorecard", "", columns, rows, note, marked, heat)


def _rates(code: str, told: Sequence[tuple[DealerLine, Estimate]]) -> Table:
    """Who surely has more than its peers stands first, and is marked."""
    columns = (
        *_who(), Column(t("Rate"), Kind.SHARE), Column(t("Low end"), Kind.SHARE), Column(t("High end"), Kind.SHARE),
        Column(t("Peers"), Kind.SHARE), Column(t("Cases"), Kind.COUNT), Column(t("Loans"), Kind.COUNT),
    )  # fmt: skip
    some = sorted(told, key=lambda each: (-each[1].low / each[1].expected, each[0].code))
    rows = tuple(
        (one.code, one.name, rate.mean, rate.low, rate.high, rate.expected, rate.cases, rate.number)
        for one, rate in some
    )
    marked = frozenset(at for at, (_, rate) in enumerate(some) if rate.surely_more)
    note = t("Marked: the whole interval lies above what its peers have.")
    return Table(code, "", columns, rows, note, marked)


def _jumps(lines: Sequence[DealerLine]) -> Table:
    columns = (*_who(), Column(t("Jump")), Column(t("Last 30 days"), Kind.COUNT), Column(t("Year"), Kind.COUNT))
    some = sorted((one for one in lines if one.jumped), key=lambda one: (-one.jump, one.code))
    return Table(
        "jumps", "", columns, tuple((one.code, one.name, jump_words(one), one.month, one.year) for one in some)
    )


def _rings(lines: Sequence[DealerLine]) -> Table:
    columns = (
        *_who(), Column(t("Rings"), Kind.COUNT), Column(t("Applications in them"), Kind.COUNT),
        Column(t("Of this week"), Kind.COUNT), Column(t("Savable"), Kind.MONEY),
    )  # fmt: skip
    some = sorted((one for one in lines if one.rings), key=lambda one: (-one.in_rings, -one.rings, one.code))
    rows = tuple((one.code, one.name, one.rings, one.in_rings, one.today_in_rings, one.savable) for one in some)
    return Table("in-rings", "", columns, rows)
