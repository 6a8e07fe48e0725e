"""Several commands as one: they start together, and when one ends or somebody asks, all end."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

DRAIN_SECONDS = 12.0
LOOK_SECONDS = 0.2


def run(commands: Sequence[Sequence[str]]) -> None:
    """Until SIGTERM, Ctrl-C or the end of one of them. Raises SystemExit with the code of one that ended by itself.

    Each runs in a session of its own, so that Ctrl-C reaches it once: from here.
    """
    asked = False

    def ask(_signal: int, _frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    before = {each: signal.signal(each, ask) for each in (signal.SIGTERM, signal.SIGINT)}
    started = [subprocess.Popen(each, start_new_session=True) for each in commands]  # noqa: S603 - our own commands
    try:
        while not asked and all(each.poll() is None for each in started):
            time.sleep(LOOK_SECONDS)
        ended = [each.returncode for each in started if each.poll() is not None]
    finally:
        end(started)
        for each, handler in before.items():
            signal.signal(each, handler)
    if not asked and any(ended):
        raise SystemExit(next(code for code in ended if code))


def end(started: Sequence[subprocess.Popen[bytes]]) -> None:
    """SIGTERM to all, and after their time SIGKILL."""
    for each in started:
        if each.poll() is None:
            each.terminate()
    last = time.monotonic() + DRAIN_SECONDS
    for each in started:
        try:
            each.wait(max(0.0, last - time.monotonic()))
        except subprocess.TimeoutExpired:
            each.kill()
            each.wait()
