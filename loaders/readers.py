"""Files, folders and databases as tables of text.

Every reader gives Arrow tables whose columns are all text, as written by the
lender, with the line each row stood on. Nothing is guessed here: `123`, `00123` and
`1.2E+3` arrive as they are, and the validators decide.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from importlib.metadata import entry_points
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

from graph.errors import InputError, RingroadError
from graph.records import Ints

ROWS = 100_000
"""Rows of a chunk: one chunk is written, or not written, in one transaction."""

BLOCK = 1 << 23
"""Bytes of CSV read at once; a quoted value may not be longer."""

EXACT = 2**53
"""Whole numbers up to here are exact as a float."""

GROUP = "ringroad.readers"
"""Entry points of a lender's own packages, named by an ending such as ".txt": a function from a path to a Source."""

ENDING = re.compile(r"\.[a-z0-9]{1,12}")


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


@lru_cache(maxsize=1)
def openers() -> dict[str, Callable[[Path], Source]]:
    """By ending: ours, and beside them those of the lender's own packages. Raises InputError for one of ours."""
    found: dict[str, Callable[[Path], Source]] = {
        ".csv": _csv,
        ".parquet": _parquet,
        ".xlsx": _excel,
        ".jsonl": _lines,
        ".ndjson": _lines,
    }
    for point in entry_points(group=GROUP):
        if not ENDING.fullmatch(point.name) or point.name in found:
            raise InputError(f"entry point {point.name!r} of {GROUP} is no new ending; name it like .txt, once")
        try:
            found[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            raise InputError(
                f"entry point {point.name} of {GROUP} cannot be loaded ({type(error).__name__}); name MODULE:FUNCTION"
            ) from None
    return found


def source_of(path: Path, columns: Sequence[str], rows: Callable[[], Iterator[tuple[int, Sequence[object]]]]) -> Source:
    """For readers of one's own. `rows` gives line and values of each row, from the start each time it is called: a load
    reads everything twice. A row with more or fewer values than columns is broken, as it is in a CSV."""
    names = tuple(columns)
    _require_distinct(path.name, names)

    def chunks() -> Iterator[Chunk]:
        told = iter(rows())
        while block := list(islice(told, ROWS)):
            whole = [(line, [_cell(each) for each in row]) for line, row in block if len(row) == len(names)]
            yield _chunk(names, whole, tuple(line for line, row in block if len(row) != len(names)))

    return Source(path.stem, _sha256(path), path.stat().st_size, names, chunks)


def open_file(path: Path) -> Source:
    """Raises InputError for what is not a table: empty, half-written, in no known encoding."""
    if not path.is_file():
        raise InputError(f"{path} is no file")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; it needs a header line at least")
    ending = path.suffix.lower()
    opener = openers().get(ending)
    if opener is None:
        raise InputError(f"{path.name}: {ending or 'no ending'} is none of {', '.join(openers())}")
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
        names = [stem] if Path(stem).suffix.lower() in openers() else [stem + ending for ending in openers()]
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
    digest, encoding, odd = _fingerprint(path)
    with path.open(encoding=encoding, newline="") as lines:
        rows = csv.reader(lines)
        try:
            header = next(rows)
        except (StopIteration, csv.Error):
            raise InputError(f"{path.name} has no readable header line") from None
        height = rows.line_num
    names = tuple(name.strip() for name in header)
    if not any(names):
        raise InputError(f"{path.name}: the first line is blank; it needs a header line")
    _require_distinct(path.name, names)
    return Source(
        path.stem, digest, path.stat().st_size, names, lambda: _csv_chunks(path, encoding, names, height, odd=odd)
    )


def _fingerprint(path: Path) -> tuple[str, str, bool]:
    """SHA-256 of the file, the encoding in which all of it can be read, and whether it has an odd number of quotes."""
    for encoding in ("utf-8-sig", "gb18030"):
        sha, quotes = hashlib.sha256(), 0
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 22):
                    if b"\0" in block:
                        raise InputError(f"{path.name} is no text file (UTF-16?); save it as CSV in UTF-8")
                    sha.update(block)
                    quotes += block.count(b'"')
                    decoder.decode(block)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return sha.hexdigest(), encoding, bool(quotes % 2)
    raise InputError(f"{path.name} is neither UTF-8 nor GB18030; save it as CSV in UTF-8")


def _csv_chunks(path: Path, encoding: str, names: tuple[str, ...], height: int, *, odd: bool) -> Iterator[Chunk]:
    """`height` is the number of lines the header takes: one, unless a column's name has a line break."""
    skipped: list[tuple[int, int]] = []  # (record, line breaks inside it) of what is no row; record 1 is the header

    def skip(row: pa_csv.InvalidRow) -> str:
        skipped.append((row.number, row.text.count("\n")))
        return "skip"

    reader = pa_csv.open_csv(
        path,
        read_options=pa_csv.ReadOptions(
            encoding="utf8" if encoding == "utf-8-sig" else encoding, block_size=BLOCK, use_threads=False,
            column_names=list(names), skip_rows=height,
        ),
        parse_options=pa_csv.ParseOptions(
            newlines_in_values=True, invalid_row_handler=skip, ignore_empty_lines=False
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""],
        ),
    )  # fmt: skip
    record, line, start = height + 1, height + 1, 0
    try:
        for rows in _regrouped(pa.Table.from_batches([batch]) for batch in reader):
            lines, broken, record, line = _placed(rows, skipped, record, line)
            start = int(lines[-1])
            yield _without_blank(rows, lines, broken)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path.name} cannot be read as CSV after line {line - 1} ({_short(error)})") from None
    if skipped:
        _, broken, _, line = _placed(_empty(names), skipped, record, line, last=True)
        start = broken[-1]
        yield Chunk(_empty(names), np.zeros(0, dtype=np.int64), broken)
    if odd and line - start > 1:
        raise InputError(f"{path.name}: a quote in line {start} is never closed; what follows it cannot be told apart")


def _placed(
    rows: pa.Table, skipped: list[tuple[int, int]], record: int, line: int, *, last: bool = False
) -> tuple[Ints, tuple[int, ...], int, int]:
    """Lines of the rows and of the broken records up to their end, and where the next record begins.

    Takes out of `skipped` what it has placed. The reader runs ahead by a block, so `skipped` may
    hold records that belong behind these rows: to the next chunk, whatever the size of a block.
    """
    breaks = sum((_breaks(column) for column in rows.columns), start=np.zeros(len(rows), dtype=np.int64))
    lines = line + np.arange(len(rows)) + np.concatenate([[0], np.cumsum(breaks)])[:-1]
    record, line = record + len(rows), line + len(rows) + int(breaks.sum())
    broken = []
    while skipped and skipped[0][0] < record + last:
        number, inside = skipped.pop(0)
        at = len(lines) - (record - number)
        broken.append(int(lines[at]) if at < len(lines) else line)
        lines[at:] += 1 + inside
        record, line = record + 1, line + 1 + inside
    return lines, tuple(broken), record, line


def _breaks(column: pa.ChunkedArray) -> Ints:
    counted = pc.fill_null(pc.count_substring(column, "\n"), 0)
    return np.asarray(counted.to_numpy(), dtype=np.int64)


def _without_blank(rows: pa.Table, lines: Ints, broken: tuple[int, ...]) -> Chunk:
    """A line without any value is no row."""
    filled = np.zeros(len(rows), dtype=bool)
    for column in rows.columns:
        filled |= column.is_valid().to_numpy()
    if filled.all():
        return Chunk(rows, lines, broken)
    return Chunk(rows.filter(pa.array(filled)), lines[filled], broken)


# Parquet, Excel, JSON Lines ------------------------------------------------------------------------------


def _parquet(path: Path) -> Source:
    try:
        names = tuple(pq.ParquetFile(path).schema_arrow.names)
    except (pa.ArrowException, OSError):
        raise InputError(f"{path.name} is damaged or half-written Parquet; write it again") from None
    _require_distinct(path.name, names)

    def chunks() -> Iterator[Chunk]:
        line = 1
        try:
            batches = pq.ParquetFile(path).iter_batches(batch_size=ROWS)
            for rows in _regrouped(pa.Table.from_batches([batch]) for batch in batches):
                yield Chunk(_as_text(rows), np.arange(line, line + len(rows), dtype=np.int64))
                line += len(rows)
        except (pa.ArrowException, OSError):
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
        return _written(column)
    if pa.types.is_floating(column.type) or pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        return pa.chunked_array([[_cell(each) for each in column.to_pylist()]], pa.string())
    try:
        return column.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.chunked_array([[_cell(each) for each in column.to_pylist()]], pa.string())


def _written(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Instants in China time where the file knows the zone, so that a date is the day it was there;
    wall-clock time as it stands where it does not."""
    zone = ""
    if column.type.tz:
        moved = column.cast(pa.timestamp("ms", "UTC"), safe=False).cast(pa.int64())
        column, zone = pc.add(moved, 8 * 3_600_000).cast(pa.timestamp("ms")), "+08:00"
    return pc.strftime(column.cast(pa.timestamp("ms"), safe=False), f"%Y-%m-%dT%H:%M:%S{zone}")


def _excel(path: Path) -> Source:
    with _sheet(path) as rows:
        header = list(next(rows, ()))
    places = [at for at, name in enumerate(header) if name is not None and str(name).strip()]
    names = tuple(str(header[at]).strip() for at in places)
    if not names:
        raise InputError(f"{path.name}: the first sheet is empty; it needs a header line")
    _require_distinct(path.name, names)

    def numbered() -> Iterator[Numbered]:
        with _sheet(path) as rows:
            next(rows, ())
            for line, row in enumerate(rows, start=2):
                yield line, [_cell(row[at]) if at < len(row) else None for at in places]

    return Source(path.stem, _sha256(path), path.stat().st_size, names, lambda: _from_rows(names, numbered()))


@contextmanager
def _sheet(path: Path) -> Iterator[Iterator[tuple[object, ...]]]:
    """The rows of the first sheet. openpyxl raises many unrelated types for a damaged file, early or late."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                yield book.worksheets[0].iter_rows(values_only=True)
            finally:
                book.close()
    except RingroadError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        raise InputError(
            f"{path.name} cannot be read as Excel ({type(error).__name__}); save it again as .xlsx"
        ) from None


def _lines(path: Path) -> Source:
    """Columns are the keys of all objects: a key may be left out where it has no value."""
    names: dict[str, None] = {}
    for line, value in _objects(path):
        if value is None and line == 1:
            raise InputError(f"{path.name}: the first line is no JSON object")
        names.update(dict.fromkeys(value or ()))
    columns = tuple(names)

    def chunks() -> Iterator[Chunk]:
        lines = _objects(path)
        while block := list(islice(lines, ROWS)):
            rows = [(line, [_cell(value.get(name)) for name in columns]) for line, value in block if value is not None]
            broken = tuple(line for line, value in block if value is None)
            yield _chunk(columns, rows, broken)

    return Source(path.stem, _sha256(path), path.stat().st_size, columns, chunks)


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Line and object; None for a line that holds none. Blank lines are passed over."""
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            text = raw.removeprefix(codecs.BOM_UTF8).strip()
            if text:
                try:
                    value = orjson.loads(text)
                except orjson.JSONDecodeError:
                    value = None
                yield line, value if isinstance(value, dict) else None


# SQL ---------------------------------------------------------------------------------------------------


def open_database(url: str, wanted: dict[str, str]) -> list[Source]:
    """Tables of a database by SQLAlchemy URL; `wanted` maps a table to its name there."""
    with _database():
        address = sqlalchemy.make_url(url)
        file = address.database or ""
        if address.get_backend_name() == "sqlite" and not file.startswith("file:") and not Path(file).is_file():
            raise InputError(f"{file or 'the database'} is no file; write sqlite:///FILE")  # SQLite would create it
        engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.NullPool)
        inspector = sqlalchemy.inspect(engine)
        there = {*inspector.get_table_names(), *inspector.get_view_names()}
        found = [_sql_source(engine, table, name) for table, name in wanted.items() if name in there]
    if not found:
        raise InputError("the database holds none of the input tables; name them in mapping.yaml")
    return found


@contextmanager
def _database() -> Iterator[None]:
    """Messages of drivers quote the address with its password, or values of rows: none of them is passed on."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(f"reading this database needs the Python package {error.name}; install it") from None
    except (sqlalchemy.exc.SQLAlchemyError, ValueError) as error:
        raise InputError(f"the database cannot be read ({type(error).__name__}); check address and password") from None


def _sql_source(engine: sqlalchemy.Engine, table: str, name: str) -> Source:
    inspector = sqlalchemy.inspect(engine)
    columns = tuple(column["name"] for column in inspector.get_columns(name))
    order = inspector.get_pk_constraint(name)["constrained_columns"] or columns
    query: Any = sqlalchemy.select(*map(sqlalchemy.column, columns)).select_from(sqlalchemy.table(name))
    query = query.order_by(*map(sqlalchemy.column, order))

    def chunks() -> Iterator[Chunk]:
        with _database(), engine.connect() as connection:
            rows = connection.execution_options(yield_per=ROWS).execute(query)
            yield from _from_rows(columns, enumerate(([_cell(value) for value in row] for row in rows), start=1))

    sha, size = hashlib.sha256(repr(columns).encode()), 0
    for chunk in chunks():
        for row in zip(*(column.to_pylist() for column in chunk.rows.columns), strict=True):
            sha.update(repr(row).encode())
        size += chunk.rows.nbytes
    return Source(table, sha.hexdigest(), size, columns, chunks)


# Shared ------------------------------------------------------------------------------------------------


Numbered = tuple[int, list[str | None]]
"""A row with the line it stood on."""


def _from_rows(names: tuple[str, ...], rows: Iterator[Numbered]) -> Iterator[Chunk]:
    filled = ((line, row) for line, row in rows if any(value is not None for value in row))
    while block := list(islice(filled, ROWS)):
        yield _chunk(names, block)


def _chunk(names: tuple[str, ...], block: list[Numbered], broken: tuple[int, ...] = ()) -> Chunk:
    columns = {name: pa.array([row[at] for _, row in block], pa.string()) for at, name in enumerate(names)}
    return Chunk(pa.table(columns), np.array([line for line, _ in block], dtype=np.int64), broken)


def _cell(value: object) -> str | None:
    """A typed cell as the text a person would have written."""
    if value is None or value == "" or value != value:  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):  # a column of whole numbers with a gap in it is kept as floats
        return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict | list):
        return orjson.dumps(value, default=str).decode()
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
