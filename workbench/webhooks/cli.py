"""`ringroad webhooks …`: who is told of rings, labels and models, and whether it arrived."""
# ruff: noqa: PLC0415

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from graph.errors import InputError, StoreError
from graph.settings import Settings
from workbench import instance
from workbench.render import CHINA
from workbench.terminal import Author, Json, moment, say, who

if TYPE_CHECKING:
    from workbench.casebook.opening import Casebook
    from workbench.webhooks.addresses import Policy
    from workbench.webhooks.hooks import Hook, Made
    from workbench.webhooks.replays import Delivery

WAIT_SECONDS = 20
"""For an answer to a trial: twice what a try may take."""

app = typer.Typer(no_args_is_help=True, help="Tell other systems of rings, confirmed labels and degraded models.")
Number = Annotated[int, typer.Argument(metavar="ID", help="As `ringroad webhooks list` shows it.")]
OfWebhook = Annotated[int | None, typer.Option("--webhook", help="Only this webhook.")]


@app.command(
    epilog="Examples: ringroad webhooks add https://hooks.example.com/ringroad · "
    "ringroad webhooks add https://hooks.example.com/rings --kind ring.born --kind ring.grew"
)
def add(
    url: Annotated[str, typer.Argument(help="https:// and a public host.")],
    kind: Annotated[list[str] | None, typer.Option(help="What to tell, repeatable; default: everything.")] = None,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Tell an address from now on. Prints the secret that signs, once: it is kept nowhere."""
    from workbench.webhooks import addresses, hooks

    addresses.check(url, _policy())
    with _casebook() as (settings, casebook):
        keyring = instance.keyring(settings)
        with casebook.writing() as db:
            made = hooks.add(
                db, url, kind or hooks.KINDS, keyring=keyring, policy=_policy(), author=who(author),
                now=datetime.now(UTC),
            )  # fmt: skip
    _say_secret(made, as_json, f"webhook {made.hook.id} tells {', '.join(made.hook.kinds)}")


@app.command("list", epilog="Example: ringroad webhooks list --all")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    as_json: Json = False,
) -> None:
    """Webhooks with what they tell, and who added them."""
    from workbench.webhooks import hooks

    with _casebook() as (_, casebook), casebook.reading() as db:
        found = [each for each in hooks.listed(db) if everything or each.ended_at is None]
    say(instance.written([each.shown() for each in found]), as_json, _hook_table(found))


@app.command(epilog="Example: ringroad webhooks rotate 3")
def rotate(
    number: Number,
    at_once: Annotated[bool, typer.Option("--at-once", help="The secret before ends now; it leaked.")] = False,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Make a new secret. For a day both sign, so that the receiver can change it when it likes."""
    from workbench.webhooks import hooks

    with _casebook() as (settings, casebook):
        keyring = instance.keyring(settings)
        with casebook.writing() as db:
            made = hooks.rotate(
                db, number, keyring=keyring, author=who(author), now=datetime.now(UTC), at_once=at_once
            )  # fmt: skip
    says = "the secret before has ended" if at_once else "the secret before signs as well for a day"
    _say_secret(made, as_json, f"webhook {number}: {says}")


@app.command(epilog="Example: ringroad webhooks end 3")
def end(number: Number, author: Author = None, as_json: Json = False) -> None:
    """Tell it no more, not even what is waiting. It stays on record."""
    from workbench.webhooks import hooks

    with _casebook() as (_, casebook), casebook.writing() as db:
        hooks.end(db, number, author=who(author), now=datetime.now(UTC))
    say({"id": number}, as_json, f"webhook {number} has ended")


@app.command("test", epilog="Example: ringroad webhooks test 3")
def trial(number: Number, as_json: Json = False) -> None:
    """Send it a `webhook.test` now and say what came back. Exit code 4 when it did not arrive."""
    from workbench.webhooks import deliver, events

    with _casebook() as (settings, casebook), _courier(settings) as courier:
        with casebook.writing() as db:
            event = events.trial(db, number, now=datetime.now(UTC))
        found = _tried(casebook, courier, event, number)
        deliver.settle(casebook, lambda: datetime.now(UTC), courier)
    if found.state != "delivered":
        raise StoreError(f"webhook {number}: {found.last_trouble or 'no answer yet'}; it is tried again later")
    say(instance.written(vars(found)), as_json, f"webhook {number} answered {found.last_status}")


@app.command(epilog="Example: ringroad webhooks deliveries --failed --webhook 3")
def deliveries(
    webhook: OfWebhook = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what failed and has not arrived since.")] = False,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """What was told to whom, after how many tries, and what is still waiting."""
    from workbench.webhooks import replays

    with _casebook() as (_, casebook), casebook.reading() as db:
        found = replays.listed(db, now=datetime.now(UTC), webhook=webhook, failed=failed, limit=top)
    say(instance.written([vars(each) for each in found]), as_json, _delivery_table(found))


@app.command(
    epilog="Examples: ringroad webhooks replay 17 --webhook 3 · ringroad webhooks replay --failed-since 2026-05-01"
)
def replay(
    event: Annotated[int | None, typer.Argument(metavar="EVENT", help="As `deliveries` shows it.")] = None,
    webhook: OfWebhook = None,
    failed_since: Annotated[
        str | None, typer.Option(help="All that failed of events since the beginning of this day.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Send again, under the same webhook-id: one event to one webhook, or all that failed since a day."""
    from workbench.webhooks import replays

    now = datetime.now(UTC)
    if (event is None) == (failed_since is None) or (event is not None and webhook is None):
        raise InputError("name one: EVENT with --webhook ID, or --failed-since 2026-05-01")
    with _casebook() as (_, casebook), casebook.writing() as db:
        if event is not None and webhook is not None:
            replays.replay(db, event, webhook, now=now)
            number = 1
        else:
            number = replays.replay_failed(db, _beginning(failed_since or ""), now=now, webhook=webhook)
    text = f"{number:,} {'delivery goes' if number == 1 else 'deliveries go'} out again"
    say({"deliveries": number}, as_json, text)


# Shared ------------------------------------------------------------------------------------------------


def _policy() -> Policy:
    from workbench.webhooks.addresses import Policy

    return Policy.read(os.environ)


@contextmanager
def _casebook() -> Iterator[tuple[Settings, Casebook]]:
    settings = Settings.read().prepare()
    with instance.open_casebook(settings) as casebook:
        yield settings, casebook


@contextmanager
def _courier(settings: Settings) -> Iterator[Any]:
    from workbench.webhooks.addresses import Way
    from workbench.webhooks.courier import Courier

    with Courier(instance.keyring(settings), Way(_policy())) as courier:
        yield courier


def _tried(casebook: Casebook, courier: Any, event: int, number: int) -> Delivery:
    """Waits for the first try, whichever process makes it."""
    from workbench.webhooks import deliver, replays

    end = time.monotonic() + WAIT_SECONDS
    while True:
        deliver.deliver_due(casebook, lambda: datetime.now(UTC), courier)
        with casebook.reading() as db:
            found = replays.delivery(db, event, number, now=datetime.now(UTC))
        if found.state == "delivered" or found.last_trouble or time.monotonic() >= end:
            return found
        time.sleep(0.1)


def _beginning(text: str) -> datetime:
    """Of a day; a time is itself."""
    at = moment(text, "--failed-since")
    return at.replace(hour=0, minute=0, second=0, microsecond=0) if len(text) <= 10 else at


def _say_secret(made: Made, as_json: bool, says: str) -> None:
    text = f"{says}\nsecret, shown this once: {made.secret}"
    say(instance.written(made.hook.shown() | {"secret": made.secret}), as_json, text)


def _hook_table(found: list[Hook]) -> Text | Table:
    if not found:
        return Text("no webhooks; `ringroad webhooks add` makes one")
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("id", "address", "tells", "by", "since", "ended"):
        table.add_column(name, overflow="fold")
    for each in found:
        ended = f"{_day(each.ended_at)} by {each.ended_by}" if each.ended_at else ""
        told = (str(each.id), each.url, " ".join(each.kinds), each.author, _day(each.created_at), ended)
        table.add_row(*(escape(text) for text in told))
    return table


def _delivery_table(found: Any) -> Text | Table:
    if not found:
        return Text("no deliveries")
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("event", "webhook", "kind", "of", "state", "tries", "next", "answer"):
        table.add_column(name, overflow="fold")
    for each in found:
        waits = each.next_at.astimezone(CHINA).strftime("%m-%d %H:%M:%S") if each.next_at else ""
        answer = each.last_trouble or (str(each.last_status) if each.last_status else "")
        told = (each.event, each.webhook, each.kind, each.subject, each.state, each.tries, waits, answer)
        table.add_row(*(escape(str(text)) for text in told))
    return table


def _day(at: datetime) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d}"
