"""The score service to test against: in this process with a clock that is set, or as real processes on a free port."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from starlette.testclient import TestClient

from graph.settings import Settings
from tests.e2e.conftest import inside
from tests.service.people import People
from workbench.api.app import create
from workbench.api.client import Client
from workbench.casebook import keys
from workbench.casebook.keys import SCOPES
from workbench.instance import open_casebook, open_graph, open_vault
from workbench.online.absorbing import absorb
from workbench.online.service import Service
from workbench.online.settings import ServiceSettings

RINGROAD = Path(sys.executable).with_name("ringroad")
UNTIL = "2025-06-15"
API = "/api/v1"


def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 3,000 applications, rings, a model and the graph for scores; `trained` of tests/conftest.py.

    RINGROAD_TEST_TRAINED names one that is there already, for who runs these tests again and again.
    """
    if given := os.environ.get("RINGROAD_TEST_TRAINED"):
        return Path(given)
    base = tmp_path_factory.getbasetemp()
    place = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "trained"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:  # processes that test side by side share one
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "whole").exists():
            _make(place)
            (place / "whole").touch()
    return place / "home"


def _make(place: Path) -> None:
    home, portfolio = place / "home", place / "portfolio"
    for line in (
        ("generate", "--preset", "tiny", "--seed", "8", "--out", str(portfolio)),
        ("load", str(portfolio / "input")),
        ("rings", "--window", "180d"),
        ("train", "--until", UNTIL),
        ("serve", "refresh", "--quiet"),
    ):
        assert (told := inside(home, *line)).code == 0, told


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RINGROAD_")}
    return kept | {"RINGROAD_HOME": str(home), "OMP_NUM_THREADS": "1", "COLUMNS": "200"} | more


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of one's own, gone when the test is."""
    place = copied(trained, tmp_path / "home")
    yield place
    shutil.rmtree(place, ignore_errors=True)


UNCHANGING = ("desks", "snapshot", "models")
"""Nobody writes into their files: new ones take their place, so that a copy may share them."""


def copied(home: Path, place: Path) -> Path:
    def copy(source: str, target: str) -> None:
        inside = Path(source).relative_to(home).parts[0]
        if inside in UNCHANGING and Path(source).suffix not in (".json", ".jsonl", ""):
            os.link(source, target)
        else:
            shutil.copy2(source, target)

    return Path(shutil.copytree(home, place, copy_function=copy))


def new_key(home: Path, *scopes: str, owner: str = "", per_second: float = 10_000.0) -> str:
    settings = Settings.read({"RINGROAD_HOME": str(home)})
    with open_casebook(settings) as casebook, casebook.writing() as db:
        return keys.create(
            db, owner=owner or _a_word(), scopes=scopes or SCOPES, per_second=per_second,
            author="test", now=datetime.now(UTC),
        ).presented  # fmt: skip


def _a_word() -> str:
    """Twelve letters: an owner that holds a long number is refused."""
    return uuid.uuid4().hex[:12].translate(str.maketrans("0123456789", "ghijklmnop"))


# In this process -----------------------------------------------------------------------------------------


class Clock:
    """Milliseconds; it stands still until it is moved."""

    def __init__(self) -> None:
        self.now = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        return self.now

    def forward(self, *, seconds: float = 0, days: float = 0) -> None:
        self.now += round(1000 * (seconds + 86_400 * days))


@dataclass
class Asking:
    """A service in this process, asked over its real routes."""

    service: Service
    http: TestClient
    key: str
    clock: Clock
    home: Path
    people: People = field(default_factory=lambda: People(7))

    def application(self, **changes: Any) -> dict[str, Any]:
        """Of somebody who shares nothing with anybody, submitted a minute ago."""
        return self.people.application(at=self.clock.now, **changes)

    def post(self, path: str, content: Any, **headers: str) -> httpx.Response:
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        given = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.http.post(f"{API}{path}", content=body, headers=given)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(f"{API}{path}", headers={"Authorization": f"Bearer {self.key}"})

    def score(self, content: dict[str, Any], *, full: bool = False) -> dict[str, Any]:
        answer = self.post(f"/score?explain={'full' if full else 'brief'}", content)
        assert answer.status_code == 200, answer.text
        self.clock.forward(seconds=1)
        return dict(answer.json())

    def absorb(self) -> None:
        """What the keeper does: everything told so far into the store."""
        with open_graph(self.service.settings.base, None) as store, open_vault(self.service.settings.base) as vault:
            while absorb(self.service.journal, store, vault):
                pass


@contextmanager
def asking(home: Path, clock: Clock | None = None, **environ: str) -> Iterator[Asking]:
    """Opens the service of a home without warming it up."""
    clock = clock or Clock()
    key = new_key(home)
    settings = ServiceSettings.read({"RINGROAD_HOME": str(home), "RINGROAD_PATIENCE_MS": "5000", **environ})
    service = Service.open(settings, clock=clock, warmed=False)
    with TestClient(create(service), raise_server_exceptions=False) as http:
        yield Asking(service, http, key, clock, home)


@pytest.fixture
def asked(home: Path) -> Iterator[Asking]:
    with asking(home) as one:
        yield one


# As real processes ---------------------------------------------------------------------------------------


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    address: str
    key: str
    home: Path
    output: Path

    def client(self, **more: Any) -> Client:
        return Client(self.address, self.key, **more)

    def workers(self) -> list[int]:
        """Their process ids, by asking the system for the children that serve."""
        told = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return [int(line.split()[0]) for line in told.splitlines() if "spawn_main" in line]

    def wait_ready(self, seconds: float = 90) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended with {self.process.returncode}: {self.said()[-2000:]}")
            try:
                if httpx.get(f"{self.address}/readyz", timeout=2, trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.2)
        raise AssertionError(f"the service was not ready: {self.said()[-2000:]}")

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(home: Path, *options: str, **environ: str) -> Iterator[Running]:
    """`ringroad serve api` on a free port, ended by SIGTERM in the end."""
    port, output = free_port(), home.parent / f"served-{uuid.uuid4().hex[:8]}.log"
    key = new_key(home)
    with output.open("wb") as file:
        process = subprocess.Popen(
            [str(RINGROAD), "serve", "api", "--port", str(port), *options],
            env=environment(home, **environ), stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    one = Running(process, f"http://127.0.0.1:{port}", key, home, output)
    try:
        one.wait_ready()
        yield one
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def served(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for a whole file of tests that leave it well."""
    home = copied(trained, tmp_path_factory.mktemp("served") / "home")
    with running(home) as one:
        yield one
