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
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from graph.errors import BatchConflict, StorageFull, TooManyRejected
from graph.ontology import ontology_hash
from graph.records import Batch
from graph.store import GraphStore
from graph.vault import Vault
from loaders import beside, staging
from loaders.beside import Beside, halves, judge_there, open_there, write_chunk
from loaders.judge import Judged, Row, TableReport, checked_chunk, judge, open_sources, quarantined, require_columns
from loaders.mapping import Mapping
from loaders.readers import Chunk, Source
from loaders.tables import BY_NAME
from loaders.translate import Facts, Translator

Progress = Callable[[str, str, int, int], None]
"""Called with (stage, table, done, total), in bytes; stages are "check" and "write"."""

MAX_REJECTED = 0.05
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
KEY_KIND = {"applicant": "id_number", "address": "address", "employer": None}
QUARANTINE_COLUMNS = ("table", "file_sha256", "line", "column", "reason", "action")


@dataclass
class LoadReport:
    tables: dict[str, TableReport] = field(default_factory=dict)
    batches: int = 0
    skipped: int = 0
    nodes: int = 0
    edges: int = 0
    notes: Counter[str] = field(default_factory=Counter)


class Load:
    """`store` and `vault` are only written once every table was read and found acceptable."""

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
        password: str | None = None,
    ) -> None:
        """`password` opens the store a second time, for the process that writes a large load."""
        self._store, self._vault, self._mapping, self._password = store, vault, mapping, password
        self._staging_dir, self._quarantine_file = staging_dir, quarantine_file
        self._batch, self._max_rejected, self._progress = batch, max_rejected, progress
        self._absorbed = {mark.id: mark.digest for mark in store.batches()}
        self.report = LoadReport()

    def run(self, source: str) -> LoadReport:
        """Load a folder, a single file named like a table, or a database URL."""
        try:
            sources = self._fresh(open_sources(source, self._mapping.wanted))
            with self._helper(sources) as helper:
                self._judge(source, sources, helper)
                self._refuse()
                with staging.staging_folder(self._staging_dir) as folder, self._bulk(helper):
                    self._absorb(sources, folder, helper)
        except OSError as error:
            if error.errno in NO_ROOM:
                raise StorageFull(
                    f"no room left below {self._staging_dir.parent}; free some and run the load again"
                ) from None
            raise
        return self.report

    def _fresh(self, sources: list[Source]) -> list[Source]:
        """Those that were not absorbed to their end before."""
        for each in sources:
            self.report.tables[each.name] = TableReport(unknown_columns=require_columns(each, self._mapping))
        left = []
        for each in sources:
            if self._known(f"{self._name(each)}/end", self._digest(each)):
                self.report.tables[each.name].skipped = True
                self.report.skipped += 1
            else:
                left.append(each)
        return left

    def _name(self, source: Source) -> str:
        return f"{self._batch or source.digest[:24]}/{source.name}"

    def _digest(self, source: Source) -> str:
        content = f"{source.digest}{self._mapping.of(source.name)}{ontology_hash()}"
        return hashlib.sha256(content.encode()).hexdigest()

    def _known(self, id_: str, digest: str) -> bool:
        found = self._absorbed.get(id_)
        if found is not None and found != digest:
            raise BatchConflict(
                f"batch {id_.split('/', maxsplit=1)[0]} was loaded before with other content; give it a new name"
            )
        return found is not None

    @contextmanager
    def _helper(self, sources: list[Source]) -> Iterator[Beside | None]:
        if sum(source.size for source in sources) < beside.LARGE:
            yield None
            return
        helper = Beside()
        try:
            yield helper
        finally:
            helper.close()

    @contextmanager
    def _bulk(self, helper: Beside | None) -> Iterator[None]:
        if helper is None:
            with self._store.bulk():
                yield
            return
        helper.ask(open_there, self._store.url, self._password)
        yield
        helper.finish()

    # Judging ---------------------------------------------------------------------------------------

    def _judge(self, source: str, sources: list[Source], helper: Beside | None) -> None:
        """Checks every row, with help where there is some; the quarantine file is written even when we refuse."""
        given = halves([each.size for each in sources]) if helper else [False] * len(sources)
        theirs = {each.name for each, away in zip(sources, given, strict=True) if away}
        if helper and theirs:
            wanted = {name: stem for name, stem in self._mapping.wanted.items() if name in theirs}
            helper.ask(judge_there, source, wanted, self._mapping)
        mine = [each for each in sources if each.name not in theirs]
        total, before = sum(each.size for each in mine), 0
        judged: dict[str, Judged] = {}
        for each in mine:
            judged[each.name] = judge(each, self._mapping, self._told("check", each, before, total))
            before += each.size
        if helper and theirs:
            judged |= helper.answer()
        for name, found in judged.items():
            found.report.unknown_columns = self.report.tables[name].unknown_columns
            self.report.tables[name] = found.report
        self._write_quarantine({row for each in judged.values() for row in each.quarantine})

    def _told(self, stage: str, source: Source, before: int, total: int) -> Callable[[int], None]:
        return lambda done: self._progress(stage, source.name, before + done, total)

    def _refuse(self) -> None:
        """Repeated rows harm nobody and a single bad row refuses no load."""
        for name, report in self.report.tables.items():
            bad = report.rejected - report.repeated
            if bad > max(1, self._max_rejected * report.rows):
                worst = ", ".join(f"{reason} ({count})" for reason, count in report.reasons.most_common(3))
                raise TooManyRejected(
                    f"{name}: {bad:,} of {report.rows:,} rows were refused, more than {self._max_rejected:.0%}: "
                    f"{worst}. Nothing was loaded; see {self._quarantine_file}, or allow more with --max-rejected"
                )

    def _write_quarantine(self, found: set[Row]) -> None:
        """A file for the people who repair the data: where and why, never the value. It is about this load;
        of files that an earlier run had loaded to their end it keeps what that run found."""
        rows: list[Row] = sorted(found | self._found_before(), key=_place)
        if not rows:
            self._quarantine_file.unlink(missing_ok=True)
            return
        fresh = self._quarantine_file.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(QUARANTINE_COLUMNS)
            writer.writerows(rows)
        fresh.replace(self._quarantine_file)

    def _found_before(self) -> set[Row]:
        skipped = {name for name, report in self.report.tables.items() if report.skipped}
        if not skipped or not self._quarantine_file.exists():
            return set()
        with self._quarantine_file.open(newline="", encoding="utf-8") as file:
            return {(row[0], row[1], row[2], row[3], row[4], row[5]) for row in csv.reader(file) if row[0] in skipped}

    # Absorbing -------------------------------------------------------------------------------------

    def _absorb(self, sources: list[Source], folder: Path, helper: Beside | None) -> None:
        """Chunk by chunk: the vault holds what the store is about to say."""
        translator = Translator(self._vault)
        total, before = sum(source.size for source in sources), 0
        for source in sources:
            told = self._told("write", source, before, total)
            for id_, facts, done in self._facts(source, translator):
                place = folder / id_.replace("/", "-")
                self._keep(facts)
                staging.put(facts, place)
                if helper:
                    helper.write(place, id_, self._digest(source))
                else:
                    write_chunk(self._store, place, id_, self._digest(source))
                self._count(facts)
                told(done)
            end = Batch(f"{self._name(source)}/end", self._digest(source))
            if helper:
                helper.mark(end)
            else:
                self._store.write(end)
            before += source.size
            told(source.size)

    def _facts(self, source: Source, translator: Translator) -> Iterator[tuple[str, Facts, int]]:
        """Chunks that the store has not absorbed; all are translated, for one may name what another described."""
        done = 0
        for at, chunk in enumerate(_pieces(source.chunks(), self._store.batch_rows)):
            checked = checked_chunk(source, chunk, self._mapping)
            facts = translator.translate(BY_NAME[source.name], checked.rows)
            if rows := quarantined(source, chunk, checked):
                facts.events["quarantine"] = _as_events(rows)
            self.report.notes.update(facts.warnings)
            done = min(done + chunk.rows.nbytes, source.size)
            id_ = f"{self._name(source)}/{at:05}"
            if not self._known(id_, self._digest(source)):
                yield id_, facts, done

    def _keep(self, facts: Facts) -> None:
        for kind, (tokens, sealed) in facts.sealed.items():
            self._vault.keep(kind, tokens, sealed)
        for kind, (ids, keys) in facts.referred.items():
            self._vault.refer(kind, ids, keys, KEY_KIND[kind])

    def _count(self, facts: Facts) -> None:
        self.report.batches += 1
        self.report.nodes += sum(map(len, facts.nodes))
        self.report.edges += sum(map(len, facts.edges))


def _pieces(chunks: Iterator[Chunk], most: int) -> Iterator[Chunk]:
    for chunk in chunks:
        if len(chunk.rows) <= most:
            yield chunk
            continue
        for at in range(0, len(chunk.rows), most):
            yield Chunk(chunk.rows.slice(at, most), chunk.lines[at : at + most], () if at else chunk.broken)


def _place(row: Row) -> tuple[object, ...]:
    return (row[0], int(row[2]), *row[3:])


def _as_events(rows: list[Row]) -> pa.Table:
    columns = dict(zip(QUARANTINE_COLUMNS, zip(*rows, strict=True), strict=True))
    refs = [f"{digest[:16]}:{table}:{line}:{column}:{reason}" for table, digest, line, column, reason, _ in rows]
    nothing = np.zeros(len(rows), dtype=np.int64)
    head = {"ref": pa.array(refs), "owner": nothing, "event_time": nothing, "known_at": nothing}
    return pa.table(head | {name: pa.array(list(column)) for name, column in columns.items()})
