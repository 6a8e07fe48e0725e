"""Why a value was refused or deserves a look: one sentence with the remedy, in both languages.

Shown beside the row and the column, never with the value.
"""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    en: str
    zh: str


REASONS: dict[str, Reason] = {
    # any kind
    "blank": Reason("The cell is empty; fill it in or leave the column out.", "单元格为空，请补录或去掉该列。"),
    "placeholder": Reason(
        "This is filler, not a value; enter the real one or leave the cell empty.",
        "这是占位内容而非真实值，请填写真实值或留空。",
    ),
    "encoding_damaged": Reason(
        "The text was decoded with the wrong character set; export again as UTF-8 or GB18030.",
        "文本编码已损坏，请以 UTF-8 或 GB18030 重新导出。",
    ),
    "excel_scientific": Reason(
        "A spreadsheet lost digits to scientific notation; export the column as text.",
        "电子表格已将号码转成科学计数法并丢失位数，请将该列设为文本后重新导出。",
    ),
    "excel_rounded": Reason(
        "A spreadsheet kept 15 digits and zeroed the rest; export the column as text.",
        "电子表格只保留了 15 位有效数字，其余变为 0，请将该列设为文本后重新导出。",
    ),
    "leading_zero_lost": Reason(
        "The 0 of the area code is missing, as after a spreadsheet; export the column as text.",
        "区号开头的 0 已丢失（常见于电子表格），请将该列设为文本后重新导出。",
    ),
    "too_short": Reason("The value is too short for its kind; check that it is whole.", "内容过短，请核对是否完整。"),
    "too_long": Reason("The value is too long for its kind; check the column mapping.", "内容过长，请核对列映射。"),
    "inner_blank": Reason(
        "An identifier holds no blanks; check the column mapping.", "标识符中不应有空格，请核对列映射。"
    ),
    "characters": Reason(
        "There are characters that this kind never holds; check the column mapping.",
        "含有该类标识不允许的字符，请核对列映射。",
    ),
    # people
    "id_length": Reason("An ID number has 18 characters; enter it whole.", "身份证号应为 18 位，请补全。"),
    "id_characters": Reason(
        "An ID number is 17 digits and a digit or X; correct the other characters.",
        "身份证号应为 17 位数字加一位数字或 X，请更正其他字符。",
    ),
    "id_region": Reason(
        "The ID number starts with no province code; check its first digits.",
        "身份证号开头不是有效的省级代码，请核对前几位。",
    ),
    "id_birth_date": Reason(
        "The birth date inside the ID number does not exist; check digits 7 to 14.",
        "身份证号中的出生日期不存在，请核对第 7 至 14 位。",
    ),
    "id_check": Reason(
        "The check character of the ID number is wrong; compare it with the card.",
        "身份证号校验码错误，请与证件核对。",
    ),
    "id_first_generation": Reason(
        "A 15-digit number is no longer valid and was upgraded for matching only; ask for the new card.",
        "15 位一代证号已失效，仅升位用于历史匹配，请要求提供新证件。",
    ),
    "id_type_mismatch": Reason(
        "The number belongs to another type of document; correct the type.",
        "号码与证件类型不符，请更正证件类型。",
    ),
    "id_type_unknown": Reason(
        "The type of document is unknown; use resident, hmt_residence, foreign_pr or passport.",
        "证件类型未知，请使用 resident、hmt_residence、foreign_pr 或 passport。",
    ),
    "passport_malformed": Reason(
        "A passport number is 5 to 15 letters and digits; check it against the document.",
        "护照号应为 5 至 15 位字母和数字，请与证件核对。",
    ),
    "name_malformed": Reason(
        "A name holds letters, blanks and · only; check the column mapping.",
        "姓名只能包含文字、空格和“·”，请核对列映射。",
    ),
    "name_length": Reason(
        "A name has 2 to 30 characters without its title; enter it in full.",
        "去掉称谓后姓名应为 2 至 30 个字，请填写全名。",
    ),
    # phones
    "phone_malformed": Reason(
        "This is no Chinese mobile, landline, 400 or service number; check its digits.",
        "不是有效的手机、固话、400 或服务号码，请核对位数。",
    ),
    "phone_foreign": Reason(
        "Numbers outside mainland China are not linked; enter a mainland number if there is one.",
        "境外号码不参与关联，如有境内号码请填写。",
    ),
    "phone_relay": Reason(
        "A mobile number with an extension is a relay shared by strangers; enter the person's own.",
        "带分机的手机号是多人共用的隐私中转号，请填写本人号码。",
    ),
    "phone_extension_dropped": Reason(
        "The extension was dropped; the number is a switchboard shared by colleagues.",
        "已去掉分机号，该号码为同事共用的总机。",
    ),
    "phone_prefix_unassigned": Reason(
        "Our table knows no operator for this prefix; verify the number or update the table.",
        "号段表中该号段尚未分配，请核实号码或更新号段表。",
    ),
    "phone_iot": Reason(
        "The number belongs to a data card or device, not to a person; ask for a voice number.",
        "该号码属于数据卡或物联网设备，请提供可通话的号码。",
    ),
    # vehicles
    "vin_length": Reason("A VIN has 17 characters; enter it whole.", "车架号应为 17 位，请补全。"),
    "vin_letters": Reason(
        "A VIN holds letters and digits without I, O and Q; they are usually 1 and 0.",
        "车架号只含数字和除 I、O、Q 外的字母，请核对是否为 1 或 0。",
    ),
    "vin_model_year": Reason(
        "Position 10 of the VIN is no model year; compare it with the certificate.",
        "车架号第 10 位不是有效的年份代码，请与合格证核对。",
    ),
    "vin_check": Reason(
        "The check digit of the VIN is wrong; compare it with the certificate.",
        "车架号校验位错误，请与合格证核对。",
    ),
    "vin_check_unproven": Reason(
        "The VIN carries no check digit, as many European imports; compare it with the certificate.",
        "车架号校验位不符（欧洲进口车常见），请与合格证核对。",
    ),
    "plate_malformed": Reason(
        "This is no mainland plate: province, letter, five or six characters without I and O.",
        "不是有效的号牌：省份简称、字母、五或六位（不含 I、O），请核对。",
    ),
    "plate_issuer_o": Reason(
        "The letter O marked police and government cars; check whether it is a misread character.",
        "发牌代号 O 曾用于公安和政府车辆，请核对是否误录。",
    ),
    # companies and accounts
    "uscc_length": Reason("A credit code has 18 characters; enter it whole.", "统一社会信用代码应为 18 位，请补全。"),
    "uscc_alphabet": Reason(
        "A credit code never holds I, O, S, V or Z; they are usually 1, 0, 5, U and 2.",
        "统一社会信用代码不含 I、O、S、V、Z，请核对是否误录。",
    ),
    "uscc_check": Reason(
        "The check character of the credit code is wrong; compare it with the licence.",
        "统一社会信用代码校验码错误，请与营业执照核对。",
    ),
    "uscc_organisation": Reason(
        "The organisation code inside the credit code has a wrong check digit; compare it with the licence.",
        "信用代码中的组织机构代码校验位不符，请与营业执照核对。",
    ),
    "uscc_region": Reason(
        "The region inside the credit code is no province; compare it with the licence.",
        "信用代码中的行政区划不属于任何省份，请与营业执照核对。",
    ),
    "employer_malformed": Reason(
        "An employer's name holds at least one letter; check the column mapping.",
        "单位名称应含有文字，请核对列映射。",
    ),
    "card_length": Reason(
        "A card number has 13 to 19 digits; enter it whole.", "银行卡号应为 13 至 19 位数字，请补全。"
    ),
    "card_check": Reason(
        "The check digit of the card number is wrong; compare it with the card.",
        "银行卡号校验位错误，请与卡面核对。",
    ),
    # devices and networks
    "imei_length": Reason("An IMEI has 15 digits; enter it whole.", "IMEI 应为 15 位数字，请补全。"),
    "imei_check_missing": Reason(
        "The IMEI has 14 digits: its check digit or a leading zero is missing; read it with *#06#.",
        "IMEI 只有 14 位，缺少校验位或开头的 0，请用 *#06# 查询。",
    ),
    "imei_check": Reason(
        "The check digit of the IMEI is wrong; read it again with *#06#.",
        "IMEI 校验位错误，请用 *#06# 重新查询。",
    ),
    "email_malformed": Reason("This is no e-mail address; check it.", "不是有效的电子邮箱地址，请核对。"),
    "ip_malformed": Reason(
        "This is no IP address; give one address without port or list.",
        "不是有效的 IP 地址，请只提供一个不带端口的地址。",
    ),
    "ip_private": Reason(
        "Private, shared and reserved addresses say nothing about people; record the public address.",
        "私有、运营商共享或保留地址不能用于关联，请采集公网地址。",
    ),
    "hash_malformed": Reason(
        "A hash is 8 to 128 hexadecimal characters; check the column mapping.",
        "哈希值应为 8 至 128 位十六进制字符，请核对列映射。",
    ),
    # places
    "region_malformed": Reason(
        "A region is a six-digit GB/T 2260 code; give the code, not the name.",
        "行政区划应为六位 GB/T 2260 代码，请填代码而非名称。",
    ),
    "region_province": Reason(
        "The region starts with no province code; check its first two digits.",
        "行政区划代码开头不是有效的省级代码，请核对前两位。",
    ),
    "address_unstable": Reason(
        "The address mixes numbers and marks in a way that has no single reading; rewrite it plainly.",
        "地址中的数字与符号无法唯一解读，请改写清楚。",
    ),
    "geohash_malformed": Reason(
        "A geohash is 5 to 12 characters without a, i, l and o; check the column mapping.",
        "geohash 应为 5 至 12 位且不含 a、i、l、o，请核对列映射。",
    ),
}
