"""Typed columns -> accepted rows, and a finding for everything that was wrong.

What a text says is `parse.py`'s question; whether it may stand here is a pandera schema
derived from `tables.py`. A finding names line, column and reason, never the value.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pyarrow.compute as pc

from graph.normalise import read_document
from graph.records import Ints
from loaders.parse import NO_TIME, Finding, found, parse
from loaders.readers import Chunk
from loaders.tables import Table


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
        parsed[name], wrong = parse(chunk.rows[name], column)
        findings += wrong
    if table.name == "applicants":
        findings = _read_documents(parsed, chunk.rows, findings)
    frame = pd.DataFrame(parsed, index=pd.RangeIndex(len(chunk.rows)))
    findings += _first_faults(_judge(frame, table), findings)
    findings += _order_clocks(frame, table)
    for finding in findings:
        if finding.policy == "quarantine":
            _blank(frame, finding)
    findings += _duplicates(chunk, table, _rejected(findings, len(frame)))
    rejected = _rejected(findings, len(frame))
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


# Documents ---------------------------------------------------------------------------------------------


def _read_documents(parsed: dict[str, Any], rows: pa.Table, findings: list[Finding]) -> list[Finding]:
    """A passport is no resident ID: numbers of other documents are read again by their own rule,
    and what was found of them as resident IDs is forgotten."""
    if "id_number" not in parsed or "id_type" not in parsed:
        return findings
    other = np.flatnonzero(pd.notna(parsed["id_type"]) & (parsed["id_type"] != "resident"))
    raw = rows["id_number"].take(pa.array(other)).to_pylist()
    refused: dict[str, list[int]] = {}
    for at, text in zip(other.tolist(), raw, strict=True):
        reading = read_document(parsed["id_type"][at], text)
        parsed["id_number"][at] = reading.value
        if reading.reason not in (None, "blank"):
            refused.setdefault(str(reading.reason), []).append(at)
    findings = [_elsewhere(each, other) if each.column == "id_number" else each for each in findings]
    findings += [Finding(np.array(each), "id_number", reason, "quarantine") for reason, each in refused.items()]
    return [each for each in findings if len(each.rows)]


def _elsewhere(finding: Finding, rows: Ints) -> Finding:
    return replace(finding, rows=np.setdiff1d(finding.rows, rows))


# Judging -----------------------------------------------------------------------------------------------


@cache
def schema(table: Table) -> pandera.DataFrameSchema:
    """Required values and ranges as a pandera schema; check names are reason codes."""
    columns = {}
    for column in table.columns:
        if not column.required and column.low is None:
            continue
        checks = []
        if column.low is not None and column.high is not None:
            checks.append(pandera.Check.in_range(column.low, column.high, name="out_of_range"))
        columns[column.name] = pandera.Column(nullable=not column.required, checks=checks, required=column.required)
    return pandera.DataFrameSchema(columns)


def _judge(frame: pd.DataFrame, table: Table) -> list[Finding]:
    rules = schema(table)
    judged = frame[[name for name in frame.columns if name in rules.columns]]
    times = [name for name in judged.columns if table.column(name).type == "time"]
    judged = judged.assign(**{name: judged[name].mask(judged[name] == NO_TIME).astype("Int64") for name in times})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rules.validate(judged, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return _failures(errors.failure_cases, table)
    return []


def _first_faults(judged: list[Finding], findings: list[Finding]) -> list[Finding]:
    """A required value that could not be read is not missing as well."""
    known: dict[str, list[Ints]] = {}
    for each in findings:
        known.setdefault(each.column, []).append(each.rows)
    left = [_elsewhere(each, np.concatenate(known[each.column])) if each.column in known else each for each in judged]
    return [each for each in left if len(each.rows)]


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
        findings += found(early, table.column("known_at"), "known_before_event", "quarantine")
    for earlier, later in table.ordered:
        if earlier in frame and later in frame:
            first, second = frame[earlier].to_numpy(), frame[later].to_numpy()
            wrong = (first != NO_TIME) & (second != NO_TIME) & (second < first)
            findings += found(wrong, table.column(later), "dates_reversed", "quarantine")
    return findings


def _duplicates(chunk: Chunk, table: Table, rejected: Ints) -> list[Finding]:
    """A row that repeats another of the chunk in every column adds nothing; the first stays.

    Only rows whose key occurs twice are compared whole: in most chunks there is none.
    """
    key = [name for name in table.key if name in chunk.rows.column_names]
    if len(key) == 1 and pc.count_distinct(chunk.rows[key[0]], mode="all").as_py() == len(chunk.rows):
        return []
    twice = chunk.rows.select(key).to_pandas().duplicated(keep=False).to_numpy()
    twice[rejected] = False
    at = np.flatnonzero(twice)
    again = chunk.rows.take(pa.array(at)).to_pandas().duplicated().to_numpy()
    return [Finding(at[again], "", "duplicate_row", "reject")] if again.any() else []


def _rejected(findings: list[Finding], rows: int) -> Ints:
    out = np.zeros(rows, dtype=bool)
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
