"""Who is there before anybody applies: dealers and their groups, salespeople, reviewers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Ints, chance, pick, pick_at, some, uniform, whole
from loaders.portfolio.clock import DAY, NEVER


def build_world(book: Book) -> None:
    _dealers(book)
    _salespeople(book)


def _dealers(book: Book) -> None:
    rng, p = book.streams("dealers"), book.p["dealers"]
    n = max(book.p.per("dealers.per_100k", book.size), 12)
    volume = np.minimum(rng.pareto(p["size_tail"], n) + 1, p["size_cap"])
    book.entities.new("dealer", n)
    group = _groups(rng, n, p["grouped_share"], p["group_size"])
    own_account = book.entities.new("account", n)
    desk = pd.Series(own_account).groupby(np.where(group >= 0, group, -2 - np.arange(n))).transform("first")
    book.dealers = pd.DataFrame({
        "city": pick_at(rng, book.cities["weight"].to_numpy(), n), "volume": volume, "group": group,
        "type": pick(rng, p["type"], n), "grade": pick(rng, p["grade"], n), "payee": desk.to_numpy(),
        "onboarded": -(uniform(rng, p["age_days"], n) * DAY).astype(np.int64),
        "street": rng.integers(0, len(book.words["streets"]), n), "number": rng.integers(1, 400, n),
        "dlat": rng.normal(0, 0.08, n), "dlon": rng.normal(0, 0.08, n),
    })  # fmt: skip
    book.entities.note("account", own_account, card_type="corporate")
    book.entities.belongs("account", desk.to_numpy(), "dealer_payee", "dealer_asset")


def _groups(rng: np.random.Generator, n: int, share: float, size: tuple[int, int]) -> Ints:
    """Group number per dealer, NONE for the independent."""
    group, grouped, number = np.full(n, NONE, np.int64), some(rng, np.arange(n), round(share * n)), 0
    while len(grouped) >= size[0]:
        take = int(whole(rng, size, 1)[0])
        group[grouped[:take]], grouped, number = number, grouped[take:], number + 1
    return group


def _salespeople(book: Book) -> None:
    rng, p = book.streams("salespeople"), book.p["salespeople"]
    staff = whole(rng, p["per_dealer"], len(book.dealers))
    dealer = np.repeat(np.arange(len(book.dealers)), staff)
    n = len(dealer)
    phones = book.entities.new("phone", n)
    book.entities.note("phone", phones, city=book.dealers["city"].to_numpy()[dealer])
    moves = chance(rng, min(p["moves_per_year"] * book.clock.days / 365, 1.0), n)
    leaves = np.where(moves, (rng.random(n) * book.clock.end).astype(np.int64), NEVER)
    first = np.r_[True, dealer[1:] != dealer[:-1]]
    leaves[first] = NEVER
    book.salespeople = pd.DataFrame({
        "dealer": dealer, "star": chance(rng, p["star_share"], n), "phone": phones, "leaves": leaves,
        "lends": chance(rng, p["lends_phone_share"], n), "device": book.entities.new("device", n),
    })  # fmt: skip
    book.salespeople["weight"] = np.where(book.salespeople["star"], p["star_weight"], 1.0)
    _moves(book, rng)
    book.entities.new("salesperson", len(book.salespeople))


def _moves(book: Book, rng: np.random.Generator) -> None:
    """Who leaves goes on at another dealer of the same city under the same person and phone."""
    staff = book.salespeople.assign(person=np.arange(len(book.salespeople)), starts=-DAY * 30)
    gone = staff[staff["leaves"] < NEVER]
    city = book.dealers["city"].to_numpy()
    target = np.array([int(rng.choice(np.flatnonzero(city == city[each]))) for each in gone["dealer"]], dtype=np.int64)
    again = gone.assign(dealer=target, starts=gone["leaves"] + DAY, leaves=NEVER)
    book.salespeople = pd.concat([staff, again[again["dealer"] != gone["dealer"]]], ignore_index=True)


def assign_salespeople(book: Book) -> None:
    """Adds `salesperson`: somebody who works at the dealer on the day, stars more often."""
    rng, staff = book.streams("who sells"), book.salespeople
    dealer, moment = book.app("dealer"), book.app("moment")
    by_dealer = staff.sort_values("dealer", kind="stable")
    order, weight = by_dealer.index.to_numpy(), by_dealer["weight"].to_numpy().cumsum()
    owner = by_dealer["dealer"].to_numpy()
    first, last = np.searchsorted(owner, dealer), np.searchsorted(owner, dealer, side="right")
    low = np.where(first > 0, weight[first - 1], 0.0)
    chosen = order[np.searchsorted(weight, low + rng.random(len(dealer)) * (weight[last - 1] - low), side="right")]
    absent = (staff["leaves"].to_numpy()[chosen] <= moment) | (staff["starts"].to_numpy()[chosen] > moment)
    chosen[absent] = order[first[absent]]
    book.applications["salesperson"] = chosen
