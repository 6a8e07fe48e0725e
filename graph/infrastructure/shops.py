"""What belongs to a shop: its tablets and its salespeople's phones, its network, its number, its yard."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from graph.infrastructure.recogniser import Recogniser, figures, in_opening_hours, of_one_dealer, steady
from graph.infrastructure.seen import FEW, SHORTEST_DAYS, Floats, Mask, Seen
from graph.records import DAY, Ints

SESSION = ("Device", "IP", "WiFi")
"""They come together: that a tablet's customers share the shop's network is no second thing in common."""


@dataclass(frozen=True)
class _Shops(Recogniser):
    """One dealer's customers over months, who have nothing else in common."""

    holders: int = 6
    share: float = 0.9
    """Of its users at one dealer (B03)."""
    days: int = 120
    """Four months: longer than a ring's life of 3 to 16 weeks (T08)."""
    fullest_month: float = 0.6
    opening_hours: float = 0.8
    ties: float = 1 / 3
    """A third of the customers may be families; of a ring nearly all have more in common."""
    crowd: float = 24
    """So many strangers are enough, whoever else uses it: fleets and rings go to shops too."""

    def judge(self, seen: Seen, type_: str) -> Ints:
        of = seen.holders(type_)
        mask = (of.count >= self.holders) & in_opening_hours(seen, of, self.opening_hours, besides=1)
        mask &= self._at_home(seen, type_) & self._lasting(seen, type_)
        return self.strangers(seen, type_, mask, self.ties, crowd=self.crowd)

    def _at_home(self, seen: Seen, type_: str) -> Mask:
        return of_one_dealer(seen.holders(type_), self.share)

    def _lasting(self, seen: Seen, type_: str) -> Mask:
        of = seen.holders(type_)
        return (of.days > seen.long(self.days)) & steady(of, self.fullest_month)

    def because(self, seen: Seen, type_: str, entity: int) -> str:
        return f"{figures(seen, type_, entity)}: {self.en}"


@dataclass(frozen=True)
class ShopNetwork(_Shops):
    """B04. A new shop's network has no months yet, but it serves much of the shop."""

    kind: ClassVar[str] = "shop_network"
    en: ClassVar[str] = "the shop's own network"
    zh: ClassVar[str] = "门店网络"
    types: ClassVar[tuple[str, ...]] = ("IP", "WiFi")
    comes_with: ClassVar[tuple[str, ...]] = SESSION

    of_shop: float = 0.3

    def _lasting(self, seen: Seen, type_: str) -> Mask:
        of = seen.holders(type_)
        customers = np.append(seen.customers, 0)[of.top_dealer]
        serves = (of.top >= self.of_shop * customers) & (of.days > SHORTEST_DAYS)
        return (super()._lasting(seen, type_) | serves) & steady(of, self.fullest_month)


@dataclass(frozen=True)
class ShopDevice(_Shops):
    """B03: a tablet on the counter, or the salesperson's phone that all customers fill in their forms on."""

    kind: ClassVar[str] = "shop_device"
    en: ClassVar[str] = "the shop's own device"
    zh: ClassVar[str] = "门店设备"
    types: ClassVar[tuple[str, ...]] = ("Device",)
    comes_with: ClassVar[tuple[str, ...]] = SESSION


@dataclass(frozen=True)
class SalesPhone(_Shops):
    """B03: the phone on which one salesperson fills in all customers' forms, also after a move to another dealer."""

    kind: ClassVar[str] = "sales_phone"
    en: ClassVar[str] = "a salesperson's own device"
    zh: ClassVar[str] = "销售人员设备"
    types: ClassVar[tuple[str, ...]] = ("Device",)
    comes_with: ClassVar[tuple[str, ...]] = SESSION

    def _at_home(self, seen: Seen, type_: str) -> Mask:
        return of_one_dealer(seen.by_salesperson(type_), self.share)

    def because(self, seen: Seen, type_: str, entity: int) -> str:
        of = seen.by_salesperson(type_)
        return f"{figures(seen, type_, entity)}, {of.top[of.row(entity)]} by one salesperson: {self.en}"


@dataclass(frozen=True)
class ShopNumber(_Shops):
    """The shop's or a salesperson's number, given as contact by customers who have nothing else to give."""

    kind: ClassVar[str] = "shop_number"
    en: ClassVar[str] = "the shop's own number"
    zh: ClassVar[str] = "门店电话"
    types: ClassVar[tuple[str, ...]] = ("Phone",)

    fullest_month: float = 0.4
    ties: float = 0.2
    """Stricter than a device: a recruiter's number looks the same but for what his people share."""
    crowd: float = math.inf


@dataclass(frozen=True)
class ShopYard(_Shops):
    """The dealer's own lot, where cars stand before they are handed over."""

    kind: ClassVar[str] = "shop_yard"
    en: ClassVar[str] = "the dealer's own lot"
    zh: ClassVar[str] = "门店停车场"
    types: ClassVar[tuple[str, ...]] = ("Place",)
    opening_hours: float = 0.0
    ties: float = 0.2
    crowd: float = math.inf


@dataclass(frozen=True)
class NewShopDevice(Recogniser):
    """A shop's next tablet, too new to be known by its months.

    Two things speak for it: most of its users sat in the shop's own network, or the shop is known to hand its
    customers devices: others of its devices, held by strangers too, served many of them over months. And nobody
    of its users shares anything else with another.
    """

    kind: ClassVar[str] = "new_shop_device"
    en: ClassVar[str] = "a new device of a shop that works on its own devices"
    zh: ClassVar[str] = "门店新设备"
    types: ClassVar[tuple[str, ...]] = ("Device",)
    comes_with: ClassVar[tuple[str, ...]] = SESSION

    holders: int = FEW
    share: float = 0.9
    in_network: float = 0.5
    opening_hours: float = 0.8
    ties: float = 0.2
    """Of three or four users, nobody; nor did any of them apply at night."""
    others: int = 2
    others_days: int = 120
    others_share: float = 0.15
    """Other devices of the shop: at least so many, over so long, for this share of its customers."""
    days: int = 7
    """On one day everybody of a ring sits in one room."""

    network: ShopNetwork = ShopNetwork()
    known: ShopDevice = ShopDevice()

    def judge(self, seen: Seen, type_: str) -> Ints:
        of = seen.holders(type_)
        mask = (
            (of.count >= self.holders) & of_one_dealer(of, self.share) & in_opening_hours(seen, of, self.opening_hours)
        )
        mine = np.isin(of.entity, self.strangers(seen, type_, mask, self.ties))
        known = np.isin(of.entity, seen.judged(self.known, type_))
        inside = self._inside(seen, type_) > self.in_network
        prior = self._prior(seen, type_, mine | known) & (of.days >= self.days)
        return of.entity[mine & ~known & (inside | prior)]

    def _inside(self, seen: Seen, type_: str) -> Floats:
        """Per device the share of its users who ever sat in a shop's network."""
        sat = np.zeros(len(seen.party), dtype=bool)
        for name in self.network.types:
            if name in seen.own:
                each = seen.own[name]
                sat[seen.party[each.application[np.isin(each.entity, seen.judged(self.network, name))]]] = True
        own, of = seen.own[type_], seen.holders(type_)
        size = int(own.entity.max(initial=0)) + 1
        inside = np.bincount(own.entity, weights=sat[seen.party[own.application]], minlength=size)
        share: Floats = inside[of.entity] / np.maximum(of.count, 1)
        return share

    def _prior(self, seen: Seen, type_: str, shops: Mask) -> Mask:
        """Devices whose dealer has enough others, itself not counted."""
        of = seen.holders(type_)
        size = len(seen.snapshot.nodes["Dealer"])
        dealer = of.top_dealer[shops]
        count = np.bincount(dealer, minlength=size + 1)[of.top_dealer] - shops
        served = np.bincount(dealer, weights=of.top[shops], minlength=size + 1)[of.top_dealer] - of.top * shops
        first, last = np.full(size + 1, np.iinfo(np.int64).max), np.zeros(size + 1, dtype=np.int64)
        np.minimum.at(first, dealer, of.first[shops])
        np.maximum.at(last, dealer, of.last[shops])
        span = (last - first)[of.top_dealer] // DAY
        customers = np.append(seen.customers, 0)[of.top_dealer]
        handed_out: Mask = (
            (count >= self.others)
            & (span > seen.long(self.others_days))
            & (served >= self.others_share * customers)
            & (of.top_dealer >= 0)
        )
        return handed_out

    def because(self, seen: Seen, type_: str, entity: int) -> str:
        of = seen.holders(type_)
        at = of.row(entity)
        inside = round(float(self._inside(seen, type_)[at] * of.count[at]))
        return f"{figures(seen, type_, entity)}, {inside} in the shop's network: {self.en}"
