"""`ringroad keys create | list | revoke`: keys for the API, beside those of the vault."""
# ruff: noqa: PLC0415, PLR0917

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graph.errors import NodeNotFound
from graph.settings import Settings
from workbench import instance
from workbench.render import CHINA
from workbench.terminal import Author, Json, say, who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workbench.casebook.keys import Key


def register(app: typer.Typer) -> None:
    app.command(epilog="Example: ringroad keys create --owner decision-engine --scope score --scope events")(create)
    app.command("list", epilog="Example: ringroad keys list --all")(list_)
    app.command(epilog="Example: ringroad keys revoke rr0a1b2c3d4e5f")(revoke)


def create(
    owner: Annotated[str, typer.Option(help="Which system or person uses it; two keys each at most.")],
    scope: Annotated[
        list[str],
        typer.Option(help="score, events, rings:read, labels:write, decisions:read, metrics, webhooks; repeat it."),
    ],
    per_second: Annotated[float, typer.Option(help="Requests a second that it may make.")] = 50.0,
    days: Annotated[int, typer.Option(help="How long it lasts.")] = 365,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Make a key for the API. It is shown once; to rotate, make the second, move over, revoke the first."""
    from workbench.casebook import keys

    lasts = timedelta(days=min(max(days, 0), 100_000))
    with instance.open_casebook(Settings.read().prepare()) as casebook, casebook.writing() as db:
        made = keys.create(
            db, owner=owner, scopes=scope, per_second=per_second, author=who(author), now=datetime.now(UTC), lasts=lasts
        )
    until = f"{made.key.expires_at.astimezone(CHINA):%Y-%m-%d}"
    text = f"{made.presented}\nshown once, until {until}; it may {', '.join(made.key.scopes)}"
    say(_written(made.key) | {"key": made.presented}, as_json, text)


def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those revoked or expired.")] = False,
    as_json: Json = False,
) -> None:
    """Keys of the API: whose, for what, until when. Never a secret."""
    from workbench.casebook import keys, opening

    settings, now = Settings.read(), datetime.now(UTC)
    found: list[Key] = []
    if opening.exists(settings.casebook_url):
        with instance.open_casebook(settings) as casebook, casebook.reading() as db:
            found = [each for each in keys.listed(db) if everything or each.lives(now)]
    say([_written(each) | {"lives": each.lives(now)} for each in found], as_json, _table(found, now))


def revoke(
    kid: Annotated[str, typer.Argument(metavar="KID", help="As `ringroad keys list` shows it.")],
    author: Author = None,
    as_json: Json = False,
) -> None:
    """End a key of the API for good, within seconds. It stays on record."""
    from workbench.casebook import keys, opening

    settings = Settings.read().prepare()
    kid = kid.partition(".")[0]  # whoever pastes a whole key means its name
    if not opening.exists(settings.casebook_url):
        raise NodeNotFound("there is no API key yet; `ringroad keys create` makes one")
    with instance.open_casebook(settings) as casebook, casebook.writing() as db:
        keys.revoke(db, kid, author=who(author), now=datetime.now(UTC))
    say({"kid": kid}, as_json, f"API key {kid} is revoked")


def _written(key: Key) -> dict[str, Any]:
    told: dict[str, Any] = instance.written(vars(key))
    return told


def _table(found: Sequence[Key], now: datetime) -> Any:
    from rich.table import Table
    from rich.text import Text

    if not found:
        return "no API key; ringroad keys create"
    shown = Table("key", "owner", "may", "a second", "until", "", box=None)
    for each in found:
        state = "" if each.lives(now) else "revoked" if each.revoked_at else "expired"
        until = f"{each.expires_at.astimezone(CHINA):%Y-%m-%d}"
        row = (each.kid, each.owner, " ".join(each.scopes), f"{each.per_second:g}", until, state)
        shown.add_row(*map(Text, row))
    return shown
