"""The flow of applications: who applies when and where, honest and not, and who comes back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.portfolio.book import Book
from loaders.portfolio.chance import NONE, Ints, chance, pick, pick_at, some, uniform, whole
from loaders.portfolio.clock import DAY
from loaders.portfolio.rings import draw_rings, individuals


def draw_flow(book: Book) -> None:
    """Fills `book.applications`: kind, ring, group, moment, dealer, typology, role, person, deal, fraud."""
    again = book.p["resubmission_share"]
    fraud = book.fraud - round(book.fraud * again)
    honest = book.size - book.fraud
    members = draw_rings(book)
    singles = individuals(book, max(fraud - len(members), 0))
    guilty = pd.concat([members, singles], ignore_index=True)
    groups = [_fleets(book), _group_buys(book), _clans(book)]
    plain = _plain(book, honest - round(honest * again) - sum(map(len, groups)))
    first = pd.concat([guilty, *groups, plain], ignore_index=True)
    first["fraud"] = first["kind"].isin(["ring", "individual"])
    first["deal"] = np.arange(len(first))
    first["person"] = _people(book, first)
    wanted = {True: book.fraud - len(guilty), False: book.size - book.fraud - (len(first) - len(guilty))}
    book.applications = pd.concat([first, _resubmitted(book, first, wanted)], ignore_index=True)


def _frame(kind: str, group: Ints, moment: Ints, dealer: Ints) -> pd.DataFrame:
    return pd.DataFrame({
        "kind": kind, "ring": NONE, "group": group, "moment": moment, "order": 0, "role": "",
        "dealer": dealer, "typology": "",
    })  # fmt: skip


def _plain(book: Book, n: int) -> pd.DataFrame:
    rng = book.streams("plain flow")
    dealer = pick_at(rng, book.dealers["volume"].to_numpy(), n)
    moment = book.clock.moments(rng, n)
    return _frame("plain", np.full(n, NONE), moment, _campaign(book, rng, dealer, moment))


def _campaign(book: Book, rng: np.random.Generator, dealer: Ints, moment: Ints) -> Ints:
    """Benign drift: late on, an OEM campaign draws more buyers in two provinces."""
    provinces = book.cities["province"].to_numpy()[book.dealers["city"].to_numpy()]
    chosen = some(rng, np.unique(provinces), book.p["drift.campaign_provinces"])
    inside = np.isin(provinces, chosen)
    moved = (moment >= book.clock.drift) & chance(rng, book.p["drift.campaign_volume"] * inside.mean(), len(dealer))
    weights = book.dealers["volume"].to_numpy() * inside
    dealer[moved] = pick_at(rng, weights, int(moved.sum()))
    return dealer


def _groups(book: Book, rng: np.random.Generator, quota: str, size: tuple[int, int]) -> Ints:
    """One row per member: the number of its group. Small portfolios get few and small groups."""
    count = book.p.per(quota, book.size)
    sizes = np.minimum(whole(rng, size, count), max(size[0], book.size // 100))
    return np.repeat(np.arange(count), sizes)


def _fleets(book: Book) -> pd.DataFrame:
    """B05: a company's drivers buy the same model at one dealer within weeks."""
    rng, p = book.streams("fleets"), book.p["fleets"]
    fleet = _groups(book, rng, "fleets.per_60k", p["size"])
    return _bursts(book, rng, "fleet", fleet, p["burst_days"])


def _clans(book: Book) -> pd.DataFrame:
    """B12: a village buys through one relative."""
    rng, p = book.streams("clans"), book.p["clans"]
    return _bursts(book, rng, "clan", _groups(book, rng, "clans.per_60k", p["size"]), p["span_days"])


def _bursts(book: Book, rng: np.random.Generator, kind: str, group: Ints, days: int) -> pd.DataFrame:
    count = int(group.max()) + 1
    span = min(days, book.clock.days // 2)
    begins = rng.integers(0, book.clock.days - span, count)
    moment = (begins[group] + rng.integers(0, span, len(group))) * DAY + book.clock.hours(rng, len(group))
    return _frame(kind, group, moment, pick_at(rng, book.dealers["volume"].to_numpy(), count)[group])


def _group_buys(book: Book) -> pd.DataFrame:
    """B11: one dealer, one weekend, staff of one employer."""
    rng = book.streams("group buys")
    group = _groups(book, rng, "group_buys.per_60k", book.p["group_buys.size"])
    dates = book.clock.start + np.arange(book.clock.days)
    saturdays = np.flatnonzero(np.is_busday(dates, weekmask="Sat"))[:-1]
    day = rng.choice(saturdays, int(group.max()) + 1)[group] + rng.integers(0, 2, len(group))
    frame = _bursts(book, rng, "group_buy", group, 1)
    return frame.assign(moment=day * DAY + book.clock.hours(rng, len(group)))


def _people(book: Book, first: pd.DataFrame) -> Ints:
    """A person per deal, but some ordinary customers buy a second car."""
    rng = book.streams("repeat customers")
    person = np.arange(len(first))
    plain = np.flatnonzero(first["kind"] == "plain")
    couples = some(rng, plain, 2 * round(len(plain) * book.p["repeat_customer_share"] / 2))
    half = len(couples) // 2
    person[couples[:half]] = couples[half:]
    return np.unique(person, return_inverse=True)[1].astype(np.int64)


def _resubmitted(book: Book, first: pd.DataFrame, wanted: dict[bool, int]) -> pd.DataFrame:
    """The same deal sent again within a week, sometimes by another dealer of the city (B10)."""
    rng = book.streams("resubmission")
    rows = np.concatenate([some(rng, np.flatnonzero(first["fraud"] == fraud), n) for fraud, n in wanted.items()])
    days = uniform(rng, book.p["resubmission_days"], len(rows))
    again = first.iloc[rows].copy()
    before = again["moment"].to_numpy()
    again["moment"] = np.minimum(
        before + (days * DAY).astype(np.int64), book.clock.end - rng.integers(60, 3600, len(rows))
    )
    city = book.dealers["city"].to_numpy()
    elsewhere = chance(rng, book.p["resubmission_other_dealer"], len(rows))
    others = pick_at(rng, book.dealers["volume"].to_numpy(), len(rows))
    near = elsewhere & (city[others] == city[again["dealer"].to_numpy()])
    again.loc[near, "dealer"] = others[near]
    return again


def channels(book: Book) -> None:
    """Adds `channel` and `product`; late on, mini-programs take over part of the traffic."""
    rng, n = book.streams("channel"), len(book.applications)
    channel = pick(rng, book.p["channel"], n)
    channel[book.drifted() & chance(rng, book.p["drift.mini_program_share"], n)] = "mini_program"
    product = pick(rng, book.p["product"], n)
    kind = book.app("kind")
    product[kind == "fleet"] = "commercial"
    product[(book.app("typology") == "T10")] = "used"
    product[(book.app("typology") == "T26")] = "no_mortgage"
    deal = book.app("deal")
    book.applications["channel"], book.applications["product"] = channel, product[deal]
