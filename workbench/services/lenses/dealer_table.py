"""All dealers at once, as of a time: one pass of numpy over all applications, no loop over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from scipy.special import betaincinv

from gnn.rules import read_settings
from gnn.rules.night_columns import CREDIBLE, LATE_DAYS, MATURE_DAYS, YEAR
from gnn.told import Labels
from graph.drafts import CLOSED
from graph.incidence import dealers
from graph.innocent import without
from graph.opinions import Opinions
from graph.projection import project
from graph.records import DAY, Ints, node_ids
from workbench.services.lenses.ledger import Facts, Moment
from workbench.services.lenses.shrinkage import PRIOR, Floats, Shrunk, jumps, region_share, shrunk

Flags = npt.NDArray[np.bool_]

WEEK = 7 * DAY
WEEKS = 60
RECENT_WEEKS = 12
MONTH_DAYS = 30


@dataclass(frozen=True)
class Links:
    """Who shares what with whom within a year, what many hold by nature left out. `party` is per application."""

    party: Ints
    first: Ints
    second: Ints
    linked: Flags


@dataclass(frozen=True)
class Applications:
    """Per application, as known then. `there`: known and of a dealer; `ring`: its place among the rings, or -1."""

    there: Flags
    dealer: Ints
    submitted: Ints
    amount: Floats
    funded: Flags
    closed: Flags
    fraud: Flags
    cleared: Flags
    early_default: Flags
    first_due: Flags
    ring: Ints


@dataclass(frozen=True)
class DealerTable:
    """Columns per dealer. `alert` is rule R25 as it is shipped, `times_region` what it holds against its threshold.
    `weekly` is (dealers, WEEKS), seven days each, the last ending at `moment.today`."""

    moment: Moment
    each: Applications
    links: Links
    ring_ids: tuple[str, ...]
    fraud: Shrunk
    early: Shrunk
    shared: Shrunk
    alert: Flags
    times_region: Floats
    weekly: Floats
    jumps: Floats
    year: Ints
    month: Ints
    exposure: Floats
    savable: Floats
    in_rings: Ints
    rings: Ints
    region: Ints
    kind: Ints


def links(facts: Facts, moment: Moment, opinions: Opinions) -> Links:
    snapshot = without(facts.snapshot, opinions.innocent)
    found = project(snapshot, as_of=moment.known, window_days=_days_back(moment), opinions=opinions.here(snapshot))
    linked = np.zeros(found.size, dtype=bool)
    linked[found.first] = linked[found.second] = True
    return Links(found.party, found.first, found.second, linked[found.party])


def _days_back(moment: Moment) -> int:
    """A year before today, however long ago that is."""
    return YEAR + int((moment.known - moment.today) // DAY)


def applications(facts: Facts, labels: Labels, rings: Mapping[str, Sequence[str]], moment: Moment) -> Applications:
    """`labels` may hold what was told later: it is asked as of the moment."""
    snapshot, known = facts.snapshot, moment.known
    nodes = snapshot.nodes["Application"]
    dealer = dealers(snapshot, as_of=known)
    decided = nodes.times("decided_at", as_of=known) > 0
    decision = nodes.table["decision"].combine_chunks().dictionary_encode()
    final = np.isin(np.array([*decision.dictionary.to_pylist(), ""], dtype=object), CLOSED)
    closed = final[decision.indices.fill_null(len(final) - 1).to_numpy(zero_copy_only=False)] & decided
    first_due, late = (np.zeros(len(nodes), dtype=bool) for _ in range(2))
    told = facts.instalments.told(known)
    firsts = told.only(told.number == 1)
    late[firsts.row[firsts.days_late(moment.today) >= LATE_DAYS]] = True
    first_due[firsts.row[firsts.due <= moment.today - LATE_DAYS * DAY]] = True
    ring = np.full(len(nodes), -1, dtype=np.int64)
    for number, names in enumerate(rings.values()):
        at = nodes.index_of(node_ids("Application", names))
        ring[at[at >= 0]] = number
    return Applications(
        there=(nodes.known_at <= known) & (dealer >= 0),
        dealer=dealer,
        submitted=np.where(
            (stated := nodes.times("submitted_at", as_of=known)) > 0, stated, np.minimum(nodes.known_at, known)
        ),
        amount=np.nan_to_num(nodes.numbers("amount")),
        funded=nodes.times("funded_at", as_of=known) > 0,
        closed=closed,
        fraud=labels.known(known),
        cleared=(labels.cleared_from <= known) & ~labels.known(known),
        early_default=late,
        first_due=first_due,
        ring=ring,
    )


def table(facts: Facts, each: Applications, found: Links, rings: Sequence[str], moment: Moment) -> DealerTable:
    """`each` numbers these rings."""
    today = moment.today
    dealer_nodes = facts.snapshot.nodes["Dealer"]
    size = len(dealer_nodes)
    year = each.there & (each.submitted >= today - YEAR * DAY) & (each.submitted <= today)
    mature = year & (each.submitted <= today - MATURE_DAYS * DAY)
    region, kind = _regions(dealer_nodes.table["region"]), pd.factorize(dealer_nodes.table["type"].to_pandas())[0] + 1
    bad, asked = each.fraud | each.early_default, read_settings().thresholds["R25"]

    def of(which: Flags, weights: Floats | None = None) -> Floats:
        taken = None if weights is None else weights[which]
        return np.bincount(each.dealer[which], weights=taken, minlength=size).astype(np.float64)

    def rate(cases: Flags, among: Flags) -> Shrunk:
        return shrunk(of(cases & among), of(among), region, kind)

    loans = of(mature | (year & bad))
    times = _times_region(loans, of(year & bad), region)
    open_ = each.there & ~each.closed
    weekly = _weekly(each, today, size)
    in_ring = each.there & (each.ring >= 0)
    return DealerTable(
        moment=moment, each=each, links=found, ring_ids=tuple(rings),
        alert=(loans >= asked["loans"]) & (times > asked["times"]), times_region=times,
        fraud=rate(each.fraud, mature | (year & each.fraud)),
        early=rate(each.early_default, year & each.first_due),
        shared=rate(found.linked, year),
        weekly=weekly, jumps=jumps(weekly, RECENT_WEEKS),
        year=of(year).astype(np.int64),
        month=of(year & (each.submitted >= today - MONTH_DAYS * DAY)).astype(np.int64),
        exposure=of(open_, each.amount), savable=of(open_ & ~each.funded, each.amount),
        in_rings=of(in_ring).astype(np.int64), rings=_rings(each, in_ring, size),
        region=region, kind=kind,
    )  # fmt: skip


def _times_region(loans: Floats, lost: Floats, region: Ints) -> Floats:
    """As rule R25 counts: the dealer's share of fraud and unpaid first instalments, at least (95 %), to its region's,
    without regard to its type."""
    share = region_share(lost, loans, region)
    low = betaincinv(PRIOR * share + lost, PRIOR * (1 - share) + loans - lost, CREDIBLE)
    return np.asarray(np.where(share > 0, low / np.where(share > 0, share, 1.0), 0.0))


def _regions(column: pa.ChunkedArray) -> Ints:
    """The province: the first two digits; 0 where nobody says."""
    numbers = pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(np.float64)
    province: Ints = np.nan_to_num(np.floor(numbers / 10_000)).astype(np.int64)
    return province


def _weekly(each: Applications, today: int, size: int) -> Floats:
    back = (today - each.submitted) // WEEK
    kept = each.there & (back >= 0) & (back < WEEKS)
    place = each.dealer[kept] * WEEKS + (WEEKS - 1 - back[kept])
    return np.bincount(place, minlength=size * WEEKS).reshape(size, WEEKS).astype(np.float64)


def _rings(each: Applications, in_ring: Flags, size: int) -> Ints:
    """How many rings each dealer sold into."""
    most = int(each.ring.max(initial=-1)) + 1
    pairs = np.unique(each.dealer[in_ring] * max(most, 1) + each.ring[in_ring])
    return np.bincount(pairs // max(most, 1), minlength=size).astype(np.int64)
