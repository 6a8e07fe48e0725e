"""Car prices and loan terms: what was asked for, and how close under the auto-approval limit."""

from __future__ import annotations

import numpy as np

from loaders.portfolio.book import Book
from loaders.portfolio.chance import Floats, by_class, chance, pick, uniform


def price_deals(book: Book) -> None:
    """Adds list_price, market_price, price, extras, down, amount, term, ltv, auto_limit."""
    rng, p, apps = book.streams("prices"), book.p["price"], book.applications
    n, fraud = len(apps), book.app("fraud")
    listed = book.models["list_price"].to_numpy()[book.app("model")].astype(float)
    used = (book.app("product") == "used") | (book.app("product") == "leaseback")
    market = listed * np.where(used, uniform(rng, p["used_discount"], n), rng.uniform(0.93, 1.0, n))
    inflated = chance(rng, np.where(fraud, book.behaves("inflate"), p["benign_inflated_share"]), n)
    price = market * rng.lognormal(0, p["spread"], n) * np.where(inflated, uniform(rng, p["inflation"], n), 1.0)
    extras = price * chance(rng, p["extras_share"], n) * uniform(rng, p["extras_ratio"], n)
    ratio = uniform(rng, p["down_ratio"], n)
    ratio[chance(rng, by_class(fraud, p["zero_down_share"]), n)] = 0.0
    columns = {"list_price": listed, "market_price": market, "price": price, "extras": extras}
    rounded = {name: np.round(book.by_deal(values), -2) for name, values in columns.items()}
    limit = np.where(book.drifted(), p["auto_limit_after_drift"], p["auto_limit"]).astype(float)
    amount = _amounts(book, rng, rounded, book.by_deal(ratio), limit)
    apps["term"] = book.by_deal(pick(rng, p["term"], n).astype(int))
    apps["used"] = book.by_deal(used)
    apps["amount"], apps["down"] = amount, np.maximum(rounded["price"] + rounded["extras"] - amount, 0.0)
    apps["ltv"] = np.minimum(amount / rounded["market_price"], 1.2)
    apps["auto_limit"] = amount <= limit
    for name, values in rounded.items():
        apps[name] = values


def _amounts(book: Book, rng: np.random.Generator, prices: dict[str, Floats], ratio: Floats, limit: Floats) -> Floats:
    """Financed price and extras less the down payment; who knows the limit stays just below it."""
    p, n = book.p["price"], len(ratio)
    total = prices["price"] + prices["extras"]
    amount = total - np.round(prices["price"] * ratio, -2)
    aware = np.where(book.app("ring") >= 0, book.p["evasion.under_limit"], p["benign_under_limit"])
    near = book.by_deal(chance(rng, aware, n)) & (total > limit) & (total < 2.2 * limit)
    below = np.round(limit * (1 - p["under_limit_band"] * rng.random(n)), -2)
    return np.where(near, book.by_deal(below), amount)
