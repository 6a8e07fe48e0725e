"""The process that ticks: it looks once a minute and lets each job that is due run in a process of its own.

So a training that takes hours holds up no letter, and a stop waits for nobody: what is under way is told to end and
gives its slot back; what does not listen is killed, and its lease runs out.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType

from graph.errors import RingroadError
from graph.settings import Settings
from workbench.casebook.opening import Casebook
from workbench.instance import open_casebook
from workbench.schedule import jobs, metrics
from workbench.schedule.job import Clock, Job
from workbench.schedule.tick import Ticker

LOOK_SECONDS = 60.0
POLL_SECONDS = 0.2

END_SECONDS = 7.0
"""For jobs to give their slots back; ten in all until the process has ended."""

Start = Callable[[str], "subprocess.Popen[bytes]"]

log = logging.getLogger("ringroad.scheduler")


def started(job: str) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C reaches it once, from here."""
    return subprocess.Popen([sys.executable, "-m", "workbench", "tick", "--job", job], start_new_session=True)  # noqa: S603


class Scheduler:
    """At most one job by the night and one of those that are done again and again run at a time."""

    def __init__(self, settings: Settings, *, clock: Clock, start: Start = started, look: float = LOOK_SECONDS) -> None:
        self.settings, self.clock, self._start, self._look = settings, clock, start, look
        self._running: dict[str, tuple[Job, subprocess.Popen[bytes]]] = {}
        self._began: dict[str, float] = {}
        self._plan = jobs.read(settings)

    def run(self, stopped: threading.Event) -> None:
        with open_casebook(self.settings) as casebook:
            looked_at = float("-inf")
            while not stopped.is_set():
                if self._reaped() or time.monotonic() - looked_at >= self._look:
                    looked_at = time.monotonic()
                    self._turn(casebook)
                stopped.wait(POLL_SECONDS)
        self._end()

    def _turn(self, casebook: Casebook) -> None:
        """What goes wrong is said, and the next turn tries again."""
        try:
            self._plan = jobs.read(self.settings)
        except RingroadError as error:
            log.warning("as before: %s", error.message)
        try:
            plan, there = self._plan
            for job in Ticker(self.settings, plan, there, casebook, self.clock).pending():
                self._begin(job)
            with casebook.reading() as db:
                content = metrics.text(db, now=self.clock())
            metrics.write(self.settings, content)
        except RingroadError as error:
            log.warning("%s", error.message)
        except OSError as error:
            log.warning("the figures of the schedule cannot be written (%s)", error.strerror)

    def _begin(self, job: Job) -> None:
        """Unless its kind is busy, or it was begun a moment ago: who fails at once is not asked without end."""
        busy = any((one.every is None) == (job.every is None) for one, _ in self._running.values())
        if busy or time.monotonic() - self._began.get(job.name, float("-inf")) < self._look:
            return
        self._began[job.name] = time.monotonic()
        self._running[job.name] = job, self._start(job.name)

    def _reaped(self) -> bool:
        """Whether one ended: the next one may begin."""
        ended = [name for name, (_, process) in self._running.items() if process.poll() is not None]
        for name in ended:
            del self._running[name]
        return bool(ended)

    def _end(self) -> None:
        processes: Sequence[subprocess.Popen[bytes]] = [process for _, process in self._running.values()]
        for each in processes:
            each.terminate()
        last = time.monotonic() + END_SECONDS
        for each in processes:
            try:
                each.wait(max(0.0, last - time.monotonic()))
            except subprocess.TimeoutExpired:
                each.kill()
                each.wait()


def serve(settings: Settings, *, clock: Clock) -> None:
    """Until SIGTERM or Ctrl-C. Raises InputError at once for a mistake in `schedule.yaml`."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, stop)
    Scheduler(settings, clock=clock).run(stopped)
