"""`ringroad audit verify | anchor | export`: whether the log of what everybody did is as it was written."""
# ruff: noqa: PLC0415, PLR0917

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graph.errors import InputError
from graph.settings import Settings
from workbench import instance
from workbench.terminal import Author, Json, beginning, moment, say, who, written_to

if TYPE_CHECKING:
    from workbench.casebook.audit import Anchor, Verdict

app = typer.Typer(no_args_is_help=True, help="The log of what everybody did: hash-chained, never changed.")


@app.command(epilog="Examples: ringroad audit verify · ringroad audit verify --anchor anchor-2026-01.json")
def verify(
    anchor: Annotated[Path | None, typer.Option(help="Made by `ringroad audit anchor`, kept elsewhere.")] = None,
    as_json: Json = False,
) -> None:
    """Read the whole log and follow its chain; exit code 1 and the first bad row when it was touched.

    Only an anchor shows a log whose newest rows were cut off, or one that was written anew from some row on.
    """
    kept = None if anchor is None else _read(anchor)
    verdict = _verdict(kept)
    say(instance.written(asdict(verdict)), as_json, _said(verdict, kept))
    if verdict.bad is not None:
        raise typer.Exit(1)


@app.command(epilog="Example: ringroad audit anchor --out anchor-2026-01.json")
def anchor(
    out_file: Annotated[Path | None, typer.Option("--out", help="Write it here; keep it on another machine.")] = None,
    as_json: Json = False,
) -> None:
    """Number and hash of the newest row: with it, `verify` finds whatever is done to the rows up to it."""
    head = _verdict(None).head
    if head is None:
        raise InputError("the audit log is empty; there is nothing to anchor yet")
    content = instance.written(asdict(head))
    if out_file is not None:
        written_to(out_file, json.dumps(content) + "\n")
    say(
        content,
        as_json,
        json.dumps(content) if out_file is None else f"row {head.id}, {head.hash[:12]}…, in {out_file}",
    )


@app.command(epilog="Example: ringroad audit export --since 2026-01-01 --format csv --out audit.csv")
def export(
    out_file: Annotated[Path, typer.Option("--out", help="Write it here.")],
    file_format: Annotated[str, typer.Option("--format", help="csv or jsonl.")] = "csv",
    since: Annotated[str | None, typer.Option(help="From this day on.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to the end of this day.")] = None,
    actor: Annotated[str, typer.Option(help="Whose; the beginning of a name is enough.")] = "",
    action: Annotated[str, typer.Option(help="What; sign_in also finds sign_in.refused.")] = "",
    subject: Annotated[str, typer.Option(help="On what; a part is enough.")] = "",
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Write the log, or a part of it, to a file. That, too, goes into the log."""
    from workbench.casebook import audit
    from workbench.services.access.audit import csv_text, jsonl_text
    from workbench.services.permissions import Operator

    writers = {"csv": csv_text, "jsonl": jsonl_text}
    if file_format not in writers:
        raise InputError(f"--format {file_format} is none; write csv or jsonl")
    asked = audit.Asked(
        actor, action, subject, beginning(since, "--since") if since else None,
        moment(until, "--until") if until else None,
    )  # fmt: skip
    with instance.open_casebook(Settings.read().prepare()) as casebook:
        with casebook.writing() as db:
            told = {name: value for name, value in instance.written(asdict(asked)).items() if value}
            operator = Operator(who(author)[:64])
            audit.write(db, operator, "audit.exported", "audit", now=datetime.now(UTC), detail=told)
        with casebook.reading() as db:
            entries = list(audit.each(db, asked))
    written_to(out_file, writers[file_format](entries))
    say({"rows": len(entries), "file": str(out_file)}, as_json, f"{len(entries):,} entries in {out_file}")


def _verdict(kept: Anchor | None) -> Verdict:
    from workbench.casebook import audit, opening

    settings = Settings.read()
    if not opening.exists(settings.casebook_url):
        return audit.Verdict(0, None, *((1, "there is no casebook") if kept else ()))
    with instance.open_casebook(settings) as casebook, casebook.reading() as db:
        return audit.verify(db, kept)


def _said(verdict: Verdict, kept: Anchor | None) -> str:
    if verdict.bad is not None:
        return f"row {verdict.bad}: {verdict.because}; {verdict.rows:,} rows before it are as they were written"
    up_to = f", and row {kept.id} is the one that was anchored" if kept else "; without an anchor nobody sees a cut end"
    return f"{verdict.rows:,} rows are as they were written{up_to}"


def _read(path: Path) -> Anchor:
    from workbench.casebook.audit import Anchor

    try:
        return Anchor.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"--anchor {path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise InputError(f"--anchor {path} is no text; make one with `ringroad audit anchor`") from None
