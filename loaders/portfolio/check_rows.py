"""What the lender checks: verification calls and voices, bureau inquiries, reviewers' actions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from loaders.portfolio import identifiers as make
from loaders.portfolio.application_rows import INSTANT
from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Flags, Ints, chance, pick, uniform, whole
from loaders.portfolio.clock import DAY
from loaders.portfolio.names import Names, either, refer


def call_rows(book: Book, names: Names) -> tuple[dict[str, Any], dict[str, Any]]:
    """Calls, and the vendor's voice matches between them."""
    rng, p = book.streams("call rows"), book.p["voice"]
    calls = pick(rng, p["calls_per_application"], len(book.applications)).astype(int)
    app = np.repeat(np.arange(len(calls)), calls)
    n = len(app)
    role = pick(rng, p["callee"], n)
    phone = np.select(
        [role == "contact", role == "employer"],
        [book.app("contact0")[app], book.person("work_phone")[app]],
        book.person("phone")[app],
    )
    moment = book.app("moment")[app] + rng.integers(300, 7200, n)
    covered = chance(rng, p["coverage"], len(calls))[app]
    refs = make.tokens(rng, "vr_", n, 11)
    reviewers = names("reviewer", rng.integers(0, book.p["decision.reviewers"], n))
    rows = {
        "call_id": make.tokens(rng, "CL", n, 11), "application_id": names("application", app),
        "callee_role": role, "phone": names("phone", phone), "start_at": book.clock.texts(moment),
        "seconds": rng.integers(15, 420, n),
        "result": pick(rng, p["result"], n),
        "reviewer_id": reviewers, "voice_ref": refer(refs, np.where(covered, np.arange(n), NONE)),
        "known_at": book.clock.texts(moment + 600),
    }  # fmt: skip
    voiced = pd.DataFrame(
        {"call": np.arange(n), "app": app, "moment": moment, "speaker": _speakers(book, app, role, phone)}
    )
    return rows, _match_rows(book, rng, voiced[covered & (phone >= 0)], refs)


def _speakers(book: Book, app: Ints, role: np.ndarray, phone: Ints) -> Ints:
    """Who answers: the ring's ghost caller, the receptionist of a switchboard, or somebody of this application only."""
    caller = book.app("speaker")[app]
    receptionist = (role == "employer") & (book.entities.fact("phone", "business", False)[phone]) & (phone >= 0)
    return np.select([caller >= 0, receptionist], [caller, 10_000_000 + phone], NONE)


def _match_rows(book: Book, rng: np.random.Generator, voiced: pd.DataFrame, refs: Any) -> dict[str, Any]:
    p = book.p["voice"]
    province = np.unique(book.cities["province"].to_numpy(), return_inverse=True)[1]
    voiced = voiced.assign(region=province[book.dealers["city"].to_numpy()[book.app("dealer")[voiced["app"]]]])
    true = _same_speaker(voiced[voiced["speaker"] >= 0], p["gallery_days"])
    heard = np.where(true[2] >= book.clock.drift, book.p["drift.voice_hit"], p["same_speaker_hit"])
    true = true[:, chance(rng, heard, true.shape[1])]
    pairs = np.concatenate([true, _false_matches(rng, voiced, p)], axis=1)
    n = pairs.shape[1]
    return {
        "ref_a": refer(refs, pairs[0]), "ref_b": refer(refs, pairs[1]),
        "score": rng.uniform(p["threshold"], 0.99, n), "model_version": np.full(n, "spk-3.2", dtype=object),
        "threshold": np.full(n, p["threshold"]),
        "gallery_scope": np.full(n, "30d_same_region", dtype=object),
        "known_at": book.clock.texts(pairs[2] + 900),
    }  # fmt: skip


def _same_speaker(voiced: pd.DataFrame, days: int) -> Ints:
    """Each call against the four before it of the same speaker, if the gallery still holds them."""
    voiced = voiced.sort_values(["speaker", "moment", "call"])
    call, moment, key = (voiced[name].to_numpy() for name in ("call", "moment", "speaker"))
    found = []
    for lag in range(1, 5):
        near = (key[lag:] == key[:-lag]) & (moment[lag:] - moment[:-lag] <= days * DAY)
        found.append(np.stack([call[lag:][near], call[:-lag][near], moment[lag:][near]]))
    return np.concatenate(found, axis=1)


def _false_matches(rng: np.random.Generator, voiced: pd.DataFrame, p: dict[str, Any]) -> Ints:
    """Strangers taken for one speaker: rare per pair, but the gallery is large."""
    ordered = voiced.sort_values(["region", "moment"], kind="stable")
    region, moment, call = (ordered[name].to_numpy() for name in ("region", "moment", "call"))
    span = (moment.max(initial=0) + 1) * 2
    low = np.searchsorted(region * span + moment, region * span + np.maximum(moment - p["gallery_days"] * DAY, 0))
    gallery = np.arange(len(call)) - low
    hits = rng.poisson(gallery * p["false_match_rate"])
    row = np.repeat(np.arange(len(call)), hits)
    other = low[row] + (rng.random(len(row)) * gallery[row]).astype(np.int64)
    return np.stack([call[row], call[other], moment[row]])


def inquiry_rows(book: Book, names: Names) -> dict[str, Any]:
    """The credit bureau's view: earlier inquiries, our own, shopping by the dealer (B09), stacking (T14)."""
    rng, p = book.streams("inquiry rows"), book.p["bureau"]
    asked = pd.concat([_earlier(book, rng), _ours(book), _shopping(book, rng), _stacking(book, rng)], ignore_index=True)
    asked = asked[asked["moment"] < book.clock.end]
    n, app = len(asked), asked["app"].to_numpy()
    moment = asked["moment"].to_numpy()
    lag = (uniform(rng, p["lag_days"], n) * DAY).astype(np.int64)
    same = asked["same_deal"].to_numpy()
    other = either(chance(rng, p["other_car_share"], n), make.tokens(rng, "vt_", n, 11))
    elsewhere = np.round(p["other_amount"]["median"] * rng.lognormal(0, p["other_amount"]["sigma"], n), -2)
    elsewhere[chance(rng, p["no_amount_share"], n)] = np.nan
    lender = np.where(asked["own"], 0, rng.integers(1, 80, n))
    reason = np.where(same | (asked["kind"] == "stacking"), "loan_approval", pick(rng, p["reason"], n)).astype(object)
    return {
        "inquiry_id": make.tokens(rng, "INQ", n, 11),
        "applicant_id": names("applicant", book.app("person")[app]),
        "institution_token": make.tokens(rng, "inst_", 80, 5).take(pa.array(lender)),
        "inst_type": np.array(["auto_finance", "bank", "consumer_finance", "leasing"], dtype=object)[lender % 4],
        "reason": reason,
        "amount": np.where(same, book.app("amount")[app], elsewhere),
        "vin_token": either(same, names("vt", book.app("vehicle")[app]), other),
        "dealer_token": names("dt", np.where(same, book.app("dealer")[app], NONE)),
        "event_time": book.clock.texts(moment), "known_at": book.clock.texts(moment + lag),
    }  # fmt: skip


def _asked(app: Ints, moment: Ints, kind: str, *, same_deal: bool, own: bool = False) -> pd.DataFrame:
    return pd.DataFrame({"app": app, "moment": moment, "kind": kind, "same_deal": same_deal, "own": own})


def _earlier(book: Book, rng: np.random.Generator) -> pd.DataFrame:
    p = book.p["bureau"]
    count = rng.poisson(p["prior_inquiries"] + p["fraud_extra"] * book.app("fraud"))
    app = np.repeat(np.arange(len(count)), count)
    return _asked(
        app,
        book.app("moment")[app] - (rng.random(len(app)) * p["prior_days"] * DAY).astype(np.int64),
        "earlier",
        same_deal=False,
    )


def _ours(book: Book) -> pd.DataFrame:
    return _asked(np.arange(len(book.applications)), book.app("moment") + 30, "own", same_deal=True, own=True)


def _shopping(book: Book, rng: np.random.Generator) -> pd.DataFrame:
    p = book.p["shopping"]
    deals = np.flatnonzero(book.app("deal") == np.arange(len(book.applications)))
    sent = deals[chance(rng, p["deals_sent_to_3_6_lenders"], len(deals))]
    app = np.repeat(sent, whole(rng, p["lenders"], len(sent)) - 1)
    return _asked(
        app,
        book.app("moment")[app] + rng.integers(-p["hours"] // 2 * 3600, p["hours"] // 2 * 3600, len(app)),
        "shopping",
        same_deal=True,
    )


def _stacking(book: Book, rng: np.random.Generator) -> pd.DataFrame:
    stackers = np.flatnonzero(book.app("typology") == "T14")
    app = np.repeat(stackers, whole(rng, book.p["bureau.stacking_inquiries"], len(stackers)))
    return _asked(
        app,
        book.app("moment")[app] - (rng.random(len(app)) * 6 * DAY).astype(np.int64),
        "stacking",
        same_deal=False,
    )


def assign_reviewers(book: Book) -> None:
    """Adds reviewer to what people decide; an insider's ring has its own reviewer."""
    rng = book.streams("reviewers")
    count, n = book.p["decision.reviewers"], len(book.applications)
    book.entities.new("reviewer", count)
    reviewer = rng.integers(0, count, n)
    friend = np.r_[np.where(book.rings["insider"], rng.integers(0, count, len(book.rings)), NONE), NONE][
        book.app("ring")
    ]
    steered = (friend >= 0) & chance(rng, book.p["decision.insider_steers"], n)
    manual = book.app("manual") | steered & chance(rng, book.p["decision.insider_manual"], n)
    book.applications["manual"] = manual
    book.applications["reviewer"] = np.where(manual, np.where(steered, friend, reviewer), NONE)


def staff_rows(book: Book, names: Names) -> dict[str, Any]:
    rng, released = book.streams("staff rows"), book.app("released")
    approved = book.app("decision") == "approve"
    chosen: list[tuple[str, Flags]] = [
        ("review_approve", book.app("manual") & approved), ("review_decline", book.app("manual") & ~approved),
        ("override", book.app("override")), ("random_release", released),
    ]  # fmt: skip
    app = np.concatenate([np.flatnonzero(rows) for _, rows in chosen])
    action = np.concatenate([np.full(int(rows.sum()), name, dtype=object) for name, rows in chosen])
    kept = book.app("decided_at")[app] < book.clock.end
    app, action = app[kept], action[kept]
    at = book.app("decided_at")[app]
    return {
        "action_id": make.tokens(rng, "ACT", len(app), 11), "application_id": names("application", app),
        "reviewer_id": names("reviewer", book.app("reviewer")[app]), "action": action,
        "reason": np.where(action == "random_release", "control_group", book.app("reason")[app]),
        "event_time": book.clock.texts(at), "known_at": book.clock.texts(at + INSTANT),
    }  # fmt: skip
