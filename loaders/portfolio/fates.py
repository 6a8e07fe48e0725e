"""What becomes of an application: discovery, decision, funding, default. Nothing here is input yet."""

from __future__ import annotations

from typing import Any

import numpy as np

from loaders.portfolio.book import Book
from loaders.portfolio.chance import Flags, Floats, Ints, chance, pick, uniform
from loaders.portfolio.clock import DAY, NEVER
from loaders.portfolio.names import only

NO_DEFAULT = 99
"""Instalment of the first missed payment of somebody who never misses one."""


def draw_discovery(book: Book) -> None:
    """Adds discovery (channel) and label_at for fraud: late, in part never (domain.md §4.4)."""
    rng, n = book.streams("discovery"), len(book.applications)
    channel = np.where(book.app("fraud"), pick(rng, book.p["labels.channels"], n), "")
    book.applications["discovery"] = book.by_deal(channel)
    delay = np.zeros(n)
    for name, entry in book.p["labels.delay_days"].items():
        delay = np.where(channel == name, delays(rng, entry, n), delay)
    known = book.by_deal(book.app("moment")) + (delay * DAY).astype(np.int64)
    known = np.where(np.isin(channel, ("", "never")), NEVER, known)
    known = np.maximum(book.by_deal(known), book.app("moment") + 600)
    book.applications["label_at"] = np.where(np.isin(book.app("discovery"), ("", "never")), NEVER, known)
    _police_batches(book, rng)


def delays(rng: np.random.Generator, entry: Any, n: int) -> Floats:
    """Days: a span, or a lognormal by its median, clipped where the entry says so."""
    if isinstance(entry, list):
        return uniform(rng, entry, n)
    drawn = entry["median"] * rng.lognormal(0, entry["sigma"], n)
    return np.asarray(np.clip(drawn, entry.get("low", 0), entry.get("high", np.inf)))


def _police_batches(book: Book, rng: np.random.Generator) -> None:
    """Police and courts label a whole ring on one day: police labels are moved into few rings."""
    apps = book.applications
    spread = np.flatnonzero((book.app("discovery") == "police") & (book.app("ring") >= 0))
    batched = int(len(spread) * book.p["labels.police_by_ring"])
    for ring in rng.permutation(len(book.rings)):
        members = np.flatnonzero(book.app("ring") == ring)
        outside = spread[~np.isin(spread, members)]
        if len(members) > batched or len(outside) < len(members):
            continue
        give = [row for row in members if row not in spread][: len(outside)]
        swapped = outside[: len(give)]
        for column in ("discovery", "label_at"):
            mine, theirs = book.app(column)[give].copy(), book.app(column)[swapped].copy()
            apps.loc[give, column], apps.loc[swapped, column] = theirs, mine
        _restamp(book, rng, np.r_[give, swapped].astype(int))
        day = apps.loc[members, "moment"].max() + int(delays(rng, book.p["labels.delay_days.police"], 1)[0] * DAY)
        apps.loc[members, "label_at"] = day
        batched -= len(members)
        spread = np.setdiff1d(outside, swapped)


def _restamp(book: Book, rng: np.random.Generator, rows: Ints) -> None:
    """New dates for rows whose channel changed."""
    channel, known = book.app("discovery")[rows], np.full(len(rows), NEVER)
    for name, entry in book.p["labels.delay_days"].items():
        own = channel == name
        known[own] = book.app("moment")[rows[own]] + (delays(rng, entry, int(own.sum())) * DAY).astype(np.int64) + 600
    book.applications.loc[rows, "label_at"] = known


def decide(book: Book) -> None:
    """Adds decision, decided_at, funded_at, reason, manual, override, released, first_missed."""
    rng, apps, n = book.streams("decisions"), book.applications, len(book.applications)
    p, fraud, moment = book.p["decision"], book.app("fraud"), book.app("moment")
    caught = book.app("discovery") == "review"
    released = chance(rng, p["control_release"], n)
    superseded = _superseded(book)
    manual = chance(rng, p["manual_share"], n) | caught
    declined = _declined(book, rng, superseded) & ~released | caught
    cancelled = ~declined & chance(rng, p["cancel"], n) & ~_must_fund(book) & ~released
    wait = np.where(manual, uniform(rng, p["manual_minutes"], n) * 60, uniform(rng, p["auto_seconds"], n))
    decided = moment + wait.astype(np.int64)
    decided = np.where(caught, np.maximum(book.app("label_at"), decided), decided)
    approved = ~declined & ~cancelled
    funded = decided + (uniform(rng, p["funding_days"], n) * DAY).astype(np.int64)
    takes = approved & (chance(rng, p["funded_share"], n) | _must_fund(book))
    apps["decision"] = np.select([declined, cancelled], ["decline", "cancel"], "approve").astype(object)
    apps["decided_at"], apps["released"] = decided, released & ~caught
    apps["funded_at"] = np.where(takes, funded, NEVER)
    reason = pick(rng, p["reasons"], n)
    reason[caught & chance(rng, p["caught_as_fraud"], n)] = "fraud_suspected"
    apps["reason"] = only(declined, reason)
    apps["manual"] = manual
    overridden = np.where(_insider(book), p["insider_override"], p["override_share"])
    apps["override"] = manual & approved & chance(rng, overridden, n)
    apps["first_missed"] = first_missed(book, rng, fraud)


def _superseded(book: Book) -> Flags:
    """An application that was sent again was declined or withdrawn the first time."""
    last = book.applications.groupby("deal")["moment"].transform("max").to_numpy()
    return np.asarray(book.app("moment") < last)


def _must_fund(book: Book) -> Flags:
    """First- and early-payment investigations start from a funded loan."""
    return np.isin(book.app("discovery"), ("fpd", "epd")) & ~_superseded(book)


def _insider(book: Book) -> Flags:
    inside = np.r_[book.rings["insider"].to_numpy(dtype=bool), False]
    return np.asarray(inside[book.app("ring")])


def _declined(book: Book, rng: np.random.Generator, superseded: Flags) -> Flags:
    n, fraud = len(book.applications), book.app("fraud")
    share = np.where(fraud, 1 - book.p["labels.funded_if_not_stopped"], book.p["decision.decline"])
    return np.where(_must_fund(book), False, superseded | chance(rng, share, n))


def first_missed(book: Book, rng: np.random.Generator, fraud: Flags) -> Ints:
    """Number of the first instalment that is not paid; NO_DEFAULT for who pays."""
    n, p = len(fraud), book.p["credit_default"]
    timing = pick(rng, book.p["fraud.default_timing"], n)
    low = np.select([timing == "fpd", timing == "1-3", timing == "4-6"], [1, 2, 5], 8)
    high = np.select([timing == "fpd", timing == "1-3", timing == "4-6"], [1, 4, 7], 13)
    missed = low + np.floor(rng.random(n) * (high - low + 1)).astype(np.int64)
    channel, late = book.app("discovery"), book.app("typology") == "T26"
    missed[channel == "fpd"] = 1
    early = (channel == "epd") & ~late
    missed[early] = rng.integers(2, 6, int(early.sum()))
    missed[late] = 1 + rng.integers(book.p["T26_instalments"][0], book.p["T26_instalments"][1] + 1, int(late.sum()))
    yearly = 1 - (1 - p["annual_dpd90"]) ** (1 / 12)
    honest = np.minimum(rng.geometric(yearly, n) + 1, NO_DEFAULT)
    honest[chance(rng, p["fpd_credit"], n)] = 1
    return np.where(fraud, missed, honest).astype(np.int64)
