"""Every sample value of domain.md §3.4 with its result, then what else arrives in real files."""

from __future__ import annotations

from datetime import date
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.normalise import (
    KINDS,
    REASONS,
    fold,
    id_check,
    id_facts,
    is_virtual,
    luhn_digit,
    phone_type,
    read_document,
    uscc_check,
    valid_coordinates,
    vin_check,
)
from graph.normalise.reading import Reading
from graph.normalise.text import PLACEHOLDERS, PLAIN_CODE, at_border

SOUND = {
    "id_number": [
        "11010519491231002X", "310101199003074511", "440305198511203325", "31011519920817002X",
        "370102198506301133", "440106200002290032", "650103197801012050",
        "830000199210140032", "810000198805060017",
        "911124198108030024", "932682198501010017",  # the two specimens of the immigration administration
    ],
    "phone": [
        "19212345678", "17012345678", "16512345678", "16712345678", "16212345678", "17112345678",
        "02162345678", "075582345678", "4008123456", "8008123456", "95588", "10086", "12345",
    ],
    "vin": [
        "LSVAM4187C2184847", "LSGPC52U8DF000001", "LSJW74099MS012345", "LEFADCD17RH000123",
        "LGXCE6CB0R0123456", "LFV2A21KXG4000777",
        "LSVXL25N6N2012345", "LRWYGCEK9PC123456", "1M8GDM9AXKP042788",
    ],
    "plate": [
        "沪A12345", "沪A12B45", "京AD12345", "粤BF12345", "苏CA12345", "鲁NK01234", "粤B12345D", "鄂A1234挂",
        "粤Z1234港", "粤Z1234澳", "沪A1234学", "京A1234警", "使123456", "沪A1234领",
    ],
    "uscc": [
        "91350100M000100Y43", "91110000600037341L", "91310115MA1H8R7C41", "92440106MA5XK2LP9B",
        "91310115MA1FL1237Y", "91440106MA59ABCD1M", "N2340700MF12345671",
    ],
    "card": ["6222021001123456789", "6217000010000123458", "6228480012345678903", "4000000123456784"],
    "imei": ["490154203237518", "860123041234567", "353328111234561"],
    "account": ["6222021001123456780", "acct_9fA2", "0200001009014412345"],
    "ip": ["36.112.1.2", "223.255.255.255", "2409:8900::1"],
    "bssid": ["aa:bb:cc:0d:ee:ff", "tok_Abc9"],
    "device": ["DEV-abc123", "0F3A9C1E-77B2-4C0A-9D51-2E8B6A7C4D10"],
    "region": ["310101", "110105", "830000"],
    "name": ["张三", "欧阳修", "阿不都·买买提", "𠮷田花", "JOHN SMITH", "O'BRIEN PAT"],
    "employer_name": ["上海某某(集团)有限公司", "张三早餐店"],
    "geohash": ["wtw3sjq", "wtw3s"],
    "hash": ["deadbeef01234567", "e3b0c44298fc1c14"],
    "opaque": ["D-1", "7", "111", "经销商A"],
    "voice": ["vp_93-a"],
    "email": ["zhang.san@qq.com"],
    "passport": ["E12345678"],
    "person": ["11010519491231002X", "CUST-000123"],
}  # fmt: skip

REWRITTEN = [
    ("id_number", "11010519491231002x", "11010519491231002X"),
    ("id_number", " 310101 19900307 4511 ", "310101199003074511"),
    ("id_number", "３１０１０１１９９００３０７４５１１", "310101199003074511"),
    ("id_number", "'310101199003074511", "310101199003074511"),
    ("id_number", '="310101199003074511"', "310101199003074511"),
    ("id_number", 310101199003074511, "310101199003074511"),
    ("id_number", b"310101199003074511", "310101199003074511"),
    ("phone", "+86 139-1234-5678", "13912345678"),
    ("phone", "8613912345678", "13912345678"),
    ("phone", "0086 139 1234 5678", "13912345678"),
    ("phone", "013912345678", "13912345678"),
    ("phone", "13912345678.0", "13912345678"),
    ("phone", 13912345678.0, "13912345678"),
    ("phone", "\ufeff139\u200b12345678\t", "13912345678"),
    ("phone", "`13912345678", "13912345678"),
    ("phone", "(021) 6234-5678", "02162345678"),
    ("phone", "+86 21 62345678", "02162345678"),
    ("vin", "lsvam4187c2184847", "LSVAM4187C2184847"),
    ("plate", "沪a·12345", "沪A12345"),
    ("uscc", "91310115ma1h8r7c41", "91310115MA1H8R7C41"),
    ("card", "6222 0210 0112 3456 789", "6222021001123456789"),
    ("account", "6222 0210 0112 3456 789", "6222021001123456789"),
    ("ip", "2409:8900:0:0:0:0:0:1", "2409:8900::1"),
    ("ip", "::ffff:36.112.1.2", "36.112.1.2"),
    ("bssid", "AA-BB-CC-D-EE-FF", "aa:bb:cc:0d:ee:ff"),
    ("bssid", "aabb.cc0d.eeff", "aa:bb:cc:0d:ee:ff"),
    ("email", "Zhang.San@QQ.com", "zhang.san@qq.com"),
    ("region", 310101.0, "310101"),
    ("opaque", "10023.0", "10023"),
    ("name", "张 三 先生", "张三"),
    ("name", "阿不都•买买提", "阿不都·买买提"),
    ("name", "阿不都・买买提", "阿不都·买买提"),
    ("name", "Mr. John Smith", "JOHN SMITH"),
    ("name", "O’Brien Pat", "O'BRIEN PAT"),
    ("employer_name", "上海 某某【集团】有限公司", "上海某某(集团)有限公司"),
    ("employer_name", "上海某某（集团）有限公司", "上海某某(集团)有限公司"),
    ("hash", "0xDEADBEEF01234567", "deadbeef01234567"),
    ("geohash", "WTW3SJQ", "wtw3sjq"),
]

WARNED = [
    ("id_number", "110105491231002", "11010519491231002X", "id_first_generation"),
    ("phone", "15412345678", "15412345678", "phone_prefix_unassigned"),
    ("phone", "16112345678", "16112345678", "phone_prefix_unassigned"),
    ("phone", "19412345678", "19412345678", "phone_prefix_unassigned"),
    ("phone", "14912345678", "14912345678", "phone_iot"),
    ("phone", "1064612345678", "1064612345678", "phone_iot"),
    ("phone", "0755-82345678-801", "075582345678", "phone_extension_dropped"),
    ("phone", "021-62345678转801", "02162345678", "phone_extension_dropped"),
    ("vin", "WVWZZZ1KZ6W000001", "WVWZZZ1KZ6W000001", "vin_check_unproven"),
    ("plate", "沪O12345", "沪O12345", "plate_issuer_o"),
]

REFUSED = [
    ("id_number", "110105194912310021", "id_check"),
    ("id_number", "370481197802290018", "id_birth_date"),
    ("id_number", "321282199913010011", "id_birth_date"),
    ("id_number", "990101199003074518", "id_region"),
    ("id_number", "31010119900307451", "id_length"),
    ("id_number", "3101011990O3074511", "id_characters"),
    ("id_number", "1.10105E+17", "excel_scientific"),
    ("id_number", 1.10105e17, "excel_scientific"),
    ("id_number", "310101199003074000", "excel_rounded"),
    ("phone", "13800138000", "placeholder"),
    ("phone", "13888888888", "placeholder"),
    ("phone", "13900000000", "placeholder"),
    ("phone", "00000000000", "placeholder"),
    ("phone", "12345678901", "phone_malformed"),
    ("phone", "1380013800", "phone_malformed"),
    ("phone", "1.3912E+10", "excel_scientific"),
    ("phone", "2162345678", "leading_zero_lost"),
    ("phone", "75582345678", "leading_zero_lost"),
    ("phone", "+852 91234567", "phone_foreign"),
    ("phone", "13912345678转801", "phone_relay"),
    ("vin", "LSVAM4187C2184874", "vin_check"),
    ("vin", "LSVAM418IC2184847", "vin_letters"),
    ("vin", "LSVAM418OC2184847", "vin_letters"),
    ("vin", "LSVAM4187C218484", "vin_length"),
    ("vin", "LSVAM41870U184847", "vin_model_year"),
    ("vin", "11111111111111111", "placeholder"),
    ("plate", "沪A1234I", "plate_malformed"),
    ("plate", "XA12345", "plate_malformed"),
    ("plate", "沪A00000", "placeholder"),
    ("uscc", "91350100M000100Y4Z", "uscc_alphabet"),
    ("uscc", "91310115MA1H8R7C6D", "uscc_check"),
    ("uscc", "91310115MA1H8RIC61", "uscc_alphabet"),
    ("uscc", "9131011SMA1H8R7C61", "uscc_alphabet"),
    ("uscc", "91310115MA1H8R7C4", "uscc_length"),
    ("card", "6222021001123456780", "card_check"),
    ("card", "62170000100001234", "card_check"),
    ("card", "6222021001123450000", "excel_rounded"),
    ("card", "622202", "card_length"),
    ("imei", "490154203237517", "imei_check"),
    ("imei", "860123041234560", "imei_check"),
    ("imei", "000000000000000", "placeholder"),
    ("imei", "49015420323751", "imei_check_missing"),
    ("imei", "4901542032375180", "imei_length"),
    ("ip", "10.0.0.1", "ip_private"),
    ("ip", "100.64.3.3", "ip_private"),
    ("ip", "192.168.1.1", "ip_private"),
    ("ip", "127.0.0.1", "ip_private"),
    ("ip", "169.254.1.1", "ip_private"),
    ("ip", "224.0.0.1", "ip_private"),
    ("ip", "fe80::1%eth0", "ip_private"),
    ("ip", "::1", "ip_private"),
    ("ip", "::ffff:10.1.1.1", "ip_private"),
    ("ip", "36.112.1.256", "ip_malformed"),
    ("ip", "36.112.01.2", "ip_malformed"),
    ("bssid", "00:00:00:00:00:00", "placeholder"),
    ("bssid", "FF-FF-FF-FF-FF-FF", "placeholder"),
    ("bssid", "02:00:00:00:00:00", "placeholder"),
    ("device", "00000000-0000-0000-0000-000000000000", "placeholder"),
    ("device", "unknown", "placeholder"),
    ("device", "abc", "too_short"),
    ("device", "设备指纹一二三四", "characters"),
    ("region", "990101", "region_province"),
    ("region", "上海市", "region_malformed"),
    ("name", "张", "name_length"),
    ("name", "王女士", "name_length"),
    ("name", "12345", "name_malformed"),
    ("name", "锟斤拷", "encoding_damaged"),
    ("name", "张\ud800三", "encoding_damaged"),
    ("employer_name", "12345", "employer_malformed"),
    ("employer_name", "无业", "placeholder"),
    ("employer_name", "un known", "placeholder"),
    ("employer_name", "1.1 E+17", "excel_scientific"),
    ("employer_name", "有限公司", "placeholder"),
    ("address", "不详", "placeholder"),
    ("address", "上海", "placeholder"),
    ("address", "同户籍地址", "placeholder"),
    ("geohash", "s00000", "placeholder"),
    ("geohash", "wtw3ai", "geohash_malformed"),
    ("hash", "ffffffffffffffff", "placeholder"),
    ("hash", "d41d8cd98f00b204e9800998ecf8427e", "placeholder"),
    ("hash", "not-a-hash", "hash_malformed"),
    ("opaque", "D 1", "inner_blank"),
    ("opaque", "D" * 65, "too_long"),
    ("address", "路" * 501, "too_long"),
    ("email", "zhang@", "email_malformed"),
    ("passport", "G1", "passport_malformed"),
    ("person", "110105194912310021", "id_check"),
]

MASKS = [
    ("id_number", "310101199003074511", "310***********4511"),
    ("phone", "13800138000", "138****8000"),
    ("phone", "95588", "95588"),
    ("name", "张三丰", "张*"),
    ("name", "欧阳修", "欧阳*"),
    ("card", "6222021001123456789", "6222 **** **** 6789"),
    ("account", "6222021001123456789", "6222 **** **** 6789"),
    ("vin", "LSVAM4187C2184847", "***********184847"),
    ("plate", "沪A12345", "沪A***45"),
    ("ip", "36.112.1.2", "36.112.*.*"),
    ("ip", "2409:8900::1", "2409:8900:*"),
    ("email", "zhang.san@qq.com", "z***@qq.com"),
    ("address", "上海市浦东新区世纪大道100号3栋501室", "上海市浦东新区***"),
    ("address", "江苏省苏州市昆山市玉山镇1号", "江苏省苏州市昆山市***"),
    ("address", "新疆维吾尔自治区乌鲁木齐市天山区1号", "新疆维吾尔自治区乌鲁木齐市天山区***"),
    ("address", "幸福小区3栋501室", "幸福***"),
    ("address", "世纪花园A区3栋501室", "世纪***"),
    ("geohash", "wtw3sjqm", "wtw3sj*"),
    ("employer_name", "上海某某(集团)有限公司", "上海某某(集团)有限公司"),
    ("opaque", "CUST000123", "CU***23"),
    ("opaque", "ABCDE", "A***E"),
    ("opaque", "7", "***"),
]

SAME_ADDRESS = [
    "上海市浦东新区世纪大道100号3号楼2单元501室",
    "上海市 浦东新区 世纪大道１００号３＃楼２单元５０１房",
    "上海市浦东新区世纪大道一百号三栋二单元五〇一室",
    "上海市浦东新区世纪大道100号3幢2单元501",
    "上海市浦东新区世纪大道100号，3座-2单元-501房间",
    "上海市浦东新区世纪大道100号3栋楼2单元501室",
    "中国上海市上海市浦东新区世纪大道100号第三栋第二单元501号房",
]


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in SOUND.items() for value in values])
def test_a_sound_value_is_its_own_canonical_form(kind: str, value: str) -> None:
    reading = KINDS[kind].read(value)
    assert (reading.value, reading.reason, reading.warning) == (value, None, None)


@pytest.mark.parametrize(("kind", "raw", "canonical"), REWRITTEN)
def test_spellings_meet(kind: str, raw: object, canonical: str) -> None:
    assert KINDS[kind].normalise(raw) == canonical


@pytest.mark.parametrize(("kind", "raw", "canonical", "warning"), WARNED)
def test_a_doubtful_value_stands_with_a_warning(kind: str, raw: str, canonical: str, warning: str) -> None:
    reading = KINDS[kind].read(raw)
    assert (reading.value, reading.reason, reading.warning) == (canonical, None, warning)


@pytest.mark.parametrize(("kind", "raw", "reason"), REFUSED)
def test_refused_with_a_reason(kind: str, raw: object, reason: str) -> None:
    reading = KINDS[kind].read(raw)
    assert (reading.value, reading.reason) == (None, reason)


@pytest.mark.parametrize(("kind", "canonical", "masked"), MASKS)
def test_masks_as_specified(kind: str, canonical: str, masked: str) -> None:
    assert KINDS[kind].mask(canonical) == masked


@pytest.mark.parametrize("raw", SAME_ADDRESS)
def test_one_address_in_many_spellings(raw: str) -> None:
    assert KINDS["address"].normalise(raw) == "上海市浦东新区世纪大道100号3栋2单元501室"


@pytest.mark.parametrize("raw", ["世纪花园3-2-501", "世纪花园3栋2单元501室", "世纪花园 3 2 501"])
def test_building_unit_room_by_hyphens(raw: str) -> None:
    assert KINDS["address"].normalise(raw) == "世纪花园3栋2单元501室"


def test_a_lettered_building_is_no_floor() -> None:
    assert KINDS["address"].normalise("创新大厦A楼3楼301") == "创新大厦A栋3层301室"


@pytest.mark.parametrize("raw", ["人民路一百二号院3栋", "人民路3号一百零室"])
def test_a_number_a_reader_must_guess_stays_as_written(raw: str) -> None:
    assert "一百" in (KINDS["address"].normalise(raw) or "")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "raw", ["无", "没有", "不详", "未知", "暂无", "N/A", "na", "NULL", "None", "-", "0", "000000", "——"]
)
def test_filler_never_becomes_a_key(kind: str, raw: str) -> None:
    assert KINDS[kind].read(raw).reason == "placeholder"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raw", [None, "", "  ", "\u200b", "'", '=""', float("nan"), b""])
def test_nothing_is_blank(kind: str, raw: object) -> None:
    assert KINDS[kind].read(raw).reason == "blank"


def test_every_code_is_explained_and_every_explanation_is_used() -> None:
    used = {
        "blank",
        "id_type_unknown",
        "id_type_mismatch",
        "uscc_region",
        "uscc_organisation",
        "address_unstable",
    }
    used |= {reason for _, _, reason in REFUSED} | {warning for *_, warning in WARNED}
    assert REASONS.keys() == used
    assert all(reason.en.endswith(".") and reason.zh.endswith("。") for reason in REASONS.values())


def test_facts_of_an_id_number() -> None:
    assert id_facts("11010519491231002X") == ("110105", date(1949, 12, 31), True)
    assert id_facts("310101199003074511") == ("310101", date(1990, 3, 7), False)
    assert id_facts("911124198108030024") == ("110000", date(1981, 8, 3), True)
    assert id_facts("CAN110081081310") is None


@pytest.mark.parametrize(
    ("id_type", "raw", "value", "code"),
    [
        ("resident", "310101199003074511", "310101199003074511", None),
        ("hmt_residence", "830000199210140032", "830000199210140032", None),
        ("foreign_pr", "911124198108030024", "911124198108030024", None),
        ("foreign_pr", "CAN110081081310", "CAN110081081310", None),
        ("passport", "e 1234 5678", "E12345678", None),
        ("resident", "830000199210140032", "830000199210140032", "id_type_mismatch"),
        ("hmt_residence", "310101199003074511", "310101199003074511", "id_type_mismatch"),
        ("foreign_pr", "CAN990081081310", None, "id_region"),
        ("driving_licence", "310101199003074511", None, "id_type_unknown"),
    ],
)
def test_documents_by_type(id_type: str, raw: str, value: str | None, code: str | None) -> None:
    reading = read_document(id_type, raw)
    assert (reading.value, reading.reason or reading.warning) == (value, code)


@pytest.mark.parametrize(
    ("number", "kind"),
    [("13912345678", "mobile"), ("02162345678", "landline"), ("4008123456", "400"), ("95588", "service"),
     ("1064612345678", "iot"), ("14912345678", "iot")],
)  # fmt: skip
def test_type_of_a_phone(number: str, kind: str) -> None:
    assert phone_type(number) == kind


def test_type_of_no_phone_is_an_error_without_the_number() -> None:
    with pytest.raises(ValueError, match="canonical") as caught:
        phone_type("1380013800")
    assert "1380013800" not in str(caught.value)


def test_virtual_operators() -> None:
    assert all(map(is_virtual, ["17012345678", "16512345678", "16712345678", "16212345678", "17112345678"]))
    assert not any(map(is_virtual, ["13912345678", "17312345678", "02162345678"]))


def test_credit_code_with_doubtful_parts_stands() -> None:
    no_such_region = "91990100M000100Y4"
    wrong_organisation = "91350100M000100Y5"
    read = KINDS["uscc"].read
    assert read(no_such_region + uscc_check(no_such_region)).warning == "uscc_region"
    assert read(wrong_organisation + uscc_check(wrong_organisation)).warning == "uscc_organisation"


def test_check_digits() -> None:
    assert id_check("11010519491231002") == "X"
    assert uscc_check("91350100M000100Y4") == "3"
    assert luhn_digit("622202100112345678") == "9"
    assert vin_check("1M8GDM9A_KP042788".replace("_", "0")) == "X"


def test_coordinates_of_china() -> None:
    assert valid_coordinates(31.23, 121.47)
    assert not any(valid_coordinates(*at) for at in [(0, 0), (121.47, 31.23), (float("nan"), 121.0), (55, 100)])


def test_fold() -> None:
    assert fold("  Ａｂ\u3000１２\u200b٣\u00a0\n") == "Ab 123"
    assert fold(2.0**53) == "9.007199254740992E+15"
    assert fold(True) == "True"
    assert fold("中文".encode("gb18030")) == "中文"
    assert fold(10**5000).startswith("0x")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("piece", ["张", "1 ", "1-", "a.", "a b", "A1", "一", "1x", "·张", "市", "mr ", "第1", "- "])
def test_long_junk_is_answered_at_once(kind: str, piece: str) -> None:
    """Nested repetition in a pattern would run for minutes on the first row that is made for it."""
    for times in (60, 498 // len(piece), 100_000):
        start = process_time()
        KINDS[kind].read(piece * times + "!")
        assert process_time() - start < 0.5


# Codes that pass the border as they are ----------------------------------------------------------------


@pytest.mark.parametrize("counted", [False, True])
@given(code=st.from_regex(PLAIN_CODE, fullmatch=True))
def test_a_plain_code_passes_the_border_as_it_would_after_a_look(code: str, counted: bool) -> None:
    """A tab before it is no part of any plain code, and the border takes it away."""
    read = at_border(Reading, counted=counted)
    assert read(code) == read(f"\t{code}") == Reading(code)


def test_filler_is_no_plain_code() -> None:
    filler = [*PLACEHOLDERS, *(character * length for character in "0179xXa" for length in (9, 10, 11, 18, 300))]
    assert not [each for each in filler if PLAIN_CODE.fullmatch(each)]
