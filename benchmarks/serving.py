"""The processes that are measured, as a user starts them: score service, a bare FastAPI route beside it, workbench."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import Response

RINGROAD = Path(sys.executable).with_name("ringroad")
WORKERS = 2
READY_SECONDS = 900.0
SCOPES = ("score", "events", "decisions:read", "metrics")
STAGE = re.compile(r'ringroad_stage_seconds_(sum|count)\{stage="([a-z_]+)"\} ([0-9.e+-]+)')


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[bytes]
    port: int
    key: str = ""

    def workers(self) -> list[int]:
        """Process ids of those that answer."""
        return [pid for pid in children(self.process.pid) if "spawn_main" in _command(pid)]

    def keeper(self) -> list[int]:
        return [pid for pid in children(self.process.pid) if "workbench.online.keeper" in _command(pid)]

    def get(self, path: str, seconds: float = 5.0) -> str:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {self.key}"}
        )
        with urllib.request.urlopen(asked, timeout=seconds) as answer:
            return str(answer.read().decode())

    def stages(self) -> dict[str, tuple[float, float]]:
        """Of each stage of a score: seconds so far, of how many."""
        found: dict[str, dict[str, float]] = {}
        for what, stage, value in STAGE.findall(self.get("/metrics")):
            found.setdefault(stage, {})[what] = float(value)
        return {stage: (each["sum"], each["count"]) for stage, each in found.items()}


def processor(pids: list[int]) -> float:
    """Seconds of processor time that they have taken so far."""
    total = 0
    for pid in pids:
        try:
            words = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        total += int(words[11]) + int(words[12])
    return total / os.sysconf("SC_CLK_TCK")


def priority(pid: int, nice: int) -> None:
    """Of the session that a process leads. Where the kernel groups by session, niceness counts within one alone, and
    any two sessions share the processor equally; a cron job at nice 19 is then as good as the service."""
    with suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice), encoding="utf-8")


def children(pid: int) -> list[int]:
    """Of all its threads."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text(encoding="utf-8").split())
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("\0", " ")
    except OSError:
        return ""


@dataclass(frozen=True)
class Memory:
    """Megabytes. `pss` shares what is mapped by several among them; `own` is mapped by nobody else and changed."""

    rss: float
    pss: float
    own: float


def memory(pid: int) -> Memory:
    told = {"Rss": 0.0, "Pss": 0.0, "Private_Dirty": 0.0}
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines[1:]:
        name, number = line.split()[:2]
        if name[:-1] in told:
            told[name[:-1]] = int(number) / 1e3
    return Memory(told["Rss"], told["Pss"], told["Private_Dirty"])


def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGROAD_")}
    return kept | {"RINGROAD_HOME": str(home), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def new_key(home: Path) -> str:
    """One that may ask as often as it likes."""
    command = [str(RINGROAD), "keys", "create", "--owner", f"benchmark-{secrets.token_hex(3)}", "--per-second", "10000"]
    command += [part for scope in SCOPES for part in ("--scope", scope)] + ["--author", "benchmark", "--json"]
    told = subprocess.run(command, env=environment(home), check=True, capture_output=True, text=True).stdout
    return str(json.loads(told)["key"])


@contextmanager
def service(home: Path, log: Path, *options: str) -> Iterator[Served]:
    """`ringroad serve api --workers 2` with its keeper, on a free port, until the block ends."""
    key, port = new_key(home), free_port()
    command = [str(RINGROAD), "serve", "api", "--port", str(port), "--workers", str(WORKERS), *options]
    with _running(command, environment(home), log) as process:
        yield _ready(Served(process, port, key), "/readyz")


@contextmanager
def workbench(home: Path, log: Path) -> Iterator[str]:
    """The address of `ringroad serve ui --workers 2`."""
    port = free_port()
    command = [str(RINGROAD), "serve", "ui", "--port", str(port), "--workers", str(WORKERS)]
    with _running(command, environment(home), log) as process:
        _ready(Served(process, port), "/healthz")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def echo(log: Path) -> Iterator[Served]:
    """The peer: one FastAPI route that reads JSON and answers, in as many processes, with the same server."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.serving:bare", "--factory", "--port", str(port),
               "--workers", str(WORKERS), "--loop", "uvloop", "--http", "httptools", "--no-access-log"]  # fmt: skip
    with _running(command, dict(os.environ), log) as process:
        yield _ready(Served(process, port), "/readyz")


def bare() -> FastAPI:
    app = FastAPI()

    @app.post("/api/v1/score")
    async def score(request: Request) -> Response:
        told = json.loads(await request.body())
        return Response(json.dumps({"application_id": told["application_id"]}), media_type="application/json")

    @app.get("/readyz")
    async def ready() -> dict[str, bool]:
        return {"ready": True}

    return app


@contextmanager
def _running(command: list[str], environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as file:
        process = subprocess.Popen(command, env=environ, stdout=file, stderr=file, start_new_session=True)
    priority(process.pid, int(environ.get("BENCHMARK_NICE", "0")))
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def _ready(served: Served, path: str) -> Served:
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until and served.process.poll() is None:
        try:
            served.get(path)
        except (OSError, urllib.error.URLError):
            time.sleep(0.3)
        else:
            return served
    raise SystemExit("the service did not start; its log is beside the home")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
