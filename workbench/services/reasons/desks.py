"""The graph that scores are read from, opened once in a process to explain scores; nothing ever arrives at it here.

It takes seconds to open the first time, so that happens in a thread of its own, and whoever asks meanwhile is told so.
"""
# ruff: noqa: PLC0415 - what scores imports XGBoost and numba

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from graph.errors import RingroadError
from graph.records import to_millis
from workbench.online import places
from workbench.services.office import Office

if TYPE_CHECKING:
    from gnn.files import ApplicationFile, Cutter
    from workbench.casebook.strategies import Adopted
    from workbench.online.images import View
    from workbench.online.sessions import Small

log = logging.getLogger("ringroad.ui")

READY, PREPARING, NONE = "ready", "preparing", "none"

LOOK_SECONDS = 5.0
MOST_READ = 400_000
"""So many events are read where an earlier release made the image; of more nothing is explained until the next one."""


@dataclass(frozen=True)
class Desk:
    """`view` is one writer's and not for several threads: whoever asks holds `lock`."""

    view: View
    cutter: Cutter
    sessions: Small | None
    strategy: Adopted
    lock: threading.RLock

    def file_of(self, row: int) -> ApplicationFile:
        """As it came, with what is known of its session and its papers."""
        from workbench.online.sessions import with_events

        file = self.cutter.file_of(row)
        return file if self.sessions is None else with_events(file, self.sessions[row])


class Desks:
    def __init__(self, office: Office) -> None:
        self.office = office
        self._lock = threading.Lock()
        self._desk: Desk | None = None
        self._opening: threading.Thread | None = None
        self._looked, self._failed = 0.0, ""

    def state(self) -> str:
        """`PREPARING` means: ask again in a second."""
        self._look()
        if self._desk is not None:
            return READY
        return PREPARING if self._opening is not None and self._opening.is_alive() else NONE

    def desk(self, patience: float = 0.0) -> Desk | None:
        """None while it is being opened, and where there is none. Waits so many seconds for it."""
        self._look()
        opening = self._opening
        if self._desk is None and opening is not None and patience:
            opening.join(patience)
        return self._desk

    def _look(self) -> None:
        """Opens the newest image where that is not the one that is open; the older one serves meanwhile."""
        with self._lock:
            if time.monotonic() - self._looked < LOOK_SECONDS and self._looked:
                return
            self._looked = time.monotonic()
            name = places.current(self.office.settings)
            busy = self._opening is not None and self._opening.is_alive()
            if (
                name is None
                or busy
                or name == self._failed
                or (self._desk is not None and self._desk.view.name == name)
            ):
                return
            self._opening = threading.Thread(target=self._open, args=(name,), name="desk", daemon=True)
            self._opening.start()

    def _open(self, name: str) -> None:
        try:
            self._desk = self._opened()
        except RingroadError as error:
            self._failed = name
            log.warning("graph for scores: %s", error.message)
        except Exception as error:
            self._failed = name
            log.exception("graph for scores: %s", type(error).__name__)

    def _opened(self) -> Desk | None:
        from gnn.files import Cutter
        from workbench.casebook import strategies
        from workbench.journal import Journal
        from workbench.online import images, sessions
        from workbench.online.settings import ServiceSettings
        from workbench.online.warming import make_ready

        settings = replace(ServiceSettings.read(), base=self.office.settings)
        with Journal(settings.journal_file, clock=lambda: to_millis(self.office.clock())) as journal:
            view = images.open_current(settings, journal)
        if view is None:
            return None
        make_ready(view)
        kept = sessions.read(settings.desks / f"{view.name}{images.RULES}")
        with self.office.casebook.reading() as db:
            strategy = strategies.in_force(db, self.office.clock())
        book = view.assessor.desk.book
        return Desk(view, Cutter(book), self._read(book) if kept is None else kept, strategy, threading.RLock())

    def _read(self, book: Any) -> Small | None:
        from workbench.online import sessions

        tables = ("device_events", "documents")
        with suppress(RingroadError):
            store = self.office.store
            there = store.size().events
            if sum(there.get(each, 0) for each in tables) <= MOST_READ:
                return sessions.of(replace(book, events={each: store.events(each) for each in tables}))
        return None
