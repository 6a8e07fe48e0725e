"""One row in plain Python reads as the same row in a file, whatever people type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graph.normalise import KINDS
from loaders.live.reading import Fault, judge
from loaders.live.sections import MADE
from loaders.parse import NO_TIME
from loaders.readers import Chunk
from loaders.tables import TABLES, Column, Table
from loaders.validate import Checked, check

NOW = 4_200_000_000_000
"""Later than any time that a column takes: nothing lies ahead."""

FULL_WIDTH, ARABIC = str.maketrans("0123456789", "０１２３４５６７８９"), str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")

CELLS = {
    "id_number": ("310101199003074511", "310101199003074512", "31010119900307451X", "310101900307451", "3.1E+17"),
    "phone": ("13917123456", "13800138000", "021-62831972-803", "10649123456789", "+8613917123456", "1391712345"),
    "vin": ("LSVAM418XP2184847", "LSVAM4180P2184847", "WVWZZZ1KZAW000001", "LSVAM418X"),
    "plate": ("沪A7K3M9", "沪O12345", "A7K3M9"),
    "uscc": ("91310115MA1K3Y8FXR", "91310115MA1K3Y8FXX", "91310115MAIK3Y8FXR"),
    "name": ("欧阳明轩", "令狐冲先生", "X", "Anna Müller", "张三123"),
    "employer_name": ("上海博雅建筑有限公司", "无业", "公司", "12345"),
    "account": ("6222 0210 0112 3456 789", "acct_2705603726", "123", "0000000000"),
    "device": ("66c395fbd89b8aad757eab04bf4ff0b9", "unidentified", "abc", "Fingerprint-0001"),
    "imei": ("867531044123459", "867531044123450", "000000000000000"),
    "ip": ("110.175.97.53", "10.0.0.1", "2400:3200::1", "300.1.1.1"),
    "bssid": ("AA-BB-CC-DD-EE-01", "bssid_4534bcb9b428ea7e", "02:00:00:00:00:00"),
    "region": ("310115", "990000", "3101"),
    "geohash": ("wtw3sjq", "s0000", "WTW3SJQ", "ailo"),
    "hash": ("67effec4f165caac", "0xABCDEF0123456789", "zz", "ffffffffffffffff"),
    "opaque": ("APP8291298556", "10023.0", "7", "a b", "无", "000", "contacts-0-00ff00ff00ff00ff00ff"),
    "voice": ("vr_17123344244", "vr 1", "null"),
    "time": ("2025-03-01T10:00:00+08:00", "2025-03-01 10:00", "2025-03-01", "2025-02-30", "9999-12-31",
             "2025-03-01T02:00:00.5Z"),
    "date": ("1990-03-07", "1990-13-07", "2035-11-05", "19900307", "1990-W10-3", "1990/3/7", "1990-03-07 10:00"),
}  # fmt: skip
MORE = ("", " ", "未知", "\u200b", "test", "a" * 600, "1.0E+05")


def cells(column: Column) -> st.SearchStrategy[Any]:
    """As JSON: a number is a number, a time is ISO 8601; text is as people type it."""
    if column.type in ("number", "integer"):
        edge = [column.low or 0, column.high or 1e15, (column.high or 1e15) * 2, -1.0]
        return st.none() | st.sampled_from(edge).map(float) | st.floats(-1e6, 1e6) | st.integers(0, 200).map(float)
    if column.type == "boolean":
        return st.none() | st.booleans()
    if column.type in ("time", "date"):
        return st.none() | st.sampled_from(CELLS[column.type])
    known = column.values or CELLS.get(column.type, ("上海市", "C1", "  浦东新区  ", "x"))
    typed = st.sampled_from((*known, *MORE)).flatmap(
        lambda word: st.sampled_from(
            [word, word.translate(FULL_WIDTH), word.translate(ARABIC), f" {word} ", word.upper(), f"\u200b{word}"]
        )
    )
    return st.none() | st.sampled_from(known) | typed


def rows(table: Table) -> st.SearchStrategy[dict[str, Any]]:
    columns = [column for column in table.columns if column.type != "json"]
    return st.fixed_dictionaries({column.name: mostly_sound(column) for column in columns})


def mostly_sound(column: Column) -> st.SearchStrategy[Any]:
    """Of a column without which there is no row a good value, nine times of ten: else hardly a row would stand."""
    if not column.required:
        return cells(column)
    good = 1.0 if column.type == "integer" else (*column.values, *CELLS.get(column.type, ()))[0]
    return st.integers(0, 9).flatmap(lambda at: cells(column) if at == 9 else st.just(good))


def columnar(table: Table, row: Mapping[str, Any]) -> Checked:
    """The row as a file of one line."""
    text = {name: None if value is None else _cell(value) for name, value in row.items()}
    chunk = pa.table({name: pa.array([value or None], pa.string()) for name, value in text.items()})
    return check(Chunk(chunk, pa.array([2]).to_numpy(), ()), table)


def _cell(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_row_reads_as_in_a_file(table: Table, data: st.DataObject) -> None:
    """The same values, the same clocks, the same findings; or rejected here and there."""
    row = data.draw(rows(table))
    checked, faults = columnar(table, row), list[Fault]()
    judged = judge(table, row, now=NOW, known=NOW, faults=faults)
    theirs = {(each.column, each.reason, each.policy) for each in checked.findings}
    assert {tuple(each) for each in faults} == theirs
    assert (judged is None) == (len(checked.rejected) == 1)
    if judged is None:
        return
    (line,) = checked.rows.to_dict("records")
    event, known = line.pop("event_ms"), line.pop("known_ms")
    filled = {name: value for name, value in line.items() if value is not None and value == value and value != NO_TIME}  # noqa: PLR0124
    assert judged.values == filled
    if filled.keys() & set(table.event):
        assert judged.event_ms == event
    if "known_at" in filled or ("known_at", "known_before_event", "quarantine") in theirs:
        assert judged.known_ms == known
    else:  # told now, it is known now
        assert judged.known_ms == max(NOW, judged.event_ms)


@given(st.from_regex(MADE, fullmatch=True))
@example("a-00000000000000000000")
@example(f"{'a' * 30}-199-0000000000000000000a")
def test_a_number_made_here_is_canonical_as_it_stands(number: str) -> None:
    assert KINDS["opaque"].read(number.removesuffix("\n")).value == number.removesuffix("\n")
