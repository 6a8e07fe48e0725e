"""Columns of text -> columns of typed values: what does this text say?

Each column takes the fast road first, one Arrow kernel for all of it; only what
that cannot read is looked at value by value. A finding names column, rows and reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graph.normalise import KINDS, fold
from graph.normalise.phone import PLAIN_MOBILE
from graph.records import Ints
from loaders.tables import Column, Policy

Mask = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

CHINA = "+08:00"
"""The zone of times that state none (domain.md §3.1)."""

CHINA_MS = 8 * 3_600_000
NO_TIME = np.iinfo(np.int64).min
EARLIEST, LATEST = -2_208_988_800_000, 4_102_444_800_000
"""1900 and 2100: outside, a time is a slip or filler such as 9999-12-31."""

TRUTH = dict.fromkeys(("1", "true", "t", "yes", "y", "是", "有", "1.0"), True) | dict.fromkeys(
    ("0", "false", "f", "no", "n", "否", "无", "0.0"), False
)
SAME_WORD = {"m": "male", "男": "male", "1": "male", "f": "female", "女": "female", "2": "female", "0": "unknown"}
_CODE = r"^[A-Za-z][A-Za-z_]{0,15}[0-9][A-Za-z0-9_-]{%d,40}$"
PLAIN = dict.fromkeys(("opaque", "account", "voice"), _CODE % 3) | {"device": _CODE % 8, "phone": PLAIN_MOBILE}
"""Codes as systems make them, and mobile numbers: canonical as they stand, which spares reading each by itself."""


@dataclass(frozen=True)
class Finding:
    """What was wrong with one column of some rows; `rows` are positions in the chunk."""

    rows: Ints
    column: str
    reason: str
    policy: Policy


Parsed = tuple[Any, list[Finding]]


def parse(text: pa.ChunkedArray, column: Column) -> Parsed:
    """Times as milliseconds (`NO_TIME` where there is none), numbers as float64 with NaN, the rest as objects
    with None."""
    whole = text.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.array(text.to_pylist(), pa.string())
    parser = {"time": _times, "date": _dates, "number": _numbers, "integer": _numbers, "text": _texts, "json": _texts}
    if column.type in parser:
        return parser[column.type](whole, column)
    if column.type == "boolean":
        return _words(whole, column, TRUTH)
    if column.type == "enum":
        return _words(whole, column, enumeration(column))
    return _read(whole, column)


def found(mask: Mask, column: Column, reason: str, policy: Policy | None = None) -> list[Finding]:
    if not mask.any():
        return []
    return [Finding(np.flatnonzero(mask), column.name, reason, policy or column.policy)]


def _filled(text: pa.Array) -> Mask:
    mask: Mask = text.is_valid().to_numpy(zero_copy_only=False)
    return mask


# Times and dates ---------------------------------------------------------------------------------------


def _times(text: pa.Array, column: Column) -> Parsed:
    millis = _one_form(text)
    if millis is None:
        raw = text.to_numpy(zero_copy_only=False)
        millis = _instants(raw)
        again = np.flatnonzero((millis == NO_TIME) & _filled(text))
        if len(again):
            millis[again] = _instants(np.array([_hyphened(raw[at]) for at in again.tolist()], dtype=object))
    millis = np.where((millis >= EARLIEST) & (millis < LATEST), millis, NO_TIME)
    return millis, found((millis == NO_TIME) & _filled(text), column, "time_unreadable")


def _hyphened(text: str) -> str:
    """２０２５年３月１日 as 2025-3-1."""
    return " ".join(fold(text).replace("年", "-").replace("月", "-").replace("日", " ").split())


def _one_form(text: pa.Array) -> Ints | None:
    """The whole column at once, where all of it names a zone, or none of it does."""
    for zone, shift in (("UTC", 0), (None, CHINA_MS)):
        try:
            moments = pc.cast(text, pa.timestamp("ms", zone)).cast(pa.int64())
        except pa.ArrowInvalid:
            continue
        return np.where(_filled(text), moments.fill_null(0).to_numpy(zero_copy_only=False) - shift, NO_TIME)
    return None


def _instants(raw: Objects) -> Ints:
    """Text without a zone is China time. A date alone is its first moment."""
    text = pd.Series(raw, dtype="string[pyarrow]").fillna("").str.strip().str.replace("/", "-", regex=False)
    zoned = text.str.contains(r"[0-9][Zz]$|[+-][0-9]{2}:?[0-9]{2}$", regex=True).to_numpy(dtype=bool)
    day_only = (text.str.len() <= 10).to_numpy(dtype=bool)
    ending = np.where(day_only, "T00:00:00" + CHINA, np.where(zoned, "", CHINA))
    whole = text + pd.Series(ending, dtype="string[pyarrow]")
    moments = pd.to_datetime(whole, format="ISO8601", utc=True, errors="coerce")
    millis = moments.dt.tz_localize(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
    return np.where(moments.isna().to_numpy(), NO_TIME, millis)


def _dates(text: pa.Array, column: Column) -> Parsed:
    codes, spelled = _spelled(text)
    days = np.array([None if each is None else day_of(each) for each in spelled], dtype=object)
    unreadable = np.array([day is None for day in days])
    unreadable[-1] = False
    return days[codes], found(unreadable[codes], column, "date_unreadable")


def day_of(text: str) -> str | None:
    """`1990-03-07`, `1990/3/7`, `19900307`, `1990年3月7日`, with or without a time behind it."""
    parts = _DAY.match(fold(text))
    if parts is None:
        return None
    try:
        day = date(*(int(part) for part in parts.groups() if part))
    except ValueError:
        return None
    return day.isoformat()


_DAY = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})(?:日|T|\s|$)|([0-9]{2})([0-9]{2})$)")


# Numbers -----------------------------------------------------------------------------------------------


def _numbers(text: pa.Array, column: Column) -> Parsed:
    try:
        numbers = pc.cast(text, pa.float64()).fill_null(float("nan")).to_numpy(zero_copy_only=False).copy()
    except pa.ArrowInvalid:
        numbers = _numbers_one_by_one(text)
    numbers[np.isinf(numbers)] = np.nan
    findings = found(np.isnan(numbers) & _filled(text), column, "number_unreadable")
    if column.type == "integer":
        broken = ~np.isnan(numbers) & (numbers != np.floor(numbers))
        findings += found(broken, column, "number_not_whole")
        numbers[broken] = np.nan
    return numbers, findings


def _numbers_one_by_one(text: pa.Array) -> npt.NDArray[np.float64]:
    raw = text.to_numpy(zero_copy_only=False)
    numbers = pd.to_numeric(pd.Series(raw), errors="coerce").to_numpy(dtype=np.float64, copy=True)
    failed = np.isnan(numbers) & _filled(text)
    plain = [fold(value).replace(",", "").strip("¥￥元 ") for value in raw[failed]]
    numbers[failed] = pd.to_numeric(pd.Series(plain, dtype=object), errors="coerce")
    return numbers


# Words and identifiers -----------------------------------------------------------------------------------


def _spelled(text: pa.Array) -> tuple[Ints, Objects]:
    """Codes and the distinct values they point to; the last one is None, for empty cells."""
    encoded = text.dictionary_encode()
    spelled = encoded.dictionary.to_numpy(zero_copy_only=False)
    codes = encoded.indices.fill_null(len(spelled)).to_numpy(zero_copy_only=False)
    return codes, np.append(spelled.astype(object), np.array([None], dtype=object))


def _texts(text: pa.Array, column: Column) -> Parsed:
    del column
    short = pc.utf8_slice_codeunits(pc.utf8_trim_whitespace(text), 0, 500)
    codes, values = _spelled(pc.if_else(pc.equal(short, ""), pa.scalar(None, pa.string()), short))
    return values[codes], []


def enumeration(column: Column) -> dict[str, str]:
    words = {word.lower(): word for word in column.values}  # noqa: PD011 - the declared words
    if column.name == "gender":
        words |= SAME_WORD
    return words


def _words(text: pa.Array, column: Column, words: dict[str, Any]) -> Parsed:
    codes, spelled = _spelled(text)
    meant = np.array([words.get(fold(each).lower()) for each in spelled[:-1]] + [None], dtype=object)
    unknown = np.array([each is None for each in meant[:-1]] + [False])
    if column.policy == "warn":  # the word stays as it is written
        meant[unknown] = spelled[unknown]
    return meant[codes], found(unknown[codes], column, "not_in_list")


def _read(text: pa.Array, column: Column) -> Parsed:
    """Identifiers: each distinct value is read once; a column of a million phones has far fewer."""
    codes, values = _spelled(text)
    read: Callable[[object], Any] = KINDS[column.type].read
    plain = np.zeros(len(values), dtype=bool)
    if column.type in PLAIN:
        matched = pc.match_substring_regex(pa.array(values[:-1], pa.string()), PLAIN[column.type])
        plain[:-1] = matched.to_numpy(zero_copy_only=False)
    at = np.flatnonzero(~plain)[:-1]
    readings = [read(values[each]) for each in at.tolist()]
    spelled = values[at]
    values[at] = [reading.value for reading in readings]
    findings = []
    for part, policy in ((1, None), (2, "warn")):
        given = np.full(len(values), None, dtype=object)
        given[at] = [reading[part] for reading in readings]
        for reason in sorted({reading[part] for reading in readings} - {None, "blank"}):
            findings += found((given == reason)[codes], column, reason, policy)  # type: ignore[arg-type]
    if column.policy == "warn":
        values[at] = [
            str(word).strip()[:500] or None if value is None else value
            for value, word in zip(values[at], spelled, strict=True)
        ]
    return values[codes], findings
