"""What to look into, by reason: the first steps of an investigator or a verifying clerk (domain.md §2.2).

A suggestion names what to do and whom to ask, not what was found: it may be printed beside an application.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

MOST = 5


class Check(NamedTuple):
    code: str
    en: str
    zh: str


CHECKS: dict[str, tuple[Check, ...]] = {
    "RC01": (
        Check(
            "ask-device",
            "Ask whose device the application was filled in on, and where",
            "询问申请所用设备归属及申请地点",
        ),
        Check(
            "video-call",
            "Call back by video and let the applicant name car, colour and instalment unprompted",
            "视频回访,请申请人自行说出车型、颜色与月供",
        ),
    ),
    "RC02": (
        Check(
            "call-contacts", "Call each contact and ask how they know the applicant", "逐一致电联系人核实与申请人的关系"
        ),
    ),
    "RC03": (
        Check(
            "call-reserved",
            "Call the number reserved at the bank or operator, not the one given",
            "拨打银行或运营商预留号码而非申请号码",
        ),
    ),
    "RC04": (
        Check(
            "call-employer",
            "Reach the employer through a public number and check social security",
            "通过公开号码致电单位并核对社保记录",
        ),
    ),
    "RC05": (
        Check(
            "inquiry-reasons",
            "Compare the cars of the other inquiries: one car is shopping, several are stacking",
            "核对其他查询对应的车辆:同车为比价,异车为多头",
        ),
    ),
    "RC06": (
        Check(
            "mortgage-registry",
            "Ask the registry whether the car is pledged; see the VIN on the car",
            "向车管所核实抵押登记并查验实车车架号",
        ),
    ),
    "RC07": (
        Check(
            "valuation", "Have the car valued independently and check the invoice's code", "独立评估车价并查验发票真伪"
        ),
    ),
    "RC08": (
        Check(
            "originals", "See the originals; compare seal, template and metadata", "查验材料原件,比对印章、模板与元数据"
        ),
    ),
    "RC09": (
        Check(
            "identity-again",
            "Repeat the liveness check and compare with the ID document in person",
            "重新进行活体检测并当面核对证件",
        ),
    ),
    "RC10": (
        Check(
            "ring-graph",
            "Open the ring in the graph and see who pays, recruits and receives",
            "在图谱中查看团伙,核实付款、招揽与收款角色",
        ),
        Check(
            "down-payment", "Ask who paid the down payment, and see the transfer", "核实首付款实际支付人并查看转账凭证"
        ),
    ),
    "RC11": (
        Check(
            "dealer-visit",
            "Ask for the dealer's stock count and payee account before paying out",
            "放款前核实经销商库存与收款账户",
        ),
    ),
    "RC12": (
        Check(
            "payment-source", "Pass to the desk for payments; do not tell the customer", "转交资金核查岗,不得告知客户"
        ),
    ),
}


def suggested(codes: Iterable[str]) -> list[Check]:
    """In the order of the reasons, each once, at most five."""
    return list(dict.fromkeys(check for code in codes for check in CHECKS[code]))[:MOST]
