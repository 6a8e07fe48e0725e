"""A casebook's rows into a file and back, for backups. They move between kinds of databases on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, Table, insert, select

from graph.errors import InputError
from workbench.casebook.opening import Casebook, CasebookError
from workbench.casebook.tables import metadata

ROWS = 5_000


def copy_to(casebook: Casebook, file: Path) -> None:
    """All rows, as of one moment, as a new SQLite casebook."""
    with Casebook.open(f"sqlite:///{file}") as copy, casebook.reading() as source, copy.writing() as target:
        _copy(source, target)


def copy_from(casebook: Casebook, file: Path) -> None:
    """Fill an empty casebook, whole or not at all; one that holds these very rows stays as it is, any other is refused.

    Raises InputError for one that is refused, CasebookError where a row came back otherwise than it went in.
    """
    with Casebook.open(f"sqlite:///{file}") as copy, copy.reading() as source, casebook.writing() as target:
        if _empty(target):
            _copy(source, target)
            if fingerprint(source) != fingerprint(target):
                raise CasebookError(f"casebook {casebook.shown} did not keep what was written; nothing was restored")
        elif fingerprint(source) != fingerprint(target):
            raise InputError(f"casebook {casebook.shown} is not empty; restore into a new one")


def fingerprint(db: Connection) -> Mapping[str, str]:
    """Of each table: the same for the same rows, on every kind of database and in whatever order it sorts texts."""
    return {table.name: _sum(db, table) for table in metadata.sorted_tables}


def _sum(db: Connection, table: Table) -> str:
    total, count = 0, 0
    for rows in _rows(db, table):
        for row in rows:
            written = orjson.dumps(list(row.values()), default=_written, option=orjson.OPT_SORT_KEYS)
            total += int.from_bytes(hashlib.sha256(written).digest())
        count += len(rows)
    return f"{count}-{total % 2**256:064x}"


def _written(value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    raise TypeError(type(value).__name__)


def _copy(source: Connection, target: Connection) -> None:
    for table in metadata.sorted_tables:
        for rows in _rows(source, table):
            target.execute(insert(table), rows)


def _rows(db: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    rows = db.execute(select(table).order_by(*table.primary_key.columns)).mappings()  # older ones first
    while some := rows.fetchmany(ROWS):
        yield [dict(row) for row in some]


def _empty(db: Connection) -> bool:
    return not any(db.execute(select(table).limit(1)).first() for table in metadata.sorted_tables)
