"""`ringroad report …`: which reports there are, and one of them as files."""
# ruff: noqa: PLC0415, PLR0917 - what reports import takes seconds; typer turns parameters into options

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graph.errors import InputError
from graph.records import from_millis
from graph.settings import Settings
from workbench.schedule import slots
from workbench.schedule.slots import EXAMPLES, Cadence, Slot
from workbench.terminal import Json, Store, bar, say

if TYPE_CHECKING:
    from workbench.reports.making import Made
    from workbench.services.all import Services

app = typer.Typer(no_args_is_help=True, help="Reports of a day, a week or a month, as PDF, HTML and tables.")


@app.command("list", epilog="Example: ringroad report list --json")
def list_(as_json: Json = False) -> None:
    """Which reports there are, what they tell, and how a slot of theirs is written."""
    from workbench.reports.catalogue import REPORTS

    told = [
        {"name": name, "cadence": str(kind.cadence), "slot": EXAMPLES[kind.cadence], "about": kind.about()}
        for name, kind in REPORTS.items()
    ]
    text = "\n".join(f"{one['name']:<11}{one['cadence']:<9}{one['slot']:<12}{one['about']}" for one in told)
    say(told, as_json, text)


@app.command(epilog="Examples: ringroad report make daily · ringroad report make rings --slot 2025-W26 --language zh")
def make(
    name: Annotated[str, typer.Argument(help="As `ringroad report list` prints it.")],
    slot: Annotated[
        str | None, typer.Option(help="2025-06-30, 2025-W26 or 2025-06; default: the newest one that has data.")
    ] = None,
    language: Annotated[list[str] | None, typer.Option(help="zh or en; may be given twice. Default: both.")] = None,
    form: Annotated[list[str] | None, typer.Option("--format", help="pdf, html, csv or xlsx; default: all.")] = None,
    folder: Annotated[Path | None, typer.Option("--out", help="Default: reports in RINGROAD_HOME.")] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Write a report of what was known when its day, week or month ended. Takes the place of one made before."""
    from workbench.reports.catalogue import kind_of
    from workbench.reports.making import FORMATS, make
    from workbench.services.all import Services
    from workbench.services.office import Office
    from workbench.ui.i18n import LANGUAGES

    kind, now = kind_of(name), datetime.now(UTC)
    given = None if slot is None else slots.named(kind.cadence, slot)
    with Office(Settings.read(), store_url=store) as office, bar("reading") as (shown, task):
        services = Services(office)
        chosen, why = (given, "") if given is not None else _newest(services, kind.cadence, now)
        made = make(
            services, name, chosen, folder=folder or office.settings.home / "reports", now=now,
            languages=language or tuple(LANGUAGES), formats=form or FORMATS,
            progress=lambda step, done, of: shown.update(task, description=step, completed=done, total=of),
        )  # fmt: skip
    say(_as_json(made, why), as_json, _text(made, why))


def _newest(services: Services, cadence: Cadence, now: datetime) -> tuple[Slot, str]:
    """The newest slot that is over and has data: with old data not that of the wall clock. And which, in words."""
    newest = services.ledger.facts().newest
    if not newest:
        raise InputError("the store holds no application; load a folder of tables first: ringroad load FOLDER")
    last, over = slots.of(cadence, from_millis(newest)), slots.ended(cadence, now)
    if last <= over:
        return last, f"{last.name} is the newest one with applications; the newest one that is over is {over.name}"
    return over, f"{over.name} is the newest one that is over"


def _as_json(made: Made, why: str) -> dict[str, object]:
    files = [{"path": str(each.path), "language": each.language, "format": each.format, "size": each.size}
             for each in made.files]  # fmt: skip
    return {"name": made.name, "slot": made.slot, "chosen_because": why, "notes": list(made.notes), "files": files}


def _text(made: Made, why: str) -> str:
    lines = [why] if why else []
    lines += [f"{each.size / 1024:>8,.0f} kB  {each.path}" for each in made.pages]
    tables = len(made.files) - len(made.pages)
    lines += [f"and {tables} tables as CSV in {made.folder}"] if tables else []
    return "\n".join([*lines, *made.notes])
