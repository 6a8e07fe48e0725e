"""`ringroad labels …`: what people and partners found out about applications. Appended, never changed."""
# ruff: noqa: PLC0415, PLR0917

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graph.errors import InputError, NodeNotFound
from graph.records import NodeRef
from graph.settings import Settings
from workbench import instance, labelfile
from workbench.render import CHINA
from workbench.terminal import Author, Json, Store, beginning, moment, out, say, who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.casebook.labels import Said

app = typer.Typer(no_args_is_help=True, help="Say what became of an application: fraud, cleared, not to be judged.")
AsOf = Annotated[str | None, typer.Option(help="What had been told by then; default: now.")]


@app.command(
    epilog="Examples: ringroad labels add APP8291298556 --label CONFIRMED_FRAUD --typology T07 --evidence E2 "
    "--second wang --source review · ringroad labels add APP8291298556 --label CLEARED_BENIGN --source review "
    "--supersedes 12"
)
def add(
    application_id: Annotated[str, typer.Argument(help="The lender's application number.")],
    label: Annotated[
        str,
        typer.Option(help="CONFIRMED_FRAUD, SUSPECTED, CLEARED_BENIGN, DATA_ERROR, INSUFFICIENT, OUT_OF_SCOPE_CREDIT."),
    ],
    source: Annotated[str, typer.Option(help="review, fpd, collection, police, court, partner or customer_complaint.")],
    typology: Annotated[str, typer.Option(help="T01 to T26 for fraud, B01 to B16 for cleared.")] = "",
    evidence: Annotated[str, typer.Option(help="E1 police or court, E2 papers, E3 circumstances; for fraud.")] = "",
    provisional: Annotated[
        bool, typer.Option("--provisional", help="For people only: no model learns from it.")
    ] = False,
    second: Annotated[
        str, typer.Option(help="Who confirms it; without, fraud by E1 or E2 counts as suspected only.")
    ] = "",
    occurred: Annotated[str | None, typer.Option(help="Date or time when it happened; default: now.")] = None,
    supersedes: Annotated[int | None, typer.Option(help="The label of this application that it replaces.")] = None,
    note: Annotated[str, typer.Option(help="In words; no identifiers.")] = "",
    request_key: Annotated[
        str | None, typer.Option(help="The same key adds nothing twice; default: made of what is said.")
    ] = None,
    author: Author = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Append a label; a score service that runs on this instance sees it within a second. The same again changes
    nothing."""
    from workbench import labelling
    from workbench.casebook import labels

    now = datetime.now(UTC)
    happened = beginning(occurred, "--occurred") if occurred else None
    said = labels.Label(
        application_id=application_id, label=label, source=source,
        maturity=labels.PROVISIONAL if provisional else labels.FINAL, author=who(author),
        occurred_at=happened,
        typology=typology, evidence_level=evidence, second_author=second, note=note, supersedes=supersedes,
    )  # fmt: skip
    with instance.opened(store, vault=False) as here:
        _loaded(here, application_id)
        with instance.open_casebook(here.settings) as casebook:
            with casebook.writing() as db:
                done = labels.add(db, said, request_key=request_key or labels.own_key(said), now=now)
            labelling.tell(here.settings, casebook, [done.id], now=now)
    text = f"label {done.id} was told before" if done.again else f"label {done.id}: {application_id} {label}"
    say(done._asdict(), as_json, text)


@app.command("list", epilog="Examples: ringroad labels list APP8291298556 · ringroad labels list --as-of 2025-10-01")
def list_(
    application_id: Annotated[str | None, typer.Argument(help="All of one application, superseded ones too.")] = None,
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Labels in force, or everything ever said of one application."""
    found = _read(application_id, as_of)
    say([written(each) for each in found], as_json, _table(found))


@app.command(
    epilog="Examples: ringroad labels export --out labels.csv · ringroad labels export --out labels.parquet --in-force"
)
def export(
    out_file: Annotated[Path, typer.Option("--out", help="Write here.")],
    form: Annotated[
        str | None, typer.Option("--format", help="csv or parquet; default: as the file's name ends.")
    ] = None,
    in_force: Annotated[bool, typer.Option("--in-force", help="Leave superseded labels out.")] = False,
    as_of: AsOf = None,
) -> None:
    """All labels ever told: who said and confirmed them, what they replaced, what holds. Spreadsheets may open it."""
    form = form or (labelfile.PARQUET if out_file.suffix == ".parquet" else labelfile.CSV)
    if form not in labelfile.FORMATS:
        raise InputError(f"--format {form[:20]} is none; write csv or parquet")
    found = _read(None, as_of) if in_force else _every(as_of)
    content = labelfile.written(found, form)
    try:
        out_file.write_bytes(content)
    except OSError as error:
        raise InputError(f"{out_file} cannot be written ({error.strerror})") from None
    out.print(f"{len(found):,} labels in {out_file}", style="dim", markup=False, soft_wrap=True)


def _every(as_of: str | None) -> Sequence[Said]:
    """Superseded ones too, of those that had been told by then."""
    from workbench.casebook import labels, opening

    at, settings = moment(as_of, "--as-of") if as_of else datetime.now(UTC), Settings.read()
    if not opening.exists(settings.casebook_url):
        return []
    with instance.open_casebook(settings) as casebook, casebook.reading() as db:
        return [each for each in labels.since(db, 0) if each.known_at <= at]


def _loaded(here: instance.Instance, application_id: str) -> None:
    """A number mistyped would be a label of nothing, and nobody would notice."""
    try:
        here.store.node(NodeRef("Application", application_id), as_of=instance.EVERYTHING)
    except NodeNotFound:
        raise NodeNotFound(f"no application {application_id} is loaded; load it first: ringroad load FOLDER") from None


COLUMNS = (
    "id", "application_id", "label", "typology", "evidence_level", "source", "maturity", "author", "second_author",
    "occurred_at", "known_at", "supersedes", "counts_as", "note",
)  # fmt: skip


def written(said: Said) -> dict[str, Any]:
    row: dict[str, Any] = instance.written(
        asdict(said.label) | {"id": said.id, "known_at": said.known_at, "counts_as": said.counts_as}
    )
    return {name: row[name] for name in COLUMNS}


def _read(application_id: str | None, as_of: str | None) -> Sequence[Said]:
    from workbench.casebook import labels, opening

    at = moment(as_of, "--as-of") if as_of else datetime.now(UTC)
    settings = Settings.read()
    if not opening.exists(settings.casebook_url):
        return []
    with instance.open_casebook(settings) as casebook, casebook.reading() as db:
        if application_id is None:
            return labels.in_force(db, at)
        return [each for each in labels.of(db, application_id) if each.known_at <= at]


def _table(found: Sequence[Said]) -> Any:
    from rich.table import Table
    from rich.text import Text

    if not found:
        return "no label; ringroad labels add"
    shown = Table("id", "application", "label", "kind", "evidence", "source", "by", "known", "counts as", box=None)
    for each in found:
        label = each.label
        by = f"{label.author}, {label.second_author}" if label.second_author else label.author
        known = f"{each.known_at.astimezone(CHINA):%Y-%m-%d %H:%M}"
        shown.add_row(*map(Text, (
            str(each.id), label.application_id, label.label, label.typology, label.evidence_level, label.source, by,
            known, each.counts_as or f"nothing ({label.maturity})",
        )))  # fmt: skip
    return shown
