"""No row is lost, none is counted twice, and what is wrong is named by line and reason, never by value."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.parse import NO_TIME
from loaders.readers import Chunk
from loaders.tables import BY_NAME, TABLES, Column, Table
from loaders.validate import Checked, check

CHINA = dt.timezone(dt.timedelta(hours=8))


def checked(table: str, **columns: list[str | None]) -> Checked:
    """Rows of one table; what a test does not state of a required column is filled in."""
    size = len(next(iter(columns.values())))
    filled = {name: [SOUND[name] + (str(at) if name.endswith("id") else "") for at in range(size)]
              for name in BY_NAME[table].required}  # fmt: skip
    rows = pa.table({name: pa.array(each, pa.string()) for name, each in (filled | columns).items()})
    return check(Chunk(rows, np.arange(2, size + 2)), BY_NAME[table])


SOUND = {
    "application_id": "A", "applicant_id": "C", "contact_row_id": "K", "submitted_at": "2025-01-01T08:00:00",
    "payment_id": "P", "doc_id": "D", "event_id": "E", "call_id": "L", "outcome_id": "O", "inquiry_id": "I",
    "vin": "LSVAM4187C2184847", "day": "2025-01-01", "phone": "13912345678", "account_token": "6222021001123456789",
    "ref_a": "voice-a", "ref_b": "voice-b", "instalment_no": "1", "address_id": "H", "employer_id": "W",
    "dealer_id": "D", "salesperson_id": "S", "action_id": "T",
}  # fmt: skip


def found(result: Checked) -> set[tuple[str, str, str, int]]:
    """(column, reason, policy, position) of every finding."""
    return {(f.column, f.reason, f.policy, row) for f in result.findings for row in f.rows.tolist()}


def values(result: Checked, column: str) -> list[Any]:
    return [None if isinstance(each, float) and np.isnan(each) else each for each in result.rows[column].tolist()]


# Policies ----------------------------------------------------------------------------------------------


def test_reject_costs_the_row() -> None:
    result = checked("applications", application_id=["A1", None, "A3"])
    assert found(result) == {("application_id", "missing", "reject", 1)}
    assert (values(result, "application_id"), result.lines.tolist()) == (["A1", "A3"], [2, 4])
    assert (result.rejected.tolist(), result.seen) == ([1], 3)


def test_quarantine_costs_the_value() -> None:
    result = checked("contacts", phone=["13912345678", "23"])
    assert values(result, "phone") == ["13912345678", None]
    assert [(column, policy, row) for column, _, policy, row in found(result)] == [("phone", "quarantine", 1)]


def test_warn_costs_nothing() -> None:
    result = checked("applications", ltv=["1.5", "0.8"], channel=["飞机", "APP"])
    assert values(result, "ltv") == [1.5, 0.8]
    assert values(result, "channel") == ["飞机", "app"]
    assert found(result) == {("ltv", "out_of_range", "warn", 0), ("channel", "not_in_list", "warn", 0)}


def test_a_bad_required_value_is_one_finding() -> None:
    result = checked("applications", submitted_at=["garbage", "2025-01-01"])
    assert found(result) == {("submitted_at", "time_unreadable", "reject", 0)}


# Times and dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2025-03-01T10:00:00+08:00", "2025-03-01T10:00:00+08:00"),
        ("2025-03-01T02:00:00Z", "2025-03-01T10:00:00+08:00"),
        ("2025-03-01T02:00:00.500+00:00", "2025-03-01T10:00:00.500+08:00"),
        ("2025-03-01 10:00:00", "2025-03-01T10:00:00+08:00"),
        ("2025-03-01 10:00", "2025-03-01T10:00:00+08:00"),
        ("2025/03/01 10:00:00", "2025-03-01T10:00:00+08:00"),
        ("2025/3/1 9:05", "2025-03-01T09:05:00+08:00"),
        ("2025-03-01", "2025-03-01T00:00:00+08:00"),
        ("2025/3/1", "2025-03-01T00:00:00+08:00"),
        ("２０２５－０３－０１", "2025-03-01T00:00:00+08:00"),
        (" 2025-03-01 ", "2025-03-01T00:00:00+08:00"),
        ("20250301", "2025-03-01T00:00:00+08:00"),
        ("2025年3月1日", "2025-03-01T00:00:00+08:00"),
    ],
)
def test_times(text: str, iso: str) -> None:
    result = checked("applications", submitted_at=[text])
    assert not found(result)
    assert values(result, "submitted_at") == [int(dt.datetime.fromisoformat(iso).timestamp() * 1000)]


@pytest.mark.parametrize(
    "text",
    ["garbage", "2025-13-01", "2025-02-30", "45717", "1.7E+12", "-", "01/03/2025", "0001-01-01", "9999-12-31"],
)
def test_times_that_are_none(text: str) -> None:
    result = checked("applications", decided_at=[text, None])
    assert found(result) == {("decided_at", "time_unreadable", "quarantine", 0)}
    assert values(result, "decided_at") == [NO_TIME, NO_TIME]


@pytest.mark.parametrize(
    ("text", "day"),
    [("1990-03-07", "1990-03-07"), ("1990/3/7", "1990-03-07"), ("1990-03-07 00:00:00", "1990-03-07"),
     ("１９９０－０３－０７", "1990-03-07"), ("19900307", "1990-03-07"), ("1990年3月7日", "1990-03-07"),
     ("1990-02-30", None), ("x", None)],
)  # fmt: skip
def test_dates(text: str, day: str | None) -> None:
    result = checked("applicants", birth_date=[text])
    assert values(result, "birth_date") == [day]
    assert found(result) == (set() if day else {("birth_date", "date_unreadable", "quarantine", 0)})


# Numbers and words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [("1234.5", 1234.5), ("1,234.50", 1234.5), ("１２３４．５", 1234.5), ("￥1,234.50元", 1234.5), (" 1234.5 ", 1234.5),
     ("1.2345E3", 1234.5), ("0", 0.0), ("inf", None), ("-inf", None), ("nan", None), ("1e400", None), ("十", None),
     ("1.234.5", None), ("True", None), ("0x10", None)],
)  # fmt: skip
def test_numbers(text: str, number: float | None) -> None:
    result = checked("applications", amount=[text, None])
    assert values(result, "amount") == [number, None]
    reasons = {("amount", "number_unreadable", "quarantine", 0)}
    assert found(result) == (set() if number is not None else reasons)


def test_whole_numbers_and_ranges() -> None:
    result = checked(
        "applications", term_months=["36", "36.0", "36.5", "0", "121"], amount=["1", "-1", "1e13", "1", "1"]
    )
    assert values(result, "term_months") == [36, 36, None, None, None]
    assert values(result, "amount") == [1, None, None, 1, 1]
    assert found(result) == {
        ("term_months", "number_not_whole", "quarantine", 2), ("term_months", "out_of_range", "quarantine", 3),
        ("term_months", "out_of_range", "quarantine", 4), ("amount", "out_of_range", "quarantine", 1),
        ("amount", "out_of_range", "quarantine", 2),
    }  # fmt: skip


def test_words() -> None:
    genders: list[str | None] = ["男", "女", "M", "f", "Male", "1", "2", "0", "X", None]
    result = checked("applicants", gender=genders)
    assert values(result, "gender") == [*["male", "female"] * 2, "male", "male", "female", "unknown", None, None]
    assert found(result) == {("gender", "not_in_list", "quarantine", 8)}
    result = checked("applications", decision=["APPROVE", " Decline", "ｒｅｖｉｅｗ", "maybe"])
    assert values(result, "decision") == ["approve", "decline", "review", None]


def test_truth() -> None:
    texts: list[str | None] = ["1", "0", "TRUE", "False", "是", "否", "Y", "1.0", "2", None]
    result = checked("applications", auto_limit_flag=texts)
    assert values(result, "auto_limit_flag") == [True, False, True, False, True, False, True, True, None, None]


# Identifiers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "column", "text", "reason"),
    [
        ("contacts", "phone", "13800138000", "placeholder"),
        ("contacts", "phone", "1.38E+10", "excel_scientific"),
        ("applicants", "id_number", "110105194912310000", "excel_rounded"),
        ("applicants", "id_number", "110105194912310021", "id_check"),
        ("device_events", "imei", "000000000000000", "placeholder"),
        ("device_events", "ip", "192.168.1.1", "ip_private"),
    ],
)
def test_identifiers_have_their_reason(table: str, column: str, text: str, reason: str) -> None:
    result = checked(table, **{column: [text]})
    assert found(result) == {(column, reason, "quarantine", 0)}
    assert values(result, column) == [None]


def test_a_wrong_contact_phone_never_drops_a_row() -> None:
    assert checked("contacts", phone=["1", "x", "0"]).rejected.tolist() == []


def test_other_documents_have_their_own_rule() -> None:
    result = checked(
        "applicants", id_type=["passport", "resident", "passport"], id_number=["E12345678", "E12345678", "?"]
    )
    assert values(result, "id_number") == ["E12345678", None, None]
    assert {(column, row) for column, _, _, row in found(result)} == {("id_number", 1), ("id_number", 2)}


# Clocks ------------------------------------------------------------------------------------------------


def test_nothing_is_known_before_it_happened() -> None:
    result = checked(
        "payments", kind=["resale"] * 2, event_time=["2025-01-05"] * 2, known_at=["2025-01-04", "2025-01-06"]
    )
    assert found(result) == {("known_at", "known_before_event", "quarantine", 0)}
    fifth, sixth = (int(dt.datetime(2025, 1, day, tzinfo=CHINA).timestamp() * 1000) for day in (5, 6))
    assert values(result, "known_ms") == [fifth, sixth]


def test_dates_in_the_wrong_order() -> None:
    result = checked(
        "applications", submitted_at=["2025-01-05"] * 2, decided_at=["2025-01-04", "2025-01-06"],
        funded_at=["2025-01-07", "2025-01-05"],
    )  # fmt: skip
    assert found(result) == {
        ("decided_at", "dates_reversed", "quarantine", 0),
        ("funded_at", "dates_reversed", "quarantine", 1),
    }
    assert [each == NO_TIME for each in values(result, "decided_at")] == [True, False]


# Rows --------------------------------------------------------------------------------------------------


def test_repeated_rows() -> None:
    result = checked(
        "contacts", contact_row_id=["K1", "K1", "K2"], application_id=["A1"] * 3, relation_declared=["nan"] * 3
    )
    assert found(result) == {("", "duplicate_row", "reject", 1)}
    differing = checked(
        "contacts", contact_row_id=["K1"] * 2, application_id=["A1"] * 2, relation_declared=["nan", None]
    )
    assert not differing.rejected.size, "the word nan is not a missing value"


def test_broken_lines_count() -> None:
    rows = pa.table({"application_id": ["A1"], "submitted_at": ["2025-01-01"]})
    assert check(Chunk(rows, np.array([2]), broken=(3, 4)), BY_NAME["applications"]).seen == 3


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_row_and_no_column(table: Table) -> None:
    rows = pa.table({name: pa.array([], pa.string()) for name in table.required})
    result = check(Chunk(rows, np.zeros(0, dtype=np.int64)), table)
    assert (len(result.rows), result.seen, result.findings) == (0, 0, ())


RUINED = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "-", "NULL", "1.38E+10", "13912345678", "１３９１２３４５６７８", "2025-13-45", "2025-01-01", "1,5",
         "nan",
         "inf", "1e400", "𠮷" * 40, "\u202e13912345678", "x" * 600, "[1", "{}", "0", "-1", "男", "resident", "passport",
         "110105194912310021", "LSVAM4187C2184847", "￥", "9" * 400, "99999999-01-01", "-0", "１／２"]
    ),
    st.text(max_size=20),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(facts=st.data())
def test_accepted_and_rejected_are_all_rows(facts: st.DataObject) -> None:
    """P3, over rows ruined in every way: none lost, none twice, in order; findings are words of ours."""
    table = facts.draw(st.sampled_from(TABLES))
    size = facts.draw(st.integers(1, 4))
    some = facts.draw(st.sets(st.sampled_from(table.columns), max_size=5)) | {c for c in table.columns if c.required}
    columns = {}
    for column in sorted(some, key=lambda each: each.name):
        sound = st.just(SOUND[column.name]) if column.name in SOUND else st.nothing()
        columns[column.name] = facts.draw(st.lists(sound | RUINED, min_size=size, max_size=size))
    rows = pa.table({name: pa.array(each, pa.string()) for name, each in columns.items()})
    result = check(Chunk(rows, np.arange(2, size + 2)), table)
    assert len(result.rows) + len(result.rejected) == result.seen == size
    assert sorted([*result.lines.tolist(), *(result.rejected + 2).tolist()]) == list(range(2, size + 2))
    assert list(result.lines) == sorted(result.lines)
    for finding in result.findings:
        assert finding.reason.replace("_", "").isascii()
        assert finding.reason.replace("_", "").isalpha()
        assert finding.reason not in {each for column in columns.values() for each in column}
    for name in (each.name for each in table.columns if each.required and each.type != "time"):
        assert result.rows[name].notna().all()


def test_every_column_type_has_a_parser() -> None:
    """A column whose type nobody can parse would stop a load at its first row."""
    for table in TABLES:
        for column in table.columns:
            one: dict[str, list[str | None]] = {column.name: ["garbage"]}
            assert isinstance(column, Column)
            assert checked(table.name, **one).seen == 1
