"""What rules read at the decision and the features do not have: as known when each application is scored.

One compiled loop walks the chains of shared things, so a single row takes microseconds and has the bits it has among
all. What is fitted on others (`Peers`) knows only applications from before the period in which it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gnn.book import FOREVER, Book, Floats
from gnn.rules.shared import Fates, last_vehicle, walked
from graph.circles import FLEET
from graph.incidence import reached
from graph.ontology import EDGES
from graph.records import CHINA, DAY, Ints

PERIOD_DAYS = 30
"""Peers are fitted anew at the start of each period, on the applications of the `PEER_DAYS` before it."""

PEER_DAYS = 90
FEWEST_PEERS = 100
"""A 99th percentile of fewer says nothing."""

FEWEST_MODELS, FEWEST_DEALERS = 20, 5
"""A model has a price of its own when so many were sold, by so many dealers."""

SURE_MONTHS = 12
"""So long a loan is taken to run; later the car may have been paid off and sold again, and a strong rule must be sure
(T03: the second loan comes within 1 to 60 days)."""

LIMIT_DAYS = 30
MONTH_DAYS = 31
"""A month of a contract is no longer."""

RESIDENT = "resident"
COLUMNS: Mapping[str, str] = {
    "vehicle_conflicts": "other people, of other deals, with an open application or a running loan on the car",
    "template_people_90d": "strangers of 90 days with the same document template, colleagues not counted",
    "group_people_120d": "strangers of 120 days who share anything not set aside; of colleagues only what is private",
    "group_kinds_120d": "independent kinds of things shared with them: of a session, and of an employer, one each",
    "payer_is_dealer": "1 where a dealer names the account that paid down as its own",
    "of_fleet": "1 where the employer was recognised as a fleet by then (B05); NaN where nobody looked",
    "near_dealers_30d": "dealers of 30 days of the applicant and of strangers who share what is private",
    "id_number_refused": "1 where a resident's ID number was not usable, so that the lender's own number stands for it",
    "limit_share": "amount to the largest one approved automatically in the 30 days before",
    "peers_price_to_income": "99th percentile of price to monthly income of the product's buyers, 90 days before",
    "model_over_market": "median over dealers of price to market price of this model, 90 days before",
}  # fmt: skip
"""Each column in one line."""


def decision_columns(
    book: Book, rows: Ints, features: Mapping[str, npt.NDArray[Any]], peers: Peers
) -> dict[str, Floats]:
    """`features` hold `amount` and `product` of these rows. A row newer than the fit is answered alike."""
    return (
        walked(book, rows, peers.fates)
        | peers.columns(book, rows, features)
        | {"id_number_refused": peers.by_number(book, rows)}
    )


# Peers ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Peers:
    """What others did before: the automatic limit by day, the tail of price to income and each model's price by period.

    `first_day` and `first` number the first entries. `ratio` has a row per period and a column per product, `model` is
    per period and model; the last entry stands for all that comes later. `refused` is per person.
    """

    first_day: int
    limit: Floats
    first: int
    ratio: Floats
    model: Floats
    model_of: Ints
    refused: Floats
    fates: Fates

    @classmethod
    def fit(cls, book: Book, features: Mapping[str, npt.NDArray[Any]], *, fleet_from: Ints | None = None) -> Peers:
        """`features` of all rows: amount, automatic, product, price_to_income, price_over_market.

        Every night, or more often: what was decided since counts as open. `fleet_from`: see `fleet_from`.
        """
        codes = pd.factorize(book.snapshot.nodes["Vehicle"].table["model_code"].to_pandas().to_numpy())[0]
        model_of = np.append(codes, -1).astype(np.int64)
        if not len(book):
            return cls(
                0, np.full(1, np.nan), 0, np.full((1, 1), np.nan), np.full((1, 1), np.nan), np.full(1, -1), np.zeros(0),
                _fates(book, fleet_from),
            )  # fmt: skip
        period = _period(book.as_of)
        first, last = int(period.min()), int(period.max()) + 1
        known = pd.DataFrame({
            "ratio": features["price_to_income"], "over": features["price_over_market"],
            "product": _product(features["product"]), "dealer": book.latest("dealer"),
            "model": model_of[book.latest("vehicle")],
        })  # fmt: skip
        ratio = np.full((last - first + 1, int(known["product"].max()) + 1), np.nan)
        model = np.full((last - first + 1, int(codes.max(initial=-1)) + 2), np.nan)
        for at in range(len(ratio)):
            start = (first + at) * PERIOD_DAYS * DAY - CHINA
            before = known[(book.as_of < start) & (book.as_of >= start - PEER_DAYS * DAY)]
            _tails(before, ratio[at])
            _prices(before, model[at])
        first_day, limit = _limits(book, features)
        return cls(first_day, limit, first, ratio, model, model_of, _refused(book), _fates(book, fleet_from))

    def columns(self, book: Book, rows: Ints, features: Mapping[str, npt.NDArray[Any]]) -> dict[str, Floats]:
        period = _within(_period(book.as_of[rows]) - self.first, len(self.ratio))
        day = _within(book.submitted[rows] // DAY - self.first_day, len(self.limit))
        product = _product(features["product"])
        unseen = product >= self.ratio.shape[1]
        ratio = np.where(unseen, np.nan, self.ratio[period, np.where(unseen, 0, product)])
        vehicle = last_vehicle(book, rows)
        model = np.where(
            vehicle < len(self.model_of) - 1, self.model_of[np.minimum(vehicle, len(self.model_of) - 1)], -1
        )
        return {
            "limit_share": np.asarray(features["amount"] / self.limit[day], dtype=np.float64),
            "peers_price_to_income": ratio,
            "model_over_market": self.model[period, model],
        }

    @cached_property
    def numbered(self) -> bool:
        """Whether anybody's ID number is known."""
        return bool(np.isfinite(self.refused).any())

    def by_number(self, book: Book, rows: Ints) -> Floats:
        """Whether the ID number was refused; a person newer than the fit is looked up."""
        person, people = book.person[rows], book.snapshot.nodes["Person"].table
        fitted = person < len(self.refused)
        refused = np.full(len(rows), np.nan)
        refused[fitted] = self.refused[person[fitted]]
        for at in np.flatnonzero(~fitted & (person < len(people)) & self.numbered).tolist():
            one = int(person[at])
            if people["id_type"][one].as_py() == RESIDENT:
                refused[at] = float(not people["masked"][one].as_py()[:1].isdigit())
        return refused


def _within(places: Ints, size: int) -> Ints:
    """As `np.clip`, which takes five times as long for one."""
    return np.minimum(np.maximum(places, 0), size - 1)


def _period(when: Ints) -> Ints:
    return np.asarray((when + CHINA) // (PERIOD_DAYS * DAY))


def _product(codes: npt.NDArray[Any]) -> Ints:
    """Products that are not in the list are one product."""
    return np.where(codes >= 0, codes, -1).astype(np.int64) + 1


def _tails(before: pd.DataFrame, out: Floats) -> None:
    for product, ratios in before[np.isfinite(before["ratio"])].groupby("product")["ratio"]:
        if len(ratios) >= FEWEST_PEERS:
            out[product] = np.quantile(ratios, 0.99)


def _prices(before: pd.DataFrame, out: Floats) -> None:
    """The last entry is for cars of no known model."""
    sold = before[np.isfinite(before["over"]) & (before["model"] >= 0)]
    by_dealer = sold.groupby(["model", "dealer"])["over"].agg(["median", "size"])
    models = by_dealer.groupby("model").agg(price=("median", "median"), cars=("size", "sum"), dealers=("size", "size"))
    models = models[(models["cars"] >= FEWEST_MODELS) & (models["dealers"] >= FEWEST_DEALERS)]
    out[models.index.to_numpy(dtype=np.int64)] = models["price"].to_numpy()


def _limits(book: Book, features: Mapping[str, npt.NDArray[Any]]) -> tuple[int, Floats]:
    day = book.submitted // DAY
    first = int(day.min())
    most = np.full(int(day.max()) - first + 2, np.nan)
    automatic = np.flatnonzero((features["automatic"] == 1) & np.isfinite(features["amount"]))
    np.fmax.at(most, day[automatic] - first, features["amount"][automatic])
    return first, pd.Series(most).rolling(LIMIT_DAYS, min_periods=1).max().shift(1).to_numpy()


# Fleets --------------------------------------------------------------------------------------------------


def fleet_from(book: Book, nights: Iterable[int]) -> Ints:
    """Per employer the first of these nights on which one party was seen to insure the cars of many who work there.

    `book` was opened with `post_loan`: who insures a car shows only then.
    """
    since = np.full(len(book.snapshot.nodes["Employer"]), FOREVER)
    for night in nights:
        application, insured, _ = reached(book.snapshot, EDGES["INSURED_BY"], int(night))
        employer = book.latest("employer", at=np.full(len(book), night))[application]
        rows = pd.DataFrame({"person": book.person[application], "insured": insured, "employer": employer})
        rows = rows[rows["employer"] >= 0].drop_duplicates()
        drivers = rows.groupby(["insured", "employer"]).size()
        fleets = drivers[drivers >= FLEET].reset_index()["employer"].to_numpy(dtype=np.int64)
        since[fleets] = np.minimum(since[fleets], night)
    return since


# One person ----------------------------------------------------------------------------------------------


def _refused(book: Book) -> Floats:
    """Per person, by the mask: an ID number begins with its region's digits, the lender's own number with a word."""
    people = book.snapshot.nodes["Person"].table
    resident = (people["id_type"].to_pandas() == RESIDENT).to_numpy()
    numbered = people["masked"].to_pandas().str.slice(0, 1).str.isdigit().to_numpy(dtype=bool)
    if not (resident & numbered).any():  # nobody loads them
        return np.full(len(people), np.nan)
    return np.where(resident, (~numbered).astype(float), np.nan)


# What became of others -----------------------------------------------------------------------------------


def _fates(book: Book, fleets: Ints | None) -> Fates:
    snapshot = book.snapshot
    nodes = snapshot.nodes["Application"]
    decision = nodes.table["decision"].to_pandas()
    decided, funded = (nodes.times(name, as_of=FOREVER - 1) for name in ("decided_at", "funded_at"))
    ended = decision.isin(("decline", "cancel")).to_numpy() & (decided > 0)
    payee = np.full(len(snapshot.nodes["Account"]), FOREVER)
    named = snapshot.columns("PAYEE_ACCOUNT", as_of=FOREVER)
    np.minimum.at(payee, named["target"], named["known_at"])
    dates = pd.to_datetime(snapshot.nodes["Employer"].table["reg_date"].to_pandas(), errors="coerce", utc=True)
    millis = dates.astype("datetime64[ms, UTC]").astype("int64").to_numpy()
    return Fates(
        closed_at=np.where(ended, decided, FOREVER),
        funded_at=np.where(funded > 0, funded, FOREVER),
        ends_at=_ends(book, funded),
        registered=np.where(dates.isna(), 0, millis),
        payee_from=payee,
        fleet_from=fleets,
    )


def _ends(book: Book, funded: Ints) -> Ints:
    """Per application when its loan ends, or may well have ended. That a mortgage was released stands in a table that
    exists only after funding, and no decision reads one."""
    stated = book.snapshot.nodes["Application"].numbers("term_months")
    months = np.where(np.isfinite(stated), np.minimum(stated, SURE_MONTHS), SURE_MONTHS).astype(np.int64)
    return np.where(funded > 0, funded + months * MONTH_DAYS * DAY, FOREVER)
