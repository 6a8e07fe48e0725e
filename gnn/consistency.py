"""Does the deal hold together: what of an application fits, what does not, and what nobody said.

Each check is a question to the features as of its submission. They are shown to whoever looks at it, and decide
nothing: rules and models read the same features in their own way. Where somebody was born or his papers were issued
is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

NEAR_MARKET = (0.85, 1.15)
"""Of the market price: beyond is odd, as for rule R18."""

OPEN_SHARE = 0.02
"""Of the price that loan and down payment may leave open."""

MOST_EXTRAS = 0.15
MOST_OF_INCOME = 0.5
"""An instalment's share of a month's income."""

Fits = Callable[[float], bool]


class Words(NamedTuple):
    en: str
    zh: str


@dataclass(frozen=True)
class Check:
    """`fits` of the feature's value. `says` when it does, `odd` when it does not, with the value for {} as `shown`."""

    feature: str
    fits: Fits
    says: Words
    odd: Words
    shown: str = ""


class Told(NamedTuple):
    """`fits` None: not stated."""

    feature: str
    fits: bool | None
    words: Words


def _yes(value: float) -> bool:
    return value > 0


def _no(value: float) -> bool:
    return value == 0


CHECKS: Sequence[Check] = (
    Check(
        "price_over_market", lambda value: NEAR_MARKET[0] <= value <= NEAR_MARKET[1],
        Words("the price is near the market's", "车价接近市场价"),
        Words("the price is {} times the market's", "车价为市场价的 {} 倍"), ".2f",
    ),
    Check(
        "unexplained_ratio", lambda value: abs(value) <= OPEN_SHARE,
        Words("loan and down payment make up the price", "贷款与首付合计等于车价"),
        Words("loan and down payment leave {} of the price open", "贷款与首付和车价相差 {}"), ".1%",
    ),
    Check(
        "extras_ratio", lambda value: value <= MOST_EXTRAS,
        Words("few extras are financed", "附加品融资占比不高"),
        Words("extras are {} of the price", "附加品占车价 {}"), ".0%",
    ),
    Check(
        "payer_is_owner", _yes,
        Words("the down payment came from an account of the applicant's own", "首付由申请人本人账户支付"),
        Words("somebody else paid the down payment", "首付由他人账户支付"),
    ),
    Check(
        "instalment_to_income", lambda value: value <= MOST_OF_INCOME,
        Words("the instalment fits the income", "月供与收入相称"),
        Words("the instalment is {} of the income", "月供占收入 {}"), ".0%",
    ),
    Check(
        "licence_held", _yes,
        Words("the applicant may drive", "申请人持有驾驶证"),
        Words("the applicant has no driving licence", "申请人没有驾驶证"),
    ),
    Check(
        "has_income", _yes,
        Words("proof of income was handed in", "已提交收入证明"),
        Words("no proof of income was handed in", "未提交收入证明"),
    ),
    Check(
        "reserved_phone_match", _yes,
        Words("the phone number is the one reserved at the bank", "手机号与银行预留号码一致"),
        Words("the phone number is not the one reserved at the bank", "手机号与银行预留号码不一致"),
    ),
    Check(
        "phone_elsewhere", _no,
        Words("the phone number is of the province of the home", "手机号归属地与居住省份一致"),
        Words("the phone number is of another province than the home", "手机号归属地与居住省份不一致"),
    ),
    Check(
        "work_phone_elsewhere", _no,
        Words("the work phone is of the employer's province", "单位电话归属地与单位一致"),
        Words("the work phone is of another province", "单位电话归属地不一致"),
    ),
    Check(
        "far_from_dealer", _no,
        Words("the applicant lives in the dealer's province", "居住省份与经销商一致"),
        Words("the applicant lives in another province than the dealer", "居住省份与经销商不同"),
    ),
)  # fmt: skip


def consistency(names: Sequence[str], values: npt.NDArray[np.floating]) -> tuple[Told, ...]:
    """Of one application's features, `values` of shape (features,): what is odd first, then what nobody said."""
    stated: Mapping[str, float] = dict(zip(names, values.tolist(), strict=True))
    told = [_told(each, stated.get(each.feature, np.nan)) for each in CHECKS]
    return tuple(sorted(told, key=lambda each: (each.fits is not False, each.fits is not None)))


def _told(check: Check, value: float) -> Told:
    if not np.isfinite(value):
        return Told(check.feature, None, check.says)
    if check.fits(value):
        return Told(check.feature, True, check.says)
    shown = format(value, check.shown)
    return Told(check.feature, False, Words(check.odd.en.format(shown), check.odd.zh.format(shown)))
