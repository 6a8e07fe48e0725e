"""`ringroad` as a person runs it: in this process, or as the installed command."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest import mock

import pytest

from tests.loaders import lender
from workbench import cli, terminal

RINGROAD = Path(sys.executable).with_name("ringroad")


@dataclass(frozen=True)
class Told:
    code: int
    out: str
    err: str


Run = Callable[..., Told]


@pytest.fixture
def ringroad(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`main` with these arguments in a fresh instance; bad input is held to its one line."""
    monkeypatch.setenv("RINGROAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("RINGROAD_STORE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    for console in (terminal.out, terminal.err):  # made before anybody could say so
        monkeypatch.setattr(console, "_width", 200)

    def run(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["ringroad", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        written = capsys.readouterr()
        return checked(Told(int(left.value.code or 0), written.out, written.err))

    return run


def checked(told: Told) -> Told:
    assert "Traceback" not in told.err
    if told.code and not told.out:
        assert len(told.err.strip().splitlines()) == 1, told.err
    else:
        assert not told.err
    return told


def inside(home: Path, *arguments: object) -> Told:
    """In this process, where all is imported already: a process of its own spends most of its time on that."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, {"RINGROAD_HOME": str(home)}))
        stack.enter_context(mock.patch.object(sys, "argv", ["ringroad", *map(str, arguments)]))
        for console in (terminal.out, terminal.err):
            stack.enter_context(mock.patch.object(console, "_width", 200))
        out, err = stack.enter_context(redirect_stdout(StringIO())), stack.enter_context(redirect_stderr(StringIO()))
        with pytest.raises(SystemExit) as left:
            cli.main()
    return checked(Told(int(left.value.code or 0), out.getvalue(), err.getvalue()))


def process(home: Path, *arguments: object, limit: int | None = None, **environ: str) -> Told:
    def limited() -> None:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [str(RINGROAD), *map(str, arguments)],
        env=os.environ | {"RINGROAD_HOME": str(home), "COLUMNS": "200"} | environ,
        capture_output=True,
        text=True,
        timeout=500,
        preexec_fn=limited,
        check=False,
    )
    return checked(Told(done.returncode, done.stdout, done.stderr))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lender.written(tmp_path / "input", lender.tables())
