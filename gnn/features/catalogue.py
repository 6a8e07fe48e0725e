"""What every feature is: unit, group, detector cluster, reason code, and words in two languages.

Names that are built from kinds and windows are declared by the same tables that build them, so a new kind
without words here fails on import, and a new column without an entry fails a test. `FEATURES.md` is generated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isnan

from gnn.book import ROLES
from gnn.features.assemble import LINKED_MEANS
from gnn.features.attributes import CHANNELS, DEALER_TYPES, EDUCATION, IP_TYPES, PRODUCTS
from gnn.features.behaviour import NEVER
from gnn.walk import BY_KIND, CROWDS, HISTORY, KINDS, ODD_POINTS, POST_KINDS, UNION, WINDOW_DAYS

NAN = float("nan")

GROUPS = {
    "attributes": "what the application says by itself: person, vehicle, money, session, papers, bureau",
    "counts": "plain counts of how often each of its things, its dealer and its salesperson was seen before",
    "links": "the people it shares things with, and what was known of them by then",
    "dealer": "other customers of its dealer and its salesperson in the weeks before",
    "history": "earlier applications of the same person and the same deal",
    "ring": "membership of a ring as of then",
    "behaviour": "what happened after the decision; never part of a decision",
}
CLUSTERS = ("identity", "document", "ring", "channel", "behaviour")
"""The detectors' clusters (domain.md C17)."""


@dataclass(frozen=True)
class Feature:
    """`neutral` is the value of an application that shares nothing and raises no doubt; NaN where there is no such
    value, and the feature is then "not stated".

    `reason` is empty for what no model may use (`monitoring`): where people come from. ID cards are issued at the
    household register, so the place of issue tells it too. `about` names the kind of sharing behind it, `any` for all
    kinds, or with an @ the role of its own thing. `words` are the meanings of a code, from 0.
    """

    name: str
    unit: str
    group: str
    cluster: str
    reason: str
    en: str
    zh: str
    neutral: float = NAN
    about: str = ""
    monitoring: bool = False
    decision: bool = True
    night: bool = True
    words: tuple[str, ...] = ()

    @property
    def below(self) -> bool:
        """Whether doubt lies below the neutral value: of checks that should pass, of what should have lasted or should
        never have happened."""
        return self.neutral == NEVER or self.unit == "months" or (self.unit in CHECKS and self.neutral in (1, PASSED))


CHECKS = ("0/1", "score")
PASSED = 0.875  # a float32 holds it exactly
"""A face or liveness score from which nobody doubts: a person who passed is not told that the check failed."""

Row = tuple[str, str, str, str, str] | tuple[str, str, str, str, str, float]


def _own(
    cluster: str, *rows: Row, words: tuple[str, ...] = (), group: str = "attributes", decision: bool = True
) -> Iterator[Feature]:
    """Of (name, unit, reason, English, Chinese) and perhaps a neutral value."""
    for name, unit, reason, en, zh, *neutral in rows:
        first = neutral[0] if neutral else NAN
        yield Feature(name, unit, group, cluster, reason, en, zh, first, words=words, decision=decision)


def _attributes() -> Iterator[Feature]:
    yield from _own(
        "behaviour",
        ("amount", "RMB", "RC10", "amount asked for", "申请金额"),
        ("term_months", "months", "RC10", "term", "期限"),
        ("invoice_price", "RMB", "RC10", "price on the invoice", "发票价格"),
        ("down_ratio", "share", "RC10", "down payment of the price", "首付比例"),
        ("ltv", "share", "RC10", "loan to value", "贷款价值比"),
        ("automatic", "0/1", "RC10", "within the limit of automatic approval", "在自动审批额度内"),
        ("under_limit", "0/1", "RC10", "just below what is approved automatically", "略低于自动审批额度", 0.0),
        ("hour", "hours", "RC10", "hour of the day", "申请时刻"),
        ("weekday", "code", "RC10", "day of the week", "星期"),
        ("form_seconds", "seconds", "RC10", "time spent on the form", "填表用时"),
        ("paste_count", "times", "RC10", "pastes into the form", "粘贴次数"),
        ("edit_count", "times", "RC10", "corrections in the form", "修改次数"),
        ("device_named", "0/1", "RC01", "device on record", "有设备记录", 1.0),
        ("emulator", "0/1", "RC01", "device is an emulator", "设备为模拟器", 0.0),
        ("rooted", "0/1", "RC01", "device is rooted", "设备已越狱或获取最高权限", 0.0),
        ("vpn", "0/1", "RC01", "session through a VPN", "使用代理网络", 0.0),
        ("session_events", "events", "RC10", "device events of the session", "会话设备事件数"),
        ("points", "points", "RC10", "odd by itself, in points of the rules", "申请自身疑点分", 0.0),
        ("inquiries_7d", "inquiries", "RC05", "bureau inquiries in 7 days", "近7天征信查询次数", 0.0),
        ("inquiries_30d", "inquiries", "RC05", "bureau inquiries in 30 days", "近30天征信查询次数", 0.0),
        ("inquiries_90d", "inquiries", "RC05", "bureau inquiries in 90 days", "近90天征信查询次数", 0.0),
        ("institutions_7d", "institutions", "RC05", "institutions asked in 7 days", "近7天查询机构数", 0.0),
        ("institutions_30d", "institutions", "RC05", "institutions asked in 30 days", "近30天查询机构数", 0.0),
        ("institutions_90d", "institutions", "RC05", "institutions asked in 90 days", "近90天查询机构数", 0.0),
        ("inquired_amount_90d", "RMB", "RC05", "sum asked for elsewhere in 90 days", "近90天他处申请总额", 0.0),
        ("inquired_cars_7d", "cars", "RC05", "cars asked for elsewhere in 7 days", "近7天他处申请车辆数", 0.0),
        ("inquired_cars_30d", "cars", "RC05", "cars asked for elsewhere in 30 days", "近30天他处申请车辆数", 0.0),
        ("days_since_inquiry", "days", "RC05", "time since the latest bureau inquiry", "距最近一次征信查询"),
    )
    yield from _own("behaviour", ("product", "code", "RC10", "product", "产品"), words=PRODUCTS)
    yield from _own("channel", ("channel", "code", "RC10", "channel", "申请渠道"), words=CHANNELS)
    yield from _own("behaviour", ("ip_type", "code", "RC01", "kind of the IP address", "IP类型"), words=IP_TYPES)
    yield from _own(
        "document",
        ("extras_ratio", "share", "RC07", "extras of the price", "附加品占车价比例"),
        ("unexplained_ratio", "share", "RC08", "price that loan and down payment leave open", "价款缺口比例"),
        ("price_over_market", "ratio", "RC07", "price to market price", "车价与市场价之比", 1.0),
        ("price_over_list", "ratio", "RC07", "price to list price", "车价与指导价之比"),
        ("income", "RMB", "RC10", "monthly income as stated", "申报月收入"),
        ("price_to_income", "ratio", "RC10", "price in months of income", "车价与月收入之比"),
        ("instalment_to_income", "share", "RC10", "instalment of the income", "月供收入比"),
        ("list_price", "RMB", "RC10", "list price of the car", "车辆指导价"),
        ("market_over_list", "ratio", "RC10", "market price to list price", "市场价与指导价之比"),
        ("car_age", "years", "RC10", "age of the car", "车龄"),
        ("mileage_km", "km", "RC10", "mileage", "行驶里程"),
        ("used_car", "0/1", "RC10", "used car", "二手车"),
        ("electric", "0/1", "RC10", "electric car", "纯电动车"),
        ("employer_named", "0/1", "RC04", "employer on record", "有工作单位记录"),
        ("employer_months", "months", "RC04", "age of the employer", "单位成立时间"),
        ("employer_headcount", "people", "RC04", "insured headcount of the employer", "单位参保人数"),
        ("employer_dispatch", "0/1", "RC04", "employer is a labour dispatcher", "单位为劳务派遣", 0.0),
        ("employer_platform", "0/1", "RC04", "employer is a gig platform", "单位为零工平台", 0.0),
        ("employer_shell_suspect", "0/1", "RC04", "employer may be a shell", "单位疑似空壳", 0.0),
        ("employer_credit_code", "0/1", "RC04", "employer has a credit code", "单位有统一社会信用代码", 1.0),
        ("work_phone_mobile", "0/1", "RC04", "work phone is a mobile number", "单位电话为手机号", 0.0),
        ("work_phone_virtual", "0/1", "RC04", "work phone of a virtual operator", "单位电话为虚拟号段", 0.0),
        ("work_phone_elsewhere", "0/1", "RC04", "work phone of another province", "单位电话归属地不一致", 0.0),
        ("documents", "papers", "RC08", "papers handed in", "提交材料份数"),
        ("has_licence", "0/1", "RC08", "driving licence handed in", "已提交驾驶证"),
        ("has_income", "0/1", "RC08", "proof of income handed in", "已提交收入证明"),
        ("has_statement", "0/1", "RC08", "bank statement handed in", "已提交银行流水"),
        ("has_employment", "0/1", "RC08", "proof of employment handed in", "已提交在职证明"),
    )
    yield from _own(
        "identity",
        ("age", "years", "RC10", "age", "年龄"),
        ("thin_file", "0/1", "RC10", "next to no credit history", "信用白户", 0.0),
        ("licence_held", "0/1", "RC10", "driving licence held", "持有驾驶证", 1.0),
        ("licence_months", "months", "RC10", "driving licence held for", "驾龄"),
        ("married", "0/1", "RC10", "married", "已婚"),
        ("reserved_phone_match", "0/1", "RC03", "number is the reserved one", "手机号与预留号码一致", 1.0),
        ("face_score", "score", "RC09", "face match", "人脸比对分", PASSED),
        ("liveness_score", "score", "RC09", "liveness", "活体检测分", PASSED),
        ("phone_tenure_months", "months", "RC03", "number in use for", "在网时长", 60.0),
        ("phone_held_months", "months", "RC03", "number held by this person for", "号码持有时长", 60.0),
        ("phone_virtual", "0/1", "RC03", "number of a virtual operator", "虚拟运营商号段", 0.0),
        ("phone_inactive", "0/1", "RC03", "number not active", "号码状态异常", 0.0),
        ("phone_elsewhere", "0/1", "RC03", "number of another province", "手机归属地不一致", 0.0),
    )
    yield from _own("identity", ("education", "code", "RC10", "education", "学历"), words=EDUCATION)
    yield from _own(
        "channel",
        ("dealer_months", "months", "RC11", "dealer on board for", "经销商合作时长"),
        ("dealer_declared_volume", "cars", "RC11", "monthly volume the dealer declared", "经销商申报月销量"),
        ("salesperson_months", "months", "RC11", "salesperson at the dealer for", "销售在职时长"),
        ("far_from_dealer", "0/1", "RC11", "lives in another province than the dealer", "居住省份与经销商不同", 0.0),
        ("other_city_than_dealer", "0/1", "RC11", "lives in another city", "居住城市与经销商不同", 0.0),
    )
    yield from _own("channel", ("dealer_type", "code", "RC11", "kind of dealer", "经销商类型"), words=DEALER_TYPES)
    yield from _own(
        "channel", ("dealer_grade", "code", "RC11", "grade of the dealer", "经销商等级"), words=tuple("ABCDE")
    )
    yield from _own(
        "ring", ("payer_is_owner", "0/1", "RC10", "down payment from an own account", "首付由本人账户支付", 1.0)
    )
    for name, unit, cluster, en, zh in (
        ("live_province", "code", "identity", "province of the home", "居住省份"),
        ("dealer_province", "code", "channel", "province of the dealer", "经销商省份"),
        ("far_from_birthplace", "0/1", "identity", "lives outside the province of origin", "居住省份与户籍不同"),
        ("id_issued_elsewhere", "0/1", "identity", "ID issued in another province", "证件签发地不一致"),
    ):
        yield Feature(name, unit, "attributes", cluster, "", en, zh, monitoring=True)


# Things --------------------------------------------------------------------------------------------------

SHARED = {
    "phone": ("RC02", "ring", "own number", "本人号码"),
    "work_phone": ("RC04", "ring", "work phone", "单位电话"),
    "contact": ("RC02", "ring", "contact's number", "联系人号码"),
    "other_phone": ("RC02", "ring", "number in another role", "号码(不同用途)"),
    "device": ("RC01", "ring", "device", "设备"),
    "ip": ("RC01", "ring", "IP address", "IP地址"),
    "wifi": ("RC01", "ring", "WiFi", "WiFi"),
    "address": ("RC01", "ring", "home address", "居住地址"),
    "employer": ("RC04", "ring", "employer", "工作单位"),
    "payer": ("RC10", "ring", "account of the down payment", "首付付款账户"),
    "template": ("RC08", "document", "document template", "材料模板"),
    "vehicle": ("RC06", "document", "vehicle", "车辆"),
    "voice": ("RC09", "identity", "voice", "声纹"),
    "repayer": ("RC10", "ring", "repayment account", "还款账户"),
    "other_account": ("RC10", "ring", "account in another role", "账户(不同用途)"),
    "proceeds": ("RC10", "ring", "account of the resale", "变现收款账户"),
    "buyer": ("RC10", "ring", "person who took over the car", "车辆受让人"),
    "insured": ("RC10", "ring", "insured party", "被保险人"),
    "place": ("RC10", "ring", "last place of the car", "车辆最后位置"),
}
"""Per kind of sharing: reason, cluster and its name."""

ALSO_SEEN = {
    "dealer": ("RC11", "channel", "dealer", "经销商"),
    "salesperson": ("RC11", "channel", "salesperson", "销售"),
    "signed_in": ("RC01", "ring", "device signed in with", "登录设备"),
}
UNCOUNTED = ("person", "deal", "voice")


def _counts() -> Iterator[Feature]:
    for role in ROLES:
        if role.post or role.name in UNCOUNTED:
            continue
        reason, cluster, en, zh = (SHARED | ALSO_SEEN)[role.name]
        yield Feature(
            f"seen_{role.name}",
            "times",
            "counts",
            cluster,
            reason,
            f"earlier uses of its {en}",
            f"其{zh}此前出现次数",
            NAN if role.name in ("dealer", "salesperson") else 0.0,
            about=f"@{role.name}",
            night=False,
        )


def _by_kind() -> Iterator[Feature]:
    for kind in KINDS + POST_KINDS:
        reason, cluster, en, zh = SHARED[kind]
        for what in BY_KIND:
            days = what.removesuffix("d")
            label = (
                (f"how strongly its {en} is shared", f"共用{zh}的关联强度")
                if what == "weight"
                else (f"strangers with its {en} in {days} days", f"近{days}天共用{zh}的非同住人数")
            )
            unit = "weight" if what == "weight" else "people"
            yield Feature(
                f"{kind}_{what}", unit, "links", cluster, reason, *label, 0.0, about=kind, decision=kind in KINDS
            )


LINKED = {
    "people_30d": ("people", "linked people of 30 days", "近30天关联人数"),
    "people_120d": ("people", f"linked people of {WINDOW_DAYS} days", f"近{WINDOW_DAYS}天关联人数"),
    "people_two_kinds": ("people", "linked people with two or more kinds of sharing", "两种以上关联的人数"),
    "most_kinds": ("kinds", "most kinds of sharing with one person", "与同一人共用的种类数"),
    "kinds_shared": ("kinds", "kinds of things shared with anybody", "共用事物的种类数"),
    "weight": ("weight", "strength of all links", "全部关联强度"),
    "heaviest": ("weight", "strength of the strongest link", "最强关联强度"),
    "same_dealer": ("people", "linked people at the same dealer", "同一经销商的关联人数"),
    "same_salesperson": ("people", "linked people with the same salesperson", "同一销售的关联人数"),
    "dealers": ("dealers", "dealers of the linked people", "关联人涉及经销商数"),
    "days_since": ("days", "time since the latest linked application", "距最近一笔关联申请"),
    "days_apart_mean": ("days", "mean time since the linked applications", "与关联申请的平均间隔"),
    "days_span": ("days", "time between the first and the last linked application", "关联申请时间跨度"),
    "fraud": ("people", "linked people known for fraud (E3 counts half)", "已知欺诈的关联人数(E3计半)"),
    "fraud_weight": ("weight", "strength of links to known fraud", "与已知欺诈的关联强度"),
    "cleared": ("people", "linked people who were cleared", "已排除嫌疑的关联人数"),
    "declined": ("people", "linked people who were declined", "被拒绝的关联人数"),
    "kin": ("people", "linked people of the same home", "同住的关联人数"),
    "set_aside": ("things", "own things that many hold by nature", "天然共用的事物数(门店设备、总机等)"),
    "two_hops": ("applications", "applications two links away", "两步关联申请数"),
    "two_hops_fraud": ("applications", "known fraud two links away (E3 counts half)", "两步关联的已知欺诈数(E3计半)"),
    "triangles": ("people", "linked people who are linked to each other", "彼此关联的关联人数"),
    "strangers_30d": ("people", "linked strangers of 30 days", "近30天非同住关联人数"),
    "same_province": ("people", "linked people of the same province", "同省的关联人数"),
    "similar_amount": ("people", "linked people who ask for about the same amount", "申请金额相近的关联人数"),
    "same_model": ("people", "linked people who buy the same model", "购买同款车的关联人数"),
    "dealers_30d": ("dealers", "dealers tried in 30 days with the linked people", "近30天连同关联人涉及经销商数"),
}
LINKED_NEUTRAL = {"days_since": NAN, "days_apart_mean": NAN, "days_span": NAN, "dealers_30d": 1.0}
"""Otherwise 0."""

PAST = {
    "applications_30d": ("applications", "RC05", "own applications in 30 days", "近30天本人申请数"),
    "applications_90d": ("applications", "RC05", "own applications in 90 days", "近90天本人申请数"),
    "applications_365d": ("applications", "RC05", "own applications in 365 days", "近365天本人申请数"),
    "dealers_30d": ("applications", "RC05", "own applications elsewhere in 30 days", "近30天在其他经销商的申请数"),
    "declined_90d": ("applications", "RC05", "own applications of 90 days that were declined", "近90天被拒绝的申请数"),
    "fraud": ("score", "RC10", "own earlier fraud (E3 counts half)", "本人已知欺诈记录(E3计半)"),
    "deal": ("applications", "RC06", "earlier applications for the same deal", "同一笔交易的申请数"),
}
CROWD = {
    "volume_7d": ("applications", "applications in 7 days", "近7天申请数", NAN),
    "volume_30d": ("applications", "applications in 30 days", "近30天申请数", NAN),
    "volume_jump": ("ratio", "applications of 30 days to an earlier month's", "近30天申请数与此前月均之比", 1.0),
    "points": ("points", "mean points of the applications of 30 days", "近30天申请的平均疑点分", 0.0),
    "odd_30d": ("applications", f"applications of 30 days with {ODD_POINTS} points", "近30天有疑点的申请数", 0.0),
    "linked_share": ("share", "applications of 30 days with links", "近30天有关联的申请占比", 0.0),
    "linked_weight": ("weight", "mean strength of links of 30 days", "近30天申请的平均关联强度", 0.0),
    "fraud": ("applications", f"known fraud of {WINDOW_DAYS} days (E3 counts half)", "已知欺诈数(E3计半)", 0.0),
    "fraud_30d": ("applications", "known fraud of 30 days (E3 counts half)", "近30天已知欺诈数(E3计半)", 0.0),
    "cleared": ("applications", "cleared applications", "已排除嫌疑的申请数", NAN),
    "declined_share": ("share", "applications of 30 days that were declined", "近30天拒绝率", 0.0),
    "same_province": ("applications", "applications of 30 days from the same province", "近30天同省申请数", NAN),
    "similar_amount": ("applications", "applications of 30 days, similar amount", "近30天金额相近申请数", 0.0),
    "same_model": ("applications", "applications of 30 days for the same model", "近30天同款车申请数", 0.0),
    "odd_same_province": ("applications", "odd ones of 30 days, same province", "近30天同省有疑点申请数", 0.0),
    "odd_7d": ("applications", "odd ones of 7 days", "近7天有疑点的申请数", 0.0),
}


AFTERWARDS: dict[str, tuple[Row, ...]] = {
    "behaviour": (
        ("age_days", "days", "RC10", "time since the application", "距申请时间"),
        ("declined", "0/1", "RC10", "declined", "已拒绝"),
        ("funded_days", "days", "RC10", "time since funding", "距放款时间"),
        ("instalments_due", "instalments", "RC10", "instalments due", "到期期数"),
        ("instalments_paid", "instalments", "RC10", "instalments paid", "已还期数"),
        ("instalments_missed", "instalments", "RC10", "instalments missed", "未还期数", 0.0),
        ("first_missed", "instalments", "RC10", "first instalment missed", "首个未还期次"),
        ("last_paid", "instalments", "RC10", "last instalment paid", "最近已还期次"),
        ("worst_dpd", "days", "RC10", "worst delay", "最大逾期", 0.0),
        ("paid_late", "instalments", "RC10", "instalments paid late", "迟还期数", 0.0),
        ("gps_days", "days", "RC10", "days with a position of the car", "有定位天数"),
        ("gps_silent_days", "days", "RC10", "time without a position of the car", "定位静默时长"),
        ("gps_tampered", "0/1", "RC10", "position device tampered with", "定位设备被干扰或断电", 0.0),
    ),
    "channel": (("overridden", "0/1", "RC10", "decision overridden by a reviewer", "人工推翻决策", 0.0),),
    "document": (
        ("days_to_title_transfer", "days", "RC10", "funding to transfer of title", "放款至过户", NEVER),
        ("days_to_policy_cancelled", "days", "RC08", "funding to cancelled insurance", "放款至退保", NEVER),
        ("days_to_invoice_reversed", "days", "RC08", "funding to reversed invoice", "放款至发票冲红", NEVER),
        ("days_to_export", "days", "RC10", "funding to export", "放款至出口", NEVER),
        ("days_to_mortgage_registered", "days", "RC10", "funding to registered mortgage", "放款至抵押登记"),
        ("days_to_plated", "days", "RC10", "funding to plates", "放款至上牌"),
    ),
    "identity": (
        ("calls", "calls", "RC09", "verification calls", "电核次数"),
        ("calls_unconfirmed", "calls", "RC09", "calls that confirmed nothing", "未核实的电核次数", 0.0),
    ),
}


def _linked(base: dict[str, Feature]) -> Iterator[Feature]:
    for name in UNION:
        unit, en, zh = LINKED[name]
        neutral = LINKED_NEUTRAL.get(name, 0.0)
        yield Feature(f"linked_{name}", unit, "links", "ring", "RC10", en, zh, neutral, about="any")
    for name in LINKED_MEANS:
        of = base[name]
        unit = "share" if of.unit == "0/1" else of.unit
        yield Feature(
            f"linked_mean_{name}",
            unit,
            "links",
            "ring",
            "RC10",
            f"linked people's mean: {of.en}",
            f"关联人平均：{of.zh}",
            about="any",
        )


def _history() -> Iterator[Feature]:
    for name in HISTORY:
        unit, reason, en, zh = PAST[name]
        yield Feature(f"own_{name}", unit, "history", "behaviour", reason, en, zh, 0.0, about="@person")


def _crowds() -> Iterator[Feature]:
    for who in ("dealer", "salesperson"):
        _, _, whose, wessen = ALSO_SEEN[who]
        for name in CROWDS:
            unit, en, zh, neutral = CROWD[name]
            yield Feature(
                f"{who}_{name}",
                unit,
                "dealer",
                "channel",
                "RC11",
                f"the {whose}'s {en}",
                f"{wessen}{zh}",
                neutral,
                about=f"@{who}",
            )


def _behaviour() -> Iterator[Feature]:
    """A night's."""
    for cluster, rows in AFTERWARDS.items():
        yield from _own(cluster, *rows, group="behaviour", decision=False)


def _all() -> Iterator[Feature]:
    own = list(_attributes())
    yield from own
    yield from _counts()
    yield from _by_kind()
    yield from _linked({each.name: each for each in own})
    yield from _history()
    yield from _crowds()
    yield from _behaviour()


CATALOGUE: dict[str, Feature] = {each.name: each for each in _all()}


# Choosing ------------------------------------------------------------------------------------------------


def names(*groups: str, night: bool = False) -> tuple[str, ...]:
    """Of these groups, or of all: what exists at decision time, or on a night; the monitored ones too."""
    return tuple(
        each.name
        for each in CATALOGUE.values()
        if (each.night if night else each.decision) and (not groups or each.group in groups)
    )


def model_names(*groups: str, night: bool = False) -> tuple[str, ...]:
    """As `names`, without what is monitored only: no model may see it (domain.md §6, Fairness)."""
    return tuple(name for name in names(*groups, night=night) if not CATALOGUE[name].monitoring)


def no_graph_names() -> tuple[str, ...]:
    return model_names("attributes")


def count_names() -> tuple[str, ...]:
    """Attributes and plain counts: what a lender knows who looks things up but draws no graph."""
    return model_names("attributes", "counts")


# The page ------------------------------------------------------------------------------------------------


def markdown() -> str:
    """`gnn/FEATURES.md`, which a test compares with what is committed."""
    decision, night = names(), names(night=True)
    lines = [
        "# Features",
        "",
        "Generated from `gnn/features/catalogue.py` by `python -m gnn.features.catalogue`; do not edit.",
        "",
        f"{len(decision)} features at decision time: as of the minute after the application became known, with nothing",
        f"that came to be known later. {len(night)} on a night: as of that night, with those who applied later and",
        "what became of the loan by then. `E3 counts half`: fraud on strong circumstantial evidence.",
        "",
        "*Neutral* is what the counterfactual puts in: the value of an application that shares nothing and raises no",
        'doubt; empty is "not stated". *Monitoring only*: reported for fairness, seen by no model.',
    ]
    for group, what in GROUPS.items():
        here = [each for each in CATALOGUE.values() if each.group == group]
        if here:
            lines += ["", f"## {group}: {what}", "", *_table(here)]
    return "\n".join(lines) + "\n"


def _table(rows: Iterable[Feature]) -> Iterator[str]:
    yield "| Feature | What it is | 说明 | Unit | Reason | Cluster | When | Neutral |"
    yield "|---|---|---|---|---|---|---|--:|"
    for each in rows:
        unit = f"code: {', '.join(each.words)}" if each.words else each.unit
        when = "both" if each.decision and each.night else "decision" if each.decision else "night"
        reason = "monitoring only" if each.monitoring else each.reason
        neutral = "" if isnan(each.neutral) else f"{each.neutral:g}"
        yield f"| `{each.name}` | {each.en} | {each.zh} | {unit} | {reason} | {each.cluster} | {when} | {neutral} |"


if __name__ == "__main__":
    from pathlib import Path

    Path(__file__).parents[1].joinpath("FEATURES.md").write_text(markdown(), encoding="utf-8")
