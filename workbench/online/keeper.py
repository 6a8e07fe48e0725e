"""The process beside the score service: journal into store and vault, answers into the queue, webhooks out, a fresh
graph for the scorers.

It never stands in the way of a score: when the store is away it waits and tries again, and the journal holds what is
to come. One keeper works at a time; a second one waits for the first to end.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from graph.errors import RingroadError, StoreError
from graph.records import from_millis
from graph.store import GraphStore
from graph.vault import Vault
from workbench import scoring
from workbench.casebook.opening import Casebook
from workbench.instance import keyring, open_casebook, open_graph, open_vault
from workbench.journal import Journal
from workbench.online import images
from workbench.online.absorbing import TOGETHER, absorb
from workbench.online.queueing import Regions, enqueue
from workbench.online.settings import HOUR, ServiceSettings
from workbench.online.watching import watched
from workbench.webhooks.addresses import Policy, Way
from workbench.webhooks.courier import Courier
from workbench.webhooks.deliver import deliver_due, settle
from workbench.webhooks.events import degraded, publish

PAUSE, LONGEST_PAUSE = 0.5, 30.0
GATHERING = 10.0
"""Seconds from a batch that held all there was to the next: large batches cost less, and nobody asks the store for the
last seconds. The first entry after a quiet time does not wait, nor does what is there when the keeper ends."""

LOOK_SECONDS = 5.0
"""Whether a fresh graph is wanted is asked so often."""

BESIDE = "--beside"
"""Said by the service that starts one: it ends with it."""

NICE = 15
"""Of the keeper itself, and of what it starts: scores go first, the store follows when there is time."""

log = logging.getLogger("ringroad.keeper")


class Keeper:
    """Each turn is short, and what fails is said and tried again later."""

    def __init__(self, settings: ServiceSettings, *, clock: Callable[[], int]) -> None:
        self.settings, self.clock = settings, clock
        self._store: GraphStore | None = None
        self._regions = Regions(lambda: self._store)
        self._pause, self._again_at, self._gathered_at = PAUSE, 0.0, 0.0
        self._refreshing: subprocess.Popen[bytes] | None = None
        self._refreshed_at = self._watched_at = 0
        self._looked_at = float("-inf")

    def run(self, stopped: threading.Event) -> None:
        base = self.settings.base
        with only_one(base.home / "keeper.lock", stopped) as mine:
            if not mine:
                return
            with (
                Journal(self.settings.journal_file, clock=self.clock) as journal,
                open_vault(base) as vault,
                open_casebook(base) as casebook,
                Courier(keyring(base), Way(Policy.read(os.environ))) as courier,
            ):
                while not stopped.is_set():
                    moved = self._turn("store", lambda: self._absorb(journal, vault))
                    moved += self._turn("queue", lambda: enqueue(journal, casebook, self._regions, clock=self.clock))
                    self._turn("webhooks", lambda: self._deliver(casebook, courier))
                    self._turn("graph", lambda: self._refresh(casebook))
                    self._turn("model", lambda: self._watch(journal, casebook))
                    if not moved:
                        stopped.wait(PAUSE)
                self._turn("store", lambda: self._absorb(journal, vault, gathering=False))
                self._turn("queue", lambda: enqueue(journal, casebook, self._regions, clock=self.clock))
                self._turn("webhooks", lambda: settle(casebook, self._now, courier).delivered)
        self._end()

    def _turn(self, what: str, work: Callable[[], int]) -> int:
        try:
            return work()
        except RingroadError as error:
            log.warning("%s: %s", what, error.message)
        except Exception as error:  # noqa: BLE001 - the others go on; the message may hold what somebody sent
            log.warning("%s: %s", what, type(error).__name__)
        return 0

    def _absorb(self, journal: Journal, vault: Vault, *, gathering: bool = True) -> int:
        """One batch. A store that is away is asked again after a pause that grows."""
        if time.monotonic() < max(self._again_at, self._gathered_at if gathering else 0.0):
            return 0
        try:
            if self._store is None:
                self._store = open_graph(self.settings.base, None)
            number = absorb(journal, self._store, vault)
        except StoreError:
            self._again_at, self._pause = time.monotonic() + self._pause, min(2 * self._pause, LONGEST_PAUSE)
            if self._store is not None:
                self._store.close()
                self._store = None
            raise
        self._pause = PAUSE
        if 0 < number < TOGETHER:
            self._gathered_at = time.monotonic() + GATHERING
        return number

    def _deliver(self, casebook: Casebook, courier: Courier) -> int:
        publish(casebook, now=self._now())
        return deliver_due(casebook, self._now, courier, patience=0.05).delivered

    def _watch(self, journal: Journal, casebook: Casebook) -> int:
        """Once an hour: a model that is refused, or whose scores have shifted, is told to who wants to know."""
        if self.clock() - self._watched_at < HOUR:
            return 0
        self._watched_at = self.clock()
        told = list(self._troubles(journal))
        for version, what, numbers in told:
            log.warning("model %s: %s", version, what)
            with casebook.writing() as db:
                degraded(db, version, what, numbers, self._now())
        return len(told)

    def _troubles(self, journal: Journal) -> Iterator[tuple[str, str, dict[str, float]]]:
        for one in scoring.registry(self.settings.base).list():
            if "champion" in one.role and one.trouble:
                yield one.version, "refused", {}
        found = watched(journal)
        if found is not None and found.shifted:
            yield found.version, "psi", {"psi": found.psi, "scores": float(found.now)}

    def _now(self) -> datetime:
        return from_millis(self.clock())

    def _refresh(self, casebook: Casebook) -> int:
        """A graph that is old, of another model than the one that serves, or of other opinions than people have now, is
        made anew in a process of its own."""
        if self._refreshing is not None:
            if self._refreshing.poll() is None:
                return 0
            if self._refreshing.returncode:
                log.warning("graph: making it anew ended with %d", self._refreshing.returncode)
            self._refreshing = None
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return 0
        self._looked_at = time.monotonic()
        with casebook.reading() as db:
            decided = images.decided(db, self._now())
        due = images.due(self.settings, self.clock(), self._behind(), decided)
        if due and self.clock() - self._refreshed_at > HOUR // 12:
            self._refreshed_at = self.clock()
            command = [sys.executable, "-m", "workbench.cli", "serve", "refresh", "--quiet"]
            self._refreshing = subprocess.Popen(command)  # noqa: S603
        return 0

    def _behind(self) -> int:
        """The journal's newest entry: a process that starts applies all since the image."""
        with Journal(self.settings.journal_file, clock=self.clock) as journal:
            last = journal.last()
        return 0 if last is None else last.sequence

    def _end(self) -> None:
        if self._refreshing is not None and self._refreshing.poll() is None:
            self._refreshing.terminate()
            self._refreshing.wait(10)
        if self._store is not None:
            self._store.close()


@contextmanager
def only_one(place: Path, stopped: threading.Event) -> Iterator[bool]:
    """Waits until no other process holds the lock; False where it was stopped before."""
    with place.open("w") as file:
        while not stopped.is_set():
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stopped.wait(PAUSE)
                continue
            yield True
            return
        yield False


def _end_with(parent: int, stopped: threading.Event) -> None:
    """A service that was killed leaves no keeper behind."""
    while os.getppid() == parent and not stopped.is_set():
        stopped.wait(1)
    stopped.set()


def main() -> None:
    """`python -m workbench.online.keeper`; ends on SIGTERM after the turn it is in."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    os.nice(NICE)
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    if BESIDE in sys.argv[1:]:
        threading.Thread(target=_end_with, args=(os.getppid(), stopped), daemon=True).start()
    try:
        Keeper(ServiceSettings.read(), clock=lambda: time.time_ns() // 1_000_000).run(stopped)
    except RingroadError as error:
        log.warning(error.message)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
