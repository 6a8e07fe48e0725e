"""All cars at once, as of a time: what is odd about each, by the rules' own columns and thresholds if there is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from gnn.book import aside_from, open_book
from gnn.rules import read_settings
from gnn.rules.cars import car_columns
from gnn.rules.catalogue import BY_CODE
from gnn.rules.rule import Columns
from graph.records import DAY, Ints
from workbench.services.lenses.dealer_table import Applications, Flags
from workbench.services.lenses.ledger import Facts, Moment
from workbench.services.lenses.shrinkage import Floats

TRANSFERS = 3
TRANSFER_DAYS = 182
"""T10: three or four transfers in six months."""

FEWEST_OF_MODEL = 20
UNDER_MARKET = 0.6
"""A car invoiced so far below its market price was valued wrongly, or is another car."""

REGISTERED_DAYS = 15
USUALLY = 0.95
MORTGAGED = ("new", "used", "commercial")
"""Products whose mortgage is to be registered. It is late after 15 days, and after what 95 of 100 cars take; where
fewer than half of the cars ever had one registered, nobody reports it."""

SIGNS = ("financed_twice", "silent", "together", "passed_on", "withdrawn", "transfers", "over_market", "under_market",
         "plated_elsewhere", "unregistered")  # fmt: skip
"""The gravest first."""

POINTS = (100, 60, 100, 100, 60, 60, 25, 15, 15, 10)
"""What each adds to the order of the list: the rules' points, strong ones as 100."""


@dataclass(frozen=True)
class CarTable:
    """Columns per vehicle. `odd[v, s]`: SIGNS[s] holds for vehicle v.

    `latest` is its newest application, -1 for none; `public` are places where many cars stand by nature.
    """

    moment: Moment
    odd: Flags
    points: Ints
    loans: Ints
    people: Ints
    amount: Floats
    savable: Floats
    latest: Ints
    over: Floats
    transfers: Ints
    last_event: Ints
    in_rings: Ints
    public: Flags
    vehicle: Ints


@dataclass(frozen=True)
class Cars:
    """The slow part: the rules' columns per application, as of the moment."""

    columns: Columns
    vehicle: Ints
    person: Ints
    public: Flags


def cars(facts: Facts, moment: Moment) -> Cars:
    """Opens a book with what exists after funding, and lets go of it again: at a million applications it is large."""
    book = open_book(facts.snapshot, {name: facts.events[name] for name in facts.events}, post_loan=True)
    book = book.with_aside(aside_from(book, [moment.known]))
    first = book.offsets["Place"]
    public = book.aside_from[first : first + len(facts.snapshot.nodes["Place"])] <= moment.known
    vehicle = book.latest("vehicle", at=np.full(len(book), moment.known))
    return Cars(dict(car_columns(book, moment.today)), vehicle, book.person.copy(), public)


def table(facts: Facts, slow: Cars, each: Applications, moment: Moment) -> CarTable:
    snapshot, vehicle = facts.snapshot, slow.vehicle
    size = len(snapshot.nodes["Vehicle"])
    there = (snapshot.nodes["Application"].known_at <= moment.known) & (vehicle >= 0)

    def on(rows: Flags) -> Flags:
        hit = np.zeros(size, dtype=bool)
        hit[vehicle[rows & there]] = True
        return hit

    def total(rows: Flags, weights: Floats | None = None) -> Floats:
        kept = rows & there
        taken = None if weights is None else weights[kept]
        return np.bincount(vehicle[kept], weights=taken, minlength=size).astype(np.float64)

    open_ = ~each.closed
    loans = total(open_).astype(np.int64)
    people = _people(vehicle, slow.person, there & open_, size)
    over = _over_market(facts, slow, there, moment)
    transfers, many, last_event = _events(facts, moment, size)
    live = np.nan_to_num(over, nan=1.0)
    asked = read_settings()
    limit = asked.thresholds["R18"]["times"]
    odd = np.stack([
        people >= 2,
        on(_rule("R23", slow)), on(_rule("R24", slow)), on(_rule("R21", slow)), on(_rule("R22", slow)),
        many, (live > limit) & ~_dear_model(facts, over, limit), live < UNDER_MARKET, on(_rule("R20", slow)),
        on(_unregistered(facts, slow, there & open_, moment)),
    ], axis=1)  # fmt: skip
    latest = np.full(size, -1, dtype=np.int64)
    rows = np.flatnonzero(there)
    rows = rows[np.argsort(each.submitted[rows], kind="stable")]
    latest[vehicle[rows]] = rows
    return CarTable(
        moment, odd, odd @ np.array(POINTS), loans, people, total(open_, each.amount),
        total(open_ & ~each.funded, each.amount), latest, over, transfers, last_event,
        total(each.ring >= 0).astype(np.int64), slow.public, vehicle,
    )  # fmt: skip


def _rule(code: str, slow: Cars) -> Flags:
    rule = BY_CODE[code]
    with np.errstate(invalid="ignore"):
        return np.asarray(rule.holds(slow.columns, read_settings().thresholds[code]))


def _people(vehicle: Ints, person: Ints, kept: Flags, size: int) -> Ints:
    """Per vehicle how many different people have an open application or a loan on it."""
    pairs = np.unique(np.stack([vehicle[kept], person[kept]], axis=1), axis=0)[:, 0]
    return np.bincount(pairs, minlength=size).astype(np.int64)


def _over_market(facts: Facts, slow: Cars, there: Flags, moment: Moment) -> Floats:
    """Per vehicle the highest invoice price to its market price; NaN where one is not stated, or came later."""
    nodes = facts.snapshot.nodes["Vehicle"]
    market = nodes.numbers("market_price")
    stated = nodes.table["valuation_at"].fill_null(0).to_numpy()
    market = np.where((stated > moment.known) | ~(market > 0), np.nan, market)
    price = facts.snapshot.nodes["Application"].numbers("invoice_price")
    kept = there & np.isfinite(price)
    highest = np.full(len(nodes), -np.inf)
    np.maximum.at(highest, slow.vehicle[kept], price[kept])
    ratio: Floats = np.where(np.isfinite(highest), highest, np.nan) / market
    return ratio


def _dear_model(facts: Facts, over: Floats, limit: float) -> Flags:
    """Models that sell so high above the market price by themselves (R18)."""
    models = pd.DataFrame({"model": facts.snapshot.nodes["Vehicle"].table["model_code"].to_pandas(), "over": over})
    grouped = models.groupby("model")["over"]
    usual, known = grouped.transform("median").to_numpy(), grouped.transform("count").to_numpy()
    return np.asarray((known >= FEWEST_OF_MODEL) & (usual > limit))


def _unregistered(facts: Facts, slow: Cars, kept: Flags, moment: Moment) -> Flags:
    """Per application: its car was paid out long ago, and no mortgage on it is known."""
    nodes, told = facts.snapshot.nodes["Application"], facts.events["vehicle_events"]
    paid = nodes.times("funded_at", as_of=moment.known)
    product = nodes.table["product"].to_pandas().isin(MORTGAGED).to_numpy()
    days = np.where(kept & product & (paid > 0), (moment.today - paid) / DAY, -1.0)
    if told is None:
        return np.zeros(len(days), dtype=bool)
    registered = np.full(len(facts.snapshot.nodes["Vehicle"]), np.inf)
    at = facts.snapshot.nodes["Vehicle"].index_of(told["owner"].to_numpy())
    mine = pa.compute.equal(told["type"], "mortgage_registered").to_numpy(zero_copy_only=False)
    mine &= (told["known_at"].to_numpy() <= moment.known) & (at >= 0)
    np.minimum.at(registered, at[mine], told["event_time"].to_numpy()[mine].astype(np.float64))
    own = np.where(slow.vehicle >= 0, registered[slow.vehicle], np.inf)
    took = (own - paid)[(days >= REGISTERED_DAYS) & np.isfinite(own)] / DAY
    if 2 * len(took) < (days >= REGISTERED_DAYS).sum() or not len(took):
        return np.zeros(len(days), dtype=bool)
    late = max(REGISTERED_DAYS, float(np.quantile(took, USUALLY)))
    return np.asarray((days > late) & np.isinf(own))


def _events(facts: Facts, moment: Moment, size: int) -> tuple[Ints, Flags, Ints]:
    """Per vehicle: transfers, whether three of them lie within six months, and when anything last happened."""
    number, many, last = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=bool), np.zeros(size, dtype=np.int64)
    told = facts.events["vehicle_events"]
    if told is None:
        return number, many, last
    owner, when, known = (told[name].to_numpy() for name in ("owner", "event_time", "known_at"))
    at = facts.snapshot.nodes["Vehicle"].index_of(owner)
    seen = (known <= moment.known) & (at >= 0)
    np.maximum.at(last, at[seen], when[seen])
    moved = pa.compute.equal(told["type"], "title_transfer").to_numpy(zero_copy_only=False)
    at, when = at[seen & moved], when[seen & moved]
    number += np.bincount(at, minlength=size)
    third = (at[2:] == at[:-2]) & (when[2:] - when[:-2] <= TRANSFER_DAYS * DAY)
    many[at[2:][third]] = True
    return number, many, last
