"""Honest groups that look like rings: fleets, clans, group buys, re-issued numbers, platforms of one phone."""

from __future__ import annotations

import numpy as np

from loaders.portfolio.book import Book
from loaders.portfolio.chance import Ints, chance, some
from loaders.portfolio.clock import DAY


def gather_lookalikes(book: Book) -> None:
    _fleets(book)
    _clans(book)
    _group_buys(book)
    _recycled_numbers(book)


def _fleets(book: Book) -> None:
    """B05: drivers of one company share employer, address, device, network, contact, and the payer of instalments."""
    rng, p = book.streams("fleet sharing"), book.p["fleets"]
    rows = np.flatnonzero(book.app("kind") == "fleet")
    fleet = book.app("group")[rows]
    count = int(fleet.max()) + 1
    city = book.dealers["city"].to_numpy()[_first(book.app("dealer")[rows], fleet)]
    made = {
        kind: book.entities.new(kind, count)
        for kind in ("employer", "place", "device", "ip", "phone", "account", "party")
    }
    book.entities.note("employer", made["employer"], kind="fleet", city=city, phone=made["phone"])
    book.entities.note("place", made["place"], kind="office", city=city)
    book.entities.note("phone", made["phone"], city=city, type="landline", business=True)
    book.entities.note("account", made["account"], card_type="corporate")
    for column, kind in (("employer", "employer"), ("home", "place"), ("work_phone", "phone")):
        _adopt_person(book, rng, rows, column, entities=made[kind][fleet], share=p["adoption"])
    for column, kind in (("device", "device"), ("ip", "ip"), ("contact0", "phone"), ("repayer", "account")):
        _adopt(book, rng, rows, column, entities=made[kind][fleet], share=p["adoption"])
    _adopt(book, rng, rows, "payer", entities=made["account"][fleet], share=p["company_pays_down"])
    book.applications["company"] = -1
    book.applications.loc[rows, "company"] = made["party"][fleet]
    names = np.array([f"fleet-{number}" for number in range(count)], dtype=object)
    for kind, entities in made.items():
        book.entities.belongs(kind, entities, names, "none")


def _clans(book: Book) -> None:
    """B12: one relative is everybody's contact; the address ends at the village."""
    rng, p = book.streams("clan sharing"), book.p["clans"]
    rows = np.flatnonzero(book.app("kind") == "clan")
    clan = book.app("group")[rows]
    count = int(clan.max()) + 1
    city = book.dealers["city"].to_numpy()[_first(book.app("dealer")[rows], clan)]
    phones, villages = book.entities.new("phone", count), book.entities.new("place", count)
    book.entities.note("phone", phones, city=city)
    book.entities.note("place", villages, level="village", city=city)
    _adopt(book, rng, rows, "contact0", entities=phones[clan], share=p["adoption"])
    _adopt_person(book, rng, rows, "home", entities=villages[clan], share=p["adoption"])
    names = np.array([f"clan-{number}" for number in range(count)], dtype=object)
    book.entities.belongs("phone", phones, names, "none")
    book.entities.belongs("place", villages, names, "none")


def _group_buys(book: Book) -> None:
    """B11: staff of one manufacturer or supplier."""
    rng = book.streams("group buy sharing")
    rows = np.flatnonzero(book.app("kind") == "group_buy")
    group = book.app("group")[rows]
    count = int(group.max()) + 1
    employers = book.entities.new("employer", count)
    book.entities.note("employer", employers, kind="manufacturer")
    book.entities.note(
        "employer", employers, city=book.dealers["city"].to_numpy()[_first(book.app("dealer")[rows], group)]
    )
    _adopt_person(book, rng, rows, "employer", entities=employers[group], share=1.0)
    names = np.array([f"group_buy-{number}" for number in range(count)], dtype=object)
    book.entities.belongs("employer", employers, names, "none")


def _recycled_numbers(book: Book) -> None:
    """B08: a number given up and re-issued after the freeze links two strangers."""
    rng, p, people = book.streams("recycled numbers"), book.p["phones"], book.people
    plain = np.flatnonzero((people["kind"] == "plain") & (people["household"] < 0))
    moment = people["moment"].to_numpy()
    wanted = round(p["recycled_share"] * len(people))
    drawn = some(rng, plain, 12 * wanted)
    early, late = drawn[: len(drawn) // 2], drawn[len(drawn) // 2 : len(drawn) // 2 * 2]
    apart = moment[late] - moment[early] > p["recycle_gap_days"] * DAY + DAY * 30
    early, late = early[apart][:wanted], late[apart][:wanted]
    phones = people["phone"].to_numpy().copy()
    phones[late] = phones[early]
    people["phone"] = phones
    reissued = moment[late] - rng.integers(1, 30, len(late)) * DAY
    given_up = reissued - p["recycle_gap_days"] * DAY - rng.integers(0, 30, len(late)) * DAY
    book.entities.note(
        "phone", phones[late], reissued=reissued, given_up=np.maximum(given_up, moment[early] + DAY // 2)
    )
    names = np.array([f"recycled-{number}" for number in range(len(late))], dtype=object)
    book.entities.belongs("phone", phones[late], names, "none")


def _first(values: Ints, group: Ints) -> Ints:
    """The value of each group's first row."""
    return values[np.unique(group, return_index=True)[1]]


def _adopt(book: Book, rng: np.random.Generator, rows: Ints, column: str, *, entities: Ints, share: float) -> None:
    """Rows take the entity of their group; a resubmission follows its deal."""
    takes = chance(rng, share, len(rows))
    book.applications.loc[rows[takes], column] = entities[takes]
    book.applications[column] = book.by_deal(book.app(column))


def _adopt_person(
    book: Book, rng: np.random.Generator, rows: Ints, column: str, *, entities: Ints, share: float
) -> None:
    takes = chance(rng, share, len(rows))
    book.people.loc[book.app("person")[rows[takes]], column] = entities[takes]
