"""`ringroad tick`, `ringroad schedule …`: what runs by the clock, what became of it, and asking again."""
# ruff: noqa: PLC0415

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from time import monotonic
from types import FrameType
from typing import Annotated, Any

import typer
from rich.table import Table

from graph.errors import InputError, NodeNotFound
from graph.settings import Settings
from workbench import instance
from workbench.render import CHINA
from workbench.schedule import slots
from workbench.schedule.job import CatchUp, Clock, Job
from workbench.terminal import Json, beginning, err, out, say

app = typer.Typer(no_args_is_help=True, help="What runs by the clock: jobs, what became of them, letters.")

Now = Annotated[str | None, typer.Option(help="As if it were then; default: now. For trials and catching up.")]


def register(main: typer.Typer) -> None:
    main.command(epilog="Examples: ringroad tick · ringroad tick --job rings")(tick)
    main.add_typer(app, name="schedule")


def tick(
    now: Now = None,
    job: Annotated[str | None, typer.Option(help="Only this one; default: all that are due.")] = None,
    as_json: Json = False,
) -> None:
    """Do what is due: once a minute by cron or systemd, or let `ringroad serve scheduler` do it.

    A slot that failed is tried again by later ticks, and what nobody did while nothing ran is caught up with. Two ticks
    at once are harmless. The exit code is 1 where a job failed.
    """
    from workbench.schedule import jobs, metrics
    from workbench.schedule.tick import Ticker, Told

    settings = Settings.read().prepare()
    plan, there = jobs.read(settings)
    if job is not None:
        _named(there, job)
    with _stoppable(), instance.open_casebook(settings) as casebook:
        ticker = Ticker(settings, plan, there, casebook, _clock(now))
        done: list[Told] = ticker.tick(only=job or "", say=(lambda _: None) if as_json else _line)
        with casebook.reading() as db:
            figures = metrics.text(db, now=ticker.clock())
        metrics.write(settings, figures)
    if as_json:
        say([asdict(each) for each in done], True, "")
    elif not done and err.is_terminal:  # cron sends what is said by mail
        err.print("nothing is due", style="dim")
    if any(each.failed for each in done):
        raise typer.Exit(1)


@app.command("list", epilog="Example: ringroad schedule list")
def list_(now: Now = None, as_json: Json = False) -> None:
    """All jobs: how often, when next, and what became of the last slot."""
    from workbench.casebook import job_history
    from workbench.schedule import jobs

    settings, at = Settings.read().prepare(), _clock(now)()
    plan, there = jobs.read(settings)
    with instance.open_casebook(settings) as casebook, casebook.reading() as db:
        last = job_history.last(db)
    rows = [
        {
            "job": each.name,
            "does": each.does,
            "enabled": plan.job(each.name).enabled,
            "cadence": each.cadence if each.every is None else f"every {each.every.total_seconds() / 60:g} minutes",
            "next_at": each.next_at(at) if plan.job(each.name).enabled else None,
            "last": asdict(last[each.name]) if each.name in last else None,
        }
        for each in there
    ]
    say(instance.written(rows), as_json, _job_table(rows))


@app.command("runs", epilog="Example: ringroad schedule runs --job rings")
def runs(
    job: Annotated[str | None, typer.Option(help="Only of this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30,
    as_json: Json = False,
) -> None:
    """What ran, the newest first: how it ended, what it did, what was not as it should be."""
    from workbench.casebook import job_history

    with instance.open_casebook(Settings.read().prepare()) as casebook, casebook.reading() as db:
        rows = [asdict(each) for each in job_history.listed(db, job=job or "", limit=limit)]
    say(instance.written(rows), as_json, _run_table(rows) if rows else "nothing ran yet; ringroad tick")


@app.command("again", epilog="Example: ringroad schedule again rings 2025-06-30")
def again(
    job: Annotated[str, typer.Argument(help="As `ringroad schedule list` names it.")],
    slot: Annotated[str, typer.Argument(help="A day, a week or a month, as `ringroad schedule runs` names it.")],
    now: Now = None,
    as_json: Json = False,
) -> None:
    """Let the next tick do a slot that failed, was missed, or is to be done anew. No letter goes out twice by it."""
    from workbench.casebook import job_runs
    from workbench.schedule import jobs

    settings, at = Settings.read().prepare(), _clock(now)()
    chosen = _named(jobs.read(settings)[1], job)
    wanted = slots.named(chosen.cadence, slot)
    if chosen.every is not None:
        raise InputError(f"{job} is done again and again; there is no slot to ask for")
    if chosen.due_at(wanted) > at:
        raise InputError(
            f"{job} {slot} is due on {chosen.due_at(wanted):%Y-%m-%d %H:%M}; before, there is nothing to do"
        )
    if chosen.catch_up is CatchUp.NEWEST and wanted != chosen.newest(at):
        raise InputError(f"of {job} only the newest slot says anything; ask for {chosen.newest(at).name}")
    with instance.open_casebook(settings) as casebook, casebook.writing() as db:
        job_runs.again(db, job, wanted.name, chosen.due_at(wanted), now=at)
    say({"job": job, "slot": wanted.name}, as_json, f"{job} {wanted.name} is done by the next tick")


@app.command("mails", epilog="Example: ringroad schedule mails")
def mails(limit: Annotated[int, typer.Option(min=1, max=1000)] = 30, as_json: Json = False) -> None:
    """Letters with reports, the newest first. An `uncertain` one may have arrived: it is not sent twice by itself."""
    from workbench.casebook import report_mails

    with instance.open_casebook(Settings.read().prepare()) as casebook, casebook.reading() as db:
        rows = [asdict(each) | {"recipient": each.masked} for each in report_mails.listed(db, limit=limit)]
    shown = Table("report", "slot", "to", "status", "tries", "queued", "next", "", box=None)
    for each in rows:
        shown.add_row(
            each["report"], each["slot"], each["recipient"], each["status"], str(each["tries"]),
            _time(each["queued_at"]), _time(each["next_at"]), each["trouble"],
        )  # fmt: skip
    none = "no letter was ever queued; name recipients in schedule.yaml"
    say(instance.written(rows), as_json, shown if rows else none)


@app.command("resend", epilog="Example: ringroad schedule resend daily 2025-06-30")
def resend(
    report: Annotated[str, typer.Argument(help="As `ringroad schedule mails` names it.")],
    slot: Annotated[str, typer.Argument(help="A day, a week or a month.")],
    to: Annotated[str | None, typer.Option(help="Only to this address; default: all that wait for a person.")] = None,
    as_json: Json = False,
) -> None:
    """Let letters that are uncertain, or were given up, go out once more. An uncertain one may arrive twice."""
    from workbench.casebook import report_mails

    with instance.open_casebook(Settings.read().prepare()) as casebook, casebook.writing() as db:
        number = report_mails.again(db, report, slot, now=datetime.now(UTC), recipient=to or "")
    say({"letters": number}, as_json, f"{number} letters go out with the next tick")


# Shared --------------------------------------------------------------------------------------------------


def _named(there: Sequence[Job], name: str) -> Job:
    for each in there:
        if each.name == name:
            return each
    raise NodeNotFound(f"there is no job {name[:40]!r}; there are {', '.join(each.name for each in there)}")


def _clock(now: str | None) -> Clock:
    """From a given time on it goes as clocks do: a lease is to be renewed."""
    if now is None:
        return lambda: datetime.now(UTC)
    start, begin = beginning(now, "--now").astimezone(UTC), monotonic()
    return lambda: start + timedelta(seconds=monotonic() - begin)


@contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM ends a tick as Ctrl-C does: what is under way is given back, and the next tick does it."""
    from workbench.schedule.tick import Stopped

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Stopped

    before: Any = [(each, signal.signal(each, stop)) for each in (signal.SIGTERM, signal.SIGINT)]
    try:
        yield
    except Stopped:
        raise typer.Exit(130) from None
    finally:
        for each, handler in before:
            signal.signal(each, handler)


def _line(told: Any) -> None:
    out.print(told.line, markup=False, soft_wrap=True, style="yellow" if told.trouble else None)


def _job_table(rows: Sequence[dict[str, Any]]) -> Table:
    shown = Table("job", "how often", "next", "last", "", box=None)
    for each in rows:
        last = each["last"] or {}
        shown.add_row(
            each["job"], each["cadence"], _time(each["next_at"]) if each["enabled"] else "off",
            f"{last['slot']} {last['status']}" if last else "", last.get("trouble", ""),
        )  # fmt: skip
    return shown


def _run_table(rows: Sequence[dict[str, Any]]) -> Table:
    shown = Table("job", "slot", "status", "tries", "ended", "seconds", "what it did", "", box=None)
    for each in rows:
        did = ", ".join(f"{name} {value}" for name, value in each["told"].items())
        shown.add_row(
            each["job"], each["slot"], each["status"], str(each["tries"]), _time(each["finished_at"]),
            f"{each['seconds']:.1f}" if each["seconds"] is not None else "", did, each["trouble"],
        )  # fmt: skip
    return shown


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}"
