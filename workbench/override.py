"""`ringroad override …`: people decide about a thing that many hold."""
# ruff: noqa: PLC0415, PLR0917

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from graph.errors import InputError, NodeNotFound
from graph.ontology import NODES
from graph.overrides import Override
from graph.records import NodeRef
from graph.settings import Settings
from workbench import instance, ringruns
from workbench.casebook.words import remark, words
from workbench.render import CHINA, override_table
from workbench.terminal import Author, Json, Store, moment, say, who

VERDICTS = {"infrastructure": True, "lead": False}
LASTS = timedelta(days=180)

app = typer.Typer(
    no_args_is_help=True,
    help="Decide that a shared thing is a shop's tablet or the like, or that it is none after all.",
)
Reason = Annotated[str, typer.Option(help="Why, in words; no identifiers.")]


@app.command(
    epilog="Examples: ringroad override add --ring R0A1B2C3D4E --shared 3 --verdict infrastructure "
    '--reason "the shop\'s own tablet" --until 2026-06-01 · ringroad override add --type IP --key TOKEN --verdict lead '
    '--reason "one flat, no carrier"'
)
def add(
    ring: Annotated[str | None, typer.Option(help="A ring of the last run, with --shared.")] = None,
    shared: Annotated[int | None, typer.Option(help="The thing in this line of `ringroad ring`.")] = None,
    type_: Annotated[str | None, typer.Option("--type", help="Node type, with --key.")] = None,
    key: Annotated[str | None, typer.Option(help="Its key in the graph: a token, never an identifier.")] = None,
    verdict: Annotated[str, typer.Option(help="infrastructure: set it aside; lead: let it link.")] = "infrastructure",
    kind: Annotated[str, typer.Option(help="What it is, such as shop_tablet.")] = "",
    reason: Reason = "",
    until: Annotated[str | None, typer.Option(help="Last day; default: in 180 days.")] = None,
    author: Author = None,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Overrule what was recognised. Runs without --as-of see it at once, runs as of the past do not."""
    from workbench.casebook import opinions

    now = datetime.now(UTC)
    if verdict not in VERDICTS:
        raise InputError(f"--verdict {verdict} is none; write infrastructure or lead")
    ref = _thing(ring, shared, type_, key)
    override = Override(
        type=ref.type, key=ref.key, infrastructure=VERDICTS[verdict], kind=words("--kind", kind, 64),
        reason=_reason(reason), until=moment(until, "--until") if until else now + LASTS,
    )  # fmt: skip
    with instance.opened(store, vault=False) as here:
        masked = _masked(here, ref)
        with instance.open_casebook(here.settings) as casebook, casebook.writing() as db:
            number = opinions.add(db, override, author=who(author), now=now)
    says = f"{NODES[ref.type].en} {masked}: {verdict} until {override.until.astimezone(CHINA):%Y-%m-%d}"
    say(instance.written({"id": number, "masked": masked} | vars(override)), as_json, f"override {number}: {says}")


@app.command("list", epilog="Example: ringroad override list --all")
def list_(
    everything: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    store: Store = None,
    as_json: Json = False,
) -> None:
    """Overrides in force, with author, reason and end."""
    from workbench.casebook import opening, opinions

    now, rows = datetime.now(UTC), []
    if opening.exists(Settings.read().casebook_url):
        with instance.opened(store, vault=False) as here:
            with instance.open_casebook(here.settings) as casebook, casebook.reading() as db:
                told = [each for each in opinions.listed(db) if everything or each.in_force(now)]
            refs = [NodeRef(each.override.type, each.override.key) for each in told]
            rows = [
                (each, _masked_or_gone(here, ref), each.in_force(now)) for each, ref in zip(told, refs, strict=True)
            ]
    content = [
        vars(each) | {"override": vars(each.override), "masked": masked, "in_force": holds}
        for each, masked, holds in rows
    ]
    say(instance.written(content), as_json, override_table(rows))


@app.command(epilog='Example: ringroad override end 3 --reason "the tablet went to another shop"')
def end(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `ringroad override list` shows it.")],
    reason: Reason = "",
    author: Author = None,
    as_json: Json = False,
) -> None:
    """End an override before its time. It stays on record."""
    from workbench.casebook import opening, opinions

    settings = Settings.read().prepare()
    if not opening.exists(settings.casebook_url):
        raise NodeNotFound(f"there is no override {number}; `ringroad override list` shows them")
    with instance.open_casebook(settings) as casebook, casebook.writing() as db:
        opinions.end(db, number, author=who(author), because=_reason(reason), now=datetime.now(UTC))
    say({"id": number}, as_json, f"override {number} has ended")


def _thing(ring: str | None, shared: int | None, type_: str | None, key: str | None) -> NodeRef:
    """What a screen numbered, or a type and a token. A key is never repeated: it could be a clear identifier."""
    if (ring is None) != (shared is None) or (type_ is None) != (key is None) or (ring is None) == (type_ is None):
        raise InputError("name one thing: --ring R0A1B2C3D4E --shared 3, or --type Device --key TOKEN")
    if ring is not None and shared is not None:
        lines = ringruns.ring(ring)["shared"]
        if not 1 <= shared <= len(lines):
            raise InputError(
                f"--shared {shared}: {ring} shares {len(lines)} things; `ringroad ring {ring}` numbers them"
            )
        return NodeRef(lines[shared - 1]["type"], lines[shared - 1]["key"])
    leads = [name for name, each in NODES.items() if each.lead]
    if type_ not in leads:
        raise InputError(f"--type {type_} never links applications; one of {', '.join(leads)}")
    if NODES[type_].kind and not re.fullmatch("[0-9a-f]{32}", key or ""):
        raise InputError("--key is no token; take it from `ringroad ring R… --json`, or use --ring and --shared")
    return NodeRef(type_, key or "")


def _masked(here: instance.Instance, ref: NodeRef) -> str:
    try:
        node = here.store.node(ref, as_of=instance.EVERYTHING)
    except NodeNotFound:
        raise NodeNotFound(
            f"the graph holds no such {NODES[ref.type].en}; run `ringroad rings` again if keys were rotated"
        ) from None
    return node.masked or ref.key


def _masked_or_gone(here: instance.Instance, ref: NodeRef) -> str:
    try:
        return _masked(here, ref)
    except NodeNotFound:
        return "(not in the graph)"


def _reason(text: str) -> str:
    if not text.strip():
        raise InputError("an override needs a --reason: whoever reads it next year was not there")
    return remark("--reason", text, 1000)
