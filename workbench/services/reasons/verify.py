"""What to verify about a link or a sign: whom to ask and what to look at, before anybody is accused (domain.md §2)."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.online.checks import CHECKS
from workbench.services.cases.typologies import FRAUD, INNOCENT, Text


def _checks(*codes: str) -> tuple[Text, ...]:
    return tuple(Text(each.en, each.zh) for code in codes for each in CHECKS[code])


def _step(code: str, *places: int) -> tuple[Text, ...]:
    return tuple(FRAUD[code].does[at] for at in places)


DOWN_PAYMENT = (Text("Ask who paid the down payment, and see the transfer", "核实首付款实际支付人并查看转账凭证"),)
SALES = (
    Text("Ask the dealer who sat with the customers, and see the sales records", "向经销商核实接待人员并查看销售记录"),
)
REVIEW = (Text("Have somebody else review some of them again", "由他人抽样复审"),)

OF_RELATION: dict[str, tuple[Text, ...]] = {
    "APPLIED": _checks("RC09"),
    "HAS_PHONE": _checks("RC03"),
    "WORK_PHONE": _checks("RC04"),
    "CONTACT_OF": _checks("RC02"),
    "USED_DEVICE": _checks("RC01"),
    "HAS_DEVICE": _checks("RC01"),
    "FROM_IP": _checks("RC01")[:1],
    "ON_WIFI": _checks("RC01")[:1],
    "LIVES_AT": (Text("Ask who lives there, and see proof of the address", "核实居住人并查看住址证明"),),
    "WORKS_AT": _checks("RC04"),
    "FINANCES": _checks("RC06"),
    "PAID_DOWNPAYMENT": DOWN_PAYMENT,
    "REPAID_BY": (Text("Ask who pays the instalments, and why from this account", "核实月供由谁支付及为何使用该账户"),),
    "PROCEEDS_TO": _step("T02", 1, 2),
    "TRANSFER_ACCOUNT": _step("T02", 1, 2),
    "TRANSFERRED_TO": _step("T02", 0, 3),
    "INSURED_BY": (Text("Ask the insurer who took out the policy", "向保险公司核实投保人"),),
    "LAST_SEEN_AT": _step("T13", 0, 1),
    "USES_TEMPLATE": _checks("RC08"),
    "SPOKE_AS": _step("T07", 0, 1),
    "SOLD_BY": _checks("RC11"),
    "HANDLED_BY": SALES,
    "REVIEWED_BY": REVIEW,
}
"""Of every relation that can carry a ring, and of those that name who sold and who decided."""

OF_SIGN: dict[str, tuple[Text, ...]] = {
    "far": _step("T01", 0),
    "plate": _step("T22", 0),
    "thin_file": _step("T01", 1, 3),
    "no_licence": _step("T01", 2),
    "new_number": _checks("RC03"),
    "over_market": _checks("RC07"),
    "under_limit": _step("T04", 3),
    "no_down_payment": DOWN_PAYMENT,
    "resold": _step("T02", 0, 2),
}
"""By the name of a sign (`graph/signs.py`)."""

CLEARED_BY: dict[str, tuple[Text, ...]] = {
    "family": (*INNOCENT["B01"].does, *INNOCENT["B14"].does),
    "fleet": INNOCENT["B05"].does,
    "staff_purchase": INNOCENT["B11"].does,
    "shop": (*INNOCENT["B03"].does, *INNOCENT["B04"].does),
    "voice": _step("T07", 0, 2),
    "paper": (
        Text("Ask the employer or the bank which software makes their papers", "向单位或银行核实材料由何软件生成"),
    ),
    "referral": (*INNOCENT["B12"].does, *INNOCENT["B13"].does),
}
"""By the name of a look-alike (`graph/lookalikes.py`): what would clear the group."""

ALIKE: dict[str, tuple[str, ...]] = {
    "family": ("B01", "B14"),
    "fleet": ("B05",),
    "staff_purchase": ("B11",),
    "shop": ("B03", "B04"),
    "voice": (),
    "paper": (),
    "referral": ("B12", "B13"),
}
"""Codes of the catalogue behind each look-alike."""


def of_codes(codes: Iterable[str]) -> tuple[Text, ...]:
    """Of reason codes, in their order, each once."""
    return tuple(dict.fromkeys(each for code in codes if code in CHECKS for each in _checks(code)))
