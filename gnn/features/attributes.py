"""What an application says by itself: money, person, vehicle, number, employer, session, papers, and whether they agree.

Every value is computed from the row's own facts alone, so one application gives the same bits as a whole portfolio.
NaN is "not stated"; nothing is imputed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from gnn.book import FOREVER, Book, Floats
from graph.records import CHINA, DAY, Ints

PRODUCTS = ("new", "used", "lease_direct", "leaseback", "commercial", "no_mortgage")
CHANNELS = ("app", "mini_program", "dealer_pc", "dealer_tablet", "h5", "api")
EDUCATION = ("primary", "junior", "senior", "high_school", "vocational", "college", "bachelor", "master", "doctor")
IP_TYPES = ("mobile_nat", "broadband", "shop", "idc")
DEALER_TYPES = ("4s", "second_net", "used", "direct_store")
MONTH = 30 * DAY
PROVINCE, CITY = 10_000, 100


class About:
    """The facts of each application, gathered from the nodes it held when it was scored."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.snapshot = book.snapshot
        self.at = book.as_of
        self.held = {role: book.latest(role) for role in HOLDS}

    def own(self, name: str) -> Floats:
        return _numbers(self.snapshot.nodes["Application"].table[name])

    def text(self, name: str) -> npt.NDArray[Any]:
        return _texts(self.snapshot.nodes["Application"].table[name])

    def of(self, role: str, name: str) -> Floats:
        """A numeric property of what the application holds in this role; NaN where there is none."""
        column = _numbers(self.snapshot.nodes[HOLDS[role]].table[name])
        return np.append(column, np.nan)[self.held[role]]

    def text_of(self, role: str, name: str) -> npt.NDArray[Any]:
        column = _texts(self.snapshot.nodes[HOLDS[role]].table[name])
        return np.append(column, None)[self.held[role]]

    def code_of(self, role: str, name: str, words: tuple[str, ...]) -> Floats:
        return _code(self.text_of(role, name), words)

    def since(self, role: str, name: str) -> Floats:
        """Whole months since a date or time of what is held; NaN where it is not stated, or lies ahead."""
        column = self.snapshot.nodes[HOLDS[role]].table[name]
        moments = np.append(_moments(column), FOREVER)[self.held[role]]
        months = (self.at - moments) / MONTH
        return np.where((moments < FOREVER) & (months >= 0), np.floor(months), np.nan)

    def stated(self, role: str, name: str) -> Floats:
        """1 or 0 for a thing that is held; NaN without it."""
        values = self.text_of(role, name)
        return np.where(self.held[role] >= 0, pd.notna(values).astype(float), np.nan)


HOLDS = {
    "person": "Person", "phone": "Phone", "work_phone": "Phone", "vehicle": "Vehicle", "employer": "Employer",
    "address": "Address", "dealer": "Dealer", "salesperson": "Salesperson", "payer": "Account", "device": "Device",
    "ip": "IP",
}  # fmt: skip


def attributes(book: Book) -> dict[str, Floats]:
    """Columns by name, as `catalogue.py` describes them."""
    about = About(book)
    with np.errstate(invalid="ignore", divide="ignore"):
        money = _money(about)
        return {
            **money,
            **_person(about, money["amount"]),
            **_vehicle(about),
            **_number_and_work(about),
            **_regions(about),
            **_session(about),
            **_papers(about),
        }


def _money(about: About) -> dict[str, Floats]:
    amount, price, down = about.own("amount"), about.own("invoice_price"), about.own("down_payment")
    automatic = about.own("auto_limit_flag")
    return {
        "amount": amount,
        "term_months": about.own("term_months"),
        "invoice_price": price,
        "down_ratio": down / price,
        "ltv": about.own("ltv"),
        "extras_ratio": about.own("extras_amount") / price,
        "unexplained_ratio": (price - down - amount) / price,
        "automatic": automatic,
        "under_limit": _under_limit(about.book, amount, automatic),
        "product": _code(about.text("product"), PRODUCTS),
        "price_over_market": price / about.of("vehicle", "market_price"),
        "price_over_list": price / about.of("vehicle", "list_price"),
    }


UNDER_LIMIT = 0.05
LIMIT_DAYS = 30


def _under_limit(book: Book, amount: Floats, automatic: Floats) -> Floats:
    """1 for an amount just below the largest one approved automatically in the thirty days before (R17)."""
    day = book.submitted // DAY
    first = int(day.min()) if len(day) else 0
    most = np.zeros(int(day.max()) - first + 1 if len(day) else 0)
    flagged = automatic == 1
    np.maximum.at(most, day[flagged] - first, np.nan_to_num(amount[flagged]))
    before = pd.Series(most).rolling(LIMIT_DAYS, min_periods=1).max().shift(1, fill_value=0.0).to_numpy()
    limit = before[day - first]
    return np.where(
        limit > 0, (flagged & (amount > (1 - UNDER_LIMIT) * limit) & (amount <= limit)).astype(float), np.nan
    )


def _person(about: About, amount: Floats) -> dict[str, Floats]:
    income = about.of("person", "monthly_income")
    year = pd.to_datetime(about.at + CHINA, unit="ms").year.to_numpy(dtype=np.float64)
    term = about.own("term_months")
    return {
        "age": year - about.of("person", "birth_year"),
        "income": income,
        "price_to_income": about.own("invoice_price") / income,
        "instalment_to_income": amount / term / income,
        "thin_file": about.of("person", "thin_file_flag"),
        "licence_held": about.stated("person", "driver_licence_class"),
        "licence_months": about.since("person", "licence_issue_date"),
        "married": (about.text_of("person", "marital") == "married").astype(float),
        "education": about.code_of("person", "education", EDUCATION),
        "reserved_phone_match": about.of("person", "reserved_phone_match"),
        "face_score": about.of("person", "face_score"),
        "liveness_score": about.of("person", "liveness_score"),
    }


def _vehicle(about: About) -> dict[str, Floats]:
    year = pd.to_datetime(about.at + CHINA, unit="ms").year.to_numpy(dtype=np.float64)
    return {
        "list_price": about.of("vehicle", "list_price"),
        "market_over_list": about.of("vehicle", "market_price") / about.of("vehicle", "list_price"),
        "car_age": year - about.of("vehicle", "model_year"),
        "mileage_km": about.of("vehicle", "mileage_km"),
        "used_car": (about.text_of("vehicle", "condition") == "used").astype(float),
        "electric": (about.text_of("vehicle", "energy") == "bev").astype(float),
    }


STAGES = np.array([1.0, 3.0, 6.0, 12.0, 24.0])


def _stage(months: Floats) -> Floats:
    """Only how new somebody is: the exact day would tell a model which dealer or salesperson it is."""
    return np.where(np.isnan(months), np.nan, np.append(0.0, STAGES)[np.searchsorted(STAGES, months, side="right")])


def _number_and_work(about: About) -> dict[str, Floats]:
    status = about.text_of("phone", "status")
    return {
        "phone_tenure_months": about.of("phone", "tenure_months"),
        "phone_held_months": about.since("phone", "valid_from"),
        "phone_virtual": about.of("phone", "is_mvno"),
        "phone_inactive": np.where(pd.notna(status), (status != "active").astype(float), np.nan),
        "work_phone_mobile": np.where(
            about.held["work_phone"] >= 0, (about.text_of("work_phone", "type") == "mobile").astype(float), np.nan
        ),
        "work_phone_virtual": about.of("work_phone", "is_mvno"),
        "employer_named": (about.held["employer"] >= 0).astype(float),
        "employer_months": about.since("employer", "reg_date"),
        "employer_headcount": about.of("employer", "insured_headcount"),
        "employer_dispatch": about.of("employer", "is_dispatch"),
        "employer_platform": about.of("employer", "is_platform"),
        "employer_shell_suspect": about.of("employer", "is_shell_suspect"),
        "employer_credit_code": about.stated("employer", "uscc"),
        "dealer_months": _stage(about.since("dealer", "onboarded_at")),
        "dealer_type": about.code_of("dealer", "type", DEALER_TYPES),
        "dealer_grade": about.code_of("dealer", "grade", ("A", "B", "C", "D", "E")),
        "dealer_declared_volume": about.of("dealer", "monthly_volume"),
        "salesperson_months": _stage(about.since("salesperson", "start_at")),
        "payer_is_owner": about.of("payer", "owner_match"),
    }


def _regions(about: About) -> dict[str, Floats]:
    """1 where two regions differ, 0 where they agree, NaN where one is not known."""
    live, home = about.of("person", "live_region"), about.of("person", "hukou_region")
    issued, shop = about.of("person", "id_issue_region"), about.of("dealer", "region")
    spoken = about.text_of("phone", "province")
    lived = about.text_of("address", "province")
    return {
        "far_from_dealer": _differ(live, shop, PROVINCE),
        "other_city_than_dealer": _differ(live, shop, CITY),
        "far_from_birthplace": _differ(live, home, PROVINCE),
        "id_issued_elsewhere": _differ(issued, live, PROVINCE),
        "phone_elsewhere": _unlike(spoken, lived),
        "work_phone_elsewhere": _unlike(about.text_of("work_phone", "province"), lived),
        "live_province": np.floor(live / PROVINCE),
        "dealer_province": np.floor(shop / PROVINCE),
    }


def _session(about: About) -> dict[str, Floats]:
    local = pd.to_datetime(about.book.submitted + CHINA, unit="ms")
    seen = _per_application(about, "device_events")
    return {
        "hour": local.hour.to_numpy(np.float64) + local.minute.to_numpy(np.float64) / 60,
        "weekday": local.dayofweek.to_numpy(np.float64),
        "channel": _code(about.text("channel"), CHANNELS),
        "form_seconds": about.own("form_seconds"),
        "paste_count": about.own("paste_count"),
        "edit_count": about.own("edit_count"),
        "device_named": (about.held["device"] >= 0).astype(float),
        "emulator": np.fmax(seen.get("is_emulator", np.nan), about.of("device", "is_emulator")),
        "rooted": np.fmax(seen.get("is_rooted", np.nan), about.of("device", "is_rooted")),
        "vpn": seen.get("vpn_flag", np.full(len(about.book), np.nan)),
        "session_events": seen["rows"],
        "ip_type": about.code_of("ip", "ip_type", IP_TYPES),
    }


def _papers(about: About) -> dict[str, Floats]:
    kinds = _per_application(about, "documents", kinds=("id", "licence", "income", "statement", "employment"))
    return {
        "documents": kinds["rows"],
        **{f"has_{kind}": kinds[kind] for kind in ("licence", "income", "statement", "employment")},
    }


def _per_application(about: About, table: str, kinds: tuple[str, ...] = ()) -> Mapping[str, Floats]:
    """Of an application's own events known when it was scored: how many, the greatest of each flag, which kinds."""
    size, events = len(about.book), about.book.events.get(table)
    if events is None or not len(events):
        return {"rows": np.full(size, np.nan)} | {kind: np.full(size, np.nan) for kind in kinds}
    row = about.snapshot.nodes["Application"].index_of(events["owner"].to_numpy())
    known = events["known_at"].to_numpy()
    there = np.flatnonzero((row >= 0) & (known <= about.at[row]))
    row = row[there]
    counted: dict[str, Floats] = {"rows": np.bincount(row, minlength=size).astype(float)}
    if kinds and "kind" in events.column_names:
        stated = events["kind"].to_pandas().to_numpy()[there]
        counted |= {kind: np.bincount(row[stated == kind], minlength=size).clip(0, 1).astype(float) for kind in kinds}
        return counted
    for flag in ("is_emulator", "is_rooted", "vpn_flag"):
        if flag in events.column_names:
            values = _numbers(events[flag])[there]
            most = np.full(size, -1.0)
            np.maximum.at(most, row, np.nan_to_num(values, nan=-1.0))
            counted[flag] = np.where(most >= 0, most, np.nan)
    return counted


# Columns -------------------------------------------------------------------------------------------------


def _numbers(column: pa.ChunkedArray) -> Floats:
    if pa.types.is_string(column.type):
        return pd.to_numeric(column.to_pandas(), errors="coerce").to_numpy(np.float64)
    floats = column.cast(pa.float64()).fill_null(float("nan"))
    return np.asarray(floats.to_numpy(), dtype=np.float64)


def _texts(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    return np.asarray(column.to_pandas().to_numpy(dtype=object))


def _moments(column: pa.ChunkedArray) -> Ints:
    if pa.types.is_string(column.type):
        dates = pd.to_datetime(column.to_pandas(), errors="coerce", utc=True)
        millis = dates.astype("datetime64[ms, UTC]").astype("int64").to_numpy() - CHINA
        return np.where(dates.isna(), FOREVER, millis)
    return np.asarray(column.fill_null(FOREVER).to_numpy(), dtype=np.int64)


def _code(values: npt.NDArray[Any], words: tuple[str, ...]) -> Floats:
    numbers = pd.Series(values, dtype=object).map({word: float(at) for at, word in enumerate(words)})
    return numbers.to_numpy(np.float64)


def _differ(one: Floats, other: Floats, part: int) -> Floats:
    known = (one > 0) & (other > 0)
    return np.where(known, (np.floor(one / part) != np.floor(other / part)).astype(float), np.nan)


def _unlike(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Floats:
    known = pd.notna(one) & pd.notna(other)
    return np.where(known, (one != other).astype(float), np.nan)
