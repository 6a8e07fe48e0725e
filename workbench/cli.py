"""`ringroad …`: the composition root. Commands read, call one thing, and render.

What is slow to import is imported by the command that needs it, so that `--help` is instant;
typer turns the parameters of a command into its options.
"""
# ruff: noqa: PLC0415, PLR0917

from __future__ import annotations

import errno
import sys
import traceback
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape
from rich.progress import Progress
from rich.text import Text

from graph.errors import InputError, RingroadError, StorageFull, StoreError
from workbench import audit, doctor, evidence, instance, labels, override, ringruns, scores, serve, strategies, users
from workbench import keys as api_keys
from workbench.card import ring_card
from workbench.render import CHINA, aside_table, changes, how, load_summary, ring_table
from workbench.reports import cli as reports
from workbench.schedule import cli as schedule
from workbench.terminal import Json, Store, bar, err, moment, out, say, written_to
from workbench.webhooks import cli as webhooks

EXIT_CODES = (
    """Exit codes: 0 done · 1 fault · 2 bad input · 3 too many bad rows · 4 store · 5 vault or key · 6 not found"""
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help=f"Find organised fraud rings in auto-finance applications.\n\n{EXIT_CODES}",
    epilog="Everything an instance keeps is under RINGROAD_HOME (~/.ringroad). See .env.example for all settings.",
)
app.add_typer(override.app, name="override")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(labels.app, name="labels")
app.add_typer(strategies.app, name="strategy")
app.add_typer(serve.app, name="serve")
app.add_typer(users.app, name="users")
app.add_typer(audit.app, name="audit")
app.add_typer(evidence.app, name="evidence")
app.add_typer(reports.app, name="report")
scores.register(app)
schedule.register(app)


@app.command(epilog="Example: ringroad generate --preset tiny --seed 7 --out portfolio")
def generate(
    out_dir: Annotated[Path, typer.Option("--out", help="New folder; gets input/ and truth/.")],
    preset: Annotated[str, typer.Option(help="tiny, small, medium or load.")] = "small",
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 7,
    mode: Annotated[str, typer.Option(help="Fraud base rate: seed_calibrated, default or stress.")] = "default",
    parameters: Annotated[
        Path | None, typer.Option(help="YAML that overrides loaders/portfolio/parameters.yaml.")
    ] = None,
    file_format: Annotated[str, typer.Option("--format", help="csv or parquet.")] = "csv",
    as_json: Json = False,
) -> None:
    """Make a synthetic portfolio: input tables, and the truth apart from them."""
    from loaders.portfolio import generate as make

    with bar("portfolio") as (shown, task):
        summary = make(
            out_dir, preset=preset, seed=seed, mode=mode, parameters=parameters, format=file_format,
            progress=lambda step, share: shown.update(task, description=step, completed=share, total=1.0),
        )  # fmt: skip
    text = (
        f"{summary.rows['applications']:,} applications, {summary.start} to {summary.as_of} in {out_dir / 'input'}\n"
        f"{summary.rings} rings among them; which, stands in {out_dir / 'truth'}"
    )
    say(vars(summary), as_json, text)


@app.command(
    epilog="Examples: ringroad load portfolio/input · ringroad load export/ --mapping mapping.yaml · "
    "ringroad load postgresql+pg8000://reader@db/loans"
)
def load(
    source: Annotated[str, typer.Argument(help="Folder with the tables, one table file, or a database URL.")],
    store: Store = None,
    mapping: Annotated[Path | None, typer.Option(help="YAML with your own file and column names.")] = None,
    batch: Annotated[
        str | None, typer.Option(help="Name of the delivery; the same name with other content is refused.")
    ] = None,
    max_rejected: Annotated[
        float, typer.Option(min=0, max=1, help="Refuse the load above this share of bad rows.")
    ] = 0.05,
    as_json: Json = False,
) -> None:
    """Load a lender's tables into the graph. Safe to kill and run again; the same file twice changes nothing."""
    from loaders.load import Load
    from loaders.mapping import Mapping

    chosen = Mapping.read(mapping)
    with instance.opened(store) as here, bar("load", in_bytes=True) as (shown, task):
        report = Load(
            here.store, here.vault, staging_dir=here.settings.staging_dir, mapping=chosen, batch=batch,
            quarantine_file=here.settings.home / "quarantine.csv", max_rejected=max_rejected,
            password=instance.store_password(),
            progress=_load_progress(shown, task),
        ).run(source)  # fmt: skip
        quarantine = here.settings.home / "quarantine.csv"
    say(instance.plain(report), as_json, load_summary(report, quarantine))


@app.command(
    epilog="Examples: ringroad rings --as-of 2025-10-01 --window 120d --out rings.csv · ringroad rings --since-last"
)
def rings(
    as_of: Annotated[str | None, typer.Option(help="Date or time; default: the newest application.")] = None,
    window: Annotated[str, typer.Option(help="How far back applications count, in days.")] = "120d",
    since_last: Annotated[
        bool, typer.Option("--since-last", help="Look only around what changed since the last run.")
    ] = False,
    by_model: Annotated[
        bool, typer.Option("--by-model", help="Let the trained model say who is suspicious by that night.")
    ] = False,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write rings.csv here.")] = None,
    top: Annotated[int, typer.Option(min=0, help="How many to print.")] = 10,
    overrides_as_of: Annotated[
        str | None,
        typer.Option(help="Overrides as they stood then, or `now`; default: at --as-of, and without it now."),
    ] = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Find rings as the graph stood at a time, the most suspicious first, each with the reason why.

    --since-last is faster and nearly the same. What was set aside stays so, and what was loaded anew about a known
    application, such as its decision, is seen by the next run without it. Where it cannot be, it says why.
    --by-model ranks by what `ringroad train` learned; it takes longer and lists fewer innocent groups.
    """
    from graph.rings import as_csv

    at = moment(as_of, "--as-of") if as_of else None
    if since_last and by_model:
        raise InputError("--since-last and --by-model exclude each other; a model looks at everybody anew")
    asked = ringruns.Asked(at, _days(window), _opinions(overrides_as_of, as_of), since_last, by_model)
    with instance.opened(store, vault=False) as here, bar("snapshot") as (shown, task):
        ran = ringruns.run(
            here, asked,
            lambda name, done, total: shown.update(task, description=f"snapshot {name}", completed=done, total=total),
        )  # fmt: skip
    if out_file is not None:
        written_to(out_file, as_csv(ran.found.rings))
    if as_json:
        say(ringruns.as_json(ran, asked.window_days), True, "")
        return
    out.print(ring_table(ran.found, ran.as_of.astimezone(CHINA), asked.window_days, top, whole=ran.since is None))
    for line in (*how(ran), changes(ran.change)):
        out.print(line, markup=False, soft_wrap=True)
    if out_file is not None:
        first = f"; one of them in full: ringroad ring {ran.found.rings[0].ring_id}" if ran.found.rings else ""
        out.print(f"{len(ran.found.rings)} rings in {out_file}{first}", style="dim", markup=False, soft_wrap=True)


@app.command(epilog="Example: ringroad ring R0A1B2C3D4E --graphml ring.graphml")
def ring(
    ring_id: Annotated[str, typer.Argument(help="As printed by `ringroad rings`.")],
    graphml: Annotated[Path | None, typer.Option(help="Write the ring as GraphML, for Gephi, yEd or networkx.")] = None,
    as_json: Json = False,
) -> None:
    """One ring of the last run: what its members share, doubts, roles, money, history. Identifiers are masked."""
    found = ringruns.ring(ring_id)
    if graphml is not None:
        ringruns.write_graphml(found, graphml)
    say(found, as_json, ring_card(found))


@app.command("aside", epilog="Example: ringroad aside --type Device --top 20")
def aside_(
    type_: Annotated[str | None, typer.Option("--type", help="Device, Phone, WiFi …; default: all.")] = None,
    top: Annotated[int, typer.Option(min=0, help="How many, those that most people hold first.")] = 20,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """What the last run set aside because many hold it by nature, and why; `ringroad override` overrules it."""
    from workbench import aside

    with instance.opened(store, vault=False) as here:
        shown, number = aside.things(here, type_=type_, top=top)
    say([vars(each) for each in shown], as_json, aside_table(shown, number))


@app.command("doctor", epilog="Example: ringroad doctor --json")
def doctor_(store: Store = None, as_json: Json = False) -> None:
    """Check store, vault, versions and disk; say what is missing and how to fix it."""
    checks = doctor.run(store)
    say([vars(check) for check in checks], as_json, Text.from_markup(doctor.text(checks)))
    if not all(check.ok for check in checks):
        raise typer.Exit(1)


@app.command(epilog="Example: ringroad backup ringroad-2025-10-01.tar")
def backup(file: Annotated[Path, typer.Argument(help="New file.")], store: Store = None, as_json: Json = False) -> None:
    """Write graph, vault and casebook into one file. The key file is never part of it: keep a copy elsewhere."""
    from workbench import backups

    done = backups.backup(file, store)
    say(
        done,
        as_json,
        f"{file}: {done['nodes']:,} nodes, {done['edges']:,} edges, {done['identifiers']:,} sealed identifiers\n"
        f"The key file is not in it; without a copy of {done['key_file']} the identifiers cannot be opened.",
    )


@app.command(epilog="Example: RINGROAD_HOME=fresh ringroad restore ringroad-2025-10-01.tar")
def restore(
    file: Annotated[Path, typer.Argument(help="Made by `ringroad backup`.")], store: Store = None, as_json: Json = False
) -> None:
    """Put a backup back into an empty instance. A changed or foreign file is refused."""
    from workbench import backups

    done = backups.restore(file, store)
    say(
        done,
        as_json,
        f"restored {done['nodes']:,} nodes and {done['edges']:,} edges; digest {done['digest'][:12]} as backed up",
    )


keys = typer.Typer(no_args_is_help=True, help="New keys for the vault, and keys for the API.")
app.add_typer(keys, name="keys")
api_keys.register(keys)


@keys.command(epilog="Example: ringroad keys reseal")
def reseal(as_json: Json = False) -> None:
    """Seal every identifier anew with a new key. Stopped anywhere, the same command finishes it."""
    with instance.opened_vault() as vault, bar("reseal") as (shown, task):
        version = vault.add_seal_version()
        number = vault.reseal(lambda done: shown.update(task, completed=done, total=sum(vault.count().values())))
    text = f"{number:,} identifiers sealed with key version {version}; keep a new copy of the key file"
    say({"identifiers": number, "version": version}, as_json, text)


@keys.command(epilog="Examples: ringroad keys rotate · ringroad keys rotate --undo")
def rotate(
    undo: Annotated[bool, typer.Option("--undo", help="Go back from a rotation that was not finished.")] = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Give every identifier a new token, in vault and graph. Nothing else may run meanwhile.

    Stopped anywhere, the same command finishes it. Earlier backups need the key file of their time.
    """
    with instance.opened(store) as here:
        number = here.rotate(undo=undo)
    done = "kept their tokens" if undo else "have new tokens; keep a new copy of the key file"
    say({"identifiers": number, "undone": undo}, as_json, f"{number:,} identifiers {done}")


# Shared ------------------------------------------------------------------------------------------------


def _load_progress(shown: Progress, task: Any) -> Callable[[str, str, int, int], None]:
    """Rate and time left are those of the stage at work: checking is faster than writing."""
    stages = [""]

    def progress(stage: str, table: str, done: int, total: int) -> None:
        if stage != stages[0]:
            stages[0] = stage
            shown.reset(task)
        shown.update(task, description=f"{stage} {table}", completed=done, total=max(total, 1))

    return progress


def _days(window: str) -> int:
    number = window.removesuffix("d")
    if not number.isdecimal() or not 1 <= int(number) <= 3650:
        raise InputError(f"--window {window} is no number of days; write 120d")
    return int(number)


def _opinions(text: str | None, as_of: str | None) -> datetime:
    """A run on today's data sees today's opinions; a run as of the past those of then, unless asked otherwise."""
    chosen = text or as_of or "now"
    return datetime.now(UTC) if chosen == "now" else moment(chosen, "--overrides-as-of" if text else "--as-of")


def _fail(message: str, code: int) -> NoReturn:
    err.print(f"[bold red]ringroad:[/] {escape(' '.join(message.split()))}", soft_wrap=True)
    raise SystemExit(code) from None


def main() -> None:
    """No stack trace reaches a user: one line, and the exit code of the error's class. Nor do warnings of libraries."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    try:
        app()
    except RingroadError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            _fail("no room left on the disk; free some and run the command again", StorageFull.exit_code)
        _fail(f"{error.filename or 'a file'} cannot be read or written ({error.strerror})", StoreError.exit_code)
    except Exception as error:  # noqa: BLE001 - a stack trace may hold what nobody should see
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
        _fail(f"a fault of ours: {where}; please report it", RingroadError.exit_code)
    except KeyboardInterrupt:
        err.print("stopped; what was written stands, run the command again to go on")
        raise SystemExit(130) from None
