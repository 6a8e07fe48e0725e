"""The workbench as processes: they start, say that they are there, and end when asked."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from graph.errors import InputError
from graph.settings import Settings
from tests.service.conftest import environment, free_port
from workbench import together
from workbench.ui import server


@contextmanager
def started(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", "serve", *words],
        env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for(url: str, process: subprocess.Popen[str], seconds: float = 60) -> httpx.Response:
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        assert process.poll() is None, process.stdout and process.stdout.read()
        try:
            return httpx.get(url, timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
    pytest.fail(f"{url} did not answer in {seconds:g} s")


def test_it_starts_lets_nobody_in_and_ends_when_asked(tmp_path: Path) -> None:
    """On an empty home."""
    port = free_port()
    with started(tmp_path, "ui", "--port", str(port), "--workers", "1", "--threads", "2") as process:
        url = f"http://127.0.0.1:{port}"
        assert wait_for(f"{url}/healthz", process).json() == {"status": "ok"}
        at_the_door = httpx.get(f"{url}/queue", follow_redirects=False)
        assert (at_the_door.status_code, at_the_door.headers["location"]) == (303, "/login?next=/queue")
        assert not any(digit in at_the_door.headers.get("server", "") for digit in "0123456789"), "a version"
        assert httpx.get(f"{url}/login").status_code == 200
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "Traceback" not in said


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    settings = Settings.read({"RINGROAD_HOME": str(tmp_path)})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port} of 127.0.0.1 cannot be had .*--port"):
            server.run(settings, host="127.0.0.1", port=port, workers=1, threads=1)


NAP = (sys.executable, "-c", "import time; time.sleep(60)")


def test_together_ends_all_when_one_ends() -> None:
    begun = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        together.run([NAP, (sys.executable, "-c", "raise SystemExit(3)")])
    assert ended.value.code == 3
    assert time.monotonic() - begun < 40


def test_together_ends_all_when_asked() -> None:
    script = f"import sys; from workbench.together import run; run([{NAP!r}, {NAP!r}])"
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=15)
    assert (process.returncode, said) == (0, "")
