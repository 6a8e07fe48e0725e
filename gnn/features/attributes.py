"""What an application says by itself: money, person, vehicle, number, employer, session, papers; do they agree?

Every value is computed from the row's own facts alone, so one application gives the same bits as a whole portfolio.
NaN is "not stated"; nothing is imputed here.
"""

from __future__ import annotations

import numpy as np

from gnn.book import Floats
from gnn.features.facts import CHANNELS, DEALER_TYPES, EDUCATION, IP_TYPES, PAPERS, PRODUCTS, Facts
from graph.records import CHINA, DAY, Ints

__all__ = ["CHANNELS", "DEALER_TYPES", "EDUCATION", "IP_TYPES", "PRODUCTS", "attributes"]

MONTH = 30 * DAY
HOUR = DAY // 24
PROVINCE, CITY = 10_000, 100


def attributes(facts: Facts, submitted: Ints, as_of: Ints) -> dict[str, Floats]:
    """Columns by name, as `catalogue.py` describes them."""
    with np.errstate(invalid="ignore", divide="ignore"):
        year = _year(as_of)
        return {
            **_money(facts),
            **_person(facts, as_of, year),
            **_vehicle(facts, year),
            **_number_and_work(facts, as_of),
            **_regions(facts),
            **_session(facts, submitted),
            "documents": facts["documents"],
            **{f"has_{kind}": facts[f"has_{kind}"] for kind in PAPERS},
        }


def _money(facts: Facts) -> dict[str, Floats]:
    amount, price, down = facts["amount"], facts["invoice_price"], facts["down_payment"]
    return {
        "amount": amount,
        "term_months": facts["term_months"],
        "invoice_price": price,
        "down_ratio": down / price,
        "ltv": facts["ltv"],
        "extras_ratio": facts["extras_amount"] / price,
        "unexplained_ratio": (price - down - amount) / price,
        "automatic": facts["auto_limit_flag"],
        "under_limit": _under_limit(amount, facts["auto_limit_flag"], facts["limit"]),
        "product": facts["product"],
        "price_over_market": price / facts["market_price"],
        "price_over_list": price / facts["list_price"],
    }


UNDER_LIMIT = 0.05


def _under_limit(amount: Floats, automatic: Floats, limit: Floats) -> Floats:
    """1 for an amount just below the largest one approved automatically in the thirty days before (R17)."""
    just = (automatic == 1) & (amount > (1 - UNDER_LIMIT) * limit) & (amount <= limit)
    return np.where(limit > 0, just.astype(float), np.nan)


def _year(at: Ints) -> Floats:
    return (at + CHINA).astype("datetime64[ms]").astype("datetime64[Y]").astype(np.float64) + 1970


def _since(moments: Floats, at: Ints) -> Floats:
    """Whole months since; NaN where it is not stated, or lies ahead."""
    months = np.floor((at - moments) / MONTH)
    return np.where(months >= 0, months, np.nan)


def _person(facts: Facts, at: Ints, year: Floats) -> dict[str, Floats]:
    income = facts["monthly_income"]
    return {
        "age": year - facts["birth_year"],
        "income": income,
        "price_to_income": facts["invoice_price"] / income,
        "instalment_to_income": facts["amount"] / facts["term_months"] / income,
        "thin_file": facts["thin_file_flag"],
        "licence_held": facts["licence"],
        "licence_months": _since(facts["licence_issued"], at),
        "married": facts["married"],
        "education": facts["education"],
        "reserved_phone_match": facts["reserved_phone_match"],
        "face_score": facts["face_score"],
        "liveness_score": facts["liveness_score"],
    }


def _vehicle(facts: Facts, year: Floats) -> dict[str, Floats]:
    return {
        "list_price": facts["list_price"],
        "market_over_list": facts["market_price"] / facts["list_price"],
        "car_age": year - facts["model_year"],
        "mileage_km": facts["mileage_km"],
        "used_car": facts["used_car"],
        "electric": facts["electric"],
    }


STAGES = np.array([1.0, 3.0, 6.0, 12.0, 24.0])


def _stage(months: Floats) -> Floats:
    """Only how new somebody is: the exact day would tell a model which dealer or salesperson it is."""
    return np.where(np.isnan(months), np.nan, np.append(0.0, STAGES)[np.searchsorted(STAGES, months, side="right")])


def _number_and_work(facts: Facts, at: Ints) -> dict[str, Floats]:
    return {
        "phone_tenure_months": facts["phone_tenure"],
        "phone_held_months": _since(facts["phone_from"], at),
        "phone_virtual": facts["phone_virtual"],
        "phone_inactive": 1 - facts["phone_active"],
        "work_phone_mobile": facts["work_phone_mobile"],
        "work_phone_virtual": facts["work_phone_virtual"],
        "employer_named": facts["held_employer"],
        "employer_months": _since(facts["employer_registered"], at),
        "employer_headcount": facts["insured_headcount"],
        "employer_dispatch": facts["is_dispatch"],
        "employer_platform": facts["is_platform"],
        "employer_shell_suspect": facts["is_shell_suspect"],
        "employer_credit_code": facts["credit_code"],
        "dealer_months": _stage(_since(facts["dealer_from"], at)),
        "dealer_type": facts["dealer_type"],
        "dealer_grade": facts["dealer_grade"],
        "dealer_declared_volume": facts["dealer_volume"],
        "salesperson_months": _stage(_since(facts["salesperson_from"], at)),
        "payer_is_owner": facts["payer_is_owner"],
    }


def _regions(facts: Facts) -> dict[str, Floats]:
    """1 where two regions differ, 0 where they agree, NaN where one is not known."""
    live, home = facts["live_region"], facts["hukou_region"]
    issued, shop = facts["id_issue_region"], facts["dealer_region"]
    lived = facts["address_province"]
    return {
        "far_from_dealer": _differ(live, shop, PROVINCE),
        "other_city_than_dealer": _differ(live, shop, CITY),
        "far_from_birthplace": _differ(live, home, PROVINCE),
        "id_issued_elsewhere": _differ(issued, live, PROVINCE),
        "phone_elsewhere": _unlike(facts["phone_province"], lived),
        "work_phone_elsewhere": _unlike(facts["work_phone_province"], lived),
        "live_province": np.floor(live / PROVINCE),
        "dealer_province": np.floor(shop / PROVINCE),
    }


def _session(facts: Facts, submitted: Ints) -> dict[str, Floats]:
    local = submitted + CHINA
    return {
        "hour": (local % DAY // HOUR) + (local % HOUR // 60_000) / 60,
        "weekday": ((local // DAY + 3) % 7).astype(np.float64),  # 1970 began on a Thursday
        "channel": facts["channel"],
        "form_seconds": facts["form_seconds"],
        "paste_count": facts["paste_count"],
        "edit_count": facts["edit_count"],
        "device_named": facts["held_device"],
        "emulator": np.fmax(facts["session_emulator"], facts["emulator"]),
        "rooted": np.fmax(facts["session_rooted"], facts["rooted"]),
        "vpn": facts["session_vpn"],
        "session_events": facts["session_events"],
        "ip_type": facts["ip_type"],
    }


def _differ(one: Floats, other: Floats, part: int) -> Floats:
    known = (one > 0) & (other > 0)
    return np.where(known, (np.floor(one / part) != np.floor(other / part)).astype(float), np.nan)


def _unlike(one: Floats, other: Floats) -> Floats:
    known = (one >= 0) & (other >= 0)
    return np.where(known, (one != other).astype(float), np.nan)
