"""Regions that differ from the others by more than chance: applications, rings, unpaid first instalments, fraud."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from graph.records import from_millis
from workbench.reports import charts
from workbench.reports.catalogue import Asked, ReportKind
from workbench.reports.document import Column, Figure, Figures, Kind, Picture, Section, Table, Value, Words, section
from workbench.reports.funnels import ACT, Judged, bands, beyond, by_chance
from workbench.reports.region_weeks import MEASURES, SHOWN, Cell, Pooled, RegionWeeks, region_weeks
from workbench.schedule.slots import Cadence
from workbench.ui.i18n import number, share, t
from workbench.ui.viewmodel.case_words import Words as Names
from workbench.ui.viewmodel.case_words import of
from workbench.ui.viewmodel.regions import region

NAMES: Names = {
    "volume": lambda: t("Applications"),
    "ringed": lambda: t("Applications in rings"),
    "early": lambda: t("Unpaid first instalments"),
    "fraud": lambda: t("Confirmed fraud"),
}
TINT = {0: 0.0, 1: 0.5, 2: 1.0}


@dataclass(frozen=True)
class Facts:
    asked: Asked
    found: RegionWeeks


class Regions(ReportKind[Facts]):
    name = "regions"
    cadence = Cadence.WEEKLY

    def title(self) -> str:
        return t("Regional anomalies")

    def about(self) -> str:
        return t("City by week: counts against what was expected, with exact limits at 95 % and 99.8 %")

    def gather(self, asked: Asked) -> Facts:
        return Facts(asked, region_weeks(asked))

    def sections(self, facts: Facts) -> Iterator[Section]:
        found = facts.found
        nobody = t("No application of a dealer with a known region in the last {weeks} weeks.", weeks=SHOWN)
        yield _overview(found, nobody)
        yield section("signals", t("Weeks that stand out"), _signals(found), empty=nobody if not found.codes else t(
            "No week of any city lies beyond the limits, neither in applications nor in those in rings."))  # fmt: skip
        short = nobody if not found.codes else t("No city has eight weeks of applications to compare with.")
        heat = _heat(found, "volume")
        yield section("volume", t("Applications by city and week"), heat, empty=short)
        without = nobody if not found.codes else t("No application of these weeks stands in a ring.")
        yield section("ringed", t("Applications in rings by city and week"), _heat(found, "ringed"), empty=without)
        for measure in MEASURES:
            yield _funnel(found, measure)

    def counted(self) -> Iterator[str]:
        yield t("A region is the city of the dealer (GB/T 2260 code). Weeks begin on Monday, in China.")
        yield t(
            "Expected applications of a city: its mean of the 26 weeks before, of which it needs 8, times the season: "
            "what all other cities did that week to their own mean. Limits are those of a Poisson count."
        )
        yield t(
            "Expected of a share: the share of all cities together in the same weeks, times the city's number. Limits "
            "are those of a binomial count, exact also for small numbers."
        )
        yield t(
            "The members of one ring come together, so applications in rings beyond the limits may be one ring: "
            "they say where to look, not how many."
        )
        yield t(
            "City by city, applications in rings are of the last 13 weeks; unpaid first instalments and confirmed "
            "fraud, which take time to be known, of the last 26."
        )
        yield t(
            "Beyond 95 % lies one of twenty by chance, beyond 99.8 % one of five hundred. The more is looked at, the "
            "more lies beyond by chance: one week beyond 95 % is a reason to look, one beyond 99.8 % a reason to act."
        )


def _overview(found: RegionWeeks, nobody: str) -> Section:
    if not found.codes:
        return section("overview", t("Overview"), empty=nobody)
    cells = [cell.judged for cell in found.cells]
    near, far = beyond(cells)
    chance = by_chance(len(cells))
    every = (
        Figure(t("Cities"), len(found.codes)),
        Figure(t("Weeks of cities judged"), len(cells), note=t("in {weeks} weeks, by two measures", weeks=SHOWN)),
        Figure(t("Beyond 95 %"), near, note=t("up to {count} by chance", count=number(chance[0], 1))),
        Figure(t("Beyond 99.8 %"), far, note=t("up to {count} by chance", count=number(chance[1], 1))),
    )
    more = near > 2 * chance[0] or far > max(1.0, 3 * chance[1])
    words = (
        t("More weeks lie beyond the limits than chance explains.")
        if more
        else t("No more weeks lie beyond the limits than chance explains: single ones may mean nothing.")
    )
    return section("overview", t("Overview"), Figures(every), Words((words,)))


def _signals(found: RegionWeeks) -> Table:
    columns = (
        Column(t("City"), wide=True), Column(t("Week from"), Kind.DATE), Column(t("What")),
        Column(t("Seen"), Kind.COUNT), Column(t("Expected"), Kind.NUMBER), Column(t("Within 95 %")),
        Column(t("Within 99.8 %")), Column(t("Verdict")),
    )  # fmt: skip
    some = sorted(
        (each for each in found.cells if each.judged.level),
        key=lambda each: (-abs(each.judged.level), each.week, -each.judged.seen, each.code, each.measure),
    )
    rows = tuple(
        (region(one.code), _monday(found, one), of(NAMES, one.measure), one.judged.seen, one.judged.expected,
         _between(one.judged.within), _between(one.judged.within_far), verdict(one.judged))
        for one in some
    )  # fmt: skip
    marked = frozenset(at for at, one in enumerate(some) if one.judged.level == ACT)
    return Table("signals", "", columns, rows, marked=marked)


def verdict(judged: Judged) -> str:
    if judged.level == 0:
        return t("within")
    if abs(judged.level) == ACT:
        return t("far above") if judged.level > 0 else t("far below")
    return t("above") if judged.level > 0 else t("below")


def _between(limits: tuple[int, int]) -> str:
    return t("{low} to {high}", low=number(limits[0]), high=number(limits[1]))


def _monday(found: RegionWeeks, cell: Cell) -> datetime:
    return from_millis(found.weeks[cell.week])


def _heat(found: RegionWeeks, measure: str) -> Table | None:
    """Counts week by week; a cell beyond the limits is tinted."""
    cells = {(one.code, one.week): one.judged for one in found.cells if one.measure == measure}
    counts = found.counts[measure]
    if not cells:
        return None
    columns = (
        Column(t("City"), wide=True),
        *(Column(f"{from_millis(at).astimezone(found.zone):%m-%d}", Kind.COUNT) for at in found.weeks),
        Column(t("All"), Kind.COUNT),
    )
    order = sorted(range(len(found.codes)), key=lambda at: (-int(counts[at].sum()), found.codes[at]))
    rows: list[tuple[Value, ...]] = []
    heat: dict[tuple[int, int], float] = {}
    for place, at in enumerate(order):
        code = found.codes[at]
        rows.append((region(code), *(int(each) for each in counts[at]), int(counts[at].sum())))
        for week in range(len(found.weeks)):
            judged = cells.get((code, week))
            if judged is not None and judged.level:
                heat[place, week + 1] = TINT[abs(judged.level)] * (1 if judged.level > 0 else -1)
    note = t("Columns are weeks by their Monday. Light: beyond 95 %. Dark: beyond 99.8 %. Red above, blue below.")
    return Table(f"heat-{measure}", "", columns, tuple(rows), note, heat=heat)


# Funnels ---------------------------------------------------------------------------------------------------


def _funnel(found: RegionWeeks, measure: str) -> Section:
    pooled = found.pooled[measure]
    title = t("{what}, city by city", what=of(NAMES, measure))
    if not pooled.cells or not 0 < pooled.share < 1:
        return section(f"funnel-{measure}", title, empty=t("Nothing of the kind was known by then."))
    return section(f"funnel-{measure}", title, _picture(pooled, measure), _table(pooled, measure))


def _picture(pooled: Pooled, measure: str) -> Picture:
    points = [(float(of_), judged.seen / of_, code if judged.level else "") for code, of_, judged in pooled.cells]
    most = max(of_ for _, of_, _ in pooled.cells)
    alt = t("{what}: shares of cities against their numbers, with limits at 95 % and 99.8 %.", what=of(NAMES, measure))
    names = (
        t("city"), t("city beyond the limits"), t("all cities together"), t("limits at 95 %"), t("limits at 99.8 %"),
    )  # fmt: skip
    return charts.funnel(points, bands(most, pooled.share), middle=pooled.share, alt=alt, names=names)


def _table(pooled: Pooled, measure: str) -> Table:
    columns = (
        Column(t("City"), wide=True), Column(t("Number"), Kind.COUNT), Column(t("Seen"), Kind.COUNT),
        Column(t("Share"), Kind.SHARE), Column(t("Expected"), Kind.NUMBER), Column(t("Within 95 %")),
        Column(t("Within 99.8 %")), Column(t("Verdict")),
    )  # fmt: skip
    some = sorted(pooled.cells, key=lambda each: (-each[2].level, -each[2].seen / each[1], each[0]))
    rows = tuple(
        (region(code), of_, one.seen, one.seen / of_, one.expected, _between(one.within), _between(one.within_far),
         verdict(one))
        for code, of_, one in some
    )  # fmt: skip
    near, far = beyond([one for _, _, one in some])
    chance = by_chance(len(some))
    note = t(
        "All cities together: {share}. {cities} cities were judged: {near} lie beyond 95 % (up to {by_chance} by "
        "chance), {far} of them beyond 99.8 % (up to {far_by_chance}).",
        share=share(pooled.share, 1), cities=len(some), near=near, by_chance=number(chance[0], 1), far=far,
        far_by_chance=number(chance[1], 2),
    )  # fmt: skip
    marked = frozenset(at for at, (_, _, one) in enumerate(some) if one.level == ACT)
    return Table(f"funnel-{measure}", "", columns, rows, note, marked)
