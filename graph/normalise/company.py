"""Companies: unified social credit code (GB 32100-2015) and an employer's name."""

from __future__ import annotations

import re
import unicodedata
from operator import mul
from typing import Final

from graph.normalise.place import PROVINCES
from graph.normalise.reading import Reading, refused
from graph.normalise.text import ascii_upper, at_border, compact

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES: Final = bytes.maketrans(_ALPHABET.encode(), bytes(range(31)))
_WEIGHTS: Final = tuple(3**power % 31 for power in range(17))
_USCC: Final = re.compile(rf"[{_ALPHABET}]{{18}}")
_CENTRAL: Final = "10"  # bodies registered by the centre, not by a province

_ORGANISATION: Final = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", bytes(range(36)))
_ORGANISATION_WEIGHTS: Final = (3, 7, 9, 10, 5, 8, 4, 2)


def uscc_check(first17: str) -> str:
    """The 18th character of 17 characters of the code's own alphabet; N… and Y… codes are as good as 9…"""
    total = sum(map(mul, _WEIGHTS, first17.encode().translate(_VALUES)))
    return _ALPHABET[-total % 31]


def organisation_check(first8: str) -> str:
    """The 9th character of an organisation code (GB 11714), the 17th of a credit code."""
    total = sum(map(mul, _ORGANISATION_WEIGHTS, first8.encode().translate(_ORGANISATION)))
    return "0123456789X"[-total % 11]


def _read_uscc(text: str) -> Reading:
    code = ascii_upper(compact(text))
    if len(code) != 18:
        return refused("uscc_length")
    if not _USCC.fullmatch(code):
        return refused("uscc_alphabet")
    if uscc_check(code[:17]) != code[17]:
        return refused("excel_rounded" if code.isdecimal() and code.endswith("000") else "uscc_check")
    if code[2:4] not in PROVINCES and code[2:4] != _CENTRAL:
        return Reading(code, warning="uscc_region")
    if organisation_check(code[8:16]) != code[16]:
        return Reading(code, warning="uscc_organisation")
    return Reading(code)


_BRACKETS: Final = str.maketrans("[]{}【】〔〕〖〗", "()()()()()")
_BRACKETED: Final = re.compile(r"[\[\]{}【】〔〕〖〗]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_LEGAL_FORM: Final = re.compile(r"(?:股份|集团)?(?:有限|责任)*(?:公司|企业|集团)?")

# People without an employer share these words, not a workplace.
_NO_EMPLOYER: Final = (
    "无业 待业 失业 自由职业 自由职业者 个体 个体户 个体经营 自雇 自营 务农 农民 退休 离退休 学生 家庭主妇"
    " 无单位 无工作 灵活就业 打工 其他 公司 单位"
)
_NO_EMPLOYERS: Final = frozenset(_NO_EMPLOYER.split())


def _read_employer(text: str) -> Reading:
    """The legal form stays: 有限公司 and 个体 of one name are two entities."""
    name = ascii_upper(text.replace(" ", ""))
    if _BRACKETED.search(name):
        name = name.translate(_BRACKETS)
    name = unicodedata.normalize("NFKC", name)  # letters that lost a blank between them may compose
    if name in _NO_EMPLOYERS or _LEGAL_FORM.fullmatch(name):
        return refused("placeholder")
    if len(name) < 2:
        return refused("too_short")
    if len(name) > 100:
        return refused("too_long")
    return Reading(name) if _LETTER.search(name) else refused("employer_malformed")


read_uscc = at_border(_read_uscc)
read_employer = at_border(_read_employer)
