"""Cities by weeks as of the end of a week: applications, those in rings, unpaid first instalments, confirmed fraud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timezone

import numpy as np
import numpy.typing as npt

from gnn.rules.night_columns import MATURE_DAYS
from graph.records import DAY, Ints
from workbench.reports.catalogue import Asked
from workbench.reports.funnels import Judged, of_counts, of_shares
from workbench.reports.ground import Flags, Ground
from workbench.schedule.slots import CHINA

WEEK = 7 * DAY
SHOWN = 8
"""Weeks that are judged one by one, the newest last."""

BEFORE, FEWEST = 26, 8
"""Weeks that a week is held against, and how many of them a city needs."""

QUARTER = 13
"""Weeks of a funnel."""

MEASURES = ("ringed", "early", "fraud")
"""Shares that are compared between cities."""

Grid = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Cell:
    """`week` numbers `RegionWeeks.weeks`."""

    code: str
    week: int
    measure: str
    judged: Judged


@dataclass(frozen=True)
class Pooled:
    """(city, number, judged) of a quarter, and the share of all cities together."""

    share: float
    cells: Sequence[tuple[str, int, Judged]]


@dataclass(frozen=True)
class RegionWeeks:
    """`weeks` begin at these milliseconds; `counts` are (cities, weeks)."""

    codes: Sequence[str]
    weeks: Sequence[int]
    counts: Mapping[str, Grid]
    cells: Sequence[Cell]
    pooled: Mapping[str, Pooled]
    zone: timezone = CHINA


def region_weeks(asked: Asked) -> RegionWeeks:
    ground = Ground.of(asked)
    each, end = ground.each, ground.moment.known + 1
    city, codes = _cities(ground)
    back = (end - 1 - each.submitted) // WEEK
    there = ground.there & (city >= 0) & (back >= 0)
    long = SHOWN + BEFORE
    volume = _grid(there & (back < long), city, back, len(codes), long)
    ringed = _grid(there & (each.ring >= 0) & (back < SHOWN), city, back, len(codes), SHOWN)
    some = np.flatnonzero(volume[:, -SHOWN:].any(axis=1))
    names = [codes[at] for at in some.tolist()]
    cells = [*_volumes(volume[some], names), *_ringed(ringed[some], volume[some, -SHOWN:], names)]
    quarter = there & (back < QUARTER)
    judged = each.submitted <= ground.moment.known - MATURE_DAYS * DAY
    year = there & (back < 2 * QUARTER)
    pooled = {
        "ringed": _pooled(city, quarter, each.ring >= 0, codes),
        "early": _pooled(city, year & each.first_due, each.early_default, codes),
        "fraud": _pooled(city, year & (judged | each.fraud), each.fraud, codes),
    }
    weeks = [end - WEEK * (SHOWN - at) for at in range(SHOWN)]
    counts = {"volume": volume[some, -SHOWN:], "ringed": ringed[some]}
    return RegionWeeks(names, weeks, counts, cells, pooled)


def _cities(ground: Ground) -> tuple[Ints, list[str]]:
    """Per application the number of its dealer's city, -1 where nobody says."""
    regions = [each or "" for each in ground.facts.snapshot.nodes["Dealer"].table["region"].to_pylist()]
    codes = sorted(set(regions) - {""})
    place = {code: at for at, code in enumerate(codes)}
    of = np.array([*(place.get(each, -1) for each in regions), -1], dtype=np.int64)
    return of[ground.each.dealer], codes


def _grid(kept: Flags, city: Ints, back: Ints, cities: int, weeks: int) -> Grid:
    at = city[kept] * weeks + (weeks - 1 - back[kept])
    return np.bincount(at, minlength=cities * weeks).reshape(cities, weeks).astype(np.int64)


def _volumes(volume: Grid, names: Sequence[str]) -> list[Cell]:
    """Each city's weeks against its own mean before, times what the others did."""
    found = []
    others = volume.sum(axis=0) - volume
    for row, name in enumerate(names):
        first = int((volume[row] > 0).argmax())
        for week in range(SHOWN):
            at = BEFORE + week
            begin = max(first, at - BEFORE)
            if at - begin < FEWEST:
                continue
            elsewhere = float(others[row, begin:at].mean())
            season = float(others[row, at]) / elsewhere if elsewhere > 0 else 1.0
            expected = float(volume[row, begin:at].mean()) * season
            if expected > 0:
                found.append(Cell(name, week, "volume", of_counts(int(volume[row, at]), expected)))
    return found


def _ringed(ringed: Grid, volume: Grid, names: Sequence[str]) -> list[Cell]:
    """Each city's share in rings against that of all cities of these weeks."""
    share = float(ringed.sum()) / max(float(volume.sum()), 1.0)
    if share <= 0:
        return []
    return [
        Cell(name, week, "ringed", of_shares(int(ringed[row, week]), int(volume[row, week]), share))
        for row, name in enumerate(names)
        for week in range(SHOWN)
        if volume[row, week]
    ]


def _pooled(city: Ints, among: Flags, hit: Flags, codes: Sequence[str]) -> Pooled:
    number, seen = (np.bincount(city[kept], minlength=len(codes)) for kept in (among, among & hit))
    share = float(seen.sum()) / max(float(number.sum()), 1.0)
    if not 0 < share < 1:
        return Pooled(share, ())
    cells = [
        (codes[at], int(number[at]), of_shares(int(seen[at]), int(number[at]), share))
        for at in np.flatnonzero(number).tolist()
    ]
    return Pooled(share, cells)
