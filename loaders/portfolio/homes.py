"""Where people live and work: rental communities, dormitories, switchboards, agencies, small firms."""

from __future__ import annotations

from typing import Any

import numpy as np

from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Flags, Ints, chance, some, whole


def settle(book: Book) -> None:
    """Moves a share of the ordinary applicants into communities and gives everybody an employer."""
    _communities(book, "communities.per_60k", book.p["communities.applicants"], "urban_village")
    _communities(book, "communities.dormitories_per_60k", book.p["communities.dormitory_applicants"], "dormitory")
    _shop_addresses(book)
    _employers(book)


def _shop_addresses(book: Book) -> None:
    """B16: some salespeople type the shop's address where the customer's home belongs."""
    rng, people = book.streams("shop addresses"), book.people
    lazy = _loose(book) & chance(rng, book.p["data_quality.dealer_address_as_home"], len(people))
    shops = book.entities.new("place", len(book.dealers))
    book.entities.note("place", shops, kind="dealer", city=book.dealers["city"].to_numpy())
    people.loc[lazy, "home"] = shops[people["dealer"].to_numpy()[lazy]]
    names = np.array([f"shop_address-{number}" for number in range(len(shops))], dtype=object)
    book.entities.belongs("place", shops, names, "default_value")


def _loose(book: Book) -> Flags:
    """Ordinary applicants outside families and groups."""
    people = book.people
    return ((people["kind"] == "plain") & (people["household"] == NONE)).to_numpy()


def _near(book: Book, rng: np.random.Generator, rows: Ints, city: Ints) -> Ints:
    """For each row one of the places (given by their cities) of its own city, or NONE. Sizes are skewed."""
    weight = rng.lognormal(0, 0.6, len(city))
    chosen = np.full(len(rows), NONE, np.int64)
    home = book.people["city"].to_numpy()[rows]
    for each in np.unique(city):
        here, mine = np.flatnonzero(city == each), np.flatnonzero(home == each)
        chosen[mine] = rng.choice(here, len(mine), p=weight[here] / weight[here].sum())
    return chosen


def _cities_with_crowds(book: Book, rng: np.random.Generator, n: int) -> Ints:
    """Communities and large employers stand in the larger cities."""
    weight = book.cities["weight"].to_numpy() ** book.p["employers.crowd_concentration"]
    return rng.choice(len(weight), n, p=weight / weight.sum())


def _communities(book: Book, quota: str, share: float, kind: str) -> None:
    """B06: one community, many rooms; in urban villages people often state the building only."""
    rng, p, people = book.streams(quota), book.p["communities"], book.people
    count = book.p.per(quota, book.size)
    city = _cities_with_crowds(book, rng, count)
    free = (
        np.isin(people["city"].to_numpy(), city)
        & _loose(book)
        & (book.entities.fact("place", "community", NONE)[people["home"]] == NONE)
    )
    rows = some(rng, np.flatnonzero(free), round(len(people) * share))
    place = _near(book, rng, rows, city)
    buildings = whole(rng, p["buildings"], count)
    building = (rng.random(len(rows)) * buildings[place]).astype(np.int64)
    roomless = chance(rng, p["no_room_share"], len(rows))
    base = book.entities.sizes.get("community", 0)
    book.entities.new("community", count)
    homes = _shared_buildings(book, rows, base + place, building, roomless)
    facts: dict[str, Any] = {"community": base + place, "kind": kind, "building": building + 1}
    book.entities.note("place", homes, **facts, level=np.where(roomless, "building", "room").astype(object))
    book.entities.note("place", homes, city=people["city"].to_numpy()[rows])
    names = np.array([f"{kind}-{number}" for number in place], dtype=object)
    book.entities.belongs("place", homes, names, "community")


def _shared_buildings(book: Book, rows: Ints, place: Ints, building: Ints, roomless: Flags) -> Ints:
    """Who states no room shares the building's place; the others keep a place of their own."""
    keys, inverse = np.unique(place[roomless] * 1000 + building[roomless], return_inverse=True)
    shared = book.entities.new("place", len(keys))
    homes = book.people["home"].to_numpy().copy()
    homes[rows[roomless]] = shared[inverse]
    book.people["home"] = homes
    return homes[rows]


def _employers(book: Book) -> None:
    rng, p, people = book.streams("employers"), book.p["employers"], book.people
    n = len(people)
    people["employer"], people["work_phone"] = NONE, NONE
    free = rng.permutation(np.flatnonzero(people["kind"].isin(["plain", "group_buy"])))
    takes = [
        ("switchboard", p["switchboards_per_60k"], p["applicants_with_switchboard"]),
        ("dispatch", p["labour_dispatch"]["per_60k"], p["labour_dispatch"]["share"]),
        ("platform", p["gig_platforms"]["per_60k"], p["gig_platforms"]["share"]),
    ]
    for kind, quota, share in takes:
        rows, free = free[: round(n * share)], free[round(n * share) :]
        _crowd(book, rng, kind, max(1, round(quota * book.size / 60_000)), rows)
    _small_firms(book, rng)


def _crowd(book: Book, rng: np.random.Generator, kind: str, count: int, rows: Ints) -> None:
    """B02: large old employers whose people all give the switchboard as work phone."""
    city = _cities_with_crowds(book, rng, count)
    employers, phones = book.entities.new("employer", count), book.entities.new("phone", count)
    book.entities.note("employer", employers, kind=kind, city=city, phone=phones)
    book.entities.note("phone", phones, type="400" if kind == "platform" else "landline", city=city, business=True)
    chosen = _near(book, rng, rows, city)
    rows, chosen = rows[chosen >= 0], chosen[chosen >= 0]
    book.people.loc[rows, "employer"] = employers[chosen]
    book.people.loc[rows, "work_phone"] = phones[chosen]
    names = np.array([f"{kind}-{number}" for number in range(count)], dtype=object)
    book.entities.belongs("employer", employers, names, "switchboard")
    book.entities.belongs("phone", phones, names, "switchboard")


def _small_firms(book: Book, rng: np.random.Generator) -> None:
    """Everybody else: small firms with one or a few customers, their own work phones, or no employer."""
    p, people = book.p["employers"], book.people
    rest = np.flatnonzero(people["employer"] == NONE)
    rest = rest[~chance(rng, p["none_share"], len(rest))]
    count = max(1, round(len(rest) / p["people_per_small_employer"]))
    city = people["city"].to_numpy()[rng.choice(rest, count)]
    employers = book.entities.new("employer", count)
    chosen = _near(book, rng, rest, city)
    rest, chosen = rest[chosen >= 0], chosen[chosen >= 0]
    people.loc[rest, "employer"] = employers[chosen]
    phoned = rest[chance(rng, p["work_phone_share"], len(rest))]
    phones = book.entities.new("phone", len(phoned))
    people.loc[phoned, "work_phone"] = phones
    landline = chance(rng, p["landline_share"], len(phoned))
    book.entities.note("phone", phones, type=np.where(landline, "landline", "mobile").astype(object),
                       city=people["city"].to_numpy()[phoned], business=landline)  # fmt: skip
    book.entities.note("employer", employers, city=city)
    book.entities.note("employer", people["employer"].to_numpy()[phoned], phone=phones)
