"""Files, folders and databases as tables of text.

Every reader gives Arrow tables whose columns are all text, as written by the
lender, with the line each row stood on. Nothing is guessed here: `123`, `00123` and
`1.2E+3` arrive as they are, and the validators decide.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import sqlalchemy

from graph.errors import InputError
from graph.records import Ints

ROWS = 50_000
"""Rows of a chunk: one chunk is written, or not written, in one transaction."""

ENDINGS = (".csv", ".parquet", ".xlsx", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class Chunk:
    """Rows as text. `lines` says where each stood (1 is the first line of the file).

    `broken` holds the lines that could not be read as a row at all.
    """

    rows: pa.Table
    lines: Ints
    broken: tuple[int, ...] = ()


@dataclass(frozen=True)
class Source:
    """One table of the lender: where it is, what identifies its content, how to read it."""

    name: str
    digest: str
    size: int
    columns: tuple[str, ...]
    chunks: Callable[[], Iterator[Chunk]] = field(repr=False)


def open_file(path: Path) -> Source:
    """Raises InputError for what is not a table: empty, half-written, in no known encoding."""
    if not path.is_file():
        raise InputError(f"{path} is no file")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; it needs a header line at least")
    ending = path.suffix.lower()
    opener = {".csv": _csv, ".parquet": _parquet, ".xlsx": _excel, ".jsonl": _lines, ".ndjson": _lines}.get(ending)
    if opener is None:
        raise InputError(f"{path.name}: {ending or 'no ending'} is none of {', '.join(ENDINGS)}")
    try:
        return opener(path)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror or 'damaged file'})") from None


def open_folder(folder: Path, wanted: dict[str, str]) -> list[Source]:
    """The tables found in a folder; `wanted` maps a table to the file name (without ending) it has there."""
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the folder that holds applications.csv and the other tables")
    found = []
    for table, stem in wanted.items():
        names = [stem] if Path(stem).suffix.lower() in ENDINGS else [stem + ending for ending in ENDINGS]
        paths = [folder / name for name in names if (folder / name).is_file()]
        if len(paths) > 1:
            raise InputError(f"{folder} holds {paths[0].name} and {paths[1].name}; keep one of them")
        if paths:
            source = open_file(paths[0])
            found.append(Source(table, source.digest, source.size, source.columns, source.chunks))
    if not found:
        raise InputError(f"{folder} holds none of the tables ({', '.join(list(wanted)[-4:])} …), as .csv or .parquet")
    return found


# CSV ---------------------------------------------------------------------------------------------------


def _csv(path: Path) -> Source:
    digest, encoding = _fingerprint(path)
    with path.open(encoding=encoding, newline="") as lines:
        try:
            header = next(csv.reader(lines))
        except (StopIteration, csv.Error):
            raise InputError(f"{path.name} has no readable header line") from None
    names = tuple(name.strip() for name in header)
    _require_distinct(path.name, names)
    return Source(path.stem, digest, path.stat().st_size, names, lambda: _csv_chunks(path, encoding, names))


def _fingerprint(path: Path) -> tuple[str, str]:
    """SHA-256 of the file, and the encoding in which all of it can be read."""
    sha = hashlib.sha256()
    for encoding in ("utf-8-sig", "gb18030"):
        sha = hashlib.sha256()
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 22):
                    if b"\0" in block:
                        raise InputError(f"{path.name} is no text file (UTF-16?); save it as CSV in UTF-8")
                    sha.update(block)
                    decoder.decode(block)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return sha.hexdigest(), encoding
    raise InputError(f"{path.name} is neither UTF-8 nor GB18030; save it as CSV in UTF-8")


def _csv_chunks(path: Path, encoding: str, names: tuple[str, ...]) -> Iterator[Chunk]:
    broken: list[int] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        broken.append(row.number or 0)
        return "skip"

    reader = pa_csv.open_csv(
        path,
        read_options=pa_csv.ReadOptions(
            encoding="utf8" if encoding == "utf-8-sig" else encoding, block_size=1 << 23, use_threads=False,
            column_names=list(names), skip_rows=1,
        ),
        parse_options=pa_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=skip),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""],
        ),
    )  # fmt: skip
    line = 2
    try:
        for rows in _regrouped(pa.Table.from_batches([batch]) for batch in reader):
            bad, broken[:] = tuple(broken), []
            yield Chunk(rows, _line_numbers(rows, line, bad), bad)
            line += len(rows) + len(bad) + _inner_breaks(rows)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path.name} cannot be read as CSV after line {line} ({_short(error)})") from None
    if broken:
        yield Chunk(_empty(names), np.zeros(0, dtype=np.int64), tuple(broken))


def _line_numbers(rows: pa.Table, first: int, broken: tuple[int, ...]) -> Ints:
    """Lines of a file whose quoted values may hold line breaks, and in which broken lines were left out."""
    numbers = np.arange(first, first + len(rows), dtype=np.int64)
    if _inner_breaks(rows):
        breaks = sum(_breaks(column).to_numpy(zero_copy_only=False) for column in rows.columns)
        numbers[1:] += np.cumsum(breaks)[:-1]
    for line in sorted(broken):
        numbers[numbers >= line] += 1
    return numbers


def _breaks(column: pa.ChunkedArray) -> pa.Array:
    return pc.fill_null(pc.count_substring(column, "\n"), 0).combine_chunks()


def _inner_breaks(rows: pa.Table) -> int:
    return sum(pc.sum(pc.count_substring(column, "\n")).as_py() or 0 for column in rows.columns)


# Parquet, Excel, JSON Lines ------------------------------------------------------------------------------


def _parquet(path: Path) -> Source:
    try:
        names = tuple(pq.ParquetFile(path).schema_arrow.names)
    except (pa.ArrowInvalid, pa.ArrowIOError):
        raise InputError(f"{path.name} is damaged or half-written Parquet; write it again") from None

    def chunks() -> Iterator[Chunk]:
        line = 1
        try:
            batches = pq.ParquetFile(path).iter_batches(batch_size=ROWS)
            for rows in _regrouped(pa.Table.from_batches([batch]) for batch in batches):
                yield Chunk(_as_text(rows), np.arange(line, line + len(rows), dtype=np.int64))
                line += len(rows)
        except (pa.ArrowInvalid, OSError):
            raise InputError(f"{path.name} is damaged after row {line - 1}; write it again") from None

    return Source(path.stem, _sha256(path), path.stat().st_size, names, chunks)


def _as_text(rows: pa.Table) -> pa.Table:
    return pa.table({name: _text_column(rows[name]) for name in rows.column_names})


def _text_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_boolean(column.type):
        return column.cast(pa.int8()).cast(pa.string())
    if pa.types.is_timestamp(column.type):
        return pa.chunked_array([_written(column)])
    try:
        return column.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.chunked_array([[None if each is None else str(each) for each in column.to_pylist()]], pa.string())


def _written(column: pa.ChunkedArray) -> pa.Array:
    """Instants in UTC where the file knows the zone; wall-clock time as it stands where it does not."""
    zone = "Z" if column.type.tz else ""
    return pc.strftime(column.cast(pa.timestamp("ms", column.type.tz)), f"%Y-%m-%dT%H:%M:%S{zone}").combine_chunks()


def _excel(path: Path) -> Source:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        rows = book.worksheets[0].iter_rows(values_only=True)
        names = tuple(str(name).strip() for name in next(rows, ()) if name is not None)
    except Exception as error:  # noqa: BLE001 - openpyxl raises many unrelated types for a damaged file
        raise InputError(
            f"{path.name} cannot be read as Excel ({type(error).__name__}); save it again as .xlsx"
        ) from None
    if not names:
        raise InputError(f"{path.name}: the first sheet is empty; it needs a header line")
    _require_distinct(path.name, names)

    def chunks() -> Iterator[Chunk]:
        sheet = openpyxl.load_workbook(path, read_only=True, data_only=True).worksheets[0]
        cells = sheet.iter_rows(min_row=2, values_only=True)
        yield from _from_rows(names, ([_cell(value) for value in row[: len(names)]] for row in cells), first=2)

    return Source(path.stem, _sha256(path), path.stat().st_size, names, chunks)


def _lines(path: Path) -> Source:
    with path.open("rb") as file:
        try:
            names = tuple(str(name) for name in orjson.loads(next(file)))
        except (orjson.JSONDecodeError, StopIteration, TypeError):
            raise InputError(f"{path.name}: the first line is no JSON object") from None

    def chunks() -> Iterator[Chunk]:
        with path.open("rb") as file:
            line = 1
            while block := list(islice(file, ROWS)):
                objects, broken = [], []
                for number, text in enumerate(block, start=line):
                    try:
                        value = orjson.loads(text)
                        objects.append((number, value if isinstance(value, dict) else _not_an_object()))
                    except (orjson.JSONDecodeError, TypeError):
                        broken.append(number)
                columns = {name: [_cell(value.get(name)) for _, value in objects] for name in names}
                rows = pa.table({name: pa.array(each, pa.string()) for name, each in columns.items()})
                yield Chunk(rows, np.array([number for number, _ in objects], dtype=np.int64), tuple(broken))
                line += len(block)

    return Source(path.stem, _sha256(path), path.stat().st_size, names, chunks)


def _not_an_object() -> dict[str, Any]:
    raise TypeError


# SQL ---------------------------------------------------------------------------------------------------


def open_database(url: str, wanted: dict[str, str]) -> list[Source]:
    """Tables of a database by SQLAlchemy URL; `wanted` maps a table to its name there."""
    try:
        engine = sqlalchemy.create_engine(url)
        there = set(sqlalchemy.inspect(engine).get_table_names()) | set(sqlalchemy.inspect(engine).get_view_names())
    except ModuleNotFoundError as error:
        raise InputError(f"reading this database needs the Python package {error.name}; install it") from None
    except (sqlalchemy.exc.SQLAlchemyError, ValueError) as error:
        raise InputError(
            f"the database cannot be opened ({type(error).__name__}); check address and password"
        ) from None
    found = [_sql_source(engine, table, name) for table, name in wanted.items() if name in there]
    if not found:
        raise InputError("the database holds none of the input tables; name them in mapping.yaml")
    return found


def _sql_source(engine: sqlalchemy.Engine, table: str, name: str) -> Source:
    columns = tuple(column["name"] for column in sqlalchemy.inspect(engine).get_columns(name))
    query: Any = sqlalchemy.select(*map(sqlalchemy.column, columns)).select_from(
        sqlalchemy.table(name)
    )
    query = query.order_by(sqlalchemy.column(columns[0]))

    def chunks() -> Iterator[Chunk]:
        with engine.connect() as connection:
            rows = connection.execution_options(yield_per=ROWS).execute(query)
            yield from _from_rows(columns, ([_cell(value) for value in row] for row in rows), first=1)

    sha, size = hashlib.sha256(), 0
    for chunk in chunks():
        for column in chunk.rows.columns:
            sha.update("\0".join(value or "" for value in column.to_pylist()).encode())
        size += chunk.rows.nbytes
    return Source(table, sha.hexdigest(), size, columns, chunks)


# Shared ------------------------------------------------------------------------------------------------


def _from_rows(names: tuple[str, ...], rows: Iterator[list[str | None]], *, first: int) -> Iterator[Chunk]:
    while block := list(islice(rows, ROWS)):
        width = len(names)
        columns = list(zip(*([*row, *[None] * (width - len(row))] for row in block), strict=True))
        table = pa.table({name: pa.array(each, pa.string()) for name, each in zip(names, columns, strict=True)})
        yield Chunk(table, np.arange(first, first + len(block), dtype=np.int64))
        first += len(block)


def _cell(value: object) -> str | None:
    """A typed cell as the text a person would have written."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)


def _regrouped(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The same rows in chunks of exactly `ROWS`, so that a chunk's content never depends on block sizes."""
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        waiting.append(table)
        count += len(table)
        if count >= ROWS:
            whole = pa.concat_tables(waiting)
            cut = count - count % ROWS
            for start in range(0, cut, ROWS):
                yield whole.slice(start, ROWS).combine_chunks()
            waiting, count = [whole.slice(cut)], count - cut
    if count:
        yield pa.concat_tables(waiting).combine_chunks()


def _empty(names: tuple[str, ...]) -> pa.Table:
    return pa.table({name: pa.array([], pa.string()) for name in names})


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_distinct(name: str, columns: tuple[str, ...]) -> None:
    twice = {each for each in columns if columns.count(each) > 1}
    if twice:
        raise InputError(f"{name}: column {min(twice)!r} stands twice in the header; rename one")


def _short(error: Exception) -> str:
    """Arrow's message up to the first value it quotes: values may be personal."""
    return str(error).split("\n")[0].split(":")[0][:80]
