"""Text columns -> typed columns, and a finding for everything that was wrong.

Parsing (what does this text say?) is ours; judging (may it stand here?) is a pandera
schema derived from `tables.py`. A finding names line, column and reason, never the value.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa

from graph.normalise import KINDS, fold, read_document
from graph.records import Ints
from loaders.readers import Chunk
from loaders.tables import Column, Policy, Table

Mask = npt.NDArray[np.bool_]
Objects = npt.NDArray[np.object_]

CHINA = "+08:00"
"""The zone of times that state none (domain.md §3.1)."""

NO_TIME = np.iinfo(np.int64).min
TRUTH = dict.fromkeys(("1", "true", "t", "yes", "y", "是", "有", "1.0"), True) | dict.fromkeys(
    ("0", "false", "f", "no", "n", "否", "无", "0.0"), False
)
SAME_WORD = {
    "m": "male",
    "男": "male",
    "1": "male",
    "f": "female",
    "女": "female",
    "2": "female",
    "0": "unknown",
}


@dataclass(frozen=True)
class Finding:
    """What was wrong with one column of some rows; `rows` are positions in the chunk."""

    rows: Ints
    column: str
    reason: str
    policy: Policy


@dataclass(frozen=True)
class Checked:
    """The accepted rows, typed, in their original order.

    Times are milliseconds (`NO_TIME` where there is none), numbers float64 with NaN,
    everything else objects with None. `event_ms` and `known_ms` are the two clocks.
    """

    rows: pd.DataFrame
    lines: Ints
    findings: tuple[Finding, ...]
    rejected: Ints
    seen: int


def check(chunk: Chunk, table: Table) -> Checked:
    """Every row is either in `rows` or in `rejected`: nothing is lost and nothing counted twice."""
    findings: list[Finding] = []
    parsed: dict[str, Any] = {}
    for name in chunk.rows.column_names:
        column = table.column(name)
        parsed[name], found = _parse(chunk.rows[name], column)
        findings += found
    if table.name == "applicants":
        findings += _read_documents(parsed, chunk.rows)
    frame = pd.DataFrame(parsed, index=pd.RangeIndex(len(chunk.rows)))
    findings += _judge(frame, table)
    findings += _order_clocks(frame, table)
    for finding in findings:
        if finding.policy == "quarantine":
            _blank(frame, finding)
    rejected = _rejected(findings, frame, chunk)
    findings += _duplicates(chunk, rejected)
    rejected = _rejected(findings, frame, chunk)
    keep = np.ones(len(frame), dtype=bool)
    keep[rejected] = False
    accepted = frame.loc[keep].reset_index(drop=True)
    return Checked(
        rows=_with_clocks(accepted, table),
        lines=chunk.lines[keep],
        findings=tuple(findings),
        rejected=rejected,
        seen=len(frame) + len(chunk.broken),
    )


# Parsing -----------------------------------------------------------------------------------------------


def _parse(text: pa.ChunkedArray, column: Column) -> tuple[Any, list[Finding]]:
    raw = text.to_pandas().to_numpy(dtype=object)
    parser = {
        "time": _times,
        "date": _dates,
        "number": _numbers,
        "integer": _numbers,
        "boolean": _words(TRUTH),
    }.get(column.type)
    if parser is None:
        parser = _words(_enumeration(column)) if column.type == "enum" else _read_by(column.type)
    return parser(raw, column)


def _found(mask: Mask, column: Column, reason: str, policy: Policy | None = None) -> list[Finding]:
    if not mask.any():
        return []
    return [Finding(np.flatnonzero(mask), column.name, reason, policy or column.policy)]


def _times(raw: Objects, column: Column) -> tuple[Ints, list[Finding]]:
    moments = _instants(raw)
    filled = pd.notna(raw)
    failed = moments.isna().to_numpy() & filled
    if failed.any():
        moments[failed] = _instants(np.array([fold(value) for value in raw[failed]], dtype=object))
        failed = moments.isna().to_numpy() & filled
    millis = moments.dt.tz_convert(None).to_numpy().astype("datetime64[ms]").astype(np.int64)
    return millis, _found(failed, column, "time_unreadable")


def _instants(raw: Objects) -> pd.Series[Any]:
    """Text without a zone is China time. A date alone is its first moment."""
    text = pd.Series(raw, dtype="string[pyarrow]").fillna("").str.strip().str.replace("/", "-", regex=False)
    zoned = text.str.contains(r"[0-9][Zz]$|[+-][0-9]{2}:?[0-9]{2}$", regex=True).to_numpy(dtype=bool)
    day_only = (text.str.len() <= 10).to_numpy(dtype=bool)
    ending = np.where(day_only, "T00:00:00" + CHINA, np.where(zoned, "", CHINA))
    moments = pd.to_datetime(
        text + pd.Series(ending, dtype="string[pyarrow]"), format="ISO8601", utc=True, errors="coerce"
    )
    return moments.astype("datetime64[ns, UTC]")


def _dates(raw: Objects, column: Column) -> tuple[Objects, list[Finding]]:
    text = pd.Series(raw, dtype="string[pyarrow]").str.strip().str.slice(0, 10).str.replace("/", "-", regex=False)
    days = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
    failed = (days.isna() & pd.notna(raw)).to_numpy()
    written = days.dt.strftime("%Y-%m-%d").to_numpy(dtype=object)
    written[days.isna().to_numpy()] = None
    return written, _found(failed, column, "date_unreadable")


def _numbers(raw: Objects, column: Column) -> tuple[npt.NDArray[np.float64], list[Finding]]:
    numbers = pd.to_numeric(pd.Series(raw), errors="coerce").to_numpy(dtype=np.float64, copy=True)
    filled = pd.notna(raw)
    failed = np.isnan(numbers) & filled
    if failed.any():
        plain = [fold(value).replace(",", "").strip("¥￥元 ") for value in raw[failed]]
        numbers[failed] = pd.to_numeric(pd.Series(plain), errors="coerce")
    numbers[np.isinf(numbers)] = np.nan
    findings = _found(np.isnan(numbers) & filled, column, "number_unreadable")
    if column.type == "integer":
        broken = ~np.isnan(numbers) & (numbers != np.floor(numbers))
        findings += _found(broken, column, "number_not_whole")
        numbers = np.where(broken, np.nan, numbers)
    return numbers, findings


def _enumeration(column: Column) -> dict[str, str]:
    words = {word.lower(): word for word in column.values}  # noqa: PD011 - the declared words
    if column.name == "gender":
        words |= SAME_WORD
    return words


def _words(words: dict[str, Any]) -> Callable[[Objects, Column], tuple[Objects, list[Finding]]]:
    def parse(raw: Objects, column: Column) -> tuple[Objects, list[Finding]]:
        codes, spelled = pd.factorize(raw)
        meant = np.array([words.get(fold(each).lower()) for each in spelled] + [None], dtype=object)
        values = meant[codes]
        unknown = np.array([each is None for each in meant[:-1]] + [False])[codes]
        if column.policy == "warn":  # the word stays as it is written
            values = np.where(unknown, np.array([*spelled, None], dtype=object)[codes], values)
        return values, _found(unknown, column, "not_in_list")

    return parse


def _read_by(kind: str) -> Callable[[Objects, Column], tuple[Objects, list[Finding]]]:
    """Each distinct value is read once; a column of a million phones has far fewer."""

    def parse(raw: Objects, column: Column) -> tuple[Objects, list[Finding]]:
        codes, spelled = pd.factorize(raw)
        if kind in ("text", "json"):
            return np.array([*map(_text, spelled), None], dtype=object)[codes], []
        readings = list(map(KINDS[kind].read, spelled))
        values = np.array([reading.value for reading in readings] + [None], dtype=object)
        findings = []
        for at, policy in ((1, None), (2, "warn")):
            reasons = np.array([reading[at] for reading in readings] + [None], dtype=object)[codes]
            for reason in {reading[at] for reading in readings} - {None, "blank"}:
                findings += _found(reasons == reason, column, str(reason), policy)  # type: ignore[arg-type]
        if column.policy == "warn":
            values[:-1] = [
                _text(text) if value is None else value for value, text in zip(values[:-1], spelled, strict=True)
            ]
        return values[codes], findings

    return parse


def _text(value: Any) -> str | None:
    return str(value).strip()[:500] or None


def _read_documents(parsed: dict[str, Any], rows: pa.Table) -> list[Finding]:
    """A passport is no resident ID: numbers of other documents are read again by their own rule."""
    if "id_number" not in parsed or "id_type" not in parsed:
        return []
    other = np.flatnonzero(pd.notna(parsed["id_type"]) & (parsed["id_type"] != "resident"))
    raw = rows["id_number"].take(pa.array(other)).to_pylist()
    refused: dict[str, list[int]] = {}
    for at, text in zip(other.tolist(), raw, strict=True):
        reading = read_document(parsed["id_type"][at], text)
        parsed["id_number"][at] = reading.value
        if reading.reason not in (None, "blank"):
            refused.setdefault(str(reading.reason), []).append(at)
    return [Finding(np.array(each), "id_number", reason, "quarantine") for reason, each in refused.items()]


# Judging -----------------------------------------------------------------------------------------------


@cache
def schema(table: Table) -> pandera.DataFrameSchema:
    """Required values and ranges as a pandera schema; check names are reason codes."""
    columns = {}
    for column in table.columns:
        checks = []
        if column.low is not None and column.high is not None:
            checks.append(pandera.Check.in_range(column.low, column.high, name="out_of_range"))
        columns[column.name] = pandera.Column(nullable=not column.required, checks=checks, required=column.required)
    return pandera.DataFrameSchema(columns)


def _judge(frame: pd.DataFrame, table: Table) -> list[Finding]:
    times = [column.name for column in table.columns if column.type == "time" and column.name in frame]
    judged = frame.assign(**{name: frame[name].mask(frame[name] == NO_TIME).astype("Int64") for name in times})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schema(table).validate(judged, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return _failures(errors.failure_cases, table)
    return []


def _failures(cases: pd.DataFrame, table: Table) -> list[Finding]:
    findings = []
    for (name, test), rows in cases.dropna(subset=["index"]).groupby(["column", "check"], sort=True):
        column = table.column(str(name))
        missing = str(test) == "not_nullable"
        findings.append(
            Finding(
                np.sort(rows["index"].to_numpy(dtype=np.int64)),
                column.name,
                "missing" if missing else str(test).split("(")[0].replace("in_range", "out_of_range"),
                "reject" if missing else column.policy,
            )
        )
    return findings


def _order_clocks(frame: pd.DataFrame, table: Table) -> list[Finding]:
    """What happens later may not be dated earlier. The later value is dropped; a row known before it happened keeps
    the time it happened, for nothing can be known sooner."""
    findings = []
    event = _first_filled(frame, table.event)
    if event is not None and "known_at" in frame:
        known = frame["known_at"].to_numpy()
        early = (known != NO_TIME) & (event != NO_TIME) & (known < event)
        findings += _found(early, table.column("known_at"), "known_before_event", "quarantine")
    for earlier, later in table.ordered:
        if earlier in frame and later in frame:
            first, second = frame[earlier].to_numpy(), frame[later].to_numpy()
            wrong = (first != NO_TIME) & (second != NO_TIME) & (second < first)
            findings += _found(wrong, table.column(later), "dates_reversed", "quarantine")
    return findings


def _duplicates(chunk: Chunk, rejected: Ints) -> list[Finding]:
    """A row that repeats another of the chunk in every column adds nothing; the first stays."""
    hashes = np.zeros(len(chunk.rows), dtype=np.uint64)
    for column in chunk.rows.columns:
        with np.errstate(over="ignore"):
            hashes = hashes * np.uint64(1_000_003) + pd.util.hash_array(column.to_pandas().to_numpy(dtype=object))
    again = pd.Series(hashes).duplicated().to_numpy(copy=True)
    again[rejected] = False
    return [Finding(np.flatnonzero(again), "", "duplicate_row", "reject")] if again.any() else []


def _rejected(findings: list[Finding], frame: pd.DataFrame, chunk: Chunk) -> Ints:
    del chunk
    out = np.zeros(len(frame), dtype=bool)
    for finding in findings:
        if finding.policy == "reject":
            out[finding.rows] = True
    return np.flatnonzero(out)


def _blank(frame: pd.DataFrame, finding: Finding) -> None:
    column = frame[finding.column].to_numpy(copy=True)
    column[finding.rows] = NO_TIME if column.dtype == np.int64 else (np.nan if column.dtype == np.float64 else None)
    frame[finding.column] = column


# Clocks ------------------------------------------------------------------------------------------------


def _first_filled(frame: pd.DataFrame, names: tuple[str, ...]) -> Ints | None:
    moments: Ints | None = None
    for name in names:
        if name in frame:
            column = frame[name].to_numpy()
            moments = column if moments is None else np.where(moments == NO_TIME, column, moments)
    return moments


def _with_clocks(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """`known_ms` is never before `event_ms` where the row itself dates the event at its own time."""
    nothing = np.full(len(frame), NO_TIME, dtype=np.int64)
    event = _first_filled(frame, table.event)
    known = _first_filled(frame, table.known)
    known = nothing if known is None else known
    event = nothing if event is None else event
    known = np.where(known == NO_TIME, event, known)
    known = np.where(known == NO_TIME, 0, known)
    event = np.where(event == NO_TIME, known, event)
    return frame.assign(event_ms=event, known_ms=np.asarray(known, dtype=np.int64))
