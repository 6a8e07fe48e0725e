"""`ringroad train | score | explain | evaluate | backtest`, and `ringroad models …`."""
# ruff: noqa: PLC0415, PLR0917 - numba, XGBoost and torch take seconds to import; only these commands need them

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graph.errors import InputError
from graph.records import to_millis
from graph.settings import Settings
from workbench import instance, replays
from workbench.render import CHINA
from workbench.terminal import Json, Store, bar, moment, out, say, written_to

if TYPE_CHECKING:
    from gnn.registry import By

Seed = Annotated[int, typer.Option(help="Same seed and facts, same model.")]
Why = Annotated[str, typer.Option(help="Why, in words; kept in the history.")]
Who = Annotated[str | None, typer.Option("--author", help="Who does it; default: who is signed in.")]

models = typer.Typer(no_args_is_help=True, help="Trained versions: what serves, what could, and the way back.")


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ringroad train --until 2025-10-01")(train)
    app.command(
        epilog="Examples: ringroad score --since 2025-10-01 --out scores.csv · ringroad score --applications new.csv"
    )(score)
    app.command(epilog="Example: ringroad explain APP8291298556")(explain)
    app.command(epilog="Example: ringroad evaluate --cut 2025-10-01 --truth portfolio/truth --out evaluation")(evaluate)
    app.command(epilog="Example: ringroad backtest --input portfolio/input --cut 2025-10-01 --out backtest")(backtest)
    replays.register(app)
    app.add_typer(models, name="models")


def train(
    until: Annotated[
        str | None, typer.Option(help="Last day that may be known; default: the newest application's.")
    ] = None,
    promote: Annotated[
        bool, typer.Option("--promote", help="Let it serve at once; the first one always does.")
    ] = False,
    seed: Seed = 7,
    why: Why = "trained",
    author: Who = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Train on what was known by a day: main model, graph network, isolation forest, fusion, calibration.

    Few labels are enough to start, but ten cases of confirmed fraud are the least. A new version serves when somebody
    promotes it: ringroad models promote VERSION.
    """
    from workbench import scoring

    with instance.opened(store, vault=False) as here, _bar("train") as progress:
        asked = moment(until, "--until") if until else None
        ready = scoring.prepare(here, progress, opinions_of=asked)
        day = asked or here.newest(ready.snapshot)
        made = scoring.train(here, ready, until=day, seed=seed, by=_by(why, author), promote=promote, progress=progress)
    lines = [f"{made.version} trained on what was known by {day.astimezone(CHINA):%Y-%m-%d %H:%M}"]
    if made.metrics:
        lines.append("on the last two months, which it had not seen, against what hindsight says of them:")
        lines += [f"  {name:28} {value:.4g}" for name, value in made.metrics.items()]
        lines.append(
            "joined by "
            + (", ".join(made.auxiliaries) if made.auxiliaries else "no auxiliary: none raised its precision")
        )
    lines += list(made.notes)
    lines.append("it serves" if made.serves else f"it waits: ringroad models promote {made.version}")
    say(vars(made), as_json, "\n".join(lines))


def score(
    since: Annotated[str | None, typer.Option(help="Applications submitted from this day on; default: all.")] = None,
    applications: Annotated[
        Path | None, typer.Option(help="CSV with a column application_id, or a text file with one id a line.")
    ] = None,
    out_file: Annotated[Path | None, typer.Option("--out", help="Write scores.csv here.")] = None,
    top: Annotated[int, typer.Option(min=0, help="How many to print, the highest first.")] = 10,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Score applications, each as of its own submission, with a decision and reason codes; the queue follows."""
    from workbench import casing, scoring

    if since and applications:
        raise InputError("--since and --applications exclude each other; give one")
    start, named = _start(since), _names(applications) if applications else None
    with instance.opened(store, vault=False) as here, _bar("score") as progress:
        ready = scoring.prepare(here, progress)
        scorer, version = scoring.serving_or_untrained(here.settings, ready)
        rows = scoring.rows_since(ready, start) if named is None else scoring.rows_named(ready, named)
        scored = scoring.score(
            ready, scorer, version, rows, rings=scoring.last_rings(here.settings, ready, rows), progress=progress
        )
        casing.keep_scores(here.settings, ready.snapshot, scored, as_of=here.newest(ready.snapshot))
    if out_file is not None:
        written_to(out_file, scoring.as_csv(scored))
    if as_json:
        say([vars(one) for one in scored], True, "")
        return
    out.print(scoring.table(scored, top))
    if version == scoring.UNTRAINED:
        out.print(
            "no model was trained: rules and isolation forest alone, no probability; ringroad train", style="yellow"
        )
    if out_file is not None:
        out.print(f"{len(scored):,} scores in {out_file}", style="dim", markup=False, soft_wrap=True)


def explain(
    application_id: Annotated[str, typer.Argument(help="The lender's application number.")],
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Why an application has its score: reasons with what carries them, rules, detectors. Identifiers are masked."""
    from workbench import scoring

    with instance.opened(store, vault=False) as here, _bar("explain") as progress:
        ready = scoring.prepare(here, progress)
        scorer, version = scoring.serving_or_untrained(here.settings, ready)
        told = scoring.explain(ready, scorer, version, application_id)
    say(instance.written(told), as_json, scoring.card(told))


def evaluate(
    cut: Annotated[
        str | None, typer.Option(help="Train on what was known before this day; default: three quarters in.")
    ] = None,
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for report.html and report.json.")] = Path(
        "evaluation"
    ),
    truth: Annotated[Path | None, typer.Option(help="Folder of truth files, of a synthetic portfolio.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Days between two ring lists.")] = 7,
    seed: Seed = 7,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Measure on what is loaded: train before a day, test on what came after, in one page and one JSON file."""
    from workbench import assessment, scoring
    from workbench import backtest as running

    running.prepare_folder(out_dir)
    with instance.opened(store, vault=False) as here, _bar("evaluate") as progress:
        day = _start(cut) or scoring.three_quarters(here.snapshot(progress))
        ready = scoring.prepare(here, progress, opinions_of=day)
        done = running.backtest(ready, cut=to_millis(day), every=every, seed=seed, progress=progress)
        assessment.write(done, out_dir, truth=truth)
    say(running.summary(done), as_json, _told(running.summary(done), out_dir))


def backtest(
    source: Annotated[Path, typer.Option("--input", help="Folder with the tables.")],
    cut: Annotated[str, typer.Option(help="Learn from what was known before this day, score what came from it on.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for scores.csv, rings.csv and the report.")],
    truth: Annotated[Path | None, typer.Option(help="Folder of truth files, of a synthetic portfolio.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Days between two ring lists.")] = 7,
    seed: Seed = 7,
    as_json: Json = False,
) -> None:
    """A whole portfolio point in time, without touching your own store: load, train at the cut, score, list rings."""
    from workbench import backtest as running

    day = _start(cut)
    assert day is not None  # noqa: S101 - cut is required
    with _bar("backtest") as progress:
        done = running.run(source, cut=day, out=out_dir, every=every, seed=seed, truth=truth, progress=progress)
    say(running.summary(done), as_json, _told(running.summary(done), out_dir))


# Models --------------------------------------------------------------------------------------------------


@models.command("list", epilog="Example: ringroad models list --json")
def list_(as_json: Json = False) -> None:
    """All versions, what serves and what is refused."""
    from workbench import scoring

    listed = scoring.registry(Settings.read().prepare()).list()
    rows = [
        {
            "version": one.version,
            "role": one.role,
            "trained_until": one.manifest.training.trained_until if one.manifest else None,
            "metrics": dict(one.manifest.training.metrics) if one.manifest else {},
            "trouble": one.trouble,
        }
        for one in listed
    ]
    say(instance.written(rows), as_json, scoring.model_table(rows))


@models.command(epilog="Example: ringroad models promote 20251001T080000-1f3a9c2e --why 'better in October'")
def promote(version: str, why: Why = "promoted", author: Who = None) -> None:
    """Let a version serve. It is checked first."""
    from workbench import scoring

    scoring.registry(Settings.read().prepare()).promote(
        version, _by(why, author), features_hash=scoring.features_hash(), check=scoring.latency
    )
    say(None, False, f"{version} serves")


@models.command(epilog="Example: ringroad models rollback --why 'too many alerts'")
def rollback(why: Why = "rolled back", author: Who = None) -> None:
    """Go back to the version that served before."""
    from workbench import scoring

    version = scoring.registry(Settings.read().prepare()).rollback(
        _by(why, author), features_hash=scoring.features_hash(), check=scoring.latency
    )
    say(None, False, f"{version} serves again")


@models.command(epilog="Examples: ringroad models shadow VERSION · ringroad models shadow none")
def shadow(
    version: Annotated[str, typer.Argument(help="A version, or none.")], why: Why = "in the shadow", author: Who = None
) -> None:
    """Let a version score beside the one that serves, without deciding anything."""
    from workbench import scoring

    chosen = None if version == "none" else version
    scoring.registry(Settings.read().prepare()).shadow(
        chosen, _by(why, author), features_hash=scoring.features_hash(), check=scoring.latency
    )
    say(None, False, f"{version} scores in the shadow" if chosen else "nothing scores in the shadow")


# Shared --------------------------------------------------------------------------------------------------


def _by(why: str, author: str | None) -> By:
    from gnn.registry import By

    return By(author or getpass.getuser(), why, datetime.now(UTC))


def _start(text: str | None) -> datetime | None:
    """A date means its beginning: what was submitted that day is scored."""
    if text is None:
        return None
    at = moment(text, "--cut" if text else "--since")
    return at - timedelta(days=1) + timedelta(milliseconds=1) if len(text) <= 10 else at


def _names(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); give a CSV with a column application_id") from None
    if not lines:
        raise InputError(f"{path} is empty; give a CSV with a column application_id")
    head = [each.strip().strip('"') for each in lines[0].split(",")]
    at = head.index("application_id") if "application_id" in head else 0
    body = lines[1:] if "application_id" in head else lines
    return [line.split(",")[at].strip().strip('"') for line in body if line.strip()]


def _told(summary: dict[str, Any], folder: Path) -> str:
    counts = summary["decisions"]
    lines = [
        f"{summary['applications']:,} applications scored: {counts['pass']:,} pass, {counts['review']:,} review, "
        f"{counts['decline']:,} decline",
        f"{summary['rings']} rings, looked for on {summary['nights']} nights",
        *summary["notes"],
        f"{folder / 'report.html'} shows how good they are",
    ]
    return "\n".join(lines)


@contextmanager
def _bar(title: str) -> Iterator[Callable[[str, int, int], None]]:
    with bar(title) as (shown, task):
        yield lambda what, done, total: shown.update(
            task, description=f"{title}: {what}", completed=done, total=max(total, 1)
        )
