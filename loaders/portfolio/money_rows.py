"""Money: down payments, disbursements, resale proceeds, instalments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from loaders.portfolio import identifiers as make
from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Floats, Ints, chance, uniform
from loaders.portfolio.clock import DAY, NEVER
from loaders.portfolio.names import Names

MONTH = 30.44
UNPAID_KNOWN_DAYS = 30
"""An unpaid instalment is written as such when it is 30 days late."""


def payment_rows(book: Book, names: Names) -> dict[str, Any]:
    rng = book.streams("payment rows")
    payee = book.dealers["payee"].to_numpy()[book.app("dealer")]
    lender = book.entities.new("account", 1)
    book.entities.belongs("account", lender, "lender", "financial_institution")
    parts = [
        _deposits(book, rng, payee),
        _disbursed(book, payee, int(lender[0])),
        _extras(book, rng, payee),
        resale(book),
        _refunds(book, rng, payee),
    ]
    paid = pd.concat(parts, ignore_index=True)
    paid = paid[(paid["known"] < book.clock.end) & (paid["amount"] > 0)]
    return {
        "payment_id": make.tokens(rng, "PAY", len(paid), 11),
        "application_id": names("application", paid["app"].to_numpy()),
        "from_account_token": names("account", paid["source"].to_numpy()),
        "to_account_token": names("account", paid["target"].to_numpy()), "kind": paid["kind"].to_numpy(),
        "amount": paid["amount"].to_numpy(), "event_time": book.clock.texts(paid["moment"].to_numpy()),
        "known_at": book.clock.texts(paid["known"].to_numpy()),
    }  # fmt: skip


def _paid(kind: str, app: Ints, *, source: Any, target: Any, amount: Floats, moment: Ints, known: Ints) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "kind": kind,
            "app": app,
            "source": source,
            "target": target,
            "amount": amount,
            "moment": moment,
            "known": known,
        }
    )


def _deposits(book: Book, rng: np.random.Generator, payee: Ints) -> pd.DataFrame:
    """Half of the down payments are made before the application, the rest once it is approved."""
    moment, approved = book.app("moment"), book.app("decision") == "approve"
    before = book.by_deal(chance(rng, book.p["payments.before_application"], len(moment)))
    app = np.flatnonzero((before | approved) & (book.app("down") > 0))
    early = before[app]
    at = np.where(
        early,
        moment[app] - rng.integers(600, 2 * DAY, len(app)),
        book.app("decided_at")[app] + rng.integers(600, DAY, len(app)),
    )
    known = np.where(early, moment[app], at + 3600)
    return _paid(
        "down_payment",
        app,
        source=book.app("payer")[app],
        target=payee[app],
        amount=book.app("down")[app],
        moment=np.minimum(at, known),
        known=known,
    )


def _funded(book: Book) -> Ints:
    return np.flatnonzero(book.app("funded_at") < book.clock.end)


def _disbursed(book: Book, payee: Ints, lender: int) -> pd.DataFrame:
    app, at = _funded(book), book.app("funded_at")[_funded(book)]
    return _paid(
        "disbursement", app, source=lender, target=payee[app], amount=book.app("amount")[app], moment=at, known=at + 60
    )


def _extras(book: Book, rng: np.random.Generator, payee: Ints) -> pd.DataFrame:
    app = _funded(book)
    app = app[(book.app("extras")[app] > 0) & chance(rng, book.p["payments.extras_apart"], len(app))]
    at = book.app("funded_at")[app]
    return _paid(
        "extras",
        app,
        source=book.app("payer")[app],
        target=payee[app],
        amount=book.app("extras")[app],
        moment=at - 600,
        known=at,
    )


def _refunds(book: Book, rng: np.random.Generator, payee: Ints) -> pd.DataFrame:
    """Dealers pay back deposits of deals that fell through, and some rebates."""
    app = np.flatnonzero(
        (book.app("decision") != "approve")
        & chance(rng, book.p["payments.refund_share"], len(payee))
        & (book.app("down") > 0)
    )
    at = book.app("decided_at")[app] + rng.integers(DAY, 9 * DAY, len(app))
    return _paid(
        "refund",
        app,
        source=payee[app],
        target=book.app("payer")[app],
        amount=book.app("down")[app],
        moment=at,
        known=at + DAY,
    )


def resale(book: Book) -> pd.DataFrame:
    """Proceeds of cars sold soon after funding go from the transferee to the ring's payer or the customer."""
    app = np.flatnonzero(book.app("transfer_at") < book.clock.end)
    at = book.app("transfer_at")[app]
    lag = book.streams("resale").integers(3, 21, len(app)) * DAY
    price = book.app("market_price")[app] * uniform(
        book.streams("resale price"), book.p["payments.resale_ratio"], len(app)
    )
    return _paid(
        "resale",
        app,
        source=book.app("buyer_account")[app],
        target=book.app("payer")[app],
        amount=np.round(price, -2),
        moment=at,
        known=at + lag,
    )


def repayment_rows(book: Book, names: Names) -> dict[str, Any]:
    """One row per instalment, written when it was paid, or as unpaid when 30 days late."""
    rng, p = book.streams("repayment rows"), book.p["credit_default"]
    funded = _funded(book)
    months = np.minimum(
        (book.clock.end - book.app("funded_at")[funded]) / (MONTH * DAY), book.app("term")[funded]
    ).astype(np.int64)
    app = np.repeat(funded, months)
    number = np.arange(len(app)) - np.repeat(np.cumsum(months) - months, months) + 1
    due = book.app("funded_at")[app] + (number * MONTH * DAY).astype(np.int64)
    due = due // DAY * DAY
    missed = number >= book.app("first_missed")[app]
    late = chance(rng, p["late_share"], len(app))
    days = np.where(late, uniform(rng, p["late_days"], len(app)), 0).astype(np.int64)
    paid = np.where(missed, NEVER, due + 9 * 3600 + days * DAY)
    known = np.where(missed, due + UNPAID_KNOWN_DAYS * DAY, paid) + DAY
    overdue = UNPAID_KNOWN_DAYS + np.round((number - book.app("first_missed")[app]) * MONTH).astype(np.int64)
    kept = known < book.clock.end
    app, number, due, paid, known, missed = (each[kept] for each in (app, number, due, paid, known, missed))
    rate = book.app("instalment")[app]
    return {
        "application_id": names("application", app), "instalment_no": number,
        "due_date": book.clock.dates(due), "paid_at": book.clock.texts(paid), "due_amount": rate,
        "paid_amount": np.where(missed, 0.0, rate),
        "payer_account_token": names("account", np.where(missed, NONE, book.app("repayer")[app])),
        "dpd": np.where(missed, overdue[kept], days[kept]), "known_at": book.clock.texts(known),
    }  # fmt: skip


def plan_instalments(book: Book) -> None:
    """Adds instalment: the annuity of the loan."""
    monthly = book.p["price.annual_rate"] / 12
    factor = monthly / (1 - (1 + monthly) ** -book.app("term").astype(float))
    book.applications["instalment"] = np.round(book.app("amount") * factor, 2)
