"""Applicants: one person per customer, honest and not from one pool with a mild shift."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Flags, Ints, by_class, chance, pick, pick_at, rank_within, some, uniform
from loaders.portfolio.clock import DAY

GOLDEN = (5**0.5 - 1) / 2


def make_people(book: Book) -> None:
    """Fills `book.people` with own entities: phone, account, home, device. Sharing comes later."""
    first = book.applications.sort_values(["person", "moment"], kind="stable").drop_duplicates("person")
    people = first[["kind", "group", "ring", "moment", "dealer", "typology", "fraud"]].reset_index(drop=True)
    n = len(people)
    people["city"] = _cities(book, people)
    people["phone"] = book.entities.new("phone", n)
    people["account"] = book.entities.new("account", n)
    people["home"] = book.entities.new("place", n)
    people["device"] = book.entities.new("device", n)
    people["household"] = NONE
    book.people = people
    _persons(book)
    _standing(book)
    _households(book)
    book.entities.note("phone", people["phone"].to_numpy(), city=people["city"].to_numpy(), person=np.arange(n))
    book.entities.note("account", people["account"].to_numpy(), card_type="debit")
    late = chance(book.streams("new prefixes"), book.p["drift.new_prefix_share"], n)
    late &= (people["moment"] >= book.clock.drift).to_numpy()
    book.entities.note("phone", people["phone"].to_numpy()[late], new_prefix=True)
    book.entities.note("place", people["home"].to_numpy(), city=people["city"].to_numpy())


def _cities(book: Book, people: pd.DataFrame) -> Ints:
    """Near the dealer mostly; some typologies recruit far away."""
    rng, p, n = book.streams("cities"), book.p["dealers"], len(people)
    shop = book.dealers["city"].to_numpy()[people["dealer"]]
    province = book.cities["province"].to_numpy()
    weights = book.cities["weight"].to_numpy()
    anywhere = pick_at(rng, weights, n)
    same = {each: np.flatnonzero(province == each) for each in np.unique(province)}
    near = np.array([rng.choice(same[each]) for each in province[shop]], dtype=np.int64)
    far = {code: float(entry["far"]) for code, entry in book.p["typologies"].items()}
    away = people["typology"].map(far).fillna(1 - p["local_buyers"] - p["province_buyers"]).to_numpy()
    away[people["kind"].isin(["fleet", "clan", "group_buy"]).to_numpy()] = 0.0
    draw = rng.random(n)
    local = draw >= away + (1 - away) * p["province_buyers"]
    return np.where(draw < away, anywhere, np.where(local, shop, near)).astype(np.int64)


def _persons(book: Book) -> None:
    rng, p, people = book.streams("persons"), book.p["people"], book.people
    n, fraud = len(people), people["fraud"].to_numpy()
    age = np.clip(rng.normal(p["age"]["mean"], p["age"]["sd"], n) + fraud * p["fraud_age_shift"],
                  p["age"]["low"] + 0.5, p["age"]["high"])  # fmt: skip
    late = people["typology"].to_numpy() == "T26"
    age[late] = uniform(rng, book.p["T26_age"], int(late.sum()))
    people["age"] = age
    people["male"] = chance(rng, p["male_share"], n)
    people["surname"] = rng.integers(0, len(book.words["surnames"]), n)
    migrant = chance(rng, p["migrant_share"], n)
    elsewhere = pick_at(rng, book.cities["weight"].to_numpy(), n)
    people["hukou"] = np.where(migrant, elsewhere, people["city"])
    income = rng.lognormal(np.log(p["income"]["median"]), p["income"]["sigma"], n)
    people["income"] = np.round(income * np.where(fraud, p["fraud_income_shift"], 1.0), -2).clip(2000, 300_000)
    people["marital"] = pick(rng, p["marital"], n)
    people["education"] = pick(rng, p["education"], n)
    people["id_type"] = pick(rng, p["id_type"], n)


def _standing(book: Book) -> None:
    """Licence, thin file, reserved phone, vendor scores."""
    rng, p, people = book.streams("standing"), book.p["people"], book.people
    n, fraud = len(people), people["fraud"].to_numpy()
    fleet = people["kind"].to_numpy() == "fleet"
    people["licence"] = chance(rng, by_class(fraud, p["licence_share"]), n) | fleet
    people["thin_file"] = chance(rng, by_class(fraud, p["thin_file_share"]), n)
    people["reserved"] = chance(rng, by_class(fraud, p["reserved_match_share"]), n).astype(float)
    people.loc[chance(rng, p["reserved_unknown_share"], n), "reserved"] = np.nan
    stolen = people["typology"].to_numpy() == "T11"
    face = rng.normal(p["face_score"]["mean"], p["face_score"]["sd"], n) + stolen * p["face_score_theft"]
    people["face_score"] = face.clip(0.3, 0.999)
    people["liveness_score"] = rng.normal(p["face_score"]["mean"], p["face_score"]["sd"], n).clip(0.3, 0.999)


def _households(book: Book) -> None:
    """B01: families of ordinary applicants of one city share the home; some share a phone or a card."""
    rng, p, people = book.streams("households"), book.p["households"], book.people
    plain = np.flatnonzero(people["kind"] == "plain")
    rows = some(rng, plain, round(len(people) * p["share_of_applicants"]))
    rows = _relatives(people, rows, p["apart_share"])
    household = _chunks(book, rng, rows)
    people.loc[rows, "household"] = household
    head = pd.Series(rows).groupby(household).transform("first").to_numpy()
    rank = rank_within(household, np.arange(len(rows)))
    for column in ("home", "city", "hukou"):
        people.loc[rows, column] = people[column].to_numpy()[head]
    own_name = rank == 1
    people.loc[rows[~own_name], "surname"] = people["surname"].to_numpy()[head[~own_name]]
    _kin_ages(people, rng, rows, head, rank)
    for column, share in (("phone", p["share_phone"]), ("account", p["same_card"])):
        shares = _by_household(rng, household, share)
        people.loc[rows[shares], column] = people[column].to_numpy()[head[shares]]
    book.entities.belongs("place", people["home"].to_numpy()[rows], _names("household", household), "none")


def _relatives(people: pd.DataFrame, rows: Ints, apart: float) -> Ints:
    """Neighbours in this order live in one city; most bought far apart in time (golden-ratio steps), some not."""
    city, moment = people["city"].to_numpy(), people["moment"].to_numpy()
    far, near = np.split(rows, [round(apart * len(rows))])
    step = rank_within(city[far], moment[far]) * GOLDEN % 1
    return np.concatenate([far[np.lexsort((step, city[far]))], near[np.argsort(city[near], kind="stable")]])


def _chunks(book: Book, rng: np.random.Generator, rows: Ints) -> Ints:
    """Household number of each row: runs of two to four."""
    sizes = pick(rng, book.p["households.size"], len(rows)).astype(int)
    ends = np.cumsum(sizes)
    return np.searchsorted(ends, np.arange(len(rows)), side="right").astype(np.int64)


def _by_household(rng: np.random.Generator, household: Ints, share: float) -> Flags:
    return chance(rng, share, int(household.max()) + 1)[household]


def _kin_ages(people: pd.DataFrame, rng: np.random.Generator, rows: Ints, head: Ints, rank: Ints) -> None:
    """The second is a spouse, the others parents or children."""
    gap = np.where(
        rank == 1,
        rng.normal(0, 3, len(rows)),
        rng.choice([-25.0, 25.0], len(rows)) + rng.normal(0, 3, len(rows)),
    )
    age = np.where(rank == 0, people["age"].to_numpy()[head], people["age"].to_numpy()[head] + gap)
    people.loc[rows, "age"] = age.clip(18.5, 64)


def _names(kind: str, numbers: Ints) -> NDArray[np.object_]:
    return np.array([f"{kind}-{number}" for number in numbers], dtype=object)


def birth_dates(book: Book) -> NDArray[np.datetime64]:
    """From the age at the first application."""
    people = book.people
    days = people["moment"].to_numpy() // DAY - (people["age"].to_numpy() * 365.25).astype(np.int64)
    return book.clock.start + days.astype("timedelta64[D]")
