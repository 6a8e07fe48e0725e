"""What the commands share: options, where answers and errors go, times as people write them."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from graph.errors import InputError
from workbench.casebook.words import words
from workbench.render import CHINA

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for a machine instead of text for a person.")]
Store = Annotated[str | None, typer.Option(help="sqlite:///FILE or neo4j://USER@HOST; default RINGROAD_STORE.")]

Author = Annotated[str | None, typer.Option(help="Who says so; default: who is signed in.")]


@contextmanager
def bar(title: str, *, in_bytes: bool = False) -> Iterator[tuple[Progress, Any]]:
    """Progress on stderr, so that stdout can be piped; nothing where stderr is no terminal."""
    done = (DownloadColumn(), TransferSpeedColumn()) if in_bytes else (TaskProgressColumn(show_speed=True),)
    columns = (TextColumn("{task.description}"), BarColumn(), *done, TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        yield shown, shown.add_task(title, total=None)


def say(content: Any, as_json: bool, text: Any) -> None:
    if as_json:
        sys.stdout.write(json.dumps(content, ensure_ascii=False, default=str) + "\n")
    elif isinstance(text, str):
        out.print(text, markup=False, soft_wrap=True)
    else:
        out.print(text)


def moment(text: str, option: str) -> datetime:
    """A date means its end: what was known that day counts."""
    try:
        at = datetime.fromisoformat(text)
        if len(text) <= 10:
            at += timedelta(days=1, milliseconds=-1)
    except ValueError:
        raise InputError(f"{option} {text} is no date; write 2025-10-01 or 2025-10-01T18:00:00+08:00") from None
    return at if at.tzinfo else at.replace(tzinfo=CHINA)


def beginning(text: str, option: str) -> datetime:
    """A date means its first minute."""
    at = moment(text, option)
    return at.replace(hour=0, minute=0, second=0, microsecond=0) if len(text) <= 10 else at


def who(name: str | None) -> str:
    """Who says so, for the record."""
    try:
        author = (name if name is not None else getpass.getuser()).strip()
    except (KeyError, OSError, ImportError):
        author = ""
    if not author:
        raise InputError("nobody is signed in under a name; say who with --author")
    return words("--author", author, 255)


def written_to(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror})") from None
