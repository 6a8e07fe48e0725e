"""Whatever a lender sends arrives as text under the right line number, or as one clear line of refusal."""

from __future__ import annotations

import datetime as dt
import random
import sqlite3
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from graph.errors import InputError
from loaders import readers
from loaders.readers import Source, open_database, open_file, open_folder

Rows = list[dict[str, str | None]]


def written(folder: Path, content: str | bytes, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(source: Source) -> tuple[Rows, list[int], list[int]]:
    """All rows, their lines, and the broken lines."""
    chunks = list(source.chunks())
    rows = [row for chunk in chunks for row in chunk.rows.to_pylist()]
    return rows, [n for chunk in chunks for n in chunk.lines.tolist()], [n for chunk in chunks for n in chunk.broken]


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        for _ in open_file(path).chunks():
            pass
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


# CSV ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_chinese_text_in_every_encoding(tmp_path: Path, encoding: str, ending: str) -> None:
    text = ending.join(["客户号,姓名", "C1,欧阳娜娜", "C2,𠮷田"]) + ending
    source = open_file(written(tmp_path, text.encode(encoding)))
    rows, lines, broken = read(source)
    assert source.columns == ("客户号", "姓名")
    assert rows == [{"客户号": "C1", "姓名": "欧阳娜娜"}, {"客户号": "C2", "姓名": "𠮷田"}]
    assert (lines, broken) == ([2, 3], [])


def test_nothing_is_guessed(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b,c,d\n00123,1.20,NULL,\n1E5,true,nan,NA\n")
    assert read(open_file(path))[0] == [
        {"a": "00123", "b": "1.20", "c": "NULL", "d": None},
        {"a": "1E5", "b": "true", "c": "nan", "d": "NA"},
    ]


def test_lines_follow_quoted_line_breaks(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n1,"x\ny\nz"\n2,x\n"3\n",x\n4,x\n')
    assert read(open_file(path))[1:] == ([2, 5, 6, 8], [])


def test_rows_of_another_width_are_broken_lines(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n1,2\n3\n"4\n4",5\n6,7,8\n"x\ny",7,8\n9,10\n11\n')
    rows, lines, broken = read(open_file(path))
    assert [row["a"] for row in rows] == ["1", "4\n4", "9"]
    assert lines == [2, 4, 9]
    assert broken == [3, 6, 7, 10]


def test_blank_lines_are_no_rows_and_count_as_lines(tmp_path: Path) -> None:
    assert read(open_file(written(tmp_path, "a,b\n\n1,2\n,\n\n3,4\n\n\n")))[1:] == ([3, 6], [])
    assert read(open_file(written(tmp_path, "a\n\n1\n\n2\n")))[1:] == ([3, 5], [])


def test_a_header_may_hold_line_breaks(tmp_path: Path) -> None:
    source = open_file(written(tmp_path, '"身份\n证号",b\n1,2\n3\n4,5\n'))
    assert source.columns == ("身份\n证号", "b")
    assert read(source)[1:] == ([3, 5], [4])


def test_only_a_header(tmp_path: Path) -> None:
    source = open_file(written(tmp_path, "a,b\n"))
    assert source.columns == ("a", "b")
    assert read(source)[0] == []


def test_only_broken_lines(tmp_path: Path) -> None:
    assert read(open_file(written(tmp_path, "a,b\n1\n2\n")))[1:] == ([], [2, 3])


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"\n1,2\n", "header"),
        (b"a,b,a\n1,2,3\n", "'a'"),
        ("a,b\n张,2\n".encode("utf-16"), "UTF-16"),
        (b"a,b\n1,\x00\n", "UTF-8"),
        (b"a,b\n\xff\xff\xff,1\n", "GB18030"),
        (b'a,b\n1,2\n1,"2\n3,4\n', "line 3"),
        (b'a,b\n1,2\n1,2,"2\n3,4\n', "line 3"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, content: bytes, word: str) -> None:
    assert word in refused(written(tmp_path, content))


def test_a_refusal_quotes_no_value(tmp_path: Path) -> None:
    message = refused(written(tmp_path, 'a,b\n13912345678,2\n3,"13912345678\n'))
    assert "13912345678" not in message


def test_a_stray_quote_is_a_character(tmp_path: Path) -> None:
    assert read(open_file(written(tmp_path, 'a,b\n5" wide,2\n3,4\n')))[0][0]["a"] == '5" wide'


def test_chunks_do_not_depend_on_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same chunks, lines and broken lines however much is read at once; and all of them are right."""
    chance = random.Random(7)
    text, lines, broken, line = "k,v\n", [], [], 2
    for number in range(400):
        kind = chance.random()
        row = f"{number},值{number}\n"
        if kind < 0.15:
            row = f'{number},"a\nb"\n'
        elif kind < 0.3:
            row = chance.choice([f"{number}\n", f"{number},x,y\n", f'{number},"x\ny",z\n'])
        elif kind < 0.35:
            row = "\n"
        if row != "\n":
            (broken if 0.15 <= kind < 0.3 else lines).append(line)
        line += row.count("\n")
        text += row
    path = written(tmp_path, text)
    monkeypatch.setattr(readers, "ROWS", 30)

    def chunks(block: int) -> list[tuple[list[int], tuple[int, ...], Rows]]:
        monkeypatch.setattr(readers, "BLOCK", block)
        return [(each.lines.tolist(), each.broken, each.rows.to_pylist()) for each in open_file(path).chunks()]

    whole = chunks(1 << 20)
    assert len(whole) > 5
    assert [n for each in whole for n in each[0]] == lines
    assert [n for each in whole for n in each[1]] == broken
    for block in (64, 200, 1000):
        assert chunks(block) == whole


# Parquet -----------------------------------------------------------------------------------------------


def test_typed_parquet_becomes_what_a_person_would_write(tmp_path: Path) -> None:
    moment = dt.datetime(2025, 1, 1, 23, 30, 0, 123456, tzinfo=dt.UTC)
    path = tmp_path / "table.parquet"
    columns = {
        "utc": pa.array([moment, None], pa.timestamp("us", "UTC")),
        "shanghai": pa.array([moment, None], pa.timestamp("ns", "Asia/Shanghai")),
        "clock": pa.array([moment.replace(tzinfo=None), None], pa.timestamp("us")),
        "day": pa.array([dt.date(1990, 3, 7), None]),
        "amount": pa.array([Decimal("1234.50"), None], pa.decimal128(14, 2)),
        "flag": pa.array([True, None]),
        "phone": pa.array([13912345678.0, float("nan")]),
        "share": pa.array([0.25, None]),
        "word": pa.array(["x", None]).dictionary_encode(),
        "number": pa.array([7, None], pa.int32()),
        "ocr": pa.array([{"a": 1}, None]),
        "raw": pa.array([b"\xff", None]),
    }
    pq.write_table(pa.table(columns), path)
    (first, second), lines, _ = read(open_file(path))
    assert lines == [1, 2]
    assert first["utc"] == first["shanghai"] == "2025-01-02T07:30:00.123+08:00"
    assert first["clock"] == "2025-01-01T23:30:00.123"
    assert (first["day"], first["amount"], first["flag"]) == ("1990-03-07", "1234.50", "1")
    assert (first["phone"], first["share"], first["word"], first["number"]) == ("13912345678", "0.25", "x", "7")
    assert first["ocr"] == '{"a":1}'
    assert set(second.values()) == {None}


def test_parquet_chunks_have_exactly_so_many_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [str(n) for n in range(25)]}), path, row_group_size=4)
    monkeypatch.setattr(readers, "ROWS", 10)
    chunks = list(open_file(path).chunks())
    assert [len(each.rows) for each in chunks] == [10, 10, 5]
    assert [n for each in chunks for n in each.lines.tolist()] == list(range(1, 26))


def test_half_written_parquet(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": ["x" * 50] * 1000}), path)
    whole = path.read_bytes()
    for size in (3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert "half-written" in refused(path)


def test_parquet_damaged_inside(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"a": [f"{n:050}" for n in range(1000)]}), path, compression="zstd")
    whole = bytearray(path.read_bytes())
    whole[4:400] = bytes(396)
    path.write_bytes(whole)
    assert "damaged" in refused(path)


def test_parquet_with_a_column_twice(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array(["1"]), pa.array(["2"])], names=["a", "a"]), path)
    assert "'a'" in refused(path)


# Excel and JSON Lines -----------------------------------------------------------------------------------


def test_excel(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["编号", None, "phone", "when", "amount", "flag"],
        ["A1", "lost", 13912345678, dt.datetime(2025, 1, 1, 8, tzinfo=dt.UTC).replace(tzinfo=None), 100.0, True],
        [None] * 6,
        ["A2", None, "00123", dt.date(2025, 1, 2), 1.5, None],
    ):
        sheet.append(row)
    path = tmp_path / "table.xlsx"
    book.save(path)
    rows, lines, _ = read(open_file(path))
    assert lines == [2, 4]
    assert rows[0] == {
        "编号": "A1", "phone": "13912345678", "when": "2025-01-01T08:00:00", "amount": "100", "flag": "1",
    }  # fmt: skip
    assert (rows[1]["phone"], rows[1]["amount"], rows[1]["flag"]) == ("00123", "1.5", None)


def test_excel_that_is_none(tmp_path: Path) -> None:
    assert "Excel" in refused(written(tmp_path, "a,b\n1,2\n", "table.xlsx"))
    book = openpyxl.Workbook()
    book.save(tmp_path / "empty.xlsx")
    assert "empty" in refused(tmp_path / "empty.xlsx")


def test_json_lines(tmp_path: Path) -> None:
    text = '{"a": 1, "b": "x"}\n\nnonsense\n[1]\n{"a": 13912345678.0, "c": {"k": [1]}}\n{"b": null, "a": true}\n'
    source = open_file(written(tmp_path, text, "table.jsonl"))
    assert source.columns == ("a", "b", "c"), "a key that the first line does not have is a column too"
    rows, lines, broken = read(source)
    assert (lines, broken) == ([1, 5, 6], [3, 4])
    assert rows[1] == {"a": "13912345678", "b": None, "c": '{"k":[1]}'}
    assert rows[2] == {"a": "1", "b": None, "c": None}


@pytest.mark.parametrize("content", ['["a"]\n', "nonsense\n", '"text"\n'])
def test_json_lines_without_an_object_first(tmp_path: Path, content: str) -> None:
    assert "no JSON object" in refused(written(tmp_path, content, "table.jsonl"))


# SQL ---------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "lender.db"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE jinjian (grp TEXT, id INTEGER, amount NUMERIC, at TEXT)")
    db.executemany("INSERT INTO jinjian VALUES ('same', ?, ?, '2025-01-01')", [(n, n * 1.5) for n in range(25, 0, -1)])
    db.execute("CREATE VIEW leads AS SELECT id FROM jinjian")
    db.commit()
    db.close()
    return f"sqlite:///{path}"


def test_tables_and_views_by_address(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readers, "ROWS", 10)
    wanted = {"applications": "jinjian", "contacts": "leads", "phones": "phones"}
    found = open_database(database, wanted)
    assert [each.name for each in found] == ["applications", "contacts"]
    rows, _, _ = read(found[0])
    assert [row["id"] for row in rows] == [str(n) for n in range(1, 26)], "an order that is the same every time"
    assert rows[1] == {"grp": "same", "id": "2", "amount": "3", "at": "2025-01-01"}
    assert [each.digest for each in open_database(database, wanted)] == [each.digest for each in found]


def test_a_changed_row_is_another_content(database: str) -> None:
    before = open_database(database, {"applications": "jinjian"})[0].digest
    db = sqlite3.connect(database.removeprefix("sqlite:///"))
    db.execute("UPDATE jinjian SET amount = 0 WHERE id = 3")
    db.commit()
    db.close()
    assert open_database(database, {"applications": "jinjian"})[0].digest != before


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("sqlite:///{}/none.db", "no file"),
        ("oracle+nodriver://scott:tiger@db/x", "NoSuchModule"),
        ("mysql+pymysql://scott:tiger@db/x", "pymysql"),
        ("://", "address"),
        ("sqlite:///{}/text.db", "cannot be read"),
    ],
)
def test_addresses_that_lead_nowhere(tmp_path: Path, url: str, word: str) -> None:
    written(tmp_path, "nonsense" * 100, "text.db")
    with pytest.raises(InputError) as caught:
        open_database(url.format(tmp_path), {"applications": "applications"})
    assert word in str(caught.value)
    assert "tiger" not in str(caught.value)
    assert not (tmp_path / "none.db").exists()


def test_none_of_the_tables(database: str) -> None:
    with pytest.raises(InputError, match=r"mapping\.yaml"):
        open_database(database, {"applications": "applications"})


# Folders -----------------------------------------------------------------------------------------------


def test_folders(tmp_path: Path) -> None:
    wanted = {"applications": "jinjian", "phones": "phones.csv", "contacts": "contacts"}
    with pytest.raises(InputError, match="none of the tables"):
        open_folder(tmp_path, wanted)
    written(tmp_path, "a\n1\n", "jinjian.csv")
    written(tmp_path, "a\n1\n", "phones.csv")
    assert [each.name for each in open_folder(tmp_path, wanted)] == ["applications", "phones"]
    written(tmp_path, '{"a": 1}\n', "jinjian.jsonl")
    with pytest.raises(InputError, match=r"jinjian\.csv and jinjian\.jsonl"):
        open_folder(tmp_path, wanted)
    with pytest.raises(InputError, match="no folder"):
        open_folder(tmp_path / "none", wanted)


def test_files_of_no_known_kind(tmp_path: Path) -> None:
    assert "none of" in refused(written(tmp_path, "a\n", "table.txt"))
    assert "no file" in refused(tmp_path / "none.csv")
