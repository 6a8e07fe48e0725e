"""The text of an address as one spelling. Not geocoding: two spellings of a street stay two.

Writers differ in how they name building, unit and room, and in the script of
small numbers; that, blanks and punctuation are what this evens out.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from graph.normalise.reading import Reading, refused
from graph.normalise.text import ascii_upper, at_border

_BETWEEN_NUMBERS: Final = re.compile(r"(?<=[0-9])[ ,，.。、;:/\\|_~‐‑‒–—―−-]+(?=[0-9])")
_DROPPED: Final = re.compile(r"[\s,，.。、;；:：!！?？·•・\"“”'‘’`=|/\\_~()\[\]{}【】〔〕<>《》‐‑‒–—―−]+")

_SPELLINGS: Final = {
    "栋": "号楼 #楼 栋楼 幢楼 号栋 栋 幢 座 #",
    "单元": "单元",
    "层": "层 楼",
    "室": "号房间 号房 号室 房间 房 室",
} | {suffix: suffix for suffix in ("号院", "号", "弄", "组", "队", "期", "区")}
_SUFFIXES: Final = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_NUMERALS: Final = "零〇○一二三四五六七八九十百两"
_PART: Final = re.compile(
    rf"(?=[第0-9A-Z{_NUMERALS}])第?([0-9]+[A-Z]?|(?<![A-Z])[A-Z]|[{_NUMERALS}]+)"
    rf"({'|'.join(sorted(map(re.escape, _SUFFIXES), key=len, reverse=True))})"
)
_DIGITS: Final = str.maketrans("零〇○一二三四五六七八九两", "0001234567892")
_COUNTED: Final = re.compile(r"(?:([1-9])百)?(0?)(?:([1-9]?)十)?([1-9]?)")

_HYPHENS: Final = re.compile(r"(?<=[栋元层室号])-+|-+$")
_TRIPLE: Final = re.compile(r"(?<![0-9-])([0-9]{1,3})-([0-9]{1,2})-([0-9]{3,4})室?$")
_BARE_ROOM: Final = re.compile(rf"(?<=[栋元层])([0-9]{{3,4}}|[{_NUMERALS}]{{3,4}})$")
_COUNTRY: Final = re.compile(r"中华人民共和国|中国(?=.{2,8}?[省市区])")
_TWICE: Final = re.compile(r"(.{2,4}[省市])\1+")
_TWO_LETTERS: Final = re.compile(r"[^\W\d_].*?[^\W\d_]")
_ELSEWHERE: Final = re.compile(
    r"(?:同|详见|见)(?:上|户籍|身份证|户口本|住址|现住址|家庭住址).*|老家|本地|(?:地址)?(?:不详|未知|无)"
)

# Text that no rewrite can touch: saves the round that would find nothing to change.
_PLAIN: Final = rf"[^\x00-\u4dff\ua000-\U0010ffff第{_NUMERALS}]"
_SETTLED: Final = re.compile(
    rf"(?!中)(?!(.{{2,4}}[省市])\1)(?:{_PLAIN}++|[0-9]+(?:号(?![楼栋房室])|栋(?!楼)|单元|层|室|弄))*"
)
_MOST_ROUNDS: Final = 6


def _arabic(numeral: str) -> str:
    """二十三 and 二三 to 23; anything a reader would have to guess (一百二: 102 or 120?) stays."""
    figures = numeral.translate(_DIGITS)
    if figures.isdecimal():
        return figures
    counted = _COUNTED.fullmatch(figures)
    if not counted:
        return numeral
    hundreds, zero, tens, ones = counted.groups()
    # After a hundred, ones need their 零 (一百零三) and tens must not have one.
    guessed = hundreds and (bool(zero) == (tens is not None) if ones or tens is not None else bool(zero))
    if guessed or (zero and not hundreds):
        return numeral
    ten = 0 if tens is None else int(tens or 1)
    return str(100 * int(hundreds or 0) + 10 * ten + int(ones or 0))


def _part(found: re.Match[str]) -> str:
    number, suffix = found.groups()
    if suffix == "楼" and "A" <= number <= "Z":
        return f"{number}栋"  # A楼 is a building, 3楼 a floor
    return (_arabic(number) if number[0] in _NUMERALS else number) + _SUFFIXES[suffix]


def _rewritten(text: str) -> str:
    text = _DROPPED.sub("", _BETWEEN_NUMBERS.sub("-", ascii_upper(text)))
    text = _HYPHENS.sub("", _PART.sub(_part, text))
    text = _TRIPLE.sub(r"\1栋\2单元\3室", text)
    text = _BARE_ROOM.sub(lambda found: f"{_arabic(found[1])}室", text)
    if text.startswith("中"):
        text = _COUNTRY.sub("", text, count=1) if _COUNTRY.match(text) else text
    if _TWICE.match(text):
        text = _TWICE.sub(r"\1", text, count=1)
    return unicodedata.normalize("NFKC", text)


def _read_address(text: str) -> Reading:
    """Rewritten until nothing changes, so that reading the result again cannot change it either."""
    if len(text) > 300:
        return refused("too_long")
    for _ in range(_MOST_ROUNDS):
        before, text = text, text if _SETTLED.fullmatch(text) else _rewritten(text)
        if text == before:
            break
    else:
        return refused("address_unstable")
    vague = len(text) < 5 or not _TWO_LETTERS.search(text) or _ELSEWHERE.fullmatch(text)
    return refused("placeholder") if vague else Reading(text)


read_address = at_border(_read_address)

# 小区, 园区 and their like are where people live, not districts; 超市 and 市场 are no cities.
_HAN: Final = "[\u4e00-\u9fff]"
_CITY: Final = "(?<![超夜菜集])市(?!场)"
_DISTRICT: Final = re.compile(
    rf"(?:{_HAN}{{2,7}}?(?:特别行政区|自治区|省))?"
    rf"(?:{_HAN}{{1,4}}?(?:地区|盟|{_CITY})|{_HAN}{{2,16}}?自治州)?"
    rf"(?:{_HAN}{{1,3}}?(?<![小社园街校厂景库矿院])区|{_HAN}{{2,16}}?自治[县旗]|{_HAN}{{1,4}}?(?:[县旗]|{_CITY}))?"
)


def mask_address(value: str) -> str:
    """To the district; where none is written, no more than the first two characters."""
    found = _DISTRICT.match(value)
    return f"{found[0] if found and found[0] else value[:2]}***"
