"""The life of a car after funding: plates, mortgage, insurance, transfers, and where it stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from loaders.portfolio import identifiers as make
from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Flags, Ints, chance, pick_at, uniform
from loaders.portfolio.clock import DAY, NEVER
from loaders.portfolio.names import Names, either


def plan_cars(book: Book) -> None:
    """Adds vin_missing, plate_city, transfer_at, cancel_at, silent_from, buyer and its account."""
    rng, p, apps = book.streams("car plans"), book.p["vehicle"], book.applications
    n, fraud, funded = len(apps), book.app("fraud"), book.app("funded_at")
    apps["vin_missing"] = book.by_deal(chance(rng, p["missing_vin_share"], n))
    foreign = chance(rng, np.where(fraud, book.behaves("foreign_plate"), p["benign_foreign_plate"]), n)
    somewhere = pick_at(rng, book.cities["weight"].to_numpy(), n)
    of_ring = np.r_[pick_at(rng, book.cities["weight"].to_numpy(), len(book.rings)), 0][book.app("ring")]
    elsewhere = np.where(book.app("ring") >= 0, of_ring, somewhere)
    apps["plate_city"] = book.by_deal(np.where(foreign, elsewhere, book.person("city")))
    soon = (uniform(rng, p["fraud_transfer_days"], n) * DAY).astype(np.int64)
    late = (uniform(rng, p["benign_transfer_days"], n) * DAY).astype(np.int64)
    sold = chance(rng, np.where(fraud, book.behaves("transfer"), p["benign_transfer"]), n) & (funded < NEVER)
    apps["transfer_at"] = np.where(sold, funded + np.where(fraud, soon, late), NEVER)
    undone = chance(rng, np.where(fraud, book.behaves("cancel"), p["benign_cancel"]), n) & (funded < NEVER)
    apps["cancel_at"] = np.where(undone, funded + np.where(fraud, soon, late // 2), NEVER)
    quiet = chance(rng, np.where(fraud, book.behaves("silent"), book.p["gps.benign_silent"]), n)
    apps["silent_from"] = np.where(quiet & (funded < NEVER), funded + soon, NEVER)
    _buyers(book, sold)


def _buyers(book: Book, sold: Flags) -> None:
    """A transferee of its own unless the ring has one; one account per transferee."""
    buyer = book.app("buyer").copy()
    alone = sold & (buyer < 0)
    buyer[alone] = book.entities.new("party", int(alone.sum()))
    accounts = book.entities.new("account", book.entities.sizes["party"])
    book.applications["buyer"] = buyer
    book.applications["buyer_account"] = np.where(buyer >= 0, accounts[buyer], NONE)


def vehicle_event_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, p = book.streams("vehicle event rows"), book.p["vehicle"]
    cars = np.flatnonzero((book.app("funded_at") < NEVER) & ~book.app("vin_missing"))
    at = book.app("funded_at")[cars]
    person = np.asarray(names("applicant", book.app("person")[cars]).to_pylist(), dtype=object)
    insured = np.asarray(names("party", book.app("company")[cars]).to_pylist(), dtype=object)
    insured = np.where(book.app("company")[cars] >= 0, insured, person)
    usual = [
        _happened("invoice", cars, at - 3600, amount=book.app("price")[cars]),
        _happened("plated", cars, at + _days(rng, p["plate_days"], len(cars)), party_to=person),
        _happened("insured", cars, at + _days(rng, p["insured_days"], len(cars)), party_to=insured),
        _happened("mortgage_registered", cars, at + _days(rng, p["mortgage_days"], len(cars))),
    ]  # fmt: skip
    open_ = book.app("product")[cars] == "no_mortgage"
    usual[3] = usual[3][~open_]
    happened = pd.concat(
        [
            *usual,
            *_sold(book, names),
            *_undone(book, rng),
            *_rare(rng, p, cars, at),
            _loops(book, rng, names),
        ],
        ignore_index=True,
    )
    known = happened["moment"].to_numpy() + rng.integers(DAY // 4, 5 * DAY, len(happened))
    happened = happened[known < book.clock.end].reset_index(drop=True)
    known, n, app = known[known < book.clock.end], len(happened), happened["app"].to_numpy()
    return {
        "event_id": make.tokens(rng, "VE", n, 11), "vin": names("vehicle", book.app("vehicle")[app]),
        "type": happened["type"].to_numpy(), "party_from": happened["party_from"].to_numpy(dtype=object),
        "party_to": happened["party_to"].to_numpy(dtype=object),
        "party_account": names("account", happened["account"].to_numpy()),
        "amount": happened["amount"].to_numpy(), "doc_no": make.tokens(rng, "", n, 10),
        "event_time": book.clock.texts(happened["moment"].to_numpy()), "known_at": book.clock.texts(known),
        "source": np.full(n, "registry", dtype=object),
    }  # fmt: skip


def _happened(
    type_: str,
    app: Ints,
    moment: Ints,
    *,
    amount: Any = np.nan,
    party_from: Any = None,
    party_to: Any = None,
    account: Any = NONE,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "type": type_,
            "app": app,
            "moment": moment,
            "amount": amount,
            "party_from": party_from,
            "party_to": party_to,
            "account": account,
        }
    )


def _days(rng: np.random.Generator, span: list[int], n: int) -> Ints:
    return (uniform(rng, span, n) * DAY).astype(np.int64)


def _objects(texts: Any) -> np.ndarray:
    return np.array(texts.to_pylist(), dtype=object)


def _sold(book: Book, names: Names) -> list[pd.DataFrame]:
    app = np.flatnonzero((book.app("transfer_at") < NEVER) & ~book.app("vin_missing"))
    at, buyer = book.app("transfer_at")[app], _objects(names("party", book.app("buyer")[app]))
    seller = _objects(names("applicant", book.app("person")[app]))
    sales = _happened(
        "title_transfer", app, at, party_from=seller, party_to=buyer, account=book.app("buyer_account")[app]
    )
    abroad = (book.app("typology")[app] == "T26") & chance(
        book.streams("export"), book.p["vehicle.export_after_transfer"], len(app)
    )
    return [sales, _happened("export", app[abroad], at[abroad] + 9 * DAY, party_from=buyer[abroad])]


def _undone(book: Book, rng: np.random.Generator) -> list[pd.DataFrame]:
    """Cancelled insurance, or an invoice reversed after funding."""
    app = np.flatnonzero((book.app("cancel_at") < NEVER) & ~book.app("vin_missing"))
    policy = chance(rng, book.p["vehicle.cancel_is_policy"], len(app))
    at = book.app("cancel_at")[app]
    return [
        _happened("policy_cancelled", app[policy], at[policy]),
        _happened("invoice_reversed", app[~policy], at[~policy]),
    ]


def _rare(rng: np.random.Generator, p: dict[str, Any], cars: Ints, at: Ints) -> list[pd.DataFrame]:
    found = []
    for type_, share in (("inspection", p["inspection_share"]), ("repair", p["repair_share"])):
        chosen = chance(rng, share, len(cars))
        found.append(_happened(type_, cars[chosen], at[chosen] + rng.integers(10, 200, int(chosen.sum())) * DAY))
    return found


def _loops(book: Book, rng: np.random.Generator, names: Names) -> pd.DataFrame:
    """T10 and ordinary dealer stock: used cars change hands shortly before the loan."""
    share = np.where(book.app("fraud"), book.behaves("loops"), book.p["vehicle.dealer_stock"] * book.app("used"))
    app = np.flatnonzero(chance(rng, share, len(share)) & ~book.app("vin_missing") & (book.app("moment") > 12 * DAY))
    own = np.where(book.app("fraud")[app], book.app("person")[app], NONE)
    seller = _objects(names("applicant", own))
    at = book.app("moment")[app] - rng.integers(6, 12, len(app)) * DAY
    return _happened("title_transfer", app, at, party_from=seller)


def gps_rows(book: Book, names: Names) -> dict[str, Any]:
    """Weekly summaries of sampled cars, all fleets, and all cars that went silent."""
    rng, p = book.streams("gps rows"), book.p["gps"]
    funded = (book.app("funded_at") < book.clock.end) & ~book.app("vin_missing")
    wanted = (
        chance(rng, p["sampled_share"], len(funded)) | (book.app("kind") == "fleet") | (book.app("silent_from") < NEVER)
    )
    cars = np.flatnonzero(funded & wanted)
    cars = cars[np.unique(book.app("vehicle")[cars], return_index=True)[1]]
    wireless = chance(rng, p["wireless_share"], len(cars))
    unit = np.r_[np.zeros(len(cars), int), np.ones(int(wireless.sum()), int)]
    app = np.repeat(np.r_[cars, cars[wireless]], p["weeks"])
    unit, week = np.repeat(unit, p["weeks"]), np.tile(np.arange(p["weeks"]), len(unit))
    day = (book.app("funded_at")[app] // DAY + 7 * (week + 1)) * DAY
    gone = day >= book.app("silent_from")[app] + 7 * DAY
    last = ~gone & (day + 7 * DAY >= book.app("silent_from")[app] + 7 * DAY)
    kept = ~gone & (day + DAY < book.clock.end)
    app, unit, day, last = app[kept], unit[kept], day[kept], last[kept]
    n, km = len(app), np.where(book.app("kind")[app] == "fleet", p["fleet_km"], p["km"])
    home, lot = _cells(book, rng, app), _yards(book, rng, app)
    return {
        "vin": names("vehicle", book.app("vehicle")[app]),
        "device_unit": np.where(unit, "wireless", "wired").astype(object), "day": book.clock.dates(day),
        "home_stop_cell": home, "night_stop_cell": home,
        "km": np.minimum(km * rng.lognormal(0, 0.5, n) * np.where(last, 0.3, 1), p["most_km"]),
        "online_hours": np.where(last, rng.uniform(0, 6, n), rng.uniform(18, 24, n)),
        "last_seen_cell": either(last & (book.app("ring")[app] >= 0), lot, home),
        "tamper_flag": last & chance(rng, p["tamper_share"], n),
        "power_cut_flag": chance(rng, np.where(last, *p["power_cut"]), n),
        "known_at": book.clock.texts(day + DAY + 3600),
    }  # fmt: skip


def _cells(book: Book, rng: np.random.Generator, app: Ints) -> Any:
    """The cell of the home, now and then of somewhere near."""
    place = book.people["home"].to_numpy()[book.app("person")[app]]
    city = book.cities.iloc[book.person("city")[app]]
    away = np.where(chance(rng, book.p["gps.elsewhere_share"], len(app)), 0.05, 0.0) * rng.normal(0, 1, len(app))
    lat = city["lat"].to_numpy() + book.entities.fact("place", "lat_off", 0.0)[place] + away
    return make.geohash7(lat, city["lon"].to_numpy() + book.entities.fact("place", "lon_off", 0.0)[place] + away)


def _yards(book: Book, rng: np.random.Generator, app: Ints) -> Any:
    """T13: the cars of a ring fall silent at one second-pledge yard."""
    city = book.cities.iloc[np.r_[book.rings["city"].to_numpy(), 0][book.app("ring")[app]]]
    offset = rng.normal(0, 0.1, (2, len(book.rings) + 1))
    ring = book.app("ring")[app]
    return make.geohash7(city["lat"].to_numpy() + offset[0][ring], city["lon"].to_numpy() + offset[1][ring])
