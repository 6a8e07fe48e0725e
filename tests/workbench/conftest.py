"""`services` over a home of its own, and `casebook`: what it promises is held on SQLite and on a real PostgreSQL.

PostgreSQL is started once a session on a free port by an unprivileged user, in a folder of its own, and
emptied for each test. Without its programs those tests are skipped, and with CI=true a skip is a failure.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pg8000.native
import pytest

from graph.settings import Settings
from tests.service.conftest import copied
from workbench.casebook.opening import Casebook
from workbench.services.all import Services
from workbench.services.office import Office

PROGRAMS = Path("/usr/lib/postgresql")
SORTING = ("-E", "UTF8", "--locale-provider=icu", "--icu-locale=en-US")
"""As dictionaries do, which is what many servers are set to; SQLite sorts by code point."""

QUICK = ("-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=20", "-c", "autovacuum=off")

OpenCasebook = Callable[[], Casebook]
"""Opens one more handle on the same casebook."""


@dataclass(frozen=True)
class Cluster:
    port: int

    @property
    def address(self) -> str:
        return f"postgresql+pg8000://tester@127.0.0.1:{self.port}/postgres"

    def asking(self, password: str) -> str:
        """The address of the same database for somebody whom it asks for this password."""
        with self._connected() as db:
            db.run("DROP ROLE IF EXISTS asked")
            db.run(f"CREATE ROLE asked SUPERUSER LOGIN PASSWORD '{password}'")
        return self.address.replace("tester@", "asked@")

    def empty(self) -> None:
        with self._connected() as db:
            db.run("DROP SCHEMA public CASCADE")
            db.run("CREATE SCHEMA public")

    def another(self) -> str:
        """The name of a second database, made empty."""
        with self._connected() as db:
            db.run("DROP DATABASE IF EXISTS another")
            db.run("CREATE DATABASE another")
        return "another"

    def hang_up(self) -> None:
        """On everybody else, as when it is started again."""
        with self._connected() as db:
            db.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def _connected(self) -> pg8000.native.Connection:
        return pg8000.native.Connection("tester", host="127.0.0.1", port=self.port, database="postgres")


def programs() -> Path | None:
    found = sorted(PROGRAMS.glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    there = shutil.which("initdb")
    return Path(there).parent if there else None


@pytest.fixture(scope="module")
def services(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Over a home of one's own with a portfolio, its rings and a model."""
    home = copied(trained, tmp_path_factory.mktemp("lens") / "home")
    with Office(Settings.read({"RINGROAD_HOME": str(home)})) as office:
        yield Services(office)
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    bin_ = programs()
    if bin_ is None:
        reason = "no PostgreSQL to test on: its programs (initdb, postgres) are not on this machine"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(f"{reason}; tools/system.sh installs them")
        pytest.skip(reason)
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="ringroad-postgres-"))
    try:
        if user is not None:
            shutil.chown(folder, user)
        _run(user, str(bin_ / "initdb"), "-D", str(folder / "db"), "-U", "tester", "-A", "trust", *SORTING, "-N")
        rules = folder / "db/pg_hba.conf"
        rules.write_text(f"host all asked 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")
        port = _free_port()
        options = (*QUICK, "-p", str(port), "-k", str(folder), "-h", "127.0.0.1")
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [str(bin_ / "postgres"), "-D", str(folder / "db"), *options],
                stdout=log, stderr=log, cwd="/", user=user,
            )  # fmt: skip
        try:
            ready = (
                str(bin_ / "pg_isready"),
                "-q",
                "-h",
                "127.0.0.1",
                "-p",
                str(port),
                "-U",
                "tester",
                "-d",
                "postgres",
            )
            _until_it_answers(server, ready, folder / "log")
            yield Cluster(port)
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: nobody needs what is in it
            server.wait(timeout=60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def open_casebook(request: pytest.FixtureRequest, tmp_path: Path) -> OpenCasebook:
    if request.param == "sqlite":
        return lambda: Casebook.open(f"sqlite:///{tmp_path / 'casebook.sqlite'}")
    cluster: Cluster = request.getfixturevalue("postgres")
    cluster.empty()
    return lambda: Casebook.open(cluster.address)


@pytest.fixture
def casebook(open_casebook: OpenCasebook) -> Iterator[Casebook]:
    with open_casebook() as opened:
        yield opened


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root; None for who is somebody else anyway."""
    if os.getuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(user: str | None, *command: str) -> None:
    done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until_it_answers(server: subprocess.Popen[bytes], asked: Sequence[str], log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text(errors="replace")
        if subprocess.run(asked, check=False, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail(log.read_text(errors="replace"))
