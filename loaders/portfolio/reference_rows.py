"""Reference tables: dealers, salespeople, employers, addresses, phones, accounts, vehicles."""

from __future__ import annotations

from typing import Any

import numpy as np

from loaders.portfolio import identifiers as make
from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Flags, Floats, Ints, by_class, chance, pick, uniform, whole
from loaders.portfolio.clock import DAY, NEVER
from loaders.portfolio.names import Names, either, joined, numbered, only, virtual_numbers

PHONES_OF_APPLICATION = ("contact0", "contact1", "contact2")
ACCOUNTS_OF_APPLICATION = ("payer", "repayer")


def first_seen(book: Book, size: int, applications: tuple[str, ...], people: tuple[str, ...]) -> Ints:
    """The moment the lender first met each entity; NEVER for those nobody used."""
    seen = np.full(size, NEVER)
    for column in applications:
        used = book.app(column) >= 0
        np.minimum.at(seen, book.app(column)[used], book.app("moment")[used])
    for column in people:
        entities = book.people[column].to_numpy()
        used = entities >= 0
        np.minimum.at(seen, entities[used], book.people["moment"].to_numpy()[used])
    return seen


def dealer_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, p, dealers = book.streams("dealer rows"), book.p["dealers"], book.dealers
    n, city = len(dealers), book.cities.iloc[dealers["city"]]
    heads = book.words["firm_heads"][rng.integers(0, len(book.words["firm_heads"]), n)]
    owner = np.where(dealers["group"] >= 0, dealers["group"], 10_000 + np.arange(n))
    own = np.unique(owner, return_inverse=True)[1]
    legal = make.tokens(rng, "party_", int(own.max()) + 1, 9)
    street = joined(book.words["streets"][dealers["street"]], numbered(dealers["number"].to_numpy(), after="号"))
    listed = chance(rng, p["listed_devices_share"], n)
    opened = book.clock.texts(dealers["onboarded"].to_numpy())
    share = dealers["volume"].to_numpy() / dealers["volume"].sum()
    return {
        "dealer_id": names("dealer", np.arange(n)),
        "name": joined(city["city"].to_numpy(), heads, "汽车销售服务有限公司"),
        "uscc": make.credit_codes(rng, city["code"].to_numpy() + 2), "legal_person_token": legal.take(own),
        "shareholders": legal.take(own), "grade": dealers["grade"].to_numpy(),
        "type": dealers["type"].to_numpy(),
        "group_id": names("group", dealers["group"].to_numpy()) if dealers["group"].max() >= 0 else _empty(n),
        "address": joined(city["province"].to_numpy(), city["city"].to_numpy(), street),
        "region": numbered(city["code"].to_numpy()),
        "lat": city["lat"].to_numpy() + dealers["dlat"].to_numpy(),
        "lon": city["lon"].to_numpy() + dealers["dlon"].to_numpy(), "onboarded_at": opened,
        "closed_at": _empty(n), "payee_account_token": names("account", dealers["payee"].to_numpy()),
        "known_device_list": names("device", np.where(listed, dealers["tablet"], NONE)),
        "floorplan_limit": np.round(_about(rng, p["floorplan"], n), -4),
        "monthly_volume": np.round(share * book.size * 30 / book.clock.days),
        "known_at": opened,
    }  # fmt: skip


def _empty(n: int) -> np.ndarray:
    return np.full(n, None, dtype=object)


def salesperson_rows(book: Book, names: Names) -> dict[str, Any]:
    staff = book.salespeople
    starts = np.maximum(staff["starts"].to_numpy(), book.dealers["onboarded"].to_numpy()[staff["dealer"]])
    rng = book.streams("salesperson rows")
    persons = make.tokens(rng, "party_", int(staff["person"].max()) + 1, 9)
    return {
        "salesperson_id": names("salesperson", np.arange(len(staff))),
        "dealer_id": names("dealer", staff["dealer"].to_numpy()),
        "person_token": persons.take(staff["person"].to_numpy()),
        "phone": names("phone", staff["phone"].to_numpy()), "cert_no": make.tokens(rng, "XS", len(staff), 8),
        "start_at": book.clock.texts(starts), "end_at": book.clock.texts(staff["leaves"].to_numpy()),
        "known_at": book.clock.texts(starts),
    }  # fmt: skip


def employer_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, p, fact = book.streams("employer rows"), book.p["employers"], book.entities.fact
    seen = first_seen(book, book.entities.sizes["employer"], (), ("employer",))
    rows = np.flatnonzero(seen < NEVER)
    n, kind = len(rows), fact("employer", "kind", "small")[rows]
    city = book.cities.iloc[fact("employer", "city", 0)[rows]]
    shell, large = kind == "shell", np.isin(kind, ("switchboard", "dispatch", "platform", "manufacturer"))
    name = joined(
        city["city"].to_numpy(),
        book.word(rng, "firm_heads", n),
        book.word(rng, "firm_trades", n),
        book.word(rng, "firm_tails", n),
    )
    age = np.select(
        [shell, large],
        [uniform(rng, p["shell_age_months"], n), uniform(rng, p["large_age_months"], n)],
        _about(rng, p["age_months"], n),
    )
    registered = seen[rows] - (age * 30 * DAY).astype(np.int64)
    mass = shell & chance(rng, p["mass_registration_share"], n) | chance(rng, p["mass_registration_benign"], n)
    known = chance(rng, 1 - book.p["data_quality.missing_employer_uscc"], n)
    at = np.where(mass, "高新区集中登记点1号", joined("高新区", numbered(rng.integers(1, 900, n), after="号")))
    return {
        "employer_id": names("employer", rows), "name_raw": name, "name_norm": name,
        "uscc": either(known, make.credit_codes(rng, city["code"].to_numpy() + 2)),
        "industry": book.word(rng, "industries", n), "reg_date": book.clock.dates(registered),
        "status": pick(rng, p["status"], n),
        "insured_headcount": _headcount(book, rng, shell, large),
        "address": joined(city["province"].to_numpy(), city["city"].to_numpy(), at),
        "phone": names("phone", fact("employer", "phone", NONE)[rows]), "is_dispatch": kind == "dispatch",
        "is_platform": kind == "platform",
        "is_shell_suspect": chance(rng, np.where(shell, *p["shell_flagged"]), n),
        "known_at": book.clock.texts(seen[rows]),
    }  # fmt: skip


def _about(rng: np.random.Generator, entry: dict[str, float], n: int) -> Floats:
    """Lognormal by median and sigma."""
    return entry["median"] * rng.lognormal(0, entry["sigma"], n)


def _headcount(book: Book, rng: np.random.Generator, shell: Flags, large: Flags) -> Ints:
    p, n = book.p["employers.headcount"], len(shell)
    people = np.select(
        [shell, large], [uniform(rng, p["shell"], n), _about(rng, p["large"], n)], _about(rng, p["small"], n)
    )
    return np.round(people).astype(np.int64)


def phone_rows(book: Book, names: Names) -> dict[str, Any]:
    """One row per holder: a re-issued number has two, told apart by `valid_from`."""
    rng, p, fact = book.streams("phone rows"), book.p["phones"], book.entities.fact
    size = book.entities.sizes["phone"]
    seen = first_seen(book, size, PHONES_OF_APPLICATION, ("phone", "work_phone"))
    staff = book.salespeople
    np.minimum.at(seen, staff["phone"].to_numpy(), staff["starts"].to_numpy())
    rows = np.flatnonzero(seen < NEVER)
    again = np.flatnonzero((fact("phone", "reissued", NEVER) < NEVER) & (seen < NEVER))
    second = np.r_[np.zeros(len(rows), bool), np.ones(len(again), bool)]
    rows = np.r_[rows, again]
    n, reissued, given_up = (
        len(rows),
        fact("phone", "reissued", NEVER)[rows],
        fact("phone", "given_up", NEVER)[rows],
    )
    tenure = _tenure(book, rng, rows)
    known = np.where(second, reissued + DAY, seen[rows])
    begins = np.where(second, reissued, known - (tenure * 30 * DAY).astype(np.int64))
    mobile = fact("phone", "type", "mobile")[rows] == "mobile"
    virtual = virtual_numbers(book, book.streams("names of phone"))[rows] & mobile
    city = book.cities.iloc[fact("phone", "city", 0)[rows]]
    own = np.where(second, "active", "cancelled")
    return {
        "phone": names("phone", rows), "owner_token": make.tokens(rng, "own_", n),
        "operator": pick(rng, p["operator"], n), "is_mvno": virtual,
        "province": city["province"].to_numpy(), "city": city["city"].to_numpy(),
        "first_seen_at": book.clock.texts(known),
        "tenure_months": np.round(np.where(second, 1, tenure)).astype(int),
        "status": np.where(given_up < NEVER, own, pick(rng, p["status"], n)).astype(object),
        "valid_from": book.clock.texts(begins),
        "valid_to": book.clock.texts(np.where(second, NEVER, given_up)),
        "type": fact("phone", "type", "mobile")[rows],
        "business_number_flag": fact("phone", "business", False)[rows] & chance(rng, p["business_known_share"], n),
        "known_at": book.clock.texts(known),
    }  # fmt: skip


def _tenure(book: Book, rng: np.random.Generator, rows: Ints) -> Floats:
    """Months the number was held; new numbers a little more often where there is fraud."""
    p, n = book.p["phones"], len(rows)
    fraud = np.r_[book.people["fraud"].to_numpy(dtype=bool), False][book.entities.fact("phone", "person", -1)[rows]]
    months = _about(rng, p["tenure_months"], n)
    months = np.where(fraud, months * p["fraud_tenure_factor"], months).clip(1, 240)
    fresh = chance(rng, by_class(fraud, p["new_number_share"]), n)
    return np.where(fresh, rng.uniform(0, 3, n), months)


def account_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, p, fact = book.streams("account rows"), book.p["accounts"], book.entities.fact
    seen = first_seen(book, book.entities.sizes["account"], ACCOUNTS_OF_APPLICATION, ("account",))
    np.minimum.at(seen, book.dealers["payee"].to_numpy(), book.dealers["onboarded"].to_numpy())
    rows = np.flatnonzero(seen < NEVER)
    n, type_ = len(rows), fact("account", "card_type", "debit")[rows]
    card = type_ != "corporate"
    match = chance(rng, p["owner_match"], n).astype(float)
    match[chance(rng, p["owner_unknown"], n)] = np.nan
    bins = np.array(["622202", "621700", "622848", "622588", "621661", "622568"], dtype=object)
    banks = np.array(["102", "105", "103", "308", "104", "301"], dtype=object)
    bank = rng.integers(0, len(bins), n)
    return {
        "account_token": names("account", rows), "bank_code": banks[bank],
        "card_bin": only(card, bins[bank]), "card_type": type_, "owner_match": match,
        "known_at": book.clock.texts(seen[rows]),
    }  # fmt: skip


def vehicle_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, apps = book.streams("vehicle rows"), book.applications
    first = apps[~apps["vin_missing"]].sort_values("moment", kind="stable").drop_duplicates("vehicle")
    n, model = len(first), book.models.iloc[first["model"]]
    used, moment = first["used"].to_numpy(), first["moment"].to_numpy()
    city = book.cities.iloc[first["plate_city"]]
    plate = joined(city["plate"].to_numpy(), numbered(rng.integers(10_000, 100_000, n)))
    plated = np.where(used, moment - book.p["vehicle.used_age_days"] * DAY, NEVER)
    return {
        "vin": names("vehicle", first["vehicle"].to_numpy()), "brand": model["brand"].to_numpy(),
        "series": model["series"].to_numpy(), "model_code": model["model_code"].to_numpy(),
        "model_year": book.entities.fact("vehicle", "year", 2025)[first["vehicle"]],
        "energy": model["energy"].to_numpy(), "list_price": first["list_price"].to_numpy(),
        "market_price": first["market_price"].to_numpy(),
        "valuation_source": pick(rng, book.p["vehicle.valuation_source"], n),
        "valuation_at": book.clock.texts(moment), "engine_no": make.tokens(rng, "E", n, 8),
        "certificate_no": make.tokens(rng, "WAC", n, 11),
        "condition": np.where(used, "used", "new").astype(object),
        "mileage_km": np.where(used, whole(rng, book.p["vehicle.used_km"], n), whole(rng, book.p["vehicle.new_km"], n)),
        "plate": only(used, plate),
        "plate_region": only(used, numbered(city["code"].to_numpy())),
        "plated_at": book.clock.texts(plated), "known_at": book.clock.texts(moment),
    }  # fmt: skip
