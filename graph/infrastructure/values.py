"""Values that are nobody's: placeholders, the dealer's own address and account, numbers that changed hands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from graph.infrastructure.many import PaymentAgent, Spread
from graph.infrastructure.recogniser import Recogniser, figures, steady
from graph.infrastructure.seen import SHORTEST_DAYS, Mask, Seen
from graph.ontology import NODES
from graph.records import Ints

FILLERS = frozenset({
    "", "0", "none", "null", "nan", "nil", "na", "n/a", "unknown", "test", "default", "other", "无", "未知", "不详",
    "测试", "其他", "个体", "自由职业", "待业", "默认",
})  # fmt: skip


@dataclass(frozen=True)
class DefaultValue(Spread):
    """B16: what a form or a program fills in. Held by more people than can hold such a thing, all over the portfolio
    as the portfolio itself is; or, where the key is clear, a text that says nothing."""

    kind: ClassVar[str] = "default_value"
    en: ClassVar[str] = "a default value"
    zh: ClassVar[str] = "默认值"
    types: ClassVar[tuple[str, ...]] = ("Account", "Address", "Device", "DocTemplate", "Employer", "Phone", "Vehicle")
    """No person and no voice: a buyer of many cars and a caller for many people are the lead itself."""

    holders: int = 30
    days: int = 60
    of_all: float = 0.01
    """More than one person in a hundred: no private thing is."""
    like_all: float = 0.6
    """Its dealers against those of so many strangers from anywhere."""

    def _enough(self, seen: Seen, type_: str) -> Mask:
        of = seen.holders(type_)
        personal = of.count > self.of_all * seen.people
        anywhere = of.dealers >= self.like_all * seen.expected_dealers(of.count)
        enough = super()._enough(seen, type_) & personal & anywhere & (type_ != "DocTemplate")
        if type_ == "Account":  # resale money flows to a person, not to a form's filler
            enough &= seen.through(type_, "PAID_DOWNPAYMENT", "REPAID_BY") > PaymentAgent.only_pays
        return enough

    def judge(self, seen: Seen, type_: str) -> Ints:
        return np.union1d(super().judge(seen, type_), self._empty(seen, type_))

    def _empty(self, seen: Seen, type_: str) -> Ints:
        """Clear keys, and names, that say nothing: fillers, or one character over and over."""
        node, of = NODES[type_], seen.holders(type_)
        if node.identifier is not None:
            return of.entity[:0]
        empty = _says_nothing(seen.stated(type_, "key", of.entity))
        if any(each.name == "name" for each in node.properties):
            names = seen.stated(type_, "name", of.entity)
            empty |= _says_nothing(names) & (names != None)  # noqa: E711 - elementwise
        return of.entity[empty]

    def because(self, seen: Seen, type_: str, entity: int) -> str:
        share = seen.holders(type_).count[seen.holders(type_).row(entity)] / max(seen.people, 1)
        return f"{figures(seen, type_, entity)}, {share:.1%} of all: {self.en}"


def _says_nothing(texts: np.ndarray[tuple[int], np.dtype[np.object_]]) -> Mask:
    last = (
        pd.Series(texts, dtype=object)
        .fillna("-")
        .astype(str)
        .str.replace(r"^.*:", "", regex=True)
        .str.strip()
        .str.casefold()
    )
    one = last.str.fullmatch(r"(.)\1{3,}")
    return np.asarray(last.isin(FILLERS) | one, dtype=bool)


@dataclass(frozen=True)
class DealerAddress(Recogniser):
    """B16: the shop's own address in place of the customer's."""

    kind: ClassVar[str] = "dealer_address"
    en: ClassVar[str] = "a dealer's address in place of the customer's"
    zh: ClassVar[str] = "经销商地址"
    types: ClassVar[tuple[str, ...]] = ("Address",)

    fullest_month: float = 0.6
    ties: float = 1 / 3

    def judge(self, seen: Seen, type_: str) -> Ints:
        of = seen.holders(type_)
        dealers = seen.stated(type_, "kind", of.entity) == "dealer"
        return self.strangers(
            seen, type_, dealers & (of.days > SHORTEST_DAYS) & steady(of, self.fullest_month), self.ties
        )

    def because(self, seen: Seen, type_: str, entity: int) -> str:
        return f"{figures(seen, type_, entity)}: {self.en}"


@dataclass(frozen=True)
class DealerDesk(Recogniser):
    """The account a dealer is paid through, from which it also pays for its own customers (R07's exemption)."""

    kind: ClassVar[str] = "dealer_desk"
    en: ClassVar[str] = "the desk of the dealers who name it as their account"
    zh: ClassVar[str] = "经销商收付账户"
    types: ClassVar[tuple[str, ...]] = ("Account",)

    holders: int = 6
    share: float = 0.9
    days: int = 60
    fullest_month: float = 0.6
    ties: float = 1 / 3

    def judge(self, seen: Seen, type_: str) -> Ints:
        of = seen.holders(type_)
        mask = (of.count >= self.holders) & (self._own(seen, type_) >= self.share * of.count)
        return self.strangers(
            seen, type_, mask & (of.days > seen.long(self.days)) & steady(of, self.fullest_month), self.ties
        )

    def _own(self, seen: Seen, type_: str) -> Ints:
        """Per account, its holders who bought at a dealer that names it."""
        payee = seen.snapshot.columns("PAYEE_ACCOUNT", as_of=seen.as_of)
        named = np.unique(payee["source"] * len(seen.snapshot.nodes[type_]) + payee["target"])
        own = seen.own[type_]
        dealer = seen.dealer[own.application]
        at_its = (dealer >= 0) & np.isin(dealer * len(seen.snapshot.nodes[type_]) + own.entity, named)
        size = int(own.entity.max(initial=0)) + 1
        return np.bincount(own.entity[at_its], minlength=size)[seen.holders(type_).entity]

    def because(self, seen: Seen, type_: str, entity: int) -> str:
        own = self._own(seen, type_)[seen.holders(type_).row(entity)]
        return f"{figures(seen, type_, entity)}, {own} at dealers who are paid through it: {self.en}"
