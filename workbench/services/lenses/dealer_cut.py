"""What one dealer sold week by week, how its rates went, and what suspending it would cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gnn.rules.night_columns import MATURE_DAYS
from graph.records import DAY, Ints, from_millis
from workbench.services.lenses.dealer_table import WEEK, WEEKS, DealerTable, Flags, Links
from workbench.services.lenses.shrinkage import FEWEST_WEEKS, PRIOR, jumps_and_usual
from workbench.services.ring_book import Standing

GOOD_DAYS = 90
MONTH_DAYS = 30
TREND_MONTHS, TREND_DAYS = 12, 182


@dataclass(frozen=True)
class CutRing:
    """`lost` of `size` members were sold by the dealer. `apart`: what still hangs together is less than half."""

    ring_id: str
    score: float
    typology: str
    size: int
    lost: int
    exposure: float
    savable: float
    held: float
    apart: bool


@dataclass(frozen=True)
class Cut:
    """If the dealer were suspended now. Money in RMB.

    `held` is what is not paid out yet of all its applications, `held_in_rings` of those in rings; `good` applications
    and `good_money` a month would be lost, by the volume of the last 90 days and the dealer's own shrunk rates, with a
    95 % interval for the applications.
    """

    rings: Sequence[CutRing]
    members: int
    held: float
    held_in_rings: float
    good: float
    good_low: float
    good_high: float
    good_money: float

    @property
    def apart(self) -> int:
        return sum(ring.apart for ring in self.rings)


def cut(table: DealerTable, dealer: int, rings: Mapping[str, Standing]) -> Cut:
    """`rings` are those of the table."""
    each = table.each
    mine = each.there & (each.dealer == dealer)
    touched = np.unique(each.ring[mine & (each.ring >= 0)])
    waiting = mine & ~each.closed & ~each.funded
    falls = _apart(table, mine, touched)
    told = []
    for number, apart in zip(touched.tolist(), falls.tolist(), strict=True):
        ring = rings[table.ring_ids[number]]
        inside = np.flatnonzero(mine & (each.ring == number))
        held = float(each.amount[inside[waiting[inside]]].sum())
        told.append(
            CutRing(ring.ring_id, ring.score, ring.typology, len(ring.members), len(inside), ring.exposure,
                    ring.savable, held, bool(apart))
        )  # fmt: skip
    told.sort(key=lambda one: (-one.held, -one.score, one.ring_id))
    good = mine & ~each.closed & ~each.fraud & ~each.early_default & (each.ring < 0)
    good &= each.submitted >= table.moment.today - GOOD_DAYS * DAY
    fraud, early = table.fraud, table.early
    performing = [
        (1 - one[dealer]) * (1 - other[dealer])
        for one, other in ((fraud.mean, early.mean), (fraud.high, early.high), (fraud.low, early.low))
    ]
    a_month = MONTH_DAYS / GOOD_DAYS
    return Cut(
        rings=told,
        members=int((mine & (each.ring >= 0)).sum()),
        held=float(each.amount[waiting].sum()),
        held_in_rings=float(each.amount[waiting & (each.ring >= 0)].sum()),
        good=float(good.sum() * performing[0] * a_month),
        good_low=float(good.sum() * performing[1] * a_month),
        good_high=float(good.sum() * performing[2] * a_month),
        good_money=float(each.amount[good].sum() * performing[0] * a_month),
    )


def _apart(table: DealerTable, mine: Flags, touched: Ints) -> Flags:
    """Per touched ring whether the largest part that stays linked without the dealer's applications is less than half
    of the largest part before, or a single person."""
    if not len(touched):
        return np.zeros(0, dtype=bool)
    each, links = table.each, table.links
    place = np.full(int(each.ring.max()) + 1, -1, dtype=np.int64)
    place[touched] = np.arange(len(touched))
    inside = each.there & (each.ring >= 0)
    inside[inside] = place[each.ring[inside]] >= 0
    before, after = (_largest(links, kept, place[each.ring], len(touched)) for kept in (inside, inside & ~mine))
    return np.asarray((2 * after < before) | (after < 2))


def _largest(links: Links, inside: Flags, ring: Ints, rings: int) -> Ints:
    """Per ring how many people its largest connected part has, of the applications `inside`."""
    party, first, second = links.party, links.first, links.second
    of = np.full(len(party), -1, dtype=np.int64)
    rows = np.flatnonzero(inside)
    of[party[rows]] = ring[rows]
    people = np.flatnonzero(of >= 0)
    number = np.full(len(party), -1, dtype=np.int64)
    number[people] = np.arange(len(people))
    kept = (of[first] >= 0) & (of[first] == of[second])
    ends = number[first[kept]], number[second[kept]]
    _, part = connected_components(
        csr_array((np.ones(int(kept.sum()), dtype=np.int8), ends), (len(people), len(people))), directed=False
    )
    largest = np.zeros(rings, dtype=np.int64)
    if len(people):
        _, one, size = np.unique(part, return_index=True, return_counts=True)
        np.maximum.at(largest, of[people[one]], size)
    return largest


# Time ----------------------------------------------------------------------------------------------------


def weeks(table: DealerTable, dealer: int) -> list[tuple[datetime, int, float, float]]:
    """(end, applications, usual, z) from the dealer's first week on."""
    own = table.weekly[dealer]
    if not own.any():
        return []
    both = np.stack([own, table.weekly.sum(axis=0) - own])
    far = WEEKS - FEWEST_WEEKS
    z, level = (np.append(np.full(FEWEST_WEEKS, np.nan), each[0]) for each in jumps_and_usual(both, far))
    first = int((own > 0).argmax())
    ends = [from_millis(table.moment.today - (WEEKS - 1 - at) * WEEK) for at in range(WEEKS)]
    return [(ends[at], int(own[at]), float(level[at]), float(z[at])) for at in range(first, WEEKS)]


def trend(table: DealerTable, dealer: int) -> list[tuple[datetime, float, float, int]]:
    """(end, the dealer's shrunk share of fraud, its region's, applications) of the half-years that ended each month.

    What is known at the moment of the table; the newest end lies far enough back that a share can be told.
    """
    each, today = table.each, table.moment.today - MATURE_DAYS * DAY
    mine = each.there & (each.dealer == dealer)
    near = each.there & (table.region[np.maximum(each.dealer, 0)] == table.region[dealer]) & ~mine
    told = []
    for back in range(TREND_MONTHS - 1, -1, -1):
        end = today - back * MONTH_DAYS * DAY
        window = each.there & (each.submitted <= end) & (each.submitted > end - TREND_DAYS * DAY)
        overall = float(each.fraud[window].mean()) if window.any() else 0.0
        others, own = window & near, window & mine
        region = (float(each.fraud[others].sum()) + PRIOR * overall) / (int(others.sum()) + PRIOR)
        k = table.fraud.strength
        number, cases = int(own.sum()), float(each.fraud[own].sum())
        told.append((from_millis(end), (k * region + cases) / (k + number), region, number))
    first = next((at for at, one in enumerate(told) if one[3]), len(told))
    return told[first:]
