"""A casebook's rows into a file and back, for backups. They move between kinds of databases on the way."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, insert, select

from graph.errors import InputError
from workbench.casebook.opening import Casebook
from workbench.casebook.tables import metadata

ROWS = 5_000


def copy_to(casebook: Casebook, file: Path) -> None:
    """All rows, as of one moment, as a new SQLite casebook."""
    with Casebook.open(f"sqlite:///{file}") as copy, casebook.reading() as source, copy.writing() as target:
        _copy(source, target)


def copy_from(casebook: Casebook, file: Path) -> None:
    """Fill an empty casebook; one that holds these very rows is left as it is, any other is refused."""
    with Casebook.open(f"sqlite:///{file}") as copy, copy.reading() as source, casebook.writing() as target:
        if _empty(target):
            _copy(source, target)
        elif _rows(source) != _rows(target):
            raise InputError(f"casebook {casebook.shown} is not empty; restore into a new one")


def _copy(source: Connection, target: Connection) -> None:
    for table in metadata.sorted_tables:
        rows = source.execute(select(table).order_by(*table.primary_key.columns)).mappings()  # older ones first
        while some := rows.fetchmany(ROWS):
            target.execute(insert(table), [dict(row) for row in some])


def _empty(db: Connection) -> bool:
    return not any(db.execute(select(table).limit(1)).first() for table in metadata.sorted_tables)


def _rows(db: Connection) -> list[list[tuple[object, ...]]]:
    return [
        [tuple(row) for row in db.execute(select(table).order_by(*table.primary_key.columns))]
        for table in metadata.sorted_tables
    ]
