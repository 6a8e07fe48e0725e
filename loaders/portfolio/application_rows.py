"""What arrives with an application: the form, the applicant, contacts, sessions, papers."""

from __future__ import annotations

from typing import Any

import numpy as np

from loaders.portfolio import identifiers as make
from loaders.portfolio.belongings import SLOTS
from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Ints, by_class, chance, pick
from loaders.portfolio.clock import DAY, NEVER
from loaders.portfolio.names import Names, either, joined, numbered, only, refer
from loaders.portfolio.people import birth_dates

PRODUCERS = ("iText 5", "WPS Office", "PDFium", "Quartz")
CAMERAS = ("HUAWEI", "Xiaomi", "Apple", "vivo")
INSTANT = 5
"""Seconds until a row written by our own systems is usable."""


def application_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, p, apps = book.streams("application rows"), book.p["form"], book.applications
    n, moment, clock = len(apps), book.app("moment"), book.clock
    pending = book.app("decided_at") >= clock.end
    funded = np.where(book.app("funded_at") >= clock.end, NEVER, book.app("funded_at"))
    return {
        "application_id": names("application", np.arange(n)), "deal_id": names("deal", book.app("deal")),
        "applicant_id": names("applicant", book.app("person")),
        "dealer_id": names("dealer", book.app("dealer")),
        "salesperson_id": names("salesperson", book.app("salesperson")), "channel": book.app("channel"),
        "product": book.app("product"), "submitted_at": clock.texts(moment),
        "decided_at": clock.texts(np.where(pending, NEVER, book.app("decided_at"))),
        "funded_at": clock.texts(funded), "amount": book.app("amount"), "term_months": book.app("term"),
        "down_payment": book.app("down"), "invoice_price": book.app("price"),
        "extras_amount": np.where(book.app("extras") > 0, book.app("extras"), np.nan),
        "ltv": book.app("ltv"),
        "vin": names("vehicle", np.where(book.app("vin_missing"), NONE, book.app("vehicle"))),
        "purpose": pick(rng, book.p["purpose"], n),
        "decision": np.where(pending, "pending", book.app("decision")).astype(object),
        "decline_reason": only(~pending, book.app("reason")),
        "auto_limit_flag": book.app("auto_limit"), "reviewer_id": names("reviewer", book.app("reviewer")),
        "override_flag": book.app("override"), "session_id": make.tokens(rng, "ses_", n, 11),
        "form_seconds": np.round(p["seconds_median"] * rng.lognormal(0, p["seconds_sigma"], n)).astype(int),
        "paste_count": rng.poisson(p["paste_mean"], n), "edit_count": rng.poisson(p["edit_mean"], n),
        "known_at": clock.texts(moment),
    }  # fmt: skip


def applicant_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, people = book.streams("applicant rows"), book.people
    n, birth, male = len(people), birth_dates(book), people["male"].to_numpy()
    moment, type_ = people["moment"].to_numpy(), people["id_type"].to_numpy()
    district = np.where(people["hukou"] % 2, 4, 2)
    hukou = book.cities["code"].to_numpy()[people["hukou"]] + district
    licence, years = people["licence"].to_numpy(), rng.uniform(0.3, 15, n) * 365
    since = np.where(
        licence, moment - (np.minimum(years, (people["age"] - 18) * 365 + 30) * DAY).astype(np.int64), NEVER
    )
    licence_class = pick(rng, book.p["people.licence_class"], n)
    return {
        "applicant_id": names("applicant", np.arange(n)), "id_type": type_,
        "id_number": _id_numbers(rng, type_, hukou, birth, male),
        "name": _full_names(book, rng, people["surname"].to_numpy(), male),
        "gender": np.where(male, "male", "female").astype(object), "birth_date": birth,
        "id_issue_region": numbered(hukou),
        "id_valid_to": book.clock.dates(moment + rng.integers(100, 5000, n) * DAY),
        "marital": people["marital"].to_numpy(), "education": people["education"].to_numpy(),
        "occupation_code": numbered(rng.integers(10, 70, n) * 1000 + rng.integers(0, 5, n) * 100),
        "monthly_income": people["income"].to_numpy(), "hukou_region": numbered(hukou),
        "live_region": numbered(book.cities["code"].to_numpy()[people["city"]] + 2),
        "driver_licence_class": only(licence, licence_class),
        "licence_issue_date": book.clock.dates(since), "thin_file_flag": people["thin_file"].to_numpy(),
        "phone": names("phone", people["phone"].to_numpy()),
        "work_phone": names("phone", people["work_phone"].to_numpy()),
        "employer_id": names("employer", people["employer"].to_numpy()),
        "address_id": names("address", np.arange(n)), "reserved_phone_match": people["reserved"].to_numpy(),
        "face_score": people["face_score"].to_numpy(), "liveness_score": people["liveness_score"].to_numpy(),
        "known_at": book.clock.texts(moment),
    }  # fmt: skip


def _id_numbers(rng: np.random.Generator, type_: np.ndarray, hukou: Ints, birth: np.ndarray, male: np.ndarray) -> Any:
    permit = type_ == "hmt_residence"
    region = np.where(permit, rng.choice([810_000, 820_000, 830_000], len(type_)), hukou)
    resident = make.resident_ids(rng, region, birth, male)
    passport = make.tokens(rng, "E", len(type_), 8)
    return either(type_ == "passport", passport, resident)


def _full_names(book: Book, rng: np.random.Generator, surname: Ints, male: np.ndarray) -> np.ndarray:
    n = len(surname)
    given = np.where(male, book.word(rng, "given_male", n), book.word(rng, "given_female", n))
    return joined(book.words["surnames"][surname], given)


def contact_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, apps = book.streams("contact rows"), book.applications
    stacked = np.stack([book.app(slot) for slot in SLOTS], axis=1)
    app, slot = np.nonzero(stacked >= 0)
    n, role = len(app), pick(rng, book.p["contact_roles"], len(app))
    debtor = np.isin(role, ("guarantor", "co_borrower"))
    related = book.person("household")[app] >= 0
    surname = np.where(
        related & (slot == 0), book.person("surname")[app], rng.integers(0, len(book.words["surnames"]), n)
    )
    return {
        "contact_row_id": make.tokens(rng, "CT", n, 11), "application_id": names("application", app),
        "role": role, "name": _full_names(book, rng, surname, chance(rng, 0.5, n)),
        "phone": names("phone", stacked[app, slot]), "relation_declared": role,
        "consent_basis": np.where(debtor, "contract", "provided_by_applicant").astype(object),
        "notified_flag": debtor | chance(rng, book.p["contact_notified_share"], n), "is_debtor": debtor,
        "known_at": book.clock.texts(apps["moment"].to_numpy()[app]),
    }  # fmt: skip


def device_event_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, p = book.streams("device event rows"), book.p["devices"]
    size = len(book.applications)
    app = np.r_[np.arange(size), np.flatnonzero(chance(rng, p["extra_event_share"], size))]
    n, fraud = len(app), book.app("fraud")[app]
    extra = np.arange(n) >= size
    before = np.where(extra, rng.integers(300, 7200, n), rng.integers(0, 120, n))
    moment = np.maximum(book.app("moment")[app] - before, 0)
    device = np.where(
        book.by_deal(chance(rng, book.p["data_quality.missing_device"], size))[app],
        NONE,
        book.app("device")[app],
    )
    ip = np.where(book.by_deal(chance(rng, book.p["data_quality.missing_ip"], size))[app], NONE, book.app("ip")[app])
    android = rng.random(book.entities.sizes["device"]) < p["android_share"]
    with_imei = (rng.random(book.entities.sizes["device"]) < p["imei_share"]) & android
    held = np.maximum(device, 0)
    imei = np.where(with_imei[held] & (device >= 0), device, NONE)
    models = np.array(["V2304A", "PJX110", "2211133C", "ALN-AL00", "iPhone15,2", "iPhone14,7"], dtype=object)
    lat, lon = _positions(book, rng, app)
    return {
        "event_id": make.tokens(rng, "EV", n, 12), "application_id": names("application", app),
        "applicant_id": names("applicant", book.app("person")[app]), "device_id": names("device", device),
        "imei": refer(make.imeis(rng, len(android)), imei),
        "os": np.where(android, "android", "ios")[held].astype(object),
        "model": models[np.where(android[held], held % 4, 4 + held % 2)],
        "is_emulator": chance(rng, by_class(fraud, p["emulator_share"]), n),
        "is_rooted": chance(rng, by_class(fraud, p["rooted_share"]), n), "vpn_flag": book.app("vpn")[app],
        "ip": names("ip", ip),
        "ip_asn": numbered(np.array([4134, 4837, 9808, 56046])[np.maximum(ip, 0) % 4], "AS"),
        "ip_type": only(ip >= 0, book.app("ip_type")[app]),
        "wifi_bssid_token": names("wifi", book.app("wifi")[app]), "lat": lat, "lon": lon,
        "coord_sys": np.full(n, "gcj02", dtype=object),
        "event_type": np.where(extra, rng.choice(["login", "ocr_upload"], n), "submit").astype(object),
        "event_time": book.clock.texts(moment), "known_at": book.clock.texts(moment + INSTANT),
    }  # fmt: skip


def _positions(book: Book, rng: np.random.Generator, app: Ints) -> tuple[np.ndarray, np.ndarray]:
    """At the shop or around the home city; a fifth gave no permission."""
    shop, dealers, city = (
        book.app("in_shop")[app],
        book.dealers.iloc[book.app("dealer")[app]],
        book.cities.iloc[book.person("city")[app]],
    )
    base = book.cities.iloc[dealers["city"]]
    hidden, spread = chance(rng, book.p["devices.no_position_share"], len(app)), np.where(shop, 0.0004, 0.1)
    lat = (
        np.where(shop, base["lat"].to_numpy() + dealers["dlat"].to_numpy(), city["lat"])
        + rng.normal(0, 1, len(app)) * spread
    )
    lon = (
        np.where(shop, base["lon"].to_numpy() + dealers["dlon"].to_numpy(), city["lon"])
        + rng.normal(0, 1, len(app)) * spread
    )
    lat[hidden], lon[hidden] = np.nan, np.nan
    return lat, lon


def document_rows(book: Book, names: Names) -> dict[str, Any]:
    """Papers; a template shows as a perceptual hash that differs by a few bits from use to use."""
    rng, p = book.streams("document rows"), book.p["documents"]
    made = [_of_kind(rng, len(book.applications), share, number) for number, share in enumerate(p["kinds"].values())]
    app, kind = np.concatenate(made, axis=1)
    n = len(app)
    forgeable = np.isin(np.array(list(p["kinds"]))[kind], ("income", "statement", "employment"))
    common = book.entities.new("template", p["common_templates"])
    usual = common[(rng.random(n) ** 2 * len(common)).astype(np.int64)]
    template = np.where(chance(rng, p["common_share"], n), usual, NONE)
    ours = book.app("template")[app]
    template = np.where(forgeable, np.where(ours >= 0, ours, template), NONE)
    book.entities.belongs(
        "template",
        common,
        np.array([f"software-{each}" for each in range(len(common))], dtype=object),
        "business_number",
    )
    stamp = book.app("moment")[app]
    tagged = chance(rng, p["cluster_tag_share"], n) & (template >= 0)
    pages, certain = numbered(rng.integers(1, 9, n)), numbered(rng.integers(80, 100, n))
    return {
        "doc_id": make.tokens(rng, "DOC", n, 12), "application_id": names("application", app),
        "kind": np.array(list(p["kinds"]), dtype=object)[kind], "sha256": make.hexes(rng, n, 64),
        "phash64": _hashes(book, rng, template),
        "pdf_producer": only(forgeable, rng.choice(PRODUCERS, n)),
        "exif_device": only(~forgeable, rng.choice(CAMERAS, n)),
        "seal_hash": _seals(book, rng, app, ours, forgeable),
        "template_cluster": names("template", np.where(tagged, template, NONE)),
        "ocr_fields": joined('{"pages":', pages, ',"confidence":0.', certain, "}"),
        "known_at": book.clock.texts(stamp + INSTANT),
    }  # fmt: skip


def _of_kind(rng: np.random.Generator, size: int, share: float, number: int) -> Ints:
    rows = np.flatnonzero(chance(rng, share, size))
    return np.stack([rows, np.full(len(rows), number)])


def _hashes(book: Book, rng: np.random.Generator, template: Ints) -> Any:
    base = rng.integers(0, 2**63, book.entities.sizes["template"], dtype=np.uint64)
    own = rng.integers(0, 2**63, len(template), dtype=np.uint64)
    bits = np.uint64(1) << rng.integers(0, 64, (book.p["documents.hash_noise_bits"], len(template)), dtype=np.uint64)
    noise = np.where(chance(rng, 0.5, len(template)), np.bitwise_or.reduce(bits, axis=0), np.uint64(0))
    return make.hex_of(np.where(template >= 0, base[template] ^ noise, own))


def _seals(book: Book, rng: np.random.Generator, app: Ints, template: Ints, sealed: np.ndarray) -> Any:
    """An employer has one seal; a forged paper carries the forger's."""
    employer = book.person("employer")[app]
    seals = make.hexes(rng, book.entities.sizes["employer"] + book.entities.sizes["template"], 16)
    holder = np.where(template >= 0, book.entities.sizes["employer"] + template, employer)
    return refer(seals, np.where(sealed, holder, NONE))
