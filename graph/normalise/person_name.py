"""Names of people."""

from __future__ import annotations

import re
from typing import Final

from graph.normalise.reading import Reading, refused
from graph.normalise.text import ascii_upper, at_border

# Rare characters (生僻字) live in the supplementary planes, some banks' in the private-use area.
_HAN: Final = "\u3007\u3400-\u4dbf\u4e00-\u9fff\ue000-\uf8ff\uf900-\ufaff\U00020000-\U0003fffd"
_CHINESE: Final = re.compile(rf"[{_HAN}]+(?:·[{_HAN}]+)*")
_LETTER: Final = rf"(?![\d_])[\w{_HAN}]"
_OTHER: Final = re.compile(rf"{_LETTER}(?:(?![\d_])[\w{_HAN}·' -])*(?<=[\w{_HAN}])")
_DOTS: Final = re.compile(r" ?[•・‧∙⋅·] ?")
_DOT_BETWEEN: Final = re.compile(rf"(?<=[{_HAN}])[.。](?=[{_HAN}])")
_BLANK_BETWEEN: Final = re.compile(rf"(?<=[{_HAN}]) (?=[{_HAN}])")
_TITLES: Final = ("先生", "女士", "小姐", "太太", "同志")
_WESTERN_TITLE: Final = re.compile(r"(?:mr|mrs|ms|miss|dr)(?:\. ?| )", re.IGNORECASE | re.ASCII)
_WESTERN_TITLE_AFTER: Final = re.compile(r"(.*\S) (?:mr|mrs|ms|miss|dr)\.?", re.IGNORECASE | re.ASCII)

# Surnames of two characters still in use; without them the mask of 欧阳修 would read 欧*.
_COMPOUND: Final = (
    "欧阳 司马 上官 诸葛 夏侯 皇甫 尉迟 公孙 慕容 令狐 宇文 长孙 司徒 司空 端木 东方 独孤 南宫 轩辕 百里 东郭"
    " 呼延 西门 申屠 太史 公羊 澹台 公冶 宗政 濮阳 淳于 单于 仲孙 钟离 鲜于 闾丘 亓官 司寇 巫马 拓跋 万俟"
    " 赫连 颛孙 完颜 耶律 第五 左丘 歐陽"
)
_SURNAMES: Final = tuple(_COMPOUND.split())


def _read_name(text: str) -> Reading:
    """Han without blanks; other scripts in capitals with single blanks, as documents print them."""
    name = text if _CHINESE.fullmatch(text) else _spelled(text)
    bare = _without_titles(name)
    if not _CHINESE.fullmatch(bare) and not _OTHER.fullmatch(bare):
        return refused("name_malformed" if len(bare) > 1 else "name_length")
    return Reading(bare) if 2 <= len(bare) <= 30 else refused("name_length")


def _spelled(text: str) -> str:
    name = _DOTS.sub("·", text.replace("’", "'"))
    name = _DOT_BETWEEN.sub("·", name)
    return _BLANK_BETWEEN.sub("", name).strip("· ")


def _without_titles(name: str) -> str:
    before = None
    while before != name:
        before = name
        for title in _TITLES:
            name = name.removesuffix(title).rstrip()
        if name and name[-1] < "\u3000":
            name = _WESTERN_TITLE.sub("", name, count=1) if _WESTERN_TITLE.match(name) else name
            after = _WESTERN_TITLE_AFTER.fullmatch(name)
            name = after[1] if after else name
            name = " ".join(ascii_upper(name).replace(".", " ").replace(",", " ").split())
    return name


read_name = at_border(_read_name)


def mask_name(value: str) -> str:
    """`张*`, `欧阳*`: the surname, one star whatever the length."""
    surname = 2 if value.startswith(_SURNAMES) and len(value) > 2 else 1
    return f"{value[:surname]}*"
