"""The first reading of a load: nothing is written, every row is checked and counted.

Only when all tables were found acceptable are they read again and absorbed, so that
a load with too many bad rows is refused before the store or the vault was touched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from graph.errors import InputError
from loaders.mapping import Mapping
from loaders.parse import Finding
from loaders.readers import Chunk, Source, open_database, open_file, open_folder
from loaders.tables import BY_NAME, TABLES
from loaders.validate import Checked, check

Row = tuple[str, str, str, str, str, str]
"""A quarantined value: table, file_sha256, line, column, reason, action."""


@dataclass
class TableReport:
    """`rows` = `accepted` + `rejected`; `dropped` and `warned` count values, not rows."""

    rows: int = 0
    accepted: int = 0
    rejected: int = 0
    dropped: int = 0
    warned: int = 0
    unknown_columns: tuple[str, ...] = ()
    reasons: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    skipped: bool = False


@dataclass
class Judged:
    report: TableReport
    quarantine: list[Row] = field(default_factory=list)


def open_sources(source: str, wanted: dict[str, str]) -> list[Source]:
    """A folder, a single file named like a table, or a database URL; in the order in which tables are loaded."""
    if "://" in source:
        found = open_database(source, wanted)
    elif (path := Path(source).expanduser()).is_file():
        table = next((name for name, stem in wanted.items() if stem in (path.stem, path.name)), None)
        if table is None:
            raise InputError(f"{path.name} is named like none of the tables ({', '.join(BY_NAME)})")
        one = open_file(path)
        found = [Source(table, one.digest, one.size, one.columns, one.chunks)]
    else:
        if not path.exists():
            raise InputError(
                f"{source} does not exist; give the folder that holds applications.csv and the other tables"
            )
        found = open_folder(path, wanted)
    order = {table.name: at for at, table in enumerate(TABLES)}
    return sorted(found, key=lambda each: order[each.name])


def require_columns(source: Source, mapping: Mapping) -> tuple[str, ...]:
    """The columns nobody reads. Raises InputError when one that the table needs is not there."""
    table, names = BY_NAME[source.name], mapping.of(source.name)
    there = {*names.names(source.columns), *names.constants}
    missing = [name for name in table.required if name not in there]
    if missing:
        raise InputError(
            f"{source.name} has no column {missing[0]} (it has {', '.join(source.columns[:6])} …); "
            "name it in mapping.yaml, see `ringroad load --help`"
        )
    for name, theirs in names.columns.items():
        if theirs not in source.columns:
            raise InputError(
                f"mapping.yaml: {table.name}.columns.{name} names {theirs}, which {names.name} does not have"
            )
    return names.unknown(source.columns, (column.name for column in table.columns))


def judge(source: Source, mapping: Mapping, progress: Callable[[int], None] = lambda _: None) -> Judged:
    """Checks the whole table. `progress` hears the bytes done so far."""
    judged, done = Judged(TableReport()), 0
    for chunk in source.chunks():
        checked = checked_chunk(source, chunk, mapping)
        _count(judged.report, chunk, checked)
        judged.quarantine += quarantined(source, chunk, checked)
        done = min(done + chunk.rows.nbytes, source.size)
        progress(done)
    return judged


def checked_chunk(source: Source, chunk: Chunk, mapping: Mapping) -> Checked:
    table = BY_NAME[source.name]
    rows = mapping.of(source.name).apply(chunk.rows)
    kept = [column.name for column in table.columns if column.name in rows.column_names]
    return check(Chunk(rows.select(kept), chunk.lines, chunk.broken), table)


def quarantined(source: Source, chunk: Chunk, checked: Checked) -> list[Row]:
    rows: list[Row] = [(source.name, source.digest, str(line), "", "row_unreadable", "reject") for line in chunk.broken]
    for finding in checked.findings:
        rows += _lines(source, chunk, finding)
    return rows


def _lines(source: Source, chunk: Chunk, finding: Finding) -> Iterator[Row]:
    for line in chunk.lines[finding.rows].tolist():
        yield (source.name, source.digest, str(line), finding.column, finding.reason, finding.policy)


def _count(report: TableReport, chunk: Chunk, checked: Checked) -> None:
    report.rows += checked.seen
    report.accepted += len(checked.rows)
    report.rejected += len(checked.rejected) + len(chunk.broken)
    for finding in checked.findings:
        count = len(finding.rows)
        report.reasons[f"{finding.column}: {finding.reason}" if finding.column else finding.reason] += count
        report.dropped += count if finding.policy == "quarantine" else 0
        report.warned += count if finding.policy == "warn" else 0
        report.repeated += count if finding.reason == "duplicate_row" else 0
    if chunk.broken:
        report.reasons["row_unreadable"] += len(chunk.broken)
