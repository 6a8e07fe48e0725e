"""Signs: what makes one application odd by itself, as the rule catalogue counts it (domain.md §2.2, §2.4).

A sign proves nothing; many honest people have one. Among people who already share
something, several signs tell a ring from a family, and they tell which other
customers of the same dealer in the same weeks may belong to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from graph.records import DAY, Ints
from graph.snapshot import Nodes, Snapshot

Flags = npt.NDArray[np.bool_]
Degrees = npt.NDArray[np.float64]

COMMON = 0.3
"""A sign that more of the window shows says nothing here; perhaps the lender does not record what it needs."""

PROVINCE, CITY = 10_000, 100
UNDER_LIMIT = 0.05
OVER_MARKET = 1.15
NEW_NUMBER_MONTHS = 3
SOON_DAYS = 30
NO_DOWN_PAYMENT = 0.01
MONTH_DAYS = 30
RISK_POINTS = 60
"""A certainty, a model's or people's, counts like the weak rules that together ask for a person (domain.md §2.4)."""


@dataclass(frozen=True)
class Sign:
    """`points` as the rule in brackets gives them; `words` complete "n of m …"."""

    name: str
    points: int
    words: str
    rule: str


SIGNS = (
    Sign("far", 15, "live in another province than the dealer", "T01"),
    Sign("plate", 15, "have the car plated away from home, birthplace and dealer", "R20"),
    Sign("thin_file", 10, "have next to no credit history", "T01"),
    Sign("no_licence", 15, "hold no driving licence", "T01"),
    Sign("new_number", 10, "use a number younger than three months or not the reserved one", "R15"),
    Sign("over_market", 25, "pay over 115 % of the market price", "R18"),
    Sign("under_limit", 15, "ask for just less than what is approved automatically", "R17"),
    Sign("no_down_payment", 10, "pay nothing down", "T04"),
    Sign("resold", 40, "passed the car on within 30 days", "R21"),
)


@dataclass(frozen=True)
class Signs:
    """`shown[i, k]`: application i shows sign k; `points[i]` is their sum, with what else is thought of it.

    `risk[i]` is what a model thinks, `known[i]` what people found out (0 to 1); None: nobody was asked.
    """

    shown: Flags
    points: Ints
    risk: Degrees | None = None
    known: Degrees | None = None

    def with_risk(self, risk: Degrees | None) -> Signs:
        """With a model's opinion."""
        if risk is None:
            return self
        return replace(self, points=self.points + _points(risk), risk=risk)

    def as_known(self, known: Degrees | None) -> Signs:
        """With what people found out; of the two opinions of an application the worse one counts."""
        if known is None:
            return self
        model = np.zeros(len(known)) if self.risk is None else self.risk
        more = _points(np.maximum(model, known)) - _points(model)
        return replace(self, points=self.points + more, known=known)

    def of_rows(self, applications: Ints) -> Signs:
        """Of these applications only, in this order."""
        parts = (None if each is None else each[applications] for each in (self.risk, self.known))
        return Signs(self.shown[applications], self.points[applications], *parts)

    def of(self, applications: Ints) -> list[tuple[Sign, int]]:
        """The signs some of them show, the weightiest first, and how many show each."""
        count = self.shown[applications].sum(axis=0).tolist()
        seen = [(sign, number) for sign, number in zip(SIGNS, count, strict=True) if number]
        return sorted(seen, key=lambda one: -one[0].points * one[1])


def _points(degree: Degrees) -> Ints:
    return np.asarray(np.rint(RISK_POINTS * degree), dtype=np.int64)


def signs(snapshot: Snapshot, *, as_of: int, window: Ints, dealer: Ints) -> Signs:
    """Of the applications in `window` as known at `as_of`; all others show none. `dealer` is per application."""
    about = _About(snapshot, as_of, window, dealer)
    shown = np.zeros((len(dealer), len(SIGNS)), dtype=bool)
    for number, sign in enumerate(SIGNS):
        flags = _TESTS[sign.name](about)
        if flags.mean() <= COMMON if len(flags) else False:
            shown[window, number] = flags
    return Signs(shown, (shown @ np.array([sign.points for sign in SIGNS])).astype(np.int64))


class _About:
    """Applications of the window with their person, vehicle and dealer; -1 where there is none."""

    def __init__(self, snapshot: Snapshot, as_of: int, window: Ints, dealer: Ints) -> None:
        self.snapshot, self.as_of, self.window = snapshot, as_of, window
        self.person = self._end("APPLIED", "target", "source")
        self.vehicle = self._end("FINANCES", "source", "target")
        self.dealer = dealer[window]
        self.submitted = snapshot.nodes["Application"].times("submitted_at", as_of=as_of)[window]
        self.home = self.region("Person", "live_region", self.person)
        self.shop = self.region("Dealer", "region", self.dealer)

    def _end(self, relation: str, own: str, other: str) -> Ints:
        """The last known far end."""
        rows = self.snapshot.columns(relation, as_of=self.as_of)
        order = np.argsort(rows["known_at"], kind="stable")
        end = np.full(len(self.snapshot.nodes["Application"]), -1, dtype=np.int64)
        end[rows[own][order]] = rows[other][order]
        return np.asarray(end[self.window])

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        return self.snapshot.nodes["Application"].numbers(name)[self.window]

    def of(self, type_: str, name: str, at: Ints) -> npt.NDArray[Any]:
        """A property of the node each application leads to; NaN where nothing is known."""
        return np.asarray(np.append(_numbers(self.snapshot.nodes[type_], name), np.nan)[at])

    def region(self, type_: str, name: str, at: Ints) -> Ints:
        """Six-digit code, 0 where it is not known."""
        return np.asarray(np.nan_to_num(self.of(type_, name, at)), dtype=np.int64)

    def latest(self, relation: str, at: Ints) -> Ints:
        """Per vehicle of the window when the relation last happened, as known by then; 0 for never."""
        rows = self.snapshot.columns(relation, as_of=self.as_of)
        last = np.zeros(len(self.snapshot.nodes["Vehicle"]) + 1, dtype=np.int64)
        np.maximum.at(last, rows["source"], rows["event_time"])
        return np.asarray(last[at])


def _numbers(nodes: Nodes, name: str) -> npt.NDArray[np.float64]:
    column = nodes.table[name]
    if pa.types.is_string(column.type):
        digits = compute.if_else(compute.match_substring_regex(column, r"^\d{1,9}$"), column, None)
        column = digits.cast(pa.int64())
    floats = column.cast(pa.float64()).fill_null(float("nan")).combine_chunks()
    return np.asarray(floats.to_numpy(zero_copy_only=False))


def _far(about: _About) -> Flags:
    return _differ(about.home, about.shop, PROVINCE)


def _differ(one: Ints, other: Ints, part: int) -> Flags:
    """Both known, and not the same province or city."""
    flags: Flags = (one > 0) & (other > 0) & (one // part != other // part)
    return flags


def _plate(about: _About) -> Flags:
    rows = about.snapshot.columns("PLATED_IN", as_of=about.as_of)
    region = np.append(_numbers(about.snapshot.nodes["Region"], "key"), np.nan)
    plated = np.full(len(about.snapshot.nodes["Vehicle"]) + 1, -1, dtype=np.int64)
    plated[rows["source"]] = rows["target"]
    where = np.nan_to_num(region[plated[about.vehicle]]).astype(np.int64)
    birthplace = about.region("Person", "hukou_region", about.person)
    elsewhere = _differ(where, about.home, CITY) & _differ(where, about.shop, CITY)
    return np.asarray(elsewhere & ~((birthplace > 0) & (where // CITY == birthplace // CITY)))


def _thin_file(about: _About) -> Flags:
    return np.asarray(about.of("Person", "thin_file_flag", about.person) == 1)


def _no_licence(about: _About) -> Flags:
    licences = about.snapshot.nodes["Person"].table["driver_licence_class"]
    none = np.append(compute.is_null(licences).combine_chunks().to_numpy(zero_copy_only=False), False)
    return np.asarray(none[about.person])


def _new_number(about: _About) -> Flags:
    rows = about.snapshot.columns("HAS_PHONE", as_of=about.as_of)
    number = np.full(len(about.snapshot.nodes["Person"]) + 1, -1, dtype=np.int64)
    number[rows["source"]] = rows["target"]
    tenure = about.of("Phone", "tenure_months", number[about.person])
    reserved = about.of("Person", "reserved_phone_match", about.person)
    return np.asarray((tenure < NEW_NUMBER_MONTHS) | (reserved == 0))


def _over_market(about: _About) -> Flags:
    return np.asarray(about.numbers("invoice_price") > OVER_MARKET * about.of("Vehicle", "market_price", about.vehicle))


def _under_limit(about: _About) -> Flags:
    """The limit is the largest amount approved automatically in the same thirty days."""
    amount = np.nan_to_num(about.numbers("amount"))
    automatic = np.nan_to_num(about.numbers("auto_limit_flag")) == 1
    month = (about.submitted - about.submitted.min(initial=0)) // (MONTH_DAYS * DAY)
    limit = np.zeros(int(month.max(initial=0)) + 1)
    np.maximum.at(limit, month[automatic], amount[automatic])
    return np.asarray(automatic & (amount > (1 - UNDER_LIMIT) * limit[month]))


def _no_down_payment(about: _About) -> Flags:
    return np.asarray(about.numbers("down_payment") <= NO_DOWN_PAYMENT * about.numbers("invoice_price"))


def _resold(about: _About) -> Flags:
    """After the application: who buys a used car buys it from somebody, too."""
    funded = about.snapshot.nodes["Application"].times("funded_at", as_of=about.as_of)[about.window]
    since = np.where(funded > 0, funded, about.submitted)
    sold = about.latest("TRANSFERRED_TO", about.vehicle)
    return np.asarray((sold > about.submitted) & (sold <= since + SOON_DAYS * DAY))


_TESTS: dict[str, Callable[[_About], Flags]] = {
    "far": _far,
    "plate": _plate,
    "thin_file": _thin_file,
    "no_licence": _no_licence,
    "new_number": _new_number,
    "over_market": _over_market,
    "under_limit": _under_limit,
    "no_down_payment": _no_down_payment,
    "resold": _resold,
}
