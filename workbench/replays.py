"""The command of the replay."""
# ruff: noqa: PLC0415, PLR0917 - numba, XGBoost and torch take seconds to import; only this command needs them

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from workbench.terminal import Json, bar, moment, say


def register(app: typer.Typer) -> None:
    app.command(
        epilog="Example: ringroad replay --input portfolio/input --cut 2025-07-01 --truth portfolio/truth --out replay"
    )(replay)


def replay(
    source: Annotated[Path, typer.Option("--input", help="Folder with the tables.")],
    cut: Annotated[str, typer.Option(help="The first day: models start from what was known before it.")],
    truth: Annotated[Path, typer.Option(help="Folder of truth files, of a synthetic portfolio: reviewers read them.")],
    out_dir: Annotated[Path, typer.Option("--out", help="Folder for replay.json, replay.html and days.csv.")],
    retrain_every: Annotated[int, typer.Option(min=0, help="Days between two trainings; 0: never again.")] = 30,
    list_every: Annotated[int, typer.Option(min=0, help="Days between two ring lists; 0: none.")] = 7,
    per_day: Annotated[
        int | None, typer.Option(min=0, help="Reviews by score a day; default: 1 % of a mean day's applications.")
    ] = None,
    drift: Annotated[
        str | None, typer.Option(help="Day on which the drift began; default: the first ring the truth marks so.")
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also retrain on the lender's labels alone; takes twice as long.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Same seed and facts, same replay.")] = 7,
    as_json: Json = False,
) -> None:
    """Live through a portfolio day by day: score, review, stop, list rings, retrain; say what that saves."""
    from workbench import replay_report
    from workbench.replaying import Asked, run

    start = _beginning(drift, "--drift") if drift else None
    asked = Asked(
        _beginning(cut, "--cut"), truth, retrain_every, list_every, per_day, seed, drift=start, compare=compare
    )
    with bar("replay") as (shown, task):
        ran = run(
            source, out_dir, asked,
            progress=lambda what, done, total: shown.update(
                task, description=f"replay: {what}", completed=done, total=max(total, 1)
            ),
        )  # fmt: skip
    told = replay_report.summary(ran)
    say(told, as_json, replay_report.sentences(told, out_dir))


def _beginning(text: str, option: str) -> datetime:
    """A date means its first moment."""
    at = moment(text, option)
    return at - timedelta(days=1) + timedelta(milliseconds=1) if len(text) <= 10 else at
