"""Rings: when they live, whom they recruit, at which dealers, and who started one before."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.portfolio.book import Book
from loaders.portfolio.chance import (
    NONE,
    Floats,
    Ints,
    chance,
    pick,
    pick_at,
    rank_within,
    some,
    uniform,
    whole,
)
from loaders.portfolio.clock import DAY

SHORTEST = 3


def draw_rings(book: Book) -> pd.DataFrame:
    """Fills `book.rings`; returns the members' applications: ring, moment, dealer, typology, role."""
    rng = book.streams("rings")
    sizes, mega = _sizes(book, rng)
    n = len(sizes)
    start, length = _lives(book, rng, mega)
    rings = pd.DataFrame({
        "ring": np.arange(n), "size": sizes, "is_mega": mega, "start": start, "length": length,
        "typology": pick(rng, book.p["fraud.typology_mix"], n), "city": NONE,
        "skill": rng.choice(book.p["fraud.share_probability"], n),
        "dealers": pick(rng, book.p["fraud.dealers_per_ring"], n).astype(int),
    })  # fmt: skip
    drift = (rings["start"] >= book.clock.drift) & chance(rng, book.p["drift.t26_share"], n)
    rings.loc[drift, "typology"] = "T26"
    rings["insider"] = chance(rng, book.p["fraud.insider_share"], n) | (rings["typology"] == "T09")
    rings["drift"] = drift
    rings["recidivist_of"] = _recidivists(book, rng, rings)
    book.rings = rings
    return _members(book, rng)


def _sizes(book: Book, rng: np.random.Generator) -> tuple[Ints, np.ndarray]:
    """Sizes that add up to the ring share of the fraud; large portfolios hold mega rings."""
    p = book.p["fraud.ring_size"]
    wanted = round(book.fraud * book.p["fraud.ring_share"])
    mega = _mega_sizes(book, rng, wanted)
    sizes: list[int] = []
    while sum(sizes) + SHORTEST <= wanted - sum(mega):
        size = int(np.clip(round(rng.lognormal(p["mu"], p["sigma"])), p["low"], p["high"]))
        sizes.append(min(size, wanted - sum(mega) - sum(sizes)))
    sizes = [size for size in sizes if size >= SHORTEST]
    return np.array(sizes + mega, dtype=np.int64), np.arange(len(sizes) + len(mega)) >= len(sizes)


def _mega_sizes(book: Book, rng: np.random.Generator, wanted: int) -> list[int]:
    """Only where one mega ring leaves room for the others."""
    p = book.p["fraud.mega_rings"]
    count = rng.poisson(p["per_300k"] * book.size / 300_000) if wanted > 4 * p["size"][1] else 0
    if wanted > 4 * p["size"][1] and book.size >= 300_000:
        count = int(np.clip(count, 1, 2))
    return [int(size) for size in whole(rng, p["size"], count)]


def _lives(book: Book, rng: np.random.Generator, mega: np.ndarray) -> tuple[Ints, Ints]:
    """Arrivals are uniform over the whole calendar; a life that would outlast it is compressed."""
    p, end = book.p, book.clock.end
    n = len(mega)
    wanted = np.where(mega, uniform(rng, p["fraud.mega_duration_days"], n), uniform(rng, p["fraud.duration_days"], n))
    shortest = min(p["fraud.duration_days"][0] * DAY, end // 3)
    start = (rng.random(n) * (end - shortest)).astype(np.int64)
    return start, np.minimum(wanted * DAY, end - start).astype(np.int64)


def _recidivists(book: Book, rng: np.random.Generator, rings: pd.DataFrame) -> Ints:
    """A new ring of an old controller: the first ended the right time ago."""
    p = book.p["evasion"]
    parent = np.full(len(rings), NONE, np.int64)
    start, end = rings["start"].to_numpy(), (rings["start"] + rings["length"]).to_numpy()
    for child in rng.permutation(len(rings)):
        gap = (start[child] - end) / DAY
        fits = np.flatnonzero((gap >= p["recidivist_days"][0]) & (gap <= p["recidivist_days"][1]))
        fits = np.setdiff1d(fits, parent)
        if len(fits) and (parent >= 0).sum() < round(p["recidivism"] * len(rings)):
            parent[child] = rng.choice(fits)
    return parent


def _members(book: Book, rng: np.random.Generator) -> pd.DataFrame:
    rings = book.rings
    ring = np.repeat(rings["ring"].to_numpy(), rings["size"])
    n = len(ring)
    moment = _moments(book, rng, ring)
    order = rank_within(ring, moment)
    roles = pick(rng, book.p["fraud.roles"], n)
    roles[order == 0] = "controller"
    return pd.DataFrame({
        "kind": "ring", "ring": ring, "group": NONE, "moment": moment, "order": order, "role": roles,
        "dealer": _dealers(book, rng, ring, order), "typology": rings["typology"].to_numpy()[ring],
    })  # fmt: skip


def _moments(book: Book, rng: np.random.Generator, ring: Ints) -> Ints:
    """Bursts with gaps between; inside a burst the shop's hours."""
    p, rings = book.p["fraud"], book.rings
    size, length = rings["size"].to_numpy()[ring], rings["length"].to_numpy()[ring] / DAY
    bursts = np.ceil(size / p["burst_members"])
    burst = np.floor(rng.random(len(ring)) * bursts)
    gap = np.minimum(uniform(rng, p["gap_between_bursts"], len(rings))[ring], length / (2 * bursts))
    span = (length - gap * (bursts - 1)) / bursts
    day = rings["start"].to_numpy()[ring] / DAY + burst * (span + gap) + rng.random(len(ring)) * span
    whole_day: Ints = np.minimum(day, book.clock.days - 1).astype(np.int64)
    return np.asarray(whole_day * DAY + book.clock.hours(rng, len(ring)))


def _dealers(book: Book, rng: np.random.Generator, ring: Ints, order: Ints) -> Ints:
    """One to three dealers near each other, in turn; larger rings move on after 10-20 applications."""
    rings, dealers = book.rings, book.dealers
    home = pick_at(rng, dealers["volume"].to_numpy(), len(rings))
    rings["city"] = dealers["city"].to_numpy()[home]
    every = whole(rng, book.p["evasion.rotate_dealer_after"], len(rings))
    stop = np.where(rings["is_mega"].to_numpy()[ring], order // every[ring], 0)
    slot = stop * 3 + rng.integers(0, 3, len(ring)) % rings["dealers"].to_numpy()[ring]
    chosen = np.empty(len(ring), np.int64)
    city = dealers["city"].to_numpy()
    for number in rings["ring"]:
        near = some(rng, np.flatnonzero(city == city[home[number]]), len(city))
        route = np.r_[home[number], near[near != home[number]]]
        own = ring == number
        chosen[own] = route[slot[own] % len(route)]
    return chosen


def individuals(book: Book, n: int) -> pd.DataFrame:
    """Fraud without a ring."""
    rng = book.streams("individuals")
    return pd.DataFrame({
        "kind": "individual", "ring": NONE, "group": NONE, "moment": book.clock.moments(rng, n), "order": 0,
        "role": "individual", "dealer": pick_at(rng, book.dealers["volume"].to_numpy(), n),
        "typology": pick(rng, book.p["fraud.individual_mix"], n),
    })  # fmt: skip


def share_of(book: Book, kind: str, skill: Floats) -> Floats:
    """How likely a ring member uses the ring's entity of a kind instead of a clean own one."""
    factors = {code: float(entry["shares"].get(kind, 0)) for code, entry in book.p["typologies"].items()}
    return np.minimum(book.applications["typology"].map(factors).fillna(0.0).to_numpy() * skill, 0.95)
