"""`ringroad strategy …`: what the score service decides by, from when on, and the way back."""
# ruff: noqa: PLC0415

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graph.errors import InputError
from graph.settings import Settings
from workbench import instance
from workbench.render import CHINA
from workbench.terminal import Author, Json, beginning, say, who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.casebook.strategies import Adopted, Strategy
    from workbench.fairness import Share

NOTHING_SCORED = "nothing to compare: train a model and score applications first (ringroad train, ringroad score)"

app = typer.Typer(no_args_is_help=True, help="What the score service decides by: thresholds, rules, models, trials.")


@app.command("list", epilog="Example: ringroad strategy list")
def list_(as_json: Json = False) -> None:
    """All versions, and which one is in force."""
    from workbench.casebook import opening, strategies

    settings, now = Settings.read(), datetime.now(UTC)
    found: Sequence[Adopted] = [strategies.SHIPPED]
    current = strategies.SHIPPED
    if opening.exists(settings.casebook_url):
        with instance.open_casebook(settings) as casebook, casebook.reading() as db:
            found, current = strategies.listed(db) or found, strategies.in_force(db, now)
    content = [_written(each) | {"in_force": each.id == current.id} for each in found]
    say(content, as_json, _table(found, current.id))


@app.command(epilog="Examples: ringroad strategy show · ringroad strategy show 3 > strategy.yaml")
def show(
    number: Annotated[int | None, typer.Argument(metavar="ID", help="Default: the one in force.")] = None,
    as_json: Json = False,
) -> None:
    """One version, as `ringroad strategy set` takes it."""
    import yaml

    from workbench.casebook import opening, strategies

    settings = Settings.read()
    if not opening.exists(settings.casebook_url) and not number:
        found = strategies.SHIPPED
    else:
        with instance.open_casebook(settings.prepare()) as casebook, casebook.reading() as db:
            found = strategies.in_force(db, datetime.now(UTC)) if number is None else strategies.get(db, number)
    head = f"# strategy {found.id} from {_time(found.effective_from)}, by {found.author}: {found.reason}\n"
    text = yaml.safe_dump(found.strategy.content(), sort_keys=False, allow_unicode=True)
    say(_written(found), as_json, f"{head}{text}".rstrip())


@app.command("set", epilog='Example: ringroad strategy set strategy.yaml --from 2026-03-01T00:00 --why "fewer reviews"')
def set_(
    file: Annotated[Path, typer.Argument(help="YAML as `ringroad strategy show` prints it; what is left out is null.")],
    why: Annotated[str, typer.Option(help="In words; kept on record.")],
    start: Annotated[str | None, typer.Option("--from", help="Date or time; a date means its first minute.")] = None,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Set what decides from a time on. Unknown fields, rules and models are refused."""
    from workbench.casebook import strategies

    now, content = datetime.now(UTC), _read(file)
    settings = Settings.read().prepare()
    _models_there(settings, strategies.Strategy.read(content))
    begin = beginning(start, "--from") if start else now
    with instance.open_casebook(settings) as casebook, casebook.writing() as db:
        made = strategies.propose(db, content, effective_from=begin, author=who(author), reason=why, now=now)
    text = f"strategy {made.id} from {_time(made.effective_from)}; back: ringroad strategy rollback"
    if made.strategy.overrides:
        text += "; whom it looks at more than others: ringroad strategy check"
    say(_written(made), as_json, text)


@app.command(epilog="Example: ringroad strategy check strategy.yaml")
def check(
    file: Annotated[Path, typer.Argument(help="YAML as `ringroad strategy show` prints it.")], as_json: Json = False
) -> None:
    """What it would hand to people, by product and dealers' province, beside what is handed to them now.

    Of all applications as they were scored last. Only the limits of scores are compared, not rules.
    """
    from workbench.casebook import strategies

    then = strategies.Strategy.read(_read(file))
    settings = Settings.read().prepare()
    _models_there(settings, then)
    found = _shares(settings, then)
    say([vars(each) for each in found], as_json, _share_table(found) if found else NOTHING_SCORED)


@app.command(epilog="Examples: ringroad strategy rollback · ringroad strategy rollback 3")
def rollback(
    number: Annotated[
        int | None, typer.Argument(metavar="ID", help="Where to; default: what was in force before. 0: as shipped.")
    ] = None,
    why: Annotated[str, typer.Option(help="In words; kept on record.")] = "rolled back",
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Go back to an earlier strategy at once. What was planned for later no longer comes into force."""
    from workbench.casebook import strategies

    now, settings = datetime.now(UTC), Settings.read().prepare()
    with instance.open_casebook(settings) as casebook, casebook.writing() as db:
        to = strategies.before(db, now) if number is None else number
        made = strategies.roll_back(db, to=to, author=who(author), reason=why, now=now)
    say(_written(made), as_json, f"strategy {made.id} is in force: {to} once more")


def _read(file: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}); name a YAML file with a strategy") from None
    except (UnicodeDecodeError, yaml.YAMLError):
        raise InputError(f"{file} is no YAML; `ringroad strategy show` prints one to begin with") from None


def _models_there(settings: Settings, strategy: Strategy) -> None:
    """Each version as the registry would serve it; a trial of a damaged one would only be noticed in service."""
    if not strategy.versions:
        return
    from workbench import scoring

    models = scoring.registry(settings)
    for version in strategy.versions:
        models.open(version, features_hash=scoring.features_hash())


def _shares(settings: Settings, then: Strategy) -> Sequence[Share]:
    from workbench import fairness, scoring
    from workbench.casebook import scores, strategies

    with instance.opened(None, vault=False) as here:
        with instance.open_casebook(settings) as casebook, casebook.reading() as db:
            told, now = scores.listed(db), strategies.in_force(db, datetime.now(UTC)).strategy
        served = scoring.serving(settings)
        if not told or served is None:
            return ()
        return fairness.shares(fairness.scored(here.snapshot(), told), now, then, model=served[0].review_from)


def _share_table(found: Sequence[Share]) -> Any:
    from rich.table import Table

    shown = Table("", "group", "scored", "looked at now", "then", "to all others", box=None)
    for each in found:
        marked = " !" if each.outside else ""
        row = (each.what, each.group or "not stated", f"{each.number:,}", f"{each.now:.1%}", f"{each.then:.1%}")
        shown.add_row(*row, f"{each.ratio:.2f}{marked}")
    return shown


def _written(one: Adopted) -> dict[str, Any]:
    told: dict[str, Any] = instance.written(vars(one) | {"strategy": one.strategy.content()})
    return told


def _time(at: datetime) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"


def _table(found: Sequence[Adopted], current: int) -> Any:
    from rich.table import Table
    from rich.text import Text

    shown = Table("id", "", "from", "by", "why", "content", box=None)
    for one in found:
        told = [f"{name}={value}" for name, value in one.strategy.content().items() if value not in (None, {}, [])]
        back = f" (as {one.copy_of})" if one.copy_of is not None else ""
        force = "in force" if one.id == current else ""
        row = (str(one.id), force, _time(one.effective_from), one.author, one.reason + back, ", ".join(told))
        shown.add_row(*map(Text, row))
    return shown
