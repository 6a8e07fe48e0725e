"""Kinds of fraud and innocent look-alikes: what each is called, and what to do about it (domain.md §2)."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    en: str
    zh: str


class Kind(NamedTuple):
    """`does` are the steps, in order: what to ask whom, and what to look at."""

    code: str
    name: Text
    does: tuple[Text, ...]


_FRAUD = (
    Kind("T01", Text("Straw borrower", "背户/职业背债人"), (
        Text("By video, let the applicant name car, colour and instalment", "视频回访，由申请人自述车型颜色月供"),
        Text("Find out who paid the down payment", "核实首付款由谁支付"),
        Text("See the driving licence", "查验驾驶证"),
        Text("Check that the contacts answer as claimed", "核实联系人与所称是否一致"),
    )),
    Kind("T02", Text("Cash-out by resale", "套现/融车"), (
        Text("Follow the chain of title transfers", "追查过户链条"),
        Text("Compare the resale price with the price financed", "比对转售价与融资价"),
        Text("Find out whose account received the money", "核实收款账户归属"),
        Text("See the used-car invoice", "查验二手车发票"),
    )),
    Kind("T03", Text("One car, several loans", "一车多贷"), (
        Text("Ask the mortgage registry", "查询抵押登记"),
        Text("Compare certificate and invoice numbers", "比对合格证号与发票号"),
        Text("See a photo of the VIN on the car", "查看实车车架号照片"),
    )),
    Kind("T04", Text("Inflated price, nothing paid down", "零首付与高评高贷"), (
        Text("Have the car valued independently", "独立评估车价"),
        Text("Check the invoice's code", "核验发票代码"),
        Text("Compare the sum insured", "比对保险金额"),
        Text("Ask the customer what was really paid", "询问客户实际付款金额"),
    )),
    Kind("T05", Text("Packaged file", "中介包装"), (
        Text("Call the employer through a public number", "通过公开号码致电单位"),
        Text("Check social security and tax", "核对社保与个税"),
        Text("Compare PDF metadata and template hash", "比对PDF元数据与模板指纹"),
    )),
    Kind("T06", Text("A friend borrows", "AB贷"), (
        Text("Ask the borrower alone whether he knows he is the borrower", "单独询问借款人是否知晓自己是借款人"),
        Text("Find out who holds the car", "核实车辆由谁使用"),
    )),
    Kind("T07", Text("Ghost caller", "换马甲"), (
        Text("Call back on the number the operator verified", "回拨运营商核验过的号码"),
        Text("Have the vendor compare the voices", "由供应商比对声纹"),
        Text("Ask what only the applicant knows", "询问仅本人知晓的信息"),
    )),
    Kind("T08", Text("Ring", "团伙"), (
        Text("Draw up who plays which role", "梳理各人角色"),
        Text("Draw up the timeline", "梳理时间线"),
        Text("Freeze pending applications", "冻结在途进件"),
        Text("Notify the dealer's manager", "通知经销商负责人"),
        Text("Escalate", "上报"),
    )),
    Kind("T09", Text("Dealer or insider collusion", "车商合谋/内外勾结"), (
        Text("Visit the dealer", "实地走访经销商"),
        Text("Count the stock", "盘点库存"),
        Text("Find out who owns the payee account", "核实收款账户归属"),
        Text("Look at pairs of reviewer and dealer", "排查审核员与经销商的搭配"),
        Text("Read the log of overrides", "查阅改判记录"),
    )),
    Kind("T10", Text("Sham used-car sale", "二手车虚假交易"), (
        Text("Look at the plate's history", "查询车牌历史"),
        Text("Check whether the seller's account is the applicant's own", "核实卖方账户是否为申请人本人"),
        Text("Compare GPS before and after", "比对交易前后的GPS"),
    )),
    Kind("T11", Text("Identity theft", "冒用身份"), (
        Text("Call the reserved phone number", "致电预留手机号"),
        Text("Repeat the liveness check", "重新进行活体检测"),
        Text("Compare the signature", "比对签名"),
    )),
    Kind("T12", Text("Synthetic identity", "伪造/合成身份"), (
        Text("Have the ID checked by public security", "通过公安核验身份"),
        Text("Look at when the bureau first saw the person", "查看征信首次出现日期"),
    )),
    Kind("T13", Text("GPS removed, second pledge", "GPS拆除/二押"), (
        Text("Go to the place", "现场核查"),
        Text("Ask the second GPS unit", "查询第二台GPS设备"),
        Text("Look at the last stops", "查看最后停留地点"),
        Text("Ask for motorway tolls (ETC)", "查询高速通行记录(ETC)"),
    )),
    Kind("T14", Text("Loan stacking", "多头抢贷"), (
        Text("Compare the reasons of the inquiries", "比对征信查询原因"),
        Text("One car on all inquiries is shopping, several cars are stacking", "同车为比价，异车为多头"),
    )),
    Kind("T15", Text("Credit washing", "征信洗白"), (
        Text("Look at the history of disputes at the bureau", "查看征信异议记录"),
    )),
    Kind("T16", Text("Employment mill", "空壳单位"), (
        Text("Compare the head-count insured", "核对参保人数"),
        Text("Check tax", "核对纳税情况"),
        Text("Visit the site", "实地走访"),
    )),
    Kind("T17", Text("Cloned VIN", "套牌/克隆"), (
        Text("Take a rubbing of the VIN", "拓印车架号"),
        Text("Compare factory data", "比对出厂数据"),
        Text("Check the EXIF data of the VIN photo", "核查车架号照片EXIF"),
    )),
    Kind("T18", Text("Dealer that runs", "跑路车商"), (
        Text("Audit the stock", "盘点库存"),
        Text("Find out who keeps the certificates", "核实合格证保管"),
        Text("Measure how late plates come", "核查上牌滞后"),
    )),
    Kind("T19", Text("Unlicensed car trade", "无牌车贩"), (
        Text("Count title transfers by person", "按人统计过户次数"),
    )),
    Kind("T20", Text("Drivers who borrow unknowingly", "顶名车/租赁公司招司机"), (
        Text("Ask drivers whether they thought they rented", "访谈司机是否以为是租车"),
        Text("See the contract", "查看合同"),
        Text("Find out who holds the keys", "核实钥匙由谁保管"),
    )),
    Kind("T21", Text("Device farm", "设备农场"), (
        Text("Look at the attributes of the device", "查看设备属性"),
        Text("Check whether it stands in a shop", "核实设备位置是否为门店"),
    )),
    Kind("T22", Text("Sham mortgage, plated elsewhere", "抵押登记作假/外地上牌"), (
        Text("Ask the vehicle registry", "向车管所查询登记"),
    )),
    Kind("T23", Text("Policy cancelled, invoice reversed", "保险退保/发票冲红"), (
        Text("Check the invoice's state on the tax platform", "在税务平台核验发票状态"),
        Text("Ask the insurer", "向保险公司核实"),
    )),
    Kind("T24", Text("Reviewer collusion", "内部人员放水"), (
        Text("Have some reviewed again at random", "随机复审"),
        Text("Rotate", "轮岗"),
    )),
    Kind("T25", Text("Organised default", "集中逃废债"), (
        Text("Compare the wording of complaints", "比对投诉文本"),
    )),
    Kind("T26", Text("Mortgage waived, sold as new", "免抵车与0公里二手车"), (
        Text("Follow the resale chain", "追查转售链条"),
        Text("Ask customs for exports", "查询海关出口记录"),
        Text("Find out who pays the instalments", "核实月供由谁支付"),
    )),
)  # fmt: skip

_INNOCENT = (
    Kind("B01", Text("Family", "家庭"), (
        Text("See whether surname, region and ages fit", "核对姓氏、籍贯与年龄是否相符"),
        Text("Compare repayment, and how far apart they applied", "查看还款情况与申请间隔"),
    )),
    Kind("B02", Text("Company switchboard", "单位总机"), (
        Text("Check that the number is a landline of a large, old company", "核实号码为老牌大单位固话"),
    )),
    Kind("B03", Text("Dealer's tablet or salesperson's phone", "门店平板或销售手机"), (
        Text("Compare the dealer's list of devices", "比对经销商设备清单"),
        Text("See whether it is used in opening hours only, for months", "查看是否仅营业时间使用且历时数月"),
    )),
    Kind("B04", Text("Shop WiFi or carrier's address", "门店WiFi或运营商出口"), (
        Text("See whether many dealers, or one for long, come through it", "查看是否多家或同一经销商长期使用"),
    )),
    Kind("B05", Text("Fleet or ride-hailing affiliation", "车队/网约车挂靠"), (
        Text("See business licence and operating permits", "查验营业执照与营运证"),
        Text("See who is insured, who repays, and whether the cars drive", "核实被保险人、还款人及车辆是否在营运"),
    )),
    Kind("B06", Text("Rental community or dormitory", "出租社区/宿舍"), (
        Text("Compare the addresses down to the room", "比对到房间的地址"),
    )),
    Kind("B07", Text("Star salesperson", "明星销售"), (
        Text("Compare volume over time and early default with the dealer's", "比对业绩走势及首逾与经销商平均"),
    )),
    Kind("B08", Text("Recycled phone number", "二次放号"), (
        Text("Ask the operator for the name and since when", "向运营商核实机主与启用时间"),
    )),
    Kind("B09", Text("One deal at several lenders", "多家比价"), (
        Text("See whether car, dealer and amount are the same within 48 hours", "核对48小时内是否同车同商同额"),
    )),
    Kind("B10", Text("Applied again", "重复进件"), (
        Text("See whether it is the same person and car", "核对是否同人同车"),
    )),
    Kind("B11", Text("Group purchase", "团购"), (
        Text("Compare the event calendar and the down payments", "核对活动日历与首付"),
    )),
    Kind("B12", Text("Village or clan", "同村同族"), (
        Text("See whether payers are independent and the cars stay in the village", "核实付款人独立且车辆在当地"),
    )),
    Kind("B13", Text("Business number as contact", "商户号码作联系人"), (
        Text("Check whose number it is", "核实号码归属"),
    )),
    Kind("B14", Text("Family card repays", "家庭共用还款卡"), (
        Text("Check kinship of those on the card", "核实用卡人亲属关系"),
    )),
    Kind("B15", Text("Same name", "重名"), (
        Text("Compare ID numbers, not names", "比对证件号而非姓名"),
    )),
    Kind("B16", Text("Default value", "默认值"), (
        Text("Ask for the true value", "补录真实值"),
    )),
)  # fmt: skip

FRAUD: dict[str, Kind] = {each.code: each for each in _FRAUD}
INNOCENT: dict[str, Kind] = {each.code: each for each in _INNOCENT}
ALL: dict[str, Kind] = FRAUD | INNOCENT


def name(code: str, language: str) -> str:
    """What it is called; a code that nobody knows is its own name."""
    kind = ALL.get(code)
    return code if kind is None else kind.name.zh if language == "zh" else kind.name.en


def steps(code: str, language: str) -> tuple[str, ...]:
    """What the investigator does; those of a ring where the kind is not known."""
    kind = ALL.get(code) or FRAUD["T08"]
    return tuple(each.zh if language == "zh" else each.en for each in kind.does)
