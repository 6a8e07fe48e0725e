"""How loans migrate from current to ever later, month by month, by dealer and by ring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from workbench.reports import charts
from workbench.reports.catalogue import Asked, ReportKind
from workbench.reports.document import Column, Figure, Figures, Kind, Picture, Section, Table, Value, section
from workbench.reports.ground import Ground
from workbench.reports.rolling import SIZE, SMALL, Rolled, Rolling, rolling
from workbench.reports.shown import shown
from workbench.schedule.slots import Cadence
from workbench.ui.i18n import number, t

MONTHS = 12


@dataclass(frozen=True)
class Facts:
    asked: Asked
    rolled: Rolling
    names: Mapping[str, str]


class RollRates(ReportKind[Facts]):
    name = "roll-rates"
    cadence = Cadence.MONTHLY

    def title(self) -> str:
        return t("Roll rates")

    def about(self) -> str:
        return t("Migration of loans from current to more than 90 days late, by month, dealer and ring")

    def gather(self, asked: Asked) -> Facts:
        ground = Ground.of(asked)
        return Facts(asked, rolling(ground, MONTHS), dict(zip(*ground.names("Dealer"), strict=True)))

    def sections(self, facts: Facts) -> Iterator[Section]:
        rolled = facts.rolled
        nobody = t("No loan had an instalment due at the end of this month and of the one before.")
        some = rolled.newest.loans > 0
        yield section("overview", t("Overview"), _overview(rolled) if some else None, empty=nobody)
        yield section("matrix", t("Migration in this month"), *([_matrix(rolled.newest, shares=False),
                      _matrix(rolled.newest, shares=True)] if some else []), empty=nobody)  # fmt: skip
        monthly = (_drawn(rolled), _months(rolled)) if some else ()
        yield section("months", t("Month by month"), *monthly, empty=nobody)
        dealers = [_named(each, facts.names, rolled.small_dealers) for each in rolled.dealers]
        yield section("dealers", t("By dealer"), _groups("dealers", t("Dealer"), dealers), empty=nobody)
        rings = [_named(each, {}, rolled.small_rings) for each in rolled.rings]
        yield section(
            "rings", t("By ring"), _groups("rings", t("Ring"), rings),
            empty=t("No loan of a ring that stood at the end of the month had an instalment due at both ends."),
        )  # fmt: skip

    def counted(self) -> Iterator[str]:
        yield t(
            "A loan's state is that of its latest unpaid instalment, in days of lateness, as it was known at the end "
            "of the month: what was told later does not change it. Loans count that had an instalment due at both ends."
        )
        yield t(
            "Rolled: of those in a state, who were in a later one at the end of the next month. Cured: who were in "
            "an earlier one. More than 90 days is the last state."
        )
        yield t("Dealers and rings with fewer than {least} loans are told together.", least=SMALL)


def state_names() -> list[str]:
    return [t("current"), t("1–30 days"), t("31–60 days"), t("61–90 days"), t("over 90 days")]


def _overview(rolled: Rolling) -> Figures:
    newest = rolled.newest
    before = rolled.months[-2].all if len(rolled.months) > 1 else None
    names = state_names()

    def rate(state: int) -> Figure:
        note = "" if before is None else t("{share} a month before", share=shown(before.share(state), Kind.SHARE))
        return Figure(t("{state} rolled on", state=names[state]), newest.share(state), Kind.SHARE, note)

    late = int(rolled.late[1:].sum())
    return Figures((
        Figure(t("Loans that are told"), newest.loans),
        Figure(t("Late at the end of the month"), late,
               note=t("of {count} with an instalment due", count=number(int(rolled.late.sum())))),
        rate(0), rate(1), rate(2),
        Figure(t("1–30 days cured"), newest.share(1, worse=False), Kind.SHARE),
    ))  # fmt: skip


def _matrix(rolled: Rolled, *, shares: bool) -> Table:
    """From rows to columns; heat where loans got later."""
    names = state_names()
    kind = Kind.SHARE if shares else Kind.COUNT
    columns = (
        Column(t("At the end of the month before"), wide=True), *(Column(each, kind) for each in names),
        Column(t("Loans"), Kind.COUNT),
    )  # fmt: skip
    rows: list[tuple[Value, ...]] = []
    heat: dict[tuple[int, int], float] = {}
    for at, name in enumerate(names):
        of = int(rolled.counts[at].sum())
        row = rolled.counts[at].tolist()
        cells: list[Value] = [(each / of if of else None) if shares else each for each in row]
        rows.append((name, *cells, of))
        heat |= {
            (at, to + 1): (0.15 + 0.85 * float(rolled.counts[at, to]) / of) * (1 if to > at else -1)
            for to in range(SIZE)
            if of and to != at and rolled.counts[at, to]
        }
    code, title = ("matrix-shares", t("Shares")) if shares else ("matrix", t("Loans"))
    return Table(code, title, columns, tuple(rows), t("Red: later than a month before. Blue: earlier."), heat=heat)


def _rates() -> tuple[Column, ...]:
    names = state_names()
    return (
        *(Column(t("{state} rolled on", state=names[at]), Kind.SHARE) for at in range(SIZE - 1)),
        Column(t("Late loans cured"), Kind.SHARE),
    )


def _shares(rolled: Rolled) -> tuple[float, ...]:
    late = rolled.counts[1:]
    cured = sum(int(late[at, : at + 1].sum()) for at in range(SIZE - 1))
    return *(rolled.share(at) for at in range(SIZE - 1)), cured / late.sum() if late.sum() else float("nan")


def _drawn(rolled: Rolling) -> Picture:
    labels = [each.slot.name for each in rolled.months]
    names = state_names()
    return charts.lines(
        labels, [[each.all.share(state) for each in rolled.months] for state in (0, 1, 2)],
        [t("{state} rolled on", state=names[state]) for state in (0, 1, 2)],
        alt=t("Share of loans that rolled on, month by month."), percent=True,
    )  # fmt: skip


def _months(rolled: Rolling) -> Table:
    columns = (Column(t("Month"), wide=True), Column(t("Loans"), Kind.COUNT), *_rates())
    return Table(
        "months", "", columns, tuple((each.slot.name, each.all.loans, *_shares(each.all)) for each in rolled.months)
    )


def _named(rolled: Rolled, names: Mapping[str, str], small: int) -> tuple[str, Rolled]:
    if not rolled.name:
        return t("{count} with fewer than {least} loans, together", count=number(small), least=SMALL), rolled
    return f"{rolled.name} {names.get(rolled.name, '')}".strip(), rolled


def _groups(code: str, what: str, groups: Sequence[tuple[str, Rolled]]) -> Table:
    columns = (Column(what, wide=True), Column(t("Loans"), Kind.COUNT), *_rates())
    return Table(code, "", columns, tuple((name, each.loans, *_shares(each)) for name, each in groups))
