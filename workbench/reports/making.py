"""A report of a slot as files in a folder of its own, which is there as a whole or not at all.

`<folder>/<name>/<slot>/` holds `ringroad-<name>-<slot>-<language>.pdf`, `.html`, `.xlsx` and, for each table, a CSV.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from graph.errors import InputError
from workbench.reports import html, pdf, sheets
from workbench.reports.catalogue import Asked, kind_of, spoken
from workbench.reports.document import Report
from workbench.schedule.slots import EXAMPLES, Slot
from workbench.services.all import Services
from workbench.ui.i18n import LANGUAGES

FORMATS = ("pdf", "html", "csv", "xlsx")

Progress = Callable[[str, int, int], None]
"""What is at work, how much is done, of how much."""


@dataclass(frozen=True)
class File:
    """`path` lies in the report's folder; `size` in bytes. `language` and `format` say which of them it is."""

    path: Path
    language: str
    format: str
    size: int


@dataclass(frozen=True)
class Made:
    """A report on disk. `notes` say what is otherwise than asked for, in English; `reports` by language."""

    name: str
    slot: str
    folder: Path
    files: tuple[File, ...]
    notes: tuple[str, ...]
    reports: Mapping[str, Report]

    @property
    def pages(self) -> tuple[File, ...]:
        """What is sent on: all but single tables."""
        return tuple(each for each in self.files if each.format != "csv")


def make(
    services: Services,
    name: str,
    slot: Slot,
    *,
    folder: Path,
    now: datetime,
    languages: Sequence[str] = ("zh", "en"),
    formats: Sequence[str] = FORMATS,
    progress: Progress = lambda *_: None,
) -> Made:
    """Takes the place of what was made for the slot before, as a whole. Two makers of one slot follow each other.

    Raises NodeNotFound for a report that there is not, InputError for a language, a format or a slot it cannot have.
    """
    kind = kind_of(name)
    for given, known in ((languages, tuple(LANGUAGES)), (formats, FORMATS)):
        if wrong := [each for each in given if each not in known]:
            raise InputError(f"a report has no {wrong[0][:20]!r}; there are {', '.join(known)}")
    if slot.cadence is not kind.cadence:
        raise InputError(f"{name} is a {kind.cadence} report; name a slot like {EXAMPLES[kind.cadence]}")
    if slot.end > now:
        raise InputError(f"{slot.name} is not over yet; the newest report is of the slot before")
    asked = Asked(services, slot, now)
    progress("reading", 0, 1)
    facts = kind.gather(asked)
    reports = {code: kind.written(asked, facts, code) for code in languages}
    printed, notes = _printed(reports, lambda: kind.written(asked, facts, "en")) if "pdf" in formats else ({}, ())
    place = folder / name / slot.name
    with _alone(place) as fresh:
        files = _write(reports, printed, formats, fresh, progress)
        _in_place(fresh, place)
    moved = tuple(replace(each, path=place / each.path.name) for each in files)
    return Made(name, slot.name, place, moved, notes, reports)


# Files -----------------------------------------------------------------------------------------------------


def _printed(reports: Mapping[str, Report], english: Callable[[], Report]) -> tuple[dict[str, Report], tuple[str, ...]]:
    """As PDFs have them: without a font for Chinese letters in English, with a line that says so."""
    if pdf.fonts().chinese:
        return dict(reports), ()
    with spoken("en"):
        plain = replace(english(), notes=(pdf.no_chinese(),))
    return dict.fromkeys(reports, plain), ("no font with Chinese letters is installed: PDFs are in English",)


def _write(
    reports: Mapping[str, Report], printed: Mapping[str, Report], formats: Sequence[str], folder: Path,
    progress: Progress,
) -> list[File]:  # fmt: skip
    files: list[File] = []
    steps = [(code, form) for code in reports for form in formats]
    for done, (code, form) in enumerate(steps):
        progress(f"{form} {code}", done, len(steps))
        report = printed[code] if form == "pdf" else reports[code]
        stem = f"ringroad-{report.code}-{report.slot.name}-{code}"
        with spoken(report.language):
            written = _rendered(report, form, stem)
        for name, content in written:
            _save(folder / name, content)
            files.append(File(folder / name, code, form, len(content)))
    progress("done", len(steps), len(steps))
    return files


def _save(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _rendered(report: Report, form: str, stem: str) -> list[tuple[str, bytes]]:
    if form == "html":
        return [(f"{stem}.html", html.rendered(report))]
    if form == "xlsx":
        return [(f"{stem}.xlsx", sheets.workbook(report))]
    if form == "pdf":
        return [(f"{stem}.pdf", pdf.rendered(report, pdf.fonts())[0])]
    tables = [("figures", sheets.figures_csv(report))] if next(report.figures(), None) else []
    tables += [(_word(table.code), sheets.csv_of(table)) for _, table in report.tables()]
    return [(f"{stem}-{at:02}-{name}.csv", content) for at, (name, content) in enumerate(tables)]


def _word(code: str) -> str:
    """As it can stand in the name of a file."""
    return re.sub(r"[^a-z0-9]+", "-", code.lower()).strip("-")


# The folder ------------------------------------------------------------------------------------------------


@contextmanager
def _alone(place: Path) -> Iterator[Path]:
    """A fresh hidden folder beside `place`, gone afterwards; one maker of a slot at a time. It clears what
    a killed one left."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (place.parent / f".{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in place.parent.glob(f".{place.name}-*"):
            shutil.rmtree(left, ignore_errors=True)
        fresh = place.parent / f".{place.name}-{uuid.uuid4().hex}"
        fresh.mkdir(mode=0o700)
        try:
            yield fresh
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _in_place(fresh: Path, place: Path) -> None:
    """Readers see the old report, none for an instant, or the new one; never parts of both."""
    old = place.with_name(f".{place.name}-{uuid.uuid4().hex}")
    if place.exists():
        place.rename(old)
    try:
        fresh.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)
