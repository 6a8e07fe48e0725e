"""What rules read after a night's run: calls, defaults, the car's papers and whereabouts, dealers, nearness to fraud.

All as known on that night; `book` was opened with `post_loan`. Rows are those known by then, as in `hindsight`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import connected_components
from scipy.special import betaincinv

from gnn.book import ROLE, Book, Floats
from gnn.rules.cars import car_columns
from gnn.rules.told import distinct_people, known, pairs_within, region_numbers, related, stated
from gnn.walk import Links
from graph.incidence import VOICE_MATCH
from graph.records import DAY

SURE_VOICE = 0.9
VOICE_DAYS = 90
CROWD = 200
"""Holders beyond which a voice or a number is nobody's own."""

LATE_DAYS = 30
"""An instalment unpaid so long after it was due is a default."""

YEAR = 365
MATURE_DAYS = 60
"""Before that nobody can have missed the first instalment by so much."""

PRIOR = 20.0
"""Loans the region counts for in a dealer's share, and the whole portfolio in a region's."""

CREDIBLE = 0.05
RESTART = 0.15
STEPS = 30
WINDOW_DAYS = 120

COLUMNS: Mapping[str, str] = {
    "voice_people_90d": "unrelated others of 90 days with the same voice (score 0.9, or one reference) as applicant",
    "voice_similar_people_90d": "unrelated others of 90 days in any of whose calls a similar voice was heard",
    "contact_of_defaulters": "others in default since less than a year who named the applicant's number as contact",
    "plate_elsewhere": "1 where the plate's city is none of home, birthplace, employer and dealer",
    "home_city": "first four digits of where the applicant lives; of a municipality its province and 00",
    "days_to_passed_on": "days from funding to the first transfer or export to somebody else; 9999 for none so far",
    "paid_off": "1 where the mortgage was released after funding",
    "days_to_uninsured": "days from funding to a cancellation that no other policy replaced; 9999 for none",
    "days_to_uninvoiced": "days from funding to a reversal of the invoice after which none was issued; 9999 for none",
    "gps_ended_days": "days from funding to the last report of any unit in the car",
    "gps_silent_hours": "hours since then, beyond the time between the car's reports",
    "gps_peers_ended": "share of cars funded 60 days ago or longer whose reports had ended as early",
    "in_repair": "1 where the car went to a workshop about when it fell silent, or since",
    "place_cars_30d": "silent cars of unrelated people last seen at one place within 30 days, this one included",
    "dealer_loans": "the dealer's applications of 365 days that are old enough to judge, or known as bad",
    "dealer_times_region": "the dealer's share of fraud and unpaid first instalments, at least (95 %), to its region's",
    "pagerank_percentile": "share of the applications of 120 days farther, along the links, from fraud known then",
}  # fmt: skip
"""Each column in one line."""


def night_columns(book: Book, *, night: int, links: Links) -> dict[str, Floats]:
    """`links` are those of `hindsight` on that night."""
    rows = np.flatnonzero(book.as_of <= night)
    late = _late(book, night)
    columns = {
        **_voices(book, night),
        "contact_of_defaulters": _contacts(book, late, night),
        **car_columns(book, night),
        **_dealers(book, late, night),
        "pagerank_percentile": _percentile(book, links, night),
    }
    return {name: column[rows] for name, column in columns.items()}


# Voices --------------------------------------------------------------------------------------------------


def _voices(book: Book, night: int) -> dict[str, Floats]:
    names, calls = ("voice_people_90d", "voice_similar_people_90d"), known(book, "call_events", night)
    if calls is None or not stated(calls, "voice_ref"):
        return {name: np.full(len(book), np.nan) for name in names}
    calls = calls.assign(voice=book.snapshot.nodes["VoiceCluster"].index_of(calls["voice_ref"].fillna(0).to_numpy()))
    calls = calls[calls["voice"] >= 0]
    own = calls[calls["callee_role"] == "applicant"] if "callee_role" in calls else calls[:0]
    heard = np.zeros(len(book), dtype=bool)
    heard[calls["node"]] = True
    sure, similar = (_one_voice(book, rows, least, night) for rows, least in ((own, SURE_VOICE), (calls, VOICE_MATCH)))
    return {name: np.where(heard, each, np.nan) for name, each in zip(names, (sure, similar), strict=True)}


def _one_voice(book: Book, calls: pd.DataFrame, least: float, night: int) -> Floats:
    edges = book.snapshot.columns("SAME_VOICE", as_of=night)
    strong, size = edges["confidence"] >= least, len(book.snapshot.nodes["VoiceCluster"])
    ends = edges["source"][strong], edges["target"][strong]
    _, voice = connected_components(csr_array((np.ones(strong.sum()), ends), (size, size)), directed=False)
    row, other = pairs_within(voice[calls["voice"]], calls["node"].to_numpy(np.int64), most=CROWD)
    near = np.abs(book.submitted[row] - book.submitted[other]) <= VOICE_DAYS * DAY
    row, other = row[near], other[near]
    apart = ~related(book, row, other, night)
    return distinct_people(book, row[apart], other[apart])


# Defaults ------------------------------------------------------------------------------------------------


def _late(book: Book, night: int) -> pd.DataFrame | None:
    """Instalments that are or were paid so late: `node`, `instalment_no` and `when` it became a default."""
    rows = known(book, "repayments", night)
    if rows is None or not stated(rows, "due_date", "paid_at", "instalment_no"):
        return None
    paid = rows["paid_at"].where(rows["paid_at"] <= night).fillna(night)
    rows = rows.assign(late=(paid - rows["due_date"]) / DAY, when=rows["due_date"] + LATE_DAYS * DAY)
    return rows.loc[rows["late"] >= LATE_DAYS, ["node", "instalment_no", "when"]]


def _contacts(book: Book, late: pd.DataFrame | None, night: int) -> Floats:
    if late is None:
        return np.full(len(book), np.nan)
    defaulted = np.zeros(len(book), dtype=bool)
    defaulted[late.loc[late["when"] >= night - YEAR * DAY, "node"]] = True
    pairs = book.pairs
    mine = (pairs.role == ROLE["contact"]) & (pairs.known_at <= night) & defaulted[pairs.application]
    mine &= book.aside_from[pairs.thing] > night
    named = pd.DataFrame({"phone": pairs.thing[mine] - book.offsets["Phone"], "by": pairs.application[mine]})
    number = book.latest("phone", at=np.full(len(book), night))
    own = pd.DataFrame({"phone": number, "row": np.arange(len(book))})
    both = own[own["phone"] >= 0].merge(named.drop_duplicates(), on="phone")
    deal = book.latest("deal", at=np.full(len(book), night))
    row, by = both["row"].to_numpy(np.int64), both["by"].to_numpy(np.int64)
    apart = (deal[row] != deal[by]) | (deal[row] < 0)
    return np.where(number >= 0, distinct_people(book, row[apart], by[apart]), np.nan)


# Dealers -------------------------------------------------------------------------------------------------


def _dealers(book: Book, late: pd.DataFrame | None, night: int) -> dict[str, Floats]:
    """Beta-binomial: the region's other dealers are the prior of each dealer, the portfolio that of each region."""
    dealer = book.latest("dealer", at=np.full(len(book), night))
    bad = book.labels.known(night)
    if late is not None:
        bad[late.loc[late["instalment_no"] == 1, "node"]] = True
    recent = (book.submitted >= night - YEAR * DAY) & (book.as_of <= night) & (dealer >= 0)
    counted = recent & (bad | (book.submitted <= night - MATURE_DAYS * DAY))
    size = len(book.snapshot.nodes["Dealer"])
    loans = np.bincount(dealer[counted], minlength=size).astype(np.float64)
    lost = np.bincount(dealer[counted & bad], minlength=size).astype(np.float64)
    region = np.floor(region_numbers(book.snapshot.nodes["Dealer"].table["region"])[:-1] / 10_000)
    _, province = np.unique(np.nan_to_num(region), return_inverse=True)
    overall = lost.sum() / max(loans.sum(), 1.0)
    others, others_lost = (np.bincount(province, weights=each)[province] - each for each in (loans, lost))
    share = (others_lost + PRIOR * overall) / (others + PRIOR)
    with np.errstate(invalid="ignore", divide="ignore"):
        low = betaincinv(PRIOR * share + lost, PRIOR * (1 - share) + loans - lost, CREDIBLE)
        times = np.where(share > 0, low / share, np.nan)
    return {"dealer_loans": np.append(loans, np.nan)[dealer], "dealer_times_region": np.append(times, np.nan)[dealer]}


# Nearness to known fraud ---------------------------------------------------------------------------------


def _percentile(book: Book, links: Links, night: int) -> Floats:
    """NaN for known fraud itself, for older applications, and for all where no fraud is known."""
    fraud = np.where(book.labels.known(night), book.labels.evidence, 0.0)
    out = np.full(len(book), np.nan)
    asked = np.flatnonzero((book.as_of <= night) & (book.submitted >= night - WINDOW_DAYS * DAY) & (fraud == 0))
    if not fraud.any() or not len(asked):
        return out
    near = pagerank(links, fraud)[asked]
    out[asked] = np.searchsorted(np.sort(near), near, side="left") / len(near)
    return out


def pagerank(links: Links, seeds: Floats) -> Floats:
    """Personalised: where a walk along the links is that returns to a seed with every seventh step."""
    size = len(seeds)
    row, at = np.nonzero(links.row >= 0)
    ends = row, links.row[row, at]
    one_way = csr_array((links.weight[row, at].astype(np.float64), ends), (size, size))
    weights = one_way.maximum(one_way.T)
    leaving = np.asarray(weights.sum(axis=0)).ravel()
    walk = (weights @ diags_array(1.0 / np.where(leaving > 0, leaving, 1.0))).tocsr()
    start = seeds / seeds.sum()
    near = start
    for _ in range(STEPS):
        near = RESTART * start + (1 - RESTART) * (walk @ near)
    return np.asarray(near, dtype=np.float64)
