"""What many unrelated people share by nature, over many dealers and months: carriers, employers, homes, agents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from graph.infrastructure.recogniser import Recogniser, figures, many_dealers, steady
from graph.infrastructure.seen import SHORTEST_DAYS, Mask, Seen
from graph.records import Ints

WORK = ("Employer", "DocTemplate", "Phone", "IP", "WiFi")
"""An employer's number, letters, seal and network come with it."""

BUSINESS_LINES = ("landline", "400", "service")
MONTHS = 4


@dataclass(frozen=True)
class Spread(Recogniser):
    """Many strangers over many dealers and months. The fields are domain.md §4.8's start values, each relative to
    what the portfolio can show: fewer days where history is short, fewer dealers where there are few."""

    holders: int = 12
    dealers: int = 6
    days: int = 120
    fullest_month: float = 0.5
    ties: float = 1 / 3
    """A third may be families and friends; of a ring nearly all have more in common than one thing."""

    def judge(self, seen: Seen, type_: str) -> Ints:
        of = seen.holders(type_)
        mask = many_dealers(seen, of, self.dealers) & steady(of, self.fullest_month)
        mask &= self._enough(seen, type_)
        return self.strangers(seen, type_, mask, self.ties)

    def _enough(self, seen: Seen, type_: str) -> Mask:
        of = seen.holders(type_)
        return (of.count >= self.holders) & (of.days > seen.long(self.days))

    def because(self, seen: Seen, type_: str, entity: int) -> str:
        at = seen.holders(type_).row(entity)
        where = f" ({seen.holders(type_).dealers[at]} dealers in all)"
        said = figures(seen, type_, entity)
        return f"{said}{where if 'at one dealer' in said else ''}: {self.en}"

    def _which(self, seen: Seen, type_: str, name: str, *values: object) -> Mask:
        """Whose property is one of these."""
        return np.isin(seen.stated(type_, name, seen.holders(type_).entity).astype(str), [str(each) for each in values])


@dataclass(frozen=True)
class CarrierNat(Spread):
    """B04. An address that the vendor calls a carrier's needs few users, for the vendor's word is the reason."""

    kind: ClassVar[str] = "carrier_nat"
    en: ClassVar[str] = "a carrier's or a public network's address"
    zh: ClassVar[str] = "运营商出口或公共网络"
    types: ClassVar[tuple[str, ...]] = ("IP", "WiFi")
    comes_with: ClassVar[tuple[str, ...]] = ("Device", "IP", "WiFi")

    days: int = 60
    stated: tuple[str, ...] = ("mobile_nat", "nat", "cgnat", "carrier", "mobile")

    def _enough(self, seen: Seen, type_: str) -> Mask:
        enough = super()._enough(seen, type_)
        if type_ != "IP":
            return enough
        of = seen.holders(type_)
        return enough | (self._which(seen, type_, "ip_type", *self.stated) & (of.days > SHORTEST_DAYS))


@dataclass(frozen=True)
class Switchboard(Spread):
    """B02: the number of a company's reception, given as work phone. A mobile number never is one (R10)."""

    kind: ClassVar[str] = "switchboard"
    en: ClassVar[str] = "a company's switchboard"
    zh: ClassVar[str] = "单位总机"
    types: ClassVar[tuple[str, ...]] = ("Phone",)
    comes_with: ClassVar[tuple[str, ...]] = ("Employer", "DocTemplate", "IP", "WiFi")

    holders: int = 6

    def _enough(self, seen: Seen, type_: str) -> Mask:
        mobile = self._which(seen, type_, "type", "mobile", "iot")
        return super()._enough(seen, type_) & (seen.through(type_, "WORK_PHONE") >= 0.5) & ~mobile


@dataclass(frozen=True)
class LargeEmployer(Spread):
    """An employer of many, not a shell: registered more than a year ago, with as many insured as applied (T16)."""

    kind: ClassVar[str] = "large_employer"
    en: ClassVar[str] = "a large employer"
    zh: ClassVar[str] = "大型单位"
    types: ClassVar[tuple[str, ...]] = ("Employer",)
    comes_with: ClassVar[tuple[str, ...]] = (*WORK, "Address")

    age_days: int = 365
    few_of_many: float = 0.1
    """Six applicants are enough where they are at most this share of those it insures."""

    def _enough(self, seen: Seen, type_: str) -> Mask:
        of = seen.holders(type_)
        registered = pd.to_datetime(pd.Series(seen.stated(type_, "reg_date", of.entity)), errors="coerce", utc=True)
        age = np.datetime64(seen.as_of, "ms") - registered.dt.tz_localize(None).to_numpy().astype("datetime64[ms]")
        young = age < np.timedelta64(self.age_days, "D")
        headcount = seen.stated(type_, "insured_headcount", of.entity)
        staff = pd.to_numeric(pd.Series(headcount), errors="coerce").to_numpy()
        small = (of.count * 2 >= self.holders) & (of.days > seen.long(self.days))
        enough = super()._enough(seen, type_) | (small & (of.count <= self.few_of_many * staff))
        return np.asarray(enough & ~young & ~(staff < of.count), dtype=bool)


@dataclass(frozen=True)
class Community(Spread):
    """B06. A building or an urban village; a flat of more than a family needs the same months."""

    kind: ClassVar[str] = "community"
    en: ClassVar[str] = "a residential community"
    zh: ClassVar[str] = "居民小区或城中村"
    types: ClassVar[tuple[str, ...]] = ("Address",)

    def _enough(self, seen: Seen, type_: str) -> Mask:
        of = seen.holders(type_)
        named = self._which(seen, type_, "kind", "urban_village") | self._which(
            seen, type_, "level", "building", "village"
        )
        return super()._enough(seen, type_) | (
            named & (of.count * 2 >= self.holders) & (of.days > seen.long(self.days))
        )


@dataclass(frozen=True)
class Dormitory(Community):
    """Of one employer often, so that its holders may share what an employer gives all its people."""

    kind: ClassVar[str] = "dormitory"
    en: ClassVar[str] = "a dormitory"
    zh: ClassVar[str] = "宿舍"
    comes_with: ClassVar[tuple[str, ...]] = WORK

    holders: int = 6

    def _enough(self, seen: Seen, type_: str) -> Mask:
        return Spread._enough(self, seen, type_) & self._which(seen, type_, "kind", "dormitory")


@dataclass(frozen=True)
class BusinessNumber(Spread):
    """B13: a driving school, an insurance agent, a service line: by what the register says the number is."""

    kind: ClassVar[str] = "business_number"
    en: ClassVar[str] = "the number of a business"
    zh: ClassVar[str] = "商户号码"
    types: ClassVar[tuple[str, ...]] = ("Phone",)

    holders: int = 6
    days: int = 60

    def _enough(self, seen: Seen, type_: str) -> Mask:
        stated = self._which(seen, type_, "business_number_flag", True) | self._which(
            seen, type_, "type", *BUSINESS_LINES
        )
        return super()._enough(seen, type_) & stated & (seen.through(type_, "CONTACT_OF") >= 0.5)


@dataclass(frozen=True)
class MarketBroker(Spread):
    """A number that everybody in the market gives. Nothing but its evenness and its strangers tell it from a
    recruiter's, so both are asked for more. People and voices are never judged: a buyer of many cars is the lead."""

    kind: ClassVar[str] = "market_broker"
    en: ClassVar[str] = "a broker known all over the market"
    zh: ClassVar[str] = "市场中介"
    types: ClassVar[tuple[str, ...]] = ("Phone",)

    fullest_month: float = 0.4
    ties: float = 0.1

    def _enough(self, seen: Seen, type_: str) -> Mask:
        of = seen.holders(type_)
        return super()._enough(seen, type_) & (of.months >= MONTHS) & (seen.through(type_, "WORK_PHONE") < 0.5)


@dataclass(frozen=True)
class PaymentAgent(Spread):
    """A bank's or a payment company's collecting account. The hub of a mega ring looks alike (one payer for a
    hundred), so nearly nobody may share more, no month may stand out, and resale money never flows to it."""

    kind: ClassVar[str] = "payment_agent"
    en: ClassVar[str] = "a collecting account of a bank or payment company"
    zh: ClassVar[str] = "代收代付账户"
    types: ClassVar[tuple[str, ...]] = ("Account",)

    holders: int = 25
    dealers: int = 10
    fullest_month: float = 0.35
    ties: float = 0.1
    only_pays: float = 0.95

    def _enough(self, seen: Seen, type_: str) -> Mask:
        pays = seen.through(type_, "PAID_DOWNPAYMENT", "REPAID_BY") > self.only_pays
        return super()._enough(seen, type_) & pays & (seen.holders(type_).months >= MONTHS)


@dataclass(frozen=True)
class PublicTemplate(Spread):
    """A payroll program's or a bank's form."""

    kind: ClassVar[str] = "public_template"
    en: ClassVar[str] = "a public form or a program's layout"
    zh: ClassVar[str] = "公用材料模板"
    types: ClassVar[tuple[str, ...]] = ("DocTemplate",)
    comes_with: ClassVar[tuple[str, ...]] = WORK

    holders: int = 20
    dealers: int = 8


@dataclass(frozen=True)
class PublicPlace(Spread):
    """A car park, a charging depot. A yard of second pledges looks alike (T13), hence the many and the months."""

    kind: ClassVar[str] = "public_place"
    en: ClassVar[str] = "a public place"
    zh: ClassVar[str] = "公共场所"
    types: ClassVar[tuple[str, ...]] = ("Place",)

    holders: int = 20
    fullest_month: float = 0.4
    ties: float = 0.1

    def _enough(self, seen: Seen, type_: str) -> Mask:
        return super()._enough(seen, type_) & (seen.holders(type_).months >= MONTHS)
