"""Laws of normalisation: total, idempotent, blind to the script of digits, strict about check characters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.normalise import (
    KINDS,
    REASONS,
    fold,
    id_check,
    luhn_digit,
    organisation_check,
    uscc_check,
    vin_check,
)
from graph.normalise.address import _rewritten
from loaders.parse import PLAIN

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
HAN = "张王李赵刘陈杨黄欧阳修伟芳娜敏静丽强磊军洋"
# Full-width, Arabic-Indic, Persian, Devanagari, Thai, three mathematical ones, segmented.
ZEROS = [0xFF10, 0x0660, 0x06F0, 0x0966, 0x0E50, 0x1D7CE, 0x1D7D8, 0x1D7F6, 0x1FBF0]


def digits(least: int, most: int | None = None) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most or least)


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    region = draw(st.sampled_from(["110105", "310101", "440305", "650103", "810000", "830000", "911124", "932682"]))
    born = draw(st.dates(date(1940, 1, 1), date(2007, 12, 31)))
    first17 = f"{region}{born:%Y%m%d}{draw(digits(3))}"
    return first17 + id_check(first17)


@st.composite
def with_luhn(draw: st.DrawFn, prefix: str, least: int, most: int) -> str:
    number = prefix + draw(digits(least, most))
    return number + luhn_digit(number)


@st.composite
def credit_codes(draw: st.DrawFn) -> str:
    organisation = draw(st.text(ALPHABET, min_size=8, max_size=8))
    head = draw(st.sampled_from(["91310115", "92440106", "93370102", "12110000", "N2340700"]))
    check = organisation_check(organisation)
    first17 = head + organisation + check
    return first17 + uscc_check(first17)


@st.composite
def vins(draw: st.DrawFn) -> str:
    maker = draw(st.sampled_from(["LSV", "LFV", "LRW", "LGX", "1M8", "5YJ"]))
    rest = draw(st.text(VIN_LETTERS, min_size=6, max_size=6))
    vin = f"{maker}{rest}{draw(st.sampled_from('ABCDEFGHJKLMNPRSTVWXY123456789'))}A{draw(digits(6))}"
    return vin[:8] + vin_check(vin) + vin[9:]


@st.composite
def addresses(draw: st.DrawFn) -> str:
    pieces = [
        "上海市", "浦东新区", "世纪大道", "中国", "三里屯路", "第", "号", "号楼",
        "栋", "#", "座", "单元", "层", "楼", "室",
        "房", "号院", "区", "期", "-", "/", " ", ",", "(", ")", "A", "b", "一百", "二十三", "五〇一",
        "十", "零", "3", "12",
        "501", "1203", "·", "'", "=", '"', "市", "中",
    ]  # fmt: skip
    return "".join(draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=14)))


octets = st.integers(0, 255)
names = st.text(HAN + "·•・ ", min_size=1, max_size=8) | st.text("abcABCéß'. -先生女士", min_size=1, max_size=12)
mobiles = st.builds("1{}{}".format, st.sampled_from("3456789"), digits(9))
landlines = st.builds("{}6{}".format, st.sampled_from(["010", "021", "0755", "0571"]), digits(7))
SOUND: dict[str, st.SearchStrategy[str]] = {
    "id_number": id_numbers(),
    "person": id_numbers() | st.builds("C{}".format, digits(6)),
    "passport": st.builds("E{}".format, digits(8)),
    "name": names,
    "phone": mobiles | landlines | st.builds("400{}".format, digits(7)),
    "email": st.builds("u{}@qq.com".format, digits(1, 12)),
    "vin": vins(),
    "plate": st.builds("沪A{}".format, digits(5)) | st.builds("粤B{}D".format, digits(5)),
    "uscc": credit_codes(),
    "employer_name": st.text("上海张三集团有限公司（）()【】[] abcß\u0307\u0301i", min_size=1, max_size=20),
    "card": with_luhn("62", 10, 16),
    "account": with_luhn("62", 10, 16) | st.text("abcXYZ019_-", min_size=1, max_size=20),
    "imei": with_luhn("86", 12, 12),
    "device": st.text("abcdefABCDEF0123456789-", min_size=1, max_size=40),
    "ip": st.builds("{}.{}.{}.{}".format, octets, octets, octets, octets) | st.ip_addresses(v=6).map(str),
    "bssid": st.builds("{}:{}:0c:0d:0e:0f".format, st.sampled_from(["aa", "B", "1"]), digits(2)),
    "region": st.builds("3101{}".format, digits(2)),
    "address": addresses(),
    "geohash": st.text("0123456789bcdefghjkmnpqrstuvwxyz", min_size=5, max_size=12),
    "hash": st.text("0123456789abcdef", min_size=8, max_size=64),
    "opaque": st.text("abcXYZ0123456789_-.", min_size=1, max_size=20),
    "voice": st.text("abcXYZ0123456789_-.", min_size=1, max_size=20),
}
HOSTILE = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.binary(), st.binary().map(bytearray), st.text(),
    st.text(st.characters(codec=None)),
    st.text("'`=\" .0123456789eE+-xX无\u200b\u0301\ud800Ａ１", max_size=25),
)  # fmt: skip
each_kind = pytest.mark.parametrize("kind", KINDS)


def test_every_kind_has_a_strategy() -> None:
    assert SOUND.keys() == KINDS.keys()


@each_kind
@given(st.data())
def test_total_and_idempotent(kind: str, data: st.DataObject) -> None:
    raw = data.draw(HOSTILE | SOUND[kind])
    reading = KINDS[kind].read(raw)
    if reading.value is None:
        assert reading.reason in REASONS
        assert reading.warning is None
        return
    assert reading.reason is None
    assert reading.warning is None or reading.warning in REASONS
    assert reading.value == fold(reading.value) != ""
    reading.value.encode()
    assert KINDS[kind].normalise(reading.value) == reading.value
    assert KINDS[kind].mask(reading.value)


@given(HOSTILE)
def test_folding_twice_changes_nothing(raw: object) -> None:
    assert fold(fold(raw)) == fold(raw)


@each_kind
@given(st.data())
def test_the_script_of_a_digit_never_changes_the_key(kind: str, data: st.DataObject) -> None:
    plain = data.draw(SOUND[kind])
    zeros = data.draw(st.lists(st.sampled_from([0x30, *ZEROS]), min_size=len(plain), max_size=len(plain)))
    disguised = "".join(
        chr(zero + int(sign)) if sign in "0123456789" else sign for zero, sign in zip(zeros, plain, strict=True)
    )
    assert KINDS[kind].read(disguised) == KINDS[kind].read(plain)


@each_kind
@given(st.data())
def test_invisible_characters_and_wrapping_never_change_the_key(kind: str, data: st.DataObject) -> None:
    plain = data.draw(SOUND[kind])
    at = data.draw(st.integers(0, len(plain)))
    invisible = data.draw(st.sampled_from("\u200b\ufeff\u200e\u2060\u00ad\ufe0f\x00"))
    wrap: Callable[[str], str] = data.draw(st.sampled_from(["{}", " {}\t", "'{}", "\u3000{}\n"])).format
    assert KINDS[kind].read(wrap(plain[:at] + invisible + plain[at:])) == KINDS[kind].read(plain)


@pytest.mark.parametrize("kind", ["id_number", "uscc", "card", "imei"])
@given(st.data())
def test_one_wrong_character_is_caught(kind: str, data: st.DataObject) -> None:
    sound = data.draw(SOUND[kind])
    at = data.draw(st.integers(0, len(sound) - 1))
    wrong = data.draw(st.sampled_from(sorted(set(ALPHABET if kind == "uscc" else "0123456789") - {sound[at]})))
    assert KINDS[kind].normalise(sound[:at] + wrong + sound[at + 1 :]) is None


@given(id_numbers())
def test_two_neighbours_of_an_id_number_swapped_are_caught(sound: str) -> None:
    for at in range(16):
        if sound[at] != sound[at + 1]:
            assert KINDS["id_number"].normalise(sound[:at] + sound[at + 1] + sound[at] + sound[at + 2 :]) is None


@given(addresses())
def test_a_canonical_address_leaves_nothing_to_rewrite(raw: str) -> None:
    canonical = KINDS["address"].normalise(raw)
    assert canonical is None or _rewritten(canonical) == canonical


SHOWN = {
    "id_number": (3, 4),
    "phone": (3, 4),
    "card": (4, 4),
    "vin": (0, 6),
    "plate": (2, 2),
    "device": (2, 2),
}


@pytest.mark.parametrize("kind", SHOWN)
@given(st.data())
def test_the_mask_depends_on_the_shown_ends_only(kind: str, data: st.DataObject) -> None:
    sound = data.draw(
        mobiles | landlines if kind == "phone" else SOUND[kind].filter(lambda value: len(value) >= 8 or kind == "plate")
    )
    head, tail = SHOWN[kind]
    hidden = data.draw(digits(len(sound) - head - tail))
    twin = sound[:head] + hidden + sound[len(sound) - tail :]
    assert KINDS[kind].mask(twin) == KINDS[kind].mask(sound) != sound


@given(octets, octets)
def test_an_ip_is_shown_to_its_16(third: int, fourth: int) -> None:
    assert KINDS["ip"].mask(f"36.112.{third}.{fourth}") == "36.112.*.*"


@given(addresses())
def test_an_address_is_shown_to_its_district(rest: str) -> None:
    assert KINDS["address"].mask(f"上海市浦东新区{rest}") == "上海市浦东新区***"


@given(st.text(HAN, min_size=1, max_size=3))
def test_a_name_shows_the_surname_only(given_name: str) -> None:
    assert KINDS["name"].mask(f"孙{given_name}") == "孙*"
    assert KINDS["name"].mask(f"诸葛{given_name}") == "诸葛*"


@pytest.mark.parametrize("kind", sorted(PLAIN))
@given(data=st.data())
def test_what_is_taken_as_it_stands_would_be_read_the_same(kind: str, data: st.DataObject) -> None:
    """Columns are matched at once by these patterns; whatever they match must pass the kind's own rule unchanged."""
    value = data.draw(st.from_regex(PLAIN[kind], fullmatch=True))
    assert tuple(KINDS[kind].read(value)) == (value, None, None)
