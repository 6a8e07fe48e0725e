"""`ringroad serve api | ui | all | keeper | scheduler | refresh`: score service, workbench, what works beside them."""
# ruff: noqa: PLC0415 - Dash, FastAPI, numba, XGBoost and torch take seconds to import; only these commands need them

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from graph.errors import InputError
from graph.settings import Settings
from workbench.terminal import bar, err, say

app = typer.Typer(
    no_args_is_help=True, help="The workbench for investigators, and the score service for a decision engine."
)

PORT, UI_PORT = 8600, 8700
DRAIN_SECONDS, KEEPER_SECONDS = 7, 1
"""On SIGTERM: for requests in flight, then for the keeper, which loses nothing when it is killed; 10 s in all."""


@app.command(epilog="Example: ringroad serve api --port 8600")
def api(
    host: Annotated[
        str, typer.Option(help="Address to listen on; other machines reach it through a proxy with TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; one per core.")] = 2,
    keeper: Annotated[bool, typer.Option(help="Run the keeper beside it; elsewhere: ringroad serve keeper.")] = True,
) -> None:
    """Answer `POST /api/v1/score` in several processes, until SIGTERM or Ctrl-C.

    The first start makes the graph that scores are read from (`ringroad serve refresh`), which takes a while for a
    large portfolio. Keys: ringroad keys create.
    """
    import uvicorn

    from workbench.online import images
    from workbench.online.settings import ServiceSettings

    settings = ServiceSettings.read()
    settings.base.prepare()
    if images.current(settings) is None:
        _refresh(settings, quiet=False)
    measured = settings.base.home / "run" / "metrics"
    shutil.rmtree(measured, ignore_errors=True)
    measured.mkdir(parents=True, mode=0o700)
    os.environ |= {"PROMETHEUS_MULTIPROC_DIR": str(measured), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
                   "RINGROAD_WORKERS": str(workers)}  # fmt: skip
    say(None, False, f"score service on http://{host}:{port}, {workers} processes; Ctrl-C ends it")
    with _beside(keeper):
        uvicorn.run(
            "workbench.api.server:create",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            loop="uvloop",
            http="httptools",
            ws="none",
            lifespan="on",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            backlog=2048,
        )


@app.command(epilog="Example: ringroad serve ui --port 8700")
def ui(
    host: Annotated[
        str, typer.Option(help="Address to listen on; other machines reach it through a proxy with TLS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = UI_PORT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; one per core.")] = 2,
    threads: Annotated[int, typer.Option(min=1, max=64, help="Requests that each process answers at a time.")] = 8,
) -> None:
    """The investigators' workbench, until SIGTERM or Ctrl-C. The first user: ringroad users add NAME --role manager."""
    from workbench.ui.server import run

    settings = Settings.read().prepare()
    say(None, False, f"workbench on http://{host}:{port}, {workers} processes; Ctrl-C ends it")
    run(settings, host=host, port=port, workers=workers, threads=threads)


@app.command("all", epilog="Example: ringroad serve all")
def all_(
    api_port: Annotated[int, typer.Option(min=1, max=65535)] = PORT,
    ui_port: Annotated[int, typer.Option(min=1, max=65535)] = UI_PORT,
) -> None:
    """Score service, keeper and workbench on this machine, until SIGTERM or Ctrl-C."""
    from workbench.together import run

    ringroad = (sys.executable, "-m", "workbench", "serve")
    run([(*ringroad, "api", "--port", str(api_port)), (*ringroad, "ui", "--port", str(ui_port))])


class _beside:  # noqa: N801 - a context, read as a word
    """The keeper as a process of its own; one that dies is started again."""

    def __init__(self, wanted: bool) -> None:
        self._wanted, self._stopped = wanted, threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        if self._wanted:
            self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(KEEPER_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self._process = subprocess.Popen([sys.executable, "-m", "workbench.online.keeper", "--beside"])
            while self._process.poll() is None and not self._stopped.is_set():
                time.sleep(0.5)
            self._stopped.wait(1)


@app.command(epilog="Example: ringroad serve keeper")
def keeper() -> None:
    """Take what the score service was told into the store, deliver webhooks, keep its graph fresh; until SIGTERM."""
    from workbench.online.keeper import main

    main()


@app.command(epilog="Example: ringroad serve scheduler")
def scheduler() -> None:
    """Tick once a minute, each job in a process of its own, until SIGTERM; `ringroad schedule list` shows the jobs."""
    from datetime import UTC, datetime

    from workbench.schedule.scheduler import serve

    serve(Settings.read().prepare(), clock=lambda: datetime.now(UTC))


@app.command(epilog="Example: ringroad serve refresh")
def refresh(
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, no summary.")] = False,
) -> None:
    """Make the graph that scores are read from anew, from the store and the serving model; running workers take it up.

    The keeper does this every RINGROAD_REFRESH_HOURS, and when another model serves. After `ringroad load`, this makes
    what was loaded visible to scores at once.
    """
    from workbench.online.settings import ServiceSettings

    settings = ServiceSettings.read()
    settings.base.prepare()
    made = _refresh(settings, quiet=quiet)
    if not quiet:
        say(None, False, f"{made.name} is what scores are read from")


def _refresh(settings: object, *, quiet: bool) -> Path:
    from workbench.online import images
    from workbench.online.settings import ServiceSettings

    assert isinstance(settings, ServiceSettings)  # noqa: S101
    if quiet:
        return images.refresh(settings)
    try:
        with bar("graph for scores") as (shown, task):
            return images.refresh(
                settings,
                lambda what, done, total: shown.update(task, description=what, completed=done, total=max(total, 1)),
            )
    except InputError as error:
        err.print("the score service needs a graph: load a folder first, `ringroad load FOLDER`", style="yellow")
        raise error from None
