"""One load: read, check, translate, stage; then write chunk by chunk, each whole or not at all.

Killed at any moment and run again, a load ends in the same graph: a chunk carries an
id made of its file's content, and the store remembers the ids it has absorbed.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from graph.errors import BatchConflict, InputError, StorageFull, TooManyRejected
from graph.ontology import ontology_hash
from graph.records import Batch
from graph.store import GraphStore
from graph.vault import Vault
from loaders import staging
from loaders.mapping import Mapping
from loaders.parse import Finding
from loaders.readers import Chunk, Source, open_database, open_file, open_folder
from loaders.tables import BY_NAME, TABLES, Table
from loaders.translate import Facts, Translator
from loaders.validate import Checked, check

Progress = Callable[[str, str, int, int], None]
"""Called with (stage, table, done, total): bytes while checking, rows while writing."""

MAX_REJECTED = 0.05
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
KEY_KIND = {"applicant": "id_number", "address": "address", "employer": None}
QUARANTINE_COLUMNS = ("table", "file_sha256", "line", "column", "reason", "action")


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
class LoadReport:
    tables: dict[str, TableReport] = field(default_factory=dict)
    batches: int = 0
    skipped: int = 0
    nodes: int = 0
    edges: int = 0
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Staged:
    id: str
    digest: str
    table: str
    folder: Path | None
    rows: int


class Load:
    """`store` and `vault` are only written once everything was staged and found acceptable."""

    def __init__(
        self,
        store: GraphStore,
        vault: Vault,
        *,
        staging_dir: Path,
        quarantine_file: Path,
        mapping: Mapping,
        batch: str | None = None,
        max_rejected: float = MAX_REJECTED,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._store, self._vault, self._mapping = store, vault, mapping
        self._staging_dir, self._quarantine_file = staging_dir, quarantine_file
        self._batch, self._max_rejected, self._progress = batch, max_rejected, progress
        self._absorbed = {mark.id: mark.digest for mark in store.batches()}
        self._quarantine: list[tuple[str, ...]] = []
        self.report = LoadReport()

    def run(self, source: str) -> LoadReport:
        """Load a folder, a single file named like a table, or a database URL."""
        sources = self._open(source)
        try:
            with staging.staging_folder(self._staging_dir) as folder:
                staged = list(self._stage(sources, folder))
                self._write_quarantine()
                self._refuse()
                for at, each in enumerate(staged):
                    self._absorb(each)
                    self._progress(
                        "write",
                        each.table,
                        sum(one.rows for one in staged[: at + 1]),
                        sum(one.rows for one in staged),
                    )
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StorageFull(
                    f"no room left below {self._staging_dir.parent}; free some and run the load again"
                ) from None
            raise
        return self.report

    # Reading ---------------------------------------------------------------------------------------

    def _open(self, source: str) -> list[Source]:
        wanted = self._mapping.wanted
        if "://" in source:
            found = open_database(source, wanted)
        elif (path := Path(source).expanduser()).is_file():
            table = next((name for name, stem in wanted.items() if path.stem == stem or path.name == stem), None)
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
        found.sort(key=lambda each: order[each.name])
        for each in found:
            self._require_columns(each)
        return found

    def _require_columns(self, source: Source) -> None:
        table, mapping = BY_NAME[source.name], self._mapping.of(source.name)
        there = {*mapping.names(source.columns), *mapping.constants}
        missing = [name for name in table.required if name not in there]
        if missing:
            raise InputError(
                f"{source.name} has no column {missing[0]} (it has {', '.join(source.columns[:6])} …); "
                "name it in mapping.yaml, see `ringroad load --help`"
            )
        for name, theirs in mapping.columns.items():
            if theirs not in source.columns:
                raise InputError(
                    f"mapping.yaml: {table.name}.columns.{name} names {theirs}, which {mapping.name} does not have"
                )
        unknown = mapping.unknown(source.columns, (column.name for column in table.columns))
        self.report.tables[source.name] = TableReport(unknown_columns=unknown)

    # Staging ---------------------------------------------------------------------------------------

    def _stage(self, sources: list[Source], folder: Path) -> Iterator[_Staged]:
        translator = Translator(self._vault)
        total, done = sum(source.size for source in sources), 0
        for source in sources:
            name = f"{self._batch or source.digest[:24]}/{source.name}"
            digest = hashlib.sha256(
                f"{source.digest}{self._mapping.of(source.name)}{ontology_hash()}".encode()
            ).hexdigest()
            end = f"{name}/end"
            if self._known(end, digest):
                self.report.tables[source.name].skipped = True
                self.report.skipped += 1
            else:
                for at, chunk in enumerate(source.chunks()):
                    id_ = f"{name}/{at:05}"
                    place = folder / f"{source.name}-{at:05}"
                    rows = self._stage_chunk(translator, source, chunk, place)
                    if not self._known(id_, digest):
                        yield _Staged(id_, digest, source.name, place, rows)
                    self._progress("check", source.name, min(done + chunk.rows.nbytes, total), total)
                yield _Staged(end, digest, source.name, None, 0)
            done += source.size
            self._progress("check", source.name, done, total)

    def _known(self, id_: str, digest: str) -> bool:
        found = self._absorbed.get(id_)
        if found is not None and found != digest:
            raise BatchConflict(
                f"batch {id_.split('/', maxsplit=1)[0]} was loaded before with other content; give it a new name"
            )
        return found is not None

    def _stage_chunk(self, translator: Translator, source: Source, chunk: Chunk, place: Path) -> int:
        table = BY_NAME[source.name]
        rows = self._mapping.of(source.name).apply(chunk.rows)
        kept = [column.name for column in table.columns if column.name in rows.column_names]
        chunk = Chunk(rows.select(kept), chunk.lines, chunk.broken)
        checked = check(chunk, table)
        facts = translator.translate(table, checked.rows)
        self._count(table, chunk, checked, facts)
        quarantined = _quarantine_rows(table, source.digest, chunk, checked)
        self._quarantine += quarantined
        if quarantined:
            facts.events["quarantine"] = _as_events(quarantined)
        staging.put(facts, place)
        return len(checked.rows)

    def _count(self, table: Table, chunk: Chunk, checked: Checked, facts: Facts) -> None:
        report = self.report.tables[table.name]
        report.rows += checked.seen
        report.accepted += len(checked.rows)
        report.rejected += len(checked.rejected) + len(chunk.broken)
        for finding in checked.findings:
            report.reasons[f"{finding.column}: {finding.reason}" if finding.column else finding.reason] += len(
                finding.rows
            )
            report.dropped += len(finding.rows) if finding.policy == "quarantine" else 0
            report.warned += len(finding.rows) if finding.policy == "warn" else 0
            report.repeated += len(finding.rows) if finding.reason == "duplicate_row" else 0
        if chunk.broken:
            report.reasons["row_unreadable"] += len(chunk.broken)
        self.report.notes.update(facts.warnings)

    def _refuse(self) -> None:
        """Repeated rows harm nobody and a single bad row refuses no load."""
        for name, report in self.report.tables.items():
            bad = report.rejected - report.repeated
            if bad > max(1, self._max_rejected * report.rows):
                worst = ", ".join(f"{reason} ({count})" for reason, count in report.reasons.most_common(3))
                raise TooManyRejected(
                    f"{name}: {bad:,} of {report.rows:,} rows were refused, more than {self._max_rejected:.0%}: {worst}. "
                    f"Nothing was loaded; see {self._quarantine_file}, or allow more with --max-rejected"
                )

    # Writing ---------------------------------------------------------------------------------------

    def _absorb(self, staged: _Staged) -> None:
        if staged.folder is None:
            self._store.write(Batch(staged.id, staged.digest))
            return
        for kind, tokens, sealed in staging.sealed(staged.folder):
            self._vault.keep(kind, tokens, sealed)
        for kind, ids, keys in staging.referred(staged.folder):
            self._vault.refer(kind, ids, keys, KEY_KIND[kind])
        batch = staging.batch(staged.folder, id=staged.id, digest=staged.digest)
        self._store.write(batch)
        self.report.batches += 1
        self.report.nodes += sum(map(len, batch.nodes))
        self.report.edges += sum(map(len, batch.edges))

    def _write_quarantine(self) -> None:
        """A file for the people who repair the data: where and why, never the value. It is about this load;
        of files that an earlier run had loaded to their end it keeps what that run found."""
        rows = {*self._quarantine, *self._found_before()}
        if not rows:
            self._quarantine_file.unlink(missing_ok=True)
            return
        fresh = self._quarantine_file.with_suffix(".new")
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", newline="", encoding="utf-8"
        ) as file:
            writer = csv.writer(file)
            writer.writerow(QUARANTINE_COLUMNS)
            writer.writerows(sorted(rows, key=lambda row: (row[0], int(row[2]), row[3:])))
        fresh.replace(self._quarantine_file)

    def _found_before(self) -> list[tuple[str, ...]]:
        skipped = {name for name, report in self.report.tables.items() if report.skipped}
        if not skipped or not self._quarantine_file.exists():
            return []
        with self._quarantine_file.open(newline="", encoding="utf-8") as file:
            return [tuple(row) for row in csv.reader(file) if row and row[0] in skipped]


def _quarantine_rows(table: Table, digest: str, chunk: Chunk, checked: Checked) -> list[tuple[str, ...]]:
    rows = [(table.name, digest, str(line), "", "row_unreadable", "reject") for line in chunk.broken]
    for finding in checked.findings:
        rows += _lines(table, digest, chunk, finding)
    return rows


def _lines(table: Table, digest: str, chunk: Chunk, finding: Finding) -> Iterator[tuple[str, ...]]:
    for line in chunk.lines[finding.rows].tolist():
        yield (table.name, digest, str(line), finding.column, finding.reason, finding.policy)


def _as_events(rows: list[tuple[str, ...]]) -> pa.Table:
    columns = dict(zip(QUARANTINE_COLUMNS, zip(*rows, strict=True), strict=True))
    refs = [f"{digest[:16]}:{table}:{line}:{column}:{reason}" for table, digest, line, column, reason, _ in rows]
    nothing = np.zeros(len(rows), dtype=np.int64)
    head = {"ref": pa.array(refs), "owner": nothing, "event_time": nothing, "known_at": nothing}
    return pa.table(head | {name: pa.array(list(column)) for name, column in columns.items()})
