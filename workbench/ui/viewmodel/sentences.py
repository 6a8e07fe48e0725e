"""Chinese for what graph/ says in English only: why a ring, its signs, doubts and roles, and what is set aside.

Those sentences are kept (`rings.json`, the casebook, GraphML), so they are read back by the grammar in which they were
written and said anew from their parts. What no grammar knows is shown as it stands: a person's own words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from re import Match

from graph.circles import HOUSEHOLD
from graph.infrastructure import KINDS
from graph.infrastructure.verdicts import BY_HAND
from graph.lookalikes import LOOK_ALIKES
from graph.ontology import EDGES, NODES
from graph.signs import SIGNS
from workbench.ui.i18n import language

Words = Mapping[str, tuple[str, str]]
"""By code: English and Chinese."""

SIGN_ZH = {
    "far": "居住地与经销商不在同一省",
    "plate": "上牌地既非居住地、户籍地，也非经销商所在地",
    "thin_file": "几乎没有信贷记录",
    "no_licence": "没有驾驶证",
    "new_number": "号码入网不足三个月或不是预留号码",
    "over_market": "成交价高于市场价的115%",
    "under_limit": "申请金额略低于自动审批上限",
    "no_down_payment": "没有支付首付",
    "resold": "30天内将车辆转手",
}
DOUBT_ZH = {
    "family": "家庭：多数人住在同一处住址，且该住址人数不多(B01、B14)",
    "fleet": "同一公司的司机，公司公开付款或投保(B05)",
    "staff_purchase": "同一单位员工一起购车，此外没有共用任何东西(B11)",
    "shop": "同一经销商的客户，在店内使用了同一设备或网络(B03、B04)",
    "voice": "只有供应商认为相似的声纹；样本库一大，总会有相似的声音",
    "paper": "只有工作单位，以及同一工资或银行软件生成的材料(R28)",
    "referral": "同一城镇的人填写了同一联系人，没有资金往来(B12、B13)",
}
ROLES: Words = {
    "organiser": ("organiser", "组织者"),
    "recruiter": ("recruiter", "招揽人"),
    "straw_borrower": ("straw borrower", "背户借款人"),
    "down_payment_advancer": ("advances down payments", "垫首付人"),
    "car_receiver": ("receives cars or money", "接车或收款人"),
    "dealer_insider": ("insider", "内部人员"),
    # As `graph/roles.py` calls them.
    "mule": ("straw borrower", "背户借款人"),
    "receiver": ("receives cars or money", "接车或收款人"),
    "insider": ("insider", "内部人员"),
}
"""What people say (`casebook/roles.py`), and what the graph suggests."""

CLUSTERS: Words = {
    "identity": ("Identity", "身份"),
    "document": ("Documents", "材料"),
    "ring": ("Ring", "团伙"),
    "channel": ("Dealer and channel", "渠道"),
    "behaviour": ("Behaviour", "行为"),
}


def of(words: Words, code: str) -> str:
    """A code that nobody declared is shown as it is."""
    return words[code][language.get() == "zh"] if code in words else code


def said(text: str) -> str:
    """The sentence in the language of who looks."""
    if language.get() != "zh":
        return text
    for pattern, chinese in _grammar():
        if found := pattern.fullmatch(text):
            return chinese(found)
    return text


def headline(because: str) -> str:
    """Of a ring's sentence how many, how fast and where; what is shared is told line by line."""
    return said(because.partition(" share ")[0])


def kind(code: str) -> str:
    """Of what is set aside, such as shop_device."""
    if code == BY_HAND:
        return "人工设定" if language.get() == "zh" else "set aside by hand"
    return of(KINDS, code)


def typed(type_: str, masked: str = "") -> str:
    """A thing as a list shows it: its type, and what may be shown of it."""
    node = NODES[type_]
    name = node.zh if language.get() == "zh" else node.en
    return f"{name} {masked}".strip()


def node_type(type_: str) -> str:
    return NODES[type_].zh if language.get() == "zh" else NODES[type_].en


def relation(name: str) -> str:
    return EDGES[name].zh if language.get() == "zh" else EDGES[name].en


# The grammar -----------------------------------------------------------------------------------------------

Said = Callable[[Match[str]], str]

TYPE_OF = {each.en: each.name for each in NODES.values()}
RELATION_OF = {each.en: each.name for each in EDGES.values()}
PART = re.compile(r"(\d+) ([^(]+?) \(([^,]+), (up to )?(\d+) of (\d+)\)")
HELD_BY = re.compile(rf"({'|'.join(TYPE_OF)}) (.+)")


@cache
def _grammar() -> tuple[tuple[re.Pattern[str], Said], ...]:
    return (*_of_rings(), *_of_roles(), *_of_things())


def _rule(pattern: str, chinese: str | Said) -> tuple[re.Pattern[str], Said]:
    """A text with {1}, {2} … for the groups, or what makes one of them."""
    made = chinese if callable(chinese) else lambda found: chinese.format(found[0], *found.groups(""))
    return re.compile(pattern), made


def _of_rings() -> list[tuple[re.Pattern[str], Said]]:
    rules = [
        _rule(
            r"(\d+) applications(?: of (\d+) people)? in (\d+) days? at (\d+) dealers?(?: \((\d+) at one\))?"
            r"(?: share (.+?)(?: and (\d+) more kinds?)?)?",
            _because,
        ),
    ]
    for sign in SIGNS:
        rules.append(
            _rule(
                rf"(\d+) of (\d+) {re.escape(sign.words)} \((\w+)\)", f"{{2}}笔中有{{1}}笔{SIGN_ZH[sign.name]}({{3}})"
            )
        )
        rules.append(_rule(re.escape(sign.words), SIGN_ZH[sign.name]))
    rules += [_rule(re.escape(each.words), DOUBT_ZH[each.name]) for each in LOOK_ALIKES]
    return rules


def _because(found: Match[str]) -> str:
    count, people, days, dealers, top, shared, more = found.groups()
    who = f"{count}笔进件" + (f"({people}人)" if people else "")
    where = f"{dealers}家经销商" + (f"(其中{top}笔在同一家)" if top else "")
    if not shared:
        return f"{who}，{days}天内，{where}"
    rest = f"，另有{more}类" if more else ""
    return f"{who}在{days}天内于{where}共用{'、'.join(_part(each) for each in PART.finditer(shared))}{rest}"


def _part(found: Match[str]) -> str:
    number, name, by, up_to, most, of_ = found.groups()
    type_ = NODES[TYPE_OF[_singular(name)]]
    edge = EDGES[RELATION_OF[by]]
    role = "" if edge.zh == type_.zh else f"{edge.zh}，"
    return f"{number}个{type_.zh}({role}{'最多' if up_to else ''}{of_}人中的{most}人)"


def _singular(name: str) -> str:
    return next(each for each in (name, name.removesuffix("s"), name.removesuffix("es")) if each in TYPE_OF)


def _of_roles() -> list[tuple[re.Pattern[str], Said]]:
    return [
        _rule(r"paid the down payment of (\d+) people", "为{1}人支付了首付"),
        _rule(r"somebody else's account paid the down payment", "首付由他人账户支付"),
        _rule(r"got the money for the cars of (\d+) people", "收取了{1}人车辆的变现款"),
        _rule(r"took over the cars of (\d+) people", "接收了{1}人的车辆"),
        _rule(r"is the contact of (\d+) people", "是{1}人的联系人"),
        _rule(r"the own number (\S+) is the contact of (\d+) people", "本人号码{1}是{2}人的联系人"),
        _rule(r"overrode the decision for (\d+) of them", "对其中{1}笔改判放行"),
        _rule(r"handled (\d+) of them and (\d+) in all", "经办了其中{1}笔，总共经办{2}笔"),
        _rule(HELD_BY.pattern, lambda found: f"{NODES[TYPE_OF[found[1]]].zh} {found[2]}"),
    ]


FIGURES = (
    r"(\d+) people, (?:(\d+) at one dealer|at (\d+) dealers), over (\d+) days, at most (\d+) in one month"
    r"(?: \((\d+) dealers in all\))?"
    r"(?:, (\d+) by one salesperson|, (\d+) in the shop's network|, ([\d.]+%) of all"
    r"|, (\d+) at dealers who are paid through it)?"
)


def _of_things() -> list[tuple[re.Pattern[str], Said]]:
    kinds = dict(KINDS.values())
    named = "|".join(re.escape(each) for each in kinds)
    return [
        _rule(rf"{FIGURES}: ({named})", lambda found: f"{_figures(found)}:{kinds[found.groups()[-1] or '']}"),
        _rule(
            r"one person's until (\S+), another's from (\S+), (\d+) days later: .+",
            f"{{1}}前为一人使用，{{2}}起为另一人使用，相隔{{3}}天：{KINDS['recycled_phone'][1]}",
        ),
        _rule(
            r"(\d+) people live at one address, and up to \d+ are one family: .+",
            f"{{1}}人住在同一住址，{HOUSEHOLD}人以内视为一家：{KINDS['household'][1]}",
        ),
        _rule(
            r"(\d+) people drive cars that one party insures openly, or work with those who do: .+",
            f"{{1}}人驾驶的车辆由同一方公开投保，或与这些人同单位：{KINDS['fleet'][1]}",
        ),
        _rule(
            r"(\d+) people work for one employer, registered less than (\d+) days before: .+",
            f"{{1}}人就职于同一单位，该单位注册不足{{2}}天：{KINDS['colleagues'][1]}",
        ),
        _rule(
            r"(\d+) people work for one employer, not a new one: .+",
            f"{{1}}人就职于同一单位，且非新设单位：{KINDS['colleagues'][1]}",
        ),
    ]


def _figures(found: Match[str]) -> str:
    people, at_one, at, days, most, in_all, by_one, inside, of_all, paid = found.groups()[:10]
    where = f"其中{at_one}人在同一家经销商" if at_one else f"分布于{at}家经销商"
    more = [
        f"(共{in_all}家经销商)" if in_all else "",
        f"，{by_one}人由同一销售经办" if by_one else "",
        f"，{inside}人曾在门店网络内" if inside else "",
        f"，占全部的{of_all}" if of_all else "",
        f"，{paid}人购车的经销商以此账户收款" if paid else "",
    ]
    return f"{people}人，{where}，跨度{days}天，单月最多{most}人{''.join(more)}"
