"""`ringroad users …`: who may use the workbench. The first manager is made here; managers make the others there."""
# ruff: noqa: PLC0415, PLR0917

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graph.errors import InputError
from graph.settings import Settings
from workbench import instance
from workbench.render import CHINA
from workbench.terminal import Author, Json, say, who

if TYPE_CHECKING:
    from workbench.casebook.people import User
    from workbench.services.access.people import People
    from workbench.services.permissions import Operator

app = typer.Typer(no_args_is_help=True, help="Who may use the workbench, and as what.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="As typed at the door: a-z, 0-9, . _ and -.")]
ONCE = "shown once; at the first sign-in another one must be chosen"


@app.command(epilog='Example: ringroad users add wang --role manager --display-name "Wang Fang"')
def add(
    name: Name,
    role: Annotated[str, typer.Option(help="investigator, senior, manager or auditor.")] = "investigator",
    display_name: Annotated[str, typer.Option(help="As others see it; default: NAME.")] = "",
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Make a user. The password is shown once, and opens nothing but the choice of another one."""
    with _people(author) as (people, operator):
        given = people.add(operator, name, display_name or name, role, language)
    say(given._asdict(), as_json, f"{given.name}  {given.password}\n{ONCE}")


@app.command("list", epilog="Example: ringroad users list --json")
def list_(as_json: Json = False) -> None:
    """Everybody, disabled ones too. Never a password."""
    from workbench.casebook import opening, people

    settings, found = Settings.read(), []
    if opening.exists(settings.casebook_url):
        with instance.open_casebook(settings) as casebook, casebook.reading() as db:
            found = list(people.listed(db))
    say([_written(each) for each in found], as_json, _table(found))


@app.command(epilog="Examples: ringroad users disable lin · ringroad users disable lin --undo")
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let a disabled user sign in again.")] = False,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """End all sessions of a user and let nobody sign in by that name. The user stays on record."""
    with _people(author) as (people, operator):
        if undo:
            people.enable(operator, name)
        else:
            people.disable(operator, name)
    say({"name": name, "disabled": not undo}, as_json, f"{name} {'may sign in again' if undo else 'is disabled'}")


@app.command(epilog="Examples: ringroad users password lin · ringroad users password lin --drop-second-factor")
def password(
    name: Name,
    drop: Annotated[
        bool, typer.Option("--drop-second-factor", help="Of somebody who lost the device with it, too.")
    ] = False,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Give a new one-time password; whoever waits after wrong tries need not any more."""
    with _people(author) as (people, operator):
        if drop:
            people.drop_second_factor(operator, name)
        given = people.reset_password(operator, name)
    say(given._asdict(), as_json, f"{given.name}  {given.password}\n{ONCE}")


@app.command(epilog="Example: ringroad users role lin senior")
def role(
    name: Name,
    role_: Annotated[str, typer.Argument(metavar="ROLE", help="investigator, senior, manager or auditor.")],
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Give another role. Sessions under the one before end."""
    with _people(author) as (people, operator):
        people.set_role(operator, name, role_)
    say({"name": name, "role": role_}, as_json, f"{name} is {role_} from the next sign-in on")


@app.command(epilog="Example: ringroad users demo --yes")
def demo(
    yes: Annotated[bool, typer.Option("--yes", help="Yes, this instance is for show.")] = False,
    author: Author = None,
    as_json: Json = False,
) -> None:
    """Four users, one in each role, to show the workbench with; run again, they get new passwords.

    Refused where there is any other user: who has people of their own has no place for passwords on a screen.
    """
    if not yes:
        raise InputError("demo users open this instance to whoever reads the screen; say --yes if it is for show")
    with _people(author) as (people, operator):
        made = people.demo(operator)
    roles = {each.name: each.role for each in _everybody()}
    lines = [f"{each.name:5} {each.password}  {roles[each.name]}" for each in made]
    say([each._asdict() | {"role": roles[each.name]} for each in made], as_json, "\n".join(lines))


@contextmanager
def _people(author: str | None) -> Iterator[tuple[People, Operator]]:
    from workbench.services.access.people import People
    from workbench.services.office import Office
    from workbench.services.permissions import Operator

    operator = Operator(who(author)[:64])
    with Office(Settings.read()) as office:
        yield People(office), operator


def _everybody() -> Sequence[User]:
    from workbench.casebook import people

    with instance.open_casebook(Settings.read()) as casebook, casebook.reading() as db:
        return people.listed(db)


def _written(user: User) -> dict[str, Any]:
    shown = ("name", "display_name", "role", "language", "second_factor", "created_at", "created_by", "disabled_at")
    told: dict[str, Any] = instance.written({each: getattr(user, each) for each in shown})
    return told | {"must_change_password": bool(user.must_change)}


def _table(found: Sequence[User]) -> Any:
    from rich.table import Table
    from rich.text import Text

    if not found:
        return "no user; ringroad users add NAME --role manager"
    shown = Table("name", "", "role", "since", "second factor", "", box=None)
    for each in found:
        state = "disabled" if each.disabled_at else "must choose a password" if each.must_change else ""
        since, factor = f"{each.created_at.astimezone(CHINA):%Y-%m-%d}", "yes" if each.second_factor else ""
        shown.add_row(*map(Text, (each.name, each.display_name, each.role, since, factor, state)))
    return shown
